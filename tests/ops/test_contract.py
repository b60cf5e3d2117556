"""The contract of every registered operator: each facet against judges that nobody here wrote, on drawn sizes.

``ARCHDSL_LONG=1 pytest tests/ops`` draws more cases, other ones each time.
"""

from __future__ import annotations

from importlib import import_module
from itertools import combinations
from pathlib import Path
from pkgutil import iter_modules
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis.strategies import SearchStrategy
from torch import nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from archdsl.dims import Dim, evaluate
from archdsl.layout import CHANNELS_LAST, Laid, Layout, as_images, contiguous
from archdsl.op import Kept, Reject, Tensor
from archdsl.ops import OPS

from .harness import (
    DTYPES,
    REFUSED,
    Asked,
    Case,
    OnnxRun,
    accepted,
    at,
    for_all,
    infer,
    memory_of,
    module_of,
    plain,
    run,
    symbolic,
    tensors,
    train,
    values,
)
from .looking import check_looks

FILES = [
    import_module(f".{found.name}", __package__)
    for found in iter_modules([str(Path(__file__).parent)])
    if found.name.startswith("cases_")
]
CASES: dict[str, SearchStrategy[Case]] = {name: cases for file in FILES for name, cases in file.CASES.items()}
TIGHT: list[Case] = [case for file in FILES for case in file.TIGHT]
RARE: list[Case] = [case for file in FILES for case in getattr(file, "RARE", ())]
"""What drawing seldom meets."""

NAMES: dict[torch.dtype, Any] = {dtype: name for name, dtype in DTYPES.items()}

every_operator = pytest.mark.parametrize("name", sorted(CASES))
pytestmark = pytest.mark.filterwarnings("ignore:Using padding=.same.")


def test_every_operator_has_cases() -> None:
    assert sorted(CASES) == sorted(op.name for op in OPS)


# ---- shapes ------------------------------------------------------------------------------------------------


@every_operator
def test_shapes_are_torch_s(name: str) -> None:
    for_all(CASES[name], prove_shape)


def prove_shape(case: Case) -> None:
    outputs = infer(case.op, case.inputs)
    found = in_torch(case, "meta")
    if isinstance(outputs, Reject):
        if found is not None and not case.is_stricter:
            assert in_torch(case, "cpu") is None, f"torch takes what is rejected: {outputs.message}"
        return
    assert found is not None, "torch refuses"
    assert [(tuple(t.shape), t.dtype) for t in found] == [(t.shape, DTYPES[t.dtype]) for t in outputs]
    assert case.op.caption(case.inputs)


def in_torch(case: Case, device: str) -> tuple[torch.Tensor, ...] | None:
    """What torch gives, or None if it refuses, or gives nothing: our sizes are 1 at least."""
    try:
        found = tensors(run(case, values(case, device=device), module_of(case, device=device)))
    except (Reject, *REFUSED):
        return None
    return found if all(t.numel() for t in found) else None


@every_operator
def test_symbolic_sizes_come_to_the_same(name: str) -> None:
    for_all(CASES[name], prove_symbolic)


def prove_symbolic(case: Case) -> None:
    outputs = infer(case.op, case.inputs)
    inputs, numbers = symbolic(case.inputs, lambda i, axis: None if (i, axis) in case.known else f"S{i}{axis}")
    asked = Asked()
    general = infer(case.op, inputs, asked)
    accepts = not isinstance(general, Reject) and asked.preconditions.facts.allow(numbers)
    assert accepts == (not isinstance(outputs, Reject)), f"{general}, {asked.preconditions.facts}"
    if isinstance(general, Reject) or isinstance(outputs, Reject):
        return
    op = case.op
    assert [at(t, numbers) for t in general] == list(outputs)
    assert evaluate(op.macs(inputs, general), numbers) == op.macs(case.inputs, outputs)
    assert evaluate(op.operations(inputs, general), numbers) == op.operations(case.inputs, outputs)
    weights = [at(Tensor(w.shape, w.dtype), numbers) for w in op.weights(inputs)]
    assert weights == [(w.shape, w.dtype) for w in op.weights(case.inputs)]
    memory = memory_of([contiguous(plain(t.shape)) for t in case.inputs], outputs, numbers)
    kept = op.keeps(inputs, general, memory).toward(lambda number: True)
    extra = tuple(at(t, numbers) for t in kept.extra)
    assert kept._replace(extra=extra) == op.keeps(case.inputs, outputs, memory).toward(lambda number: True)
    assert op.lays(memory) == case.op.lays(memory)
    assert len(op.looks(inputs, general)) == len(inputs)
    op.torch(inputs)


# ---- weights -----------------------------------------------------------------------------------------------


@every_operator
def test_weights_are_the_module_s(name: str) -> None:
    for_all(CASES[name], prove_weights, share=0.7)


