"""Selectors: patterns like ``features.*`` over the dotted names of weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from archdsl.diagnostics.nearest import nearest
from archdsl.diagnostics.training import NothingLeftToTrain, NothingSelected
from archdsl.errors import SpecError


def selects(selector: str, name: str) -> bool:
    """Does it match the name, or that of a module around it? ``layer1`` selects all of ``layer1.0.conv1.weight``."""
    return fnmatchcase(name, selector) or fnmatchcase(name, f"{selector}.*")


def check(selectors: Iterable[str], names: Iterable[str], option: str) -> None:
    """Raises: SpecError, for every selector that matches nothing."""
    known = list(names)
    faults = [
        NothingSelected(selector=s, option=option, advice=_advice(s, known))
        for s in selectors
        if not any(selects(s, name) for name in known)
    ]
    if faults:
        raise SpecError(faults)


def _advice(selector: str, names: list[str]) -> str:
    """The nearest name of the same depth; else the parts at the top."""
    parts = selector.split(".")
    tops = list(dict.fromkeys(name.split(".")[0] for name in names))
    meant = nearest(parts[0], tops)
    if meant and meant != parts[0]:
        return f"did you mean `{'.'.join([meant, *parts[1:]])}`?"
    shown = [n for n in names if n.startswith(f"{parts[0]}.")] if meant else tops
    return f"known names: {', '.join(shown[:6])}{', …' if len(shown) > 6 else ''}"


def freeze(network: nn.Module, selectors: Iterable[str]) -> list[nn.Module]:
    """Let the selected weights be as they are. Returns the norms whose running statistics must stand still too.

    Raises: SpecError, where a selector matches nothing or nothing is left to train.
    """
    selectors = list(selectors)
    check(selectors, network.state_dict(), "--freeze")
    for name, parameter in network.named_parameters():
        if any(selects(s, name) for s in selectors):
            parameter.requires_grad_(False)
    if not any(p.requires_grad for p in network.parameters()):
        raise SpecError([NothingLeftToTrain(selectors=", ".join(selectors))])
    return [module for name, module in _norms(network) if _frozen(name, module, selectors)]


def _norms(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    return (
        (name, m)
        for name, m in network.named_modules()
        if isinstance(m, _BatchNorm | nn.modules.instancenorm._InstanceNorm)
    )


def _frozen(name: str, module: nn.Module, selectors: list[str]) -> bool:
    state = [f"{name}.{key}" for key in module.state_dict()]
    return bool(state) and any(selects(s, key) for s in selectors for key in state)


def rate_of(name: str, rates: Mapping[str, float], otherwise: float) -> float:
    """The learning rate of a weight: of the last selector that matches it."""
    return next((rates[selector] for selector in reversed(list(rates)) if selects(selector, name)), otherwise)
