"""The typed program of a network. See ``docs/decisions/0025-one-program-between-graph-and-source.md``.

A *class* is a scope of the text that owns modules or tensors: a block, a seq, a labelled group, the model. It has
*members*, which its constructor makes in state-dict order, and *bodies*: what it computes. A class has several
bodies only if its module runs more than once and computes something else each time.

A class that stands for instances with different numbers has *parameters*, which each use of it gives values.

A body is a list of steps on *variables*. Each variable is assigned once, and its type is known. Steps of one body
read only its own inputs and what earlier steps assigned: a value that the text reads across scopes is passed in, or
passed out as a further result.

Everything is frozen. Variables, steps, members and bodies are equal by contents; a class is equal only to itself,
since `ClassTable` makes each once.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from archdsl.dims import Size
from archdsl.graph import Node, Scope
from archdsl.op import Facets, Tensor, Weight
from archdsl.program.conditions import Condition
from archdsl.program.formulas import Formula
from archdsl.program.hints import NO_HINT, Hint
from archdsl.program.numbers import Argument
from archdsl.record import exactly, record

# ---- labels, values and modules ------------------------------------------------------------------------------------


@record
class Counted:
    """A label in a loop, with a number that its variable has a part in: ``layer{turn - 1}``."""

    before: str
    number: Size
    after: str = ""

    def __str__(self) -> str:
        return f"{self.before}{{{self.number}}}{self.after}"


Label: TypeAlias = str | Counted


@record
class Var:
    """A tensor in a body: numbered from 0 in the order of assignment. Its sizes are in the network's symbols.

    How the text speaks of it (``hint``) does not tell it from others.
    """

    number: int
    type: Tensor
    hint: Hint = field(default=NO_HINT, compare=False)

    def __str__(self) -> str:
        return f"%{self.number}"


@record
class Place:
    """A module below the class, by the labels that lead to it: ``features``, ``convs.0``."""

    labels: tuple[Label, ...]

    def __str__(self) -> str:
        return ".".join(map(str, self.labels))


@record
class Passed:
    """A module that belongs to another class: argument ``index`` among the modules that the body is passed."""

    index: int

    def __str__(self) -> str:
        return f"module{self.index}"


ModuleRef: TypeAlias = Place | Passed

# ---- members -----------------------------------------------------------------------------------------------


@record
class Layer:
    """An operator that is a module of its own: it owns weights, or has a label or a number in a seq."""

    label: Label
    facets: Facets


@record
class Part:
    """A module of another class, with values for its parameters."""

    label: Label
    of: Class
    arguments: tuple[tuple[str, Argument], ...] = ()


@record
class Group:
    """A declared list of modules (``let convs: [ … ]``): it holds them and computes nothing."""

    label: Label
    members: tuple[Member, ...]


@record
class OwnTensor:
    """A ``param`` or ``buffer`` of the class itself, which it has ``when`` a condition holds, if there is one.

    The contents of a buffer are computed once, by steps that read nothing but each other; ``held`` is their result.
    """

    label: str
    weight: Weight
    contents: tuple[Run, ...] = ()
    held: Var | None = None
    when: Condition | None = None


@record
class Optional:
    """A member that is made where the condition holds."""

    condition: Condition
    member: Layer | Part | Group

    @property
    def label(self) -> Label:
        return self.member.label


@record
class Repeated:
    """Members that each turn of a loop makes. ``variable`` counts the turns from 1 to ``count``, perhaps none."""

    variable: str
    count: Size
    members: tuple[Member, ...]

    @property
    def label(self) -> Label:
        return self.members[0].label


Member: TypeAlias = Layer | Part | Group | OwnTensor | Optional | Repeated

# ---- steps -------------------------------------------------------------------------------------------------

Cast: TypeAlias = str | int | None
"""How an input is converted first: ``float`` to float32, ``weight`` to the type of the layer's weight, a number to the
type of that input; None: not at all."""


@record
class Run:
    """Runs an operator. ``module`` is its layer, None for a function; ``casts`` is empty where no input is cast.

    ``formula`` is how the text computes a constant's numbers.
    """

    facets: Facets
    inputs: tuple[Var, ...]
    outputs: tuple[Var, ...]
    module: ModuleRef | None = None
    casts: tuple[Cast, ...] = ()
    formula: Formula | None = None


@record
class Call:
    """A run of another class: its body number ``body``, with values, and with modules that belong elsewhere."""

    module: ModuleRef
    of: Class
    body: int
    inputs: tuple[Var, ...]
    outputs: tuple[Var, ...]
    modules: tuple[ModuleRef, ...] = ()


@record
class Own:
    """Reads a tensor of the class itself."""

    label: str
    output: Var


@record
class Training:
    """The condition that the network is in training."""

    def __str__(self) -> str:
        return "training"


@record
class Joined:
    """A variable that has the value of one variable after an arm, and of another after the other."""

    output: Var
    then: Var
    otherwise: Var


@record
class Choose:
    """Runs ``then`` where the condition holds, else ``otherwise``.

    Variables that only one arm assigns may be read only where its condition holds; ``joined`` may be read behind both.
    """

    condition: Training | Condition
    then: tuple[Step, ...]
    otherwise: tuple[Step, ...] = ()
    joined: tuple[Joined, ...] = ()


@record
class Carried:
    """A variable that the turns of a loop hand on: ``start`` before the first, ``end`` after the last.

    A turn reads it as ``given`` and hands on ``made``. The types of ``given`` and ``made`` are those in any turn.
    """

    start: Var
    given: Var
    made: Var
    end: Var


@record
class For:
    """Runs its steps once in each turn. ``variable`` counts the turns from 1 to ``count``, perhaps none.

    What a turn assigns may be read in this turn alone, but for what is carried.
    """

    variable: str
    count: Size
    carried: tuple[Carried, ...]
    steps: tuple[Step, ...]


@record
class Output:
    """A result of the network: given always, or only in training. ``cast`` is a value whose type it is converted to."""

    name: str
    value: Var
    when_training: bool
    cast: Var | None = None


Step: TypeAlias = Run | Call | Own | Choose | For | Output

# ---- bodies and classes ------------------------------------------------------------------------------------


@record
class Body:
    """What a class computes. ``names`` are those of the inputs, where the text names them; ``modules`` counts the
    modules that it is passed."""

    inputs: tuple[Var, ...]
    steps: tuple[Step, ...]
    results: tuple[Var, ...]
    modules: int = 0
    names: tuple[str, ...] = ()


Kind: TypeAlias = Literal["int", "float", "bool", "layer", "list"]


@record
class Parameter:
    """What differs between the instances of a class, and is known when it is made; if ``is_optional``, none in some.

    ``items`` are the elements of a list; one without a name is the same in all instances.
    """

    name: str
    kind: Kind
    is_optional: bool = False
    items: tuple[Parameter, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """Its name and those of its elements."""
        return frozenset([self.name]).union(*(item.names for item in self.items)) - {""}


@record
class Local:
    """A number that the constructor of a class computes by a formula. ``is_named``: the text gives it its name."""

    name: str
    kind: Literal["int", "float"]
    formula: Formula
    is_named: bool

    @property
    def parameter(self) -> Parameter:
        """The same for a class within, which is given it."""
        return Parameter(self.name, self.kind)


@dataclass(frozen=True, eq=False)
class Class:
    """A class: the scope of the text that it was made from, its members in state-dict order, and its bodies.

    ``path`` is that of the first module of the class: it names a class whose scope has no name. The parameters of a
    class that ``is_local`` are those of the class around it, under the same names.
    """

    scope: Scope
    path: str
    members: tuple[Member, ...]
    bodies: tuple[Body, ...]
    parameters: tuple[Parameter, ...] = ()
    is_local: bool = False
    locals: tuple[Local, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The names of all that is known when it is made."""
        return frozenset[str]().union(*(p.names for p in self.parameters), (local.name for local in self.locals))

    @property
    def name(self) -> str | None:
        """The name of the definition in the text; None for a seq or a group."""
        return self.scope.name


