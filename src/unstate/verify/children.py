"""Starting the servers of a check, and waiting for them."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from unstate.children import Child
from unstate.verify.errors import CannotVerifyError


def start(
    command: Sequence[str],
    *,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> Child:
    """A running child process. Raises CannotVerifyError."""
    try:
        return Child(command, log=log, cwd=cwd, env=env, pass_fds=pass_fds)
    except OSError as error:
        raise CannotVerifyError(f"cannot start {command[0]}: {error.strerror or error}") from error


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens on, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def listening(port: int) -> bool:
    """Whether somebody accepts connections on this loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), 0.5).close()
    except OSError:
        return False
    return True


def wait_until(ready: Callable[[], bool], child: Child, what: str, seconds: float) -> None:
    """Return once `ready()` holds; a child that ends, or takes longer than `seconds`, is an error with its output."""
    end = time.monotonic() + seconds
    while not ready():
        if child.returncode is not None:
            raise CannotVerifyError(f"{what} ended with status {child.returncode} before it answered\n{child.output()}")
        if time.monotonic() > end:
            raise CannotVerifyError(f"{what} did not answer within {seconds:g} s\n{child.output()}")
        time.sleep(0.01)
