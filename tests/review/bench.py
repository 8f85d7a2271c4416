"""A plan of four changes over two files, rendered by hand, for reviews without an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from unstate.model import (
    Decision,
    FileChange,
    Finding,
    Group,
    Kind,
    Op,
    Plan,
    Refusal,
    Scope,
    Shape,
    Site,
    Span,
    Store,
    Verdict,
)
from unstate.review import Bench

BASE = {
    "app.py": b"sessions = {}\nhits = 0\nlast = None\n\nprint('app')\n",
    "files.py": "# coding: latin-1\nuploads = {}  # caf\xe9 [bold]\r\nblobs = {}\r\n".encode("latin-1"),
}
LINES = {  # group -> file, line, what it becomes
    "sessions": ("app.py", b"sessions = {}\n", b"sessions = redis('session', ttl=%s)\n"),
    "hits": ("app.py", b"hits = 0\n", b"hits = redis_counter('hits')\n"),
    "uploads": ("files.py", b"uploads = {}", b"uploads = s3('uploads')"),
    "blobs": ("files.py", b"blobs = {}", b"blobs = s3('blobs')"),
}
TTL = Decision(name="ttl", question="How long may a session live?", default="24h", why="Nothing in the code says.")
CODEC = Decision(name="codec", question="How is a value written?", default="json", choices=("json", "str"))


def group(
    name: str, verdict: Verdict = Verdict.REVIEW, needs: tuple[str, ...] = (), decisions: tuple[Decision, ...] = ()
) -> Group:
    path = LINES.get(name, ("live.py",))[0]
    span = Span(line=1, column=0, end_line=1, end_column=8)
    store = Store(
        service=".",
        module="app",
        name=name,
        path=path,
        span=span,
        scope=Scope.MODULE,
        constructor="dict",
        definition="{}",
        sites=(Site(path=path, span=span, op=Op.DEFINE),),
    )
    finding = Finding(
        id=f"US101:.:app:{name}",
        rule="US101",
        kind=Kind.SESSION,
        shape=Shape.STR,
        store=store,
        evidence=(f"{name} is written by a handler.",),
    )
    refusals = (Refusal(path=path, line=1, reason="A socket stays."),) if verdict is Verdict.MANUAL else ()
    return Group(
        id=finding.id,
        finding=finding,
        verdict=verdict,
        files=(path,),
        needs=needs,
        decisions=decisions,
        refusals=refusals,
    )


GROUPS = (
    group("sessions", decisions=(TTL,)),
    group("hits", Verdict.EXACT),
    group("uploads", needs=("US101:.:app:blobs",), decisions=(CODEC,)),
    group("blobs"),
    group("sockets", Verdict.MANUAL),
)
IDS = {each.finding.store.name: each.id for each in GROUPS}


def plan(answers: Mapping[str, Mapping[str, str]]) -> Plan:
    for given in answers.values():
        if not given.get("ttl", "1h")[:-1].isdecimal():
            raise ValueError(f'"{given["ttl"]}" is no duration')
    return Plan(
        groups=tuple(
            msgspec.structs.replace(each, answers=tuple(sorted(answers.get(each.id, {}).items()))) for each in GROUPS
        )
    )


def render(plan: Plan, ids: Sequence[str]) -> list[FileChange]:
    after = dict(BASE)
    for each in plan.groups:
        if each.id in ids:
            path, old, new = LINES[each.finding.store.name]
            ttl = dict(each.answers).get("ttl", "24h").encode()
            after[path] = after[path].replace(old, new % ttl if b"%s" in new else new)
    changes = [FileChange(path, BASE[path], after[path]) for path in BASE if after[path] != BASE[path]]
    return [*changes, FileChange("backing_services.py", None, b"redis = ...\ns3 = ...\n")] if changes else []


BENCH = Bench(plan=plan, render=render)
