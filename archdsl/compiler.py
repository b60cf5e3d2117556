"""The one door to the compiler: from a spec's name or text to its definitions, models and claims."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

from archdsl import revisions
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.files import BadSetting, CannotRead, NothingToBuild
from archdsl.diagnostics.names import UnknownModel
from archdsl.diagnostics.nearest import did_you_mean
from archdsl.dims import Size, symbol
from archdsl.elaborate.model import Built, build_model
from archdsl.elaborate.shapes import InputShapes
from archdsl.evaluate.builtins import as_layer
from archdsl.evaluate.evaluator import evaluator_of_text
from archdsl.evaluate.faults import Abort, Fault, UsesErrorValue
from archdsl.evaluate.place import TextPlace
from archdsl.evaluate.values import BlockLayer, Env, FileScope, Given
from archdsl.evaluate.workspace import (
    STDIN,
    Workspace,
    decoded,
    descriptor,
    followed,
    library_root,
    opened_name,
    read_descriptor,
)
from archdsl.record import record
from archdsl.source import Source, Span
from archdsl.syntax import tree
from archdsl.syntax.parse import parse_expression


@record
class Spec:
    """A file of definitions and the model in it that a name chose (None: the file's only or main one)."""

    scope: FileScope
    model: str | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def sources(self) -> list[Source]:
        """The texts of the file and of those that it uses."""
        found, waiting = [], [self.scope]
        while waiting:
            scope = waiting.pop()
            if scope.file.source not in found:
                found.append(scope.file.source)
                waiting += scope.used
        return found

    @property
    def files(self) -> list[Path | int]:
        """The files that were read, by path; standard input by its descriptor."""
        return [0 if source.name == STDIN else Path(source.name) for source in self.sources]

    @property
    def models(self) -> dict[str, BlockLayer]:
        """The models that the file defines, in text order."""
        names = [d.name.text for d in self.scope.file.definitions if isinstance(d, tree.Block) and d.kind == "model"]
        found = {n: self.scope.env.lookup(n) for n in names}
        return {n: m for n, m in found.items() if isinstance(m, BlockLayer)}

    @property
    def buildable(self) -> dict[str, BlockLayer]:
        """The models that need no argument: members, and models whose parameters all have defaults."""
        return {
            name: model
            for name, model in self.models.items()
            if all(p.default is not None for p in model.definition.params)
        }


def open_spec(name: str) -> Spec | Diagnostic:
    """What a SPEC argument names: a path, ``path:Model``, the name of a shipped spec (``resnet50``), or of a member.

    ``torchvision/resnet50`` is the model ``resnet50`` of a file of ``specs/torchvision``. ``-`` is standard input.
    ``git:HEAD~1:net.arch`` is the file of a git revision, ``git:HEAD~1:net.arch:Model`` a model of it.
    """
    if name.startswith(revisions.PREFIX) and not Path(name).is_file():
        return _from_revision(name)
    path, model = name, ""
    if ":" in name and not Path(name).is_file():
        path, _, model = name.rpartition(":")
    opened = descriptor(path)
    if opened is not None:
        return _from_descriptor(opened, model or None)
    if Path(path).is_file() or path.endswith(".arch"):
        return _open(Path(path), model or None)
    return _shipped(path, model or None)


def _from_revision(name: str) -> Spec | Diagnostic:
    path, model = (name, "") if name.count(":") < 3 else name.rsplit(":", 1)
    opened = revisions.open_revision(path)
    return opened if isinstance(opened, Diagnostic) else Spec(opened[0], model or None, opened[1])


def _from_descriptor(number: int, model: str | None) -> Spec | Diagnostic:
    raw = read_descriptor(number)
    if isinstance(raw, Diagnostic):
        return raw
    text, name = decoded(raw), opened_name(number)
    if text is None:
        return CannotRead(span=None, path=name, reason="it is not UTF-8 text")
    return from_text(text, name, model)


def _open(path: Path, model: str | None) -> Spec | Diagnostic:
    spec = from_buffers(path, {})
    return spec if isinstance(spec, Diagnostic) else replace(spec, model=model)


def from_text(text: str, name: str = "<spec>", model: str | None = None) -> Spec:
    """A spec given as text; what it uses is looked up in the working folder and the library."""
    workspace = Workspace()
    scope = workspace.add(Source(name, text), followed(Path("<spec>")))
    return Spec(scope, model, tuple(workspace.diagnostics))


def from_buffers(path: Path, buffers: Mapping[Path, str]) -> Spec | Diagnostic:
    """The spec at a path, where some files (by resolved path) have other texts than the disk: those of an editor."""
    workspace = Workspace(buffers)
    scope = workspace.open(path)
    if scope is None:
        return workspace.diagnostics[0]
    return Spec(scope, None, tuple(workspace.diagnostics))


# ---- shipped specs -----------------------------------------------------------------------------------------


def shipped_specs() -> list[Path]:
    """The files of the library, in order of name."""
    return sorted(library_root().rglob("*.arch"))


def shipped_models() -> list[str]:
    """Names by which the models of the library are given, in order of file and text; families are among them."""
    return [shipped_name(path, m.lower()) for path in shipped_specs() for m in _MODEL.findall(path.read_text("utf-8"))]


def _shipped(name: str, model: str | None) -> Spec | Diagnostic:
    root = library_root()
    file = root / f"{name}.arch"
    if ".." not in Path(name).parts and not Path(name).is_absolute() and file.is_file():
        return _open(file, model)
    named = _members(name) if model is None else []
    if len(named) == 1:
        return _open(*named[0])
    if named:
        typed = _listing([f"{_typed(path)}:{found}" for path, found in named])
        reason = "several shipped specs define it"
        return CannotRead(span=None, path=name, reason=reason, advice=f"name one: {typed}")
    advice = did_you_mean(name, _known_names()) or "give a path to an `.arch` file, or the name of a shipped spec"
    reason = "there is no such file, and no shipped spec of that name"
    if Path(name).is_dir():
        reason = "it is a folder"
    return CannotRead(span=None, path=name, reason=reason, advice=advice)


def _members(name: str) -> list[tuple[Path, str]]:
    """The models of shipped files that a name means, with their files: ``torchvision/swin_t``, or ``swin_t`` alone.

    Without a folder, models of the library's first level come before those of its folders.
    """
    folder, slash, member = name.rpartition("/")
    found = [(path, model) for path in shipped_specs() if (model := _model_named(member, path)) is not None]
    here = [(path, model) for path, model in found if path.parent == library_root() / folder]
    if here or slash:
        return here[:1]
    return [(path, model) for path, model in found if model == member] or found


def _typed(path: Path) -> str:
    """What to type for a file: ``torchvision/inception`` for one of the library."""
    if str(path) == STDIN:
        return "/dev/stdin"  # with a model behind it, `-` would be an option
    target = followed(path)
    if target.is_relative_to(library_root()):
        return target.relative_to(library_root()).with_suffix("").as_posix()
    return str(path)


def _known_names() -> set[str]:
    """The names of shipped files, and of their models with and without the folder."""
    models = shipped_models()
    return {*map(_typed, shipped_specs()), *models, *(model.rpartition("/")[2] for model in models)}


def shipped_name(path: Path, model: str) -> str:
    """The name by which a model of a shipped file is given."""
    return (path.parent / model).relative_to(library_root()).as_posix()


_MODEL = re.compile(r"^model[ \t]+(\w+)", re.MULTILINE)


def _model_named(name: str, path: Path) -> str | None:
    """The model of a shipped file that a name means, whatever its case. Read off the text: nothing is built.

    Its exact name comes first: `regnet_x_1_6gf` is not `regnet_x_16gf`.
    """
    models = _MODEL.findall(path.read_text(encoding="utf-8"))
    return name if name in models else next((m for m in models if _plain(m) == _plain(name)), None)


def _plain(name: str) -> str:
    """A name without case and underscores: `vgg16_bn` is `VGG16_BN`."""
    return re.sub(r"[_-]", "", name).lower()


# ---- models ------------------------------------------------------------------------------------------------


def choose(spec: Spec) -> BlockLayer | Diagnostic:
    """The model that a spec means: the one named, else the only buildable one, else the one named as the file is."""
    where = f"`{spec.scope.file.source.name}`"
    if spec.model is not None:
        found = spec.models.get(spec.model)
        if found is not None:
            return found
        advice = did_you_mean(spec.model, spec.models) or _listing(spec.models)
        return UnknownModel(span=None, where=where, name=spec.model, advice=advice)
    buildable = spec.buildable
    if len(buildable) == 1:
        return next(iter(buildable.values()))
    stem = Path(spec.scope.file.source.name).stem
    named = [buildable[stem]] if stem in buildable else [m for n, m in buildable.items() if _plain(n) == _plain(stem)]
    if len(named) == 1:
        return named[0]
    return _nothing_chosen(spec)


def _nothing_chosen(spec: Spec) -> NothingToBuild:
    """Why a file alone does not say which model is meant, with the names to type."""
    path = _typed(Path(spec.scope.file.source.name))
    candidates = spec.buildable or spec.models
    typed = _listing([f"{path}:{name}" for name in candidates])
    if len(spec.buildable) > 1:
        reason, advice = f"defines {len(candidates)} models, and this command takes one", f"name one: {typed}"
    elif candidates:
        reason = "defines no model that can be built without arguments"
        advice = f"set the arguments with `--set`, and name the model: {typed}"
    else:
        reason, advice = "defines no model", "add a model: `model Name { … }`"
    return NothingToBuild(span=None, path=path, reason=reason, advice=advice)


def _listing(models: Collection[str]) -> str | None:
    names = [f"`{n}`" for n in list(models)[:12]]
    return ", ".join(names) + (", …" if len(models) > 12 else "") if names else None


def build(spec: Spec, model: BlockLayer, settings: Mapping[str, Any], inputs: InputShapes) -> Built:
    """Build a model with settings as Python values; a string is an expression of the language (``"tanh"``)."""
    given: dict[str, Given] = {}
    problems: list[Diagnostic] = []
    for name, value in settings.items():
        found = _setting(name, value, spec.scope)
        if isinstance(found, Diagnostic):
            problems.append(found)
        else:
            given[name] = found
    if problems:
        return Built(None, problems)
    return build_model(model, given, inputs)


def _setting(name: str, value: Any, scope: FileScope) -> Given | Diagnostic:
    """A setting as an argument; its place is the text of the setting itself."""
    source = Source(f"<{name}>", value if isinstance(value, str) else repr(value))
    span = Span(source, 0, len(source.text))
    if isinstance(value, str):
        expression = parse_expression(source)
        if isinstance(expression, Diagnostic):
            return expression
        return evaluate_setting(expression, scope)
    if not isinstance(value, bool | int | float | list | tuple):
        kind = type(value).__name__
        return BadSetting(span=None, reason=f"`{name}` is a {kind}: a setting is a number, a list or an expression")
    if not _is_finite(value):
        return BadSetting(span=None, reason=f"`{name}` is not finite: {value}")
    return Given(_lists(value), tree.String(span, source.text), scope.env)


def _is_finite(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or isfinite(value)


def _lists(value: Any) -> Any:
    return [_lists(v) for v in value] if isinstance(value, list | tuple) else value


def evaluate_setting(expression: tree.Expr, scope: FileScope) -> Given | Diagnostic:
    """An expression of a setting, in the spec's file: it may name the file's blocks and operators."""
    try:
        value = as_layer(evaluator_of_text().evaluate(expression, TextPlace(Env(scope.env))))
    except Fault as fault:
        return fault.diagnostic
    except (UsesErrorValue, Abort):
        return BadSetting(span=expression.span, reason="this setting has no value")
    return Given(value, expression, scope.env)


def parse_shape(text: str) -> tuple[Size, ...] | None:
    """``8x3x224x224`` or ``Nx3xHxW`` as sizes; None where it is neither."""
    sizes: list[Size] = []
    for part in text.replace("×", "x").split("x"):
        if part.isascii() and part.isdigit() and len(part) <= 12 and int(part) > 0:
            sizes.append(int(part))
        elif part.isascii() and part.isidentifier():
            sizes.append(symbol(part))
        else:
            return None
    return tuple(sizes)
