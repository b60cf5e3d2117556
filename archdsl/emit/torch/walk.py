"""The events of all instances walked abreast: what each adds to the constructor and to ``forward``."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from archdsl.dims import Dim
from archdsl.emit.torch.calls import Site
from archdsl.emit.torch.constructor import expressions
from archdsl.emit.torch.flow import (
    Branch,
    Compute,
    Flow,
    ListInput,
    Partition,
    Ref,
    Repeat,
    Slot,
    StepKey,
    is_impure,
    made_by,
    reached,
    reads_of,
)
from archdsl.emit.torch.modules import Modules
from archdsl.emit.torch.names import identifier, is_identifier, snake
from archdsl.emit.torch.rows import Conflict, Row, Step, Strand, abreast, rows_of
from archdsl.emit.torch.state import (
    AxisSize,
    Define,
    Each,
    Given,
    Here,
    Level,
    Listed,
    Local,
    Make,
    Making,
    Place,
    Under,
)
from archdsl.emit.torch.terms import NoValue, Symbol, all_same, call, holds, is_plain, literal, negated
from archdsl.emit.torch.writer import ClassDef, Output
from archdsl.graph import Branch as BranchEvent
from archdsl.graph import (
    BranchTaken,
    Declared,
    Event,
    Instance,
    LoopEvent,
    Merged,
    Named,
    Node,
    OpRun,
    OpSkipped,
    OutputEvent,
    ScopeRun,
    TensorDeclared,
    Value,
    flattened,
    value_on,
)
from archdsl.op import Arg, Call, Input, SelfModule
from archdsl.ops.tensor import Constant
from archdsl.syntax import tree

if TYPE_CHECKING:
    from archdsl.evaluate.values import Env

Columns = Sequence[tuple[Row, Any]]
MIN_TURNS = 3
"""Shorter loops are written out."""
MAX_WRITTEN_SCOPES = 8
"""Loops over labelled scopes (``layer1`` to ``layer4``) read best written out, up to so many turns."""


class Walk(Modules):
    """Walks events."""

    def walk(self, strands: Sequence[Strand], here: Here) -> None:
        for step in abreast(strands):
            self.event(step, here)

    def event(self, step: Step[Event], here: Here) -> None:
        live: Step[Event] = [(row, event) for row, event in step if not isinstance(event, OpSkipped)]
        if not live:
            return
        if len(live) < len(step):
            self._optional(step, live, here)
            return
        match live[0][1]:
            case OpRun(node=Node(op=Constant())):
                self._constant_value(live, here)  # type: ignore[arg-type]
            case OpRun():
                self._ran(live, here)  # type: ignore[arg-type]
            case ScopeRun():
                self._entered(live, here)  # type: ignore[arg-type]
            case BranchTaken():
                self._chose(live, here)  # type: ignore[arg-type]
            case LoopEvent():
                self._looped(live, here)  # type: ignore[arg-type]
            case Merged():
                self._merged(live, here)  # type: ignore[arg-type]
            case BranchEvent():
                self._branch(live, here)  # type: ignore[arg-type]
            case Named():
                self._named(live, here)  # type: ignore[arg-type]
            case Declared():
                self._declared(live, here)  # type: ignore[arg-type]
            case TensorDeclared():
                self._own_tensor(live, here)  # type: ignore[arg-type]
            case OutputEvent():
                self._gave(live, here)  # type: ignore[arg-type]

    # ---- operators ----

    def _ran(self, step: Step[OpRun], here: Here) -> None:
        self._operate([(row, event.node) for row, event in step], [e.env for _, e in step], step[0][1].site, here)

    def _operate(
        self, step: Sequence[tuple[Row, Node]], envs: Sequence[Env], site: tree.Node, here: Here, is_merge: bool = False
    ) -> list[Slot]:
        rows, nodes = tuple(r for r, _ in step), tuple(n for _, n in step)
        slots = self._inputs(rows, nodes, here.flow)
        said = [self.file.said(n) for n in nodes]
        at = self.site(rows, nodes, slots, here.flow, "forward")
        # a place in the module tree needs a module only where torch has one: else the function does as well
        if all(n.module is not None and t.module is not None for n, t in zip(nodes, said, strict=True)):
            this = self._layer(rows, nodes, slots, site, envs, here)
            at = replace(at, this=this)
            plain = Call(SelfModule(), tuple(Arg(Input(k)) for k in range(len(slots))))
            expression = self.torch([t.run or plain for t in said], at)
        else:
            if any(t.function is None for t in said):
                raise Conflict("a layer is a module in some rows only", rows, [t.function is None for t in said])
            expression = self.torch([t.function for t in said], at)
        impure = any(n.op.is_random or self.file.is_rerun(n.module) for n in nodes)
        outs = self._outs(rows, [n.outputs for n in nodes], here)
        for out in outs:
            out.sources = slots
            out.sizes = self.arguments.get(nodes[0].module, ()) if nodes[0].module is not None else ()
            out.merged = getattr(nodes[0].op, "axis", None) if nodes[0].op.name == "concat" else None
        if isinstance(expression, Ref):
            outs[0].text = expression  # an identity: another name for what is there
            return outs
        is_light = all(n.op.palette in ("norm", "act") for n in nodes)
        here.flow.statements.append(Compute(outs, expression, self.step(site, here), impure, is_merge, is_light))
        if nodes[0].module is not None:
            self._suggest_label(outs, nodes[0].module.name, here)
        elif len(slots) == 1 and slots[0].label is not None:
            self._suggest_label(outs, slots[0].label, here)
        return outs

    def step(self, site: tree.Node, here: Here) -> StepKey | None:
        """The statement that an expression belongs to: another one in each turn of a loop that is written out."""
        found = self.file.step_of(site)
        return None if found is None else (found, here.turns)

    def _inputs(self, rows: Sequence[Row], nodes: Sequence[Node], flow: Flow) -> tuple[Slot, ...]:
        counts = [len(n.inputs) for n in nodes]
        if not all_same(counts):
            raise Conflict("operators take different numbers of values", rows, counts)
        columns = zip(*(n.inputs for n in nodes), strict=True)
        return tuple(self.look(list(zip(rows, column, strict=True)), flow) for column in columns)

    def _outs(self, rows: Sequence[Row], outputs: Sequence[Sequence[Value]], here: Here) -> list[Slot]:
        counts = [len(values) for values in outputs]
        if not all_same(counts):
            raise Conflict("operators give different numbers of values", rows, counts)
        made = []
        for column in zip(*outputs, strict=True):
            slot = Slot(here.flow, dict(zip(rows, column, strict=True)), list(here.names))
            made.append(self.enter_slot(slot))
        return made

    def _layer(
        self, rows: Sequence[Row], nodes: Sequence[Node], slots: tuple[Slot, ...], site: tree.Node, envs: Sequence[Env],
        here: Here,
    ) -> ast.expr:  # fmt: skip
        """The operator's own module in ``forward``."""

        def make(where: Sequence[Row], positions: Sequence[int]) -> Make:
            picked = tuple(nodes[i] for i in positions)
            value = self.construct(tuple(where), picked, slots, here.flow)
            self.arguments[nodes[0].module] = value.args  # type: ignore[index]
            return Make(literal(""), value, inits=lambda target: self.direct_inits(where, picked, target, here.flow))

        return self.module(rows, [n.module for n in nodes if n.module is not None], site, envs, here, make)

    def construct(
        self, rows: tuple[Row, ...], nodes: tuple[Node, ...], slots: tuple[Slot, ...], flow: Flow
    ) -> ast.Call:
        """The constructor's call of a layer."""
        at = self.site(rows, nodes, slots, flow, "init")
        made = self.torch([n.torch.module for n in nodes], at)
        assert isinstance(made, ast.Call)
        return made

    @staticmethod
    def site(rows: tuple[Row, ...], nodes: tuple[Node, ...], slots: tuple[Slot, ...], flow: Flow, level: Level) -> Site:
        return Site(rows, nodes, slots, flow, level)

    def _merged(self, step: Step[Merged], here: Here) -> None:
        inner = replace(here, names=_branch_names(step[0][1]), around=step[0][1].site)
        self.walk([(row, event.events) for row, event in step], inner)
        counts = [len(event.nodes) for _, event in step]
        if not all_same(counts):
            raise Conflict("combinators merge different numbers of branches", rows_of(step), counts)
        for nodes in zip(*(event.nodes for _, event in step), strict=True):
            pairs = [(row, node) for (row, _), node in zip(step, nodes, strict=True)]
            self._operate(pairs, (), step[0][1].site, here, is_merge=True)

    def _branch(self, step: Step[BranchEvent], here: Here) -> None:
        names = here.names
        if step[0][1].site is not None and isinstance(here.around, tree.Residual):
            names = ("shortcut",) if step[0][1].site is here.around.shortcut else ()
        self.walk([(row, event.events) for row, event in step], replace(here, names=names))

    # ---- scopes ----

    def _entered(self, step: Step[ScopeRun], here: Here) -> None:
        rows, instances = rows_of(step), [e.instance for _, e in step]
        site, envs = step[0][1].site, [e.env for _, e in step]
        if self.file.is_inline(instances[0].scope):
            self._inline(step, here)
            return
        made = self.callee(instances, rows)
        inputs = [self.look(list(zip(rows, v, strict=True)), here.flow) for v in self._arriving(made, instances)]

        def make(where: Sequence[Row], positions: Sequence[int]) -> Make:
            picked = [instances[i] for i in positions]
            value = self.instantiate(made, where, picked, [envs[i] for i in positions], inputs, here.flow)
            self.arguments[instances[0].module] = value.args
            return Make(literal(""), value)

        reference = self.module(rows, [i.module for i in instances], site, envs, here, make)
        outs = self._outs(rows, [self.file.leaving(i) for i in instances], here)
        for out in outs:
            out.sources = tuple(inputs)
            out.sizes = self.arguments.get(instances[0].module, ())
        for out, wish in zip(outs, made.outputs, strict=False):
            if len(outs) > 1 and is_identifier(wish):
                out.suggest(wish)
        expression = call(reference, *_given(inputs, made.lists))
        impure = any(self.file.is_random(i) or self.file.is_rerun(i.module) for i in instances)
        here.flow.statements.append(Compute(outs, expression, self.step(site, here), impure))
        self._suggest_label(outs, instances[0].module.name, here)

    def _arriving(self, made: ClassDef, instances: Sequence[Instance]) -> list[list[Value]]:
        """For each input of a class, the value that arrives in each instance."""
        return [[self.file.counterpart(given, i) for i in instances] for given in made.inputs]

    def _suggest_label(self, outs: Sequence[Slot], label: str, here: Here) -> None:
        """In a combinator, a branch may be called as the module that gives it."""
        if "branch" in here.names and len(outs) == 1 and is_identifier(label):
            outs[0].label = re.sub(r"_\d+$", "", label)
            outs[0].names.insert(0, outs[0].label)

    def _inline(self, step: Step[ScopeRun], here: Here) -> None:
        """A plain chain: an ``nn.Sequential`` without a class of its own."""
        rows, instances = rows_of(step), [e.instance for _, e in step]
        source = self.look([(r, value_on(i.stream)) for r, i in zip(rows, instances, strict=True)], here.flow)
        scratch = Flow(here.flow)
        envs = [e.env for _, e in step]

        def make(where: Sequence[Row], positions: Sequence[int]) -> Make:
            strands = [(row, instances[i].events) for row, i in zip(where, positions, strict=True)]
            return self.sequence(strands, scratch, instances[0].module.name)

        reference = self.module(rows, [i.module for i in instances], step[0][1].site, envs, here, make)
        outs = self._outs(rows, [(value_on(i.result),) for i in instances], here)
        outs[0].sources = (*self._last_of(value_on(instances[0].result), scratch), source)
        impure = any(self.file.is_random(i) or self.file.is_rerun(i.module) for i in instances)
        here.flow.statements.append(
            Compute(outs, call(reference, Ref(source)), self.step(step[0][1].site, here), impure)
        )
        self._suggest_label(outs, instances[0].module.name, here)

    def _last_of(self, result: Value, scratch: Flow) -> list[Slot]:
        """The slot of a chain that says the sizes of what it gives."""
        return [s for s in self.state.slots.get(result, ()) if s.flow is scratch][:1]

    # ---- ifs ----

    def _optional(self, step: Step[Event], live: Step[Event], here: Here) -> None:
        """A layer that is ``none`` in some rows."""
        partition = self.presence(step, live, here)
        self._split(partition, lambda at: self.event(live, at), None, here)
        self.join_streams([(row, ends_with([event])) for row, event in step], here)

    def presence(self, step: Step[Event], live: Step[Event], here: Here) -> Partition:
        """Whether a layer stands there that is ``none`` in some rows."""
        present = {row for row, _ in live}
        sides = [row in present for row, _ in step]
        site = step[0][1].site
        name = identifier(site.text, "has_layer") if isinstance(site, tree.Name) else "has_layer"

        def condition() -> ast.expr:
            several = self._layer_argument(site)
            if several is not None:
                return ast.Compare(several, [ast.IsNot()], [literal(None)])
            if isinstance(site, tree.Name):
                with suppress(NoValue):
                    present = Given(self.presence_of(site.text))
                    if holds(present, rows_of(step), sides):
                        return present
            return self.fill(sides, rows_of(step), here.flow, name=name)

        return self._partition(rows_of(step), sides, condition, name)

    def _layer_argument(self, site: tree.Node | None) -> ast.expr | None:
        """The argument that is torch's class of the layer or None, where the layers are of several classes."""
        if not isinstance(site, tree.Name):
            return None
        try:
            kinds = {v for i in self.instances if (v := self._outer_value(site.text, i)) is not None}
        except NoValue:
            return None
        several = len(kinds) > 1 and all(isinstance(k, Symbol) for k in kinds)
        return Given(self.parameter(site.text)) if several else None

    def _chose(self, step: Step[BranchTaken], here: Here, arm: int = 0) -> None:
        arms = [event.arm for _, event in step]
        if all_same(arms):
            self.walk([(row, event.events) for row, event in step], here)
            return
        if all(a is None or a > arm for a in arms):
            self._chose(step, here, arm + 1)
            return
        then, rest = _sides(step, arm)
        self._split(
            self.choice(step, arm, here),
            lambda at: self.walk([(row, event.events) for row, event in then], at),
            lambda at: self._chose(rest, at, arm + 1),
            here,
        )
        self.join_streams([(row, ends_with([event])) for row, event in step], here)

    def join_streams(self, ends: Sequence[tuple[Row, Any]], here: Here) -> None:
        """What is on the stream behind an ``if``: where both arms give a value, it is one for what follows."""
        if all(isinstance(value, Value) for _, value in ends):
            with suppress(Conflict):
                self.look(ends, here.flow)

    def choice(self, step: Step[BranchTaken], arm: int, here: Here) -> Partition:
        """Whether an ``if`` takes this arm."""
        sides = [event.arm == arm for _, event in step]
        node = _condition(step[0][1].site, arm)
        written = [(node, event.env) for _, event in step]
        name = self._flag_name(step, node)

        def condition() -> ast.expr:
            return self.fill(sides, rows_of(step), here.flow, written=written, name=name)

        return self._partition(rows_of(step), sides, condition, name)

    def _partition(
        self, rows: Sequence[Row], sides: Sequence[bool], condition: Callable[[], ast.expr], name: str
    ) -> Partition:
        found = next((p for p in self.state.partitions if p.same_as(rows, sides)), None)
        if found is None:
            found = Partition(dict(zip(rows, sides, strict=True)), condition(), name)
            self.state.partitions.append(found)
        return found

    def _flag_name(self, step: Step[BranchTaken], node: tree.Node) -> str:
        """What a flag for a condition is called: as the author calls it, else by what it brings."""
        if isinstance(node, tree.Name):
            return identifier(node.text, "flag")
        firsts = [next((e for e in c.events if not isinstance(e, Named)), None) for _, c in step]
        if any(isinstance(e, Merged) and e.kind == "add" for e in firsts):
            return "is_residual"
        for event in flattened([e for _, c in step for e in c.events]):
            if isinstance(event, OpRun | ScopeRun):
                module = event.node.module if isinstance(event, OpRun) else event.instance.module
                if module is not None and is_identifier(module.name):
                    return f"has_{module.name}"
                if isinstance(event, OpRun):
                    return f"has_{event.node.op.name}"
        return "flag"

    def _split(
        self, partition: Partition, then: Callable[[Here], None], orelse: Callable[[Here], None] | None, here: Here
    ) -> None:
        """Two arms, each for its rows."""
        ally = self._ally(partition, here.flow)
        branch = Branch(partition, Flow(here.flow), Flow(here.flow))
        if ally is not None:
            branch.then.ally, branch.orelse.ally = ally.then, ally.orelse
        under = Under(partition, [], [])
        bindings = dict(self.state.bindings)
        yes, no = (*here.conditions, partition.condition), (*here.conditions, negated(partition.condition))
        then(replace(here, init=under.then, flow=branch.then, conditions=yes))
        if orelse is not None:
            orelse(replace(here, init=under.orelse, flow=branch.orelse, conditions=no))
        self.state.bindings = {**bindings, **_new(self.state.bindings, bindings)}
        _add_under(under, here.init)
        if ally is None or not self._fused(branch, ally, here.flow):
            branch.then.ally = branch.orelse.ally = None
            here.flow.statements.append(branch)

    @staticmethod
    def _ally(partition: Partition, flow: Flow) -> Branch | None:
        found = (s for s in reversed(flow.statements) if isinstance(s, Branch) and s.partition is partition)
        return next(found, None)

    def _fused(self, branch: Branch, ally: Branch, flow: Flow) -> bool:
        """Make it part of an earlier ``if`` with the same condition, where nothing that it needs comes in between.

        Raises:
            Conflict: it reads what only the earlier one's arm knows, and yet cannot become part of it.
        """
        later = flow.statements[flow.statements.index(ally) + 1 :]
        between = {slot for statement in later for slot in made_by(statement)}
        arms = ((branch.then, ally.then), (branch.orelse, ally.orelse))
        read = {slot for arm, _ in arms for slot in reads_of(arm)}
        moves = is_impure(branch) and any(map(is_impure, later))
        if moves or not read.isdisjoint(between):
            if any(slot.flow in (ally.then, ally.orelse) for slot in read):
                holds = branch.partition.holds
                raise Conflict("an arm needs what an earlier one computed", list(holds), list(holds.values()))
            return False
        for arm, target in arms:
            _adopt(target, arm)
        return True

    # ---- loops ----

    def _looped(self, step: Step[LoopEvent], here: Here) -> None:
        counts = [len(event.turns) for _, event in step]
        if self._may_roll(step, counts):
            before = self.state.copy()
            init, flow = list(here.init), list(here.flow.statements)
            try:
                self._rolled(step, here)
                return
            except Conflict:
                self.state = before
                here.init[:], here.flow.statements[:] = init, flow
        if not all_same(counts):
            raise Conflict("loops take different numbers of turns", rows_of(step), counts, "count")
        for turn in range(counts[0]):
            self._unroll(step, turn)
            inside = replace(here, turns=(*here.turns, turn))
            self.walk([(row, event.turns[turn].events) for row, event in step], inside)

    def _unroll(self, step: Step[LoopEvent], turn: int) -> None:
        """The variables of a loop that is written out are no variables of the class."""
        gone = {name for _, event in step for t in event.turns[turn : turn + 1] for name in t.variables}
        self.state.bindings = {n: b for n, b in self.state.bindings.items() if n not in gone}

    def _may_roll(self, step: Step[LoopEvent], counts: Sequence[int]) -> bool:
        if max(counts) < MIN_TURNS or not isinstance(step[0][1].site, tree.For):
            return False
        if any(self.file.escapes(row.instance, event.turns) for row, event in step):
            return False
        if not all_same(counts) or max(counts) > MAX_WRITTEN_SCOPES:
            return True
        events = [e for turn in step[0][1].turns for e in flattened(turn.events)]
        return not any(isinstance(e, ScopeRun) for e in events)

    def _rolled(self, step: Step[LoopEvent], here: Here) -> None:
        """The loop as a loop.

        Raises:
            Conflict: its turns differ as no expression in its variable says.
        """
        loop = self.loop(step)
        repeat = Repeat(ast.Name(loop.counter), ast.Name("_"), Flow(here.flow), loop.rows)
        repeat.body.repeat = repeat
        each = Each(ast.Name(loop.counter), ast.Name("_"), [])
        outer = self.state.bindings
        self._unroll(step, 0)
        self.state.bindings = {**self.state.bindings, **loop.bindings()}
        self.walk(loop.strands(), replace(here, init=each.body, flow=repeat.body, is_in_loop=True))
        self.close(repeat)
        self.state.bindings = outer
        if each.body:
            each.target, each.iterable = self.head(loop, list(expressions(each.body)), here.flow, "init")
            here.init.append(each)
        if repeat.body.statements:
            said = [s.expression for s in repeat.body.statements if isinstance(s, Compute)]
            repeat.target, repeat.iterable = self.head(loop, said, here.flow, "forward")
            here.flow.statements.append(repeat)
            return
        for carried in repeat.carried:  # it computes nothing: what comes out is another name for what went in
            if carried.back is None or carried.inner not in reached(carried.back):
                raise Conflict("the turns of a loop exchange values")
            carried.out.text = Ref(carried.start)

    # ---- names ----

    def _named(self, step: Step[Named], here: Here) -> None:
        first = step[0][1]
        names = {event.name for _, event in step}
        if len(names) > 1:
            return  # a computed name that differs between rows: nothing reads it by that name
        if self.list_input is not None and all(event.what is row.instance.stream for row, event in step):
            self.list_input.names.insert(0, identifier(first.name, "values"))
        elif all(isinstance(event.what, Value) for _, event in step):
            slot = self.look([(row, value_on(event.what)) for row, event in step], here.flow)
            self._name_slot(slot, first.name, first.site, step)
        elif isinstance(first.site, tree.Let) and isinstance(first.site.pattern, tree.Name) and _is_number(first.what):
            local = Local(self._local_name(first), first.site.value, {row: event.env for row, event in step})
            self.state.bindings[first.name] = local
            here.init.append(Define(local))

    def _local_name(self, named: Named) -> str:
        """One for each ``let`` of the text; each turn of a loop that is written out sets it anew."""
        if named.site not in self.state.locals:
            self.state.locals[named.site] = self.state.arguments.take(identifier(named.name, "value"))
        return self.state.locals[named.site]

    def _name_slot(self, slot: Slot, name: str, site: tree.Node, step: Step[Named]) -> None:
        wish = identifier(name, "value")
        if slot in self.state.imports:
            if isinstance(site, tree.Input):
                slot.names.insert(0, wish)
        elif slot.text is None and not slot.is_named:
            slot.names.insert(0, wish)
            slot.is_named = True
        self.state.bindings.pop(name, None)
        if isinstance(site, tree.Input | tree.Step) and site.shape is not None:
            self._bind_sizes(site.shape, slot)

    def _bind_sizes(self, shape: tree.Shape, slot: Slot) -> None:
        for axis, dim in enumerate(shape.dims):
            if isinstance(dim, tree.Name) and dim.text[0].isupper() and not self._is_known(dim.text):
                self.state.bindings[dim.text] = AxisSize(slot, axis)
                slot.axes.setdefault(axis, snake(identifier(dim.text, "size")))

    def _is_known(self, text: str) -> bool:
        return text in self.state.bindings or text in self._spec_parameters

    # ---- declared modules and tensors ----

    def _declared(self, step: Step[Declared], here: Here) -> None:
        modules = [event.module for _, event in step]
        children = [list(m.children.values()) for m in modules]
        is_items = bool(children[0]) and all(c.name.isdigit() for c in children[0]) and modules[0].what is None
        if not is_items:
            place = Place()
            here.init.append(place)
            self.state.places.update(dict.fromkeys(modules, place))
            return
        if not all_same([len(c) for c in children]):
            raise Conflict("lists of modules differ", rows_of(step), [len(c) for c in children])
        items = [Place() for _ in children[0]]
        for each in children:
            self.state.places.update(zip(each, items, strict=True))
        envs = [r.instance.env for r, _ in step]
        label = self.label(rows_of(step), [m.name for m in modules], step[0][1].site, envs, "init", here.flow)
        here.init.append(Listed(label, items))

    def _gave(self, step: Step[OutputEvent], here: Here) -> None:
        self.walk([(row, event.events) for row, event in step], here)
        first = step[0][1]
        slot = self.look([(row, event.output.value) for row, event in step], here.flow)
        if first.site.shape is not None:
            self._bind_sizes(first.site.shape, slot)
        if self.is_top:
            slot = self._of_the_module_s_type(step, slot, here)
            self.outputs.append(Output(first.output.name, slot, first.output.when_training))

    def _of_the_module_s_type(self, step: Step[OutputEvent], slot: Slot, here: Here) -> Slot:
        """An output that is float32 whatever the module's type is, converted to that of an input."""
        values = self.file.reference(step[0][1].output)
        if values is None:
            return slot
        rows = rows_of(step)
        reference = self.look(list(zip(rows, values, strict=True)), here.flow)
        out = Slot(here.flow, dict(slot.values), list(slot.names))
        converted = call(ast.Attribute(Ref(slot), "to"), ast.Attribute(Ref(reference), "dtype"))
        here.flow.statements.append(Compute([out], converted, self.step(step[0][1].site, here), False))
        return out


