"""A041x: lints, warnings with a cited source. A comment ``# allow: name`` switches one off."""

from __future__ import annotations

from typing import ClassVar

from archdsl.diagnostics.base import Diagnostic, Severity
from archdsl.record import record


@record(kw_only=True)
class Lint(Diagnostic):
    """Base of the lints: the name by which a spec allows it, and the source that it cites."""

    severity: ClassVar[Severity] = "warning"
    lint: ClassVar[str]
    cites: ClassVar[str]

    @property
    def notes(self) -> tuple[str, ...]:
        return (f"see {self.cites}", f"to keep it, add a comment with the reason: `# allow: {self.lint}`")


@record(kw_only=True)
class UnknownLint(Diagnostic):
    """A comment that allows an unknown lint."""

    code = "A0410"
    severity: ClassVar[Severity] = "warning"
    title = "unknown lint `{name}`"
    hint = "{advice}"

    name: str
    advice: str | None = None


@record(kw_only=True)
class BiasBeforeNorm(Lint):
    """A bias before a batch normalization.

    Batch normalization subtracts the mean of each channel, and with it any constant added before. The bias has no
    effect, but costs memory and time.
    """

    code = "A0411"
    lint = "bias-before-norm"
    cites = "Ioffe & Szegedy, Batch Normalization (2015), section 3.2"
    title = "the bias of this `{layer}` has no effect"
    at = "`{norm}` subtracts it"
    hint = "write `bias=false`"

    layer: str
    norm: str


@record(kw_only=True)
class RowsLost(Lint):
    """A stride that skips the end of an axis.

    The windows do not cover the axis at this size: its last positions do not influence any output.
    """

    code = "A0412"
    lint = "rows-lost"
    cites = "Dumoulin & Visin, A guide to convolution arithmetic for deep learning (2016), section 2.4"
    title = "this `{layer}` ignores the last {lost} of {size} positions of axis {axis}"
    at = "kernel {kernel}, stride {stride}, padding {before} and {after}"
    hint = "increase the padding by {lost}, or choose an input size that is a multiple of the strides"

    layer: str
    lost: int
    size: int
    axis: int
    kernel: int
    stride: int
    before: int
    after: int


@record(kw_only=True)
class FilterBeyondInput(Lint):
    """A kernel wider than its input.

    Some of its weights are only ever applied to padding; they cost memory and time, and have no effect.
    """

    code = "A0413"
    lint = "filter-beyond-input"
    cites = "Chen et al., Rethinking Atrous Convolution for Semantic Image Segmentation (2017), section 3.3"
    title = "the kernel of this `{layer}` spans {extent} positions of axis {axis}, which has size {size}"
    at = "it fits only because of the padding"
    hint = "a kernel of {size} covers the same input"

    layer: str
    extent: int
    axis: int
    size: int


@record(kw_only=True)
class BottleneckActivated(Lint):
    """An activation after a linear bottleneck.

    After a projection to few channels, an activation that cuts off negative numbers loses information that later layers
    cannot recover. Such projections are left linear.
    """

    code = "A0414"
    lint = "bottleneck-activated"
    cites = "Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks (2018), section 3.2"
    title = "`{activation}` loses information in this bottleneck of {narrow} channels"
    at = "the layer before it reduces {wide} channels to {narrow}"
    hint = "leave the projection linear: remove the activation"

    activation: str
    wide: int
    narrow: int


@record(kw_only=True)
class IdentityBlocked(Lint):
    """A residual without an identity path.

    The shortcut has layers although input and output have the same shape. An identity shortcut passes activations and
    gradients unchanged, which makes deep residual networks trainable.
    """

    code = "A0415"
    lint = "identity-blocked"
    cites = "He et al., Identity Mappings in Deep Residual Networks (2016), section 3"
    title = "this residual has no identity path"
    at = "the shortcut has `{layer}`, although input and output both have shape {shape}"
    hint = "remove the shortcut where the shape does not change"

    layer: str
    shape: str


@record(kw_only=True)
class DenseHead(Lint):
    """A dense layer with most of the parameters.

    It has weights for each position of the flattened feature map. Average pooling before it has no parameters, and
    reduces overfitting.
    """

    code = "A0416"
    lint = "dense-head"
    cites = "Lin et al., Network In Network (2014), section 3.2"
    title = "this `linear` has {share}% of the parameters"
    at = "{count} of {total}, because it takes {places} positions of a flattened feature map"
    hint = "average over the positions first: `global_avgpool -> flatten`"

    share: int
    count: str
    total: str
    places: int


