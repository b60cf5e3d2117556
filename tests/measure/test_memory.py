"""Activation memory against torch's saved tensors; training memory against torch's optimizers."""

from __future__ import annotations

from random import Random

import pytest
import torch
from hypothesis import given
from torch import nn

from archdsl.measure import OPTIMIZERS, activation_bytes, bytes_by_dtype, params, training_memory

from .memory import compare, drawn
from .nets import body, shipped, text
from .oracle import held_bytes, saved_bytes, weights
from .random_nets import examples, nets

torch.set_num_threads(1)

NETWORKS = [
    ("lenet5", None),
    ("alexnet", None),
    ("torchvision/alexnet", None),
    ("VGG11", "Nx3x32x32"),
    ("VGG11_BN", "Nx3x32x32"),
    ("ResNet18", "Nx3x33x47"),
    ("Plain18", "Nx3x32x32"),
    ("resnet50", "Nx3x64x64"),
    ("ResNetCifar20", None),
    ("GoogLeNet", None),
    ("torchvision/googlenet", "Nx3x96x96"),
    ("InceptionNaive", None),
    ("InceptionReduced", None),
    ("GlobalPool", None),
]


@pytest.mark.parametrize(("name", "shape"), NETWORKS)
def test_whole_networks_to_the_byte(name: str, shape: str | None) -> None:
    graph = shipped(name, shape)
    assert activation_bytes(graph, 2) == saved_bytes(graph, 2)


@pytest.mark.parametrize(("name", "theirs"), [("resnet18", "resnet18"), ("VGG11_BN", "vgg11_bn")])
def test_as_torchvision_itself_keeps(name: str, theirs: str) -> None:
    models = pytest.importorskip("torchvision.models")
    network = models.get_model(theirs).train()
    image = torch.randn(2, 3, 64, 64)
    held = held_bytes(lambda: network(image), network.state_dict().values())
    assert activation_bytes(shipped(name, "Nx3x64x64"), 2) == held


@given(nets())
@examples(40)
def test_drawn_networks_to_the_byte(statements: str) -> None:
    graph = body(statements)
    assert activation_bytes(graph, 3) == saved_bytes(graph, 3)


BODIES = {
    "attention": "a: attention(4) -> b: layernorm; linear_: linear(8)",
    "tokens": 'rearrange("n c h w -> n (h w) c"); c: linear(16) -> gelu; d: linear(8)',
    "shared layers keep both their inputs": "let c: conv(8, 3, pad=1)\nc -> relu -> c -> relu",
    "one tensor, three keepers": "relu as r\nconcat { a: conv(4, 1); b: conv(4, 3, pad=1); it * it }",
    "a view of what is kept": "relu -> flatten(2); a: linear(4)",
    "no gradient, nothing kept": "it * it -> sigmoid -> tanh -> maxpool(2)",
    "a gradient in one factor only": "let y = it -> a: conv(8, 1)\nx * y",
    "weights are no activations": "param w: [8, 1, 1] = ones\na: conv(8, 1)\nit * w -> exp",
}


@pytest.mark.parametrize("statements", BODIES.values(), ids=BODIES)
def test_bodies_to_the_byte(statements: str) -> None:
    size = "[N, 12, 8]" if "attention" in statements else "[N, 8, 16, 16]"
    graph = body(statements, size)
    assert activation_bytes(graph, 2) == saved_bytes(graph, 2)


SLICES = {
    "a slice flattened: its copy is kept": ("[N, 3, 6, 6]", "it[:, :, 1:5] -> flatten -> fc: linear(8)"),
    "a slice through a linear layer: copied from two examples on": ("[N, 12, 4]", "it[:, 2:9] -> fc: linear(8)"),
    "a slice that a convolution reads": ("[N, 8, 6, 6]", "relu -> it[:, 2:6, 1:5] -> c: conv(4, 3)"),
    "tokens of a permuted image": ("[N, 8, 6, 6]", 'rearrange("n c h w -> n (h w) c") -> fc: linear(8) -> relu'),
    "an elementwise result lies as its input does": (
        "[N, 8, 6, 6]",
        'rearrange("n c h w -> n h w c") -> gelu; l: linear(4)',
    ),
    "channels last through a convolution": (
        "[N, 6, 6, 8]",
        'l: linear(8) -> rearrange("n h w c -> n c h w")\n c: conv(8, 3, pad=1, groups=8)\n'
        'rearrange("n c h w -> n h w c") -> m: layernorm -> k: linear(4)',
    ),
    "repeated values": ("[N, 6, 8]", 'l: linear(8) -> rearrange("n l c -> n l r c", r=3); it * it -> m: linear(4)'),
    "parts of one projection": (
        "[N, 6, 8]",
        'l: linear(24) -> rearrange("n l (k h d) -> k n h l d", k=3, h=2) as [q, k, v]\n'
        '(q * 0.5, k) -> einsum("n h i d, n h j d -> n h i j") -> softmax(axis=-1) -> dropout(0.1)\n'
        '(it, v) -> einsum("n h i j, n h j d -> n i h d") -> rearrange("n i h d -> n i (h d)") -> o: linear(8)',
    ),
    "shifted windows under a mask": (
        "[N, 8, 8, 8]",
        "norm: layernorm -> roll(axis=1, by=-2) -> roll(axis=2, by=-2)\n"
        'rearrange("n (h p) (w q) c -> n (h w) (p q) c", p=4, q=4)\n'
        'l: linear(24) -> rearrange("n w l (k h d) -> k n w h l d", k=3, h=2) as [q, k, v]\n'
        "param table: [2, 16, 16] = normal(std=0.02)\n"
        '(q * 0.5, k) -> einsum("n w h i d, n w h j d -> n w h i j"); it + table -> softmax(axis=-1)\n'
        '(it, v) -> einsum("n w h i j, n w h j d -> n w i h d") -> rearrange("n w i h d -> n w i (h d)")\n'
        "o: linear(8)\n"
        'rearrange("n (h w) (p q) c -> n (h p) (w q) c", h=2, p=4) -> roll(axis=1, by=2) -> roll(axis=2, by=2)\n'
        "it + x",
    ),
    "queries pooled in mask units": (
        "[N, 32, 8]",
        'l: linear(24) -> rearrange("n (s w) (k h d) -> k n h w s d", k=3, h=2, s=8) as [q, k, v]\n'
        'q -> reduce("n h w (p s) d -> n h w s d", "max", p=4) as pooled\n'
        '(pooled * 0.5, k) -> einsum("n h w i d, n h w j d -> n h w i j") -> softmax(axis=-1)\n'
        '(it, v) -> einsum("n h w i j, n h w j d -> n h w i d") -> rearrange("n h w i d -> n (i w) (h d)")\n'
        "o: linear(8)",
    ),
}


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize(("size", "statements"), SLICES.values(), ids=SLICES)
def test_values_that_are_not_contiguous(size: str, statements: str, batch: int) -> None:
    graph = body(statements, size)
    assert activation_bytes(graph, batch) == saved_bytes(graph, batch)


