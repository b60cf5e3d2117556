"""What may be written at a place. Read off the text before it, which is rarely right while it is being written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lsprotocol.types import (
    CompletionItem,
    CompletionItemKind,
    InsertTextFormat,
    MarkupContent,
    MarkupKind,
    ParameterInformation,
    SignatureHelp,
    SignatureInformation,
)

from archdsl.evaluate.builtins import LISTS, NUMERIC
from archdsl.init import INITS
from archdsl.lsp.document import Document
from archdsl.lsp.hover import Find, heading, operator
from archdsl.lsp.names import Symbol
from archdsl.op import Parameter, parameters
from archdsl.ops import OPS_BY_NAME
from archdsl.reference import description, markdown, parameter_text
from archdsl.syntax import tree

STATEMENTS = {
    "input": "input ${1:x}: [${2:N, C, H, W}]",
    "output": "output ${1:y}: [${2:N, C}]",
    "let": "let ${1:name} = $0",
    "for": "for ${1:i} in 0..${2:n} { $0 }",
    "if": "if ${1:condition} { $0 }",
    "seq": "seq {\n  $0\n}",
    "residual": "residual {\n  $0\n}",
    "concat": "concat {\n  $0\n}",
    "add": "add { $0 }",
    "mul": "mul { $0 }",
    "stack": "stack(axis=${1:1}) { $0 }",
    "with": "with $0",
    "assert": "assert $0",
    "param": "param ${1:name}: [${2:shape}] = ${3:zeros}",
    "buffer": "buffer ${1:name}: [${2:shape}] = $0",
    "it": "it",
    "none": "none",
}
DEFINITIONS = {
    "block": "block ${1:Name}($2) {\n  $0\n}",
    "model": "model ${1:Name}(${2:classes = 10}) {\n  input image: [N, 3, H, W]\n  $0\n  output y: [N, classes]\n}",
    "claim": 'claim "${1:what holds}" {\n  assert $0\n}',
    "fn": "fn ${1:name}(${2:n}) = $0",
    "use": 'use ${1:Name} from "${2:file.arch}"',
    "let": "let ${1:name} = $0",
}


class Call(NamedTuple):
    """The call whose brackets are open at a place: its callee, and what was given so far."""

    callee: str
    given: list[str]


_TOKEN = re.compile(r'"[^"\n]*"|#[^\n]*|[A-Za-z_]\w*|[^\s]')


def open_call(text: str, offset: int) -> Call | None:
    """The innermost call that is open before an offset."""
    stack: list[tuple[str, str, list[str]]] = []
    last = ""
    for match in _TOKEN.finditer(text, max(text.rfind("\n}", 0, offset), 0), offset):
        token = match[0]
        if token.startswith("#"):
            continue
        if token in "([{":
            stack.append((token, last if token == "(" and last.isidentifier() else "", [""]))
        elif token in ")]}":
            if stack:
                stack.pop()
            if stack:
                stack[-1][2][-1] += token
        elif token == "," and stack:
            stack[-1][2].append("")
        elif stack:
            stack[-1][2][-1] += token
        last = token
    return Call(stack[-1][1], stack[-1][2]) if stack and stack[-1][0] == "(" and stack[-1][1] else None


def completions(document: Document, offset: int, find: Find) -> list[CompletionItem]:
    """All that may stand at an offset; the editor narrows it to what is typed."""
    text = document.source.text
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    if ('"' in line and line.count('"') % 2 == 1) or "#" in re.sub(r'"[^"]*"', "", line):
        return []
    if re.search(r"\.\w*$", line) and not re.search(r"\.\.\w*$", line):
        return [_item("shape", CompletionItemKind.Property, "the sizes of a value, as a list")]
    found = list(_values(document, offset, find))
    call = open_call(text, offset)
    if call is not None:
        if re.search(r"(?:^|[,(\s])(?:bias_)?init\s*=\s*[\w]*$", line):
            return [_item(name, CompletionItemKind.Value, markdown(init.__doc__ or "")) for name, init in INITS.items()]
        return [*_arguments(document, call, find), *found]
    words = STATEMENTS if document.definition_at(offset) or line[:1].isspace() else DEFINITIONS
    return [*found, *(_snippet(word, snippet) for word, snippet in words.items())]


def _arguments(document: Document, call: Call, find: Find) -> Iterator[CompletionItem]:
    """The arguments of a callee that are not given yet."""
    given = {g.partition("=")[0] for g in call.given if "=" in g}
    for name, detail, doc in _parameters(document, call.callee, find):
        if name not in given:
            item = _item(name, CompletionItemKind.Field, doc)
            item.detail, item.insert_text, item.sort_text = detail, f"{name}=", f"0{name}"
            yield item


def _parameters(document: Document, callee: str, find: Find) -> list[tuple[str, str, str]]:
    """Name, text in the signature and meaning of each parameter of an operator or block."""
    if callee in OPS_BY_NAME:
        known: tuple[Parameter, ...] = parameters(OPS_BY_NAME[callee])
        return [(p.name, parameter_text(p), markdown(p.doc)) for p in known]
    definition = _definition(document, callee, find)
    return [(p.name.text, p.span.text, "") for p in definition.params] if definition is not None else []


def _definition(document: Document, name: str, find: Find) -> tree.Block | tree.Fn | None:
    symbol = next((o.symbol for o in document.names if o.symbol and o.symbol.scope < 0 and o.symbol.name == name), None)
    found = find(symbol) if symbol is not None and symbol.file else None
    return found[1] if found is not None and isinstance(found[1], tree.Block | tree.Fn) else None


def _values(document: Document, offset: int, find: Find) -> Iterator[CompletionItem]:
    """Names that mean something here: operators, functions, the file's and the definition's own."""
    definition = document.definition_at(offset)
    scope = definition.span.start if definition is not None else -2
    symbols = dict.fromkeys(o.symbol for o in document.names if o.symbol is not None and o.symbol.file)
    for symbol in symbols:
        if symbol.scope == scope:
            yield _item(symbol.name, CompletionItemKind.Variable, "")
        elif symbol.scope < 0:
            yield _own(symbol, find)
    for name, op in OPS_BY_NAME.items():
        item = _item(name, CompletionItemKind.Function, "")
        item.detail = description(op).partition("\n")[0]
        item.data = name
        yield item
    for name in sorted({*NUMERIC, *LISTS} - {*OPS_BY_NAME}):
        yield _item(name, CompletionItemKind.Function, "")


def _own(symbol: Symbol, find: Find) -> CompletionItem:
    found = find(symbol)
    if found is None or not isinstance(found[1], tree.Block | tree.Fn):
        return _item(symbol.name, CompletionItemKind.Constant, "")
    item = _item(symbol.name, CompletionItemKind.Class, found[0].documentation(found[1]))
    item.detail = heading(found[1])
    return item


def resolve(item: CompletionItem) -> CompletionItem:
    """An operator's item with its documentation, which is long."""
    if isinstance(item.data, str) and item.data in OPS_BY_NAME:
        item.documentation = MarkupContent(MarkupKind.Markdown, operator(item.data))
    return item


