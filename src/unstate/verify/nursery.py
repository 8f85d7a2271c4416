"""Forks processes that serve an app and have the libraries that it imports already: run as a script, by the app's own
interpreter.

Its arguments are the file descriptor of a socket and the modules to import. Over the socket come orders, one JSON
object a message: either a process to fork, `{"cwd", "env", "spec"}`, with the file descriptors of its log and of its
`ready` pipe, answered with its id; or `{"reap": ID}`, for one that has ended, answered with its return code. It ends
with the socket. The standard library alone, and no code of the app: each process imports that itself.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import socket
import sys
import tempfile
import threading
from typing import Any

MESSAGE = 1 << 20  # bytes, the most that an order may have


def main() -> dict[str, Any]:
    """Follow orders; in each forked process, what it is to serve. Ends the process where the socket ends."""
    control = socket.socket(fileno=int(sys.argv[1]))
    scripts, sys.path[:1] = sys.path[0], []  # a library may have a module of the same name as one of ours
    for name in sys.argv[2:]:
        with contextlib.suppress(Exception):  # not there, or broken: the app will say so itself
            importlib.import_module(name)
    sys.path.insert(0, scripts)
    importlib.import_module("serve")  # beside this file
    if threading.active_count() > 1:
        sys.exit("a library has started a thread, which a fork would lose")
    gc.collect()
    gc.freeze()
    while True:
        text, descriptors, _, _ = socket.recv_fds(control, MESSAGE, 2)
        if not text:
            sys.exit()
        order = json.loads(text)
        if "reap" in order:
            _, status = os.waitpid(order["reap"], 0)
            control.send(str(os.waitstatus_to_exitcode(status)).encode())
            continue
        pid = os.fork()
        if pid == 0:
            control.close()
            return _born(order, *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        control.send(str(pid).encode())


def _born(order: dict[str, Any], log: int, ready: int) -> dict[str, Any]:
    """Make the forked process one of its own: session, output, folder, environment."""
    os.setsid()
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    tempfile.tempdir = None  # each process has a temporary folder of its own
    return {**order["spec"], "ready": ready}


if __name__ == "__main__":
    spec = main()
    sys.modules["serve"].run(spec)
