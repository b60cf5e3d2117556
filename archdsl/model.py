"""A network as a Python object: measured without torch, and a ``torch.nn.Module``, a file or a picture on request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from html import escape
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archdsl.checks.claims import ClaimResult
from archdsl.checks.report import check
from archdsl.compiler import Spec, build, choose, from_text, open_spec, parse_shape
from archdsl.diagnostics.base import Diagnostic
from archdsl.diagnostics.files import BadSetting, WeightsTooLarge
from archdsl.dims import Size
from archdsl.elaborate.model import Built
from archdsl.emit.summary import summarise, to_depth
from archdsl.errors import SpecError
from archdsl.evaluate.values import BlockLayer, shape_text
from archdsl.files import fingerprint
from archdsl.graph import Graph
from archdsl.machine import is_out_of_memory, memory, size_text
from archdsl.measure import Totals
from archdsl.op import Tensor
from archdsl.views.results import CheckResult, Comparison, SummaryTable
from archdsl.views.summary import fitting_depth

if TYPE_CHECKING:
    from torch import nn

    from archdsl.emit.diagram import Diagram
    from archdsl.emit.torch.emission import Source


def load(
    spec: str | PathLike[str] | None = None,
    input: str | Sequence[int] | Mapping[str, str | Sequence[int]] | None = None,
    *,
    text: str | None = None,
    **parameters: object,
) -> Model:
    """A model of a spec: ``load("resnet50", classes=17)``, ``load("specs/vgg.arch:VGG16", input="1x3x64x64")``.

    Args:
        spec: a path, ``path:Model``, or the name of a shipped spec; with ``text``, the name of a model in it.
        input: the input's shape in place of the stated one, as ``"8x3x224x224"``, ``"Nx3xHxW"`` or numbers; a mapping
            by name where the model has several inputs.
        text: the text of a spec, in place of a file.
        parameters: values of the model's parameters. A string is an expression of the language: ``act="tanh"``.

    Raises:
        SpecError: something is wrong with the spec; its text is the diagnostics.
    """
    if text is not None:
        opened = from_text(text, TEXT, None if spec is None else str(spec))
    elif spec is None:
        raise TypeError("load() needs a spec or text=…")
    else:
        opened = open_spec(str(spec))
    if isinstance(opened, Diagnostic):
        raise SpecError([opened])
    return open_model(opened, parameters, _shapes(input))


TEXT = "<text>"
"""The name of a spec that is given as text, in messages."""


def compare(*networks: Model | str, batch_size: int = 1, optimizer: str = "adamw") -> Comparison:
    """Totals of several networks, with ratios to the first: ``compare("resnet50", m)``.

    Raises:
        SpecError: one of them cannot be loaded.
    """
    models = [load(network) if isinstance(network, str) else network for network in networks]
    if len(models) < 2:
        raise TypeError("compare() needs at least two networks")
    names = [network if isinstance(network, str) else network.name for network in networks]
    return Comparison(names, [summarise(model.graph, batch_size, optimizer) for model in models])


def open_model(spec: Spec, parameters: Mapping[str, object], inputs: Mapping[str | None, tuple[Size, ...]]) -> Model:
    """The model that a spec means, built.

    Raises:
        SpecError: something is wrong with it.
    """
    if spec.diagnostics:
        raise SpecError(spec.diagnostics)
    chosen = choose(spec)
    if isinstance(chosen, Diagnostic):
        raise SpecError([chosen])
    built = build(spec, chosen, parameters, inputs)
    if built.graph is None:
        raise SpecError(built.diagnostics)
    return Model(spec, chosen, built, dict(parameters), dict(inputs))


def open_members(
    spec: Spec, parameters: Mapping[str, object], inputs: Mapping[str | None, tuple[Size, ...]]
) -> list[Model]:
    """All models of a file that need no argument, built, in text order.

    Raises:
        SpecError: something is wrong with one, or there is none.
    """
    names = list(spec.buildable) or [spec.model]
    return [open_model(replace(spec, model=name), parameters, inputs) for name in names]


INITIAL_SEED = 0
INITIAL_WEIGHTS = f"initial values (seed {INITIAL_SEED}), not trained"
WEIGHTS_KEY = "weights"
"""The entry of an ONNX file's metadata that says what its weights are."""


def _origin(weights: object) -> str:
    """What weights are, for the metadata of an ONNX file."""
    if isinstance(weights, str | PathLike):
        from archdsl.weights import source_path

        return fingerprint(source_path(weights))
    return INITIAL_WEIGHTS if weights is None else "given as a state dict"


