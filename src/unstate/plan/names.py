"""What names of a module stand for: enough to tell a framework's class from another of the same name."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from unstate.rewrite.syntax import walk


@dataclass(frozen=True, slots=True)
class Module:
    """A file of a service, and what its imported names stand for."""

    path: str
    module: str  # as the service imports it
    tree: ast.Module
    names: dict[str, str]


def imported(tree: ast.Module) -> dict[str, str]:
    """What each imported name stands for, dotted: {"aioredis": "redis.asyncio"}. Imports in functions count too."""
    found: dict[str, str] = {}
    for node in walk(tree):
        match node:
            case ast.Import(names=aliases):
                for alias in aliases:
                    found[alias.asname or alias.name.partition(".")[0]] = (
                        alias.name if alias.asname else alias.name.partition(".")[0]
                    )
            case ast.ImportFrom(module=str(module), names=aliases, level=0):
                found.update({alias.asname or alias.name: f"{module}.{alias.name}" for alias in aliases})
    return found


def dotted(node: ast.expr | None, names: Mapping[str, str]) -> str:
    """The full name of `redis.Redis.from_url`; "" for what is no chain of names."""
    match node:
        case ast.Name(id=name):
            return names.get(name, name)
        case ast.Attribute(value=value, attr=attr):
            before = dotted(value, names)
            return f"{before}.{attr}" if before else ""
    return ""


def assigned(node: ast.stmt) -> tuple[ast.expr, ast.expr] | None:
    """The target and the value of `x = v` and `x: T = v`; None for every other statement."""
    match node:
        case ast.Assign(targets=[target], value=value):
            return target, value
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            return target, value
    return None


def blocks(tree: ast.AST) -> Iterator[tuple[tuple[ast.AST, ...], list[ast.stmt]]]:
    """Every run of statements with the nodes around it, the module first."""
    waiting: list[tuple[tuple[ast.AST, ...], ast.AST]] = [((), tree)]
    while waiting:
        around, node = waiting.pop()
        here = (*around, node)
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, name, None)
            if isinstance(inner, list) and inner:
                if isinstance(inner[0], ast.stmt):
                    yield here, inner
                waiting += [(here, each) for each in reversed(inner)]


def runs_as_a_script(tree: ast.Module) -> bool:
    """Whether the module has a part for `python module.py`: run so, it goes by the name of `__main__`."""
    return any(
        isinstance(node, ast.Compare) and isinstance(node.left, ast.Name) and node.left.id == "__name__"
        for statement in tree.body
        if isinstance(statement, ast.If)
        for node in ast.walk(statement.test)
    )


def needs_nothing(function: ast.FunctionDef) -> bool:
    """Whether a function can be called without arguments, and gives what it returns (no generator)."""
    given = function.args
    required = len(given.posonlyargs) + len(given.args) - len(given.defaults)
    wanted = required + sum(default is None for default in given.kw_defaults)
    yields = any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))
    return not wanted and not yields
