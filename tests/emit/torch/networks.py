"""The networks that the source is tested with: shipped ones, and specs written for it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import archdsl
from archdsl.compiler import Spec, from_text, open_spec, shipped_specs
from archdsl.emit.torch.emission import Source, emit
from archdsl.model import open_model

SPECS = Path(__file__).parent / "specs"


def members(path: Path) -> list[str]:
    """``path:Model`` for each model of a file that needs no argument."""
    spec = open_spec(str(path))
    assert isinstance(spec, Spec)
    return [f"{path}:{name}" for name in spec.buildable]


@cache
def sketched() -> tuple[str, ...]:
    """All models of the specs that were written for these tests."""
    return tuple(m for path in sorted(SPECS.glob("*.arch")) for m in members(path))


@cache
def shipped() -> tuple[str, ...]:
    """All models of the lecture's specs, and one of each family of torchvision's: the others differ in numbers."""
    found: list[str] = []
    for path in shipped_specs():
        every = members(path)
        found += every[:1] if path.parent.name == "torchvision" else every
    return tuple(found)


@cache
def emitted(name: str) -> tuple[archdsl.Model, Source]:
    """A model with its source."""
    model = archdsl.load(name)
    return model, emit(model)


def short(name: str) -> str:
    """The id of a test."""
    path, _, model = name.partition(":")
    return f"{Path(path).stem}-{model}"


def model_of(text: str) -> archdsl.Model:
    """The one model of a text."""
    return open_model(from_text(text), {}, {})


def source_of(text: str) -> str:
    """Its source, in the readable form."""
    source = emit(model_of(text))
    assert source.diagnostics == ()
    return source.text
