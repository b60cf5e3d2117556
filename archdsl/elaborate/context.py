"""What the builder carries along: where it stands (``Here``), what it has found, and how faults are caught.

Inside the builder a fault is an exception, caught at the statement it spoils: it becomes one diagnostic, the names
that the statement would have bound become ``BAD``, and whatever touches those is left out in silence. One fault, one
message.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from archdsl.diagnostics.base import Diagnostic, Frame
from archdsl.diagnostics.names import TooMuch
from archdsl.dims import Needs, Size
from archdsl.evaluate.env import MISSING, Env, FileScope
from archdsl.evaluate.memory import Memory
from archdsl.evaluate.names import family
from archdsl.evaluate.values import BAD, Applicable, DeclaredLayer, Given, Layer, Poison
from archdsl.graph import Event, GraphInput, GraphOutput, Instance, Module, Node, Scope, Value
from archdsl.op import DType, Facets, Op
from archdsl.syntax import tree

MAX_STEPS = 1_000_000
"""Expressions evaluated for one model: beyond any network (Swin v2-B takes 703,000), two seconds of work."""
BLOCK_STEPS = 40
"""What expanding a block costs, counted in expressions."""
MAX_NODES = 12_000
"""Three times ResNet-1202, which has 4,210."""
MAX_NESTING = 60
"""Blocks inside blocks."""

Defaults = Mapping[object, Mapping[str, Given]]
"""What ``with`` set: for an operator's class or a block's definition, values of arguments."""


class Fault(Exception):
    """A diagnostic on its way to the statement that catches it."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class Abort(Exception):
    """The spec is beyond what is built; its diagnostic is reported already."""


@dataclass(slots=True)
class Counter:
    """Members of a seq so far; ``formerly`` with the values that archdsl 0.1 numbered too."""

    count: int = 0
    formerly: int = 0


@dataclass(slots=True)
class Here:
    """Where the builder stands in the text and in the network."""

    env: Env
    stream: Any
    events: list[Event]
    instance: Instance
    module: Module
    counter: Counter | None = None
    """Numbers the members of a seq; None elsewhere."""
    defaults: Defaults = field(default_factory=dict)
    again: bool = False
    """In a later run of a shared module: its parts exist already."""
    arrived: Any = None
    """What was on the stream before the chain that is being run."""
    said: tuple[Any, tree.Node] | None = None
    """A list of numbers that is on the stream, and the expression that gave it."""
    in_expression: bool = False
    """Within an expression that gives a value: a layer without a name of its own takes no number there."""

    def aside(self, stream: Any, events: list[Event] | None = None, env: Env | None = None) -> Here:
        """The same place with a stream of its own: a branch, a chain in a ``let``."""
        return Here(
            env or self.env,
            stream,
            self.events if events is None else events,
            self.instance,
            self.module,
            self.counter,
            self.defaults,
            self.again,
            in_expression=self.in_expression,
        )

    def seen(self) -> Env:
        """The environment as it is now, to be kept by an event or a closure."""
        return self.env.freeze(self.stream)


@dataclass(frozen=True, slots=True)
class Naming:
    """How a layer about to run gets its place in the module tree: by a label, or by a declaration (``module``)."""

    label: str | None = None
    site: tree.Node | None = None
    module: Module | None = None
    is_value: bool = False
    """An operation that is written as a value (``a + b``, ``x[0]``): it has no place."""


UNNAMED = Naming()
VALUE = Naming(is_value=True)


