"""The statements of a constructor."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from archdsl.emit.torch.flow import Partition
from archdsl.emit.torch.names import is_identifier
from archdsl.emit.torch.state import Define, Each, Listed, Local, Make, Making, Place, Say, Under, Used
from archdsl.emit.torch.terms import assign, call, copied, literal, name, negated, own


def makes(init: Iterable[Making]) -> Iterator[Make]:
    """The modules made at the top of these statements, not under a condition or in a loop."""
    for making in init:
        match making:
            case Make():
                yield making
            case Place(made=made):
                yield from makes(made)


def numbered(init: Sequence[Making]) -> list[Make] | None:
    """The modules of a constructor that makes nothing but those, with the numbers 0, 1, …; else None."""
    made = [m for m in init if not isinstance(m, Define)]
    members = [m for m in made if isinstance(m, Make)]
    labels = [m.label.value for m in members if isinstance(m.label, ast.Constant)]
    is_numbered = len(members) == len(made) and labels == [str(k) for k in range(len(members))]
    return members if is_numbered and members else None


def mark_partitions(init: Sequence[Making], asked: Sequence[Partition]) -> None:
    """Let conditions that ``forward`` asks for be told by a module that exists only where they hold."""
    counts = Counter(u.partition for u in _unders(init))
    for making in init:
        if not isinstance(making, Under) or making.partition not in asked or counts[making.partition] > 1:
            continue
        for is_absent, arm in ((False, making.then), (True, making.orelse)):
            label = next((text for m in makes(arm) if (text := _label(m)) is not None), None)
            if label is not None:
                making.partition.label, making.partition.is_absent = label, is_absent
                break


def _unders(init: Iterable[Making]) -> Iterator[Under]:
    """All conditions in these statements."""
    for making in init:
        match making:
            case Make(before=before, after=after):
                yield from _unders([*before, *after])
            case Place(made=inner) | Each(body=inner) | Listed(items=inner):
                yield from _unders(inner)
            case Under(then=then, orelse=orelse):
                yield making
                yield from _unders([*then, *orelse])


def _label(made: Make) -> str | None:
    label = made.label
    if isinstance(label, ast.Constant) and isinstance(label.value, str) and is_identifier(label.value):
        return label.value if made.is_module else None
    return None


def statements(init: Iterable[Making]) -> list[ast.stmt]:
    return [s for making in init for s in _statements(making)]


def _statements(making: Making) -> list[ast.stmt]:
    match making:
        case Make():
            return _make(making)
        case Place(made=made):
            return statements(made)
        case Listed(label=label, items=items):
            return _listed(label, items)
        case Define(local=local):
            assert local.expression is not None or not local.is_variable
            return [assign(ast.Name(local.name), local.expression)] if local.is_variable else []  # type: ignore[arg-type]
        case Each(target=target, iterable=iterable, body=body):
            return [ast.For(target, iterable, statements(body), [])]
        case Under():
            return _under(making)
        case Say(statement=statement):
            return [statement]


def _make(made: Make) -> list[ast.stmt]:
    before, after = statements(made.before), statements(made.after)
    label = made.label
    if isinstance(label, ast.Constant) and is_identifier(str(label.value)):
        target = own(str(label.value))
        if made.chain is not None:
            made.chain.node = target
            return [*before, *after]
        return [*before, assign(target, made.value), *after]
    method = "add_module" if made.is_module else "register_parameter"
    return [*before, ast.Expr(call(own(method), label, made.value)), *after]


def _listed(label: ast.expr, items: Sequence[Place]) -> list[ast.stmt]:
    made = [m for place in items for m in makes(place.made)]
    before = [s for m in made for s in statements(m.before)]
    after = [s for m in made for s in statements(m.after)]
    value = call("nn.ModuleList", ast.List([m.value for m in made]))
    return [*before, *_make(Make(label, value)), *after]


def _under(under: Under) -> list[ast.stmt]:
    partition = under.partition
    then, orelse = statements(under.then), statements(under.orelse)
    test = partition.flag.final() if partition.flag is not None else partition.condition
    out: list[ast.stmt] = []
    if partition.label is not None and (then or orelse):
        annotation = ast.BinOp(name("nn.Module"), ast.BitOr(), literal(None))
        out.append(ast.AnnAssign(ast.Attribute(ast.Name("self"), partition.label), annotation, literal(None), 0))
    if then:
        out.append(ast.If(test, then, orelse))
    elif orelse:
        out.append(ast.If(negated(test), orelse, []))
    return out


# ---- loops over all that there is ----------------------------------------------------------------------------


def over_children(init: Sequence[Making], body: Sequence[ast.stmt]) -> None:
    """``for layer in self.children()``, where a loop of ``forward`` runs over all the modules of the class."""
    made = list(init[0].body) if len(init) == 1 and isinstance(init[0], Each) else []
    loops = [s for s in body if isinstance(s, ast.For)]
    lookups = [n for s in body for n in ast.walk(s) if _is_lookup(n)]
    if len(made) != 1 or not isinstance(made[0], Make) or len(loops) != 1 or len(lookups) != 1:
        return
    loop, variable = loops[0], loops[0].target
    if _uses(loop.body, variable) == _uses([lookups[0]], variable):
        replacement = {lookups[0]: ast.Name("layer")}
        loop.body = copied(loop.body, replacement)
        loop.target, loop.iter = ast.Name("layer"), call(own("children"))


def _is_lookup(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get_submodule"


def _uses(nodes: Sequence[ast.AST], variable: ast.expr) -> int:
    """How often a variable stands in some trees."""
    names = (n for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name))
    return sum(isinstance(variable, ast.Name) and n.id == variable.id for n in names)


# ---- local variables ---------------------------------------------------------------------------------------


def count_locals(roots: Iterable[ast.AST]) -> None:
    """How often each local variable is used, by what will be text: those used once are said in place."""
    counts: Counter[Local] = Counter()
    for root in roots:
        counts.update(_locals(root))
    waiting = list(counts)
    seen = set(waiting)
    while waiting:
        local = waiting.pop()
        for inner in _locals(local.expression):
            counts[inner] += 1
            if inner not in seen:
                seen.add(inner)
                waiting.append(inner)
    for local, uses in counts.items():
        local.uses = uses


def _locals(node: ast.AST | None) -> Iterator[Local]:
    if node is None:
        return
    for inner in ast.walk(node):
        if isinstance(inner, Used):
            yield inner.local


def expressions(init: Iterable[Making]) -> Iterator[ast.AST]:
    """All expressions in a constructor, but for those of local variables."""
    for making in init:
        match making:
            case Make(label=label, value=value, before=before, after=after):
                yield from (label, value)
                yield from expressions([*before, *after])
            case Place(made=made):
                yield from expressions(made)
            case Listed(label=label, items=items):
                yield label
                yield from expressions(items)
            case Each(iterable=iterable, body=body):
                yield iterable
                yield from expressions(body)
            case Under(partition=partition, then=then, orelse=orelse):
                yield partition.condition
                yield from expressions([*then, *orelse])
            case Say(statement=statement):
                yield statement