@contextmanager
def _seeded(seed: int | None) -> Iterator[None]:
    """Random numbers in here follow from the seed, and those after it are what they would have been; None: neither."""
    if seed is None:
        yield
        return
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@contextmanager
def enough_memory(graph: Graph) -> Iterator[None]:
    """Around what allocates the weights of a network.

    Raises:
        SpecError: they take more memory than the process can get.
    """
    from archdsl.measure import bytes_by_dtype

    needed, limit = sum(bytes_by_dtype(graph).values()), memory()
    size = size_text(needed) if isinstance(needed, int) else str(needed)
    if isinstance(needed, int) and limit is not None and needed > limit:
        raise SpecError([WeightsTooLarge(span=None, network=graph.name, size=size, limit=size_text(limit))])
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise SpecError([WeightsTooLarge(span=None, network=graph.name, size=size, limit="less")]) from None


def _shapes(given: object) -> dict[str | None, tuple[Size, ...]]:
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return {name: _shape(shape) for name, shape in given.items()}
    return {None: _shape(given)}


def _shape(given: object) -> tuple[Size, ...]:
    match given:
        case str():
            shape = parse_shape(given)
        case Iterable():
            shape = tuple(given)
        case _:
            shape = None
    if shape is None:
        raise SpecError([BadSetting(span=None, reason=f"{given!r} is not a shape such as 8x3x224x224 or Nx3xHxW")])
    return shape


