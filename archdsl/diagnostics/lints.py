"""A041x: what a colleague would raise. Warnings, each with its source; a comment ``# allow: name`` switches one off."""

from __future__ import annotations

from typing import ClassVar

from archdsl.diagnostics.base import Diagnostic, Severity
from archdsl.record import record


@record(kw_only=True)
class Lint(Diagnostic):
    """Base of the lints: the name by which a spec allows it, and who says so."""

    severity: ClassVar[Severity] = "warning"
    lint: ClassVar[str]
    cites: ClassVar[str]

    @property
    def notes(self) -> tuple[str, ...]:
        return (f"see {self.cites}", f"to keep it, say why: `# allow: {self.lint}`")


@record(kw_only=True)
class UnknownLint(Diagnostic):
    """A comment that allows a lint which does not exist."""

    code = "A0410"
    severity = "warning"
    title = "there is no lint `{name}` to allow"
    hint = "{advice}"

    name: str
    advice: str | None = None


@record(kw_only=True)
class BiasBeforeNorm(Lint):
    """A bias that a batch normalization takes away again.

    It subtracts the mean of each channel, and with it whatever constant was added before: the bias costs memory and
    learns nothing.
    """

    code = "A0411"
    lint = "bias-before-norm"
    cites = "Ioffe & Szegedy, Batch Normalization (2015), section 3.2"
    title = "the bias of this `{layer}` has no effect"
    at = "`{norm}` subtracts it again"
    hint = "say `bias=false`"

    layer: str
    norm: str


@record(kw_only=True)
class RowsLost(Lint):
    """A stride that leaves cells at the end unseen.

    The windows do not fill the axis at this size, and its last cells reach no output.
    """

    code = "A0412"
    lint = "rows-lost"
    cites = "Dumoulin & Visin, A guide to convolution arithmetic for deep learning (2016), section 2.4"
    title = "this `{layer}` does not see the last {lost} of {size} cells of axis {axis}"
    at = "kernel {kernel}, stride {stride}, padding {before} and {after}"
    hint = "pad by {lost} more, or choose an input size that the strides divide"

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
    """A filter wider than its input.

    Some of its weights only ever meet padding; they cost memory and time, and learn nothing.
    """

    code = "A0413"
    lint = "filter-beyond-input"
    cites = "Chen et al., Rethinking Atrous Convolution for Semantic Image Segmentation (2017), section 3.3"
    title = "the filter of this `{layer}` spans {extent} cells of axis {axis}, which has {size}"
    at = "only the padding lets it fit"
    hint = "a kernel of {size} sees as much"

    layer: str
    extent: int
    axis: int
    size: int


@record(kw_only=True)
class BottleneckActivated(Lint):
    """An activation on a linear bottleneck.

    Where few channels carry what many did, an activation that cuts off negative numbers loses what cannot be had
    again: such layers are left linear.
    """

    code = "A0414"
    lint = "bottleneck-activated"
    cites = "Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks (2018), section 3.2"
    title = "`{activation}` loses information in this bottleneck of {narrow} channels"
    at = "{wide} channels were narrowed to {narrow} right before"
    hint = "leave the projection linear: remove the activation"

    activation: str
    wide: int
    narrow: int


@record(kw_only=True)
class IdentityBlocked(Lint):
    """A residual whose identity cannot pass.

    Its shortcut runs layers although what arrives has the shape of what leaves. A plain identity there lets signals and
    gradients through unchanged, which is what makes deep residual networks trainable.
    """

    code = "A0415"
    lint = "identity-blocked"
    cites = "He et al., Identity Mappings in Deep Residual Networks (2016), section 3"
    title = "the identity cannot pass this residual"
    at = "its shortcut runs `{layer}`, though both sides have shape {shape}"
    hint = "leave the shortcut out where the shape stays"

    layer: str
    shape: str


@record(kw_only=True)
class DenseHead(Lint):
    """A dense layer that holds most of the parameters.

    It has a weight for each place of the image it flattens. Averaging over the places before it takes none, and
    overfits less.
    """

    code = "A0416"
    lint = "dense-head"
    cites = "Lin et al., Network In Network (2014), section 3.2"
    title = "this `linear` holds {share}% of the parameters"
    at = "{count} of {total}: it sees {places} places of a flattened image"
    hint = "average over the image first: `global_avgpool -> flatten`"

    share: int
    count: str
    total: str
    places: int


