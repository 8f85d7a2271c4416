"""Functions whose answers a decorator keeps, though they ask a database, a service or a model."""

from __future__ import annotations

from unstate.classify import memos
from unstate.facts.values import FUNCTION, Frame
from unstate.link.program import Program
from unstate.link.reach import Reach
from unstate.link.values import Function
from unstate.model import Finding, Kind, Op, Scope, Shape, Site, Span, Store, Verdict
from unstate.project import is_aside

_DECORATORS = frozenset(
    "lru_cache cache cached alru_cache ttl_cache cachedmethod async_lru memoize timed_lru_cache".split()
)
_SHARED = frozenset({"cache", "redis", "fcache", "flask_cache"})  # objects whose `cached` is a shared cache by itself


def kept_answers(program: Program, reach: Reach) -> list[Finding]:
    """Findings for functions with parameters that ask somebody and keep the answer in the process."""
    found = []
    for path, file in program.facts.items():
        if is_aside(path) or path not in program.connected:
            continue
        for index, frame in enumerate(file.frames):
            if frame.sort == FUNCTION and _is_kept(program, path, frame) and memos.asks(program, path, index):
                way = reach.way(path, index)
                if way is not None:
                    found.append(_finding(program, path, frame, way))
    return found


def _is_kept(program: Program, path: str, frame: Frame) -> bool:
    parameters = [parameter for parameter in frame.parameters if parameter.name not in ("self", "cls")]
    return bool(parameters) and any(
        decorator[-2 if decorator[-1] == "()" else -1] in _DECORATORS
        and not (len(decorator) > (2 if decorator[-1] == "()" else 1) and decorator[0] in _SHARED)
        for decorator in frame.decorators
    )


def _finding(program: Program, path: str, frame: Frame, way: tuple[Function, ...]) -> Finding:
    module = program.module_name(path)
    span = Span(line=frame.line, column=0, end_line=frame.line, end_column=0)
    steps = [f"{program.frame(step).qualname} ({step.path}:{program.frame(step).line})" for step in way]
    store = Store(
        service=".",
        module=module,
        name=frame.qualname,
        path=path,
        span=span,
        scope=Scope.FUNCTION,
        constructor="functools.lru_cache",
        definition=".".join(frame.decorators[0]).replace(".()", "()"),
        sites=(Site(path=path, span=span, op=Op.DEFINE, function=frame.qualname),),
    )
    return Finding(
        id=f"US107:.:{module}:{frame.qualname}",
        rule="US107",
        kind=Kind.CACHE,
        shape=Shape.UNKNOWN,
        store=store,
        limit=Verdict.MANUAL,
        evidence=(
            f"{path}:{frame.line}: {frame.qualname} keeps its answers, and asks for them outside of the process",
            f"filled by {' -> '.join(steps)}",
            "Each process keeps answers of its own, and none learns that they are out of date.",
        ),
        reasons=(f"{path}:{frame.line}: a decorator keeps the answers; a shared cache with an expiry takes its place",),
    )
