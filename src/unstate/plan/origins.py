"""Where keys come from: a key that the app makes itself cannot be chosen by a client."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from unstate.model import Op, Site, Store

_MAKERS = frozenset(
    "uuid1 uuid3 uuid4 uuid5 uuid6 uuid7 token_hex token_urlsafe token_bytes urandom hexdigest time_ns".split()
)
_WRAPPERS = frozenset("str hex".split())


def made_by_the_app(store: Store, trees: Mapping[str, ast.Module]) -> bool:
    """Whether every key that is written was made in the function that writes it, by a generator of names."""
    writes = [site for site in store.sites if site.op is Op.SETITEM]
    return bool(writes) and all(_made(site, trees[site.path]) for site in writes)


def _made(site: Site, tree: ast.Module) -> bool:
    for function in _functions_around(tree, site.line):
        for node in ast.walk(function):
            if isinstance(node, ast.Subscript) and _stands_at(node.value, site):
                return _is_made(node.slice, function)
    return False


def _functions_around(tree: ast.Module, line: int) -> Iterable[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Innermost first."""
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    return sorted(around, key=lambda node: -node.lineno)


def _stands_at(node: ast.expr, site: Site) -> bool:
    return (
        node.lineno == site.span.line and node.end_lineno == site.span.end_line and node.col_offset == site.span.column
    )


def _is_made(key: ast.expr, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    if not isinstance(key, ast.Name):
        return _makes(key)
    values = [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == key.id for t in node.targets)
    ]
    return bool(values) and all(_makes(value) for value in values)


def _makes(value: ast.expr) -> bool:
    """A call without arguments, or one of the standard library's makers of names, as it is or as text."""
    match value:
        case ast.Attribute(value=inner, attr="hex"):
            return _makes(inner)
        case ast.Call(func=ast.Name(id=name), args=[inner]) if name in _WRAPPERS:
            return _makes(inner)
        case ast.Call(func=ast.Attribute(attr=name)) if name in _MAKERS:
            return True
        case ast.Call(func=ast.Name(id=name), args=args):
            return name in _MAKERS or not args
    return False
