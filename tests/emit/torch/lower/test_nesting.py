"""Values that are used once are computed where they are used, if that reads well."""

from __future__ import annotations

from archdsl.emit.torch.lower.nesting import nested
from archdsl.program.hints import Hint

from .methods import after, statement


def test_within_a_statement_of_the_text() -> None:
    body = """
        v1 = self.conv1(x)
        v2 = F.relu(v1)
        v3 = self.conv2(v2)
        return v3 + v2
    """
    hints = {"v1": statement(1), "v2": statement(1), "v3": statement(2)}
    assert after(nested, body, hints) == "v2 = F.relu(self.conv1(x))\nreturn self.conv2(v2) + v2\n"


def test_statements_stay_apart() -> None:
    body = "v1 = self.conv1(x)\nv2 = self.conv2(v1)\nreturn v2, v1 + v2\n"
    assert after(nested, body, {"v1": statement(1), "v2": statement(2)}) == body


def test_an_activation_goes_with_the_layer_before() -> None:
    body = "v1 = self.conv1(x)\nv2 = F.relu(v1)\nreturn v2 + v2\n"
    hints = {"v1": statement(1), "v2": statement(2, is_light=True)}
    assert after(nested, body, hints) == "v2 = F.relu(self.conv1(x))\nreturn v2 + v2\n"


def test_branches_of_a_combinator() -> None:
    body = """
        v1 = self.branch1(x)
        v2 = self.branch2(x)
        v3 = torch.cat([v1, v2], dim=1)
        return v3 + v3
    """
    hints = {"v1": statement(1), "v2": statement(2), "v3": statement(0, is_merged=True)}
    assert after(nested, body, hints).startswith("v3 = torch.cat([self.branch1(x), self.branch2(x)], dim=1)\n")


def test_a_value_that_is_read_twice_keeps_its_name() -> None:
    body = "v1 = self.conv1(x)\nreturn v1 + v1\n"
    assert after(nested, body) == body


def test_a_value_that_the_author_named_keeps_its_name() -> None:
    body = "v1 = self.conv1(x)\nreturn F.relu(v1)\n"
    assert after(nested, body, {"v1": Hint(("tokens",), is_named=True)}) == body


def test_random_numbers_are_drawn_in_the_order_of_the_text() -> None:
    body = """
        v1 = F.dropout(x)
        v2 = F.dropout(x)
        return self.join(v2, v1)
    """
    hints = {name: statement(1, is_random=True) for name in ("v1", "v2")}
    assert after(nested, body, hints) == "v1 = F.dropout(x)\nreturn self.join(F.dropout(x), v1)\n"


def test_a_module_runs_again_in_the_order_of_the_text() -> None:
    body = "v1 = self.norm(x)\nv2 = self.norm(x + 1)\nreturn self.join(v2, v1)\n"
    assert after(nested, body) == "v1 = self.norm(x)\nreturn self.join(self.norm(x + 1), v1)\n"


def test_what_a_loop_changes_is_read_before_it() -> None:
    body = """
        v1 = x
        v2 = v1 * 2
        for i in range(3):
            v1 = v1 + 1
        return v2 + v1
    """
    assert "v2 = v1 * 2\nfor i in range(3):\n" in after(nested, body)


def test_calls_are_nested_three_deep() -> None:
    body = "".join(f"v{k + 1} = f{k}(v{k})\n" for k in range(1, 6)) + "return v6 + v6\n"
    hints = {f"v{k}": statement(1) for k in range(1, 7)}
    assert after(nested, body, hints) == "v4 = f3(f2(f1(v1)))\nv6 = f5(f4(v4))\nreturn v6 + v6\n"


def test_long_lines_are_not_nested() -> None:
    body = f"v1 = self.{'a' * 40}(x)\nv2 = self.{'b' * 40}(v1)\nreturn v2 + v2\n"
    assert after(nested, body, {"v1": statement(1), "v2": statement(1)}) == body


def test_two_arms_that_are_expressions_are_one() -> None:
    body = """
        if self.training:
            v1 = self.head(x)
        else:
            v1 = None
        return x, v1
    """
    assert after(nested, body) == "return x, self.head(x) if self.training else None\n" or (
        after(nested, body) == "v1 = self.head(x) if self.training else None\nreturn x, v1\n"
    )


def test_what_only_one_arm_reads_is_none_nowhere() -> None:
    body = """
        if self.training:
            v1 = self.pool(x)
            v2 = self.head(v1)
        else:
            v1 = None
            v2 = None
        return x, v2
    """
    assert "v1" not in after(nested, body, {"v1": statement(1), "v2": statement(1)})
