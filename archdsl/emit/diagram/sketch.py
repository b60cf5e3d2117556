"""The units of a panel and what flows between them: which operators share a card, which groups are one card.

Rule 1 of folding: norms, activations and dropouts fuse into the card before them where they alone read it. Rule 2:
equal cards in a row become one, with a count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from archdsl.dims import Size
from archdsl.emit.diagram.fold import Run, folded, leaves, operator_key
from archdsl.emit.diagram.outline import Group, Leaf, Merge, Network, Part, does_nothing, is_sum
from archdsl.emit.diagram.text import ELLIPSIS
from archdsl.emit.diagram.theme import Kind
from archdsl.emit.diagram.words import SIGNS, kind_of, last_name, parent, same_numbers, title_of, transposed
from archdsl.graph import GraphOutput, Node, Value
from archdsl.ops.dropout import Inert
from archdsl.ops.elementwise import Arithmetic
from archdsl.ops.merge import Add, Concat, Mul
from archdsl.ops.tensor import OwnTensor

MOST_NAMES = 3
"""Of what a loop does in a turn, in the title of a card that represents turns."""


@dataclass(eq=False)
class Unit:
    """What becomes one item of a panel.

    ``value`` is its (last) output, one of ``outputs``; ``sources`` feed it. ``groups`` are those that a folded card
    represents: none for operators. ``sign`` makes it a junction. ``is_aside`` is a card on a shortcut, ``is_tensor`` a
    parameter of the model's own. Between the bars ``is_fork`` and ``is_join`` each unit has the number of its
    ``branch``.
    """

    kind: Kind
    title: str
    nodes: list[Node] = field(default_factory=list)
    value: Value | None = None
    details: list[str] = field(default_factory=list)
    groups: tuple[Group, ...] = ()
    sign: str = ""
    count: int = 1
    is_aside: bool = False
    is_tensor: bool = False
    is_join: bool = False
    is_fork: bool = False
    sources: list[Unit] = field(default_factory=list)
    branch: int | None = None
    outputs: tuple[Value, ...] = ()
    arriving: dict[Unit, dict[Value, None]] = field(default_factory=dict)
    """The values that come from each folded card among the sources."""

    @property
    def members(self) -> list[Sequence[Node]]:
        """The nodes of each of the ``count`` equal parts that the card represents."""
        if self.groups:
            return [group.nodes for group in self.groups]
        size = len(self.nodes) // self.count
        return [self.nodes[start : start + size] for start in range(0, size * self.count, size or 1)]

    @property
    def is_plain(self) -> bool:
        """A card of operators: neither a folded group, nor a junction, nor an end of the network."""
        return not self.groups and not self.sign and self.kind not in ("io", "merge") and not self.is_fork

    @property
    def is_merge(self) -> bool:
        return bool(self.sign) or self.kind == "merge"


IsOpen = Callable[[Group], bool | None]
"""Whether a group is opened; None leaves it to whether there is anything in it to fold."""


class Sketch:
    """The units of some parts of a network, in the order in which they run, joined to each other."""

    def __init__(
        self, network: Network, parts: Sequence[Part], is_open: IsOpen, outputs: Sequence[GraphOutput] = ()
    ) -> None:
        self.network = network
        self.units: list[Unit] = []
        self._entries: list[Unit] = []
        self._is_open = is_open
        self._home: dict[Value, Unit] = {}
        self._branches: list[tuple[Unit, list[list[Unit]]]] = []
        self._visit(parts)
        self._join()
        self._give(outputs)
        self.units = [*self._entries, *self.units]
        self._fold_cards()
        self._fork()

    # ---- units ----

    def _visit(self, parts: Sequence[Part]) -> None:
        for part in folded(self.network, parts):
            match part:
                case Leaf(node=node):
                    self._leaf(node)
                case Run():
                    self._run(part)
                case Merge():
                    self._merge(part)
                case Group():
                    raise AssertionError("groups come in runs")

    def _at(self, value: Value) -> Unit:
        """The unit that gives a value; one for the value itself where it comes from outside."""
        if value not in self._home:
            self._home[value] = Unit("io", self.network.names.get(value, "x"), value=value)
            self._entries.append(self._home[value])
        return self._home[value]

    def _add(self, unit: Unit, nodes: Sequence[Node]) -> None:
        unit.nodes = list(nodes)
        for node in nodes:
            self._home.update(dict.fromkeys(node.outputs, unit))
        self.units.append(unit)

    def _leaf(self, node: Node) -> None:
        if node in self.network.constants or node in self.network.unread:
            return
        sources = self.network.sources(node)
        if len(sources) == 1 and self._absorbed(self._at(sources[0]), node, sources[0]):
            return
        sign = self._sign(node)
        kind = "other" if kind_of(node) == "merge" and not sign else kind_of(node)
        is_tensor = isinstance(node.op, OwnTensor)
        self._add(Unit(kind, self._title(node), value=node.output, sign=sign, is_tensor=is_tensor), [node])

    def _title(self, node: Node) -> str:
        """The operator's title; of arithmetic with a constant tensor it states that tensor: ``× window``."""
        title, constants = title_of(node), [v for v in node.inputs if v not in self.network.sources(node)]
        if len(constants) != 1 or not isinstance(node.op, Arithmetic | Mul | Add):
            return title
        table = self.network.constant_name(constants[0])
        sign = SIGNS.get(title, title).replace("*", "×")
        return f"{table} {sign}" if constants[0] is node.inputs[0] and sign in "−÷" else f"{sign} {table}"

    def _sign(self, node: Node) -> str:
        """The sign in the circle where different units meet; empty where none do."""
        if len({self._at(value) for value in self.network.sources(node)}) < 2:
            return ""
        if isinstance(node.op, Arithmetic):
            return SIGNS.get(node.op.op, "")
        return "+" if is_sum(node) else "×" if isinstance(node.op, Mul) else ""

    def _absorbed(self, home: Unit, node: Node, value: Value) -> bool:
        """Let a card take in an operator that changes what it gives but little."""
        if does_nothing(node):
            self._take_in(home, node)
            return True
        if home.value is not value or not self.network.is_only_for(value, node):
            return False
        word = _fused(home, node, self.network)
        if word is None:
            return False
        if word:
            home.details.append(word)
        self._take_in(home, node)
        return True

    def _take_in(self, home: Unit, node: Node) -> None:
        home.nodes.append(node)
        self._home[node.output] = home
        if home.value is node.inputs[0]:
            home.value = node.output

    def _run(self, run: Run) -> None:
        if any(self._opens(group) for group in run.groups) or len(run.groups) == 1:
            for group in run.groups:
                self._group(group)
        else:
            self._folded(run.groups, run.notes)

    def _opens(self, group: Group) -> bool:
        """A turn of a loop is opened where it is the only one, or does nothing worth repeating."""
        wanted = self._is_open(group)
        if wanted is None:
            return is_trivial(self.network, group) or (group.instance is None and not has_merge(group))
        return wanted

    def _group(self, group: Group) -> None:
        is_lone_turn = group.instance is None and self._is_open(group) is None
        if is_lone_turn or self._opens(group):
            self._visit(group.parts)
        else:
            self._folded((group,), ())

    def _folded(self, groups: Sequence[Group], notes: Sequence[str]) -> None:
        nodes = [node for group in groups for node in group.nodes]
        if all(node in self.network.constants or node in self.network.unread for node in nodes):
            return
        given = leaves(self.network, groups[-1])
        value = given[-1] if given else nodes[-1].output
        attends = not self.network.attentions.isdisjoint(nodes) and self.network.residuals.isdisjoint(nodes)
        unit = Unit(
            "attention" if attends else "block", group_title(self.network, groups[0]), value=value,
            groups=tuple(groups), count=len(groups), details=list(notes), outputs=tuple(given),
        )  # fmt: skip
        self._add(unit, nodes)

    def _merge(self, merge: Merge) -> None:
        branches: list[list[Unit]] = []
        for branch in merge.branches:
            first = len(self.units)
            self._visit(branch)
            branches.append(self.units[first:])
        nodes = [node for node in merge.merged.nodes if node not in self.network.constants]
        if not nodes:
            return
        node = nodes[-1]
        unit = Unit("merge", self._title(node), value=node.output, sign=self._sign(node))
        self._add(unit, nodes)
        if merge.is_residual and len(branches) == 2 and all(u.is_plain for u in branches[1]):
            for aside in branches[1]:
                aside.is_aside = True
        elif isinstance(node.op, Concat):
            self._branches.append((unit, branches))

    # ---- what flows ----

    def _join(self) -> None:
        """Edges are those of the graph between nodes of different units."""
        for unit in self.units:
            own = set(unit.nodes)
            for node in unit.nodes:
                for value in self.network.sources(node):
                    source = self._at(value)
                    if self.network.graph.producer.get(value) in own or source is unit:
                        continue
                    if source not in unit.sources:
                        unit.sources.append(source)
                    if source.groups:
                        unit.arriving.setdefault(source, {})[value] = None

    def _give(self, outputs: Sequence[GraphOutput]) -> None:
        for output in outputs:
            unit = Unit("io", output.name, value=output.value, sources=[self._at(output.value)])
            unit.details += ["training only"] if output.when_training else []
            self.units.append(unit)

    def readers(self) -> dict[Unit, list[Unit]]:
        found: dict[Unit, list[Unit]] = {unit: [] for unit in self.units}
        for unit in self.units:
            for source in unit.sources:
                found[source].append(unit)
        return found

    def _fold_cards(self) -> None:
        """Equal cards of operators in a row become one."""
        readers = self.readers()
        gone: dict[Unit, Unit] = {}
        for unit in self.units:
            if len(unit.sources) != 1:
                continue
            before = gone.get(unit.sources[0], unit.sources[0])
            if len(readers[unit.sources[0]]) == 1 and _same_face(before, unit):
                before.count += unit.count
                before.nodes += unit.nodes
                before.value = unit.value
                gone[unit] = before
        self.units = [u for u in self.units if u not in gone]
        for unit in self.units:
            unit.sources = [gone.get(s, s) for s in unit.sources]

    def _fork(self) -> None:
        """Branches of one value that are plain chains and meet in a concatenation are set between two bars."""
        present = set(self.units)
        for unit, branches in self._branches:
            kept = [[u for u in branch if u in present] for branch in branches]
            if len(kept) < 2 or not all(kept):
                continue
            stream = kept[0][0].sources[:1]
            ends = [branch[-1] for branch in kept]
            if stream and all(_is_chain(branch, stream[0]) for branch in kept) and unit.sources == ends:
                fork = Unit("merge", "", sources=stream, is_fork=True)
                self.units.insert(self.units.index(kept[0][0]), fork)
                for number, branch in enumerate(kept):
                    branch[0].sources = [fork]
                    for member in branch:
                        member.branch = number
                unit.is_join = True


