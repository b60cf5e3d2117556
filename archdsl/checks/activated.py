"""An activation between a classifier's scores and its loss."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.diagnostics.lints import ActivationBeforeLoss
from archdsl.graph import Graph, Node, Value
from archdsl.ops.activation import Activation
from archdsl.ops.dropout import Inert
from archdsl.ops.einops import Rearrange
from archdsl.ops.functions import Clamp, Log
from archdsl.ops.shape import Flatten
from archdsl.ops.softmax import GLU, Distribution

CLASSES = ("classes", "num_classes", "n_classes")
"""Parameters that size the head of a classifier."""
SCORES = ("logits", "scores", "probs", "probabilities")
"""Names of its output."""


def activation_before_loss(graph: Graph) -> Iterator[ActivationBeforeLoss]:
    """Activations at the end of outputs that are the scores of a classifier, where no other output gives the logits."""
    outputs = [output for output in graph.outputs if not output.when_training]
    for output in outputs:
        node = _activation(output.value, graph)
        if node is None or len(output.value.shape) != 2 or output.value.shape[1] == 1:
            continue
        gives_logits = any(_source(other.value, graph) is _source(node.inputs[0], graph) for other in outputs)
        is_classifier = isinstance(node.op, Distribution) or output.name in SCORES or _is_sized(output.value, graph)
        if is_classifier and not gives_logits:
            yield _raised(node)


def activated_scores(graph: Graph) -> Iterator[ActivationBeforeLoss]:
    """Activations at the end of the outputs that `train` computes its loss of: the first one, and auxiliary ones."""
    first = next((output for output in graph.outputs if not output.when_training), None)
    auxiliary = (output for output in graph.outputs if output.when_training)
    for output in (*([first] if first is not None else []), *auxiliary):
        node = _activation(output.value, graph)
        if node is not None:
            yield _raised(node)


def _raised(node: Node) -> ActivationBeforeLoss:
    name = node.op.name
    if name == "softmax":
        effect = "the loss applies a softmax itself: on probabilities its gradients are small"
    elif name in ("log_softmax", "log"):
        effect = "the loss applies a log-softmax itself: a second one changes nothing"
    else:
        effect = "the loss takes logits of any size and sign: this restricts their range"
    return ActivationBeforeLoss(span=node.span, activation=name, effect=effect)


def _activation(value: Value, graph: Graph) -> Node | None:
    """The activation that gives a value, past what keeps its numbers."""
    node = graph.producer.get(_source(value, graph))
    if node is None or isinstance(node.op, GLU):
        return None
    if isinstance(node.op, Log):  # the logarithm of a softmax is `log_softmax`, of anything else no activation
        before = graph.producer.get(_source(node.inputs[0], graph))
        return node if before is not None and isinstance(before.op, Distribution) else None
    return node if isinstance(node.op, Activation | Clamp) else None


def _source(value: Value, graph: Graph) -> Value:
    """What a value was before dropouts and other layouts."""
    node = graph.producer.get(value)
    while node is not None and isinstance(node.op, Inert | Flatten | Rearrange) and len(node.outputs) == 1:
        value = node.inputs[0]
        node = graph.producer.get(value)
    return value


def _is_sized(value: Value, graph: Graph) -> bool:
    """Whether a parameter for the number of classes is the size of a value."""
    arguments = graph.instance.arguments
    return any(arguments.get(name) == value.shape[1] for name in CLASSES)
