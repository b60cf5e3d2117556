"""What no editor should send: every id is answered, nothing is read without end, and the server lives on."""

from __future__ import annotations

import copy
import json
import os
import queue
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 60
"""Seconds in which an answer must come, on a machine however busy."""
AT = {"line": 0, "character": 0}
RANGE = {"start": AT, "end": {"line": 3, "character": 1}}
SPEC = "model Net {\n  input x: [N, 3, 8, 8]\n  c: conv(4, 3)\n  output y\n}\n"


class Client:
    """Speaks to a server of its own, byte by byte."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "archdsl", "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self.last = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        out = self.process.stdout
        assert out is not None
        while True:
            size = 0
            while (line := out.readline()).strip():
                if line.lower().startswith(b"content-length"):
                    size = int(line.split(b":")[1])
            if not line:
                return
            message = json.loads(out.read(size))
            if "method" not in message:
                self.answers.put(message)

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message: Any) -> None:
        body = json.dumps(message).encode()
        self.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def notify(self, method: str, params: Any) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def ask(self, method: str, params: Any = None, **more: Any) -> dict[str, Any]:
        self.last += 1
        given = {} if params is None else {"params": params}
        self.send({"jsonrpc": "2.0", "id": self.last, "method": method, **given, **more})
        return self.answer()

    def answer(self) -> dict[str, Any]:
        return self.answers.get(timeout=PATIENCE)

    def start(self) -> None:
        answer = self.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        assert "result" in answer
        self.notify("initialized", {})

    def open(self, uri: str, text: str = SPEC) -> None:
        item = {"uri": uri, "languageId": "arch", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    client = Client()
    client.start()
    client.open("file:///nowhere/net.arch")
    yield client
    client.process.kill()
    client.process.wait()


@pytest.fixture
def fresh() -> Iterator[Client]:
    client = Client()
    yield client
    client.process.kill()
    client.process.wait()


def params_of(uri: str) -> dict[str, dict[str, Any]]:
    """Of every request about a document, parameters that are right."""
    place = {"textDocument": {"uri": uri}, "position": AT}
    document = {"textDocument": {"uri": uri}}
    problem = {"range": RANGE, "message": "m", "code": "A0202", "severity": 1, "source": "archdsl"}
    return {
        "textDocument/hover": place,
        "textDocument/completion": {**place, "context": {"triggerKind": 1}},
        "textDocument/signatureHelp": place,
        "textDocument/definition": place,
        "textDocument/references": {**place, "context": {"includeDeclaration": True}},
        "textDocument/documentHighlight": place,
        "textDocument/prepareRename": place,
        "textDocument/rename": {**place, "newName": "a"},
        "textDocument/documentSymbol": document,
        "textDocument/foldingRange": document,
        "textDocument/semanticTokens/full": document,
        "textDocument/inlayHint": {**document, "range": RANGE},
        "textDocument/formatting": {**document, "options": {"tabSize": 2, "insertSpaces": True}},
        "textDocument/codeAction": {**document, "range": RANGE, "context": {"diagnostics": [problem]}},
    }


METHODS = sorted(params_of(""))


def assert_clean(answer: dict[str, Any]) -> None:
    assert "Traceback" not in json.dumps(answer)
    assert "traceback" not in json.dumps(answer).lower()


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("strange")
    os.mkfifo(folder / "pipe.arch")
    with (folder / "large.arch").open("wb") as file:
        file.truncate(2**33)
    (folder / "bytes.arch").write_bytes(b"\xff\xfe model")
    (folder / "folder.arch").mkdir()
    (folder / "loop.arch").symlink_to(folder / "loop.arch")
    return folder


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "name", ["absent", "pipe", "large", "bytes", "folder", "loop", "zero", "untitled", "http", "nul", "empty", "broken"]
)
def test_a_document_that_cannot_be_read_has_no_answers(client: Client, strange: Path, method: str, name: str) -> None:
    uris = {
        "zero": "file:///dev/zero", "untitled": "untitled:Untitled-1", "http": "https://example.com/a.arch",
        "nul": "file:///a%00b.arch", "empty": "", "broken": "file://[a/b",
    }  # fmt: skip
    uri = uris.get(name) or (strange / f"{name}.arch").as_uri() if name != "empty" else ""
    answer = client.ask(method, params_of(uri)[method])
    assert answer["id"] == client.last
    assert answer.get("result", "missing") is None, answer


@pytest.mark.parametrize("methods", [METHODS, METHODS[::-1]], ids=["forth", "back"])
def test_answers_do_not_depend_on_their_order(client: Client, tmp_path: Path, methods: list[str]) -> None:
    path = tmp_path / "net.arch"
    path.write_text(SPEC)
    unopened = {m: client.ask(m, params_of(path.as_uri())[m]) for m in methods}
    assert all("result" in answer for answer in unopened.values())
    assert unopened["textDocument/documentSymbol"]["result"][0]["name"] == "Net"
    assert client.ask("textDocument/hover", params_of("file:///absent.arch")["textDocument/hover"])["result"] is None


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("params", [None, {}, [], 3, "x", {"textDocument": {}}, {"textDocument": 3}, [{}]])
def test_params_that_are_missing_or_wrong_are_invalid(client: Client, method: str, params: object) -> None:
    answer = client.ask(method, params)
    assert (answer["id"], answer["error"]["code"]) == (client.last, -32602)
    assert_clean(answer)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ([], -32600),
        (3, -32600),
        (None, -32600),
        ("x", -32600),
        ({}, -32600),
        ({"jsonrpc": "2.0"}, -32600),
        ({"jsonrpc": "1.0", "id": 7, "method": "shutdown"}, -32600),
        ({"id": 7, "method": "textDocument/hover"}, -32600),
        ({"jsonrpc": "2.0", "id": None, "method": "textDocument/hover"}, -32600),
        ({"jsonrpc": "2.0", "id": [1], "method": "textDocument/hover"}, -32600),
        ({"jsonrpc": "2.0", "id": True, "method": "textDocument/hover"}, -32600),
        ({"jsonrpc": "2.0", "id": 7, "method": 3}, -32600),
        ({"jsonrpc": "2.0", "id": 7}, -32600),
        ({"jsonrpc": "2.0", "id": 7, "method": "no/such"}, -32601),
        ({"jsonrpc": "2.0", "id": "s", "method": "textDocument/nothing", "params": 3}, -32601),
        ({"jsonrpc": "2.0", "id": 7, "method": "initialize", "params": {"capabilities": {}}}, -32600),
        ({"jsonrpc": "2.0", "id": 7, "method": "textDocument/hover", "params": {"jsonrpc": "2.0", "id": 1}}, -32602),
        ({"jsonrpc": "2.0", "id": 7, "method": "workspace/executeCommand", "params": {"command": "x"}}, -32602),
    ],
)  # fmt: skip
def test_messages_that_are_none_get_the_error_of_the_protocol(client: Client, message: Any, code: int) -> None:
    client.send(message)
    answer = client.answer()
    assert answer["error"]["code"] == code
    given = message.get("id") if isinstance(message, dict) else None
    assert answer["id"] == (given if isinstance(given, int | str) and given is not True else None)
    assert_clean(answer)


@pytest.mark.parametrize(
    "body", [b"{", b"\xff\xfe", b"[" * 100_000, b"1" * 10_000, b"nope", b'{"jsonrpc": "2.0", "id": 3']
)
def test_what_is_no_json_gets_a_parse_error(client: Client, body: bytes) -> None:
    client.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    answer = client.answer()
    assert (answer["id"], answer["error"]["code"]) == (None, -32700)
    assert_clean(answer)
    assert "result" in client.ask("textDocument/hover", params_of("file:///nowhere/net.arch")["textDocument/hover"])


@pytest.mark.parametrize("size", [str(10**9), str(10**15), "9" * 500])
@pytest.mark.parametrize("body", [b"", b'{"jsonrpc": "2.0"}', b"x" * 5000])
def test_a_length_without_end_is_not_waited_for(client: Client, size: str, body: bytes) -> None:
    client.write(b"Content-Length: %b\r\n\r\n%b" % (size.encode(), body))
    assert client.answer()["error"]["code"] == -32600
    assert "result" in client.ask("textDocument/hover", params_of("file:///nowhere/net.arch")["textDocument/hover"])


def test_headers_without_end_are_read_in_pieces(client: Client) -> None:
    client.write(b"X: " + b"y" * 1_000_000 + b"\r\n")
    assert "result" in client.ask("textDocument/hover", params_of("file:///nowhere/net.arch")["textDocument/hover"])


def test_a_text_larger_than_a_spec_is_not_read(client: Client) -> None:
    client.open("file:///nowhere/large.arch", "# " + "x" * 2_000_000)
    answer = client.ask(
        "textDocument/documentSymbol", params_of("file:///nowhere/large.arch")["textDocument/documentSymbol"]
    )
    assert answer["result"] is None


def test_changes_of_texts_that_are_not_open_are_left_out(client: Client, strange: Path) -> None:
    change = {"range": RANGE, "text": "x"}
    for uri in ((strange / "pipe.arch").as_uri(), "file:///dev/zero", "file:///absent.arch", 3, None):
        client.notify(
            "textDocument/didChange", {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [change]}
        )
        client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        client.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    assert "result" in client.ask("textDocument/hover", params_of("file:///nowhere/net.arch")["textDocument/hover"])


def test_before_initialize_and_after_shutdown_every_id_is_answered(fresh: Client) -> None:
    hover = params_of("file:///a.arch")["textDocument/hover"]
    assert fresh.ask("textDocument/hover", hover)["error"]["code"] == -32002
    assert fresh.ask("shutdown")["error"]["code"] == -32002
    fresh.start()
    assert fresh.ask("shutdown")["result"] is None
    assert fresh.ask("textDocument/hover", hover)["error"]["code"] == -32600
    fresh.notify("exit", None)
    assert fresh.process.wait(PATIENCE) == 0


# ---- drawn faults ------------------------------------------------------------------------------------------

WRONG: list[Any] = [
    None, True, -1, 0, 2**31, 2**70, 1.5, 1e300, "", "x", "\ud800", "a\0b", "x" * 5000, [], {}, [[]], [None], {"a": 1},
    {"line": -1, "character": -1}, [{"range": None}], "file:///dev/zero", "file:///proc/self/mem",
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


def spoilt(message: Any, chance: random.Random) -> Any:
    """A message with one of its parts replaced, left out or doubled."""
    message = copy.deepcopy(message)
    path = chance.choice([p for p in places(message) if p])
    around = message
    for key in path[:-1]:
        around = around[key]
    match chance.randrange(4):
        case 0 if isinstance(around, dict):
            del around[path[-1]]
        case 1 if isinstance(around, dict):
            around[f"{path[-1]}"] = [around[path[-1]]]
        case _:
            around[path[-1]] = chance.choice(WRONG)
    return message


def test_a_thousand_drawn_faults_are_all_answered(client: Client) -> None:
    chance = random.Random(0)
    known = params_of("file:///nowhere/net.arch")
    others = {
        "completionItem/resolve": {"label": "conv", "data": "conv"},
        "workspace/executeCommand": {"command": "x", "arguments": [1]},
        "workspace/symbol": {"query": "x"},
        "textDocument/rangeFormatting": {"textDocument": {"uri": "a"}, "range": RANGE, "options": {}},
    }
    templates = [{"method": m, "params": p} for m, p in {**known, **others}.items()]
    expected = set()
    for number in range(1000):
        request = spoilt(chance.choice(templates), chance)
        if number % 2:
            request = spoilt(request, chance)
        expected.add(f"drawn {number}")
        client.send({"jsonrpc": "2.0", "id": f"drawn {number}", **request})
    found = [client.answer() for _ in expected]
    assert {answer["id"] for answer in found} == expected
    for answer in found:
        assert_clean(answer)
        assert ("error" in answer) != ("result" in answer)
        assert answer.get("error", {}).get("code") != -32603, answer
    assert client.process.poll() is None
    symbols = client.ask("textDocument/documentSymbol", known["textDocument/documentSymbol"])
    assert symbols["result"][0]["name"] == "Net"
