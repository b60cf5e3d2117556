"""What networks cost: parameters, multiply-accumulates, memory, receptive fields, depth. Sizes are ``int | Dim``.

Costs are for one example unless a batch is given; ``batch=None`` leaves a symbolic batch as it is.
"""

from archdsl.measure.batch import batch_symbols
from archdsl.measure.cost import flops, macs
from archdsl.measure.depth import depth
from archdsl.measure.field import AxisField, Field, Fields, receptive_field
from archdsl.measure.memory import OPTIMIZERS, TrainingMemory, activation_bytes, training_memory
from archdsl.measure.modules import Totals, by_module
from archdsl.measure.params import bytes_by_dtype, params
from archdsl.measure.ratio import Ratio

__all__ = [
    "OPTIMIZERS",
    "AxisField",
    "Field",
    "Fields",
    "Ratio",
    "Totals",
    "TrainingMemory",
    "activation_bytes",
    "batch_symbols",
    "by_module",
    "bytes_by_dtype",
    "depth",
    "flops",
    "macs",
    "params",
    "receptive_field",
    "training_memory",
]
