"""A05xx: back ends. A0500-A0519 PyTorch, A0520-A0539 ONNX."""

from __future__ import annotations

from typing import ClassVar

from archdsl.diagnostics.base import Diagnostic, Severity
from archdsl.record import record

# ---- PyTorch -----------------------------------------------------------------------------------------------


@record(kw_only=True)
class SourceNotProved(Diagnostic):
    """PyTorch source that could not be proved equal to the network.

    Before a file is written, it is executed symbolically and compared with the checked graph. No spec is known to cause
    this error.
    """

    code = "A0500"
    title = "the PyTorch source of `{network}` could not be proved equal to the checked network: {reason}"
    hint = "this is a bug in archdsl: please report it with the spec"

    network: str
    reason: str


@record(kw_only=True)
class PlainForm(Diagnostic):
    """A network written out layer by layer.

    The readable source could not be proved equal to the checked network, so the plain form was written, which was
    proved: one class for each scope, with every number written out. It computes the same and has the same state dict.
    """

    code = "A0501"
    severity: ClassVar[Severity] = "warning"
    title = "`{network}` is written layer by layer: its readable form could not be proved equal to it ({reason})"
    hint = "the file is correct, but longer than needed; please report the spec"

    network: str
    reason: str


@record(kw_only=True)
class MadeTooEarly(Diagnostic):
    """A module whose parameters depend on the input size.

    Such a network can be checked, measured and drawn; its numbers are polynomials of the sizes. But a PyTorch module
    creates its parameters before it sees an input.
    """

    code = "A0502"
    title = "cannot write `{network}`: {what}"
    at = "this depends on the input size {symbols}"
    hint = "fix the size in the spec, or with `--input`"

    network: str
    what: str
    symbols: str


@record(kw_only=True)
class NothingAtInference(Diagnostic):
    """A network that has outputs only in training.

    It can be checked as a part of another network. As a module of its own it would return nothing at inference.
    """

    code = "A0503"
    title = "`{network}` has outputs only in training: its module would return nothing at inference"
    hint = "add an output without `when training`"

    network: str


@record(kw_only=True)
class UnprovedPickle(Diagnostic):
    """A pickled module whose source could not be proved equal to the network of its spec.

    A pickle of a compiled module contains its source and the spec. Unpickling executes the source only after proving it
    equal to the network. This file was changed, or written by another version of archdsl.
    """

    code = "A0504"
    title = "the source of `{network}` in this pickle could not be proved equal to its spec: {reason}"
    hint = "compile the spec to a Python file and load a state dict there instead"

    network: str
    reason: str


@record(kw_only=True)
class BufferDepends(Diagnostic):
    """A buffer that is not constant.

    A buffer is computed once, by the constructor, and stored in checkpoints. It may depend on numbers and other
    buffers, but not on an input, a parameter, or random numbers.
    """

    code = "A0505"
    title = "the buffer `{name}` depends on {on}"
    at = "a buffer is computed once, by the constructor"
    hint = "use `let` instead, which is computed in each forward pass"

    name: str
    on: str


# ---- ONNX --------------------------------------------------------------------------------------------------


@record(kw_only=True)
class MissingWeight(Diagnostic):
    """A weight that is missing for an ONNX export.

    All parameters and buffers of the network are needed, by their names in the state dict.
    """

    code = "A0520"
    title = "the weight `{name}` is missing"
    hint = "add `{name}` with shape {shape}, as in the state dict of the compiled module"

    name: str
    shape: str


@record(kw_only=True)
class WeightDiffers(Diagnostic):
    """A weight with the wrong shape or type."""

    code = "A0521"
    title = "the weight `{name}` is {found}, not {wanted}"

    name: str
    found: str
    wanted: str


@record(kw_only=True)
class UnreadableWeight(Diagnostic):
    """A weight that is not an array."""

    code = "A0522"
    title = "the weight `{name}` cannot be converted to an array: {reason}"

    name: str
    reason: str


@record(kw_only=True)
class NameTakenTwice(Diagnostic):
    """A duplicate name in an ONNX file.

    Inputs, outputs and weights of an ONNX graph share one namespace.
    """

    code = "A0523"
    title = "`{name}` is both {first} and {second}; in an ONNX file they share one namespace"
    hint = "rename one of them"

    name: str
    first: str
    second: str


@record(kw_only=True)
class NothingToExport(Diagnostic):
    """A network without an output at inference."""

    code = "A0524"
    title = "`{network}` has outputs only in training; an ONNX file is for inference"
    hint = "add an output without `when training`"

    network: str


@record(kw_only=True)
class UnreadableSize(Diagnostic):
    """A size that cannot be computed in the ONNX file.

    In an ONNX file each symbol must be the size of an axis of an input.
    """

    code = "A0525"
    title = "a layer needs the size {symbol}, which is not the size of any input axis"
    hint = "fix the input size with `--input`, or name each axis"

    symbol: str


@record(kw_only=True)
class SizeBeyond64Bits(Diagnostic):
    """A size with more than 64 bits.

    Sizes in an ONNX file have 64 bits.
    """

    code = "A0526"
    title = "the size {size} has more than 64 bits"

    size: str


@record(kw_only=True)
class RefusedByChecker(Diagnostic):
    """An ONNX file that the ONNX checker rejects.

    The file is not written. No spec is known to cause this error.
    """

    code = "A0527"
    title = "the ONNX checker rejects the file, so it is not written: {reason}"
    hint = "this is a bug in archdsl: please report it with the spec"

    reason: str


@record(kw_only=True)
class OnnxDiffers(Diagnostic):
    """An ONNX file whose outputs differ from torch.

    Reported by `archdsl compile --to onnx --verify`, which runs both on the same inputs, at several sizes.
    """

    code = "A0528"
    title = "`{output}` in ONNX Runtime differs from torch by {difference} at {sizes}; the first to differ is `{place}`"
    at = "given the same input, this layer differs by {own}"

    output: str
    difference: str
    sizes: str
    place: str
    own: str


@record(kw_only=True)
class NothingVerified(Diagnostic):
    """A verification without a finite number.

    All numbers of an output are NaN or infinite, both in torch and ONNX Runtime. The file may be right or wrong.
    """

    code = "A0533"
    title = "nothing was verified: every number of {outputs} is NaN or infinite, in torch and in ONNX Runtime"
    hint = "`{network}` runs on standard normal inputs; use trained weights with `--weights`"

    network: str
    outputs: str


@record(kw_only=True)
class ModuleIsAnother(Diagnostic):
    """A module that computes something else than its spec."""

    code = "A0529"
    title = "the torch module differs from the checked graph of {network}; the ONNX file agrees with the graph"

    network: str


@record(kw_only=True)
class RuntimeRefuses(Diagnostic):
    """ONNX Runtime cannot run the file."""

    code = "A0530"
    title = "ONNX Runtime cannot run the file: {reason}"

    reason: str


@record(kw_only=True)
class NoSizesFound(Diagnostic):
    """No sizes that satisfy the preconditions of the network.

    `--verify` runs the network, and needs numbers for its symbolic sizes.
    """

    code = "A0531"
    title = "found no input size that satisfies the preconditions of {network}"
    hint = "fix the input size with `--input`"

    network: str


@record(kw_only=True)
class NotInOnnx(Diagnostic):
    """An operator that cannot be exported to ONNX.

    Files use opset 18. Some operators can be exported only if the sizes of their input are known.
    """

    code = "A0532"
    title = "`{op}` cannot be exported to ONNX here: {reason}"
    hint = "{advice}"

    op: str
    reason: str
    advice: str | None = None
