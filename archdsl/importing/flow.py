"""From the operators of a scope to its text: chains, residuals, branches, and names where nothing else will do.

Text is written from the result backward. The immediate dominator of a sum, product or concatenation, among the values
of the scope, is where its branches part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import isfinite
from typing import Any, TypeAlias

from archdsl.importing.calls import OwnTensor, Unsupported, Value, last, parent
from archdsl.importing.lowering import relative
from archdsl.importing.steps import Operator, Power, Scope, ScopeRun, Step, makers, uses_of
from archdsl.importing.tree import (
    Apply,
    Body,
    Chain,
    Code,
    CutText,
    Do,
    Group,
    Index,
    Infix,
    It,
    Item,
    Labelled,
    Merge,
    Name,
    Number,
    Own,
    Parenthesis,
    Pass,
    Residual,
    Several,
    Statement,
    label_of,
    literal,
    value_text,
)

MERGES = {"+": "add", "*": "mul", "concat": "concat", "stack": "stack"}
LARGEST_BRANCHES = 40
"""The most steps of a sum or product that is written as branches; more read better as names."""
Inner: TypeAlias = "Callable[[Scope, Flow], tuple[Item, bool]]"
"""The item of a scope within, and whether it is a block (which takes several inputs as a list)."""


class Text:
    """What the text of one block shares: the values that need names, and the tensors that it owns and reads."""

    def __init__(self, inner: Inner) -> None:
        self.inner = inner
        self.named: dict[Value, None] = {}
        self.owners: set[str] = set()
        self.owned: dict[Value, None] = {}
        self.declared: set[str] = set()

    def name(self, value: Value) -> Item:
        """A value that is not on the stream."""
        if value.is_owned:
            path = str(value.path)
            if parent(path) not in self.owners:
                raise Unsupported(f"it reads `{path}` of another module", path=parent(path))
            if parent(path) not in self.declared:
                self.owned[value] = None
            return Name(last(path))
        if value.kind == "constant":
            return constant(value)
        self.named[value] = None
        return Name(value)


def constant(value: Value) -> Item:
    """A constant as numbers.

    Raises:
        Unsupported: it depends on the batch, has too many, or one that is not finite.
    """
    if value.numbers is None:
        raise Unsupported("a constant table that has too many numbers, or depends on the batch")
    if isinstance(value.numbers, tuple):
        return Code(value_text(_plain(value.numbers)))
    return Number(literal(_plain(value.numbers)))


def _plain(numbers: Any) -> Any:
    """Booleans as 0 and 1.

    Raises:
        Unsupported: a number is infinite or NaN, which the language does not have.
    """
    if isinstance(numbers, tuple):
        return tuple(map(_plain, numbers))
    if not isfinite(numbers):
        raise Unsupported(f"a table or buffer holds {numbers}, which a spec cannot write")
    return int(numbers) if isinstance(numbers, bool) else numbers


class Flow:
    """Writes one scope."""

    def __init__(self, text: Text, scope: Scope, done: Iterable[Value] = (), stream: Value | None = None) -> None:
        self.text = text
        self.scope = scope
        text.owners.add(scope.path)
        self.made = makers(scope)
        self.place = {v: i for i, step in enumerate(scope.steps) for v in step.outputs}
        self.uses = uses_of(scope)
        flowing = [v for v in dict.fromkeys(scope.inputs) if v.flows]
        self.done = {*done, *flowing}
        self.stream = flowing[0] if len(flowing) == 1 else stream
        self.statements: list[Statement] = []
        self.constant: set[Value] = set()
        """Values that parameters and constants alone make."""
        self._find_dominators()

    # ---- where branches part ----

    def _find_dominators(self) -> None:
        self._dominator: dict[Value, Value | None] = {}
        self._depth: dict[Value, int] = {}
        for step in self.scope.steps:
            if step.inputs and all(not v.flows or v in self.constant for v in step.inputs):
                self.constant.update(step.outputs)
            flowing = [v for v in dict.fromkeys(step.inputs) if v.flows and v not in self.constant]
            for value in flowing:
                self._depth.setdefault(value, 1)
                self._dominator.setdefault(value, None)
            common: Value | None = flowing[0] if flowing else None
            for value in flowing[1:]:
                common = self._common(common, value)
            for value in step.outputs:
                self._dominator[value] = common
                self._depth[value] = (self._depth[common] if common is not None else 0) + 1

    def _common(self, a: Value | None, b: Value | None) -> Value | None:
        while a is not b:
            if a is None or b is None:
                return None
            if self._depth[a] < self._depth[b]:
                a, b = b, a
            a = self._dominator[a]
        return a

    # ---- the stream ----

    def push(self, item: Item, outputs: Sequence[Value], starts: bool = False) -> None:
        """Adds an item to the chain."""
        self.statements.append(Do(item, tuple(outputs), starts))
        self.done.update(outputs)
        self.stream = outputs[0] if len(outputs) == 1 else None

    def bring(self, value: Value) -> None:
        """Puts a value on the stream."""
        if self.stream is value:
            return
        if value in self.done or not value.flows:
            self.statements.append(Do(self.text.name(value), (), True))
            self.stream = value
            return
        if value not in self.made:
            raise Unsupported("it reads a value of another module", path=self.scope.path)
        self.run(self.made[value])
        if self.stream is not value:
            self.bring(value)

    def bring_all(self, values: Iterable[Value]) -> None:
        """Computes all values, and leaves one of them on the stream."""
        flowing = [v for v in values if v.flows and not self.is_inline(v)]
        for value in sorted((v for v in flowing if v not in self.done), key=lambda v: self.place.get(v, -1)):
            if value in self.done:
                continue
            if value in self.made and len(self.made[value].outputs) > 1:
                self.run(self.made[value])
            else:
                self.bring(value)
        if flowing and self.stream not in flowing:
            self.bring(flowing[0])

    def is_inline(self, value: Value) -> bool:
        """Can a value of parameters alone stand in parentheses where it is used?"""
        if value not in self.constant or self.uses.get(value) != 1 or value in self.done or value in self.scope.outputs:
            return False
        step = self.made.get(value)
        if not isinstance(step, Operator) or len(step.outputs) != 1 or step.name in ("unbind", "split"):
            return False
        return len(set(step.inputs)) == len(step.inputs) and all(not v.flows or self.is_inline(v) for v in step.inputs)

    def operand(self, given: Any) -> Item:
        """What stands beside an infix operator, or in a list."""
        if isinstance(given, Power):
            return Infix("**", Number(literal(given.base)), Number(literal(given.exponent)))
        if not isinstance(given, Value):
            return Number(literal(given))
        if self.is_inline(given):
            kept = self.statements, self.stream
            self.statements, self.stream = [], None
            self.bring(given)
            inside = Body(tuple(self.statements))
            self.statements, self.stream = kept
            return Parenthesis(inside)
        return It() if given is self.stream else self.text.name(given)

    # ---- steps ----

    def run(self, step: Step) -> None:
        """Writes a step, and first what it needs."""
        for value in step.inputs:
            self._declare_foreign(value)
        if isinstance(step, ScopeRun):
            self._run_scope(step)
        elif not self._run_branches(step):
            if step.operands:
                self._run_infix(step)
            elif len(step.inputs) > 1 or step.name in ("concat", "stack", "einsum"):
                self._run_several(step)
            else:
                self._run_one(step)

    def _run_one(self, step: Operator) -> None:
        if step.inputs:
            self.bring(step.inputs[0])
        if step.name == "item":
            self.push(Index(tuple(map(_cut, step.arguments["index"]))), step.outputs)
        elif step.name in ("unbind", "split"):
            for value in step.outputs:
                self.text.name(value)
            self.push(Pass() if step.name == "unbind" else self._item(step), step.outputs)
        else:
            self.push(self._item(step), step.outputs)

    def _item(self, step: Operator) -> Item:
        item = Apply(step.name, tuple((name, literal(value)) for name, value in step.arguments.items()))
        if step.module is None:
            return item
        label = relative(step.module, self.scope)
        if "." in label and label.split(".")[0] not in self.scope.lists:
            raise Unsupported(f"it runs the layer {label} below a module that does not run", path=self.scope.path)
        return Labelled(label_of(label), item)

    def _run_infix(self, step: Operator) -> None:
        self.bring_all(step.inputs)
        left, right = map(self.operand, step.operands)
        starts = It() not in (left, right)
        self.push(Infix(step.name, left, right), step.outputs, starts)

    def _run_several(self, step: Operator) -> None:
        self.bring_all(step.inputs)
        items = tuple(map(self.operand, step.inputs))
        if step.name in ("maximum", "minimum"):
            other = items[1] if items[0] == It() else items[0]
            text = other.what if isinstance(other, Name) else None
            if text is None:
                raise Unsupported(f"{step.name} of such values", path=self.scope.path)
            self.push(Infix(step.name, It(), other), step.outputs)
            return
        self.statements.append(Do(Several(items), (), It() not in items))
        self.push(self._item(step), step.outputs)

    def _run_scope(self, step: ScopeRun) -> None:
        for value in step.inputs:
            if value in self.constant and value not in self.done and value in self.made:
                self.bring(value)
                self.text.name(value)
        flowing = [v for v in dict.fromkeys(step.inputs) if v.flows]
        if len(flowing) > 1:
            self.bring_all(step.inputs)
        elif flowing:
            self.bring(flowing[0])
        item, is_block = self.text.inner(step.scope, self)
        if len(flowing) > 1 and is_block:
            items = tuple(self.operand(v) for v in step.inputs if v.flows)
            self.statements.append(Do(Several(items), (), self.stream not in step.inputs))
        labelled = Labelled(label_of(relative(step.module, self.scope)), item)
        if len(step.outputs) > 1:
            for value in step.outputs:
                self.text.name(value)
            self.push(labelled, step.outputs if is_block else ())
            self.done.update(step.outputs)
            self.stream = None
        else:
            self.push(labelled, step.outputs)

    def _declare_foreign(self, value: Value) -> None:
        """A tensor of a module below that never runs is declared by a group of the module's name."""
        if not value.is_owned:
            return
        owner = parent(str(value.path))
        label = last(owner)
        facts = self.scope.children.get(label)
        if owner in self.text.owners or parent(owner) != self.scope.path or facts is None:
            return
        if any(step.module == owner or (step.module or "").startswith(f"{owner}.") for step in self.scope.steps):
            return
        self.text.owners.add(owner)
        self.text.declared.add(owner)
        body = Body(tuple(declaration(name, tensor) for name, tensor in facts.tensors.items()))
        self.statements.append(Do(Labelled(label_of(label), Group(body))))

    # ---- branches ----

    def _run_branches(self, step: Operator) -> bool:
        """Writes a sum, product or concatenation as branches, if it reads well."""
        kind = MERGES.get(step.name)
        flowing = [v for v in dict.fromkeys(step.inputs) if v.flows and not self.is_inline(v)]
        operands = step.operands or step.inputs
        if kind is None or len(flowing) < 2 or len(operands) != len(flowing):
            return False
        start = self._dominator[step.outputs[0]]
        if start is None or not (start in self.done or start in self.made):
            return False
        branching = [v for v in flowing if v is not start]
        if not branching or any(v in self.done for v in branching) or self._size(flowing, start) > LARGEST_BRANCHES:
            return False
        self.bring(start)
        ordered = sorted(flowing, key=lambda v: self._registered(v, start)) if kind in ("add", "mul") else flowing
        if kind == "mul" and ordered[-1] is start:
            ordered = [start, *ordered[:-1]]
        bodies = tuple(self._branch(value, start) for value in ordered)
        if kind == "add" and len(bodies) == 2:
            self.push(Residual(*bodies), step.outputs)
        else:
            arguments = tuple((name, literal(value)) for name, value in step.arguments.items())
            self.push(Merge(kind, arguments, bodies), step.outputs)
        return True

    def _branch(self, value: Value, start: Value) -> Body:
        kept = self.statements
        self.statements, self.stream = [], start
        self.bring(value)
        body = Body(tuple(self.statements))
        self.statements = kept
        return body

    def _region(self, values: Iterable[Value], start: Value | None) -> set[Value]:
        """What the branches compute."""
        seen: set[Value] = set()
        waiting = list(values)
        while waiting:
            value = waiting.pop()
            if value is not start and value not in seen and value in self.made:
                seen.add(value)
                waiting += [v for v in self.made[value].inputs if v.flows]
        return seen

    def _size(self, values: Iterable[Value], start: Value) -> int:
        region = self._region(values, start)
        return sum(any(v in region for v in step.outputs) for step in self.scope.steps)

    def _registered(self, value: Value, start: Value) -> tuple[int, int]:
        """Where the first module of a branch is in the state dict, then when the branch first runs."""
        order = list(self.scope.children)
        region = self._region([value], start)
        heads = [relative(m, self.scope).split(".")[0] for v in region if (m := self.made[v].module) is not None]
        places = [order.index(head) for head in heads if head in order]
        without = len(order) + (value is start)
        return min(places, default=without), min((self.place[v] for v in region), default=len(self.scope.steps))


