"""Settings of a training run. Imports nothing heavy, because the command line and recipes import it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal, get_args

from archdsl.training.settings import (
    ABOVE_ZERO,
    COUNT_OR_NAMES,
    FROM_ZERO,
    NATURAL,
    PART,
    POSITIVE,
    RATES,
    SEED,
    SHARE,
    SWITCH,
    TEXT,
    TEXTS,
    Setting,
    choice,
    setting,
)

Optimizer = Literal["sgd", "adamw"]
Schedule = Literal["cosine", "step", "constant"]
Augment = Literal["none", "crop", "colour", "rand", "trivial"]
Strategy = Literal["auto", "ddp", "fsdp"]

LEARNING_RATE: dict[Optimizer, float] = {"sgd": 0.05, "adamw": 1e-3}
WEIGHT_DECAY: dict[Optimizer, float] = {"sgd": 5e-4, "adamw": 0.01}


def _each(values: Mapping[Optimizer, float]) -> str:
    return "default: " + ", ".join(f"{value:g} for {name}" for name, value in values.items())


@dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of a run: each is an option and a key of a recipe. None: the default depends on other settings."""

    # ---- data
    data: str = setting(
        "digits", TEXT, "data",
        "dataset: `digits` (default), `oxflower17:DIR`, a folder with class folders or with train/ and val/ (ImageNet's"
        " layout), or a dataset of torchvision such as `cifar10:DIR`",
        metavar="DATA", shown="",
    )  # fmt: skip
    split: int = setting(1, POSITIVE, "data", "number of the split into training, validation and test")
    size: int | None = setting(
        None, POSITIVE, "data", "input height and width", metavar="PIXELS", shown="default: as in the spec"
    )
    train_size: int | None = setting(
        None, POSITIVE, "data", "input height and width in training", metavar="PIXELS",
        shown="default: --size",
    )  # fmt: skip
    resize: int | None = setting(
        None, POSITIVE, "data", "shorter side of an image in evaluation, before the center crop",
        metavar="PIXELS", shown="default: 8/7 of the size",
    )  # fmt: skip
    augment: Augment = setting(
        "colour", choice(*get_args(Augment)), "data",
        "augmentation: random crops and flips (crop), with color jitter (`colour`), RandAugment (rand) or"
        " TrivialAugment (trivial)",
        shown="default: `colour`",
    )  # fmt: skip
    crop: float = setting(0.25, PART, "data", "minimum area of a random crop, relative to the image")
    erasing: float = setting(0.0, SHARE, "data", "probability of random erasing", metavar="P")
    mixup: float = setting(0.0, FROM_ZERO, "data", "alpha of mixup", metavar="ALPHA", shown="default: 0, off")
    cutmix: float = setting(0.0, FROM_ZERO, "data", "alpha of cutmix", metavar="ALPHA", shown="default: 0, off")
    repeats: int = setting(1, POSITIVE, "data", "augmented copies of each image in an epoch")
    skip_unreadable: bool = setting(False, SWITCH, "data", "skip unreadable images, and list them")
    workers: int | None = setting(
        None, NATURAL, "data", "number of data loader processes",
        shown="default: 0 for data in memory, else 1 for two CPUs, up to 4",
    )  # fmt: skip

    # ---- fine-tuning
    weights: str | None = setting(
        None, TEXT, "fine-tuning", "initial weights: a checkpoint, .safetensors or .pth; a head with other classes is"
        " replaced", metavar="FILE",
    )  # fmt: skip
    freeze: tuple[str, ...] = setting(
        (), TEXTS, "fine-tuning", "pattern of parameters that are not trained ('features.*'); repeatable",
        metavar="SELECTOR", shown="",
    )  # fmt: skip

    # ---- optimization
    epochs: int = setting(30, POSITIVE, "optimization", "number of epochs")
    batch_size: int = setting(32, POSITIVE, "optimization", "batch size of each process")
    accumulate: int = setting(1, POSITIVE, "optimization", "number of batches accumulated for an optimizer step")
    optimizer: Optimizer = setting("adamw", choice(*get_args(Optimizer)), "optimization", "optimizer")
    lr: float | None = setting(
        None, ABOVE_ZERO, "optimization", "maximum learning rate; SELECTOR=RATE for some parameters; repeatable",
        metavar="RATE", shown=_each(LEARNING_RATE),
    )  # fmt: skip
    lr_of: Mapping[str, float] = setting({}, RATES, "optimization", "", shown="")
    momentum: float = setting(0.9, SHARE, "optimization", "momentum of sgd", metavar="M")
    weight_decay: float | None = setting(
        None, FROM_ZERO, "optimization", "weight decay", metavar="W", shown=_each(WEIGHT_DECAY)
    )
    decay_norms: bool = setting(True, SWITCH, "optimization", "also apply weight decay to norms and biases")
    label_smoothing: float = setting(0.0, SHARE, "optimization", "label smoothing")
    clip: float | None = setting(None, ABOVE_ZERO, "optimization", "maximum gradient norm", shown="default: off")
    schedule: Schedule = setting("cosine", choice(*get_args(Schedule)), "optimization", "schedule of the learning rate")
    warmup: float = setting(
        1.0, FROM_ZERO, "optimization", "length of the linear warmup of the learning rate, in epochs", metavar="EPOCHS"
    )
    ema: float = setting(
        0.0, SHARE, "optimization", "decay of the moving average of the weights", shown="default: 0, off"
    )
    patience: int | None = setting(
        None, POSITIVE, "optimization", "stop after N epochs without improvement", shown="default: off"
    )
    seed: int = setting(0, SEED, "optimization", "random seed")

    # ---- hardware
    accelerator: str = setting(
        "auto", TEXT, "hardware", "accelerator: auto (default), cpu, gpu, mps, tpu", metavar="KIND", shown=""
    )
    devices: str = setting("1", COUNT_OR_NAMES, "hardware", "number or indices of devices (2, or 0,1)", metavar="N")
    nodes: int = setting(1, POSITIVE, "hardware", "number of machines, started by torchrun or SLURM")
    strategy: Strategy = setting(
        "auto",
        choice(*get_args(Strategy)),
        "hardware",
        "ddp: a copy of the network on each device; fsdp: sharded by blocks",
    )
    sync_bn: bool = setting(False, SWITCH, "hardware", "synchronize batch norms over all devices")
    precision: str = setting(
        "32-true",
        TEXT,
        "hardware",
        "precision: 32-true (default), bf16-mixed, 16-mixed, 64-true, …",
        metavar="P",
        shown="",
    )
    channels_last: bool = setting(False, SWITCH, "hardware", "channels-last memory format")
    compile: bool = setting(False, SWITCH, "hardware", "use torch.compile")
    fused: bool = setting(True, SWITCH, "hardware", "use fused optimizers where available")
    deterministic: bool = setting(False, SWITCH, "hardware", "use only deterministic algorithms")

    # ---- files
    checkpoint_every: int = setting(
        500, NATURAL, "files", "steps between checkpoints within an epoch; 0: off",
        metavar="STEPS",
    )  # fmt: skip
    tensorboard: bool = setting(True, SWITCH, "files", "write a TensorBoard log")

    @property
    def learning_rate(self) -> float:
        return LEARNING_RATE[self.optimizer] if self.lr is None else self.lr

    @property
    def decay(self) -> float:
        return WEIGHT_DECAY[self.optimizer] if self.weight_decay is None else self.weight_decay


SETTINGS: dict[str, Setting] = {f.name: f.metadata["setting"] for f in fields(Config)}
"""All settings by name, in the order of the help."""

RESUMABLE = frozenset(
    {"data", "epochs", "workers", "accelerator", "devices", "nodes", "strategy", "precision", "compile"}
    | {"channels_last", "fused", "deterministic", "patience", "checkpoint_every", "tensorboard"}
)
"""Settings that may change when a run is resumed: they affect where and how long it trains, not the result."""
