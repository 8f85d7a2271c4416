"""What an application is about to do, written down before it does it.

Under `root/.unstate/applied/` each application has a numbered folder with the old contents and a journal. The folder
ignores itself in git. `.unstate` and everything in it is ours alone; a link in its place is refused.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import msgspec

from unstate.changes import disk
from unstate.changes.errors import BusyError, ChangeError, ReadOnlyError, UnsafePathError
from unstate.changes.paths import OURS
from unstate.model import Value

JOURNAL = "journal.json"


class State(StrEnum):
    """How far an application has come."""

    STAGING = "staging"  # new contents are being written beside their targets; no target has been touched
    APPLYING = "applying"  # targets are being replaced
    ROLLING_BACK = "rolling back"
    APPLIED = "applied"
    SET_ASIDE = "set aside"  # given up by a recovery, because of what a user had changed since


class Entry(Value, frozen=True):
    """One file of an application. Paths are relative to the root, links followed; a content is named by its sha256."""

    path: str
    before: str | None
    after: str | None
    mode: int | None  # permission bits of the old file
    temporary: str  # the new content before it is in place


class Journal(Value, frozen=True):
    """One application of a change."""

    state: State
    entries: tuple[Entry, ...]
    folders: tuple[str, ...] = ()  # made for new files, outermost first
    undoes: str = ""  # number of the application that this one takes back
    schema: str = "unstate.journal/1"


def digest(content: bytes | None) -> str | None:
    """The name of a content; None for a file that is not there."""
    return None if content is None else hashlib.sha256(content).hexdigest()


def read(path: Path) -> bytes | None:
    """The bytes of a file; None where there is none."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def applications(root: Path) -> list[Path]:
    """The folders of all recorded applications, oldest first. Reads only."""
    _own_folder(root)
    return sorted(path for path in (root / OURS / "applied").glob("[0-9]*") if path.is_dir() and not path.is_symlink())


def load(folder: Path) -> Journal | None:
    """The journal in an application's folder; None where the application never came to write it."""
    content = read(folder / JOURNAL)
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=Journal)
    except msgspec.DecodeError as error:
        raise ChangeError(f"{folder / JOURNAL} is damaged ({error}). Move it away to go on.") from error


def save(folder: Path, journal: Journal) -> None:
    """Write an application's journal, at once and down to the disk."""
    draft = folder / f"{JOURNAL}.new"
    disk.remove(draft)
    disk.write(draft, msgspec.json.encode(journal))
    disk.replace(draft, folder / JOURNAL)
    disk.sync(folder)


def new_folder(root: Path) -> Path:
    """Make the folder of the next application."""
    shelf = root / OURS / "applied"
    disk.make_folder(shelf)
    taken = applications(root)
    folder = shelf / f"{int(taken[-1].name) + 1 if taken else 1:06d}"
    disk.make_folder(folder)
    return folder


@contextlib.contextmanager
def locked(root: Path) -> Iterator[None]:
    """Hold the root for one application at a time. The lock goes with the process, however that ends."""
    with (home(root) / "lock").open("wb") as stream:
        if sys.platform != "win32":
            import fcntl

            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BusyError(
                    f"Another unstate is applying a change under {root}. Try again when it is done."
                ) from error
        yield


def home(root: Path) -> Path:
    """Our folder below `root`, made if it is missing; git never shows it."""
    folder = _own_folder(root)
    try:
        disk.make_folder(folder)
        if not (folder / ".gitignore").exists():
            draft = folder / f".gitignore.{os.getpid()}"
            disk.remove(draft)
            disk.write(draft, b"*\n")
            disk.replace(draft, folder / ".gitignore")
    except OSError as error:
        raise ReadOnlyError(f"{folder} cannot be made; unstate keeps its journal there ({error}).") from error
    return folder


def _own_folder(root: Path) -> Path:
    home = root / OURS
    for path in (home, home / "applied", home / "lock"):
        if path.is_symlink():
            raise UnsafePathError(
                f"{path} is a symbolic link; unstate keeps its journal in a folder of its own.", [OURS]
            )
    return home
