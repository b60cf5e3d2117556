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
