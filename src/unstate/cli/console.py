"""What goes to the terminal: results on stdout, everything else on stderr, source always verbatim."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 1.0  # seconds before a person is told that work is going on


class UserError(Exception):
    """Something that the user has to put right. The text says what is wrong, where, and what to do."""

    exit_code = 2


def out(text: str | bytes) -> None:
    """Write a result to stdout, byte for byte. A reader that has seen enough (`| head`) is no error."""
    data = text.encode(errors="surrogateescape") if isinstance(text, str) else text
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def note(text: str) -> None:
    """Tell the person, on stderr."""
    print(text, file=sys.stderr, flush=True)


def warn(text: str) -> None:
    """Tell the person that something is wrong, on stderr."""
    note(f"unstate: {text}")


def colours(stream: object = None) -> bool:
    """Whether stdout (or `stream`) shows colours: a terminal, and neither NO_COLOR nor TERM=dumb."""
    stream = sys.stdout if stream is None else stream
    terminal = getattr(stream, "isatty", lambda: False)()
    return bool(terminal) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width(limit: int = 100) -> int | None:
    """Columns to wrap prose at: those of the terminal, `limit` at most; None where stdout is no terminal."""
    return min(shutil.get_terminal_size().columns, limit) if sys.stdout.isatty() else None


@contextmanager
def working(message: str) -> Iterator[None]:
    """Show `message` with a spinner on stderr while the block runs, on a terminal, once it takes long."""
    if not colours(sys.stderr):
        yield
        return
    done = threading.Event()

    def spin() -> None:
        if done.wait(PATIENCE):
            return
        from rich.console import Console
        from rich.text import Text

        with Console(stderr=True).status(Text(message)):
            done.wait()

    spinner = threading.Thread(target=spin, daemon=True)
    spinner.start()
    try:
        yield
    finally:
        done.set()
        spinner.join()
