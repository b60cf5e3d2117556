"""A trained network from its file: a run's folder, a checkpoint or an exported ONNX file, ready to score pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torchvision.transforms import v2

from archdsl.diagnostics.files import CannotRead, MissingExtra
from archdsl.diagnostics.training import NotTrained, ScoresNotFinite
from archdsl.errors import SpecError
from archdsl.model import Model
from archdsl.training.onnxfile import KEY
from archdsl.training.run import Run
from archdsl.training.snapshot import restore
from archdsl.training.told import is_sound
from archdsl.training.transforms import evaluation
from archdsl.weights import unreadable


@dataclass(frozen=True)
class Look:
    """How the pictures look that a network was trained on: see ``data.Data``."""

    photographs: bool
    size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def channels(self) -> int:
        return len(self.mean)


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """``score`` maps prepared pictures, float32 [N, channels, H, W], to scores [N, classes]."""

    path: Path
    score: Callable[[Tensor], Tensor]
    facts: Mapping[str, Any]
    model: Model | None = None

    @property
    def classes(self) -> list[str]:
        return list(self.facts["classes"])

    @property
    def look(self) -> Look:
        given = self.facts["input"]
        mean, std = tuple(given["mean"]), tuple(given["std"])
        return Look(given["photographs"], tuple(given["native"]), mean, std)

    @property
    def transform(self) -> v2.Transform:
        """What makes uint8 [c, H, W] of a picture an input: as in training's validation."""
        given = self.facts["input"]
        return evaluation(self.look, given["channels"], tuple(given["size"]), given["resize"])


def scorer(path: Path, device: str | None = None) -> Scorer:
    """The network in a file; of a run's folder, the best one. On a GPU, if there is one and ``device`` is None.

    Raises: SpecError, where the file is none that a training wrote.
    """
    if path.is_dir():
        path = Run(path).best
    if path.suffix == ".onnx":
        found = _exported(path)
    else:
        found = _checkpoint(path, torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu")))
    _try(found)
    return found


def ranked(trained: Scorer, scores: Tensor) -> Tensor:
    """The scores, [N, classes], by which classes are to be ranked.

    Raises: SpecError, where some of them are NaN or infinite. Minus infinity rules a class out, and is fine.
    """
    spoilt = int((scores.isnan() | scores.isposinf()).any(1).sum())
    if spoilt:
        raise SpecError([ScoresNotFinite(path=str(trained.path), count=spoilt, images=len(scores))])
    return scores


def _try(trained: Scorer) -> None:
    """Hold that the network takes the pictures that its file says it takes, and gives a score for each class.

    Raises: SpecError, where it does not.
    """
    given = trained.facts["input"]
    blank = torch.zeros(1, given["channels"], *given["size"])
    try:
        shape = tuple(trained.score(blank).shape)
    except Exception as error:  # torch and ONNX Runtime raise many kinds; the shape is the file's word
        reason = next(iter(str(error).splitlines()), type(error).__name__)[:200]
        raise SpecError([_unreadable(trained.path, f"its network cannot take its images ({reason})")]) from None
    if shape != (1, len(trained.classes)):
        reason = f"its network returns {list(shape)} for one image, not logits of {len(trained.classes)} classes"
        raise SpecError([_unreadable(trained.path, reason)])


def _checkpoint(path: Path, device: torch.device) -> Scorer:
    found = read(path)
    facts = found["archdsl"]
    model = restore(facts.get("spec"), str(path))
    module = model.module()
    try:
        state = {name.removeprefix("network."): value for name, value in found["state_dict"].items()}
        module.load_state_dict(state, strict=True)
    except (AttributeError, KeyError, RuntimeError, TypeError) as error:
        raise SpecError([_unreadable(path, str(error).splitlines()[0])]) from None
    module.eval().to(device)

    @torch.inference_mode()
    def score(pictures: Tensor) -> Tensor:
        return module(pictures.to(device)).float().cpu()

    return Scorer(path=path, score=score, facts=facts, model=model)


def read(path: Path) -> dict[str, Any]:
    """A checkpoint with what it says of itself. Only tensors and plain values are unpickled, never code."""
    if not path.is_file():
        raise SpecError([_unreadable(path, "there is no such file")])
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds on a damaged, a hostile or a foreign file
        raise SpecError([unreadable(path, error)]) from None
    if not (isinstance(found, dict) and is_sound(found.get("archdsl"))):
        raise SpecError([NotTrained(path=str(path))])
    return found


def _unreadable(path: Path, reason: str) -> CannotRead:
    return CannotRead(span=None, path=str(path), reason=reason)


def providers(device: str = "cuda") -> list[str]:
    """Of ONNX Runtime, for a device. Its GPU build offers CUDA without a GPU too, and its CPU build never does."""
    import onnxruntime

    cuda = "CUDAExecutionProvider"
    usable = device != "cpu" and torch.cuda.is_available() and cuda in onnxruntime.get_available_providers()
    return [*([cuda] if usable else []), "CPUExecutionProvider"]


def _told(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _exported(path: Path) -> Scorer:
    try:
        import onnxruntime
    except ImportError:
        fault = MissingExtra(span=None, what="running ONNX files", package="onnxruntime", extra="onnx")
        raise SpecError([fault]) from None
    if not path.is_file():
        raise SpecError([_unreadable(path, "there is no such file")])
    try:
        session = onnxruntime.InferenceSession(path, providers=providers())
    except Exception as error:  # ONNX Runtime raises kinds of its own
        raise SpecError([_unreadable(path, str(error).splitlines()[0][:200])]) from None
    facts = _told(session.get_modelmeta().custom_metadata_map.get(KEY, ""))
    if not is_sound(facts):
        raise SpecError([NotTrained(path=str(path))])
    name = session.get_inputs()[0].name

    def score(pictures: Tensor) -> Tensor:
        return torch.from_numpy(session.run(None, {name: pictures.numpy()})[0])

    return Scorer(path=path, score=score, facts=facts)
