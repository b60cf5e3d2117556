"""archdsl: a declarative architecture compiler.

>>> import archdsl
>>> m = archdsl.load("resnet50", classes=17)
>>> m.params
23542865
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archdsl.version import __version__ as __version__

if TYPE_CHECKING:
    from archdsl.errors import SpecError as SpecError
    from archdsl.importing.api import from_torch as from_torch
    from archdsl.model import Model as Model
    from archdsl.model import compare as compare
    from archdsl.model import load as load
    from archdsl.notebook import load_ipython_extension as load_ipython_extension

__all__ = ["Model", "SpecError", "compare", "from_torch", "load"]

_HOMES = {
    "load": "archdsl.model",
    "compare": "archdsl.model",
    "from_torch": "archdsl.importing.api",
    "Model": "archdsl.model",
    "SpecError": "archdsl.errors",
    "load_ipython_extension": "archdsl.notebook",
}


def __getattr__(name: str) -> Any:
    """The public names, imported when first asked for: parts of the package are used without the others."""
    if name not in _HOMES:
        raise AttributeError(f"module 'archdsl' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
