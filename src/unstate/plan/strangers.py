"""The app's own code that reads an attribute of an object which nothing links to the class that has it.

`conn.sent` in a function that is handed a `conn` of no known type: were the attribute moved, it would be there no more.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from libcst import ParserSyntaxError

from unstate.model import Refusal, Scope, Store
from unstate.plan.sources import Sources
from unstate.project import is_aside
from unstate.rewrite.syntax import walk

_OBJECTS = (Scope.CLASS, Scope.INSTANCE)


def unlinked_readers(store: Store, sources: Sources) -> list[Refusal]:
    """Why an attribute has to stay: code that asks for it by its name, which no other class of the service has."""
    owner, _, name = store.name.rpartition(".")
    if store.scope not in _OBJECTS or not name.isidentifier():
        return []
    files = list(_files(store, name, sources))
    if any(name in _own(node) for _, nodes in files for node in nodes if _is_other(node, owner)):
        return []
    found = []
    for path, nodes in files:
        known = {(site.span.line, site.span.column) for site in store.sites if site.path == path}
        lines = {line for line, _ in known}
        methods = {id(part) for node in nodes if isinstance(node, ast.ClassDef) for part in walk(node)}
        for node in nodes:
            match node:
                case ast.Attribute(value=ast.Name(id=given), attr=attr) if attr == name and node.lineno not in lines:
                    if given in ("self", "cls") and id(node) in methods:
                        continue
                    if given in _imported(nodes):
                        continue
                    reason = (
                        f"`{given}.{name}` may be `{store.name}`: what `{given}` is cannot be told, and were the attribute"
                        " moved, it would not be there"
                    )
                    advice = f"say what it is, as in `{given}: {owner.rpartition('.')[2]}`"
                    found.append(Refusal(path=path, line=node.lineno, reason=reason, advice=advice))
    return found


def _files(store: Store, name: str, sources: Sources) -> Iterator[tuple[str, list[ast.AST]]]:
    """The app's own files that have the name."""
    for path in sources.python_files(store.service):
        if name.encode() in sources.read(path) and not is_aside(path):
            try:
                yield path, list(sources.source(path, store.service).nodes)
            except (SyntaxError, ValueError, RecursionError, ParserSyntaxError):
                continue


def _is_other(node: ast.AST, owner: str) -> bool:
    return isinstance(node, ast.ClassDef) and node.name != owner.rpartition(".")[2]


def _own(node: ast.AST) -> set[str]:
    """The attributes that a class gives itself: in its body, and on `self`."""
    found = set()
    for part in walk(node):
        match part:
            case ast.Attribute(value=ast.Name(id="self"), attr=attr, ctx=ast.Store()):
                found.add(attr)
    for statement in node.body if isinstance(node, ast.ClassDef) else ():
        match statement:
            case ast.Assign(targets=targets):
                found.update(each.id for each in targets if isinstance(each, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
    return found


def _imported(nodes: list[ast.AST]) -> set[str]:
    """The names by which a file knows modules and what it takes from them: links follow these."""
    return {
        (alias.asname or alias.name).partition(".")[0]
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
