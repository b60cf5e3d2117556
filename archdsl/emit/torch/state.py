"""What is known of a class while it is written, and the tasks that the parts of its writer ask of each other."""

from __future__ import annotations

import ast
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from archdsl.emit.torch.flow import Flow, Partition, Slot
from archdsl.emit.torch.names import RESERVED, Names
from archdsl.emit.torch.rows import Row
from archdsl.emit.torch.terms import NoValue, Term, copied, evaluate, own
from archdsl.graph import Instance, Module, Value
from archdsl.syntax import tree

if TYPE_CHECKING:
    from archdsl.evaluate.values import Env

Level = Literal["init", "forward"]
"""Where an expression will stand: among the constructor's names, or in ``forward``."""

MISSING = object()


@dataclass(eq=False)
class Parameter:
    """An argument of the constructor: its value in each instance."""

    name: str
    values: dict[Instance, Any]
    default: Any = MISSING
    written: str | None = None
    """The parameter (or free name) of the spec that it is."""


class Given(Term):
    """An argument of the constructor, by its name."""

    def __init__(self, parameter: Parameter) -> None:
        super().__init__()
        self.parameter = parameter

    def value(self, row: Row) -> Any:
        if row.instance not in self.parameter.values:
            raise NoValue
        return self.parameter.values[row.instance]

    def final(self) -> ast.expr:
        return ast.Name(self.parameter.name)

    def key(self) -> object:
        return self.parameter


class Turned(Term):
    """The variable of a loop of the emitted source."""

    def __init__(self, name: str, turns: int = 0) -> None:
        super().__init__()
        self.name = name
        self.turns = turns
        """How many rows the loop has: what is the same in all of them does not vary with the variable."""

    def value(self, row: Row) -> Any:
        for each in row.lineage():
            if self.name in each.turn:
                return each.turn[self.name]
        raise NoValue

    def final(self) -> ast.expr:
        return ast.Name(self.name)

    def key(self) -> object:
        return self.name


@dataclass(eq=False)
class Attribute:
    """``self.name = expression``, for ``forward``."""

    name: str
    expression: ast.expr


class Held(Term):
    """An attribute of the module, by its name."""

    def __init__(self, attribute: Attribute) -> None:
        super().__init__()
        self.attribute = attribute

    def value(self, row: Row) -> Any:
        return evaluate(self.attribute.expression, row)

    def final(self) -> ast.expr:
        return own(self.attribute.name)

    def key(self) -> object:
        return self.attribute


@dataclass(eq=False)
class Local:
    """A ``let`` of numbers: a variable of the constructor, where it is used more than once."""

    name: str
    value: tree.Node
    envs: dict[Row, Env]
    expression: ast.expr | None = None
    """In terms of the constructor, once it was asked for."""
    uses: int = 0
    is_inline: bool = False
    """It has no place for a variable: the expression stands where it is used."""

    @property
    def is_variable(self) -> bool:
        """Is it worth a variable? Another name for an argument is not."""
        return self.uses > 1 and not self.is_inline and not isinstance(self.expression, Given | ast.Constant)


class Used(Term):
    """A local variable of the constructor."""

    def __init__(self, local: Local) -> None:
        super().__init__()
        self.local = local

    def value(self, row: Row) -> Any:
        assert self.local.expression is not None
        return evaluate(self.local.expression, row)

    def final(self) -> ast.expr:
        assert self.local.expression is not None
        return ast.Name(self.local.name) if self.local.is_variable else copied(self.local.expression)

    def key(self) -> object:
        return self.local


def terms_in(node: ast.AST) -> Iterator[Term]:
    """The terms of an expression, and those that it comes to by local variables and attributes."""
    for inner in ast.walk(node):
        if isinstance(inner, Term):
            yield inner
        match inner:
            case Used(local=local) if local.expression is not None:
                yield from terms_in(local.expression)
            case Held(attribute=attribute):
                yield from terms_in(attribute.expression)