def _is_number(value: Any) -> bool:
    """Something that the constructor knows, or that ``forward`` can read off its inputs' sizes."""
    return is_plain(value) or isinstance(value, Dim)


def _given(slots: Sequence[Slot], lists: Sequence[ListInput | None]) -> Iterator[ast.expr]:
    """The arguments of ``forward``; neighbours that it takes as a list are one."""
    for listed, group in groupby(zip(slots, lists, strict=True), key=lambda pair: pair[1]):
        refs: list[ast.expr] = [Ref(slot) for slot, _ in group]
        yield from refs if listed is None else [ast.Tuple(refs)]


def _branch_names(merged: Merged) -> tuple[str, ...]:
    if isinstance(merged.site, tree.Residual):
        return ()
    return {"mul": ("scale",), "concat": ("branch",), "stack": ("branch",), "add": ("branch",)}[merged.kind]


def ends_with(events: Sequence[Event]) -> Any:
    """What is on the stream behind some events."""
    stream: Any = None
    for event in events:
        match event:
            case OpRun(node=node):
                stream = node.output
            case ScopeRun(instance=instance):
                stream = instance.result
            case Merged(result=result):
                stream = result
            case OpSkipped(env=env):
                stream = env.stream
            case BranchTaken(events=inner, env=env):
                stream = ends_with(inner) if inner else env.stream
            case LoopEvent(turns=turns):
                stream = ends_with([e for turn in turns for e in turn.events]) or stream
    return stream


