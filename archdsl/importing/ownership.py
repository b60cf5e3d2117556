"""Puts each layer where the text can declare it: under the module that owns it, whoever called it.

A network may call modules past their parents (``self.blocks[3](x)``): neighbours below one child become a group of the
child's name. Children that hold lists, whose members run in turns with others, are declared first.
"""

from __future__ import annotations

from itertools import pairwise

from archdsl.importing.lowering import relative
from archdsl.importing.steps import Scope, ScopeRun, Step


def assign_owners(scope: Scope) -> None:
    """Groups the steps of a network in place.

    Raises:
        Unsupported: a module runs one that is not a part of it.
    """
    for step in scope.steps:
        if isinstance(step, ScopeRun):
            assign_owners(step.scope)
    _group_members(scope)
    scope.lists = frozenset(_lists_in_turns(scope))
    _group_children(scope)


def _labels(step: Step, scope: Scope) -> list[str] | None:
    """The labels that lead from a scope to the module of a step; None for a step without one."""
    return relative(step.module, scope).split(".") if step.module is not None else None


def _grouped(scope: Scope, path: str, steps: list[Step], after: list[Step]) -> ScopeRun:
    """Steps as a group with the name of a child."""
    made = {v for step in steps for v in step.outputs}
    read_later = {v for step in after for v in step.inputs} | set(scope.outputs)
    outputs = [v for v in dict.fromkeys(v for step in steps for v in step.outputs) if v in read_later]
    inputs = [v for v in dict.fromkeys(v for step in steps for v in step.inputs) if v not in made and v.flows]
    facts = scope.facts
    for label in relative(path, scope).split("."):
        facts = facts.children.get(label) if facts is not None else None
    group = Scope(path, facts, inputs, outputs, steps, is_group=True)
    assign_owners(group)
    return ScopeRun(group, inputs, outputs)


def _group_members(scope: Scope) -> None:
    """What runs past a member of a list (``for f in self.lists[k]: x = f(x)``) becomes that member."""
    steps: list[Step] = []
    position = 0
    while position < len(scope.steps):
        labels = _labels(scope.steps[position], scope)
        child = scope.children.get(labels[0]) if labels else None
        if labels is None or len(labels) <= 2 or child is None or child.forward != "list":
            steps.append(scope.steps[position])
            position += 1
            continue
        end = position
        while end + 1 < len(scope.steps) and _is_within(scope.steps[end + 1], labels[:2], scope):
            end += 1
        path = ".".join([*([scope.path] if scope.path else []), *labels[:2]])
        steps.append(_grouped(scope, path, scope.steps[position : end + 1], scope.steps[end + 1 :]))
        position = end + 1
    scope.steps = steps


def _is_within(step: Step, labels: list[str], scope: Scope) -> bool:
    path = step.module or step.member
    return path is not None and relative(path, scope).split(".")[:2] == labels


def _lists_in_turns(scope: Scope) -> list[str]:
    """The children whose numbered members do not simply run one after the other."""
    found = []
    heads = dict.fromkeys(labels[0] for step in scope.steps if (labels := _labels(step, scope)))
    for head in heads:
        places = [i for i, step in enumerate(scope.steps) if (_labels(step, scope) or [""])[0] == head]
        labels = [_labels(scope.steps[i], scope) or [] for i in places]
        if not all(len(each) == 2 and each[1].isdigit() for each in labels):
            continue
        between = [i for i in range(places[0], places[-1]) if i not in places and scope.steps[i].module is not None]
        child = scope.children.get(head)
        is_list = child is not None and child.forward == "list"
        if between or (is_list and not _is_line(scope, places)):
            found.append(head)
    return found


def _is_line(scope: Scope, places: list[int]) -> bool:
    """Do these steps follow each other, each on the result of the one before?"""
    steps = [scope.steps[i] for i in places]
    if places != list(range(places[0], places[-1] + 1)):
        return False
    one = all(len([v for v in step.inputs if v.flows]) == 1 for step in steps)
    return one and all(a.outputs and b.inputs[:1] == a.outputs[:1] for a, b in pairwise(steps))


def _group_children(scope: Scope) -> None:
    """Neighbours below one child become a group of its name."""
    steps: list[Step] = []
    position = 0
    while position < len(scope.steps):
        labels = _labels(scope.steps[position], scope)
        if labels is None or len(labels) == 1 or labels[0] in scope.lists:
            steps.append(scope.steps[position])
            position += 1
            continue
        end = _end_of_group(scope, position, labels[0])
        path = f"{scope.path}.{labels[0]}" if scope.path else labels[0]
        steps.append(_grouped(scope, path, scope.steps[position : end + 1], scope.steps[end + 1 :]))
        position = end + 1
    scope.steps = steps


def _end_of_group(scope: Scope, start: int, head: str) -> int:
    end = position = start
    while position < len(scope.steps):
        labels = _labels(scope.steps[position], scope)
        if labels is not None and labels[0] != head:
            break
        if labels is not None:
            end = position
        elif len(scope.steps[position].outputs) != 1:
            break
        position += 1
    return end
