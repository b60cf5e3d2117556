"""Ways out of sizes that do not fit: each that a message shows is applied to the spec, which then checks."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archdsl.checks.report import check
from archdsl.compiler import from_text
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.shapes import BranchesDiffer, DoesNotFit, SidesDiffer, StatedShapeDiffers

UNET = """model UNet {{
  input image: [N, 1, {size}, {size}]
  e0: conv(4, 3, pad="same")
  maxpool(2)
  e1: conv(8, 3, pad="same") as skip1
  maxpool(2)
  e2: conv(16, 3, pad="same")
  up1: convtranspose(8, 2, stride=2)
  concat {{ it; skip1 }}
  d1: conv(8, 3, pad="same")
  output y
}}
"""


def model(size: str, body: str) -> str:
    return f"model M {{ input x: [N, {size}]\n {body}\n output y }}"


PAIR = "a: conv(8, 3) as s\n x -> b: conv(8, 3, pad=1) as t\n "
WIDE = "a: conv(8, 1) as s\n x -> b: conv(16, 1) as t\n "
MISMATCHED = {
    "unet": UNET.format(size=358),
    "unet, arithmetic": UNET.format(size=102).replace("concat { it; skip1 }", "it + skip1"),
    "unpadded": model("3, 32, 32", f"{PAIR}s + t"),
    "unpadded, symbolic": model("3, H, W", f"{PAIR}add {{ s; t }}"),
    "a pool that rounds down": model(
        "3, 55, 55", "x -> a: conv(8, 3, stride=2, pad=1) as s\n x -> maxpool(2) as t\n concat { s; t }"
    ),
    "valid convolutions": model(
        "1, 96, 96",
        "a: conv(4, 3) -> b: conv(4, 3) as skip\n maxpool(2) -> c: conv(8, 3)\n up: convtranspose(4, 2, stride=2)\n"
        " concat { skip; it }",
    ),
    "channels": model("3, 8, 8", f"{WIDE}s * t"),
    "channels, stack": model("3, 8, 8", f"{WIDE}stack(axis=2) {{ s; t }}"),
    "channels, concat along another axis": model("3, 8, 8", f"{WIDE}concat(axis=-1) {{ s; t }}"),
    "widths": model("5, 8", "a: linear(4) as s\n x -> b: linear(6) as t\n add { s; t }"),
    "steps": model("9, 8", "x[:, 1:] as s\n s + x"),
    "one axis": model("3, 8, 9", "a: conv(4, [1, 3]) as s\n x -> b: conv(4, 1) as t\n concat { s; t }"),
    "a sequence": model("3, 9", "a: conv(4, 3) as s\n x -> b: conv(4, 1) as t\n concat { s; t }"),
    "a stated output": model("3, 224, 224", "a: conv(4, 3, stride=2)").replace("y }", "y: [N, 4, 112, 112] }"),
    "a stated pool": model("3, 113, 113", "maxpool(2)").replace("y }", "y: [N, 3, 57, 57] }"),
}


def problem(text: str) -> Diagnostic | None:
    found = [d for d in check(from_text(text)).diagnostics if d.severity == "error"]
    return found[0] if found else None


def applied(text: str, way: str, found: Diagnostic) -> str:
    """The spec with one of the ways of a message taken, as a person would."""
    verb = way.split(" ")[0]
    codes = re.findall(r"`([^`]*)`", way)
    if verb == "take":
        sizes = re.findall(r"\d+(?:×\d+)+", way)[-1].replace("×", ", ")
        return re.sub(rf"(input {codes[0]}: \[N, \d+), [^\]]*\]", rf"\1, {sizes}]", text)
    if verb == "set":
        changed = f"{codes[1][:-1]}, {codes[0]})"
        assert codes[1] in text
        return text.replace(codes[1], changed)
    (code,) = codes
    name = re.match(r"\(?([A-Za-z]\w*)", code)
    assert name is not None
    assert found.span is not None
    start, end = found.span.start, found.span.end
    return text[:start] + re.sub(rf"\b{name[1]}\b", lambda _: code, text[start:end], count=1) + text[end:]


def ways(found: Diagnostic) -> list[str]:
    return found.help.removeprefix("give both the same channels: ").split("; or ")


@pytest.mark.parametrize("name", MISMATCHED)
def test_every_way_out_that_is_shown_works(name: str) -> None:
    text = MISMATCHED[name]
    found = problem(text)
    assert isinstance(found, BranchesDiffer | SidesDiffer | StatedShapeDiffers)
    assert found.help
    for way in ways(found):
        after = problem(applied(text, way, found))
        assert after is None, f"{way}: {after.message}"


@settings(max_examples=25, deadline=None)
@given(size=st.integers(20, 200), depth=st.integers(1, 3), kernel=st.sampled_from([2, 3]), pad=st.booleans())
def test_ways_out_of_drawn_u_nets_work(size: int, depth: int, kernel: int, pad: bool) -> None:
    down = "\n".join(
        f"  e{i}: conv(4, {3}, pad={int(pad)}) as s{i}\n  maxpool({kernel}, stride=2)" for i in range(depth)
    )
    up = "\n".join(
        f"  u{i}: convtranspose(4, 2, stride=2)\n  concat {{ it; s{i} }}\n  d{i}: conv(4, 3, pad=1)"
        for i in reversed(range(depth))
    )
    text = f"model M {{\n  input x: [N, 1, {size}, {size}]\n{down}\n  m: conv(4, 1)\n{up}\n  output y\n}}"
    found = problem(text)
    assume(isinstance(found, BranchesDiffer))
    assert found is not None
    assert any(way.startswith(("crop", "resize")) for way in ways(found))
    for way in ways(found):
        after = problem(applied(text, way, found))
        same_place = after is not None and after.span is not None and found.span is not None
        assert not (same_place and after.span.text == found.span.text), way


def test_the_u_net_of_the_manual_case_names_all_ways() -> None:
    found = problem(MISMATCHED["unet"])
    assert found is not None
    assert "an input `image` of multiples of 4 (356×356 or 360×360)" in found.help
    assert '`(it -> resize(like=skip1, mode="nearest"))`' in found.help
    assert "`skip1[:, :, :178, :178]`" in found.help


@pytest.mark.parametrize(
    ("kernel", "stride", "size"),
    [
        (3, 2, 224),
        (3, 2, 225),
        (7, 2, 224),
        (1, 2, 8),
        (2, 2, 9),
        (4, 2, 16),
        (5, 3, 31),
        ("[3, 5]", 2, 32),
        (3, 4, 30),
    ],
)
def test_pad_same_at_a_stride_is_answered_with_the_padding(kernel: object, stride: int, size: int) -> None:
    text = (
        f'model M {{ input x: [N, 3, {size}, {size}]\n a: conv(4, {kernel}, stride={stride}, pad="same")\n output y }}'
    )
    found = problem(text)
    assert isinstance(found, DoesNotFit)
    match = re.fullmatch(r"`(pad=.*)` gives (\d+) here", found.help)
    assert match is not None, found.help
    assert int(match[2]) == -(-size // stride)
    fixed = text.replace('pad="same"', match[1]).replace("output y", f"output y: [N, 4, {match[2]}, {match[2]}]")
    assert problem(fixed) is None


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (2, 2), (4, 2), (5, 2), (3, 1), (5, 4), (7, 3)])
def test_a_transposed_convolution_is_told_how_to_grow_by_its_stride(kernel: int, stride: int) -> None:
    layer = f'convtranspose(4, {kernel}, stride={stride}, pad="same")'
    text = f"model M {{ input x: [N, 3, 14, 14]\n a: {layer}\n output y: [N, 4, {14 * stride}, {14 * stride}] }}"
    found = problem(text)
    assert found is not None
    match = re.fullmatch(r"`(pad=[^`]*)` (keeps|doubles|makes) the size.*", found.help)
    assert match is not None, found.help
    assert problem(text.replace('pad="same"', match[1])) is None


@pytest.mark.parametrize("layer", ["maxpool(3, stride=2", "maxpool(2", "avgpool(3, stride=1", "avgpool(5, stride=3"])
def test_a_pool_is_told_how_to_round_up(layer: str) -> None:
    text = f'model M {{ input x: [N, 3, 15, 15]\n {layer}, pad="same")\n output y }}'
    found = problem(text)
    assert found is not None
    match = re.match(r"`([^`]*)`", found.help)
    assert match is not None
    stride = int(re.findall(r"\d", layer)[-1])
    size = -(-15 // stride)
    assert (
        problem(text.replace('pad="same"', match[1]).replace("output y", f"output y: [N, 3, {size}, {size}]")) is None
    )


PADDED = "`pad(axis=2, after=2)` makes it a multiple; multiples nearby: 12 or 16"


@pytest.mark.parametrize(
    ("layer", "help"),
    [
        ("a: conv(16, 3, groups=3)", "16 is divisible by 1, 2, 4, 8, 16"),
        ("groupnorm(5)", "16 is divisible by 1, 2, 4, 8, 16"),
        ("channel_shuffle(3)", "16 is divisible by 1, 2, 4, 8, 16"),
        ("split(3)", "16 is divisible by 1, 2, 4, 8, 16"),
        ("pixel_unshuffle(4)", "`pad(axis=2, after=2)` makes it a multiple; multiples nearby: 12 or 16"),
        (
            'rearrange("n c (h p) w -> n c h p w", p=4)',
            "`pad(axis=2, after=2)` makes it a multiple; multiples nearby: 12 or 16",
        ),
    ],
)
def test_what_does_not_divide_is_told_what_does(layer: str, help: str) -> None:
    found = problem(f"model M {{ input x: [N, 16, 14, 12]\n {layer}\n output y }}")
    assert found is not None
    assert found.help == help


def test_branches_that_differ_in_an_axis_of_one_cell_do_not_fit_together() -> None:
    """Such an axis is stretched by `add`, so that no axis is named."""
    found = problem("model M { input x: [N, 4, 8]\n concat(axis=1) { it; it[:, :, :1] }\n output y }")
    assert found is not None
    assert found.message == "the branches of this concat do not fit together"


@pytest.mark.parametrize(("width", "is_image"), [(16, True), (8, False)])
def test_only_a_square_input_is_taken_for_an_image(width: int, is_image: bool) -> None:
    found = problem(f"model M {{ input x: [N, 3, 16, {width}]\n relu\n output y: [N, 3] }}")
    assert found is not None
    assert ("global_avgpool" in found.help) == is_image


def test_sizes_nearby_are_multiples() -> None:
    """Below and above a size that is one less than a multiple."""
    found = problem(UNET.format(size=359))
    assert found is not None
    assert "an input `image` of multiples of 4 (356×356 or 360×360)" in found.help
