"""Small networks drawn at random: convolutions, pools, norms, branches."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn


@dataclass
class Writer:
    """Writes the statements of a body. ``monotonic``: what grows at the input grows at the output, so that a gradient
    shows all that is seen, and windows are centred, so that the widest path sees what the others see."""

    draw: DrawFn
    monotonic: bool = False
    prefix: str = "l"
    labels: int = 0
    lines: list[str] = field(default_factory=list)

    def pick(self, *choices):
        return self.draw(st.sampled_from(choices))

    def label(self) -> str:
        self.labels += 1
        return f"{self.prefix}{self.labels}"

    def body(self, channels: int, length: int, depth: int, may_stride: bool) -> tuple[list[str], int]:
        """Statements, and the channels that they leave."""
        lines: list[str] = []
        for _ in range(length):
            kind = self.pick("conv", "conv", "act", "norm", "pool", "branch")
            if kind == "conv":
                text, channels = self.conv(channels, may_stride)
                lines.append(text)
            elif kind == "act":
                lines.append(self.act())
            elif kind == "norm":
                lines.append(self.norm())
            elif kind == "pool":
                lines.append(self.pool(may_stride))
            elif depth:
                text, channels = self.branch(channels, depth - 1)
                lines += text
        return lines, channels

    def conv(self, channels: int, may_stride: bool, width: int | None = None) -> tuple[str, int]:
        width = width or self.pick(4, 8)
        kernel, dilation = self.pick(1, 3, 5), self.pick(1, 1, 2)
        stride = self.pick(1, 2) if may_stride else 1
        groups = self.pick(1, 1, 4)
        text = f"conv({width}, {kernel}, stride={stride}, pad={kernel // 2 * dilation}, dilation={dilation}"
        return f"{self.label()}: {text}, groups={groups}, bias={self.pick('true', 'false')})", width

    def act(self) -> str:
        return self.pick("relu", *([] if self.monotonic else ["sigmoid", "gelu", "silu", "hardswish", "tanh"]))

    def norm(self) -> str:
        return f"{self.label()}: {self.pick('batchnorm', *([] if self.monotonic else ['groupnorm(2)']))}"

    def pool(self, may_stride: bool) -> str:
        stride = self.pick(1, 2) if may_stride else 1
        kinds = ["avgpool(3, stride={}, pad=1)"]
        if not self.monotonic:
            kinds += ["maxpool(3, stride={}, pad=1)", "dropout(0.3)", "it * it", "it * 2.0", "1.0 - it"]
        return self.pick(*kinds).format(stride)

    def branch(self, channels: int, depth: int) -> tuple[list[str], int]:
        """Statements with branches; each keeps the size."""
        kind = self.pick("residual", "concat", *([] if self.monotonic else ["squeeze"]))
        if kind == "squeeze":
            inner = f"{{ global_avgpool; {self.label()}: conv({channels}, 1); sigmoid }}"
            return ["mul { it; " + inner + " }"], channels
        first, last = self.body(channels, self.pick(1, 2), depth, may_stride=False)
        if kind == "residual":
            closing, _ = self.conv(last, False, width=channels)
            return ["residual {", *first, closing, "}"], channels
        second, width = self.conv(channels, False)
        return ["concat {", "{", *first, "}", second, "}"], last + width


@st.composite
def nets(draw: DrawFn, monotonic: bool = False, prefix: str = "l") -> str:
    """The statements of a network on [N, 8, S, S]."""
    writer = Writer(draw, monotonic, prefix)
    lines, _ = writer.body(8, draw(st.integers(2, 6)), 2, may_stride=True)
    return "\n".join(lines or ["relu"])


def examples(count: int) -> settings:
    return settings(max_examples=count)
