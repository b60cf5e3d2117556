"""Which axis of a value holds the features: axis 1 behind a convolution, the last one behind a linear layer.

Convolutions take the channels from axis 1, linear layers and attention the features from the last axis. Each makes the
axis that it writes one of features, and the layers behind carry it along, wherever they move it (``Op.looks``). So a
layer that takes a size for channels is found where an earlier layer made the features another axis.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from archdsl.dims import Dim, Size
from archdsl.evaluate.values import Value
from archdsl.graph import GraphInput, Node
from archdsl.op import Op
from archdsl.ops.activation import Activation
from archdsl.ops.attention import Attention
from archdsl.ops.conv import Conv, ConvTranspose
from archdsl.ops.dropout import Inert
from archdsl.ops.embedding import Embedding
from archdsl.ops.linear import Linear
from archdsl.ops.norm import LayerNorm, Norm
from archdsl.ops.pool import Pool
from archdsl.ops.recurrent import Recurrent
from archdsl.ops.sliding import CHANNELS, SPATIAL

FEWEST_PIXELS = 8
"""Along an axis of an image: below, an input may be a feature map."""
FEWEST_SAMPLES = 64
"""Along the axis of a sound."""
ORDERS = {3: "n l c -> n c l", 4: "n h w c -> n c h w", 5: "n d h w c -> n c d h w"}
"""What puts the channels of an input behind its batch axis, by the number of axes."""


class Features(NamedTuple):
    """``axes`` hold features; none are known to at first. A *map* is [N, C, spatial…] as a convolution left it."""

    axes: frozenset[int] = frozenset()
    is_map: bool = False


NONE = Features()
MAP = Features(frozenset({CHANNELS}), is_map=True)


def features(inputs: Iterable[GraphInput], nodes: Iterable[Node]) -> Mapping[Value, Features]:
    """The features of all values of a network, or of one that is being built."""
    found = {i.value: MAP if looks_like_image(i.value.shape) else NONE for i in inputs}
    for node in nodes:
        arriving = [found.get(value, NONE) for value in node.inputs]
        for value in node.outputs:
            found[value] = _after(node, arriving, value)
    return found


def _after(node: Node, arriving: list[Features], output: Value) -> Features:
    match node.op:
        case Conv() | ConvTranspose():
            return MAP
        case Linear() | Attention() | Embedding() | Recurrent():
            return Features(frozenset({len(output.shape) - 1}))
        case Activation() | Norm() | Inert() if output.shape == node.inputs[0].shape:
            return arriving[0]
    return _carried(node, arriving, output) if any(a.axes for a in arriving) else NONE


def _carried(node: Node, arriving: list[Features], output: Value) -> Features:
    """The features where an operator takes them to; a map stays one where every axis stays in its place."""
    axes: set[int] = set()
    is_map = False
    looks = node.op.looks(node.input_types, node.output_types)
    for value, known, look in zip(node.inputs, arriving, looks, strict=False):
        if look is None or len(look.steps) != len(output.shape):
            continue
        axes |= {axis for axis, steps in enumerate(look.steps) if any(step.axis in known.axes for step in steps)}
        stays = all(step.axis in (axis, None) for axis, steps in enumerate(look.steps) for step in steps)
        is_map |= known.is_map and stays and len(value.shape) == len(output.shape)
    return Features(frozenset(axes), is_map)


# ---- layers that take another axis for the features ------------------------------------------------------


def is_on_places(node: Node, known: Features) -> bool:
    """Whether a layer that works on the last axis works on the places of a map."""
    last = len(node.inputs[0].shape) - 1
    if not known.is_map or last < SPATIAL or last in known.axes:
        return False
    match node.op:
        case Linear() | Attention():
            return True
        case LayerNorm(axis=axis):
            return axis in (-1, last, (-1,), (last,))
    return False


def is_on_steps(node: Node, known: Features) -> bool:
    """Whether a layer that takes axis 1 for the channels works on a value whose features are another axis."""
    if not known.axes or CHANNELS in known.axes or len(node.inputs[0].shape) <= SPATIAL:
        return False
    match node.op:
        case Conv(kernel=kernel) | ConvTranspose(kernel=kernel):
            return kernel != 1 and kernel != (1,) * (len(node.inputs[0].shape) - SPATIAL)
        case LayerNorm():
            return False
    return isinstance(node.op, Norm | Pool)


def takes_channels(op: Op) -> bool:
    """Whether an operator takes [N, C, spatial…]."""
    return isinstance(op, Conv | ConvTranspose | Pool) or (isinstance(op, Norm) and not isinstance(op, LayerNorm))


def without_flatten(value: Value, inputs: Iterable[GraphInput], nodes: Sequence[Node]) -> Node | None:
    """The first layer on the way to a value that works on the places of a map, as where a `flatten` is missing."""
    known = features(inputs, nodes)
    wanted, found = {value}, None
    for node in reversed(nodes):
        if not wanted.isdisjoint(node.outputs):
            wanted.update(node.inputs)
            if node.inputs and is_on_places(node, known.get(node.inputs[0], NONE)):
                found = node
    return found


# ---- inputs ------------------------------------------------------------------------------------------------


def looks_like_image(shape: tuple[Size, ...]) -> bool:
    """Whether the shape of an input is that of square images, channels first."""
    if len(shape) != 4 or shape[CHANNELS] not in (1, 3):
        return False
    return shape[2] == shape[3] and _is_at_least(shape[2], FEWEST_PIXELS)


def looks_channels_last(shape: tuple[Size, ...]) -> bool:
    """Whether the shape of an input is that of images, videos or sounds whose channels are the last axis.

    Three channels behind two or three long axes; one or four behind axes that are square; or sizes named so.
    """
    if len(shape) not in ORDERS:
        return False
    *spatial, last = shape[CHANNELS:]
    if isinstance(last, Dim):
        return str(last) in ("C", "Channels") and str(spatial[0]) in ("H", "Height", "L", "T", "D")
    if len(shape) == 3:
        return last in (1, 2) and _is_at_least(spatial[0], FEWEST_SAMPLES)
    is_large = all(_is_at_least(size, FEWEST_PIXELS) for size in spatial[-2:])
    if last == 3:
        return is_large and spatial[0] not in (1, 3)
    is_square = spatial[-1] == spatial[-2] or isinstance(spatial[-1], Dim)
    return last in (1, 4) and is_large and is_square and spatial[0] not in (1, 3)


def channels_first(shape: tuple[Size, ...]) -> tuple[Size, ...]:
    """The shape of an input with its last axis behind the batch axis."""
    return (shape[0], shape[-1], *shape[CHANNELS:-1])


def advice_on_layout(shape: tuple[Size, ...]) -> str:
    """How an input whose channels are its last axis is brought into order."""
    first = channels_first(shape)
    stated = ", ".join(map(str, first))
    return (
        f"channels are axis 1: state the input as `[{stated}]` (`--input {'x'.join(map(str, first))}`), "
        f'or begin with `rearrange("{ORDERS[len(shape)]}")`'
    )


def _is_at_least(size: Size, least: int) -> bool:
    return isinstance(size, Dim) or size >= least
