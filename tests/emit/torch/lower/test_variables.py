"""Names of variables: those of the text, else ``x`` again and again while nothing else is wanted."""

from __future__ import annotations

from archdsl.emit.torch.lower.variables import named, sizes_in_place
from archdsl.program.hints import Hint

from .methods import after


def test_x_is_used_again() -> None:
    body = "v1 = self.a(x)\nv2 = self.b(v1)\nreturn v2\n"
    assert after(named, body) == "x = self.a(x)\nx = self.b(x)\nreturn x\n"


def test_a_value_that_is_wanted_keeps_its_name() -> None:
    body = "v1 = self.a(x)\nv2 = self.b(v1)\nreturn x + v2 + v1\n"
    assert after(named, body) == "out = self.a(x)\ny = self.b(out)\nreturn x + y + out\n"


def test_names_of_the_text_come_first() -> None:
    body = "v1 = self.a(x)\nv2 = self.b(x)\nreturn v1 + v2\n"
    hints = {"v1": Hint(("left", "branch")), "v2": Hint(("branch",))}
    assert after(named, body, hints) == "left = self.a(x)\nbranch = self.b(x)\nreturn left + branch\n"


def test_a_name_that_another_value_has_is_not_taken() -> None:
    body = "v1 = self.a(x)\nv2 = self.b(v1)\nreturn v1 + v2\n"
    hints = {"v1": Hint(("branch",)), "v2": Hint(("branch",))}
    assert after(named, body, hints) == "branch = self.a(x)\nx = self.b(branch)\nreturn branch + x\n"


def test_names_that_python_or_the_file_needs_are_not_taken() -> None:
    body = "v1 = self.a(x)\nreturn v1 + i\n"
    assert after(named, body, {"v1": Hint(("lambda", "torch", "i", "free"))}) == "free = self.a(x)\nreturn free + i\n"


def test_both_arms_give_one_variable() -> None:
    body = """
        v1 = self.a(x)
        if self.has_b:
            v2 = self.b(v1)
            v3 = v2
        else:
            v3 = v1
        return v3
    """
    assert after(named, body) == "x = self.a(x)\nif self.has_b:\n    x = self.b(x)\nreturn x\n"


def test_an_arm_that_does_nothing_is_left_out() -> None:
    body = """
        if self.is_plain:
            v1 = x
        else:
            v1 = self.b(x)
        return v1
    """
    assert after(named, body) == "if not self.is_plain:\n    x = self.b(x)\nreturn x\n"


def test_what_turns_hand_on_is_one_variable() -> None:
    body = """
        v1 = x
        for i in range(4):
            v2 = self[i](v1)
            v3 = torch.cat([v1, v2], dim=1)
            v1 = v3
        return v1
    """
    turn = "    out = self[i](x)\n    x = torch.cat([x, out], dim=1)\n"
    assert after(named, body) == f"for i in range(4):\n{turn}return x\n"


def test_a_value_from_before_a_loop_lives_through_it() -> None:
    body = """
        v1 = self.a(x)
        v2 = v1
        for i in range(4):
            v3 = v2 + v1
            v2 = v3
        return v2
    """
    result = after(named, body)
    assert result == "x = self.a(x)\nout = x\nfor i in range(4):\n    out = out + x\nreturn out\n"


def test_results_that_nothing_reads() -> None:
    assert after(named, "v1, v2 = self.a(x)\nreturn v2\n") == "_, x = self.a(x)\nreturn x\n"


def test_a_size_that_is_read_once_is_read_in_place() -> None:
    body = "n = x.shape[0]\nreturn self.token.expand(n, -1, -1)\n"
    assert after(sizes_in_place, body) == "return self.token.expand(x.shape[0], -1, -1)\n"


def test_a_size_that_is_read_often_has_a_variable() -> None:
    body = "n = x.shape[0]\nreturn x.view(n, n, n)\n"
    assert after(sizes_in_place, body) == body