@record
class Setting:
    """A parameter of the network's class: its name in the text of the model, and its value in this network."""

    parameter: Parameter
    label: str
    value: Argument
    is_default: bool = True
    """Whether the class has the value as its default."""


@dataclass(frozen=True, eq=False)
class Program:
    """A network: its name and its class, from which all other classes are reached, and the parameters of that."""

    name: str
    top: Class
    settings: tuple[Setting, ...] = ()

    @property
    def classes(self) -> tuple[Class, ...]:
        """All classes, each after those that it is made of."""
        return tuple(_callees_first(self.top, {}))


@dataclass(frozen=True)
class ClassTable:
    """Makes classes: one for equal members and bodies of the same text."""

    made: dict[tuple[object, ...], Class] = field(default_factory=dict)
    known: dict[Hashable, Facets] = field(default_factory=dict)

    def facets(self, node: Node) -> Facets:
        """The facets of an operator: one object for equal operators on inputs of equal types."""
        facets = node.facets
        return self.known.setdefault((exactly(facets.op), facets.inputs, facets.weights), facets)

    def intern(self, cls: Class) -> Class:
        """The class with these contents."""
        key = (cls.scope.text, cls.members, cls.bodies, cls.parameters, cls.is_local, cls.locals)
        return self.made.setdefault(key, cls)