@pytest.mark.parametrize("seed", range(25))
def test_drawn_views(seed: int) -> None:
    """Slices, permutations, windows, products and repeats in a row. `tests.measure.memory` draws many more."""
    random = Random(seed)
    graph = drawn(random, random.randint(3, 7))
    for batch in (1, 3):
        found = compare(graph, batch)
        assert found is None or found[0] == found[1]


@pytest.mark.parametrize("name", ["torchvision/swin_t", "torchvision/swin_v2_t", "torchvision/convnext_tiny"])
def test_shipped_networks_whose_values_are_permuted(name: str) -> None:
    graph = shipped(name, "Nx3x64x64")
    assert activation_bytes(graph, 2) == saved_bytes(graph, 2)


def test_a_symbolic_size_is_taken_for_a_usual_one() -> None:
    """A slice of tokens is copied, unless there is one example only."""
    graph = text("model M { input x: [N, T, 4]; assert T >= 3; it[:, 2:] -> fc: linear(8); output y }")
    assert str(activation_bytes(graph, 2)) == "32 * T - 64"
    assert str(activation_bytes(graph, 1)) == "16 * T"


def test_a_relu_keeps_its_output_and_a_batch_norm_its_input() -> None:
    graph = body("a: conv(8, 1, bias=false); b: batchnorm; relu")
    image = 4 * 8 * 16 * 16
    statistics = 4 * 2 * 8  # mean and deviation of each channel
    assert activation_bytes(graph) == image + image + statistics + image


def test_nothing_is_kept_where_no_gradient_flows() -> None:
    assert activation_bytes(body(BODIES["no gradient, nothing kept"])) == 0


def test_training_outputs_are_run_in_training() -> None:
    with_heads = activation_bytes(shipped("GoogLeNet"))
    assert with_heads - activation_bytes(shipped("GoogLeNet", auxiliary=False)) == 53_248 + 54_272


def test_activations_grow_with_the_batch() -> None:
    graph = shipped("lenet5")
    assert activation_bytes(graph, 10) == 10 * activation_bytes(graph)


STEPS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
    "adadelta": torch.optim.Adadelta,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "adamax": torch.optim.Adamax,
    "radam": torch.optim.RAdam,
    "nadam": torch.optim.NAdam,
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_optimizers_remember(name: str) -> None:
    graph = shipped("ResNetCifar20")
    trained = [w for w in weights(graph).values() if isinstance(w, nn.Parameter)]
    optimizer = STEPS[name](trained)
    for tensor in trained:
        tensor.grad = torch.ones_like(tensor)
    optimizer.step()
    found = [v for state in optimizer.state.values() for v in state.values() if isinstance(v, torch.Tensor)]
    memory = training_memory(graph, name, 0)
    assert memory.optimizer == sum(t.untyped_storage().nbytes() for t in found)
    assert memory.gradients == sum(t.grad.untyped_storage().nbytes() for t in trained if t.grad is not None)


def test_training_memory_is_the_sum_of_its_parts() -> None:
    graph = shipped("resnet50")
    memory = training_memory(graph, "sgd", activation_bytes(graph))
    assert memory.weights == sum(bytes_by_dtype(graph).values()) == 102_440_608 + 424
    assert memory.gradients == 4 * params(graph)
    assert memory.total == memory.weights + memory.gradients + memory.activations


def test_a_symbolic_size_gives_a_polynomial() -> None:
    graph = text("model M { input x: [N, 3, H, W]; a: conv(8, 3, pad=1) -> relu; output y }")
    assert str(activation_bytes(graph)) == "44 * H * W"
    assert str(activation_bytes(graph, None)) == "44 * H * N * W"