@record(kw_only=True)
class DropoutBeforeNorm(Lint):
    """A dropout whose noise a batch normalization measures.

    The variance that it stores in training is that of dropped values; at inference nothing is dropped, and the stored
    variance is wrong.
    """

    code = "A0417"
    lint = "dropout-before-norm"
    cites = "Li et al., Understanding the Disharmony between Dropout and Batch Normalization (2019), section 3"
    title = "the variance of this `dropout` is stored by a later `{norm}`"
    at = "at inference nothing is dropped"
    hint = "drop after the last batch normalization"

    norm: str


@record(kw_only=True)
class NumbersChanged(Lint):
    """Members of a `seq` whose numbers version 0.1 counted otherwise.

    There, values (arithmetic, slices, functions) took numbers too. A checkpoint of that version has the old names. With
    the old numbers as labels, which `archdsl check --fix` writes, it fits; a network that is trained anew needs none.
    """

    code = "A0229"
    lint = "numbers-changed"
    cites = "docs/language.md, Modules and their names"
    title = "the members of this `seq` have other numbers than in version 0.1"
    at = "{changes}: values take no number"
    hint = "for checkpoints of version 0.1 write the old numbers as labels"

    changes: str


@record(kw_only=True)
class LastAxisOfMap(Lint):
    """A layer on the last axis of a feature map.

    `linear`, `attention` and `layernorm` work on the last axis. In the map of a convolution, [N, C, H, W], that is one
    of the places: each row is transformed by itself, and the channels are left alone. Most often a `flatten` was
    forgotten.
    """

    code = "A0419"
    lint = "last-axis"
    cites = "the layout of `torch.nn.Conv2d`, [N, C, H, W], and of `torch.nn.Linear`, which takes the last axis"
    title = "this `{layer}` works on the last axis of a feature map"
    at = "{shape} arrives: axis {last} holds {size} places, not the channels"
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
    """An input laid out channels last.

    Convolutions, pools and norms take [N, C, H, W]. An input of [N, H, W, C], as other libraries lay it out, would be
    convolved over its width and its colors.
    """

    code = "A0420"
    lint = "channels-last"
    cites = "the layout of `torch.nn.Conv2d`, [N, C, H, W]"
    title = "the input {shape} looks like channels last"
    at = "this `{layer}` takes axis 1 for the channels: {channels} of them"
    hint = "{advice}"

    layer: str
    shape: str
    channels: str
    advice: str


@record(kw_only=True)
class StepsAsChannels(Lint):
    """A layer that takes the steps of a sequence for channels.

    Convolutions, pools and batch norms take the channels from axis 1. Linear layers, embeddings and attention leave the
    features on the last axis: then axis 1 holds the steps, and each step would get a scale or a filter of its own.
    """

    code = "A0421"
    lint = "steps-as-channels"
    cites = "the layout of `torch.nn.BatchNorm1d` and `torch.nn.Conv1d`, [N, C, L]"
    title = "this `{layer}` takes axis 1 ({size}) for the channels; the features are axis {axis} ({width}){count}"
    at = "an earlier layer made the features axis {axis}"
    hint = 'put them on axis 1 before it: `rearrange("{pattern}")`{instead}'

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
    """Weights whose number depends on the length of the input.

    Another layer shares its weights along that axis, so the network was to take any length; but this one has a weight
    for each place. Such a network can only be compiled for one size of the input.
    """

    code = "A0422"
    lint = "open-weights"
    cites = "Lin et al., Network In Network (2014), section 3.2, on averaging over places of any number"
    title = "the number of parameters depends on {lengths}: the {weight} of this `{layer}` is {shape}"
    at = "no number is stated for {lengths}"
    hint = "average over the places before it (`global_avgpool -> flatten`), or state the input's size in numbers"

    layer: str
    weight: str
    shape: str
    lengths: str


@record(kw_only=True)
class ActivationBeforeLoss(Lint):
    """An activation between a classifier's scores and its loss.

    `archdsl train` computes the cross-entropy of scores, as `torch.nn.CrossEntropyLoss` does: it takes the softmax
    itself. On handwritten digits a `softmax` or `relu` before it costs more than ten percent of accuracy in five
    epochs.
    """

    code = "A0423"
    lint = "activation-before-loss"
    cites = "the documentation of `torch.nn.CrossEntropyLoss`, whose input are unnormalized logits"
    title = "this `{activation}` stands between the scores and the loss"
    at = "{effect}"
    hint = "end with the scores: remove the `{activation}`; `archdsl predict` shows probabilities all the same"

    activation: str
    effect: str
