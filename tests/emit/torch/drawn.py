"""Specs drawn at random: parameters, conditions, loops, branches, shared layers, tensors, several outputs."""

from __future__ import annotations

from random import Random

ACTS = ("relu", "silu", "gelu", "none", "leaky_relu(0.2)", "hardswish", "sigmoid")


class Drawn:
    """Draws one spec. Its values are [N, C, H, W] throughout, so that any two of one width can meet."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self._labels = 0
        self._names = 0
        self._in_block = False

    # ---- small things ----

    def pick(self, *choices: str) -> str:
        return self.random.choice(choices)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def label(self, loop: str | None) -> str:
        self._labels += 1
        stem = self.pick("m", "conv", "part", "lambda", "drop", "x") + f"{self._labels}q"
        return f"{stem}{{{loop} + 1}}" if loop else stem

    def name(self) -> str:
        self._names += 1
        return f"v{self._names}q"

    def width(self, loop: str | None = None) -> str:
        """An expression for a number of channels."""
        plain = ["8", "4", "it.shape[1]", "it.shape[1] + 4"]
        if self._in_block:
            plain += ["width", "2 * width", "wide", "C", "grown(width)"]
        if loop:
            plain += [f"8 + 4 * {loop}", f"8 if {loop} == 0 else 4"]
        return self.random.choice(plain)

    def target(self) -> str:
        """The width on which branches agree."""
        return self.pick("width", "wide") if self._in_block else "8"

    def condition(self) -> str:
        if not self._in_block:
            return "true"
        return self.pick("flag", "C != width", "width > 8", "flag and C == width", "not flag", "count == 2 or flag")

    # ---- layers ----

    def conv(self, width: str, loop: str | None = None) -> str:
        extra = self.pick("", "", ", bias=false", ", init=zeros", ", init=normal(std=0.02), bias_init=constant(0.1)")
        kernel = self.pick("1", "3, pad=1", '3, pad="same"', "[1, 3], pad=[0, 1]")
        return f"{self.label(loop)}: conv({width}, {kernel}{extra})"

    def light(self) -> str:
        options = [
            "relu",
            "sigmoid",
            "tanh",
            "dropout(0.3)",
            "identity",
            "gelu",
            "it * 2.0",
            "it + 1",
            "it - it",
            "abs",
        ]
        if self._in_block:
            options += ["dropout(rate)", "act", "drop_path(rate)", "it * rate"]
        return self.random.choice(options)

    def shaped(self) -> str:
        """A change of layout and back."""
        return self.random.choice([
            "rearrange(\"n c h w -> n h w c\") -> rearrange(\"n h w c -> n c h w\")",
            "rearrange(\"n c (h p) (w q) -> n c h w (p q)\", p=2, q=2) -> reduce(\"n c h w p -> n c h w\", \"mean\")"
            " -> resize(scale=2, mode=\"nearest\")",
            "split(2) -> concat",
            "avgpool(3, stride=1, pad=1)",
            "maxpool(3, stride=1, pad=1)",
            "it[:, :, :, :]",
            "softmax(axis=1)",
            "normalize(axis=1)",
        ])  # fmt: skip

    # ---- statements ----

    def body(self, depth: int, loop: str | None, least: int = 1) -> list[str]:
        return [line for _ in range(self.random.randint(least, 3)) for line in self.statement(depth, loop)]

    def statement(self, depth: int, loop: str | None) -> list[str]:
        draw = self.random.random()
        if depth <= 0 or draw < 0.30:
            return [self.chain(loop)]
        if draw < 0.38:
            return [f"{self.label(loop)}: batchnorm" if self.chance(0.5) else self.light()]
        if draw < 0.45:
            return [f"{self.conv(self.width(loop), loop)} as {self.name()}"]
        options = [self.choice, self.merge, self.residual, self.gate, self.group, self.branching_value]
        if not loop:
            options += [self.loop, self.loop, self.sequence, self.sequence, self.shared, self.tensors, self.template]
        return self.random.choice(options)(depth, loop)

    def chain(self, loop: str | None) -> str:
        items = [self.conv(self.width(loop), loop) if self.chance(0.5) else self.light()]
        items += [self.light() if self.chance(0.8) else self.shaped() for _ in range(self.random.randint(0, 2))]
        return " -> ".join(items)

    def block_of(self, head: str, lines: list[str]) -> list[str]:
        return [f"{head} {{", *("  " + line for line in lines), "}"]

    def choice(self, depth: int, loop: str | None) -> list[str]:
        out = self.block_of(f"if {self.condition()}", self.body(depth - 1, loop))
        if self.chance(0.5):
            out[-1:] = self.block_of("} else", self.body(depth - 1, loop))
        return out

    def branch(self, depth: int, loop: str | None, end: str) -> list[str]:
        return ["{", *("  " + line for line in [*self.body(depth - 1, loop), self.conv(end, loop)]), "}"]

    def merge(self, depth: int, loop: str | None) -> list[str]:
        kind, end = self.pick("concat", "add", "mul", "concat(axis=1)"), self.target()
        lines = [line for _ in range(self.random.randint(2, 3)) for line in self.branch(depth, loop, end)]
        return self.block_of(kind, lines)

    def residual(self, depth: int, loop: str | None) -> list[str]:
        end = self.target()
        out = self.block_of("residual", [*self.body(depth - 1, loop), self.conv(end, loop)])
        project = self.block_of(f"if it.shape[1] != {end}", [self.conv(end, loop)])
        out[-1:] = self.block_of("} shortcut", project)
        return [*out, *(["relu"] if self.chance(0.5) else [])]

    def gate(self, depth: int, loop: str | None) -> list[str]:
        inner = ["global_avgpool", self.conv("it.shape[1]", loop), "sigmoid"]
        return self.block_of("mul", ["it", *self.block_of("", inner)])

    def group(self, depth: int, loop: str | None) -> list[str]:
        return self.block_of(f"{self.label(loop)}:", self.body(depth - 1, loop))

    def branching_value(self, depth: int, loop: str | None) -> list[str]:
        name, other, end = self.name(), self.name(), self.target()
        return [
            f"let {name} = it -> {self.conv(end, loop)} -> {self.light()}",
            f"{self.conv(end, loop)} as {other}",
            f"{name} {self.pick('+', '*', '-')} it",
        ]

    def loop(self, depth: int, _: str | None) -> list[str]:
        count = self.pick("count", "3", "5") if self._in_block else self.pick("3", "4")
        return self.block_of(f"for i in 0..{count}", self.body(depth - 1, "i"))

    def sequence(self, depth: int, _: str | None) -> list[str]:
        lines = []
        for _ in range(self.random.randint(1, 3)):
            label = self.chance(0.25)
            conv = self.conv(self.width())
            lines.append(
                (conv if label else conv.partition(": ")[2]) + self.pick("", " -> relu", " -> batchnorm -> relu")
            )
        if self.chance(0.4):
            lines += self.block_of(f"if {self.condition()}", ["conv(it.shape[1], 1)"])
        if self.chance(0.4):
            width = self.pick("8", "it.shape[1]", "8 if j > 0 else 4", "it.shape[1] + 2")
            lines += self.block_of("for j in 0..4", [f"conv({width}, 1)"])
        if self.chance(0.2):
            lines.append('rearrange("n c h w -> n c h w")')
        if self._in_block and self.chance(0.3):
            lines.append("act")
        return self.block_of(f"{self.label(None)}: seq", lines)

    def shared(self, depth: int, _: str | None) -> list[str]:
        label, end = self.label(None), self.target()
        layer = self.pick(f"conv({end}, 1)", f"conv({end}, 3, pad=1)", f"seq {{ conv({end}, 1) -> batchnorm -> relu }}")
        return [
            f"let {label}: {layer}",
            f"{self.label(None)}: conv({end}, 1) -> {label}",
            self.light(),
            f"{self.label(None)}: conv({end}, 1) -> {label}",
        ]

    def tensors(self, depth: int, _: str | None) -> list[str]:
        label, end = self.label(None), self.target()
        kind = self.pick(
            f"param {label}: [1, {end}, 1, 1] = {self.pick('zeros', 'ones', 'normal(std=0.02)', 'constant(0.5)')}",
            f"buffer {label}: [{end}, 1, 1] = [[[0.5 * c]] for c in 0..{end}]",
        )
        return [self.conv(end), kind, f"it {self.pick('+', '*')} {label}"]

    def template(self, depth: int, _: str | None) -> list[str]:
        name = self.name()
        return [
            f"let {name} = {self.conv(self.target()).partition(': ')[2]}",
            f"{self.label(None)}: {name} -> relu",
            f"{self.label(None)}: {name}",
        ]

    # ---- files ----

    def text(self) -> str:
        out = ["arch 1", "fn grown(w) = 4 * ((w + 7) // 4)", ""]
        blocks = self.random.randint(1, 2)
        for number in range(blocks):
            out += [*self.block(number), ""]
        out += self.unit()
        return "\n".join([*out, *self.model(blocks)]) + "\n"

    def unit(self) -> list[str]:
        """A block that is a seq, with layers as arguments."""
        norm = "conv(width, 1, bias=norm == none) -> norm -> act"
        lines = [norm, *([f"if {self.pick('deep', 'width > 4')} {{ conv(width, 1) }}"] if self.chance(0.5) else [])]
        return [*self.block_of("block Unit(width, norm = batchnorm, act = relu, deep = false) = seq", lines), ""]

    def block(self, number: int) -> list[str]:
        self._in_block = True
        wide = self.pick("2 * width", "3 * C + width", "width", "grown(width)")
        lines = ["input x: [N, C, H, W]", f"let wide = {wide}", *self.body(2, None, least=2)]
        if number and self.chance(0.7):
            lines.append("inner: B0(wide, flag=flag, count=count, act=act)")
        self._in_block = False
        return self.block_of(f"block B{number}(width, flag = false, count = 2, rate = 0.3, act = relu)", lines)

    def model(self, blocks: int) -> list[str]:
        size = self.pick("[N, 3, 8, 8]", "[N, 3, H, W]", "[2, 3, 8, 8]")
        lines = [f"input image: {size}"]
        if self.chance(0.3):
            lines += ['with conv(init=kaiming_normal(mode="fan_out"))']
        lines += ["stem: conv(8, 1)"]
        for number in range(self.random.randint(1, 5)):
            args = [
                self.pick("4", "8", "8", "16"),
                self.pick("true", "false"),
                f"count={self.pick('2', '3', '3', '4')}",
            ]
            args += [f"rate={self.pick('0.3', '0.3', '0.2')}", f"act={self.random.choice(ACTS)}"]
            lines.append(f"b{number}: B{self.random.randrange(blocks)}({', '.join(args)})")
        if self.chance(0.5):
            width = self.pick("8", "8 if i > 0 else 4", "8 + 2 * i")
            norm = self.pick("batchnorm", "none", "batchnorm if i > 0 else none")
            call = f"Unit({width}, norm={norm}, act={self.random.choice(ACTS[:4])}, deep={self.pick('true', 'i > 0')})"
            lines += self.block_of("trunk: seq", self.block_of(f"for i in 0..{self.pick('3', '6')}", [call]))
        if self.chance(0.3):
            lines += ["it as early", "output side = early -> aux: conv(2, 1) when training", "early"]
        if self.chance(0.3):
            lines += ["output low = it -> low: conv(3, 1)"]
        return self.block_of("model Net", [*lines, "last: conv(4, 1)", "output y"])


def drawn(seed: int) -> str:
    """The spec of a seed."""
    return Drawn(seed).text()
