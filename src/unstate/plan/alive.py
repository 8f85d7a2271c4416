"""What of a store goes with one process: handles that it counts, entries that it takes out as it ends, its own clock.

A process that is killed takes nothing out. So a number of what is alive in it must not outlive it, and what it throws
away when it stops belongs to all others from now on.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from unstate.model import ENDING, Finding, Op, Refusal, Site, Store
from unstate.plan.sources import Sources
from unstate.project import is_aside

_PUTS = frozenset({Op.SETITEM, Op.REBIND, Op.ADD, Op.AUGITEM, Op.SETDEFAULT, Op.UPDATE, Op.NESTED_WRITE})
_COUNTS = frozenset({Op.AUGITEM, Op.SETITEM, Op.REBIND})
_TAKES = frozenset({Op.DELITEM, Op.POP, Op.REMOVE})
_CLOCKS = frozenset({"monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"})
_RELEASING = re.compile(r"(^|_)(release|released|disconnect|disconnected)(_|$)|connection_lost|on_close|^__a?exit__$")
_STOPPING = re.compile(r"(^|_)(stop|shutdown|shut_down|close|aclose|teardown|terminate)(_|$)")
_REGISTERING = re.compile(
    r"atexit\.register|signal\.signal|add_signal_handler|add_event_handler|on_shutdown|on_cleanup"
)
_DEPTH = 3  # callers of what is run as a process ends
_OWN_CLOCK = (
    "keeps a time of `{}`, which counts from the start of one machine: another machine, or this one after a restart, "
    "cannot compare with it; use `time.time()` first"
)
_OWN_COUNT = "it counts what is alive in this process: one that is killed here would never take its own off"


@dataclass(frozen=True, slots=True)
class Use:
    """A statement that uses a store, and what it stands in."""

    site: Site
    statement: ast.stmt
    function: ast.FunctionDef | ast.AsyncFunctionDef | None
    in_finally: bool


def refusals(store: Store, sources: Sources) -> list[Refusal]:
    """Why a store cannot leave its process, though what it holds could."""
    uses = list(uses_of(store, sources))
    added = any(_changes_by(use, ast.Add) for use in uses)
    for use in uses:
        if added and _changes_by(use, ast.Sub) and _releases(use, store, sources):
            advice = "keep an entry for each of them that expires and is renewed, and count those"
            return [_refusal(use, _OWN_COUNT, advice)]
    return []


def differences(store: Store, sources: Sources, *, expires: bool) -> list[str]:
    """Sentences on times of one machine's clock, on entries that nobody takes out when a process is killed, and on
    what one takes out as it stops."""
    left, emptied, kept = set(), [], []
    for use in uses_of(store, sources):
        clock = _kept_clock(use)
        if clock:
            kept.append(f"{use.site.path}, line {use.site.line}: {_OWN_CLOCK.format(clock)}")
        if use.site.op in _TAKES and _releases(use, store, sources):
            left.add((use.site.path, use.site.line))
        elif _empties(use) and ENDING not in use.site.contexts and use.function is not None:
            name = use.function.name
            if _STOPPING.search(name):
                emptied.append(
                    f"{use.site.path}, line {use.site.line}: where `{name}` is called because one process stops, it is "
                    "emptied for all others too"
                )
    stay = "stays until it expires" if expires else "stays"
    return [
        *kept,
        *(
            f"{path}, line {line}: an entry is taken out as a connection or a call ends; that of a process which is "
            f"killed {stay}"
            for path, line in sorted(left)
        ),
        *emptied,
    ]


def with_endings(finding: Finding, sources: Sources) -> Finding:
    """The finding, its sites told apart that only throw everything away because the process ends."""
    store = finding.store
    ending = {use.site for use in uses_of(store, sources) if _empties(use) and _ends(use, store, sources)}
    if not ending:
        return finding
    sites = tuple(replace(each, contexts=(*each.contexts, ENDING)) if each in ending else each for each in store.sites)
    return replace(finding, store=replace(store, sites=sites))


def _refusal(use: Use, reason: str, advice: str) -> Refusal:
    return Refusal(path=use.site.path, line=use.site.line, reason=reason, advice=advice)


def uses_of(store: Store, sources: Sources) -> Iterator[Use]:
    """The statements outside of tests that use a store, its definition left out."""
    for site in store.sites:
        if site.op not in (Op.DEFINE, Op.IMPORT, Op.GLOBAL) and not is_aside(site.path):
            use = _use(site, sources.source(site.path, store.service).tree)
            if use is not None:
                yield use


def _use(site: Site, tree: ast.Module) -> Use | None:
    """The innermost statement around a site."""
    here: ast.AST = tree
    function: ast.FunctionDef | ast.AsyncFunctionDef | None = None
    in_finally = False
    while True:
        inner = next((each for each in _inner(here) if each[0].lineno <= site.line <= (each[0].end_lineno or 0)), None)
        if inner is None:
            return Use(site, here, function, in_finally) if isinstance(here, ast.stmt) else None
        here, finally_ = inner
        in_finally |= finally_
        if isinstance(here, ast.FunctionDef | ast.AsyncFunctionDef):
            function, in_finally = here, False


def _inner(node: ast.AST) -> Iterator[tuple[ast.stmt, bool]]:
    """The statements right within a node, and whether each stands in its `finally`."""
    for name in ("body", "orelse", "finalbody"):
        for each in getattr(node, name, ()):
            if isinstance(each, ast.stmt):
                yield each, name == "finalbody"
    for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield from _inner(part)


def put_in(use: Use) -> list[ast.expr]:
    """The expressions whose values a statement may put into the store."""
    value = getattr(use.statement, "value", None)
    if use.site.op not in _PUTS or value is None:
        return []
    if isinstance(value, ast.Call) and isinstance(use.statement, ast.Expr):
        keyed = _last(value.func) in ("setdefault", "insert")
        return [*value.args[1 if keyed else 0 :], *(each.value for each in value.keywords)]  # x.append(now)
    return [value]


def _kept_clock(use: Use) -> str:
    """The clock of one machine whose time is kept; "" where none is, or only how long something took."""
    found = (_clock(each, use.function) for each in put_in(use))
    return next((each for each in found if each), "")


def _clock(value: ast.expr, function: ast.AST | None, *, followed: bool = False) -> str:
    match value:
        case ast.BinOp(op=ast.Sub()):
            return ""
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _CLOCKS:
            return name
        case ast.Name(id=name) if function is not None and not followed:
            bound = [
                _clock(node.value, function, followed=True)
                for node in ast.walk(function)
                if isinstance(node, ast.Assign)
                and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
            ]
            return bound[0] if bound and all(bound) else ""
        case ast.BinOp() | ast.Tuple() | ast.Dict() | ast.List() | ast.IfExp():
            parts = (each for each in ast.iter_child_nodes(value) if isinstance(each, ast.expr))
            inner = (_clock(each, function, followed=followed) for each in parts)
            return next((each for each in inner if each), "")
    return ""


def _changes_by(use: Use, operator: type[ast.operator]) -> bool:
    """Whether a statement adds to a number, or takes off it."""
    if use.site.op not in _COUNTS:
        return False
    match use.statement:
        case ast.AugAssign(op=op, value=ast.Constant() | ast.Name()):
            return isinstance(op, operator)
        case ast.Assign(value=value):
            return any(
                isinstance(node, ast.BinOp) and isinstance(node.op, operator) and isinstance(node.right, ast.Constant)
                for node in ast.walk(value)
            )
    return False


def _releases(use: Use, store: Store, sources: Sources) -> bool:
    """Whether a statement runs because a connection, a call or a job of this process ends."""
    if use.in_finally:
        return True
    if use.function is None:
        return False
    name = use.function.name
    if _RELEASING.search(name) or _is_behind_yield(use):
        return True
    return any(
        isinstance(call, ast.Call) and _called(call) == name
        for tree in _trees(name, store, sources)
        for node in ast.walk(tree)
        if isinstance(node, ast.Try)
        for each in node.finalbody
        for call in ast.walk(each)
    )


def _is_behind_yield(use: Use) -> bool:
    """Whether a statement stands behind the `yield` of a context manager."""
    if use.function is None or not any("contextmanager" in ast.unparse(each) for each in use.function.decorator_list):
        return False
    return any(isinstance(node, ast.Yield) and node.lineno < use.site.line for node in ast.walk(use.function))


def _empties(use: Use) -> bool:
    """Whether a statement takes all entries out, and does nothing else."""
    match use.statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="clear"), args=[])):
            return use.site.op is Op.CLEAR
        case ast.Assign(targets=[_], value=ast.Dict(keys=[]) | ast.List(elts=[])):
            return use.site.op is Op.REBIND
    return False


def _ends(use: Use, store: Store, sources: Sources) -> bool:
    """Whether a statement is run only because the process ends."""
    if use.function is None:
        return False
    if _is_behind_yield(use) and re.search(r"lifespan", use.function.name):
        return True
    return _is_run_at_end(use.function, store, sources, _DEPTH)


def _is_run_at_end(
    function: ast.FunctionDef | ast.AsyncFunctionDef, store: Store, sources: Sources, depth: int
) -> bool:
    """Whether a function is registered to be run as the process ends, and called, if at all, by such ones."""
    registered = any(_REGISTERING.search(ast.unparse(each)) for each in function.decorator_list) or any(
        re.search(r"on_event\(['\"]shutdown", ast.unparse(each)) for each in function.decorator_list
    )
    for tree in _trees(function.name, store, sources):
        for caller, call in _mentions(tree, function.name):
            if not _is_call_of(call, function.name):
                registered |= _REGISTERING.search(ast.unparse(call)) is not None
            elif caller is None or depth == 0 or not _is_run_at_end(caller, store, sources, depth - 1):
                return False
            else:
                registered = True
    return registered


def _trees(name: str, store: Store, sources: Sources) -> Iterator[ast.Module]:
    """The files of the service that have a name, tests left out."""
    for path in sources.files_with(store.service, name) or ():
        if not is_aside(path):
            try:
                yield sources.source(path, store.service).tree
            except (SyntaxError, ValueError):
                continue


def _mentions(tree: ast.Module, name: str) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef | None, ast.Call]]:
    """Calls of a function, and calls that it is handed to, each with the function around it."""
    waiting: list[tuple[ast.AST, ast.FunctionDef | ast.AsyncFunctionDef | None]] = [(tree, None)]
    while waiting:
        node, around = waiting.pop()
        if isinstance(node, ast.Call):
            given = [*node.args, *(each.value for each in node.keywords)]
            if _called(node) == name or any(_last(each) == name for each in given):
                yield around, node
        inner = node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else around
        waiting.extend((child, inner) for child in ast.iter_child_nodes(node))


def _is_call_of(call: ast.Call, name: str) -> bool:
    return _called(call) == name


def _called(call: ast.Call) -> str:
    return _last(call.func)


def _last(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
