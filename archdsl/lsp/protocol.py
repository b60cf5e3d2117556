"""What pygls leaves open of JSON-RPC: every request is answered, whatever it holds, and no read is unbounded."""

from __future__ import annotations

import json
from typing import Any, BinaryIO

from lsprotocol import types as lsp
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcMethodNotFound,
    JsonRpcParseError,
    JsonRpcServerNotInitialized,
)
from pygls.protocol import LanguageServerProtocol

MAX_MESSAGE = 16 * 2**20
"""Bytes of a message; a spec has at most 1 MiB."""
MAX_HEADER = 1024
"""Bytes of a header line."""
_LENGTH = b"Content-Length:"
_OF_OPEN_TEXTS = frozenset({lsp.TEXT_DOCUMENT_DID_CHANGE, lsp.TEXT_DOCUMENT_DID_CLOSE, lsp.TEXT_DOCUMENT_DID_SAVE})


class Protocol(LanguageServerProtocol):
    """Checks a message before pygls acts on it, and answers one that is wrong with the error that says so."""

    def structure_message(self, data: dict[str, Any]) -> Any:
        """Nothing: this is called for each object inside a message too; see `handle_message`."""
        return data

    def handle_message(self, message: Any) -> None:
        """Act on a message as JSON gives it."""
        try:
            structured = self._structured(message)
        except JsonRpcException as error:
            if _wants_answer(message):
                self.refuse(_id_of(message), error.to_response_error())
            return
        if structured is not None:
            super().handle_message(structured)

    def refuse(self, id: int | str | None, error: lsp.ResponseError) -> None:
        """Answer with an error; that to a message without a readable id has the id null."""
        if id is not None:
            self._send_response(id, error=error)
        else:  # which lsprotocol leaves out
            shown = {"code": error.code, "message": error.message}
            self._send_data({"jsonrpc": self.VERSION, "id": None, "error": shown})

    def _structured(self, message: Any) -> Any:
        """A message as pygls takes it; None for one that says nothing.

        Raises:
            JsonRpcException: it is no message, or comes at the wrong time.
        """
        if not isinstance(message, dict) or message.get("jsonrpc") != self.VERSION:
            raise JsonRpcInvalidRequest(f'a message is an object with "jsonrpc": "{self.VERSION}"')
        method = message.get("method")
        if "method" not in message and ("result" in message or "error" in message):
            return super().structure_message(message) if _id_of(message) in self._request_futures else None
        if not isinstance(method, str):
            raise JsonRpcInvalidRequest("a request has a method")
        if "id" in message and _id_of(message) is None:
            raise JsonRpcInvalidRequest("an id is a number or a string")
        self._check_time(method)
        if "id" in message and method not in self.fm.builtin_features and method not in self.fm.features:
            raise JsonRpcMethodNotFound.of(method)
        if method in _OF_OPEN_TEXTS and not self._is_open(message):
            return None
        return self._typed(message)

    def _typed(self, message: dict[str, Any]) -> Any:
        try:
            return super().structure_message(message)
        except Exception as error:  # of the converter, whatever the types do not say
            raise JsonRpcInvalidParams(f"invalid params of {message['method']}") from error

    def _check_time(self, method: str) -> None:
        if self._shutdown and method != lsp.EXIT:
            raise JsonRpcInvalidRequest("the server is shutting down")
        if self._workspace is None and method not in (lsp.INITIALIZE, lsp.EXIT):
            raise JsonRpcServerNotInitialized("the first request is `initialize`")
        if self._workspace is not None and method == lsp.INITIALIZE:
            raise JsonRpcInvalidRequest("the server is initialized already")

    def _is_open(self, message: dict[str, Any]) -> bool:
        """A text that was opened: pygls reads any other from the disk, be it a pipe or without end."""
        params = message.get("params")
        document = params.get("textDocument") if isinstance(params, dict) else None
        uri = document.get("uri") if isinstance(document, dict) else None
        return isinstance(uri, str) and uri in self.workspace.text_documents

    def _send_response(self, msg_id: Any, result: Any = None, error: lsp.ResponseError | None = None) -> None:
        """An answer; what failed inside is in the log, and no concern of an editor's."""
        if error is not None and error.code == JsonRpcException.CODE:
            error = lsp.ResponseError(error.code, "internal error")
        super()._send_response(msg_id, result, error)


def _id_of(message: Any) -> int | str | None:
    found = message.get("id") if isinstance(message, dict) else None
    return found if isinstance(found, int | str) and not isinstance(found, bool) else None


def _wants_answer(message: Any) -> bool:
    """Is an error sent? A notification gets none, nor does a wrong answer to a question of ours."""
    return not isinstance(message, dict) or "id" in message or "method" not in message


def unreadable(error: Exception) -> lsp.ResponseError | None:
    """The error of bytes that are no JSON; None for any other."""
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError | ValueError):
        return JsonRpcParseError("the message is not JSON").to_response_error()
    return None


class Bounded:
    """Standard input, read in bounded pieces. A message that is too long is left out: `null` stands for it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._is_lost = False

    def readline(self) -> bytes:
        """A header line; after a message that was left out, the next that states a length."""
        line = self._stream.readline(MAX_HEADER)
        if not self._is_lost:
            return line
        while line and _LENGTH not in line:
            line = self._stream.readline(MAX_HEADER)
        self._is_lost = False
        return line[line.find(_LENGTH) :] if line else line

    def read(self, size: int) -> bytes:
        if size > MAX_MESSAGE:
            self._is_lost = True
            return b"null"
        return self._stream.read(size)
