"""Which tensors of a checkpoint are the network's: by their names, as training scripts and libraries change them.

Names and shapes only: no tensor is read here. A name is taken for another only where nothing else can be meant.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from archdsl.dims import Size

Shape = tuple[Size, ...]
Shapes = Mapping[str, Shape]

WRAPPERS = ("module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module")
"""Modules that a training puts around others, anywhere in a name: DataParallel, torch.compile, FSDP, activation
checkpointing, DeepSpeed."""

COUNTER = "num_batches_tracked"
"""Of batch norms. Files of before PyTorch 0.4.1 lack it, and torch loads them as if it were 0."""

PROFILED = ("total_ops", "total_params")
"""Buffers that the profiler `thop` leaves in a network."""

RENAMES = (
    # torchvision.models.densenet, `_load_state_dict`: module names with dots, of before PyTorch 0.4
    (re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.(?=[12]\.)"), r"\1"),
    # torchvision.models.vision_transformer, `MLPBlock._load_from_state_dict`: version 1
    (re.compile(r"\bmlp\.linear_1\."), "mlp.0."),
    (re.compile(r"\bmlp\.linear_2\."), "mlp.3."),
    # norms as TensorFlow names their weights: transformers, `_load_pretrained_model`
    (re.compile(r"\bgamma$"), "weight"),
    (re.compile(r"\bbeta$"), "bias"),
)


@dataclass(frozen=True)
class Match:
    """``keys`` maps names of the network to names in the file, of tensors with the same name and shape.

    ``reshaped`` does so for tensors of another shape. ``missing`` are the network's that the file lacks, ``counters``
    aside; ``unused`` the file's that the network lacks; ``outside`` those that do not stand under ``prefix``.
    ``renamed`` are names in the file that a library has changed since, or changes.
    """

    prefix: str
    keys: Mapping[str, str]
    reshaped: Mapping[str, str]
    missing: tuple[str, ...]
    counters: tuple[str, ...]
    unused: tuple[str, ...]
    outside: tuple[str, ...]
    renamed: tuple[str, ...] = ()
    wrappers: tuple[str, ...] = ()
    profiled: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """All of the network is there, and nothing else."""
        return not (self.missing or self.reshaped or self.unused)

    @property
    def misses(self) -> int:
        return len(self.missing) + len(self.reshaped)


def matches(wanted: Shapes, found: Shapes, under: str | None = None) -> list[Match]:
    """The best match, or all of the best where several prefixes fit alike; only ``under`` a prefix, if it is given."""
    names = _Names.read(wanted, found)
    prefixes = names.prefixes(wanted) if under is None else [f"{under}."]
    ranked = [names.match(wanted, found, p) for p in prefixes]
    least = min(match.misses for match in ranked)
    best = [match for match in ranked if match.misses == least]
    whole = [match for match in best if match.prefix == ""]
    return whole or best


@dataclass(frozen=True)
class _Names:
    """Names in the file by what is left of them without wrappers. ``doubled`` have the same rest as one before them."""

    by_rest: Mapping[str, str]
    wrappers: tuple[str, ...]
    profiled: tuple[str, ...]
    doubled: tuple[str, ...]

    @staticmethod
    def read(wanted: Shapes, found: Iterable[str]) -> _Names:
        parts = {part for name in wanted for part in name.split(".")}
        removable = set(WRAPPERS) - parts
        by_rest: dict[str, str] = {}
        profiled: list[str] = []
        doubled: list[str] = []
        seen: set[str] = set()
        for name in found:
            kept = [part for part in name.split(".") if part not in removable]
            seen.update(removable.intersection(name.split(".")))
            if kept and kept[-1] in PROFILED and kept[-1] not in parts:
                profiled.append(name)
            elif by_rest.setdefault(".".join(kept), name) != name:
                doubled.append(name)
        return _Names(by_rest, tuple(w for w in WRAPPERS if w in seen), tuple(profiled), tuple(doubled))

    def prefixes(self, wanted: Shapes) -> list[str]:
        """Those under which most of the network's names stand, the shortest first; "" if none stands anywhere."""
        counts: Counter[str] = Counter()
        for name in self.by_rest:
            counts.update(prefix for prefix, rest in _splits(name) if rest in wanted or _renamed(rest, wanted))
        most = max(counts.values(), default=0)
        return sorted((p for p, count in counts.items() if count == most), key=lambda p: (len(p), p)) or [""]

    def match(self, wanted: Shapes, found: Shapes, prefix: str) -> Match:
        """Names under the prefix; of what is missing there, those beside it: a head on a backbone."""
        here = {rest.removeprefix(prefix): name for rest, name in self.by_rest.items() if rest.startswith(prefix)}
        outside = {rest: name for rest, name in self.by_rest.items() if not rest.startswith(prefix)}
        known = {name: name for name in here if name in wanted}
        renames = {
            name: new for name in here if name not in wanted and (new := _renamed(name, wanted)) and new not in known
        }
        known.update({new: name for name, new in renames.items()})
        keys = {name: here[known[name]] for name in wanted if name in known}
        beside = {name: self.by_rest[name] for name in wanted if name not in keys and name in outside}
        keys.update(beside)
        taken = set(known.values())
        lacking = [name for name in wanted if name not in keys]
        return Match(
            prefix=prefix,
            keys={name: key for name, key in keys.items() if found[key] == wanted[name]},
            reshaped={name: key for name, key in keys.items() if found[key] != wanted[name]},
            missing=tuple(name for name in lacking if not name.endswith(COUNTER)),
            counters=tuple(name for name in lacking if name.endswith(COUNTER)),
            unused=(*(key for name, key in here.items() if name not in taken), *self.doubled),
            outside=tuple(name for rest, name in outside.items() if rest not in beside),
            renamed=tuple(here[name] for name in renames),
            wrappers=self.wrappers,
            profiled=self.profiled,
        )


def _splits(name: str) -> Iterator[tuple[str, str]]:
    """Prefix and rest, at every dot: ``("", "a.b")``, ``("a.", "b")``."""
    yield "", name
    at = name.find(".")
    while at >= 0:
        yield name[: at + 1], name[at + 1 :]
        at = name.find(".", at + 1)


def _renamed(name: str, wanted: Shapes) -> str | None:
    """The network's name of a tensor that a library calls, or called, otherwise."""
    new = name
    for pattern, replacement in RENAMES:
        new = pattern.sub(replacement, new)
    return new if new != name and new in wanted else None
