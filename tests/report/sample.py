"""A plan made by hand: two stores that meet in one file, one that stays, and one in a file of its own."""

from __future__ import annotations

from pathlib import Path

from unstate.model import (
    Decision,
    Diagnostic,
    FileChange,
    Finding,
    Group,
    Kind,
    Layout,
    Op,
    Plan,
    Refusal,
    Scan,
    Scope,
    Shape,
    Site,
    Span,
    Store,
    Verdict,
)

TTL = Decision(
    name="ttl",
    question="How long may a session live?",
    default="24h",
    choices=("24h", "7d", "none"),
    why="Nothing in the code says when a session ends; 24 hours is what most frameworks take.",
)
CODEC = Decision(name="codec", question="How is a value written?", default="json", choices=("json", "str"))

APP = b"""import os
sessions = {}
hits = 0


def login(user, token):
    global hits
    hits += 1
    sessions[token] = user  # caf\xc3\xa9


def whoami(token):
    return sessions.get(token)
"""
APP_AFTER = b"""import os
from datetime import timedelta
from backing_services import redis_client
SESSION_TTL = timedelta(hours=24)


def login(user, token):
    redis_client.incr("hits")
    redis_client.set(f"session:{token}", user, ex=SESSION_TTL)  # caf\xc3\xa9


def whoami(token):
    return redis_client.get(f"session:{token}")
"""
UPLOADS = b"uploads = {}\r\n\r\ndef put(k, v):\r\n    uploads[k] = v"
UPLOADS_AFTER = b"from backing_services import s3\r\n\r\ndef put(k, v):\r\n    s3.put_object(Bucket=B, Key=k, Body=v)"


def site(path: str, line: int, op: Op, function: str = "") -> Site:
    return Site(path=path, span=Span(line=line, column=4, end_line=line, end_column=12), op=op, function=function)


def finding(
    name: str,
    path: str,
    line: int,
    kind: Kind,
    *sites: Site,
    rule: str = "US101",
    service: str = ".",
    limit: Verdict = Verdict.EXACT,
    scope: Scope = Scope.MODULE,
    evidence: tuple[str, ...] = (),
    reasons: tuple[str, ...] = (),
    decisions: tuple[Decision, ...] = (),
) -> Finding:
    module = path.removesuffix(".py").replace("/", ".")
    store = Store(
        service=service,
        module=module,
        name=name,
        path=path,
        span=Span(line=line, column=0, end_line=line, end_column=10),
        scope=scope,
        constructor="dict",
        definition="{}",
        sites=(site(path, line, Op.DEFINE), *sites),
    )
    return Finding(
        id=f"{rule}:{service}:{module}:{name}",
        rule=rule,
        kind=kind,
        shape=Shape.STR,
        store=store,
        limit=limit,
        evidence=evidence,
        reasons=reasons,
        decisions=decisions,
    )


SESSIONS = finding(
    "sessions",
    "app.py",
    2,
    Kind.SESSION,
    site("app.py", 9, Op.SETITEM, "login"),
    site("app.py", 13, Op.GET, "whoami"),
    limit=Verdict.REVIEW,
    evidence=(
        "login writes sessions[token] (app.py:9), and POST /login calls it.",
        "A second process knows none of the logins of the first: whoami answers None on every other request.",
    ),
    decisions=(TTL,),
)
HITS = finding(
    "hits",
    "app.py",
    3,
    Kind.COUNTER,
    site("app.py", 8, Op.AUGITEM, "login"),
    rule="US105",
    evidence=("login adds to hits (app.py:8); each process counts for itself.",),
)
UPLOAD = finding(
    "uploads",
    "files/store.py",
    1,
    Kind.UPLOAD,
    site("files/store.py", 4, Op.SETITEM, "put"),
    rule="US201",
    limit=Verdict.REVIEW,
    evidence=("put keeps what it is given (files/store.py:4).",),
    decisions=(CODEC,),
)
SOCKETS = finding(
    "Hub.sockets",
    "live.py",
    7,
    Kind.CONNECTION_REGISTRY,
    site("live.py", 11, Op.ADD, "Hub.join"),
    rule="US401",
    limit=Verdict.MANUAL,
    scope=Scope.INSTANCE,
    evidence=("Hub.join keeps each websocket (live.py:11).",),
    reasons=("live.py:11: holds a websocket, which cannot leave its process; publish through Redis instead.",),
)

SCAN = Scan(
    findings=(SESSIONS, HITS, UPLOAD, SOCKETS),
    diagnostics=(Diagnostic(path="legacy.py", line=3, message="invalid syntax: the file was not read"),),
)

GROUPS = (
    Group(
        id=SESSIONS.id,
        finding=SESSIONS,
        verdict=Verdict.REVIEW,
        layout=Layout.STRING,
        codec="str",
        prefix="session",
        ttl_seconds=86400,
        differences=("A session ends 24 hours after it was written; the dict kept it until the process ended.",),
        decisions=(TTL,),
        files=("app.py",),
        requires=("redis>=6",),
    ),
    Group(
        id=HITS.id,
        finding=HITS,
        verdict=Verdict.EXACT,
        layout=Layout.COUNTER,
        files=("app.py",),
        requires=("redis>=6",),
    ),
    Group(
        id=UPLOAD.id,
        finding=UPLOAD,
        verdict=Verdict.REVIEW,
        layout=Layout.S3,
        differences=("A missing bucket is an error at the first request.",),
        decisions=(CODEC,),
        files=("files/store.py",),
        requires=("boto3>=1.34",),
    ),
    Group(
        id=SOCKETS.id,
        finding=SOCKETS,
        verdict=Verdict.MANUAL,
        refusals=(
            Refusal(path="live.py", line=11, reason="a websocket cannot be stored", advice="publish to a channel"),
        ),
    ),
)
PLAN = Plan(groups=GROUPS, diagnostics=SCAN.diagnostics)
ACCEPTED = tuple(group.id for group in GROUPS if group.verdict is not Verdict.MANUAL)
CHANGES = (
    FileChange("app.py", APP, APP_AFTER),
    FileChange("files/store.py", UPLOADS, UPLOADS_AFTER),
    FileChange("backing_services.py", None, b"redis_client = ...\n"),
)


def lay_out(root: Path) -> Path:
    """The files before the change, under `root`."""
    for change in CHANGES:
        if change.before is not None:
            (root / change.path).parent.mkdir(parents=True, exist_ok=True)
            (root / change.path).write_bytes(change.before)
    return root
