"""Lists whose entries stay where they are: nothing is ever taken out of them, nor put in front of another entry."""

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
        for node in ast.walk(sources.source(path, service).tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "insert"
    }