def _sides(step: Step[BranchTaken], arm: int) -> tuple[Step[BranchTaken], Step[BranchTaken]]:
    """The rows that take an arm, and the others."""
    return [p for p in step if p[1].arm == arm], [p for p in step if p[1].arm != arm]


def _condition(site: tree.Node, arm: int) -> tree.Node:
    """The condition of an arm of an ``if`` with its ``else if``s, or of a ternary."""
    if isinstance(site, tree.Ternary):
        return site.condition
    assert isinstance(site, tree.If)
    current: Any = site
    for _ in range(arm):
        current = current.otherwise
    return current.condition


def _new(after: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    return {name: what for name, what in after.items() if name not in before}


def _add_under(under: Under, init: list[Making]) -> None:
    """Behind what is made under the same condition already, or as a new ``if``."""
    if not under.then and not under.orelse:
        return
    if init and isinstance(init[-1], Under) and init[-1].partition is under.partition:
        init[-1].then += under.then
        init[-1].orelse += under.orelse
    else:
        init.append(under)


def _adopt(target: Flow, arm: Flow) -> None:
    """The statements of an arm as those of another."""
    for statement in arm.statements:
        for slot in made_by(statement):
            slot.flow = target
        match statement:
            case Branch(then=then, orelse=orelse):
                then.outer = orelse.outer = target
            case Repeat(body=body):
                body.outer = target
    target.statements += arm.statements