def _is_chain(branch: list[Unit], stream: Unit) -> bool:
    before = stream
    for unit in branch:
        if not (unit.is_plain or unit.groups) or unit.sources != [before]:
            return False
        before = unit
    return True


def _same_face(a: Unit, b: Unit) -> bool:
    if not (a.is_plain and b.is_plain) or a.is_tensor or a.is_aside is not b.is_aside:
        return False
    assert a.value is not None
    assert b.value is not None
    alike = (a.kind, a.title, a.details, a.value.shape) == (b.kind, b.title, b.details, b.value.shape)
    return alike and a.kind not in ("reshape", "act", "norm") and _same_operators(a, b)


def _same_operators(a: Unit, b: Unit) -> bool:
    """Argument by argument, whatever a card shows; only convolutions may differ in the channels that they read."""
    if len(a.nodes) != a.count * len(b.nodes):
        return False
    first = a.nodes[: len(b.nodes)]
    return all(
        operator_key(one) == operator_key(other)
        and (a.kind == "conv" or [w.shape for w in one.weights] == [w.shape for w in other.weights])
        for one, other in zip(first, b.nodes, strict=True)
    )


def _fused(home: Unit, node: Node, network: Network) -> str | None:
    """The word that a card adds when it takes in an operator ("" for none); None where it has a card of its own."""
    if home.kind == "io" or home.is_merge:
        return None
    if home.is_tensor:
        return "" if node in network.stored and not node.weights else None
    if isinstance(node.op, Inert):
        return title_of(node)
    if home.groups:
        return None  # what a folded card represents is the block's own
    if kind_of(node) == "reshape":
        if same_numbers(node.inputs[0], node.output) and home.kind != "reshape":
            return ""
        return transposed(node)
    if kind_of(node) in ("norm", "act") and home.kind not in ("act", "reshape"):
        return title_of(node)
    return None


