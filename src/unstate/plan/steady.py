"""Containers in which the place of an entry matters: lists that are only ever appended to, so that an entry stays where
it is; and dicts whose first or last entry is asked for.
"""

from __future__ import annotations

import ast

from unstate.model import Op, Store
from unstate.plan.sources import Sources

_STEADY = frozenset(
    {Op.DEFINE, Op.IMPORT, Op.GLOBAL, Op.ADD, Op.ITER, Op.LEN, Op.BOOL, Op.CONTAINS, Op.GETITEM, Op.ALIAS, Op.READ}
    | {Op.NESTED_WRITE, Op.RETURN, Op.PASS}
)


def is_steady(store: Store, sources: Sources) -> bool:
    """Whether a list is only ever appended to and read."""
    if any(site.op not in _STEADY for site in store.sites):
        return False
    added = [site for site in store.sites if site.op is Op.ADD]
    return all(site.span.line not in _inserting(site.path, store.service, sources) for site in added)


def _inserting(path: str, service: str, sources: Sources) -> set[int]:
    """The lines at which something is put into a list elsewhere than behind all others."""
    return {
        node.func.value.lineno
        for node in sources.source(path, service).nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "insert"
    }


def uses_order(store: Store, sources: Sources) -> bool:
    """Whether a dict is asked for its first or last entry somewhere, or an entry is put there."""
    if store.constructor not in ("dict", "collections.OrderedDict"):
        return False
    lines = {(site.path, site.line) for site in store.sites}
    asked = {
        _called(node.func)
        for path in {site.path for site in store.sites}
        for node in sources.source(path, store.service).nodes
        if isinstance(node, ast.Call) and (path, node.lineno) in lines and _is_ordering(node)
    }
    # An empty dict says more in its KeyError than an OrderedDict does.
    return bool(asked) and not (store.constructor == "dict" and "popitem" in asked)


def _is_ordering(call: ast.Call) -> bool:
    name = _called(call.func)
    if name in ("next", "reversed"):
        return len(call.args) > 0 and isinstance(call.args[0], ast.Call if name == "next" else ast.expr)
    return name in ("popitem", "move_to_end")


def _called(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
