"""Emitted source as a Python module of its own, whose classes pickle.

A module is named by the contents of its source, so that no two networks share a name, and is imported by a loader of
its own: tracebacks, debuggers and `inspect.getsource` find the text there.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from importlib.abc import ExecutionLoader
from importlib.util import module_from_spec, spec_from_loader
from threading import RLock
from types import ModuleType
from typing import TYPE_CHECKING, Any

from archdsl.diagnostics.files import MissingExtra
from archdsl.errors import SpecError

if TYPE_CHECKING:
    from torch import nn

PACKAGE = "archdsl.emitted"
Recreate = tuple[Callable[..., Any], tuple[Any, ...]]
"""A function that makes an empty instance of a class in another process, and its arguments before the class's name."""

_LOCK = RLock()


class _Loader(ExecutionLoader):
    """Imports one emitted source."""

    def __init__(self, text: str) -> None:
        self.text = text

    def get_source(self, fullname: str) -> str:
        return self.text

    def get_filename(self, fullname: str) -> str:
        return f"{fullname.replace('.', '/')}.py"


def make_module(source: str, class_name: str, recreate: Recreate | None = None) -> nn.Module:
    """An instance of a class of emitted source. Tracebacks show its lines.

    Args:
        recreate: how another process makes instances when they are unpickled.

    Raises:
        SpecError: torch is not installed.
    """
    try:
        import torch  # noqa: F401
    except ImportError:
        raise SpecError([MissingExtra(span=None, what="a torch module", package="torch", extra="torch")]) from None
    return getattr(load_source(source, class_name, recreate), class_name)()


def load_source(source: str, class_name: str, recreate: Recreate | None = None) -> ModuleType:
    """The source as a module; the same text gives the same module.

    Args:
        class_name: the network's class, by which the module is named.
        recreate: how another process makes instances of the classes. Until it is given they pickle by reference only.
    """
    name = _module_name(source, class_name)
    with _LOCK:
        if name not in sys.modules:
            loader = _Loader(source)
            spec = spec_from_loader(name, loader)
            assert spec is not None
            module = module_from_spec(spec)
            loader.exec_module(module)
            sys.modules[name] = module
        if recreate is not None:
            _let_pickle(sys.modules[name], recreate)
        return sys.modules[name]


def loaded_source(source: str, class_name: str) -> ModuleType | None:
    """The module of a source that this process loaded already."""
    return sys.modules.get(_module_name(source, class_name))


def _module_name(source: str, class_name: str) -> str:
    return f"{PACKAGE}.{class_name}_{hashlib.sha256(source.encode()).hexdigest()[:32]}"


def _let_pickle(module: ModuleType, recreate: Recreate) -> None:
    """Let instances of the classes carry what another process needs to define these."""
    function, arguments = recreate

    def reduce(self: Any, protocol: Any) -> tuple[Any, ...]:
        made_by, made_of, *state = object.__reduce_ex__(self, max(2, protocol))
        cls = type(self)
        if cls.__module__ != module.__name__:  # a subclass somewhere else: its own module defines it
            return made_by, made_of, *state
        return function, (*arguments, cls.__qualname__), *state

    classes: list[Any] = [v for v in vars(module).values() if isinstance(v, type) and v.__module__ == module.__name__]
    for cls in classes:
        cls.__reduce_ex__ = reduce