def prove_weights(case: Case) -> None:
    if accepted(case) is None:
        return
    weights = case.op.weights(case.inputs)
    module = module_of(case, device="meta") or nn.Module()
    found = [(name, tuple(t.shape), t.dtype) for name, t in module.state_dict().items()]
    assert found == [(w.name, w.shape, DTYPES[w.dtype]) for w in weights]
    assert {name for name, _ in module.named_buffers()} == {w.name for w in weights if w.buffer}
    assert not weights or case.op.torch(case.inputs).function is None


# ---- forms -------------------------------------------------------------------------------------------------


@every_operator
def test_all_forms_agree(name: str) -> None:
    for_all(CASES[name], prove_forms, share=0.7)


def prove_forms(case: Case) -> None:
    """As a module or a function, with arguments at torch's default or without; in training too."""
    if accepted(case) is None:
        return
    said = case.op.torch(case.inputs)
    inputs = values(case)
    for form in (evaluated, trained):
        results = []
        for drop in (False, True):
            if said.module is not None:
                results.append(form(case, inputs, module_of(case, drop=drop), drop))
            if said.function is not None:
                results.append(form(case, inputs, None, drop))
        for result in results[1:]:
            for left, right in zip(results[0], result, strict=True):
                assert torch.equal(left.nan_to_num(), right.nan_to_num())


def evaluated(case: Case, inputs: list[torch.Tensor], module: nn.Module | None, drop: bool) -> tuple[torch.Tensor, ...]:
    return tensors(run(case, inputs, module, drop=drop))


def trained(case: Case, inputs: list[torch.Tensor], module: nn.Module | None, drop: bool) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(7)
    return train(case, inputs, module, drop) or ()


# ---- costs -------------------------------------------------------------------------------------------------


@every_operator
def test_macs_are_the_flop_counter_s(name: str) -> None:
    for_all(CASES[name], prove_macs, share=0.7)


def prove_macs(case: Case) -> None:
    outputs = accepted(case)
    if outputs is None:
        return
    inputs = values(case, device="meta")
    with FlopCounterMode(display=False) as counter:
        run(case, inputs, module_of(case, device="meta"))
    assert 2 * case.op.macs(case.inputs, outputs) == counter.get_total_flops()


@every_operator
def test_backward_keeps_what_is_stated(name: str) -> None:
    for_all(CASES[name], prove_keeps, share=0.7)


def prove_keeps(case: Case) -> None:
    """Of contiguous inputs, and of inputs that lie in memory otherwise: turned, cut out of others, or repeated."""
    if accepted(case) is None or case.op.keeps_about:
        return
    floats = [i for i, tensor in enumerate(case.inputs) if tensor.dtype == "float32"]
    random = Random(repr(case))
    for is_contiguous in (True, False):
        for count in {len(floats), min(1, len(floats))}:
            for wanting in combinations(floats, count):
                inputs = values(case)
                prove_kept(case, inputs if is_contiguous else [relaid(t, random) for t in inputs], set(wanting))


def relaid(tensor: torch.Tensor, random: Random) -> torch.Tensor:
    """A tensor of the same shape that lies in memory in another way."""
    if not tensor.ndim:
        return tensor
    axes = random.sample(range(tensor.ndim), tensor.ndim)
    axis = axes[0]
    match random.choice(("turned", "turned", "last", "cut", "every", "repeated", "same")):
        case "turned":
            return tensor.permute(axes).contiguous().permute([axes.index(axis) for axis in range(tensor.ndim)])
        case "last" if tensor.ndim in CHANNELS_LAST:
            return tensor.movedim(1, -1).contiguous().movedim(-1, 1)
        case "cut":
            size = tensor.shape[axis]
            return torch.cat([tensor, tensor[(slice(None),) * axis + (slice(0, 1),)]], axis).narrow(axis, 0, size)
        case "every":
            return tensor.repeat_interleave(2, axis)[(slice(None),) * axis + (slice(None, None, 2),)]
        case "repeated":
            return tensor.narrow(axis, 0, 1).contiguous().expand(tensor.shape)
    return tensor


def prove_kept(case: Case, values: list[torch.Tensor], wanting: set[int]) -> None:
    """``wanting`` are the inputs to which a gradient flows."""
    module = module_of(case)
    parameters = {storage(t) for t in (*module.parameters(), *module.buffers())} if module is not None else set()
    inputs = [t.requires_grad_().view_as(t) if i in wanting else t for i, t in enumerate(values)]
    saved: list[torch.Tensor] = []
    with saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t):  # type: ignore[func-returns-value]
        results = train(case, inputs, module)
    if results is None:
        return
    found = {storage(t): t.untyped_storage().nbytes() for t in saved if storage(t) not in parameters}
    given = {i: storage(t) for i, t in enumerate(inputs)}
    made = {i: storage(t) for i, t in enumerate(results) if storage(t) not in given.values()}
    outputs = tuple(Tensor(tuple(t.shape), NAMES[t.dtype]) for t in results)
    wants = [number in wanting for number in range(len(inputs))]
    memory = memory_of([Layout(tuple(t.shape), t.stride()) for t in inputs], outputs, wants=wants)
    kept = case.op.keeps(case.inputs, outputs, memory)
    if not wanting and not (module is not None and any(True for _ in module.parameters())):
        kept = Kept()
    kept = kept.toward(wanting.__contains__)
    assert {i for i, at in given.items() if at in found} == set(kept.inputs)
    assert {i for i, at in made.items() if at in found} == set(kept.outputs)
    extra = sum(size for at, size in found.items() if at not in given.values() and at not in made.values())
    assert extra == sum(bytes_of(t) for t in kept.extra)
    if results[0].requires_grad or not any(t.is_floating_point() for t in inputs):
        prove_layouts(case.op.lays(memory), results, given)


