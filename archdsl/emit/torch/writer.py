"""What the parts of a class's writer share, and the tasks that they ask of each other."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from archdsl.emit.torch.flow import Flow, ListInput, Slot
from archdsl.emit.torch.rows import Row, Strand
from archdsl.emit.torch.state import Level, Make, Making, Parameter, Reach, State
from archdsl.graph import Instance, Module, Node, Scope, Value
from archdsl.syntax import tree

if TYPE_CHECKING:
    from archdsl.emit.torch.file import File
    from archdsl.evaluate.values import Env


@dataclass(eq=False)
class ClassDef:
    """A class that is done: what its callers must give."""

    name: str
    node: ast.ClassDef
    parameters: list[Parameter]
    sizes: dict[Parameter, tuple[int, int]]
    """Arguments that are the size of an axis of an input: which input, which axis."""
    inputs: list[dict[Instance, Value]]
    """For each input of ``forward``, the value that arrives in each instance."""
    lists: list[ListInput | None] = field(default_factory=list)
    """For each of these, the list that it is given in."""
    outputs: list[str] = field(default_factory=list)
    """What ``forward`` calls what it returns."""


@dataclass(frozen=True)
class Output:
    """A value that ``forward`` returns; the model's have names."""

    name: str
    slot: Slot
    when_training: bool


class Writer(ABC):
    """Writes one class from its instances."""

    def __init__(self, file: File, instances: Sequence[Instance]) -> None:
        self.file = file
        self.instances = list(instances)
        self.scope: Scope = instances[0].scope
        self.rows = [Row(instance) for instance in instances]
        self.top = Flow()
        self.init: list[Making] = []
        self.state = State()
        self.outputs: list[Output] = []
        self.annotations: list[str] = []
        """Buffers, whose types the class states."""
        self.constant_names: dict[Slot, str] = {}
        self.constants: list[tuple[Slot, ast.expr, list[Making]]] = []
        """Tables in the text: their slots, what they hold, and where they are made."""
        self.arguments: dict[Module, Sequence[ast.expr]] = {}
        """What the constructor gives each module by position."""
        self.may_set_first_apart = False
        """In a loop that takes different numbers of turns: its first turn may differ from the others."""
        self.list_input: ListInput | None = None
        """The list that arrives on the stream."""
        self.is_list = False
        """The class is an ``nn.ModuleList``: a seq whose numbered members do not follow each other."""
        self.late: list[ast.stmt] = []
        """Initial values that are exceptions to those of a loop: they stand behind it."""

    @property
    def is_top(self) -> bool:
        """The class is the model's: nobody gives it arguments that the spec has not."""
        return self.scope.kind == "model" and self.instances[0].module.path == ""

    @abstractmethod
    def look(self, wanted: Sequence[tuple[Row, Value]], flow: Flow) -> Slot:
        """The slot that holds these values.

        Raises:
            Conflict: there is none.
        """

    @abstractmethod
    def size_of(self, slot: Slot, axis: int, level: Level, asker: str = "") -> ast.expr:
        """The size of an axis in terms of the constructor, or of ``forward``. ``asker`` is the layer that is made.

        Raises:
            NoValue: it cannot be said so.
        """

    @abstractmethod
    def fill(
        self,
        values: Sequence[Any],
        rows: Sequence[Row],
        flow: Flow,
        *,
        written: Sequence[tuple[tree.Node, Env]] = (),
        hints: Sequence[ast.expr] = (),
        name: str = "value",
        level: Level = "init",
    ) -> ast.expr:
        """An expression that has, in every row, the value that the checked graph has there.

        Raises:
            Conflict: one text cannot say it.
        """

    @abstractmethod
    def direct_inits(self, rows: Sequence[Row], nodes: Sequence[Node], target: Reach, flow: Flow) -> list[ast.stmt]:
        """Initial values that are set next to a layer."""

    @abstractmethod
    def has_init_loop(self, layer: ast.Call) -> bool:
        """Does a loop of this class set the initial values of layers of a kind?"""

    @abstractmethod
    def sequence(self, strands: Sequence[Strand], scratch: Flow, label: str) -> Make:
        """An ``nn.Sequential`` of what happened. ``label`` is a name for a variable, should it need one."""

    @abstractmethod
    def callee(self, instances: Sequence[Instance], rows: Sequence[Row]) -> ClassDef:
        """The class of some instances.

        Raises:
            Conflict: they are of several.
        """

    @abstractmethod
    def instantiate(
        self,
        made: ClassDef,
        rows: Sequence[Row],
        instances: Sequence[Instance],
        envs: Sequence[Env],
        inputs: Sequence[Slot],
        flow: Flow,
    ) -> ast.Call:
        """The call of a class's constructor."""
