"""Tensors that a class itself owns: parameters, buffers, constants."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from archdsl.emit.torch.flow import Flow, Slot
from archdsl.emit.torch.initial import direct_tensor, init_call, shape_of
from archdsl.emit.torch.inits import Inits
from archdsl.emit.torch.names import is_identifier
from archdsl.emit.torch.rows import Conflict, Row, Step
from archdsl.emit.torch.state import Here, Make, Say
from archdsl.emit.torch.terms import Term, alike, all_same, call, literal, own
from archdsl.graph import Node, OpRun, TensorDeclared
from archdsl.ops.tensor import Constant, OwnTensor
from archdsl.syntax import tree

if TYPE_CHECKING:
    from archdsl.evaluate.values import Env


class BufferOf(Term):
    """``self.name`` of a constant: it is named by its slot, when all names are known."""

    def __init__(self, writer: Tensors, slot: Slot) -> None:
        super().__init__()
        self.writer = writer
        self.slot = slot

    def final(self) -> ast.expr:
        return own(self.writer.constant_name(self.slot))

    def key(self) -> object:
        return self.slot


class BufferName(BufferOf):
    """The same as a string."""

    def final(self) -> ast.expr:
        return literal(self.writer.constant_name(self.slot))


class Tensors(Inits):
    """Owns tensors."""

    def constant_name(self, slot: Slot) -> str:
        if slot not in self.constant_names:
            wish = next((n for n in slot.names if is_identifier(n)), "constant")
            self.constant_names[slot] = self.state.members.take(wish, f"{wish}_value")
        return self.constant_names[slot]

    def _constant_value(self, step: Step[OpRun], here: Here) -> None:
        """Numbers in the text, as a buffer that no checkpoint holds."""
        rows = tuple(row for row, _ in step)
        nodes = tuple(event.node for _, event in step)
        slot = self._outs(rows, [n.outputs for n in nodes], here)[0]
        slot.text = BufferOf(self, slot)
        site = step[0][1].site
        contents = self._numbers(rows, nodes, [e.env for _, e in step], site, here.flow)
        for known, before, init in self.constants:
            if init is here.init and alike(before, contents):
                slot.text = known.text
                return
        self.constants.append((slot, contents, here.init))
        if isinstance(site, tree.Name):
            slot.suggest(site.text)
        register = call(own("register_buffer"), BufferName(self, slot), contents, persistent=literal(False))
        here.init.append(Say(ast.Expr(register)))

    def _numbers(
        self, rows: tuple[Row, ...], nodes: Sequence[Node], envs: Sequence[Env], site: tree.Node, flow: Flow
    ) -> ast.expr:
        """``torch.tensor(…)``: by a call or comprehension of the spec where that gives these numbers."""
        data = [n.op.data for n in nodes if isinstance(n.op, Constant)]
        said = self.fill(data, rows, flow, written=[(site, env) for env in envs], name="numbers")
        return call("torch.tensor", _as_lists(said))

    def _own_tensor(self, step: Step[TensorDeclared], here: Here) -> None:
        rows, site = tuple(row for row, _ in step), step[0][1].site
        slot = self._outs(rows, [e.node.outputs for _, e in step], here)[0]
        label = step[0][1].name
        if isinstance(site, tree.TensorBuffer):
            if is_identifier(label):
                self.annotations.append(label)
            slot.text = own(label) if is_identifier(label) else call(own("get_buffer"), literal(label))
            contents = self._contents(step, here.flow)
            here.init.append(Say(ast.Expr(call(own("register_buffer"), literal(label), contents))))
            return
        slot.text = own(label) if is_identifier(label) else call(own("get_parameter"), literal(label))
        self._own_parameter(rows, step, site, label, slot, here)

    def _own_parameter(
        self,
        rows: tuple[Row, ...],
        step: Step[TensorDeclared],
        site: tree.TensorParam,
        label: str,
        slot: Slot,
        here: Here,
    ) -> None:
        shapes = [e.node.output.shape for _, e in step]
        sizes = [
            self.fill(
                [shape[axis] for shape in shapes],
                rows,
                here.flow,
                written=[(dim, e.env) for _, e in step],
                name="size",
            )
            for axis, dim in enumerate(site.shape.dims)
        ]
        inits = [e.node.op.init for _, e in step if isinstance(e.node.op, OwnTensor)]
        written = [(site.init, e.env) for _, e in step]
        args = self.init_arguments(inits, rows, written, here.flow)
        made = direct_tensor(type(inits[0]), sizes, args)
        after = [] if made is not None else [Say(ast.Expr(init_call(type(inits[0]), slot.text, args)))]  # type: ignore[arg-type]
        value = call("nn.Parameter", made or call("torch.empty", *shape_of(sizes)))
        here.init.append(Make(literal(label), value, after=list(after), is_module=False))

    def _contents(self, step: Step[TensorDeclared], flow: Flow) -> ast.expr:
        """What a buffer holds: the expressions of its nodes, each in the next."""
        rows = tuple(row for row, _ in step)
        scratch = Flow(flow)
        counts = [len(event.contents) for _, event in step]
        if not all_same(counts):
            raise Conflict("buffers are computed in different ways", rows, counts)
        for nodes in zip(*(event.contents for _, event in step), strict=True):
            slots = self._inputs(rows, nodes, scratch)
            outs = self._outs(rows, [n.outputs for n in nodes], Here([], scratch))
            if isinstance(nodes[0].op, Constant):
                text = self._numbers(rows, nodes, [e.env for _, e in step], nodes[0].site, scratch)
            else:
                at = self.site(rows, nodes, slots, scratch, "init")
                text = self.torch([self.file.said(n).function for n in nodes], at)
            for place, out in enumerate(outs):
                out.text = text if len(outs) == 1 else ast.Subscript(text, literal(place))
        held = [(row, event.held) for row, event in step if event.held is not None]
        slot = self.look(held, scratch)
        assert slot.text is not None
        return slot.text


def _as_lists(node: ast.expr) -> ast.expr:
    """Nested tuples of numbers as lists, which is how tables are written."""
    match node:
        case ast.Tuple(elts=items):
            return ast.List([_as_lists(i) for i in items])
        case ast.ListComp(elt=element):
            node.elt = _as_lists(element)
    return node
