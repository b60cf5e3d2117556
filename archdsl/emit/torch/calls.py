"""What operators say in torch, said once for all rows."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from archdsl.dims import show
from archdsl.emit.torch.flow import Flow, Ref, SizeOf, Slot
from archdsl.emit.torch.holes import Holes
from archdsl.emit.torch.lower.expressions import is_default
from archdsl.emit.torch.operators import BINARY, COMPARISONS, UNARY, window_axes
from archdsl.emit.torch.rows import Conflict, Row
from archdsl.emit.torch.state import Level
from archdsl.emit.torch.terms import NoValue, Symbol, all_same, call, has_symbols, holds, literal, name, own
from archdsl.graph import Node
from archdsl.op import (
    Arg,
    Attribute,
    BinaryOp,
    Call,
    Hole,
    Input,
    Item,
    ListExpr,
    Method,
    Own,
    SelfModule,
    SliceExpr,
    TorchExpr,
    Training,
    UnaryOp,
)
from archdsl.syntax import tree

Said = TorchExpr | Hole | SliceExpr | None


@dataclass(frozen=True)
class Site:
    """One operator in all rows: its nodes and the slots that it reads, and where its text will stand."""

    rows: tuple[Row, ...]
    nodes: tuple[Node, ...]
    inputs: tuple[Slot, ...]
    flow: Flow
    level: Level
    this: ast.expr | None = None
    """The operator's own module."""
    callee: str = ""


