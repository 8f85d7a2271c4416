"""Secrets that every process makes for itself: what one signs or hands out, another rejects."""

from __future__ import annotations

import re
from collections.abc import Iterator

from unstate.facts.values import CLASS, MAIN, Ref
from unstate.link.program import Program
from unstate.link.stores import Candidates
from unstate.link.values import Slot
from unstate.model import Finding, Kind, Op, Scope, Shape, Site, Span, Store, Verdict
from unstate.project import is_aside

_NAME = re.compile(
    r"secret|(^|_)(jwt|signing|session|cookie|fernet|encryption|csrf|admin|auth)_?(key|token)|salt|pepper", re.I
)
_RANDOM = re.compile(
    r"urandom\(|secrets\.(token|choice|rand)|token_(hex|bytes|urlsafe)\(|uuid[14]\(|generate_key\(|getrandbits\("
    r"|get_random_secret_key\(|random_string\(|SystemRandom\(|random\.choices?\("
)
_SHARED = re.compile(
    r"environ|getenv|env\(|config\(|settings\.|read_text|open\("
)  # a random one is only the last resort


def per_process(program: Program, candidates: Candidates) -> list[Finding]:
    """Findings for secrets that the web program makes at random while it starts."""
    found = []
    for path, file in program.facts.items():
        if is_aside(path) or path not in program.connected:
            continue
        for ref in file.refs:
            if ref.use != "target" or not _RANDOM.search(ref.source) or _SHARED.search(ref.source):
                continue
            if _NAME.search(_name(ref)) and _is_start(program, path, ref):
                found.append(_finding(program, candidates, path, ref))
    return found


def _name(ref: Ref) -> str:
    last = ref.path[-1]
    return last[2:-2] if last.startswith("['") else last


def _is_start(program: Program, path: str, ref: Ref) -> bool:
    """Whether it is set for the whole process: at module or class level, or on the app or a class."""
    frames = program.facts[path].frames
    if ref.flags & MAIN and program.is_imported(path):
        return False
    if not ref.frame or frames[ref.frame].sort == CLASS:
        return True
    if ref.path[0] in frames[ref.frame].globals:
        return True
    return len(ref.path) > 1 and (ref.path[-2] in ("app", "application", "config") or ref.path[0][:1].isupper())


def _finding(program: Program, candidates: Candidates, path: str, ref: Ref) -> Finding:
    line, column, end_line, end_column = ref.statement
    name = ".".join(ref.path).replace(".[", "[")
    frame = program.facts[path].frames[ref.frame]
    if frame.sort == CLASS:
        name = f"{frame.qualname}.{name}"
    module = program.module_name(path)
    store = Store(
        service=".",
        module=module,
        name=name,
        path=path,
        span=Span(line=line, column=column, end_line=end_line, end_column=end_column),
        scope=Scope.APP if len(ref.path) > 1 else Scope.CLASS if frame.sort == CLASS else Scope.MODULE,
        constructor="str",
        definition=ref.source,
        sites=tuple(_sites(program, candidates, path, ref)),
    )
    place = f"{path}:{line}"
    return Finding(
        id=f"US501:.:{module}:{name}",
        rule="US501",
        kind=Kind.SECRET,
        shape=Shape.STR,
        store=store,
        limit=Verdict.MANUAL,
        evidence=(
            f"{place}: {name} = {ref.source}",
            "made anew whenever a process starts",
            "Each process makes its own: what one signs, another rejects, and a restart ends every session.",
        ),
        reasons=(
            f"{place}: a secret belongs in the environment, the same for every process; Redis is no place for it",
        ),
    )


def _sites(program: Program, candidates: Candidates, path: str, ref: Ref) -> Iterator[Site]:
    from unstate.link.stores import site

    known = candidates.found.get(Slot("module", path, 0, ref.path[0])) if len(ref.path) == 1 else None
    if known is not None:
        yield from (site(program, touch, False) for touch in known.touches)
        return
    span = Span(line=ref.line, column=ref.column, end_line=ref.ends[-2], end_column=ref.ends[-1])
    function = program.facts[path].frames[program.function_around(path, ref.frame)]
    yield Site(path=path, span=span, op=Op.DEFINE, function=function.qualname)
