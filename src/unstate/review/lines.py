"""A person's lines, or those that a pipe brings, without ever waiting for a pipe that says nothing."""

from __future__ import annotations

import os
import select
import sys

PATIENCE = 10.0  # seconds to wait for a line where there is no person to think about it


class Lines:
    """Lines of a file descriptor. `read` gives one without its newline; None at the end, or when nothing comes."""

    def __init__(self, descriptor: int, patience: float = PATIENCE) -> None:
        self._descriptor = descriptor
        self._patience = None if os.isatty(descriptor) else patience
        self._buffer = b""
        self._ended = False

    def read(self) -> str | None:
        while b"\n" not in self._buffer and not self._ended and self._ready():
            piece = os.read(self._descriptor, 4096)
            self._ended = not piece
            self._buffer += piece
        line, newline, rest = self._buffer.partition(b"\n")
        if not newline and not (self._ended and line):
            return None
        self._buffer = rest
        return line.decode("utf-8", "replace").rstrip("\r")

    def _ready(self) -> bool:
        if self._patience is None or sys.platform == "win32":  # there, only sockets can be waited for
            return True
        return bool(select.select([self._descriptor], [], [], self._patience)[0])
