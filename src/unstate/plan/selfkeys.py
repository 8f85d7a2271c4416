"""Stores whose entries say their own keys: `jobs[job.id] = job`, so that an entry alone is enough to write it back."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from unstate.model import Op, Site, Store
from unstate.plan.sources import Sources

_PUTS = frozenset({Op.SETITEM})
_OTHER_PUTS = frozenset({Op.SETDEFAULT, Op.UPDATE, Op.ADD, Op.REBIND, Op.AUGITEM, Op.CALL, Op.PASS, Op.ALIAS})


def key_field(store: Store, sources: Sources) -> str:
    """The field of every entry that is the key that it stands under; "" where there is none, or it cannot be told."""
    if any(site.op in _OTHER_PUTS and not _is_of_entry(site, store, sources) for site in store.sites):
        return ""
    found: set[str] | None = None
    for path in sorted({site.path for site in store.sites if site.op in _PUTS}):
        tree = sources.source(path, store.service).tree
        lines = {(site.span.line, site.span.column) for site in store.sites if site.path == path and site.op in _PUTS}
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for put in _puts(function, lines):
                    fields = set(_fields(put, function))
                    found = fields if found is None else found & fields
                    lines.discard((put.targets[0].lineno, put.targets[0].col_offset))
        if lines:  # one that is no plain assignment in a function
            return ""
    return min(found) if found else ""


def _is_of_entry(site: Site, store: Store, sources: Sources) -> bool:
    """Whether it is an entry that gets another name there, not the store."""
    lines = sources.source(site.path, store.service).content.decode(errors="replace").splitlines()
    behind = lines[site.span.end_line - 1][site.span.end_column :]
    return site.op is Op.ALIAS and behind.startswith(("[", ".get("))


def _puts(function: ast.AST, places: set[tuple[int, int]]) -> Iterator[ast.Assign]:
    """The assignments to entries of a function, those of functions in it left out."""
    for child in ast.iter_child_nodes(function):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        match child:
            case ast.Assign(targets=[ast.Subscript(lineno=line, col_offset=column)]) if (line, column) in places:
                yield child
        yield from _puts(child, places)


def _fields(put: ast.Assign, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """The fields of a value that are the key that it is put under."""
    target = put.targets[0]
    assert isinstance(target, ast.Subscript)
    key, value = target.slice, put.value
    match key, value:
        case ast.Attribute(value=ast.Name(id=name), attr=field), ast.Name(id=same) if name == same:
            yield field
        case ast.Name(id=name), ast.Call():
            yield from _given(value, name, function)
        case ast.Name(id=name), ast.Name(id=made):
            values = list(_values(function, made))
            if len(values) == 1 and isinstance(values[0], ast.Call):
                yield from _given(values[0], name, function)


def _given(call: ast.Call, name: str, function: ast.AST) -> Iterator[str]:
    """The keywords by which a class is given what a name holds, where the name holds one thing alone."""
    times = len(list(_values(function, name))) + any(
        isinstance(node, ast.arg) and node.arg == name for node in ast.walk(function)
    )
    if times == 1:
        for keyword in call.keywords:
            if isinstance(keyword.value, ast.Name) and keyword.value.id == name and keyword.arg is not None:
                yield keyword.arg


def _values(function: ast.AST, name: str) -> Iterator[ast.expr | None]:
    """What a name is bound to, None for what is no plain assignment."""
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=bound)], value=value) if bound == name:
                yield value
            case ast.AnnAssign(target=ast.Name(id=bound), value=value) if bound == name and value is not None:
                yield value
            case ast.Name(id=bound, ctx=ast.Store()) if bound == name and not _is_plain_target(function, node):
                yield None


def _is_plain_target(function: ast.AST, name: ast.Name) -> bool:
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[target]) | ast.AnnAssign(target=target) if target is name:
                return True
    return False
