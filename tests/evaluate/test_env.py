"""Views of an environment show what was bound before them, whatever is bound later."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from archdsl.evaluate.values import MISSING, Env

NAMES = "abc"
STEPS = st.lists(st.tuples(st.sampled_from(["bind", "freeze"]), st.integers(0, 5), st.sampled_from(NAMES)), max_size=30)


@given(STEPS)
def test_as_if_each_view_were_a_copy(steps: list[tuple[str, int, str]]) -> None:
    """Views of views, and views in which names are bound, too."""
    around = Env(None, names={"c": "around"})
    made: list[tuple[Env, dict[str, object]]] = [(Env(around), {})]
    for value, (what, which, name) in enumerate(steps):
        env, expected = made[which % len(made)]
        if what == "bind":
            env.bind(name, value)
            expected[name] = value
        else:
            made.append((env.freeze(None), dict(expected)))
        for each, names in made:
            assert each.names == names
            assert list(each.names) == list(names)
            for known in NAMES:
                assert each.lookup(known) == names.get(known, "around" if known == "c" else MISSING)
