"""A054x: import of networks from Python."""

from __future__ import annotations

from archdsl.diagnostics.base import Diagnostic
from archdsl.record import record


@record(kw_only=True)
class CannotImport(Diagnostic):
    """A network that calls what the language does not have.

    Import records the functions that a network calls, and writes each as an operator. A function without an operator,
    control flow that depends on the data, and tensors that are written into are refused: nothing is approximated.
    """

    code = "A0540"
    title = "cannot import `{network}`: {at_call}: {reason}"
    hint = "import a part without it, or write that layer as a spec by hand"

    network: str
    at_call: str
    reason: str


@record(kw_only=True)
class ImportNotProved(Diagnostic):
    """An imported spec that is not the network.

    Before a spec is written, it is compiled and compared with the network: names, shapes, types and order of the state
    dict, what is computed, and outputs for random weights. No spec is written that differs.
    """

    code = "A0541"
    title = "the spec of `{network}` could not be proved equal to it: {reason}"
    hint = "tensors that no layer reads at inference cannot be imported; otherwise please report the network"

    network: str
    reason: str


@record(kw_only=True)
class NoSuchNetwork(Diagnostic):
    """A source of networks that cannot be opened.

    Networks are imported from `torchvision:NAME`, `timm:NAME` and `python:PACKAGE.MODULE:NAME`. The Python code of the
    named package is executed. Nothing is downloaded.
    """

    code = "A0542"
    title = "cannot open `{source}`: {reason}"
    hint = "{advice}"

    source: str
    reason: str
    advice: str