def _callees_first(cls: Class, seen: dict[Class, None]) -> dict[Class, None]:
    if cls not in seen:
        for part in parts(cls.members):
            _callees_first(part.of, seen)
        seen[cls] = None
    return seen


def parts(members: Iterable[Member]) -> Iterator[Part]:
    """The modules of other classes among members, those in declared lists too."""
    for member in members:
        match member:
            case Part():
                yield member
            case Group(members=inner) | Repeated(members=inner):
                yield from parts(inner)
            case Optional(member=inner):
                yield from parts([inner])


def relabelled(member: Layer | Part | Group | Optional, label: str) -> Layer | Part | Group | Optional:
    """The same under another label."""
    if isinstance(member, Optional):
        return Optional(member.condition, replace(member.member, label=label))
    return replace(member, label=label)


def flattened(steps: Iterable[Step]) -> Iterator[Step]:
    """Steps with those inside choices and loops, each of these before what it holds."""
    for step in steps:
        yield step
        match step:
            case Choose(then=then, otherwise=otherwise):
                yield from flattened((*then, *otherwise))
            case For(steps=inner):
                yield from flattened(inner)


def assigned(step: Step) -> Iterator[Var]:
    """The variables that a step assigns, without those of steps in it."""
    match step:
        case Run(outputs=outputs) | Call(outputs=outputs):
            yield from outputs
        case Own(output=output):
            yield output
        case Choose(joined=joined):
            yield from (j.output for j in joined)
        case For(carried=carried):
            for c in carried:
                yield from (c.given, c.end)
        case Output():
            pass


def read(step: Step) -> Iterator[Var]:
    """The variables that a step reads, without those that steps in it read."""
    match step:
        case Run(inputs=inputs) | Call(inputs=inputs):
            yield from inputs
        case Choose(joined=joined):
            yield from (v for j in joined for v in (j.then, j.otherwise))
        case For(carried=carried):
            yield from (v for c in carried for v in (c.start, c.made))
        case Output(value=value, cast=cast):
            yield from (v for v in (value, cast) if v is not None)
        case Own():
            pass


def places_in(steps: Iterable[Step]) -> Iterator[Place]:
    """The places of the modules that steps run or pass, in order."""
    for step in flattened(steps):
        match step:
            case Run(module=Place() as place):
                yield place
            case Call(module=module, modules=modules):
                yield from (m for m in (module, *modules) if isinstance(m, Place))
            case _:
                pass