@record(kw_only=True)
class DropoutBeforeNorm(Lint):
    """A dropout before a batch normalization.

    In training the batch normalization stores the variance of activations with dropout. At inference nothing is
    dropped, and the stored variance is wrong.
    """

    code = "A0417"
    lint = "dropout-before-norm"
    cites = "Li et al., Understanding the Disharmony between Dropout and Batch Normalization (2019), section 3"
    title = "this `dropout` changes the running variance of a later `{norm}`"
    at = "at inference nothing is dropped, and the stored variance is wrong"
    hint = "move the dropout after the last batch normalization"

    norm: str


@record(kw_only=True)
class NumbersChanged(Lint):
    """Members of a `seq` with other numbers than in version 0.1.

    In version 0.1, values (arithmetic, slices, functions) took numbers too, and its checkpoints have those names. To
    load such a checkpoint, label the members with the old numbers (`archdsl check --fix` does). A network without old
    checkpoints needs no change.
    """

    code = "A0229"
    lint = "numbers-changed"
    cites = "docs/language.md, Modules and their names"
    title = "the members of this `seq` had other numbers in version 0.1"
    at = "{changes}: values no longer take a number"
    hint = "to load checkpoints of version 0.1, write the old numbers as labels"

    changes: str


@record(kw_only=True)
class LastAxisOfMap(Lint):
    """A layer on the last axis of a feature map.

    `linear`, `attention` and `layernorm` work on the last axis. In a feature map, [N, C, H, W], that is the width: each
    row is transformed separately, and the channels are not mixed. Usually a `flatten` is missing.
    """

    code = "A0419"
    lint = "last-axis"
    cites = "the layout of `torch.nn.Conv2d`, [N, C, H, W], and of `torch.nn.Linear`, which takes the last axis"
    title = "this `{layer}` works on the last axis of a feature map"
    at = "the input is {shape}: axis {last} has {size} positions, the channels are axis 1"
    hint = "{advice}"

    layer: str
    size: str
    rank: int
    shape: str
    advice: str

    @property
    def last(self) -> int:
        return self.rank - 1


@record(kw_only=True)
class ChannelsLast(Lint):
    """An input in channels-last layout.

    Convolutions, pools and norms take [N, C, H, W]. An input in the layout [N, H, W, C] of other libraries would be
    convolved over its width and its colors.
    """

    code = "A0420"
    lint = "channels-last"
    cites = "the layout of `torch.nn.Conv2d`, [N, C, H, W]"
    title = "the input {shape} looks like channels last"
    at = "this `{layer}` takes axis 1 as the channels ({channels})"
    hint = "{advice}"

    layer: str
    shape: str
    channels: str
    advice: str


@record(kw_only=True)
class StepsAsChannels(Lint):
    """A layer that takes the steps of a sequence as channels.

    Convolutions, pools and batch norms expect the channels on axis 1. Linear layers, embeddings and attention have the
    features on the last axis. Then axis 1 is the sequence, and each step would get its own scale or filter.
    """

    code = "A0421"
    lint = "steps-as-channels"
    cites = "the layout of `torch.nn.BatchNorm1d` and `torch.nn.Conv1d`, [N, C, L]"
    title = "this `{layer}` takes axis 1 ({size}) as the channels; the features are axis {axis} ({width}){count}"
    at = "an earlier layer put the features on axis {axis}"
    hint = 'move them to axis 1 first: `rearrange("{pattern}")`{instead}'

    layer: str
    size: str
    axis: int
    width: str
    count: str
    pattern: str
    instead: str

    @property
    def message(self) -> str:
        return self.title.format(**vars(self))

    @property
    def help(self) -> str:
        return self.hint.format(**vars(self))


@record(kw_only=True)
class OpenWeights(Lint):
    """A number of weights that depends on the input size.

    Another layer shares its weights along that axis, so the network seems to be meant for any length. This layer has
    weights for each position. Such a network can only be compiled for a fixed input size.
    """

    code = "A0422"
    lint = "open-weights"
    cites = "Lin et al., Network In Network (2014), section 3.2, on averaging over places of any number"
    title = "the number of parameters depends on {lengths}: the {weight} of this `{layer}` is {shape}"
    at = "no number is stated for {lengths}"
    hint = "average over the positions before it (`global_avgpool -> flatten`), or fix the input size"

    layer: str
    weight: str
    shape: str
    lengths: str


@record(kw_only=True)
class ActivationBeforeLoss(Lint):
    """An activation between a classifier's logits and its loss.

    `archdsl train` computes the cross-entropy of logits, as `torch.nn.CrossEntropyLoss` does, which applies the softmax
    itself. On handwritten digits a `softmax` or `relu` before the loss costs more than ten percent of accuracy in five
    epochs.
    """

    code = "A0423"
    lint = "activation-before-loss"
    cites = "the documentation of `torch.nn.CrossEntropyLoss`, whose input are unnormalized logits"
    title = "this `{activation}` is between the logits and the loss"
    at = "{effect}"
    hint = "remove the `{activation}`; `archdsl predict` computes the probabilities"

    activation: str
    effect: str
