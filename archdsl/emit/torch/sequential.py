"""Plain chains as ``nn.Sequential``: members in a row, runs of equal ones, loops, members under a condition."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar

from archdsl.emit.torch.flow import Branch, Flow, Partition, Slot
from archdsl.emit.torch.names import identifier, is_identifier
from archdsl.emit.torch.nesting import drafted
from archdsl.emit.torch.render import exploded, flat
from archdsl.emit.torch.rows import Conflict, Row, Step, Strand, abreast, rows_of
from archdsl.emit.torch.state import Chain, Define, Each, Here, Make, Making, Say, Under
from archdsl.emit.torch.tensors import Tensors
from archdsl.emit.torch.terms import alike, all_same, assign, call, dotted, literal, name
from archdsl.emit.torch.walk import _sides, ends_with
from archdsl.graph import BranchTaken, Event, LoopEvent, Named, Node, OpRun, OpSkipped, ScopeRun, value_on


@dataclass(frozen=True)
class Item:
    """A member. ``label`` is None for one that takes its number."""

    label: ast.expr | None
    made: Make


@dataclass(frozen=True)
class Star:
    """``*(member for … in …)``; with labels, or several members a turn, a loop that adds them."""

    items: tuple[Item, ...]
    target: ast.expr
    iterable: ast.expr


@dataclass(frozen=True)
class Maybe:
    """Members under a condition."""

    partition: Partition
    then: tuple[Member, ...]
    orelse: tuple[Member, ...]


Member: TypeAlias = "Item | Star | Maybe"


FEWEST_ROLLED = 6
"""Fewer members that differ are written out."""
MAX_WRITTEN = 12
"""More members than so many in equal turns of several are a loop."""


SHORT = 48
"""Two members stand on one line, if they are no longer together."""


class Sequences(Tensors):
    """Writes chains."""

    def sequence(self, strands: Sequence[Strand], scratch: Flow, label: str) -> Make:
        """An ``nn.Sequential`` with these members. ``label`` is a name for a variable, should it need one."""
        here = Here([], scratch)
        members = self.members(strands, here)
        if any(map(_has_labels, members)):
            variable = self.state.arguments.take(identifier(label, "chain"), f"{identifier(label, 'chain')}_layers")
            chain = Chain(variable)
            start = Say(assign(chain, call("nn.Sequential")))
            return Make(literal(""), chain, [*here.init, start, *self.labelled(members, chain)], chain=chain)
        if is_plain_list(members):
            return Make(
                literal(""), spread(call("nn.Sequential", *map(_element, members))), [*here.init, *_before(members)]
            )
        variable = self._list_name(label)
        before = [*here.init, *self.grown(members, variable)]
        return Make(literal(""), call("nn.Sequential", ast.Starred(ast.Name(variable))), before)

    def _list_name(self, label: str) -> str:
        return self.state.arguments.take("layers", *([f"{label}_layers"] if is_identifier(label) else []))

    # ---- members ----

    def members(self, strands: Sequence[Strand], here: Here) -> list[Member]:
        found: list[Member] = []
        for step in abreast(strands):
            found += self._members_of(step, here)
        return _joined(found)

    def _members_of(self, step: Step[Event], here: Here) -> list[Member]:
        live: Step[Event] = [(row, event) for row, event in step if not isinstance(event, OpSkipped)]
        if not live:
            return []
        if len(live) < len(step):
            return self._optional_member(step, live, here)
        match live[0][1]:
            case OpRun():
                return [self._layer_member(live, here)]  # type: ignore[list-item,arg-type]
            case ScopeRun():
                return [self._scope_member(live, here)]  # type: ignore[list-item,arg-type]
            case BranchTaken():
                return self._chosen_members(live, here)  # type: ignore[arg-type]
            case LoopEvent():
                return self._looped_members(live, here)  # type: ignore[arg-type]
            case Named():
                self._named(live, here)  # type: ignore[arg-type]
                return []
        raise Conflict("no plain chain", rows_of(step))

    def _label_of(self, step: Step[Any], labels: Sequence[str], here: Here) -> ast.expr | None:
        if all(label.isdigit() for label in labels):
            return None
        envs = [event.env for _, event in step]
        return self.label(rows_of(step), labels, step[0][1].site, envs, "init", here.flow)

    def _layer_member(self, step: Step[OpRun], here: Here) -> Item:
        rows, nodes = tuple(rows_of(step)), tuple(e.node for _, e in step)
        slots = self._inputs(rows, nodes, here.flow)
        labels = [n.module.name for n in nodes if n.module is not None]
        label = self._label_of(step, labels, here)
        functions = [n.torch.function for n in nodes]
        if any(n.torch.module is None for n in nodes):
            if any(f != functions[0] for f in functions):
                raise Conflict("operators differ", rows, functions)
            value = self.file.wrappers.function_call(nodes[0].facets)
        else:
            value = self.construct(rows, nodes, slots, here.flow)
            classes = [self.file.wrappers.layer_class(n.facets) for n in nodes]
            if any(c != classes[0] for c in classes):
                raise Conflict("layers are called in different ways", rows, classes)
            value.func = value.func if classes[0] is None else name(classes[0])
        made = Make(literal(""), value)
        outs = self._outs(rows, [n.outputs for n in nodes], here)
        outs[0].sources = slots
        outs[0].sizes = _argument_list(made.value)
        self._set_apart(made, rows, nodes, here)
        return Item(label, made)

    def _set_apart(self, made: Make, rows: Sequence[Row], nodes: Sequence[Node], here: Here) -> None:
        """A member with initial values of its own is a variable first."""
        variable = identifier(nodes[0].op.name, "layer")
        if not self.direct_inits(rows, nodes, lambda weight: dotted(ast.Name(variable), weight), here.flow):
            return
        if any(row.outer is not None for row in rows):
            raise Conflict("initial values of members in a loop")
        variable = self.state.arguments.take(variable)
        inits = self.direct_inits(rows, nodes, lambda weight: dotted(ast.Name(variable), weight), here.flow)
        made.before = [Say(assign(ast.Name(variable), made.value))]
        if isinstance(made.value, ast.Call) and self.has_init_loop(made.value):
            self.late += inits
        else:
            made.before += map(Say, inits)
        made.value = ast.Name(variable)

    def _scope_member(self, step: Step[ScopeRun], here: Here) -> Item:
        rows, instances = rows_of(step), [e.instance for _, e in step]
        label = self._label_of(step, [i.module.name for i in instances], here)
        source = self.look([(r, value_on(i.stream)) for r, i in zip(rows, instances, strict=True)], here.flow)
        if self.file.is_inline(instances[0].scope):
            scratch = Flow(here.flow)
            strands = [(row, i.events) for row, i in zip(rows, instances, strict=True)]
            made = self.sequence(strands, scratch, instances[0].module.name)
            outs = self._outs(rows, [(value_on(i.result),) for i in instances], here)
            outs[0].sources = (*self._last_of(value_on(instances[0].result), scratch), source)
            return Item(label, made)
        cls = self.callee(instances, rows)
        value = self.instantiate(cls, rows, instances, [e.env for _, e in step], [source], here.flow)
        outs = self._outs(rows, [(value_on(i.result),) for i in instances], here)
        outs[0].sources = (source,)
        outs[0].sizes = value.args
        return Item(label, Make(literal(""), value))

    # ---- conditions ----

    def _optional_member(self, step: Step[Event], live: Step[Event], here: Here) -> list[Member]:
        partition = self.presence(step, live, here)
        then, _ = self._arms(partition, here)
        members = self._members_of(live, then)
        self.join_streams([(row, ends_with([event])) for row, event in step], here)
        return [Maybe(partition, tuple(members), ())]

    @staticmethod
    def _arms(partition: Partition, here: Here) -> tuple[Here, Here]:
        """The two arms of a condition in a chain."""
        branch = Branch(partition, Flow(here.flow), Flow(here.flow))
        here.flow.statements.append(branch)
        return replace(here, flow=branch.then), replace(here, flow=branch.orelse)

    def _chosen_members(self, step: Step[BranchTaken], here: Here, arm: int = 0) -> list[Member]:
        arms = [event.arm for _, event in step]
        if all_same(arms):
            return self.members([(row, event.events) for row, event in step], here)
        if all(a is None or a > arm for a in arms):
            return self._chosen_members(step, here, arm + 1)
        partition = self.choice(step, arm, here)
        taken, rest = _sides(step, arm)
        at_then, at_orelse = self._arms(partition, here)
        then = self.members([(row, event.events) for row, event in taken], at_then)
        orelse = self._chosen_members(rest, at_orelse, arm + 1)
        self.join_streams([(row, ends_with([event])) for row, event in step], here)
        return [Maybe(partition, tuple(then), tuple(orelse))] if then or orelse else []

    # ---- loops ----

    def _looped_members(self, step: Step[LoopEvent], here: Here) -> list[Member]:
        counts = [len(event.turns) for _, event in step]
        short: list[Member] | None = None
        if all_same(counts):
            written = self._written_out(step, counts[0], here)
            short = _runs(written)
            if len(short) <= max(2, counts[0] // 4) or counts[0] < FEWEST_ROLLED:
                return short
        members = self._rolled_members(step, counts, here) or short
        if members is None:
            raise Conflict("loops take different numbers of turns", rows_of(step), counts, "count")
        return members

    def _written_out(self, step: Step[LoopEvent], count: int, here: Here) -> list[list[Member]]:
        """The members of each turn."""
        turns = []
        for turn in range(count):
            self._unroll(step, turn)
            turns.append(self.members([(row, event.turns[turn].events) for row, event in step], here))
        return turns

    def _rolled_members(self, step: Step[LoopEvent], counts: Sequence[int], here: Here) -> list[Member] | None:
        """The loop as a loop, perhaps but for its first turns; None if its turns differ as nothing says."""
        for first in (0, 1, 2):
            if min(counts) - first < 3 and all_same(counts):
                break
            before, apart = self.state.copy(), self.may_set_first_apart
            try:
                self.may_set_first_apart = apart or not all_same(counts)
                return self._rolled_from(step, first, here)
            except Conflict:
                self.state = before
            finally:
                self.may_set_first_apart = apart
        return None

    def _rolled_from(self, step: Step[LoopEvent], first: int, here: Here) -> list[Member]:
        start: list[Member] = []
        for turn in range(first):
            self._unroll(step, turn)
            start += self.members([(row, event.turns[turn].events) for row, event in step], here)
        loop = self.loop(step, first)
        outer = self.state.bindings
        self._unroll(step, 0)
        self.state.bindings = {**self.state.bindings, **loop.bindings()}
        inside = replace(here, init=[], flow=self._turns_flow(loop.strands(), here))
        members = self.members(loop.strands(), inside)
        for making in inside.init:
            if isinstance(making, Define):
                making.local.is_inline = True
        self.state.bindings = outer
        items = [m for m in members if isinstance(m, Item)]
        if len(items) < len(members):
            raise Conflict("more than members in a loop")
        said = [s for m in items for s in (m.made.value, *([m.label] if m.label is not None else []))]
        target, iterable = self.head(loop, said, here.flow, "init")
        return [*start, Star(tuple(items), target, iterable)]

    def _turns_flow(self, strands: Sequence[Strand], here: Here) -> Flow:
        """A flow for the turns, with a slot for what each finds on the stream."""
        flow = Flow(here.flow)
        values = {row: _first_read(events) for row, events in strands}
        if any(v is None for v in values.values()):
            raise Conflict("a turn without members")
        self.enter_slot(Slot(flow, values))  # type: ignore[arg-type]
        return flow

    # ---- text ----

    def grown(self, members: Sequence[Member], list_name: str, is_new: bool = True) -> list[Making]:
        """Statements that fill a list with the members."""
        out: list[Making] = []
        pending: list[Member] = []
        for member in (*members, None):
            if member is not None and not (
                isinstance(member, Maybe) or (isinstance(member, Star) and len(member.items) > 1)
            ):
                pending.append(member)
                continue
            if pending or (is_new and not out):
                out += self._extend(pending, list_name, is_new and not out)
                pending = []
            if isinstance(member, Maybe):
                arms = [self.grown(arm, list_name, is_new=False) for arm in (member.then, member.orelse)]
                out.append(Under(member.partition, *arms))
            elif isinstance(member, Star):
                body = self.grown(member.items, list_name, is_new=False)
                out.append(Each(member.target, member.iterable, body))
        return out

    def _extend(self, members: Sequence[Member], list_name: str, is_new: bool) -> list[Making]:
        items = [i for m in members for i in ((m,) if isinstance(m, Item) else m.items)]  # type: ignore[union-attr]
        before = [b for item in items for b in item.made.before]
        elements = list(map(_element, members))
        target = ast.Name(list_name)
        statement: ast.stmt
        if is_new:
            annotation = ast.Subscript(ast.Name("list"), name("nn.Module"))
            statement = ast.AnnAssign(target, annotation, spread(ast.List(elements)), 1)
        elif len(elements) == 1 and isinstance(members[0], Item):
            statement = ast.Expr(call(ast.Attribute(target, "append"), elements[0]))
        else:
            statement = ast.AugAssign(target, ast.Add(), spread(ast.List(elements)))
        return [*before, Say(statement)]

    def labelled(self, members: Sequence[Member], owner: ast.expr) -> list[Making]:
        """Each member set under its label; ``append`` numbers one without."""
        out: list[Making] = []
        for member in members:
            match member:
                case Item():
                    out += _set_member(owner, member.label, member.made)
                case Star(items=items, target=target, iterable=iterable):
                    body = [m for item in items for m in _set_member(owner, item.label, item.made)]
                    out.append(Each(target, iterable, body))
                case Maybe(partition=partition, then=then, orelse=orelse):
                    out.append(Under(partition, self.labelled(then, owner), self.labelled(orelse, owner)))
        return out


def _set_member(owner: ast.expr, label: ast.expr | None, made: Make) -> list[Making]:
    """``owner.label = …``, ``owner.add_module(label, …)`` or ``owner.append(…)``."""
    statement: ast.stmt
    if label is None:
        statement = ast.Expr(call(ast.Attribute(owner, "append"), made.value))
    elif isinstance(label, ast.Constant) and is_identifier(str(label.value)):
        target = ast.Attribute(owner, str(label.value))
        if made.chain is not None:
            made.chain.node = target
            return [*made.before, *made.after]
        statement = assign(target, made.value)
    else:
        statement = ast.Expr(call(ast.Attribute(owner, "add_module"), label, made.value))
    return [*made.before, Say(statement), *made.after]


def _has_labels(member: Member) -> bool:
    match member:
        case Item(label=label):
            return label is not None
        case Star(items=items):
            return any(map(_has_labels, items))
        case Maybe(then=then, orelse=orelse):
            return any(map(_has_labels, (*then, *orelse)))


def is_plain_list(members: Sequence[Member]) -> bool:
    """Can they all stand as arguments of one call?"""
    return all(isinstance(m, Item) or (isinstance(m, Star) and len(m.items) == 1) for m in members)


def _before(members: Sequence[Member]) -> list[Making]:
    """What must stand before the members."""
    out: list[Making] = []
    for member in members:
        items = (member,) if isinstance(member, Item) else member.items if isinstance(member, Star) else ()
        out += [making for item in items for making in item.made.before]
    return out


def _element(member: Member) -> ast.expr:
    if isinstance(member, Item):
        return member.made.value
    assert isinstance(member, Star)
    clause = ast.comprehension(member.target, member.iterable, [], 0)
    return ast.Starred(ast.GeneratorExp(member.items[0].made.value, [clause]))


def _argument_list(node: ast.expr) -> list[ast.expr]:
    return node.args if isinstance(node, ast.Call) else []


Several = TypeVar("Several", ast.Call, ast.List)


def _joined(members: Sequence[Member]) -> list[Member]:
    """Neighbours under one condition together."""
    out: list[Member] = []
    for member in members:
        last = out[-1] if out else None
        if isinstance(member, Maybe) and isinstance(last, Maybe) and member.partition is last.partition:
            out[-1] = Maybe(member.partition, last.then + member.then, last.orelse + member.orelse)
        else:
            out.append(member)
    return out


def spread(node: Several) -> Several:
    """Members on lines of their own, unless they are few and short."""
    items = node.args if isinstance(node, ast.Call) else node.elts
    is_short = len(items) <= 2 and sum(len(flat(drafted(i))) for i in items) <= SHORT
    return node if is_short or len(items) <= 1 else exploded(node)


def _runs(turns: Sequence[Sequence[Member]]) -> list[Member]:
    """Equal turns together: ``*(Unit(64) for _ in range(5))``."""
    out: list[Member] = []
    start = 0
    while start < len(turns):
        end = start + 1
        while end < len(turns) and _same_members(turns[start], turns[end]):
            end += 1
        count = (end - start) * len(turns[start])
        if end - start >= 3 and (len(turns[start]) == 1 or count > MAX_WRITTEN):
            out.append(Star(tuple(turns[start]), ast.Name("_"), call("range", literal(end - start))))  # type: ignore[arg-type]
        else:
            out += [member for turn in turns[start:end] for member in turn]
        start = end
    return out


def _same_members(left: Sequence[Member], right: Sequence[Member]) -> bool:
    return len(left) == len(right) and all(map(_same_member, left, right))


def _same_member(left: Member, right: Member) -> bool:
    if not isinstance(left, Item) or not isinstance(right, Item) or left.label is not None or right.label is not None:
        return False
    plain = not (left.made.before or left.made.after or right.made.before or right.made.after)
    return plain and alike(left.made.value, right.made.value)


def _first_read(events: Sequence[Event]) -> Any:
    """What the first member of a turn reads."""
    for event in events:
        match event:
            case OpRun(node=node):
                return node.inputs[0]
            case ScopeRun(instance=instance):
                return instance.stream
            case BranchTaken(events=inner):
                found = _first_read(inner)
                if found is not None:
                    return found
            case LoopEvent(turns=turns):
                for turn in turns:
                    found = _first_read(turn.events)
                    if found is not None:
                        return found
    return None
