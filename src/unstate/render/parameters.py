"""Clients as parameters of FastAPI's handlers and dependencies, in the place of an import.

A client becomes a parameter wherever it is used, or nowhere: what `app.dependency_overrides` gives for it then counts
for all of the state that lies behind it.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import libcst as cst

from unstate.catalogue.helpers import DEPENDENCIES, stands_on
from unstate.model import Backing
from unstate.project import is_aside
from unstate.rewrite.imports import with_import
from unstate.rewrite.names import Names, bound
from unstate.rewrite.parameters import Parameters
from unstate.rewrite.syntax import walk


@dataclass(slots=True)
class _Uses:
    """What one file does with the clients that it imports."""

    taking: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # function -> clients it may take
    outside: set[str] = field(default_factory=set)  # clients used where no parameter reaches, or by another name


def parametrised(
    contents: Mapping[str, bytes], unchanged: Mapping[str, bytes], backing: Backing, names: Collection[str]
) -> tuple[dict[str, bytes], set[str]]:
    """The files of a service with clients as parameters where all their uses allow it, and what they import instead.

    `contents`: the rewritten files; `unchanged`: those of the service that are not; `names`: what all import.
    """
    uses = {path: _uses(path, content, backing) for path, content in contents.items() if not is_aside(path)}
    others = [_uses(path, content, backing) for path, content in unchanged.items() if not is_aside(path)]
    kept = {client for each in (*uses.values(), *others) for client in each.outside}
    kept |= {client for each in others for clients in each.taking.values() for client in clients}
    kept |= {client for client in DEPENDENCIES if stands_on(names, client)}
    done: dict[str, bytes] = {}
    wanted: set[str] = set()
    for path, found in uses.items():
        taking = {name: left for name, clients in found.taking.items() if (left := clients - kept)}
        gone = {client for clients in found.taking.values() for client in clients} - kept
        gone |= _unread(contents[path], backing)
        if gone:
            brought = {DEPENDENCIES[client] for clients in taking.values() for client in clients}
            done[path] = _with_parameters(contents[path], taking, brought, gone, backing.module)
            wanted |= brought
    return {**contents, **done}, wanted


def _uses(path: str, content: bytes, backing: Backing) -> _Uses:
    found = _Uses()
    if backing.module.rpartition(".")[2].encode() not in content:
        return found
    try:
        tree = ast.parse(content)
    except SyntaxError:
        return found
    here = set(_imported(tree, backing, found))
    taken = bound(tree, walk(tree), backing.module)
    found.outside |= {client for client in here if DEPENDENCIES[client] in taken}
    for client, around in _reads(tree, here, ()):
        taker = next((each.name for each in reversed(around) if f"{path}:{each.name}" in backing.takers), "")
        if taker:
            found.taking[taker].add(client)
        else:
            found.outside.add(client)
    return found


def _imported(tree: ast.Module, backing: Backing, found: _Uses) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").rpartition(".")[2] == _stem(backing):
            for each in node.names:
                if each.name in DEPENDENCIES and each.asname is None and node in tree.body:
                    yield each.name
                elif each.name in DEPENDENCIES:
                    found.outside.add(each.name)


def _stem(backing: Backing) -> str:
    return backing.module.rpartition(".")[2]


Around = tuple[ast.FunctionDef | ast.AsyncFunctionDef, ...]


def _reads(node: ast.AST, clients: Collection[str], around: Around) -> Iterator[tuple[str, Around]]:
    """Each read of an imported client, with the functions around it; what is a parameter already is none."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Name(id=name) if name in clients and not any(_takes(each, name) for each in around):
                yield name, around
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                # Decorators, defaults and annotations are evaluated around the function, its body inside.
                for part in (*child.decorator_list, child.args, *([child.returns] if child.returns else ())):
                    yield from _reads(ast.Module([ast.Expr(part)], []), clients, around)
                yield from _reads(ast.Module(child.body, []), clients, (*around, child))
            case _:
                yield from _reads(child, clients, around)


def _takes(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> bool:
    return any(each.arg == name for each in (*function.args.args, *function.args.kwonlyargs))


def _unread(content: bytes, backing: Backing) -> set[str]:
    """The imported clients that a file reads as parameters alone."""
    tree = ast.parse(content)
    here = set(_imported(tree, backing, _Uses()))
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return (here & named) - {client for client, _ in _reads(tree, here, ())}


def _with_parameters(
    content: bytes, taking: Mapping[str, Collection[str]], brought: Collection[str], gone: Collection[str], module: str
) -> bytes:
    given = {name: {client: DEPENDENCIES[client] for client in clients} for name, clients in taking.items()}
    changed = cst.parse_module(content).visit(Parameters(given))
    return with_import(changed, module, Names(frozenset(), imported=set(brought)), gone=gone).bytes