def _cut(item: Any) -> Any:
    return CutText(*map(literal, item[1:])) if isinstance(item, tuple) else literal(item)


def declaration(name: str, tensor: OwnTensor) -> Own:
    """The line that declares a tensor.

    Raises:
        Unsupported: a buffer with too many numbers, or one that is not finite.
    """
    initial = tensor.initial
    if tensor.kind == "buffer":
        if tensor.numbers is None or tensor.dtype not in ("int64", "float32"):
            raise Unsupported(f"the buffer `{name}` of {tensor.dtype} has too many numbers to write")
        initial = value_text(_filled(_plain(tensor.numbers), tensor.shape))
    kind = "param" if tensor.kind == "parameter" else "buffer"
    return Own(kind, name, tuple(map(literal, tensor.shape)), initial)


def _filled(numbers: Any, shape: Sequence[int]) -> Any:
    """One number for all as a table of a shape."""
    if isinstance(numbers, tuple) or not shape:
        return numbers
    return tuple(_filled(numbers, shape[1:]) for _ in range(shape[0]))


# ---- scopes ------------------------------------------------------------------------------------------------


def written(text: Text, scope: Scope, outer: Flow | None = None) -> tuple[bool, tuple[Statement, ...]]:
    """Whether a scope is a ``seq``, and its statements."""
    done = outer.done if outer is not None else set[Value]()
    one = len([v for v in dict.fromkeys(scope.inputs) if v.flows]) == 1
    stream = outer.stream if outer is not None and not one else None
    if scope.is_chain and (members := _chain(text, scope, done)) is not None:
        return True, members
    flow = Flow(text, scope, done, stream)
    for value in scope.outputs:
        if value not in flow.done:
            flow.bring(value)
    if len(scope.outputs) == 1:
        flow.bring(scope.outputs[0])
    elif len(scope.outputs) > 1 and not scope.is_group:
        items = tuple(map(flow.operand, scope.outputs))
        flow.statements.append(Do(Several(items), (), flow.stream not in scope.outputs))
    if outer is not None:
        outer.done |= {v for v in scope.outputs if scope.is_group}
    return False, tuple(flow.statements)


def _chain(text: Text, scope: Scope, done: set[Value]) -> tuple[Statement, ...] | None:
    """The statements of a ``seq``; None if its members are not one step each on the stream."""
    flow = Flow(text, scope, done)
    for number, step in enumerate(scope.steps):
        member = step.member or step.module
        flowing = [v for v in step.inputs if v.flows]
        if member != f"{scope.path}.{number}" or len(step.outputs) != 1 or flowing != [flow.stream]:
            return None
        if isinstance(step, Operator) and step.name == "identity":
            flow.push(Apply("identity"), step.outputs)
        else:
            flow.run(step)
    return tuple(_unlabelled(s) if isinstance(s, Do) else s for s in flow.statements)


def _unlabelled(statement: Do) -> Do:
    item = statement.item
    if isinstance(item, Labelled) and not isinstance(item.item, Group):
        item = item.item
    return Do(item, statement.names, statement.starts)


def as_item(is_chain: bool, statements: tuple[Statement, ...]) -> Item:
    """A scope as an item."""
    return Chain(Body(statements)) if is_chain else Group(Body(statements))
