"""Objects that a request gives attributes whose names only the running program knows: `setattr(state, name, value)`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from unstate.facts.values import DYNAMIC, Hint, Ref
from unstate.link import containers
from unstate.link.program import Program
from unstate.link.reach import Reach
from unstate.link.resolve import Resolver
from unstate.link.values import Class, Function, Instance, Made, Module, Slot
from unstate.model import Finding, Kind, Op, Scope, Shape, Site, Span, Store, Verdict
from unstate.project import is_aside


def computed(program: Program, resolver: Resolver, reach: Reach) -> list[Finding]:
    """Findings for objects of a module, classes and modules that requests write by computed names."""
    writes: dict[tuple[str, str], list[tuple[str, Ref]]] = defaultdict(list)
    for path, file in program.facts.items():
        if is_aside(path) or path not in program.connected:
            continue
        for ref in file.refs:
            function = program.function_around(path, ref.frame)
            for holder in _written(ref) if function else ():
                home = _home(program, resolver, path, ref, holder)
                if home is not None and reach.way(path, function) is not None:
                    writes[home].append((path, ref))
    return [_finding(program, reach, *home, found) for home, found in writes.items()]


def _written(ref: Ref) -> Iterator[Hint]:
    """What a reference gives an attribute of a computed name; () for the module itself."""
    if ref.path == ("setattr", "()") and len(ref.arguments[0]) == 3 and ref.flags & DYNAMIC:
        yield ref.arguments[0][0].hint
    elif ref.use in ("target", "augment") and ref.path[:3] == ("globals", "()", "[]"):
        yield ()
    elif ref.use in ("target", "augment") and ref.path[-2:] == ("__dict__", "[]"):
        yield ref.path[:-2]
    elif ref.use in ("target", "augment") and ref.path == ("vars", "()", "[]") and ref.arguments[0]:
        yield ref.arguments[0][0].hint


def _home(program: Program, resolver: Resolver, path: str, ref: Ref, holder: Hint) -> tuple[str, str] | None:
    """File and name of what is written, where every request sees the same object; None elsewhere."""
    if not holder:
        return path, "globals()"
    if len(holder) != 1 or program.lookup(path, ref.frame, holder[0]) is None:
        return None
    value = resolver.resolve(path, ref.frame, holder)
    if isinstance(value, Class):
        return None if holder[0] in ("cls", "self") else (value.path, program.frame(value).qualname)
    if isinstance(value, Module):
        return value.path, "globals()"
    if isinstance(value, Slot) and value.sort == "module":
        held = resolver.settle(value)[1]
        if isinstance(held, Instance) or (isinstance(held, Made) and held.maker in containers.NAMESPACES):
            return value.path, value.name
    return None


def _finding(program: Program, reach: Reach, home: str, name: str, writes: list[tuple[str, Ref]]) -> Finding:
    path, ref = writes[0]
    module = program.module_name(home)
    sites = tuple(_site(program, *write) for write in writes)
    way = reach.way(path, program.function_around(path, ref.frame)) or ()
    steps = [f"{program.frame(step).qualname} ({step.path}:{_line(program, step, ref, path)})" for step in way]
    full = f"{name}.[*]" if name != "globals()" else "globals()[*]"
    return Finding(
        id=f"US108:.:{module}:{full}",
        rule="US108",
        kind=Kind.RECORD,
        shape=Shape.UNKNOWN,
        store=Store(
            service=".",
            module=module,
            name=full,
            path=path,
            span=sites[0].span,
            scope=Scope.MODULE,
            constructor="object",
            definition=name,
            sites=sites,
        ),
        limit=Verdict.MANUAL,
        evidence=(
            f"{path}:{ref.line}: {name} gets attributes whose names are computed",
            f"written by {' -> '.join(steps)}",
            "What one process stores, the others do not see, and a restart loses it.",
        ),
        reasons=(f"{path}:{ref.line}: no text says which names there are; keep them as entries of a dict",),
    )


def _line(program: Program, step: Function, ref: Ref, path: str) -> int:
    inside = step.path == path and step.frame == program.function_around(path, ref.frame)
    return ref.line if inside else program.frame(step).line


def _site(program: Program, path: str, ref: Ref) -> Site:
    function = program.facts[path].frames[program.function_around(path, ref.frame)]
    span = Span(line=ref.line, column=ref.column, end_line=ref.ends[-2], end_column=ref.ends[-1])
    return Site(path=path, span=span, op=Op.SETITEM, function=function.qualname, reachable=True)