def _item(name: str, kind: CompletionItemKind, doc: str) -> CompletionItem:
    return CompletionItem(name, kind=kind, documentation=MarkupContent(MarkupKind.Markdown, doc) if doc else None)


def _snippet(word: str, snippet: str) -> CompletionItem:
    return CompletionItem(
        word, kind=CompletionItemKind.Keyword, insert_text=snippet, insert_text_format=InsertTextFormat.Snippet
    )


def signature_help(document: Document, offset: int, find: Find) -> SignatureHelp | None:
    """The signature of the call that is open, with the argument that is being written."""
    call = open_call(document.source.text, offset)
    known = _parameters(document, call.callee, find) if call is not None else []
    if call is None or not known:
        return None
    label = f"{call.callee}({', '.join(text for _, text, _ in known)})"
    doc = description(OPS_BY_NAME[call.callee]) if call.callee in OPS_BY_NAME else ""
    infos = [ParameterInformation(text, MarkupContent(MarkupKind.Markdown, meaning)) for _, text, meaning in known]
    names = [name for name, _, _ in known]
    current = call.given[-1].partition("=")
    active = names.index(current[0]) if current[1] and current[0] in names else len(call.given) - 1
    info = SignatureInformation(label, MarkupContent(MarkupKind.Markdown, doc), infos)
    return SignatureHelp([info], 0, active if active < len(known) else None)
