"""Import as Python functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from archdsl.diagnostics.files import MissingExtra
from archdsl.errors import SpecError

if TYPE_CHECKING:
    from torch import nn

    from archdsl.importing.sources.module import Imported
    from archdsl.model import Model


def from_torch(module: nn.Module, example_inputs: Any, name: str | None = None) -> Model:
    """A torch module as a model, proved equal to it; ``model.spec()`` is its text.

    The module runs a few times, on copies: its Python code is executed.

    Args:
        module: a module whose inputs are tensors, with the batch on axis 0.
        example_inputs: a tensor, or a list of tensors.
        name: the name of the model; that of the module's class if None.

    Raises:
        SpecError: it cannot be imported, or its spec could not be proved equal to it.
    """
    from archdsl.importing.sources.module import import_module

    inputs = list(example_inputs) if isinstance(example_inputs, list | tuple) else [example_inputs]
    return import_module(module, inputs, name or type(module).__name__).model


def imported(source: str, shapes: Sequence[Sequence[int]] = ()) -> Imported:
    """The network that a source such as ``torchvision:resnet50`` names.

    Raises:
        SpecError: it cannot be opened, imported or proved.
    """
    from archdsl.importing.sources.named import open_network

    network = open_network(source, shapes)
    try:
        from archdsl.importing.sources.module import import_module
    except ModuleNotFoundError as error:
        missing = MissingExtra(span=None, what="import", package=str(error.name), extra="torch")
        raise SpecError([missing]) from None
    return import_module(network.module, network.inputs, network.name)
