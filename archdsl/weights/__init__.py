"""Weights from files: read as data, matched to a network by name and shape, reported in full.

``read`` opens a checkpoint, ``match`` finds which of its tensors are the network's, ``load`` decides whether that is
enough: all commands that take weights go through it.
"""

from archdsl.weights.load import Loaded, weights_for
from archdsl.weights.read import Checkpoint, read_checkpoint, source_path, unreadable

__all__ = ["Checkpoint", "Loaded", "read_checkpoint", "source_path", "unreadable", "weights_for"]
