"""What a change does beyond the stores themselves: an import that is lost, an event loop that waits."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from unstate.model import Op, Store
from unstate.plan.sources import Sources
from unstate.project import is_aside
from unstate.rewrite import Rewritten


def lost_imports(store: Store, outcomes: Iterable[Rewritten], sources: Sources) -> list[str]:
    """A sentence for each file that imports the store's module no more, where the module runs code and nobody else
    imports it."""
    if _inert(sources.source(store.path, store.service).tree):
        return []
    place = PurePosixPath(store.path)
    stem = place.parent.name if place.stem == "__init__" else place.stem
    pattern = re.compile(rf"^[ \t]*(from|import)\b[^\n]*\b{re.escape(stem)}\b".encode(), re.MULTILINE)
    gone = [
        outcome.path
        for outcome in outcomes
        if outcome.path != store.path
        and outcome.after is not None
        and pattern.search(sources.read(outcome.path))
        and not pattern.search(outcome.after)
    ]
    if not gone or sources.any_other(store.service, pattern, {*gone, store.path}):
        return []
    return [f"{path} imports {store.path} no more, which runs code when it is imported" for path in gone]


def blocked_loops(store: Store, outcomes: Iterable[Rewritten], group: str, sources: Sources) -> list[str]:
    """A sentence for each synchronous function that now waits for a backing service and is called by asynchronous
    code, by its name."""
    names = {name for outcome in outcomes for name in outcome.blocking.get(group, ())}
    callers = dict(sources.awaiting_callers(store.service, names))
    return [
        f"`{name}` is called by asynchronous code ({callers[name]}): the event loop waits while it talks to the service"
        for name in sorted(callers)
    ]


def local_clocks(store: Store, sources: Sources) -> list[str]:
    """A sentence for each file that uses the store and reads a clock which means nothing elsewhere."""
    found = []
    for path in sorted({site.path for site in store.sites}):
        if is_aside(path) or b"monotonic" not in sources.read(path):
            continue
        lines = _monotonic(sources.source(path, store.service).tree, store.name.rpartition(".")[0])
        if lines:
            at = ", ".join(str(line) for line in sorted(lines))
            found.append(
                f"{path}, line{'s' if len(lines) > 1 else ''} {at}: `monotonic` counts from the start of one machine; "
                "a time of it that is kept means nothing to another machine, or after a restart of this one"
            )
    return found


def told_late(store: Store, sources: Sources) -> list[str]:
    """A sentence for each line that gives a folder its name by what a caller hands in: the path was there before."""
    found = []
    for site in store.sites:
        if site.op is not Op.DEFINE:
            continue
        for function in ast.walk(sources.source(site.path, store.service).tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            handed = {each.arg for each in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}
            found += [
                f"{site.path}:{site.span.line}: `{name.id}` comes from a caller, and its folder is known to lie in S3 "
                "only once this line has run; what is done with the same path before is done on the local disk"
                for name in ast.walk(function)
                if isinstance(name, ast.Name)
                and name.id in handed
                and (name.lineno, name.col_offset, name.end_col_offset)
                == (site.span.line, site.span.column, site.span.end_column)
            ]
    return found


def _monotonic(tree: ast.Module, owner: str) -> set[int]:
    """The lines that read that clock: of a class, where the store belongs to one that is defined here."""
    around: list[ast.AST] = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == owner]
    return {
        node.lineno
        for scope in around or [tree]
        for node in ast.walk(scope)
        if isinstance(node, ast.Name | ast.Attribute)
        and getattr(node, "id", getattr(node, "attr", "")) in ("monotonic", "monotonic_ns")
    }


def _inert(tree: ast.Module) -> bool:
    """Whether importing the module only binds names: no call, no decorator, no statement with an effect."""
    return all(_binds_only(statement) for statement in tree.body)


def _binds_only(statement: ast.stmt) -> bool:
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
            return True
        case ast.FunctionDef(decorator_list=decorators) | ast.AsyncFunctionDef(decorator_list=decorators):
            return not decorators
        case ast.ClassDef(decorator_list=decorators, bases=bases):
            return not decorators and not any(isinstance(node, ast.Call) for base in bases for node in ast.walk(base))
        case ast.Assign(value=value) | ast.AnnAssign(value=value):
            return value is None or not any(
                isinstance(node, ast.Call | ast.Await) and not _is_empty_container(node) for node in ast.walk(value)
            )
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
    return False


def _is_empty_container(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="dict" | "list" | "set" | "tuple" | "frozenset"), args=[], keywords=[]):
            return True
    return False
