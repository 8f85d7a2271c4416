"""The processes of an app: each on loopback with its own copy of the working tree and its own temporary folder.

As far as an app can tell, each is a machine of its own: what one keeps in memory or on disk, no other sees.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unstate.children import Child, Folder
from unstate.verify.children import free_ports, listening, start, wait_until
from unstate.verify.errors import CannotVerifyError
from unstate.verify.shared import Shared, check_shared
from unstate.verify.warm import nursery

SERVE = Path(__file__).with_name("serve.py")
PROBE = Path(__file__).with_name("probe.py")
BOOT_SECONDS = 60.0
IMPORT_STRING = re.compile(r"\s*[\w.]+:[\w.]+\s*(\(.*\))?\s*", re.DOTALL)
# Never part of an app's state, and often larger than the app.
NOT_COPIED = {".git", ".hg", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".tox"}


@dataclass(frozen=True)
class App:
    """How to run an app.

    `run` is an import string (`app:app`, `app:create_app("test")`), `manage.py`, or a command with `{port}`; `module`
    names a plain module instead, whose functions are called. `paths` are folders below `root` to import from. `shared`
    are files and folders below `root` that stand for a backing service: all processes have the same one.
    """

    root: Path
    run: str = ""
    module: str = ""
    python: str = sys.executable
    paths: tuple[str, ...] = (".", "src")
    env: Mapping[str, str] = field(default_factory=dict)
    provides: Mapping[str, str] = field(default_factory=dict)
    shared: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_shared(self.shared)
        if not self.root.is_dir():
            raise CannotVerifyError(f"{self.root} is no folder")
        if self.is_command and "{port}" not in self.run:
            raise CannotVerifyError(
                f"the command {self.run!r} has no {{port}}: several processes run at a time, each on its own port"
            )

    @property
    def is_command(self) -> bool:
        """Whether `run` is a command line."""
        return "{port}" in self.run or (" " in self.run.strip() and not IMPORT_STRING.fullmatch(self.run))

    @property
    def name(self) -> str:
        """What a report calls it."""
        return self.run or self.module


@dataclass
class Machine:
    """One process of an app, with the folder that is its disk."""

    name: str
    command: str  # what was started, for messages
    disk: Path
    child: Child
    ready_pipe: int | None
    port: int = 0

    def wait_ready(self) -> Machine:
        """Return once it answers. Raises `CannotVerifyError` with its output where it does not."""
        if self.ready_pipe is None:
            try:
                wait_until(self._listens, self.child, f"the app ({self.command})", BOOT_SECONDS)
            except CannotVerifyError as error:
                hint = "\nDoes the command take its port from {port}? Each process has its own."
                raise CannotVerifyError(f"{error}{hint if 'in use' in str(error) else ''}") from error
            return self
        if self.port:
            return self
        readable, _, _ = select.select([self.ready_pipe], [], [], BOOT_SECONDS)
        line = os.read(self.ready_pipe, 64) if readable else b""
        self._close_pipe()
        if not readable:
            raise CannotVerifyError(
                f"the app ({self.command}) did not start within {BOOT_SECONDS:g} s\n{self.child.output()}"
            )
        if not line:
            self.child.wait(5)
            raise CannotVerifyError(f"the app ({self.command}) does not start:\n{self.child.output()}")
        self.port = int(line)
        return self

    def _listens(self) -> bool:
        return self.child.returncode is None and listening(self.port)

    @property
    def label(self) -> str:
        """What a report calls it: name and process id."""
        return f"{self.name} (pid {self.child.pid})"

    def kill(self) -> None:
        """SIGKILL, and its disk gone with it."""
        self.child.kill()
        self._close_pipe()
        shutil.rmtree(self.disk, ignore_errors=True)

    def stop(self, seconds: float = 10) -> None:
        """SIGTERM as an orchestrator does it: time to finish what is under way, then SIGKILL."""
        self.child.signal(signal.SIGTERM)
        self.child.wait(seconds)
        self.kill()

    def _close_pipe(self) -> None:
        if self.ready_pipe is not None and self.ready_pipe >= 0:
            os.close(self.ready_pipe)
            self.ready_pipe = -1


class Fleet:
    """The processes of one app on one set of backing services; all end with the block."""

    def __init__(self, app: App, env: Mapping[str, str], *, probe: bool = False) -> None:
        self.app = app
        self._env = dict(env)
        self._probe = probe
        self._machines: list[Machine] = []
        self._started = 0
        self._folder = Folder("verify")
        self.shared = Shared(app.root, app.shared, Path(self._folder.name) / "shared")

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill_all()
        self._folder.cleanup()

    def kill_all(self) -> None:
        """SIGKILL to every process."""
        while self._machines:
            self._machines.pop().kill()

    def kill(self, machine: Machine) -> None:
        """SIGKILL to one process."""
        self._machines.remove(machine)
        machine.kill()

    def stop(self, machine: Machine) -> None:
        """SIGTERM to one process, then SIGKILL."""
        self._machines.remove(machine)
        machine.stop()

    def boot(self, count: int) -> list[Machine]:
        """`count` processes that answer, started at the same time."""
        machines = [self.start() for _ in range(count)]
        return [machine.wait_ready() for machine in machines]

    def start(self) -> Machine:
        """A process that may not answer yet: see `Machine.wait_ready`."""
        self._started += 1
        disk = Path(self._folder.name) / f"machine{self._started}"
        tree, temporary = disk / "app", disk / "tmp"
        shutil.copytree(self.app.root, tree, symlinks=True, ignore=_ignored)
        self.shared.link(tree)
        temporary.mkdir()
        env = {
            **os.environ,
            **self._env,
            **{name: str(temporary) for name in ("TMPDIR", "TEMP", "TMP")},
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            **self.app.env,
        }
        name = f"process {self._started}"
        machine = (
            self._start_command(name, disk, tree, env) if self.app.is_command else self._serve(name, disk, tree, env)
        )
        self._machines.append(machine)
        if self.shared and self._started == 1:  # the first one makes the tables, as a deployment's migration does
            machine.wait_ready()
        return machine

    def _start_command(self, name: str, disk: Path, tree: Path, env: dict[str, str]) -> Machine:
        port = free_ports(1)[0]
        command = [part.replace("{port}", str(port)) for part in shlex.split(self.app.run)]
        env["PORT"] = str(port)
        return Machine(name, self.app.name, disk, start(command, log=disk / "log", cwd=tree, env=env), None, port)

    def _serve(self, name: str, disk: Path, tree: Path, env: dict[str, str]) -> Machine:
        read, write = os.pipe()
        spec = {
            "app": self.app.run,
            "module": self.app.module,
            "paths": [str((tree / path).resolve()) for path in self.app.paths if (tree / path).is_dir()],
            "origin": str(self.app.root.resolve()),
            "provides": dict(self.app.provides),
            "ready": write,
            "probe": str(PROBE) if self._probe else "",
        }
        try:
            child = self._forked(spec, disk / "log", tree, env, write) or start(
                [self.app.python, str(SERVE), json.dumps(spec)],
                log=disk / "log",
                cwd=tree,
                env=env,
                pass_fds=[write],
            )
        except CannotVerifyError:
            os.close(read)
            raise
        finally:
            os.close(write)
        return Machine(name, self.app.name, disk, child, read)

    def _forked(
        self, spec: Mapping[str, Any], log: Path, tree: Path, env: Mapping[str, str], ready: int
    ) -> Child | None:
        """A process that has a quick start; None where there is none to have."""
        with contextlib.suppress(OSError):
            parent = nursery(self.app.python, self.app.root, self.app.paths, self.app.env)
            return None if parent is None else parent.fork(spec, log=log, cwd=tree, env=env, ready=ready)
        return None


def _ignored(folder: str, names: list[str]) -> set[str]:
    """What a working copy leaves out: caches, history, virtual environments, sockets."""
    base = Path(folder)
    return {
        name
        for name in names
        if name in NOT_COPIED
        or (base / name / "pyvenv.cfg").exists()
        or (base / name).is_socket()
        or (base / name).is_fifo()
    }


def checkout(spec: str, app_root: Path, into: Path) -> Path:
    """The tree that `spec` names: a folder, or `git:REV`, this folder at another revision, laid out below `into`."""
    if not spec.startswith("git:"):
        return Path(spec)
    revision = spec.removeprefix("git:")
    top = _git(["rev-parse", "--show-prefix"], app_root, f"{app_root} is in no git repository").decode().strip()
    tree = f"{revision}:{top.rstrip('/')}" if top else revision
    archive = _git(["archive", "--format=tar", tree], app_root, f"git knows no {tree!r}")
    into.mkdir(parents=True, exist_ok=True)
    subprocess.run(["tar", "-x", "-C", str(into)], input=archive, check=True)
    return into


def _git(arguments: list[str], folder: Path, problem: str) -> bytes:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=True)
    except FileNotFoundError as error:
        raise CannotVerifyError(f"{problem}: there is no git, or no such folder") from error
    except subprocess.CalledProcessError as error:
        raise CannotVerifyError(f"{problem}: {error.stderr.decode(errors='replace').strip()}") from error
    return done.stdout
