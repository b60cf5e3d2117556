"""Places in the module tree: labels, numbers in a seq, declared modules."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import ClassVar

from archdsl.diagnostics.base import Label
from archdsl.diagnostics.names import BadLabel, DuplicatePath, Unlabelled, WrongKind
from archdsl.diagnostics.shapes import SharedDiffers
from archdsl.elaborate.place import Counter, Naming, NetworkPlace
from archdsl.evaluate.called import example_label
from archdsl.evaluate.faults import Fault
from archdsl.evaluate.values import Layer
from archdsl.graph import Module
from archdsl.op import Facets, Op, Weight
from archdsl.record import record
from archdsl.syntax import tree

_LABEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,199}")

TAKEN = frozenset(
    [
        "T_destination",
        "add_module",
        "append",
        "apply",
        "bfloat16",
        "buffers",
        "call_super_init",
        "children",
        "compile",
        "cpu",
        "cuda",
        "double",
        "dump_patches",
        "eval",
        "extend",
        "extra_repr",
        "float",
        "forward",
        "get_buffer",
        "get_extra_state",
        "get_parameter",
        "get_submodule",
        "half",
        "insert",
        "ipu",
        "load_state_dict",
        "modules",
        "mtia",
        "named_buffers",
        "named_children",
        "named_modules",
        "named_parameters",
        "parameters",
        "pop",
        "register_backward_hook",
        "register_buffer",
        "register_forward_hook",
        "register_forward_pre_hook",
        "register_full_backward_hook",
        "register_full_backward_pre_hook",
        "register_load_state_dict_post_hook",
        "register_load_state_dict_pre_hook",
        "register_module",
        "register_parameter",
        "register_state_dict_post_hook",
        "register_state_dict_pre_hook",
        "requires_grad_",
        "set_extra_state",
        "set_submodule",
        "share_memory",
        "state_dict",
        "to",
        "to_empty",
        "train",
        "training",
        "type",
        "xpu",
        "zero_grad",
    ]
)
"""Attributes that every ``nn.Module`` or ``nn.Sequential`` has: no module can bear such a name in torch."""


PARAMETERS = "its parameters need a path in the state dict"
SCOPE = "it is a module, and every module has a path"
"""Why a layer needs a name."""

AGAIN = "number the label, because it is in a loop (`{label}{{i}}: …`), or put the loop in a `seq`"
"""The way out where both modules are one place of the text."""


@record(eq=False)
class DeclaredLayer(Layer):
    """``let label: layer``: the module has its place; its runs share its weights."""

    has_module: ClassVar[bool] = True

    name: str
    module: Module
    layer: Layer
    site: tree.Node


class Modules:
    """Finds or makes the module at which a layer stands."""

    def __init__(self, *, are_labels_optional: bool) -> None:
        self._are_labels_optional = are_labels_optional
        """In a claim, of which nothing is compiled."""
        self._facets: dict[Module, Facets] = {}
        """The operators at modules, as in their first run."""

    def at(
        self, here: NetworkPlace, naming: Naming, site: tree.Node, what: str, reason: str | None = None
    ) -> Module | None:
        """The module of a layer about to run: declared, labelled, numbered in a seq; None for one without a place.

        ``reason`` says why it needs a name (not in a claim), if it does.
        """
        if naming.module is not None:
            return naming.module
        label, formerly = naming.label, None
        if here.counter is not None:
            label, formerly = self._number(here.counter, naming, reason is not None or not here.in_expression)
        if label is None and reason is not None:
            if not self._are_labels_optional:
                example = example_label(what.split(" ")[-1])
                raise Fault(Unlabelled(span=site.span, what=what, reason=reason, example=example))
            label = f"_{len(here.module.children)}"
        if label is None:
            return None
        module = self.child(here, label, naming.site or site)
        module.formerly = formerly if formerly != label else None
        return module

    def of_scope(self, here: NetworkPlace, naming: Naming, site: tree.Node, what: str) -> Module:
        """The module of a scope, which always has one."""
        module = self.at(here, naming, site, what, reason=SCOPE)
        assert module is not None
        return module

    @staticmethod
    def _number(counter: Counter, naming: Naming, is_member: bool) -> tuple[str | None, str | None]:
        """The label of what runs in a seq, or its number if it is a member; and the number that it formerly had."""
        label, formerly = naming.label, None if naming.label is not None else str(counter.formerly)
        counter.formerly += 1
        if label is None and (naming.is_value or not is_member):
            return None, formerly
        label = label or str(counter.count)
        counter.count += 1
        return label, formerly

    def child(self, here: NetworkPlace, label: str, site: tree.Node) -> Module:
        """A new module below the one where we stand (in a later run of a shared module: the one that is there)."""
        self.check_label(label, site)
        parent = here.module
        existing = parent.children.get(label)
        if existing is not None and here.again:
            return existing
        taken = existing.span if existing is not None else parent.span if label in parent.own else None
        if existing is not None or label in parent.own:
            labels = (Label(taken, "first used here"),) if taken is not None and taken != site.span else ()
            again = AGAIN if taken == site.span else DuplicatePath.advice
            raise Fault(DuplicatePath(span=site.span, path=parent.join(label), labels=labels, advice=again))
        module = parent.children[label] = Module(parent.join(label), site.span)
        return module

    def check_label(self, label: str, site: tree.Node) -> None:
        if label in TAKEN or label.startswith("__"):
            reason = "every torch module has an attribute of this name"
            raise Fault(BadLabel(span=site.span, label=label[:80], reason=reason))
        if not _LABEL.fullmatch(label):
            reason = "a label consists of at most 200 ASCII letters, digits, `_` and `-`"
            raise Fault(BadLabel(span=site.span, label=label[:80], reason=reason))

    def own(self, module: Module, here: NetworkPlace, weights: tuple[Weight, ...], site: tree.Node) -> None:
        """Enter the weights of a layer at its module; in a later run of a shared one, check that they fit."""
        for weight in weights:
            if weight.init.has_fans and len(weight.shape) < 2:
                what = f"`{weight.init.name}` needs the fan-in of the weight"
                found = f"`{module.join(weight.name)}` has {len(weight.shape)} axes; the fan-in needs at least two"
                raise Fault(WrongKind(span=site.span, what=what, found=found, advice="use `normal(std=…)` or `zeros`"))
            first = module.own.get(weight.name)
            if first is not None and here.again:
                if first.shape != weight.shape:
                    detail = f"`{weight.name}` is {list(first.shape)} at first and {list(weight.shape)} here"
                    raise Fault(SharedDiffers(span=site.span, path=module.path, detail=detail))
            elif first is not None or weight.name in module.children:
                raise Fault(DuplicatePath(span=site.span, path=module.join(weight.name)))
            module.own[weight.name] = weight

    def require_same(self, module: Module, facets: Facets, site: tree.Node) -> None:
        """A shared module has the same arguments wherever it runs: torch makes it once."""
        first = self._facets.setdefault(module, facets)
        if first is not facets and first.torch.module != facets.torch.module:
            name, now = first.op.name, facets.op.name
            differing = (
                f.name for f in fields(first.op) if getattr(first.op, f.name) != getattr(facets.op, f.name, None)
            )
            argument = next(differing, None) if name == now else None
            before, here = (getattr(op, argument) for op in (first.op, facets.op)) if argument else (name, now)
            detail = f"`{argument or 'it'}` is {before} at first and {here} here"
            raise Fault(SharedDiffers(span=site.span, path=module.path, detail=detail))

    def occupy(self, module: Module, what: Op | None) -> None:
        """Say what stands at a module, where that is an operator."""
        if what is not None and module.what is None:
            module.what = what
