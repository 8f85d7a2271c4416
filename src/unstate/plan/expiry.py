"""How long a cache keeps its entries, as its definition says: `TTLCache(1000, ttl=10 * MINUTE)`."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping

from unstate.model import Scope, Store

# Constructor -> (place of the bound, its keyword, place of the lifetime in seconds, its keyword); -1 for none.
_CACHES = {
    **dict.fromkeys(("cachetools.TTLCache", "cachetools.ttl.TTLCache"), (0, "maxsize", 1, "ttl")),
    "expiringdict.ExpiringDict": (0, "max_len", 1, "max_age_seconds"),
    **dict.fromkeys((f"cachetools.{name}Cache" for name in ("LRU", "LFU", "FIFO", "RR")), (0, "maxsize", -1, "")),
}
_SECONDS = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1, "weeks": 604800}
_OPERATORS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Mult: operator.mul,
    ast.Add: operator.add,
    ast.Sub: operator.sub,
}
CACHES = frozenset(_CACHES)
EXPIRING = frozenset(name for name, (_, _, place, _) in _CACHES.items() if place >= 0)


def own_seconds(store: Store, tree: ast.Module, others: Iterable[ast.Module] = ()) -> int | None:
    """The lifetime of an expiring cache's entries in whole seconds; None where its definition does not show it.

    `tree` is the module that defines it, `others` are those that may make objects of its class.
    """
    _, _, place, keyword = _CACHES[store.constructor]
    given = _argument(store.definition, place, keyword)
    if isinstance(given, ast.Name):
        given = _parameter_default(given.id, store, tree, (tree, *others)) or given
    seconds = None if given is None else _number(given, tree)
    return int(seconds) if seconds is not None and seconds >= 1 and seconds == int(seconds) else None


def bound(store: Store) -> str:
    """How many entries a cache keeps at most, as its definition writes it; "" for no cache."""
    if store.constructor not in _CACHES:
        return ""
    place, keyword, _, _ = _CACHES[store.constructor]
    given = _argument(store.definition, place, keyword)
    return "" if given is None else ast.unparse(given)


def _argument(definition: str, place: int, keyword: str) -> ast.expr | None:
    try:
        tree = ast.parse(definition.strip(), mode="eval")
    except SyntaxError:
        return None
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and not any(each.arg == "default_factory" for each in node.keywords)
    ]
    if not calls or any(isinstance(each, ast.Starred) for each in calls[0].args):
        return None
    named = [each.value for each in calls[0].keywords if each.arg == keyword]
    return next(iter([*named, *calls[0].args[place : place + 1]]), None)


def _parameter_default(name: str, store: Store, tree: ast.Module, modules: Iterable[ast.Module]) -> ast.expr | None:
    """What a parameter of the function around the definition is wherever it is called: its default, given by no one."""
    owner = class_of(store)
    line = store.span.line
    functions = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and node.name == "__init__"
        and node.lineno < line <= (node.end_lineno or 0)
    ]
    if not owner or len(functions) != 1:
        return None
    arguments = functions[0].args
    names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
    defaults: dict[str, ast.expr | None] = dict(zip(reversed(names), reversed(arguments.defaults), strict=False))
    defaults |= {each.arg: given for each, given in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)}
    for node in (each for module in modules for each in ast.walk(module)):
        if isinstance(node, ast.ClassDef) and any(_last(base) == owner for base in node.bases):
            return None  # it may make them in another way
        if isinstance(node, ast.Call) and owner in (_last(node.func), *map(_last, node.args)):
            place = names.index(name) - 1 if name in names else len(node.args)
            if len(node.args) > place or any(each.arg in (None, name) for each in node.keywords):
                return None
    stores = [node for node in ast.walk(functions[0]) if isinstance(node, ast.Name) and node.id == name]
    return defaults.get(name) if all(isinstance(node.ctx, ast.Load) for node in stores) else None


def class_of(store: Store) -> str:
    """The class whose objects hold the store, "" for none."""
    return store.name.rpartition(".")[0].rpartition(".")[2] if store.scope is Scope.INSTANCE else ""


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _number(node: ast.expr, tree: ast.Module) -> float | None:
    """The value of an expression of numbers and of names that the module sets once."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            a, b = _number(left, tree), _number(right, tree)
            return None if a is None or b is None else _OPERATORS[type(op)](a, b)
        case ast.Name(id=name):
            values = [
                each.value
                for each in tree.body
                if isinstance(each, ast.Assign | ast.AnnAssign) and each.value is not None and name in _targets(each)
            ]
            return _number(values[0], tree) if len(values) == 1 else None
        case ast.Call(func=ast.Attribute(value=inner, attr="total_seconds"), args=[]):
            return _number(inner, tree)
        case ast.Call(func=ast.Name(id="timedelta") | ast.Attribute(attr="timedelta"), args=[], keywords=keywords):
            parts = [(_SECONDS.get(each.arg or ""), _number(each.value, tree)) for each in keywords]
            if all(unit is not None and number is not None for unit, number in parts):
                return sum((unit or 0) * (number or 0) for unit, number in parts)
    return None


def _targets(statement: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]
