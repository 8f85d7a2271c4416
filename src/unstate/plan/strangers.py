"""The app's own code that reads an attribute of an object which nothing links to the class that has it.

`conn.sent` in a function that is handed a `conn` of no known type: were the attribute moved, it would be there no more.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

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
    owner = owner.rpartition(".")[2]
    files = list(_files(store, name, sources))
    if any(name in _own(node) for _, nodes in files for node in nodes if _is_other(node, owner)):
        return []
    found = []
    for path, nodes in files:
        bound, named = _imported(nodes)
        if path != store.path and named.isdisjoint({owner, PurePosixPath(store.path).stem}):
            continue  # an object of that class may come here as well, but more often it is another's
        rewritten = {site.span.line for site in store.sites if site.path == path}
        for given, line in _asked(nodes, name):
            if given not in bound and line not in rewritten:
                reason = (
                    f"`{given}.{name}` may be `{store.name}`: what `{given}` is cannot be told, and were the attribute"
                    " moved, it would not be there"
                )
                found.append(Refusal(path=path, line=line, reason=reason, advice=f"say what it is: `{given}: {owner}`"))
    return found


def _files(store: Store, name: str, sources: Sources) -> Iterator[tuple[str, list[ast.AST]]]:
    """The app's own files that have the name."""
    for path in sources.python_files(store.service):
        if name.encode() in sources.read(path) and not is_aside(path):
            try:
                yield path, list(sources.source(path, store.service).nodes)
            except (SyntaxError, ValueError, RecursionError, ParserSyntaxError):
                continue


def _asked(nodes: Sequence[ast.AST], name: str) -> Iterator[tuple[str, int]]:
    """The names of objects that are asked for an attribute, with the lines; `self` is told by its class.

    What is called is a method: `given.values()`.
    """
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    for node in nodes:
        if id(node) in called:
            continue
        match node:
            case ast.Attribute(value=ast.Name(id=given), attr=attr) if attr == name and given not in ("self", "cls"):
                yield given, node.lineno


def _is_other(node: ast.AST, owner: str) -> bool:
    return isinstance(node, ast.ClassDef) and node.name != owner


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


def _imported(nodes: Sequence[ast.AST]) -> tuple[set[str], set[str]]:
    """The names that a file's imports bind, which links follow, and all names in them."""
    bound: set[str] = set()
    named: set[str] = set()
    for node in nodes:
        match node:
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                bound.update((alias.asname or alias.name).partition(".")[0] for alias in names)
                named.update(part for alias in names for part in alias.name.split("."))
        if isinstance(node, ast.ImportFrom):
            named.update((node.module or "").split("."))
    return bound, named