# ---- groups ------------------------------------------------------------------------------------------------


def is_trivial(network: Network, group: Group) -> bool:
    """Does a group open into a single card that shows more than its own would? Then it is never shown folded.

    Of a block, all runs do or none, so that the same block always looks the same.
    """
    kin = [group] if group.block is None else network.runs_of[group.text]
    return all(_is_one_card(network, member) for member in kin)


def _is_one_card(network: Network, group: Group) -> bool:
    if group not in network.single:
        units = [u for u in Sketch(network, group.parts, lambda _: None).units if u.kind != "io"]
        is_more = all(not unit.groups or unit.count > 1 or group.block is None for unit in units)
        network.single[group] = len(units) <= 1 and is_more
    return network.single[group]


def has_merge(group: Group) -> bool:
    return any(isinstance(part, Merge) for part in group.parts)


def group_title(network: Network, group: Group) -> str:
    """What a folded group is called: its block's name, else its label; a loop's turn, for what is in it."""
    if group.path is not None:
        return group.block or label_of(group.path)
    inner = [part for part in _members(group.parts) if isinstance(part, Group)]
    if len(inner) == 1:
        return group_title(network, inner[0])
    units = [u.title for u in Sketch(network, group.parts, lambda _: None).units if u.is_plain or u.groups]
    names = list(dict.fromkeys(title.partition(",")[0] for title in units))
    return " · ".join([*names[:MOST_NAMES], *([ELLIPSIS] if len(names) > MOST_NAMES else [])])


def label_of(path: str) -> str:
    """The last name of a path; a number with the name that it belongs to: ``down1.0``."""
    name, above = last_name(path), parent(path)
    return f"{last_name(above)}.{name}" if name.isdecimal() and above else name


def _members(parts: Sequence[Part]) -> list[Part]:
    """Parts with those of their merges' branches."""
    found: list[Part] = []
    for part in parts:
        found.append(part)
        if isinstance(part, Merge):
            for branch in part.branches:
                found += _members(branch)
    return found


def params_of(network: Network, nodes: Sequence[Node]) -> Size:
    return sum((network.params[node] for node in nodes), start=0)
