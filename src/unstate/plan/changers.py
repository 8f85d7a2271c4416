"""Which functions change entries of a store in place: those that do, and those that call them."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from unstate.plan.sources import Sources
from unstate.rewrite import COMMON_METHODS

_MANY = 60  # functions that are looked for: a change that more than these lead to is called by everything


def with_callers(functions: Collection[str], service: str, sources: Sources) -> frozenset[str]:
    """Those functions ("name", "Class.name"), and all from which a call leads to one of them."""
    found: dict[str, None] = dict.fromkeys(sorted(functions))
    for changer in found_in_turn(found):
        owner, _, name = changer.rpartition(".")
        for path in sources.files_with(service, name) or ():
            try:
                tree = sources.source(path, service).tree
            except (SyntaxError, ValueError):
                continue
            found.update(dict.fromkeys(_callers(tree, owner, name)))
    return frozenset(found)


def found_in_turn(found: dict[str, None]) -> Iterator[str]:
    """Each of what is found, those too that are added meanwhile."""
    done = 0
    while done < min(len(found), _MANY):
        yield list(found)[done]
        done += 1


def _callers(tree: ast.Module, owner: str, name: str) -> Iterator[str]:
    """The functions of a module that call one of that name."""
    waiting: list[tuple[ast.AST, str, str]] = [(tree, "", "")]  # node, the class around, the function around
    while waiting:
        node, inside, function = waiting.pop()
        if isinstance(node, ast.Call) and function and _may_call(node.func, inside, owner, name):
            yield function
        for child in ast.iter_child_nodes(node):
            match child:
                case ast.ClassDef(name=here):
                    waiting.append((child, here, ""))
                case ast.FunctionDef(name=here) | ast.AsyncFunctionDef(name=here):
                    of = f"{inside}.{here}" if inside and isinstance(node, ast.ClassDef) else here
                    waiting.append((child, inside, of))
                case _:
                    waiting.append((child, inside, function))


def _may_call(func: ast.expr, inside: str, owner: str, name: str) -> bool:
    common = name in COMMON_METHODS
    match func:
        case ast.Name(id=called):
            return called == name and not owner
        case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=called):
            return called == name and bool(owner) and (inside == owner or not common)
        case ast.Attribute(attr=called):
            return called == name and not common
    return False