@dataclass(frozen=True)
class AxisSize:
    """A name that stands for the size of an axis: ``input x: [N, C, H, W]``."""

    slot: Slot
    axis: int


Binding: TypeAlias = "Local | AxisSize | Turned"
"""What a name of the text stands for."""


class Chain(Term):
    """A chain that gets its members one by one: a variable, or its place once that is known."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.node: ast.expr = ast.Name(name)

    def final(self) -> ast.expr:
        return copied(self.node)


# ---- the constructor ---------------------------------------------------------------------------------------


Reach = Callable[[str], ast.expr]
"""A weight of a layer by its name, as the constructor reaches it."""


@dataclass(eq=False)
class Make:
    """A module (or tensor) gets its place: ``self.label = value``, or with a computed label ``add_module``."""

    label: ast.expr
    value: ast.expr
    before: list[Making] = field(default_factory=list)
    """What must stand before it: a list of layers that is filled step by step."""
    after: list[Making] = field(default_factory=list)
    """What is set right behind it: initial values."""
    chain: Chain | None = None
    """The variable of a chain whose members are set one by one; ``value`` is it."""
    inits: Callable[[Reach], list[ast.stmt]] | None = None
    """Says the initial values of the layer, given how its weights are reached."""
    is_module: bool = True
    """Not a parameter."""


@dataclass(eq=False)
class Under:
    """Statements for the rows in which a condition holds, and for the others."""

    partition: Partition
    then: list[Making]
    orelse: list[Making]


@dataclass(eq=False)
class Each:
    """Statements for each turn of a loop."""

    target: ast.expr
    iterable: ast.expr
    body: list[Making]


@dataclass(eq=False)
class Place:
    """Where a declared module will be made, once it is known what it runs on."""

    made: list[Making] = field(default_factory=list)


@dataclass(eq=False)
class Listed:
    """A declared list of modules: ``self.label = nn.ModuleList([…])``."""

    label: ast.expr
    items: list[Place]


@dataclass(eq=False)
class Define:
    """A ``let`` of numbers, if it is used more than once."""

    local: Local


@dataclass(eq=False)
class Say:
    """Any other statement."""

    statement: ast.stmt


Making: TypeAlias = "Make | Under | Each | Place | Listed | Define | Say"


@dataclass(frozen=True)
class Here:
    """Where the writer stands: in the constructor and in the forward."""

    init: list[Making]
    flow: Flow
    names: tuple[str, ...] = ()
    """Names for what is computed here."""
    around: tree.Node | None = None
    """The combinator around."""
    conditions: tuple[ast.expr, ...] = ()
    """The conditions under which it stands."""
    is_in_loop: bool = False
    """In a loop of the emitted source."""
    turns: tuple[int, ...] = ()
    """The turns of the loops around that are written out."""


@dataclass
class State:
    """What changes while a class is written; a loop that cannot be written as one goes back to a copy."""

    parameters: dict[Hashable, Parameter] = field(default_factory=dict)
    bindings: dict[str, Binding] = field(default_factory=dict)
    attributes: dict[str, Attribute] = field(default_factory=dict)
    slots: dict[Value, list[Slot]] = field(default_factory=dict)
    imports: list[Slot] = field(default_factory=list)
    places: dict[Module, Place] = field(default_factory=dict)
    made: set[Module] = field(default_factory=set)
    partitions: list[Partition] = field(default_factory=list)
    locals: dict[tree.Node, str] = field(default_factory=dict)
    arguments: Names = field(default_factory=lambda: Names(RESERVED))
    members: Names = field(default_factory=Names)

    def copy(self) -> State:
        return State(
            dict(self.parameters),
            dict(self.bindings),
            dict(self.attributes),
            {value: list(slots) for value, slots in self.slots.items()},
            list(self.imports),
            dict(self.places),
            set(self.made),
            list(self.partitions),
            dict(self.locals),
            self.arguments.copy(),
            self.members.copy(),
        )