class Context(ABC):
    """The builder's state, and the tasks that its parts ask of each other."""

    def __init__(self, needs: Needs, in_claim: bool) -> None:
        self.needs = needs
        self.in_claim = in_claim
        """Labels are optional in a claim: nothing of it is compiled."""
        self.nodes: list[Node] = []
        self.producer: dict[Value, Node] = {}
        """The operator that gives a value, in the graph or in the contents of a buffer."""
        self._held: dict[Value, tuple[tuple[Node, ...], Value]] = {}
        """For each buffer, the operators that compute what it holds, and their result."""
        self.inputs: list[GraphInput] = []
        self.outputs: list[GraphOutput] = []
        self._said: dict[Value, tree.Input] = {}
        """Where the text states each input."""
        self.diagnostics: list[Diagnostic] = []
        self.spoilt = False
        """Something was left out because of a fault, found here or in a file."""
        self.frames: list[Frame] = []
        self.active: list[tree.Node] = []
        """Definitions being expanded, outermost first."""
        self.top: tree.Block | None = None
        """The model that is being built."""
        self.lost_families: list[re.Pattern[str]] = []
        """Computed names that a fault left unbound: what they may be is not unknown."""
        self._reported: set[object] = set()
        self.memory = Memory()
        """What functions and comprehensions gave on plain numbers, in any model of the file."""
        self.charged: set[Hashable] = set()
        """What is remembered, and paid for by this model."""
        self.counted: set[Value] = set()
        """What comprehensions over symbolic ranges gave: at a known size these are lists."""
        self._constants: dict[int, tuple[Any, Facets]] = {}
        """Lists that were used as values, by identity, with the operators that give their numbers."""
        self._ends: dict[tuple[Instance, type, str], tree.Input | tree.Output] = {}
        """Where each input and output of a run of a scope was stated first."""
        self._scopes: dict[object, Scope] = {}
        self._instances: dict[Module, Instance] = {}
        """The first run of each scope's module."""
        self._declared: list[DeclaredLayer] = []
        """Declared modules of the scopes that are open, outermost first."""
        self._counting: list[tuple[str, Size]] = []
        """Variables of the open comprehensions that are values, outermost first, with how many numbers each takes."""
        self._in_comprehension = False
        """What stands inside one is not remembered by itself: it may be different in each turn."""
        self._layers: dict[Module, Facets] = {}
        """The operators at modules, as in their first run."""
        self._run: dict[Module, Defaults] = {}
        """Declared modules that ran, with the defaults at their first run: a module is made once."""
        self._facets: dict[object, Facets] = {}
        """See `FileScope.facets`: of the file whose model is built."""
        self._steps = 0
        self._values = 0

    # ---- the parts' tasks for each other ----

    @abstractmethod
    def evaluate(self, node: tree.Expr | tree.Labelled, here: Here) -> Any:
        """The value of an expression; runs operators where it computes with values."""

    @abstractmethod
    def computed_text(self, node: tree.Label, here: Here) -> str:
        """The text of a name or label, its expressions evaluated."""

    @abstractmethod
    def run_item(self, item: tree.ChainItem, here: Here, head: bool) -> None:
        """One item of a chain: moves ``here.stream``."""

    @abstractmethod
    def apply(self, layer: Layer, here: Here, site: tree.Node, naming: Naming = UNNAMED) -> None:
        """A layer applied to the stream."""

    @abstractmethod
    def run_scope(self, text: tree.Body | tree.Seq | tree.Combine | tree.Residual, here: Here) -> None:
        """What a scope or a transparent group does with the stream."""

    @abstractmethod
    def check_declared(self, since: int) -> None:
        """Report the declared modules of a scope that ends that never ran: those after the first ``since``."""

    @abstractmethod
    def constant(self, items: Any, site: tree.Node, here: Here) -> Value:
        """A nested list of numbers as a value."""

    @abstractmethod
    def as_tensor(self, value: Any, site: tree.Node, here: Here) -> Any:
        """A list of numbers where a value is wanted is a constant tensor; all else is itself."""

    @abstractmethod
    def run_op(
        self,
        op: Op,
        inputs: tuple[Value, ...],
        here: Here,
        site: tree.Node,
        naming: Naming = VALUE,
        written: Mapping[str, tuple[tree.Node, Env]] | None = None,
    ) -> tuple[Value, ...]:
        """An operator on values: infers, finds its place, records node and event."""  # fmt: skip

    @abstractmethod
    def bind_parameters(
        self,
        name: str,
        params: tuple[tree.Param, ...],
        layer: Applicable,
        file: FileScope,
        here: Here,
        site: tree.Node,
        defaults: Mapping[str, Given],
    ) -> tuple[dict[str, Any], dict[str, Given]]:
        """Values of a definition's parameters, and those that were given."""  # fmt: skip

    # ---- faults and budget ----

    def report(self, diagnostic: Diagnostic) -> None:
        """Add a diagnostic with the trace of where we are; the same fault in another instance is not repeated."""
        key = (diagnostic.code, diagnostic.span)
        if key in self._reported:
            return
        self._reported.add(key)
        if not diagnostic.trace:
            diagnostic = replace(diagnostic, trace=tuple(reversed(self.frames)))
        self.diagnostics.append(diagnostic)

    def catching(
        self, here: Here, spoilt: tuple[tree.Pattern | None, ...] = (), shape: tree.Shape | None = None
    ) -> Catching:
        """Catch the faults of a statement: the stream, the names it would bind and the sizes it names become BAD."""
        return Catching(self, here, spoilt, shape)

    def spoil(self, here: Here, patterns: tuple[tree.Pattern | None, ...]) -> None:
        """The stream, and the names of patterns, are BAD from here on."""
        self.spoilt = True
        here.stream = BAD
        for pattern in patterns:
            match pattern:
                case tree.Name():
                    here.env.bind(pattern.text, BAD)
                case tree.Unpack():
                    self.spoil(here, pattern.items)
                case tree.Computed():
                    self._spoil_computed(pattern, here)

    def _spoil_computed(self, pattern: tree.Computed, here: Here) -> None:
        try:
            here.env.bind(self.computed_text(pattern, here), BAD)
        except (Fault, Poison):
            self.lost_families.append(family(pattern))

    def spend(self, node: tree.Node, steps: int = 1) -> None:
        """Count work; stop building where a spec asks for absurdly much."""
        self._steps += steps
        if self._steps > MAX_STEPS:
            self.give_up(TooMuch(span=node.span, limit=f"{MAX_STEPS:,}", what="evaluation steps"))

    def give_up(self, diagnostic: Diagnostic) -> None:
        self.report(diagnostic)
        raise Abort

    # ---- values and frames ----

    def new_value(self, shape: tuple, dtype: DType) -> Value:
        value = Value(self._values, shape, dtype)
        self._values += 1
        return value

    def add_node(self, node: Node) -> None:
        self.nodes.append(node)
        self.producer.update(dict.fromkeys(node.outputs, node))
        if len(self.nodes) > MAX_NODES:
            self.give_up(TooMuch(span=node.span, limit=f"{MAX_NODES:,}", what="layers"))


class Catching:
    """See ``Context.catching``; a class of its own costs less than a generator, and every statement has one."""

    __slots__ = ("_context", "_here", "_shape", "_spoilt")

    def __init__(
        self, context: Context, here: Here, spoilt: tuple[tree.Pattern | None, ...], shape: tree.Shape | None
    ) -> None:
        self._context = context
        self._here = here
        self._spoilt = spoilt
        self._shape = shape

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, Fault | Poison):
            return False
        if isinstance(error, Fault):
            self._context.report(error.diagnostic)
        self._context.spoil(self._here, (*self._spoilt, *_sizes_named(self._shape, self._here.env)))
        return True


def require_good(arguments: Iterable[Given]) -> None:
    """Nothing is called with what a fault made unknown.

    Raises:
        Poison: an argument is.
    """
    if any(given.value is BAD for given in arguments):
        raise Poison


def _sizes_named(shape: tree.Shape | None, env: Env) -> list[tree.Name]:
    """The names in a stated shape that it would have bound."""
    dims = shape.dims if shape is not None else ()
    return [d for d in dims if isinstance(d, tree.Name) and d.text[:1].isupper() and env.lookup(d.text) is MISSING]
