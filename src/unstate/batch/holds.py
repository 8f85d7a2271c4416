"""Settings that hold a deployment to one process, as they are written in any text: a table, not logic."""

from __future__ import annotations

import re
from collections.abc import Iterator

from unstate.batch.model import Hold

ONE_PROCESS = "one process"
ONE_INSTANCE = "one instance"
STICKY = "each user stays on one process"
ONE_AFTER_THE_OTHER = "the old process ends before the new one begins"

_ONE = r"[\"']?1[\"']?(?![\d.])"
_SERVER = r"(?:gunicorn|uvicorn|hypercorn|uwsgi|granian|sanic|fastapi|waitress)"
# A command line: the server, and anywhere after it how many processes it has.
_COMMAND = re.compile(rf"\b{_SERVER}\b.*?\s(?P<hold>(?:--workers|--processes|-w|-p)[ =]?{_ONE})(?=\s|$)", re.DOTALL)
_CONCURRENCY = re.compile(rf"\b(?P<hold>(?:WEB_CONCURRENCY|GUNICORN_WORKERS|UVICORN_WORKERS)[\"']?\s*[:=]?\s*{_ONE})")
_MAX_INSTANCES = re.compile(rf"(?P<hold>--max-instances[ =]{_ONE})(?=\s|$)")
# Files of a server's own: (end of the name, what to look for, why it holds).
_FILES: tuple[tuple[re.Pattern[str], re.Pattern[str], str], ...] = tuple(
    (re.compile(name), re.compile(f"(?m){pattern}"), reason)
    for name, pattern, reason in (
        (r"(?:^|/)gunicorn[\w.]*\.py$", rf"^(?P<hold>workers\s*=\s*{_ONE})\s*(?:#|$)", ONE_PROCESS),
        (r"(?:^|/)[\w.-]*uwsgi[\w.-]*\.ini$", rf"^\s*(?P<hold>(?:processes|workers)\s*=\s*{_ONE})\s*$", ONE_PROCESS),
        (r"(?:^|/)[\w.-]*\.conf(?:\.\w+)?$", r"^\s*(?P<hold>ip_hash|sticky(?:\s+cookie[^;]*)?)\s*;", STICKY),
        (r"(?:^|/)haproxy[\w.-]*\.cfg$", r"^\s*(?P<hold>cookie\s+\S+\s+insert|balance\s+source)\b", STICKY),
        (
            r"\.tf$",
            r"^\s*(?P<hold>desired_count\s*=\s*1|max_instance_count\s*=\s*1)\s*$",
            ONE_INSTANCE,
        ),
        (r"\.tf$", r"^\s*(?P<hold>session_affinity\s*=\s*true)\b", STICKY),
    )
)
_IN_CODE = re.compile(rf"\b(?:uvicorn|hypercorn)\.run\([^()]*(?:\([^()]*\)[^()]*)*?(?P<hold>\bworkers\s*=\s*{_ONE})")


def in_command(path: str, line: int, command: str) -> Iterator[Hold]:
    """Holds in a command line, or in what sets its environment."""
    for pattern, reason in ((_COMMAND, ONE_PROCESS), (_CONCURRENCY, ONE_PROCESS), (_MAX_INSTANCES, ONE_INSTANCE)):
        if match := pattern.search(command):
            yield Hold(path=path, line=line, text=_text(match), reason=reason)


def in_script(path: str, text: str) -> Iterator[Hold]:
    """Holds in a shell script or a Makefile: every command of it, continued lines taken together."""
    number = 1
    for command in re.split(r"(?<!\\)\n", text):
        bare = re.sub(r"(?m)^\s*#.*", "", command.replace("\\\n", " "))
        yield from in_command(path, number, bare)
        number += command.count("\n") + 1


_TARGETS = re.compile(r"(?m)(?:\brun deploy\s+|^\s*server\s+(?:\S+\s+(?=[\w-]+:))?)([\w-]+)")


def targets(text: str) -> list[str]:
    """The hosts that a proxy's file names, and the services that a script deploys."""
    return list(dict.fromkeys(_TARGETS.findall(text)))


def is_server_file(path: str) -> bool:
    """Whether a file is one in which a server or a proxy is set up."""
    return any(name.search(path) for name, _, _ in _FILES)


def in_server_file(path: str, text: str) -> Iterator[Hold]:
    """Holds in the file of a server or a proxy."""
    for name, pattern, reason in _FILES:
        if name.search(path):
            for match in pattern.finditer(text):
                yield Hold(path=path, line=_line(text, match), text=_text(match), reason=reason)


def in_code(path: str, text: str) -> Iterator[Hold]:
    """Holds where Python starts its server itself."""
    for match in _IN_CODE.finditer(text):
        yield Hold(path=path, line=_line(text, match), text=_text(match), reason=ONE_PROCESS)


def _line(text: str, match: re.Match[str]) -> int:
    return text.count("\n", 0, match.start("hold")) + 1


def _text(match: re.Match[str]) -> str:
    return " ".join(match["hold"].split())
