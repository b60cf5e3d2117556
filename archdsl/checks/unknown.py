"""Names that nothing defines, also in blocks that no model uses."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.checks.claims import MEASURES
from archdsl.diagnostics.base import Diagnostic
from archdsl.evaluate.builtins import BUILTINS, WORDS
from archdsl.evaluate.names import SUGGESTIONS, unknown_name
from archdsl.evaluate.values import MISSING, FileScope
from archdsl.syntax import tree


def unknown_names(scope: FileScope) -> Iterator[Diagnostic]:
    """Names in blocks, models, fns and claims that neither they nor their file bind, and that are no built-in.

    Read off the text, so a name that is bound later or in another arm of an ``if`` passes here: building finds those.
    """
    for definition in scope.file.definitions:
        if isinstance(definition, tree.Block | tree.Fn | tree.Claim):
            yield from _unknown_in(definition, scope)


def _unknown_in(definition: tree.Block | tree.Fn | tree.Claim, scope: FileScope) -> Iterator[Diagnostic]:
    names = scope.names_in(definition)
    local = {*names.bound, "it", "_", *(MEASURES if isinstance(definition, tree.Claim) else ())}
    unknown = [
        name
        for name in names.read
        if name.text not in local
        and name.text not in BUILTINS
        and scope.env.lookup(name.text) is MISSING
        and not any(family.fullmatch(name.text) for family in names.families)
    ]
    known = local | scope.env.names.keys() | BUILTINS.keys() | WORDS if unknown else set()
    for count, name in enumerate(unknown):
        yield unknown_name(name, name.text, known if count < SUGGESTIONS else (), definition)
