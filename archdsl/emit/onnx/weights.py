"""The contents of the weights: whatever was given, as arrays that fit the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.lowering import MissingWeight, UnreadableWeight, WeightDiffers
from archdsl.errors import SpecError
from archdsl.evaluate.values import shape_text
from archdsl.op import Weight


def arrays(wanted: Mapping[str, Weight], given: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The given tensors (of torch or numpy) as arrays, without copying them where they are such in memory already.

    Floats of another precision are converted, as ``load_state_dict`` does.

    Raises:
        SpecError: some are missing, or do not fit; all of them are named.
    """
    found: dict[str, np.ndarray] = {}
    faults: list[Diagnostic] = []
    for name, weight in wanted.items():
        result = _array(name, weight, given)
        if isinstance(result, Diagnostic):
            faults.append(result)
        else:
            found[name] = result
    if faults:
        raise SpecError(faults)
    return found


def _array(name: str, weight: Weight, given: Mapping[str, Any]) -> np.ndarray | Diagnostic:
    if name not in given:
        return MissingWeight(span=None, name=name, shape=shape_text(weight.shape))
    try:
        array = np.asarray(given[name], order="C")
    except (TypeError, ValueError, RuntimeError) as error:  # on a GPU, of a type that numpy has not, …
        return UnreadableWeight(span=None, name=name, reason=str(error))
    is_float = np.issubdtype(array.dtype, np.floating) and weight.dtype == "float32"
    if array.shape != weight.shape or not (is_float or array.dtype == weight.dtype):
        found = f"{shape_text(array.shape)} {array.dtype}"
        return WeightDiffers(span=None, name=name, found=found, wanted=f"{shape_text(weight.shape)} {weight.dtype}")
    return array.astype(np.dtype(weight.dtype).newbyteorder("<"), copy=False)
