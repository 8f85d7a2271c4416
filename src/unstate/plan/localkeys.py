"""Keys that each process computes for itself: with a salt made as it starts, with `hash`, with an address.

Another process asks for the entry under another key, so that what is shared is never found.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

from unstate.model import Store
from unstate.plan.alive import Use, uses_of
from unstate.plan.sources import Sources

_BY_KEY = frozenset("get pop setdefault add discard remove".split())
# What a process gives another answer to than the next one does.
_OWN = re.compile(r"hash|id|(os\.)?getpid|(threading\.)?(get_ident|get_native_id|current_thread)")
# What is another value at each call: kept for as long as the process lives, it is that process's own.
_ANEW = re.compile(
    r"(time\.)?(time|time_ns|monotonic|monotonic_ns|perf_counter)|(secrets\.)?token_(hex|urlsafe|bytes)|(os\.)?urandom"
    r"|(uuid\.)?uuid[14]|random\.\w+|(datetime\.)+(now|utcnow)|(os\.)?getpid"
)
_SHARED = re.compile(r"environ|getenv|config|settings|open\(|read_")
_DEPTH = 3  # names that are bound to what holds names


def local_keys(store: Store, sources: Sources) -> list[str]:
    """A sentence for each part of a key that no other process computes, with the lines that ask by it."""
    found: dict[tuple[str, str], set[int]] = defaultdict(set)
    for use in uses_of(store, sources):
        tree = sources.source(use.site.path, store.service).tree
        for key in _keys(use):
            for part in _own_parts(key, use.function, tree, _DEPTH):
                found[use.site.path, part].add(use.site.line)
    return [_sentence(path, part, sorted(lines)) for (path, part), lines in sorted(found.items())]


def _sentence(path: str, part: str, lines: list[int]) -> str:
    at = f"line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines))}"
    return (
        f"{path}, {at}: the key is made with {part}: another process makes another one, and does not find the entry; "
        "take what all processes know"
    )


def _keys(use: Use) -> Iterator[ast.expr]:
    """The keys by which a statement asks its store, where it is asked at this site."""
    here = (use.site.span.line, use.site.span.column)
    for node in ast.walk(use.statement):
        match node:
            case ast.Subscript(value=asked, slice=key):
                pass
            case ast.Call(func=ast.Attribute(value=asked, attr=name), args=[key, *_]) if name in _BY_KEY:
                pass
            case ast.Compare(left=key, ops=[ast.In() | ast.NotIn()], comparators=[asked]):
                pass
            case _:
                continue
        if (asked.lineno, asked.col_offset) == here:
            yield key


def _own_parts(
    key: ast.expr, function: ast.FunctionDef | ast.AsyncFunctionDef | None, tree: ast.Module, depth: int
) -> Iterator[str]:
    for node in ast.walk(key):
        match node:
            case ast.Call(func=made) if _OWN.fullmatch(ast.unparse(made)):
                yield f"`{ast.unparse(made)}(...)`"
            case ast.Attribute(value=ast.Name(id="self"), attr=name) if function is not None:
                bound = _bound_on(name, function, tree)
                if bound and all(map(_is_anew, bound)):
                    yield f"`self.{name}`, which each process makes anew in line {bound[0].lineno}"
            case ast.Name(id=name, ctx=ast.Load()):
                local = [] if function is None else _bound_in(name, function)
                if local is None:
                    continue
                if local and depth:
                    for value in local:
                        yield from _own_parts(value, function, tree, depth - 1)
                elif not local:
                    bound = _bound_in(name, tree) or []
                    if bound and all(map(_is_anew, bound)):
                        yield f"`{name}`, which each process makes anew in line {bound[0].lineno}"


def _is_anew(value: ast.expr) -> bool:
    """Whether an expression gives each process a value of its own."""
    if _SHARED.search(ast.unparse(value)):
        return False
    return any(isinstance(node, ast.Call) and _ANEW.fullmatch(ast.unparse(node.func)) for node in ast.walk(value))


def _bound_on(name: str, method: ast.AST, tree: ast.Module) -> list[ast.expr]:
    """What an attribute is bound to, if only as a class or an object is made; nothing where it is bound later too."""
    classes = (each for each in ast.walk(tree) if isinstance(each, ast.ClassDef))
    owner = next((each for each in classes if any(method is inner for inner in each.body)), None)
    found = []
    for each in owner.body if owner is not None else ():
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            values = [value for target, value in _bindings(each) if ast.unparse(target) == f"self.{name}"]
            if values and each.name != "__init__":
                return []
            found += values
        else:
            found += [value for target, value in _bindings(each) if ast.unparse(target) == name]
    return found


def _bound_in(name: str, around: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr] | None:
    """What a name is bound to in a function, or at the top of a module; None where that cannot be seen."""
    if isinstance(around, ast.Module):
        rebound = any(isinstance(node, ast.Global) and name in node.names for node in ast.walk(around))
        top = [each for each in around.body if isinstance(each, ast.Assign | ast.AnnAssign)]
        return None if rebound else [value for each in top for target, value in _bindings(each) if _is(target, name)]
    found = [value for target, value in _bindings(around) if _is(target, name)]
    for node in ast.walk(around):
        match node:
            case ast.arg(arg=bound) | ast.Name(id=bound, ctx=ast.Store()) if bound == name and not found:
                return None
            case ast.Global(names=names) if name in names:
                return None
    return found


def _bindings(around: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The targets of the assignments within, each with its value."""
    for node in ast.walk(around):
        match node:
            case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=ast.expr() as value):
                yield target, value


def _is(target: ast.expr, name: str) -> bool:
    return isinstance(target, ast.Name) and target.id == name