def prove_layouts(laid: tuple[Laid, ...], results: tuple[torch.Tensor, ...], given: dict[int, int]) -> None:
    """Views share their input's memory, and strides are torch's; of axes of size 1 they say nothing."""
    assert len(laid) == len(results)
    for (layout, of), result in zip(laid, results, strict=True):
        assert (given[of] == storage(result)) if of is not None else (storage(result) not in given.values())
        assert layout.shape == tuple(result.shape)
        pairs = zip(layout.strides, result.stride(), result.shape, strict=True)
        assert all(stated == found for stated, found, size in pairs if size != 1), (layout, result.stride())
        if not result.ndim:
            continue
        copied = F.pad(result.detach(), (0, 1))  # in the format that torch takes the result's to be
        assert as_images(tuple(copied.shape), layout).strides == copied.stride()


def storage(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def bytes_of(tensor: Tensor) -> int:
    size = tensor.numel
    assert isinstance(size, int)
    return size * DTYPES[tensor.dtype].itemsize


# ---- receptive field ---------------------------------------------------------------------------------------


@every_operator
def test_no_position_sees_more_than_is_said(name: str) -> None:
    for_all(CASES[name], prove_looks, share=0.5)


def prove_looks(case: Case) -> None:
    outputs = accepted(case)
    if outputs is not None and not case.is_folded:
        check_looks(case, outputs)


@pytest.mark.parametrize("case", TIGHT, ids=repr)
def test_some_position_sees_all_that_is_said(case: Case) -> None:
    outputs = accepted(case)
    assert outputs is not None
    check_looks(case, outputs, is_tight=True)


# ---- ONNX --------------------------------------------------------------------------------------------------


@every_operator
def test_onnx_runtime_agrees_with_torch(name: str) -> None:
    pytest.importorskip("onnxruntime")
    for_all(CASES[name], prove_onnx, share=0.7)


def prove_onnx(case: Case) -> None:
    """One model with a symbolic batch runs at two batch sizes; where the batch must be known, at that one."""
    if accepted(case) is None:
        return
    batch = plain(case.inputs[0].shape)[0] if case.inputs and case.inputs[0].rank else 0
    inputs = symbolic(case.inputs, lambda i, axis: "N" if is_batch(case, i, axis) else None).inputs
    outputs = infer(case.op, inputs)
    if isinstance(outputs, Reject) or any(isinstance(n, Dim) for w in case.op.weights(inputs) for n in w.shape):
        inputs, outputs = case.inputs, accepted(case)
    assert outputs is not None
    assert not isinstance(outputs, Reject)
    module = module_of(case)
    model = OnnxRun(case.op, inputs, outputs, module.state_dict() if module is not None else {})
    for more in (0, 2) if inputs != case.inputs else (0,):
        sized = case._replace(inputs=tuple(at(t, {"N": batch + more}) for t in inputs))
        if accepted(sized) is not None:
            compare(model, sized)


@pytest.mark.parametrize("case", RARE, ids=repr)
def test_rare_cases(case: Case) -> None:
    pytest.importorskip("onnxruntime")
    for prove in (prove_shape, prove_symbolic, prove_onnx):
        prove(case)


def is_batch(case: Case, number: int, axis: int) -> bool:
    """Whether this axis counts examples: the first one, of all inputs where it is as long as in the first input."""
    batch = case.inputs[0].shape[:1]
    return axis == 0 and (number, axis) not in case.known and case.inputs[number].shape[:1] == batch


def compare(model: OnnxRun, case: Case) -> None:
    inputs = values(case)
    with torch.no_grad():
        expected = tensors(run(case, inputs, module_of(case)))
    found = model(inputs)
    for left, right in zip(found, expected, strict=True):
        assert left.dtype == right.numpy().dtype
        least = np.finfo(np.float32).min if left.dtype == np.float32 else None
        left = np.where(left == least, -np.inf, left)  # the largest number in a window of padding only
        np.testing.assert_allclose(left, right.numpy(), rtol=1e-4, atol=1e-5)