class Calls(Holes):
    """Says operators."""

    def torch(self, exprs: Sequence[Said], site: Site) -> ast.expr:
        """One expression for what the rows say.

        Raises:
            Conflict: they say different things.
        """
        first = exprs[0]
        if any(type(e) is not type(first) for e in exprs):
            raise Conflict("operators differ", site.rows, [type(e) for e in exprs], _word(site))
        match first:
            case Hole():
                return self._hole(exprs, site)  # type: ignore[arg-type]
            case Input(index=index):
                self._same([e.index for e in exprs], site)  # type: ignore[union-attr]
                return Ref(site.inputs[index])
            case Training():
                return own("training")
            case SelfModule():
                assert site.this is not None
                return site.this
            case Own(name=label):
                self._same([e.name for e in exprs], site)  # type: ignore[union-attr]
                return own(label)
            case UnaryOp(op=op):
                self._same([e.op for e in exprs], site)  # type: ignore[union-attr]
                return ast.UnaryOp(UNARY[op].syntax(), self._part(exprs, "value", site))
            case BinaryOp(op=op):
                self._same([e.op for e in exprs], site)  # type: ignore[union-attr]
                left, right = self._part(exprs, "left", site), self._part(exprs, "right", site)
                return (
                    ast.Compare(left, [COMPARISONS[op].syntax()], [right])
                    if op in COMPARISONS
                    else ast.BinOp(left, BINARY[op].syntax(), right)
                )
            case Attribute(name=attribute):
                self._same([e.name for e in exprs], site)  # type: ignore[union-attr]
                return ast.Attribute(self._part(exprs, "value", site), attribute)
            case _:
                return self._brackets(exprs, site)

    def _brackets(self, exprs: Sequence[Any], site: Site) -> ast.expr:
        match exprs[0]:
            case Call():
                return self._call(exprs, site)
            case Method(name=method):
                self._same([e.name for e in exprs], site)
                function = ast.Attribute(self._part(exprs, "receiver", site), method)
                return self._with_arguments(function, [e.args for e in exprs], site)
            case Item():
                index = self._list([e.subscripts for e in exprs], site)
                return ast.Subscript(
                    self._part(exprs, "value", site), index[0] if len(index) == 1 else ast.Tuple(index)
                )
            case SliceExpr():
                return ast.Slice(
                    *(self._end([getattr(e, end) for e in exprs], site) for end in ("start", "stop", "step"))
                )
            case ListExpr(is_tuple=is_tuple):
                items = self._list([e.items for e in exprs], site)
                return ast.Tuple(items) if is_tuple else ast.List(items)
        raise TypeError(exprs[0])

    def _same(self, parts: Sequence[Any], site: Site) -> None:
        if any(p != parts[0] for p in parts):
            raise Conflict("operators differ", site.rows, parts, _word(site))

    def _part(self, exprs: Sequence[Any], field: str, site: Site) -> ast.expr:
        return self.torch([getattr(e, field) for e in exprs], site)

    def _end(self, holes: Sequence[Hole | None], site: Site) -> ast.expr | None:
        self._same([h is None for h in holes], site)
        return None if holes[0] is None else self.torch(holes, site)

    def _list(self, lists: Sequence[Sequence[Said]], site: Site) -> list[ast.expr]:
        self._same([len(items) for items in lists], site)
        return [self.torch(items, site) for items in zip(*lists, strict=True)]

    # ---- calls ----

    def _call(self, exprs: Sequence[Call], site: Site) -> ast.expr:
        callees = [e.callee for e in exprs]
        if isinstance(callees[0], SelfModule):
            self._same(callees, site)
            assert site.this is not None
            return self._with_arguments(site.this, [e.args for e in exprs], site)
        if site.level == "init" and any(c != callees[0] for c in callees):
            return self._class_argument(exprs, site)
        self._same(callees, site)
        self.file.uses(callees[0])
        function = name(callees[0])
        return self._with_arguments(function, [e.args for e in exprs], replace(site, callee=callees[0]))

    def _class_argument(self, exprs: Sequence[Call], site: Site) -> ast.Call:
        """Layers of several classes that take no arguments: the class is an argument of the constructor."""
        if not all(is_default(a) for e in exprs for a in e.args):
            self._same([e.callee for e in exprs], site)
        at = site.nodes[0].site
        if isinstance(at, tree.Name):
            with suppress(NoValue):
                self.parameter(at.text)  # the spec's own, if it says this
        return call(self.fill([Symbol(str(e.callee)) for e in exprs], site.rows, site.flow, name=_word(site)))

    def _with_arguments(self, function: ast.expr, rows: Sequence[Sequence[Arg]], site: Site) -> ast.Call:
        """A call; arguments at torch's default are left out."""
        self._same([tuple(a.keyword for a in args) for args in rows], site)
        columns = [list(column) for column in zip(*rows, strict=True)]
        result = call(function)
        skipped = False
        for column in columns:
            keyword = column[0].keyword
            if all(map(is_default, column)):
                skipped = skipped or keyword is None
                continue
            if skipped and keyword is None:
                raise Conflict("an argument by position behind one that is left out", site.rows)
            value = self.torch([a.value for a in column], site)
            if keyword is None:
                result.args.append(value)
            else:
                result.keywords.append(ast.keyword(keyword, value))
        return result

    # ---- holes ----

    def _hole(self, holes: Sequence[Hole], site: Site) -> ast.expr:
        values, sources = [h.value for h in holes], [h.source for h in holes]
        source = sources[0] if all(s == sources[0] for s in sources) else None
        hints: list[ast.expr] = []
        label = "value"
        written: list[Any] = []
        if isinstance(source, tuple):
            hints += self.size_hints(site.inputs[source[0]], source[1], site.level, site.callee)
            label = "in_channels" if source[1] == 1 else "dim"
        elif isinstance(source, str):
            label = source
            if all(source in node.written for node in site.nodes):
                written = [node.written[source] for node in site.nodes]
        if window_axes(site.callee):
            values = self._windows(values, written, site)
        if any(map(has_symbols, values)) or (site.level == "forward" and not all_same(values)):
            hints += self._symbolic(values, site)
        return self.fill(
            values, site.rows, site.flow, written=written, hints=hints, name=label, level=site.level
        )  # fmt: skip

    def _windows(self, values: Sequence[Any], written: Sequence[Any], site: Site) -> Sequence[Any]:
        """Sizes of windows, those of all axes as tuples if the spec says them so: torch takes 1 for (1, 1)."""
        wide = _widened(values)
        view = self._view(written, site.rows, site.level, site.flow)
        if wide is values or view is None:
            return values
        with suppress(NoValue, Conflict):
            said = self.say(written[0][0], view)
            if holds(said, site.rows, wide):
                return wide
        return values

    def _symbolic(self, values: Sequence[Any], site: Site) -> list[ast.expr]:
        """Sizes of what is at hand that equal a symbolic size; else the size as arithmetic on them."""
        at_hand = [(slot, axis) for slot in (*site.inputs, *self.state.imports) for axis in _axes(slot)]
        whole: list[ast.expr] = [SizeOf(slot, axis) for slot, axis in at_hand]
        found = [size for size in whole if holds(size, site.rows, values)]
        if found or not all_same(values) or not any(map(has_symbols, values)):
            return found
        return list(_worked_out(values[0], lambda text: self._symbol(text, at_hand, site)))

    def _symbol(self, text: str, at_hand: Sequence[tuple[Slot, int]], site: Site) -> ast.expr:
        for slot, axis in at_hand:
            if all(show(v.shape[axis]) == text for v in slot.values.values()):
                return SizeOf(slot, axis)
        return self._input_size(text, site)

    def _input_size(self, text: str, site: Site) -> ast.expr:
        """A symbol as a size of the network's input, which is handed down to this class."""
        graphs = [self.file.graph_of(row.instance) for row in site.rows]
        for place, given in enumerate(graphs[0].inputs):
            axis = next((a for a, size in enumerate(given.value.shape) if show(size) == text), None)
            if axis is not None:
                wanted = [(row, g.inputs[place].value) for row, g in zip(site.rows, graphs, strict=True)]
                with suppress(Conflict):
                    return SizeOf(self.look(wanted, site.flow), axis)
        raise NoValue


def _widened(values: Sequence[Any]) -> Sequence[Any]:
    """Sizes of windows, each as a tuple if some are."""
    ranks = {len(v) for v in values if isinstance(v, tuple)}
    if len(ranks) != 1 or not all(type(v) is int for v in values if not isinstance(v, tuple)):
        return values
    return [v if isinstance(v, tuple) else (v,) * min(ranks) for v in values]


def _worked_out(value: Any, symbol: Callable[[str], ast.expr]) -> Sequence[ast.expr]:
    """A symbolic size as the arithmetic that its text shows."""

    class Symbols(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.expr:
            node.args = [self.visit(a) for a in node.args]
            return node

        def visit_Name(self, node: ast.Name) -> ast.expr:
            return symbol(node.id)

    if isinstance(value, tuple | list):
        parts = [_worked_out(v, symbol) if has_symbols(v) else [literal(v)] for v in value]
        return [ast.Tuple([p[0] for p in parts])] if all(parts) else []
    try:
        return [Symbols().visit(ast.parse(show(value), mode="eval").body)]
    except NoValue:
        return []


def _axes(slot: Slot) -> range:
    return range(len(next(iter(slot.values.values())).shape))


def _word(site: Site) -> str:
    """What stands here, for the name of a class that is like this one but for it."""
    return site.nodes[0].op.name if site.nodes else ""
