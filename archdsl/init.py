"""Initial values of parameters: distributions as data. The distribution is promised, not the draws under a seed.

Names, arguments and formulas are those of ``torch.nn.init``.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, ClassVar, Literal

from archdsl.record import record

if TYPE_CHECKING:
    from archdsl.dims import Size

MAX_FLOAT = (2 - 2**-23) * 2.0**127
"""The largest number of float32, the type of every parameter."""


@record
class Init:
    """Base of the distributions; ``name`` is the word of the language."""

    name: ClassVar[str]
    has_fans: ClassVar[bool] = False
    """Whether the variance depends on the fans of the weight, which only a weight of two axes or more has."""

    @property
    def text(self) -> str:
        """As the language writes it: ``ones``, ``constant(0.25)``, ``kaiming_normal(mode="fan_out")``."""
        given = []
        for field in fields(self):
            value = getattr(self, field.name)
            shown = f'"{value}"' if isinstance(value, str) else f"{value}"
            if field.default is MISSING:
                given.append(shown)
            elif value != field.default:
                given.append(f"{field.name}={shown}")
        return f"{self.name}({', '.join(given)})" if given else self.name

    def problem(self) -> str | None:
        """What is wrong with the arguments, or None."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "mode":
                if value not in ("fan_in", "fan_out"):
                    return 'the mode must be "fan_in" or "fan_out"'
            elif isinstance(value, bool) or not isinstance(value, int | float):
                return f"`{field.name}` must be a number"
            elif not abs(value) <= MAX_FLOAT:
                return f"`{field.name}` is too large for float32"
            elif isinstance(value, int) and not -(2**63) <= value < 2**63:
                return f"`{field.name}` is an integer of more than 64 bits: write it as {float(value)}"
            elif field.name in ("std", "bound") and value < 0:
                return f"`{field.name}` must be at least 0"
        return None


@record
class Zeros(Init):
    name = "zeros"


@record
class Ones(Init):
    name = "ones"


@record
class Computed(Init):
    """Contents that the text computes: a ``buffer``'s. Not a word of the language."""

    name = "computed"


@record
class Constant(Init):
    name = "constant"
    value: float


@record
class Normal(Init):
    name = "normal"
    std: float
    mean: float = 0.0


@record
class TruncNormal(Init):
    """Normal, redrawn outside ``low`` to ``high`` (absolute bounds, as in torch)."""

    name = "trunc_normal"
    std: float
    mean: float = 0.0
    low: float = -2.0
    high: float = 2.0

    def problem(self) -> str | None:
        found = super().problem()
        if found is None and self.std == 0:
            return "`std` must be greater than 0; for a constant use `constant(v)`"
        if found is None and not self.low < self.high:
            return "`low` must be less than `high`"
        return found


@record
class Uniform(Init):
    """Uniform on ``[-bound, bound]``."""

    name = "uniform"
    bound: float

    def problem(self) -> str | None:
        found = super().problem()
        is_too_wide = found is None and self.bound * 2 > MAX_FLOAT
        return "`bound` must be at most half of the largest float32" if is_too_wide else found


@record
class KaimingNormal(Init):
    """Normal of variance 2 / ((1 + slope²) fan) (He et al., 2015)."""

    name = "kaiming_normal"
    has_fans = True
    mode: Literal["fan_in", "fan_out"] = "fan_in"
    slope: float = 0.0


@record
class KaimingUniform(Init):
    """Uniform of variance 2 / ((1 + slope²) fan) (He et al., 2015)."""

    name = "kaiming_uniform"
    has_fans = True
    mode: Literal["fan_in", "fan_out"] = "fan_in"
    slope: float = 0.0


@record
class XavierNormal(Init):
    """Normal of variance 2 / (fan_in + fan_out) (Glorot and Bengio, 2010)."""

    name = "xavier_normal"
    has_fans = True


@record
class XavierUniform(Init):
    """Uniform of variance 2 / (fan_in + fan_out) (Glorot and Bengio, 2010)."""

    name = "xavier_uniform"
    has_fans = True


@record
class BiasUniform(Init):
    """Uniform on ±1/√fan, ``fan`` being the fan-in of the weight beside it: torch's default for biases.

    Not a word of the language: a bias has no fan of its own.
    """

    name = "bias_uniform"
    fan: Size


INITS: dict[str, type[Init]] = {
    init.name: init
    for init in (
        Zeros,
        Ones,
        Constant,
        Normal,
        TruncNormal,
        Uniform,
        KaimingNormal,
        KaimingUniform,
        XavierNormal,
        XavierUniform,
    )
}
"""The distributions by their word in the language."""
