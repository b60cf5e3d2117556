"""A spec as something to train."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archdsl.diagnostics.training import NotAClassifier
from archdsl.errors import SpecError
from archdsl.measure.alone import norms_of_single_numbers
from archdsl.training.snapshot import snapshot
from archdsl.training.trainable import Network, Size
from archdsl.weights.load import head, only_in_training

if TYPE_CHECKING:
    from archdsl.model import Model


class SpecTrainable:
    """A model that takes pictures, [N, C, H, W]. Its parameter ``classes``, if it has one, sizes its head."""

    def __init__(self, model: Model) -> None:
        """Raises: SpecError, where it takes something else."""
        shapes = [tensor.shape for tensor in model.inputs.values()]
        if len(shapes) != 1 or len(shapes[0]) != 4:
            raise SpecError([NotAClassifier(model=model.name, reason="its input is not images, [N, C, H, W]")])
        self.model = model
        self._shape = shapes[0]

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def channels(self) -> int | None:
        return _number(self._shape[1])

    @property
    def size(self) -> Size | None:
        height, width = map(_number, self._shape[2:])
        return None if height is None or width is None else (height, width)

    def build(self, *, classes: int, channels: int, size: Size) -> Network:
        sized = {"classes": classes} if "classes" in self.model.arguments else {}
        model = self.model.vary(input=f"Nx{channels}x{size[0]}x{size[1]}", **sized)
        return Network(
            module=model.module(),
            source=model.source(),
            export=model.onnx,
            spec=snapshot(model),
            heads={*head(model.graph), *only_in_training(model.graph)},
            alone=lambda size: _alone(model.vary(input=f"Nx{channels}x{size[0]}x{size[1]}")),
        )


def _alone(model: Model) -> list[str]:
    """The names of the batch norms that cannot be trained on batches of one."""
    return [node.path or "" for node in norms_of_single_numbers(model.graph)]


def _number(size: object) -> int | None:
    """None for a symbolic size."""
    return size if isinstance(size, int) else None
