"""Schedule, loss of auxiliary outputs, and whether a network fits its data."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any, get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from training_samples import SmallTrainable

from archdsl.diagnostics import training as faults
from archdsl.errors import SpecError
from archdsl.training.average import warmed
from archdsl.training.config import Config, Schedule
from archdsl.training.loaders import Draws
from archdsl.training.sources import load
from archdsl.training.task import Classification, factor, mixing
from archdsl.training.trainable import Network, sized

schedules = st.sampled_from(get_args(Schedule))


@given(schedule=schedules, steps=st.integers(1, 500), data=st.data())
def test_a_schedule_rises_to_its_peak_and_never_again(schedule: Schedule, steps: int, data: st.DataObject) -> None:
    warm = data.draw(st.integers(0, steps))
    rates = [factor(schedule, step, steps, warm) for step in range(steps)]
    assert all(0 < rate <= 1 for rate in rates)
    assert rates[:warm] == sorted(rates[:warm])
    assert rates[warm:] == sorted(rates[warm:], reverse=True)


def test_schedules() -> None:
    assert [factor("step", step, 9, 0) for step in range(9)] == pytest.approx([1] * 3 + [0.1] * 3 + [0.01] * 3)
    assert [factor("constant", step, 4, 2) for step in range(4)] == pytest.approx([1 / 3, 2 / 3, 1, 1])
    reference = torch.optim.lr_scheduler.CosineAnnealingLR(torch.optim.SGD([torch.zeros(1)], lr=1), T_max=20)
    for step in range(20):
        assert factor("cosine", step, 20, 0) == pytest.approx(reference.get_last_lr()[0])
        reference.optimizer.step()
        reference.step()


class Heads(nn.Module):
    """Scores that are its parameters: a main head, and two auxiliary ones in training."""

    def __init__(self) -> None:
        super().__init__()
        self.main, self.one, self.two = (nn.Parameter(torch.randn(3)) for _ in range(3))

    def forward(self, x: Tensor) -> Any:
        scores = tuple(head.expand(len(x), 3) for head in (self.main, self.one, self.two))
        return scores if self.training else scores[0]


def test_auxiliary_outputs_enter_the_loss_with_a_weight_of_0_3() -> None:
    heads = Heads()
    task = Classification(Network(module=heads, source="", export=lambda path, state: None), 3, Config())
    task.log_dict = lambda *_, **__: None  # type: ignore[method-assign, assignment]
    pictures, labels = torch.zeros(4, 1, 2, 2), torch.tensor([0, 1, 2, 1])
    main, one, two = (cross_entropy(head.expand(4, 3), labels) for head in (heads.main, heads.one, heads.two))
    torch.testing.assert_close(task.training_step((pictures, labels), 0), main + 0.3 * one + 0.3 * two)
    assert task.train_loss.compute() == pytest.approx(main.item())


@pytest.mark.parametrize(("name", "kind"), [("sgd", torch.optim.SGD), ("adamw", torch.optim.AdamW)])
def test_optimizers(name: Any, kind: type[torch.optim.Optimizer]) -> None:
    network = Network(module=Heads(), source="", export=lambda path, state: None)
    task = Classification(network, 3, Config(optimizer=name, lr=0.1, weight_decay=0.2, momentum=0.3))
    task._trainer = SimpleNamespace(estimated_stepping_batches=10)  # type: ignore[assignment]
    optimizer = task.configure_optimizers()["optimizer"]
    assert isinstance(optimizer, kind)
    (group,) = optimizer.param_groups
    assert (group["initial_lr"], group["weight_decay"], len(group["params"])) == (0.1, 0.2, 3)
    assert group.get("momentum", 0.3) == 0.3


# ---- does a network fit its data? ----


def misfit(trainable: SmallTrainable, what: str = "digits", side: int | None = None) -> Any:
    with pytest.raises(SpecError) as caught:
        sized(trainable, load(what, 1), side)
    return caught.value.diagnostics[0]


@pytest.mark.parametrize(("wanted", "given"), [(None, 1), (1, 1), (3, 3)])
def test_grey_pictures_fit_grey_and_colour(wanted: int | None, given: int) -> None:
    fitted = sized(SmallTrainable(channels=wanted), load("digits", 1), None)
    assert (fitted.channels, fitted.size) == (given, (12, 12))


def test_sizes() -> None:
    digits = load("digits", 1)
    assert sized(SmallTrainable(), digits, 20).size == (20, 20)
    assert sized(SmallTrainable(size=None), digits, None).size == (32, 32)
    assert sized(SmallTrainable(size=(10, 14)), digits, None).size == (10, 14)


def test_channels_that_do_not_fit(colours: Any) -> None:
    assert isinstance(misfit(SmallTrainable(channels=4)), faults.WrongChannels)
    grey = misfit(SmallTrainable(channels=1), str(colours))
    assert isinstance(grey, faults.WrongChannels)
    assert "--input Nx3x12x12" in grey.help


def test_a_head_of_another_size() -> None:
    found = misfit(SmallTrainable(make=lambda channels, classes: nn.Sequential(nn.Flatten(), nn.Linear(144, 7))))
    assert found.message == "Small has 7 output classes; digits has 10 classes"


def test_outputs_that_are_no_scores() -> None:
    assert "[2, 1, 12, 12]" in misfit(SmallTrainable(make=lambda channels, classes: nn.ReLU())).message
    assert isinstance(misfit(SmallTrainable(make=lambda channels, classes: Pair())), faults.NotAClassifier)


class Pair(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x, x


def test_a_size_that_is_too_small() -> None:
    found = misfit(SmallTrainable(), side=1)
    assert isinstance(found, faults.DoesNotRun)
    assert "1×1" in found.message
    assert "ernel size" in found.message


# ---- moving average, mixed pictures, repeated ones ----


def test_an_average_forgets_the_first_weights_on_small_data() -> None:
    """Whatever its decay: after 100 steps their share is negligible, where a fixed 0.9999 would keep 99 %."""
    decays = [warmed(0.9999, step) for step in range(1, 101)]
    assert decays == sorted(decays)
    assert math.prod(decays) < 1e-9
    assert warmed(0.9999, 10**6) == 0.9999
    assert warmed(0.5, 10**6) == 0.5


def test_mixed_pictures_have_mixed_labels() -> None:
    assert mixing(Config(), 5) is None
    pictures, labels = torch.arange(4.0)[:, None, None, None].expand(4, 3, 8, 8), torch.tensor([0, 1, 2, 4])
    for config in (Config(mixup=0.5), Config(cutmix=1.0), Config(mixup=0.5, cutmix=1.0)):
        mix = mixing(config, 5)
        assert mix is not None
        torch.manual_seed(1)
        mixed, targets = mix(pictures, labels)
        assert (mixed.shape, targets.shape) == ((4, 3, 8, 8), (4, 5))
        torch.testing.assert_close(targets.sum(1), torch.ones(4))
        assert not torch.equal(mixed, pictures)


def test_repeated_pictures_are_augmented_anew() -> None:
    draws = list(Draws(12, 4, seed=0, repeats=3))
    assert len(draws) == 12
    places = [place for place, _ in draws]
    assert [places.count(place) for place in set(places)] == [3] * 4
    assert len({seed for _, seed in draws}) == 12


def test_labels_are_smoothed_in_training_alone() -> None:
    network = Network(module=Heads(), source="", export=lambda path, state: None)
    task = Classification(network, 3, Config(label_smoothing=0.2))
    task.log_dict = lambda *_, **__: None  # type: ignore[method-assign, assignment]
    batch = (torch.zeros(4, 1, 2, 2), torch.tensor([0, 1, 2, 1]))
    scores = [head.expand(4, 3) for head in (network.module.main, network.module.one, network.module.two)]
    losses = [cross_entropy(s, batch[1], label_smoothing=0.2) for s in scores]
    torch.testing.assert_close(task.training_step(batch, 0), losses[0] + 0.3 * losses[1] + 0.3 * losses[2])
    task.eval()
    task.validation_step(batch, 0)
    assert task.val_loss.compute() == pytest.approx(cross_entropy(scores[0], batch[1]).item())


def test_losses_are_means_over_pictures() -> None:
    """Of a full batch and one of a single picture, which counts as one."""
    network = Network(module=Heads(), source="", export=lambda path, state: None)
    task = Classification(network, 3, Config()).eval()
    task.log_dict = lambda *_, **__: None  # type: ignore[method-assign, assignment]
    labels = torch.tensor([0, 1, 2, 1, 2])
    task.validation_step((torch.zeros(4, 1, 2, 2), labels[:4]), 0)
    task.validation_step((torch.zeros(1, 1, 2, 2), labels[4:]), 1)
    assert task.val_loss.compute() == pytest.approx(cross_entropy(network.module.main.expand(5, 3), labels).item())
