"""A05xx: writing a network in another form. A0500-A0519 PyTorch, A0520-A0539 ONNX."""

from __future__ import annotations

from archdsl.diagnostics.base import Diagnostic
from archdsl.record import record

# ---- PyTorch -----------------------------------------------------------------------------------------------


@record(kw_only=True)
class SourceNotProved(Diagnostic):
    """No source could be proved equal to the network.

    Every emitted file is run against the checked graph, symbol by symbol, before it is written. No spec is known that
    leads here.
    """

    code = "A0500"
    title = "no PyTorch source of `{network}` could be proved equal to the checked network: {reason}"
    hint = "this is a fault of archdsl: please report it with the spec"

    network: str
    reason: str


@record(kw_only=True)
class PlainForm(Diagnostic):
    """A network written out layer by layer.

    Its readable form could not be proved equal to the checked network, so the plain form was written, which was: one
    class for each scope, with every number written out. It computes the same and has the same state dict.
    """

    code = "A0501"
    severity = "warning"
    title = "`{network}` is written out layer by layer: its readable form could not be proved equal to it ({reason})"
    hint = "the file is right, only longer; please report the spec, so that archdsl learns to write it better"

    network: str
    reason: str


@record(kw_only=True)
class MadeTooEarly(Diagnostic):
    """A module that would have to be made before the input's size is known.

    Such a network can be checked, measured and drawn: its numbers are then polynomials of the sizes. But a module has
    its parameters, and the numbers it is made with, before it sees an input.
    """

    code = "A0502"
    title = "`{network}` cannot be written as it stands: {what}"
    at = "this depends on {symbols}, which only an input has"
    hint = "state the size in the spec, or give the input's shape with `--input`"

    network: str
    what: str
    symbols: str


@record(kw_only=True)
class NothingAtInference(Diagnostic):
    """A network with outputs only in training, as a PyTorch module.

    It can be checked, as a part of another network; a module of its own would give nothing at inference.
    """

    code = "A0503"
    title = "`{network}` has outputs only in training: a module of it would give nothing at inference"
    hint = "state an output without `when training`"

    network: str


@record(kw_only=True)
class UnprovedPickle(Diagnostic):
    """A pickled module whose source could not be proved equal to the network of its spec.

    A pickle of a module that archdsl made carries its source and the spec. Unpickling executes the source only after
    proving it equal to the network: this file was changed, or written by a version of archdsl with other rules.
    """

    code = "A0504"
    title = "the source of `{network}` in this pickle is not proved to be the network of its spec: {reason}"
    hint = "compile the spec to a Python file and load a state dict there instead"

    network: str
    reason: str


@record(kw_only=True)
class BufferDepends(Diagnostic):
    """A buffer whose value is not known when the module is made.

    A buffer is computed once, by the constructor, and stored in checkpoints. So it may depend on numbers and on other
    buffers, but not on an input, on what is trained, or on random numbers.
    """

    code = "A0505"
    title = "the buffer `{name}` depends on {on}"
    at = "a buffer is computed once, when the module is made"
    hint = "name the value with `let` instead: it is then computed in each forward pass"

    name: str
    on: str


# ---- ONNX --------------------------------------------------------------------------------------------------


@record(kw_only=True)
class MissingWeight(Diagnostic):
    """Weights are missing for an ONNX export.

    All parameters and buffers of the network are needed, by their names in the state dict.
    """

    code = "A0520"
    title = "no weights are given for `{name}`"
    hint = "the state dict of a module of this network has it, with shape {shape}"

    name: str
    shape: str


@record(kw_only=True)
class WeightDiffers(Diagnostic):
    """A weight of another shape or type than the network has."""

    code = "A0521"
    title = "the weights given for `{name}` are {found}, not {wanted}"

    name: str
    found: str
    wanted: str


@record(kw_only=True)
class UnreadableWeight(Diagnostic):
    """A weight that is no array."""

    code = "A0522"
    title = "the weights given for `{name}` cannot be read as an array: {reason}"

    name: str
    reason: str


@record(kw_only=True)
class NameTakenTwice(Diagnostic):
    """Two things with one name in an ONNX file.

    Inputs, outputs and weights of an ONNX graph share one set of names.
    """

    code = "A0523"
    title = "`{name}` is {first} and {second}; in an ONNX file they share one set of names"
    hint = "rename one of them"

    name: str
    first: str
    second: str


@record(kw_only=True)
class NothingToExport(Diagnostic):
    """A network without an output at inference."""

    code = "A0524"
    title = "`{network}` has outputs only in training, and an ONNX file is for inference"
    hint = "state an output without `when training`"

    network: str


@record(kw_only=True)
class UnreadableSize(Diagnostic):
    """A size that the ONNX file could not read off its inputs.

    In an ONNX file a symbol is the size of an axis of an input.
    """

    code = "A0525"
    title = "a layer needs the size {symbol}, which no input has as the size of an axis"
    hint = "give the input's size in numbers, or as a name for each axis"

    symbol: str


@record(kw_only=True)
class SizeBeyond64Bits(Diagnostic):
    """A size with more than 64 bits.

    Sizes in an ONNX file are 64 bits wide.
    """

    code = "A0526"
    title = "the size {size} has more than 64 bits"

    size: str


@record(kw_only=True)
class RefusedByChecker(Diagnostic):
    """The ONNX checker refuses what was written.

    Nothing is kept then. No spec is known that leads here.
    """

    code = "A0527"
    title = "the ONNX checker refuses what was written, so nothing is kept: {reason}"
    hint = "this is a fault of archdsl: please report it with the spec"

    reason: str


@record(kw_only=True)
class OnnxDiffers(Diagnostic):
    """ONNX Runtime computes something else than torch.

    Told by `archdsl compile --to onnx --verify`, which runs both on the same input, at several sizes.
    """

    code = "A0528"
    title = "ONNX Runtime's `{output}` differs from torch's by {difference} at {sizes}, from `{place}` on"
    at = "on the same input this differs by {own}"

    output: str
    difference: str
    sizes: str
    place: str
    own: str


@record(kw_only=True)
class NothingVerified(Diagnostic):
    """A comparison of ONNX Runtime with torch that shows nothing.

    All numbers of an output are NaN or infinite, in both. The file may be right or wrong.
    """

    code = "A0533"
    title = "nothing was verified: every number of {outputs} is NaN or infinite, in torch and in ONNX Runtime"
    hint = "`{network}` is run on standard normal inputs; give it trained weights with `--weights`"

    network: str
    outputs: str


@record(kw_only=True)
class ModuleIsAnother(Diagnostic):
    """A module that is not the network it is exported for."""

    code = "A0529"
    title = "the module computes something else than the checked graph of {network}, which the ONNX file agrees with"

    network: str


@record(kw_only=True)
class RuntimeRefuses(Diagnostic):
    """ONNX Runtime cannot run the file."""

    code = "A0530"
    title = "ONNX Runtime cannot run the file: {reason}"

    reason: str


@record(kw_only=True)
class NoSizesFound(Diagnostic):
    """No sizes meet the preconditions of the network.

    `--verify` runs the network, and needs sizes for its symbols.
    """

    code = "A0531"
    title = "no sizes were found that meet the preconditions of {network}"
    hint = "give the input's size in numbers: `--input`"

    network: str


@record(kw_only=True)
class NotInOnnx(Diagnostic):
    """An operator without a form in ONNX.

    Files are written in opset 18. Some operators have a form there only where the sizes of their input are known.
    """

    code = "A0532"
    title = "`{op}` has no form in ONNX here: {reason}"
    hint = "{advice}"

    op: str
    reason: str
    advice: str | None = None
