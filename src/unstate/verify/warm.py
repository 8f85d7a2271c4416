"""Processes of an app that start quickly: forked from one that has imported the app's libraries, and not the app.

A process is what it would be without: it imports the app from its own copy, with its own environment and folder.
What forked processes share is what their parent chose at random when it started, the order of sets above all. So there
are several parents, and processes that meet have different ones.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import select
import socket
import subprocess
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from unstate.children import Child, Folder

NURSERY = Path(__file__).with_name("nursery.py")
PARENTS = 3
SECONDS = 60.0  # for one answer; the first one waits for the imports
KEPT = 6  # sets of libraries whose parents are kept
# What takes long to import and does nothing else, by the name that an app imports it by.
LIBRARIES: Mapping[str, Sequence[str]] = {
    "flask": ("flask",),
    "fastapi": ("fastapi", "pydantic", "uvicorn", "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto"),
    "starlette": ("starlette.applications", "uvicorn", "uvicorn.protocols.http.auto"),
    "pydantic": ("pydantic",),
    "pydantic_settings": ("pydantic_settings",),
    "django": ("django.http", "django.urls", "django.core.handlers.wsgi"),
    "aiohttp": ("aiohttp.web",),
    "tornado": ("tornado.web", "tornado.httpserver"),
    "sqlalchemy": ("sqlalchemy",),
    "redis": ("redis", "redis.asyncio"),
    "boto3": ("boto3",),
}
# Imported with any framework: an app and its migration have the same parents.
SERVICES = frozenset({"redis", "boto3"})
# They change what is imported after them.
_FIRST = re.compile(rb"^[ \t]*(?:import|from)[ \t]+(?:gevent|eventlet)\b", re.MULTILINE)
_IMPORT = re.compile(rb"^[ \t]*(?:import|from)[ \t]+(\w+)", re.MULTILINE)


class _Forked:
    """A process that a nursery has made."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self.pid = pid
        self._nursery = nursery
        self._end = os.pidfd_open(pid)
        self._poll = select.poll()
        self._poll.register(self._end, select.POLLIN)
        self._lock = threading.Lock()
        self._returncode: int | None = None

    def poll(self) -> int | None:
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return code

    def _ended(self, seconds: float | None) -> int | None:
        if self._returncode is None and self._poll.poll(None if seconds is None else seconds * 1000):
            with self._lock:
                if self._returncode is None:
                    self._returncode = self._nursery.reap(self.pid)
        return self._returncode

    def __del__(self) -> None:
        os.close(self._end)


class Nursery:
    """One parent. Raises OSError where it does not answer any more."""

    def __init__(self, python: str, modules: Iterable[str]) -> None:
        self._folder = Folder("nursery")
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(SECONDS)
        self._lock = threading.Lock()
        with theirs:
            self._child = Child(
                [python, str(NURSERY), str(theirs.fileno()), *modules],
                log=Path(self._folder.name) / "log",
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"},
                pass_fds=[theirs.fileno()],
            )

    def fork(self, spec: Mapping[str, Any], *, log: Path, cwd: Path, env: Mapping[str, str], ready: int) -> Child:
        """A process that serves what `spec` describes, see serve.py. `ready` is inherited."""
        with log.open("ab") as out:
            pid = self._ask({"cwd": str(cwd), "env": dict(env), "spec": dict(spec)}, out.fileno(), ready)
        return Child.adopted(_Forked(self, pid), log)

    def reap(self, pid: int) -> int:
        """The return code of a process that has ended."""
        try:
            return self._ask({"reap": pid})
        except OSError:  # the parent is gone, and the system's own has reaped it
            return -1

    def _ask(self, order: Mapping[str, Any], *descriptors: int) -> int:
        with self._lock:
            socket.send_fds(self._control, [json.dumps(order).encode()], list(descriptors))
            answer = self._control.recv(64)
        if not answer:
            raise ConnectionResetError("the nursery has ended")
        return int(answer)

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):
            self._control.close()
            self._child.kill()


_LOCK = threading.Lock()
_KNOWN: OrderedDict[tuple[int, str, tuple[str, ...]], Iterator[Nursery]] = OrderedDict()


def nursery(python: str, root: Path, paths: Iterable[str], env: Mapping[str, str]) -> Nursery | None:
    """The parent whose turn it is for the app at `root`; None where its processes have to start by themselves.

    `paths` are the folders below `root` that it imports from, `env` the variables that it sets.
    """
    if not hasattr(os, "pidfd_open") or any(name.startswith("PYTHON") for name in env):
        return None
    modules = imported(root, paths)
    if modules is None:
        return None
    key = (os.getpid(), python, modules)
    with _LOCK:
        if key not in _KNOWN:
            # A parent that is out of use ends when its last process does: nobody can speak to it any more.
            _KNOWN[key] = itertools.cycle([Nursery(python, modules) for _ in range(PARENTS)])
            if len(_KNOWN) > KEPT:
                _KNOWN.popitem(last=False)
        _KNOWN.move_to_end(key)
        return next(_KNOWN[key])


def imported(root: Path, paths: Iterable[str]) -> tuple[str, ...] | None:
    """The modules that may be there before the app is; None for an app that has to come first."""
    names: set[str] = set()
    for file in sorted(root.rglob("*.py")):
        with contextlib.suppress(OSError):
            text = file.read_bytes()
            if _FIRST.search(text):
                return None
            names.update(name.decode() for name in _IMPORT.findall(text))
    places = [root / path for path in paths]
    own = {name for name in LIBRARIES for at in places if (at / name).is_dir() or (at / f"{name}.py").exists()}
    wanted = (LIBRARIES.keys() & names) - own
    if wanted:
        wanted |= SERVICES - own
    if "fastapi" in wanted:
        wanted.discard("starlette")
    return tuple(dict.fromkeys(module for name in LIBRARIES if name in wanted for module in LIBRARIES[name]))
