"""Networks by the names that other packages give them: ``torchvision:resnet50``. Only a prefix imports Python."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from archdsl.diagnostics.files import MissingExtra
from archdsl.diagnostics.importing import NoSuchNetwork
from archdsl.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

IMAGE = (2, 3, 224, 224)
"""The shape of an image where none is given."""


class Network(NamedTuple):
    """A module, examples of its inputs, and its name."""

    module: nn.Module
    inputs: list[Tensor]
    name: str


def is_network(source: str) -> bool:
    """Does a source name a network of another package?"""
    return source.partition(":")[0] in PREFIXES and ":" in source and not Path(source).exists()


def open_network(source: str, shapes: Sequence[Sequence[int]] = ()) -> Network:
    """The network that a source names. Runs the Python code of its package; nothing is downloaded.

    Args:
        source: ``torchvision:resnet50``, ``timm:pvt_v2_b0`` or ``python:PACKAGE.MODULE:NAME``.
        shapes: those of the inputs; the usual ones if empty.

    Raises:
        SpecError: there is no such package or network.
    """
    prefix, _, rest = source.partition(":")
    if prefix not in PREFIXES:
        known = ", ".join(f"`{p}:`" for p in PREFIXES)
        raise SpecError([_missing(source, "the prefix is unknown", f"begin with one of {known}")])
    with _installed("torch"):
        importlib.import_module("torch")
    return PREFIXES[prefix](source, rest, [tuple(shape) for shape in shapes])


def _missing(source: str, reason: str, advice: str) -> NoSuchNetwork:
    return NoSuchNetwork(span=None, source=source, reason=reason, advice=advice)


@contextmanager
def _installed(package: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        extra = "torch" if package in ("torch", "torchvision") else package
        raise SpecError([MissingExtra(span=None, what="import", package=package, extra=extra)]) from None


def _random(shapes: Sequence[Sequence[int]]) -> list[Tensor]:
    """Random examples."""
    import torch

    generator = torch.Generator().manual_seed(0)
    return [torch.randn(tuple(s), generator=generator) for s in shapes]


# ---- packages ----------------------------------------------------------------------------------------------


def _torchvision(source: str, name: str, shapes: Sequence[Sequence[int]]) -> Network:
    with _installed("torchvision"):
        models = importlib.import_module("torchvision").models
    if name not in models.list_models():
        raise SpecError([_missing(source, "torchvision has no such model", "see `torchvision.models.list_models()`")])
    options: dict[str, Any] = {"weights": None}
    if "weights_backbone" in models.get_model_builder(name).__annotations__:
        options["weights_backbone"] = None
    return _network(models.get_model(name, **options), shapes, name)


def _timm(source: str, name: str, shapes: Sequence[Sequence[int]]) -> Network:
    with _installed("timm"):
        timm = importlib.import_module("timm")
    if not timm.is_model(name):
        raise SpecError([_missing(source, "timm has no such model", "see `timm.list_models()`")])
    module = timm.create_model(name, pretrained=False)
    return _network(module, shapes or [(2, *module.default_cfg["input_size"])], name)


def _network(module: nn.Module, shapes: Sequence[Sequence[int]], name: str) -> Network:
    return Network(module, _random(shapes or [IMAGE]), name)


def _python(source: str, path: str, shapes: Sequence[Sequence[int]]) -> Network:
    """A module, or what a class or function without arguments makes, of a Python module."""
    import torch

    package, _, name = path.partition(":")
    if not shapes:
        raise SpecError([_missing(source, "its input is unknown", "give its shape: `--input 1x3x224x224`")])
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    usage = "write `python:PACKAGE.MODULE:NAME`, of a module that can be imported from here"
    if not package or not name:
        raise SpecError([_missing(source, "it names no object of a Python module", usage)])
    try:
        found = getattr(importlib.import_module(package), name)
    except (ImportError, AttributeError) as error:
        raise SpecError([_missing(source, str(error), usage)]) from None
    except (Exception, SystemExit) as error:  # the code of another package raises what it likes
        reason = f"`{package}` raises {type(error).__name__} when it is imported: {error}"
        raise SpecError([_missing(source, reason, usage)]) from error
    try:
        module = found if isinstance(found, torch.nn.Module) else found()
    except (Exception, SystemExit) as error:
        advice = "name a module, or a class or function that takes no arguments"
        raise SpecError([_missing(source, f"`{name}` raises {type(error).__name__}: {error}", advice)]) from error
    if not isinstance(module, torch.nn.Module):
        raise SpecError([_missing(source, f"`{name}` is no torch module and makes none", "name another object")])
    return Network(module, _random(shapes), name)


PREFIXES: Mapping[str, Callable[[str, str, Sequence[Sequence[int]]], Network]] = {
    "torchvision": _torchvision,
    "timm": _timm,
    "python": _python,
}
"""How a network of each prefix is opened."""
