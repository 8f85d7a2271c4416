"""Child processes and folders that go with us, whatever happens: a guard knows of each."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

GUARD = Path(__file__).with_name("guard.py")


class _Guard:
    """The one guard of this process, started with the first child."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._owner = 0

    def tell(self, change: str, what: int | str) -> None:
        """`+` or `-`, and the id of a process group or a folder's path.

        A guard belongs to the process that started it, not to its forks.
        """
        with self._lock:
            if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
                self._owner = os.getpid()
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(GUARD)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    start_new_session=True,
                )
            assert self._process.stdin is not None
            if self._process.stdin.closed:  # at the interpreter's end, where the guard takes everything away by itself
                return
            self._process.stdin.write(f"{change}{json.dumps(what)}\n")
            self._process.stdin.flush()


_GUARD = _Guard()


class Folder(tempfile.TemporaryDirectory[str]):
    """A new temporary folder, `unstate-PURPOSE-…`, deleted with the block or with this process."""

    def __init__(self, purpose: str) -> None:
        super().__init__(prefix=f"unstate-{purpose}-", ignore_cleanup_errors=True)
        _GUARD.tell("+", self.name)

    def cleanup(self) -> None:
        """Delete it now."""
        super().cleanup()
        _GUARD.tell("-", self.name)


class Process(Protocol):
    """A process that somebody started in a process group of its own: what is needed to follow it."""

    @property
    def pid(self) -> int:
        """Its id, which is its group's too."""

    def poll(self) -> int | None:
        """Its return code, None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Its return code, once it has ended. Raises `subprocess.TimeoutExpired` after `timeout` seconds."""


class Child:
    """A running child process, with what it wrote.

    `log` receives standard output and standard error. `pass_fds` are inherited as they are. Raises OSError where the
    command cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        with log.open("ab") as out:
            process = subprocess.Popen(
                tuple(command),
                cwd=cwd,
                env=dict(os.environ if env is None else env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                pass_fds=tuple(pass_fds),
                start_new_session=True,
            )
        self._follow(process, log)

    @classmethod
    def adopted(cls, process: Process, log: Path) -> Child:
        """A process that another child has made for us, and that writes to `log`."""
        child = cls.__new__(cls)
        child._follow(process, log)
        return child

    def _follow(self, process: Process, log: Path) -> None:
        self._process = process
        self.log = log
        _GUARD.tell("+", process.pid)

    @property
    def pid(self) -> int:
        """The child's process id, which is its group's too."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def signal(self, number: int) -> None:
        """Send a signal to the whole group; a group that has ended is left alone."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def kill(self) -> None:
        """SIGKILL to the whole group, grandchildren included; returns once the child is gone."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        _GUARD.tell("-", self.pid)

    def wait(self, timeout: float) -> bool:
        """Whether it ended within `timeout` seconds."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def output(self, lines: int = 15) -> str:
        """The last lines that it wrote."""
        try:
            text = self.log.read_text(encoding="utf-8", errors="replace")
        except OSError:  # its folder is gone, and it with it
            text = ""
        return "\n".join(text.rstrip().splitlines()[-lines:])
