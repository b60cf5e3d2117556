"""Records beside `dataclasses.dataclass`: the same values, at a lower price."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace

import pytest

from archdsl.record import exactly, record


@record
class Point:
    x: int
    y: int = 0
    tags: list[str] = field(default_factory=list, compare=True)


@dataclass(frozen=True)
class Peer:
    x: int
    y: int = 0
    tags: list[str] = field(default_factory=list)


@record(kw_only=True)
class Named:
    name: str
    size: int = 3


@record
class Deep(Point):
    z: int = 1

    def __post_init__(self) -> None:
        if self.z < 0:
            raise ValueError("negative")


class Plain(Deep):
    """A subclass that is no record."""


@record(slots=True, eq=False)
class Slotted:
    a: int
    b: int = 2


@record(frozen=False, eq=False)
class Mutable:
    a: int


@record
class Fresh:
    a: int
    b: int


@record
class Pair:
    a: object
    b: object


CALLS = [((1,), {}), ((1, 2), {}), ((), {"x": 1}), ((1,), {"y": 2}), ((1, 2, ["a"]), {})]


@pytest.mark.parametrize(("args", "named"), CALLS)
def test_a_record_has_the_values_of_a_dataclass(args: tuple, named: dict) -> None:
    mine, peer = Point(*args, **named), Peer(*args, **named)
    assert vars(mine) == vars(peer)
    assert repr(mine) == repr(peer).replace("Peer", "Point")
    assert [f.name for f in fields(mine)] == [f.name for f in fields(peer)]
    assert Point.__match_args__ == Peer.__match_args__  # pyright: ignore[reportAttributeAccessIssue]
    assert replace(mine, y=9) == Point(mine.x, 9, mine.tags)


@pytest.mark.parametrize(("args", "named"), [((), {}), ((1, 2, [], 4), {}), ((1,), {"x": 1}), ((1,), {"w": 1})])
def test_wrong_arguments_are_refused_as_those_of_a_dataclass(args: tuple, named: dict) -> None:
    for cls in (Point, Peer):
        with pytest.raises(TypeError):
            cls(*args, **named)


def test_equality_is_of_class_and_fields() -> None:
    assert Pair(1, (2,)) == Pair(1, (2,))
    assert hash(Pair(1, (2,))) == hash(Pair(1, (2,)))
    assert Pair(1, 2) != Pair(1, 3)
    assert Point(1) != Deep(1)
    assert Deep(1) == Deep(1)
    assert Slotted(1) != Slotted(1)
    nan = float("nan")
    assert Pair(nan, 1) == Pair(nan, 1)  # the same object is equal to itself, as in tuples


def test_a_record_is_frozen_and_can_be_mutable() -> None:
    for made in (Point(1), Named(name="a"), Slotted(1), Plain(1)):
        with pytest.raises(FrozenInstanceError):
            made.x = 2  # type: ignore
    with pytest.raises(FrozenInstanceError):
        del Point(1).x  # type: ignore
    mutable = Mutable(1)
    mutable.a = 2
    assert mutable.a == 2


def test_each_instance_has_its_own_default() -> None:
    Point(1).tags.append("a")
    assert Point(1).tags == []


def test_a_record_extends_another() -> None:
    assert vars(Deep(1, 2, [], 3)) == {"x": 1, "y": 2, "tags": [], "z": 3}
    assert vars(Plain(5)) == {"x": 5, "y": 0, "tags": [], "z": 1}
    with pytest.raises(ValueError, match="negative"):
        Plain(1, z=-1)
    match Deep(1, 2):
        case Deep(x, y):
            assert (x, y) == (1, 2)


def test_fields_are_known_before_any_instance() -> None:
    @record
    class Late:
        a: int = 4

    @record
    class Later(Late):
        b: int = 5

    class Last(Later):
        pass

    assert [f.name for f in fields(Last)] == ["a", "b"]
    assert (Late.a, Later.b) == (4, 5)
    assert Last().b == 5


@pytest.mark.parametrize("made", [Point(1, 2, ["a"]), Named(name="n"), Slotted(1), Deep(1)])
def test_a_record_is_copied_and_pickled(made: object) -> None:
    for other in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert type(other) is type(made)
        assert repr(other) == repr(made)


def test_threads_may_make_the_first_instances_at_once() -> None:
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda n: Fresh(n, b=n), range(64)))
    assert made == [Fresh(n, n) for n in range(64)]


def test_a_key_tells_apart_what_is_equal_but_not_the_same() -> None:
    keys = {exactly(Pair(value, ())) for value in (1, 1.0, True)}
    assert len(keys) == 3
    assert exactly(Pair(1, (2, Pair(0.0, 0)))) != exactly(Pair(1, (2, Pair(-0.0, 0))))
    assert exactly(Pair(1, 2)) == exactly(Pair(1, 2))
