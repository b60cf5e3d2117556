"""The report of a run: one page of HTML that holds everything, fit to be mailed."""

from __future__ import annotations

import base64
import csv
import io
import json
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image
from torchvision.transforms.v2 import functional as F

from archdsl.diagnostics.files import CannotRead
from archdsl.errors import SpecError
from archdsl.files import write_whole
from archdsl.model import Model
from archdsl.training import recipe
from archdsl.training.assess import Assessment, assess
from archdsl.training.config import Config
from archdsl.training.curves import figure
from archdsl.training.data import Data
from archdsl.training.run import Run
from archdsl.training.scoring import Scorer, scorer
from archdsl.training.sources import load

WORST = 8
"""Confusions that are shown with pictures."""
PICTURES = 3
"""Of each of them."""
MATRIX = 40
"""Classes up to which the confusion matrix is shown whole."""


def report(run: Run, path: Path, summarise: Callable[[Model, str], str], data_place: str | None = None) -> None:
    """Write the page.

    ``summarise`` gives the summary of a model as text, with the memory that an optimizer takes.
    ``data_place``: where the data lie, if no longer where the run found them.

    Raises: SpecError, where the run is not complete, or its data are not there.
    """
    facts = _facts(run)
    config = recipe.resolved(str(run.recipe), {"data": data_place} if data_place else {})
    trained = scorer(run.best)
    data = load(config.data, config.split, config.skip_unreadable)
    found = assess(trained, data, "test", config.batch_size, config.workers or 0)
    environment = Environment(
        loader=PackageLoader("archdsl.training"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    page = environment.get_template("report.html").render(
        facts=facts,
        result=facts["result"],
        recipe=run.recipe.read_text(encoding="utf-8"),
        diagram=_diagram(_model(trained)),
        summary=summarise(
            _model(trained), "momentum" if config.optimizer == "sgd" and config.momentum else config.optimizer
        ),
        curves=_curves(run),
        found=found,
        matrix=_matrix(found),
        worst=_worst(found, data),
        commands=_commands(run, facts, config),
    )
    write_whole(path, page.encode())


def _facts(run: Run) -> dict[str, Any]:
    """What the run notes of itself.

    Raises: SpecError, where it is no run, or has not ended.
    """
    try:
        facts = json.loads(run.facts.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise SpecError([_unfit(run, "it is not the folder of a run: it has no run.json")]) from None
    if "result" not in facts:
        raise SpecError([_unfit(run, "the run has not finished; continue it with --resume")])
    return facts


def _unfit(run: Run, reason: str) -> CannotRead:
    return CannotRead(span=None, path=str(run.out), reason=reason)


# ---- parts of the page -------------------------------------------------------------------------------------


def _model(trained: Scorer) -> Model:
    assert trained.model is not None  # it comes from a checkpoint
    return trained.model


def _diagram(model: Model) -> str:
    svg = model.diagram().svg()
    return svg[svg.index("<svg") :]


def _curves(run: Run) -> str:
    with run.log.open(encoding="utf-8", newline="") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    svg = io.StringIO()
    figure(rows, "").savefig(svg, format="svg", transparent=True)
    text = svg.getvalue()
    return text[text.index("<svg") :]


def _matrix(found: Assessment) -> list[list[dict[str, Any]]] | None:
    """Counts, each with its share of the row, which its shade shows. None where there are too many classes."""
    if len(found.classes) > MATRIX:
        return None
    rows = found.confusion.tolist()
    return [[{"count": count, "share": count / max(1, sum(row))} for count in row] for row in rows]


def _worst(found: Assessment, data: Data) -> list[dict[str, Any]]:
    """Pairs of classes most often confused, with the pictures that the network was surest of."""
    pairs = [
        (count, true, taken)
        for true, row in enumerate(found.confusion.tolist())
        for taken, count in enumerate(row)
        if true != taken and count
    ]
    pairs.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
    return [
        {
            "true": found.classes[true],
            "taken": found.classes[taken],
            "count": count,
            "of": int((found.labels == true).sum()),
            "pictures": _pictures(found, data, true, taken),
        }
        for count, true, taken in pairs[:WORST]
    ]


def _pictures(found: Assessment, data: Data, true: int, taken: int) -> list[dict[str, Any]]:
    there = ((found.labels == true) & (found.predicted == taken)).nonzero().flatten()
    sure = found.scores[there].softmax(1)[:, taken]
    order = sure.argsort(descending=True)[:PICTURES].tolist()
    return [{"src": _thumbnail(data, found.indices[int(there[i])]), "sure": sure[i].item()} for i in order]


def _thumbnail(data: Data, index: int, side: int = 128) -> str:
    """A picture as a JPEG in a data URL."""
    image = F.to_pil_image(data.pixels(index, side)).convert("RGB")
    image.thumbnail((side, side))
    if max(image.size) < side:
        scale = side // max(image.size)
        image = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    file = io.BytesIO()
    image.save(file, format="JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def _commands(run: Run, facts: dict[str, Any], config: Config) -> Sequence[str]:
    """To repeat the run, to measure it again, and to use it."""
    spec = facts["spec"]
    settings = [f"--set={name}={value}" for name, value in spec["parameters"].items() if name != "classes"]
    name = f"{run.spec / spec['main']}:{spec['model']}"
    shape = "x".join(map(str, ("N", facts["input"]["channels"], *facts["input"]["size"])))
    repeat = ["archdsl", "train", name, *settings, f"--input={shape}", "--recipe", str(run.recipe), "--output", "again"]
    return [
        shlex.join(repeat),
        shlex.join(["archdsl", "eval", str(run.out), "--data", config.data]),
        shlex.join(["archdsl", "predict", str(run.out), "IMAGE"]),
    ]
