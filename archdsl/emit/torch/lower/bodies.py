"""Bodies of a class as methods: each step is a statement."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from archdsl.dims import Dim
from archdsl.emit.torch.lower.expressions import Scope, translate
from archdsl.emit.torch.lower.sizes import Turn, condition_test, is_read, read_off, sized, symbols_of
from archdsl.emit.torch.lower.variables import WISHES
from archdsl.emit.torch.names import RESERVED, Names, identifier, is_identifier, snake
from archdsl.emit.torch.precision import converted
from archdsl.emit.torch.terms import assign, call, literal, name, own
from archdsl.op import TorchExpr
from archdsl.ops.tensor import Constant
from archdsl.program.conditions import Combined, Compared, Condition, Flag, names_of, opposite
from archdsl.program.hints import Hint
from archdsl.program.ir import (
    Call,
    Choose,
    Class,
    Counted,
    For,
    ModuleRef,
    Optional,
    Output,
    Own,
    Passed,
    Place,
    Run,
    Step,
    Training,
    Var,
    flattened,
    places_in,
    read,
)
from archdsl.program.numbers import OpenFloat, names_in


class NotLowered(Exception):
    """The program has no form in PyTorch; the message says why."""


COUNTERS = ("i", "j", "k", "turn")
"""Names for the variable of a loop."""


@dataclass(frozen=True, eq=False)
class Site:
    """The class that a body is written in.

    ``stored`` gives a parameter of the class as its methods read it, ``reach`` the expression for a module below it,
    ``flag`` the attribute that holds the answer to a condition, by a wish for its name,
    ``modules`` that for all modules that a loop runs at a place, if it runs no others,
    ``tensor`` that for a tensor of its own, ``table`` that for a constant tensor, and ``method`` the name of the method
    that is a body of a class.
    """

    cls: Class
    stored: Callable[[str], str]
    reach: Callable[[Place, Mapping[str, str]], ast.expr]
    flag: Callable[[Condition, str], ast.expr]
    modules: Callable[[Place, For, Mapping[str, str]], ast.expr | None]
    tensor: Callable[[str], ast.expr]
    table: Callable[[Run, Sequence[Condition]], ast.expr]
    method: Callable[[Class, int], str]
    use: Callable[[str], None]


@dataclass
class Sizes:
    """The open numbers that bodies need: parameters of the class, sizes of inputs, and those that must be passed."""

    _passed: dict[tuple[Class, int], tuple[str, ...]] = field(default_factory=dict)

    def passed(self, cls: Class, number: int) -> tuple[str, ...]:
        """The symbols whose values a body is passed: no input of its own has them, and they are no parameters."""
        if (cls, number) not in self._passed:
            body = cls.bodies[number]
            types = [v.type for v in body.inputs]
            missing = tuple(s for s in self.needed(body.steps, cls) if s not in cls.names and not is_read(s, types))
            self._passed[cls, number] = missing
        return self._passed[cls, number]

    def needed(self, steps: Iterable[Step], cls: Class) -> tuple[str, ...]:
        """The names of the numbers in what steps of a class compute themselves, and of those that they pass on."""
        steps = list(flattened(steps))
        found: dict[str, None] = {}
        for step in steps:
            match step:
                case Run():
                    found.update(dict.fromkeys(symbols_of(expression(step))))
                case Call(of=of, body=number):
                    found.update(dict.fromkeys(self.passed(of, number)))
                case Choose(condition=Compared() | Combined() | Flag() as condition) if not _is_answered(
                    cls, condition
                ):
                    found.update(dict.fromkeys(sorted(names_of(condition))))
                case For(count=count):
                    found.update(dict.fromkeys(sorted(names_in(count))))
        turns = {step.variable for step in steps if isinstance(step, For)}
        return tuple(s for s in found if s not in turns)


def presence(cls: Class, condition: Condition) -> tuple[str, bool] | None:
    """A member that is made where a condition holds (or, with False, where it does not); None if there is none."""
    for part in cls.members:
        if not isinstance(part, Optional) or not isinstance(part.label, str) or not is_identifier(part.label):
            continue
        if part.condition in (condition, opposite(condition)):
            return part.label, part.condition == condition
    return None


def _is_answered(cls: Class, condition: Condition) -> bool:
    """Does the constructor know the answer, and is it more than one argument compared with a number?"""
    if presence(cls, condition) is not None:
        return True
    if isinstance(condition, Flag):
        return False
    sides = [condition.left, condition.right] if isinstance(condition, Compared) else []
    plain = [s for s in sides if isinstance(s, int | float) and not isinstance(s, OpenFloat)]
    is_simple = len(plain) == 1 and all(str(s) in names_of(condition) for s in sides if s not in plain)
    return not is_simple and names_of(condition) <= cls.names


def _flag_name(step: Choose) -> str:
    """What the answer to a condition is called: by what it brings."""
    for inner in flattened(step.then or step.otherwise):
        match inner:
            case Run(facets=facets) if facets.op.palette == "merge":
                return "is_residual"
            case Run(module=Place(labels=[*_, str(label)])) | Call(module=Place(labels=[*_, str(label)])):
                return f"has_{snake(label)}" if is_identifier(label) else "has_layer"
            case Run(facets=facets):
                return f"has_{facets.op.name}"
    return "flag"


def expression(run: Run) -> TorchExpr | None:
    """What a step computes in torch; None where its module is simply called."""
    torch = converted(run.facets, run.casts)
    return torch.run if run.module is not None and torch.module is not None else torch.function


class Method:
    """Writes one body."""

    def __init__(self, number: int, site: Site, sizes: Sizes) -> None:
        self._body = body = site.cls.bodies[number]
        self._passed = sizes.passed(site.cls, number)
        self._site = site
        self._sizes = sizes
        self._names = Names(RESERVED)
        self._count = 0
        self._vars: dict[Var, ast.expr] = {}
        self._reads = Counter([*(v for s in flattened(body.steps) for v in read(s)), *body.results])
        self._loops = 0
        """How many are around what is being written."""
        self._layers: dict[Place, ast.Name] = {}
        """The variables of loops over modules."""
        self._under: list[Condition] = []
        """The conditions around what is being written that the constructor knows."""
        self.hints: dict[str, Hint] = {}
        """How the text speaks of the values of variables."""
        labels = [(label,) for label in body.names] or [v.hint.names for v in body.inputs]
        self._inputs = [self._names.take(*(identifier(n, "x") for n in names), *WISHES) for names in labels]
        self._vars.update(zip(body.inputs, map(ast.Name, self._inputs), strict=True))
        types = [v.type for v in body.inputs]
        self._symbols: dict[str, str] = {}
        self._read: list[str] = []
        for symbol in sizes.needed(body.steps, site.cls):
            is_stored = symbol not in self._passed and not is_read(symbol, types)
            if symbol not in self._passed and not is_stored:
                self._read.append(symbol)
            free = self._names.take(snake(identifier(symbol, "size")), "size") if not is_stored else ""
            self._symbols[symbol] = site.stored(symbol) if is_stored else free
        self._modules = [self._names.take("module") for _ in range(body.modules)]

    def definition(self, label: str) -> ast.FunctionDef:
        """The method under this name."""
        args = [ast.arg("self"), *(ast.arg(x, name("Tensor")) for x in self._inputs)]
        args += [ast.arg(self._symbols[s], ast.Name("int")) for s in self._passed]
        args += [ast.arg(m, name("nn.Module")) for m in self._modules]
        steps = [s for s in self._body.steps if not isinstance(s, Output)]
        body = [*self._read_sizes(), *self._statements(steps), *self._return()]
        return ast.FunctionDef(label, ast.arguments([], args, None, [], [], None, []), body, [], self._returns())

    def _read_sizes(self) -> Iterator[ast.stmt]:
        types = [v.type for v in self._body.inputs]
        for symbol in self._read:
            value = read_off(symbol, types, self._inputs)
            assert value is not None
            yield assign(ast.Name(self._symbols[symbol]), value)

    # ---- steps ----

    def _statements(self, steps: Iterable[Step]) -> list[ast.stmt]:
        return [statement for step in steps for statement in self._step(step)]

    def _step(self, step: Step) -> list[ast.stmt]:
        match step:
            case Run(facets=facets, outputs=outputs) if isinstance(facets.op, Constant):
                self._vars[outputs[0]] = self._site.table(step, self._under)
                return []
            case Own(label=label, output=output):
                self._vars[output] = self._site.tensor(label)
                return []
            case Run(outputs=outputs):
                return [self._assigned(outputs, self._run(step))]
            case Call(outputs=outputs):
                return [self._assigned(outputs, self._call(step))]
            case Choose(condition=Training(), then=then, otherwise=otherwise):
                return self._in_training(then, otherwise)
            case Choose(condition=Compared() | Flag() | Combined() as condition):
                return [self._choice(condition, step)]
            case For():
                return self._loop(step)
        raise NotLowered(f"no statement for {type(step).__name__}")

    def _loop(self, step: For) -> list[ast.stmt]:
        """What is carried has one variable before the loop, in it and behind it."""
        start: list[ast.stmt] = []
        for c in step.carried:
            is_last = self._reads[c.start] == 1 and not self._loops  # else the next turn around it reads it again
            if is_last and isinstance(self._vars[c.start], ast.Name):
                self._vars[c.end] = self._vars[c.start]
            else:
                start.append(self._assigned([c.end], self._vars[c.start]))
            self._vars[c.given] = self._vars[c.end]
        target, turns = self._turns(step)
        self._loops += 1
        body = self._statements(step.steps)
        self._loops -= 1
        made = [self._vars[c.made] for c in step.carried]
        targets = [self._vars[c.end] for c in step.carried]
        if len(targets) == 1:
            body.append(assign(targets[0], made[0]))
        elif targets:
            body.append(assign(ast.Tuple(targets), ast.Tuple(made)))
        is_read = isinstance(target, ast.Name) and any(
            isinstance(n, ast.Name) and n.id == target.id for statement in body for n in ast.walk(statement)
        )
        return [*start, ast.For(target if is_read else ast.Name("_"), turns, body, [])]

    def _turns(self, step: For) -> tuple[ast.expr, ast.expr]:
        """Variable and iterable of a loop: numbers, or the modules themselves where that is all they are for."""
        places = {place for place in places_in(step.steps) if isinstance(place.labels[-1], Counted)}
        if len(places) == 1 and step.variable not in self._sizes.needed(step.steps, self._site.cls):
            place = places.pop()
            modules = self._site.modules(place, step, self._symbols)
            if modules is not None:
                self._layers[place] = ast.Name(self._names.take("layer", "inner"))
                return self._layers[place], modules
        self._symbols[step.variable] = Turn(self._names.take(*COUNTERS))
        return ast.Name(self._symbols[step.variable]), call("range", sized(step.count, self._symbols))

    def _choice(self, condition: Condition, step: Choose) -> ast.stmt:
        """Each arm ends with the variables that both give."""
        arms = self._arm(condition, step.then), self._arm(opposite(condition), step.otherwise)
        for join in step.joined:
            target = self._variable(join.output)
            for arm, value in zip(arms, (join.then, join.otherwise), strict=True):
                arm.append(assign(target, self._vars[value]))
        member = presence(self._site.cls, condition)
        if member is not None:
            label, is_present = member
            test = ast.Compare(own(label), [ast.Is()], [literal(None)])
            return ast.If(test, *(reversed(arms) if is_present else arms))
        if _is_answered(self._site.cls, condition):
            return ast.If(self._site.flag(condition, _flag_name(step)), *arms)
        return ast.If(condition_test(condition, self._symbols), *arms)

    def _arm(self, condition: Condition, steps: Iterable[Step]) -> list[ast.stmt]:
        around, is_known = self._under, names_of(condition) <= self._site.cls.names
        self._under = [*around, condition] if is_known else around
        statements = self._statements(steps)
        self._under = around
        return statements

    def _in_training(self, then: Sequence[Step], otherwise: Sequence[Step]) -> list[ast.stmt]:
        """Variables of one arm are None after the other, so that every name is bound."""
        arms = [self._statements(then), self._statements(otherwise)]
        targets = [dict.fromkeys(n.id for s in arm for n in _targets(s)) for arm in arms]
        for arm, other in zip(arms, reversed(targets), strict=True):
            arm += [assign(ast.Name(n), literal(None)) for n in other]
        return [ast.If(own("training"), *arms)] if arms[0] else []

    def _assigned(self, outputs: Sequence[Var], value: ast.expr) -> ast.stmt:
        targets: list[ast.expr] = [self._variable(output) for output in outputs]
        return assign(targets[0] if len(targets) == 1 else ast.Tuple(targets), value)

    def _variable(self, output: Var) -> ast.expr:
        self._count += 1
        variable = self._names.take(f"v{self._count}", f"v{self._count}_value")
        self.hints[variable] = output.hint
        self._vars[output] = ast.Name(variable)
        return self._vars[output]

    def _run(self, step: Run) -> ast.expr:
        inputs = [self._vars[v] for v in step.inputs]
        is_layer = step.module is not None and step.facets.torch.module is not None
        this = self._reach(step.module) if step.module is not None and is_layer else None
        said = expression(step)
        if said is not None:
            return translate(said, Scope(inputs, this, self._site.tensor, self._size, self._site.use))
        if this is None:
            raise NotLowered(f"{step.facets.op.name} is a layer without a place")
        return call(this, *inputs)

    def _call(self, step: Call) -> ast.expr:
        sizes = self._sizes.passed(step.of, step.body)
        args = [
            *(self._vars[v] for v in step.inputs),
            *(name(self._symbols[s]) for s in sizes),
            *map(self._reach, step.modules),
        ]
        method = self._site.method(step.of, step.body)
        module = self._reach(step.module)
        return call(module if method == "forward" else ast.Attribute(module, method), *args)

    def _reach(self, module: ModuleRef) -> ast.expr:
        if isinstance(module, Passed):
            return ast.Name(self._modules[module.index])
        if module in self._layers:
            return self._layers[module]
        return self._site.reach(module, self._symbols)

    def _size(self, size: Dim | OpenFloat) -> ast.expr:
        return sized(size, self._symbols)

    # ---- results ----

    @property
    def _outputs(self) -> list[Output]:
        return [s for s in self._body.steps if isinstance(s, Output)]

    def _always(self) -> list[ast.expr]:
        outputs = [self._output(o) for o in self._outputs if not o.when_training]
        return [*outputs, *(self._vars[v] for v in self._body.results)]

    def _return(self) -> Iterator[ast.stmt]:
        always = self._always()
        training = [self._output(o) for o in self._outputs if o.when_training]
        if training:
            yield ast.If(own("training"), [ast.Return(ast.Tuple([*always, *training]))], [])
        yield ast.Return(always[0] if len(always) == 1 else ast.Tuple(always))

    def _output(self, output: Output) -> ast.expr:
        value = self._vars[output.value]
        if output.cast is None:
            return value
        return call(ast.Attribute(value, "to"), ast.Attribute(self._vars[output.cast], "dtype"))

    def _returns(self) -> ast.expr:
        tensor, always = name("Tensor"), len(self._always())
        plain = tensor if always == 1 else _tuple_of([tensor] * always)
        training = sum(o.when_training for o in self._outputs)
        if not training:
            return plain
        maybe = ast.BinOp(tensor, ast.BitOr(), literal(None))
        return ast.BinOp(plain, ast.BitOr(), _tuple_of([*[tensor] * always, *[maybe] * training]))


def _tuple_of(types: list[ast.expr]) -> ast.expr:
    return ast.Subscript(ast.Name("tuple"), ast.Tuple(types))


def _targets(statement: ast.stmt) -> Iterator[ast.Name]:
    match statement:
        case ast.Assign(targets=[target]):
            yield from (n for n in ast.walk(target) if isinstance(n, ast.Name))
        case ast.If(body=body, orelse=orelse) | ast.For(body=body, orelse=orelse):
            yield from (n for inner in (*body, *orelse) for n in _targets(inner))


def contents(
    runs: Sequence[Run], held: Var, outer: Scope, table: Callable[[Run], ast.expr]
) -> tuple[list[ast.stmt], ast.expr]:
    """Statements of a constructor that compute a buffer's contents, and the result.

    What is read once is written where it is read. ``table`` gives a constant tensor.
    """
    reads = Counter([held, *(v for run in runs for v in run.inputs)])
    names: dict[Var, ast.expr] = {}
    statements: list[ast.stmt] = []
    for run in runs:
        scope = Scope([names[v] for v in run.inputs], use=outer.use, open=outer.open)
        said = expression(run)
        if said is None:
            raise NotLowered(f"{run.facets.op.name} in the contents of a buffer")
        value = table(run) if isinstance(run.facets.op, Constant) else translate(said, scope)
        if len(run.outputs) == 1 and reads[run.outputs[0]] == 1:
            names[run.outputs[0]] = value
            continue
        targets: list[ast.expr] = [ast.Name(f"c{len(names) + k}") for k in range(len(run.outputs))]
        names.update(zip(run.outputs, targets, strict=True))
        statements.append(assign(targets[0] if len(targets) == 1 else ast.Tuple(list(targets)), value))
    return statements, names[held]