class Model:
    """A checked network. Shows its diagram in a notebook."""

    def __init__(
        self,
        spec: Spec,
        chosen: BlockLayer,
        built: Built,
        parameters: dict[str, object],
        inputs: dict[str | None, tuple[Size, ...]],
    ) -> None:
        assert built.graph is not None
        self._spec = spec
        self._chosen = chosen
        self._built = built
        self._parameters = parameters
        self._shapes = inputs
        self.graph: Graph = built.graph

    def __repr__(self) -> str:
        inputs = ", ".join(f"{name} {shape_text(t.shape)}" for name, t in self.inputs.items())
        outputs = ", ".join(f"{name} {shape_text(t.shape)}" for name, t in self.outputs.items())
        return f"<{self.name}: {inputs} -> {outputs}, {self.params:,} parameters>"

    def _repr_html_(self) -> str:
        """Its shapes, parameters and diagram, for a notebook."""
        svg = self.diagram().svg()
        return f"<p>{escape(repr(self)[1:-1])}</p>\n{svg[svg.index('<svg') :]}"  # without the declaration of XML

    def _repr_svg_(self) -> str:
        """Its diagram, for a viewer that shows no HTML."""
        return self.diagram().svg()

    # ---- what it is ----

    @property
    def files(self) -> list[Path | int]:
        """The files that its spec was read from, by path; standard input by its descriptor."""
        return self._spec.files

    @property
    def name(self) -> str:
        return self.graph.name

    @property
    def inputs(self) -> dict[str, Tensor]:
        """Shapes (sizes are ints or symbolic) and element types of the inputs, by name."""
        return {i.name: i.value.type for i in self.graph.inputs}

    @property
    def outputs(self) -> dict[str, Tensor]:
        """Likewise of the outputs; those that exist only in training are not among them."""
        return {o.name: o.value.type for o in self.graph.outputs if not o.when_training}

    @property
    def training_outputs(self) -> dict[str, Tensor]:
        """The outputs that exist only in training."""
        return {o.name: o.value.type for o in self.graph.outputs if o.when_training}

    def spec(self) -> str:
        """The text of its spec."""
        return self._spec.scope.file.source.text

    @property
    def arguments(self) -> Mapping[str, object]:
        """Values of the parameters of the model, or of the family that it is a member of."""
        return self._built.arguments

    @property
    def preconditions(self) -> list[str]:
        """What sizes of the input must satisfy, in words; empty if any will do."""
        return [p.text for p in self.graph.needs.preconditions()]

    @property
    def state_dict_shapes(self) -> dict[str, tuple[Size, ...]]:
        """Names and shapes of the state dict, in its order."""
        return {name: weight.shape for name, weight in self.graph.weights.items()}

    def vary(
        self, /, input: str | Sequence[int] | Mapping[str, str | Sequence[int]] | None = None, **parameters: object
    ) -> Model:
        """The same model with other values of some parameters, or on another input; both as for ``load``."""
        shapes = self._shapes if input is None else _shapes(input)
        return open_model(self._spec, {**self._parameters, **parameters}, shapes)

    # ---- measures ----

    @cached_property
    def params(self) -> Size:
        """Trainable parameters; shared ones once."""
        from archdsl.measure import params

        return params(self.graph)

    @cached_property
    def macs(self) -> Size:
        """Multiply-accumulates at inference: of one example; of the batch, where the input states its size."""
        from archdsl.measure import macs

        return macs(self.graph)

    @cached_property
    def depth(self) -> int:
        """Layers with weights on the longest path."""
        from archdsl.measure import depth

        return depth(self.graph)

    @cached_property
    def blocks(self) -> dict[str, Totals]:
        """Costs of each module by its dotted name, ``m.blocks["layer1.0"].params``; ``""`` is the network."""
        from archdsl.measure import by_module

        return by_module(self.graph)

    # ---- reports ----

    def summary(self, depth: int | None = None, batch_size: int = 1, optimizer: str = "adamw") -> SummaryTable:
        """The module tree with shapes and costs, as a table.

        Args:
            depth: number of levels; as many as fit in 45 rows if None.
            batch_size: the size of the batch that the costs are for.
            optimizer: the one whose state is part of the training memory.
        """
        found = summarise(self.graph, batch_size, optimizer)
        return SummaryTable(found, to_depth(found.rows, depth or fitting_depth(found.rows)))

    def check(self) -> CheckResult:
        """The claims of its spec, and the diagnostics; of this model alone where parameters or an input were given."""
        return CheckResult(check(replace(self._spec, model=self._chosen.name), self._parameters, self._shapes))

    @cached_property
    def claims(self) -> tuple[ClaimResult, ...]:
        """The claims of its spec, about the models as they are written; ``standing`` is ``holds`` if one is true."""
        return check(self._spec).claims

    # ---- back ends ----

    @cached_property
    def _source(self) -> Source:
        from archdsl.emit.torch.emission import emit

        return emit(self)

    def source(self) -> str:
        """The network as a standalone PyTorch file, proved equal to it."""
        return self._source.text

    @property
    def source_warnings(self) -> tuple[Diagnostic, ...]:
        """What is to be said about the source: that it could not be proved in its readable form."""
        return self._source.diagnostics

    def module(
        self, weights: Mapping[str, object] | str | PathLike[str] | None = None, seed: int | None = None
    ) -> nn.Module:
        """The network as a module: its source, executed.

        Args:
            weights: a state dict, or a checkpoint (``"FILE"`` or ``"FILE:PART"``); initial ones if None.
            seed: initial weights are drawn from a random generator of their own with this seed; from torch's if None.

        It pickles with its source and its spec, so that another process that has archdsl can unpickle it.

        Raises:
            SpecError: torch is not installed, the weights are not those of this network, or there is not enough memory
                for them.
        """
        from archdsl.emit.torch.load import make_module
        from archdsl.pickles import Recipe, recreating

        text, class_name, *_ = self._source
        recipe = Recipe.of(self._spec, self._chosen.name, self._parameters, self._shapes)
        with enough_memory(self.graph), _seeded(seed):
            module = make_module(text, class_name, recreating(text, class_name, recipe))
        if weights is not None:
            module.load_state_dict(self._state(weights), strict=True)
        return module

    def onnx(
        self,
        path: str | PathLike[str],
        weights: Mapping[str, object] | nn.Module | str | PathLike[str] | None = None,
        fold_bn: bool = False,
        origin: str | None = None,
    ) -> Path:
        """Write the network as an ONNX file.

        Args:
            path: the file.
            weights: a state dict, a module or a checkpoint; initial weights if None, always the same.
            fold_bn: put batch norms into the convolutions before them.
            origin: where the weights come from. It stands in the metadata of the file, under ``weights``.

        Raises:
            SpecError: the weights do not fit, or onnx is not installed.
        """
        from archdsl.emit.onnx import export

        state = self.module(seed=INITIAL_SEED).state_dict() if weights is None else self._state(weights)
        metadata = {WEIGHTS_KEY: origin or _origin(weights)}
        return export(self.graph, state, Path(path), fold_bn=fold_bn, metadata=metadata)

    def _state(self, weights: Mapping[str, object] | nn.Module | str | PathLike[str]) -> Mapping[str, object]:
        if isinstance(weights, str | PathLike):
            from archdsl.weights import weights_for

            return weights_for(self, weights).tensors
        return weights if isinstance(weights, Mapping) else weights.state_dict()

    def diagram(self, theme: str = "light", **choices: Any) -> Diagram:
        """The network as a picture."""
        from archdsl.emit.diagram import diagram

        return diagram(self.graph, theme=theme, **choices)
