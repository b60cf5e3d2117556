"""What a training run can be told. Imports nothing heavy: command line and recipes read names and rules here."""

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
    """Settings of a run: each a flag, and a key of a recipe. None means: chosen by what else is known."""

    # ---- data
    data: str = setting(
        "digits", TEXT, "data",
        "`digits` (default), `oxflower17:DIR`, a folder of class folders or one with train/ and val/ in it"
        " (ImageNet's layout), or a data set of torchvision's by name, as `cifar10:DIR`",
        metavar="DATA", shown="",
    )  # fmt: skip
    split: int = setting(1, POSITIVE, "data", "which division into training, validation and test")
    size: int | None = setting(
        None, POSITIVE, "data", "the input's height and width", metavar="PIXELS", shown="default: the spec's"
    )
    train_size: int | None = setting(
        None, POSITIVE, "data", "height and width in training, where smaller ones pay", metavar="PIXELS",
        shown="default: --size",
    )  # fmt: skip
    resize: int | None = setting(
        None, POSITIVE, "data", "shorter side of a picture that is evaluated, before its middle is cut out",
        metavar="PIXELS", shown="default: 8/7 of the size",
    )  # fmt: skip
    augment: Augment = setting(
        "colour", choice(*get_args(Augment)), "data",
        "crop: random crops, mirrored; and colour jitter, RandAugment or TrivialAugment with the next three",
    )  # fmt: skip
    crop: float = setting(0.25, PART, "data", "the smallest share of a picture that a random crop takes")
    erasing: float = setting(0.0, SHARE, "data", "how often a random rectangle is erased", metavar="P")
    mixup: float = setting(0.0, FROM_ZERO, "data", "alpha of mixup; 0 for none", metavar="ALPHA")
    cutmix: float = setting(0.0, FROM_ZERO, "data", "alpha of cutmix; 0 for none", metavar="ALPHA")
    repeats: int = setting(1, POSITIVE, "data", "how often an epoch takes a picture, each time augmented anew")
    skip_unreadable: bool = setting(False, SWITCH, "data", "leave out pictures that cannot be read, and name them")
    workers: int | None = setting(
        None, NATURAL, "data", "processes that read pictures",
        shown="default: 0 for data in memory, else 1 for two CPUs, up to 4",
    )  # fmt: skip

    # ---- fine-tuning
    weights: str | None = setting(
        None, TEXT, "fine-tuning", "start from these: a checkpoint, .safetensors or .pth; a head of other classes is"
        " replaced", metavar="FILE",
    )  # fmt: skip
    freeze: tuple[str, ...] = setting(
        (), TEXTS, "fine-tuning", "weights that stay as they are, by name: 'features.*'; may be repeated",
        metavar="SELECTOR", shown="",
    )  # fmt: skip

    # ---- optimisation
    epochs: int = setting(30, POSITIVE, "optimisation", "how long to train")
    batch_size: int = setting(32, POSITIVE, "optimisation", "pictures in a step, for each process")
    accumulate: int = setting(1, POSITIVE, "optimisation", "batches whose gradients are added up for a step")
    optimizer: Optimizer = setting("adamw", choice(*get_args(Optimizer)), "optimisation", "what takes the steps")
    lr: float | None = setting(
        None, ABOVE_ZERO, "optimisation", "peak learning rate; 'SELECTOR=RATE' for some weights, may be repeated",
        metavar="RATE", shown=_each(LEARNING_RATE),
    )  # fmt: skip
    lr_of: Mapping[str, float] = setting({}, RATES, "optimisation", "", shown="")
    momentum: float = setting(0.9, SHARE, "optimisation", "of sgd", metavar="M")
    weight_decay: float | None = setting(None, FROM_ZERO, "optimisation", "", metavar="W", shown=_each(WEIGHT_DECAY))
    decay_norms: bool = setting(True, SWITCH, "optimisation", "does weight decay hold for norms and biases too?")
    label_smoothing: float = setting(0.0, SHARE, "optimisation", "share of a label that all classes get")
    clip: float | None = setting(None, ABOVE_ZERO, "optimisation", "largest norm of a step's gradient", shown="")
    schedule: Schedule = setting("cosine", choice(*get_args(Schedule)), "optimisation", "of the learning rate")
    warmup: float = setting(1.0, FROM_ZERO, "optimisation", "in which the rate rises", metavar="EPOCHS")
    ema: float = setting(0.0, SHARE, "optimisation", "decay of a moving average of the weights; 0 for none")
    patience: int | None = setting(
        None, POSITIVE, "optimisation", "stop when validation has not gone better for so many epochs", shown=""
    )
    seed: int = setting(0, SEED, "optimisation", "of all that is random")

    # ---- hardware
    accelerator: str = setting("auto", TEXT, "hardware", "auto (default), cpu, gpu, mps, tpu", metavar="KIND", shown="")
    devices: str = setting("1", COUNT_OR_NAMES, "hardware", "how many, or which: 2, or 0,1", metavar="N")
    nodes: int = setting(1, POSITIVE, "hardware", "machines, started by torchrun or SLURM")
    strategy: Strategy = setting(
        "auto", choice(*get_args(Strategy)), "hardware", "ddp: a copy a device; fsdp: sharded by the spec's blocks"
    )
    sync_bn: bool = setting(False, SWITCH, "hardware", "batch norms see the batch of all devices")
    precision: str = setting(
        "32-true", TEXT, "hardware", "32-true (default), bf16-mixed, 16-mixed, 64-true, …", metavar="P", shown=""
    )
    channels_last: bool = setting(False, SWITCH, "hardware", "keep channels innermost in memory")
    compile: bool = setting(False, SWITCH, "hardware", "run the network through torch.compile")
    fused: bool = setting(True, SWITCH, "hardware", "optimizers that take a step in one kernel, where there are any")
    deterministic: bool = setting(False, SWITCH, "hardware", "only algorithms that give the same bits every time")

    # ---- files
    checkpoint_every: int = setting(
        500, NATURAL, "files", "steps after which a checkpoint is kept in the midst of an epoch; 0 for none",
        metavar="STEPS",
    )  # fmt: skip
    tensorboard: bool = setting(True, SWITCH, "files", "log for TensorBoard too")

    @property
    def learning_rate(self) -> float:
        return LEARNING_RATE[self.optimizer] if self.lr is None else self.lr

    @property
    def decay(self) -> float:
        return WEIGHT_DECAY[self.optimizer] if self.weight_decay is None else self.weight_decay


SETTINGS: dict[str, Setting] = {f.name: f.metadata["setting"] for f in fields(Config)}
"""All settings by name, in the order in which they are explained."""

RESUMABLE = frozenset(
    {"data", "epochs", "workers", "accelerator", "devices", "nodes", "strategy", "precision", "compile"}
    | {"channels_last", "fused", "deterministic", "patience", "checkpoint_every", "tensorboard"}
)
"""Settings that may change when a run is resumed: they say where and how long it trains, not what."""
