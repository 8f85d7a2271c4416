"""The few ways in which an application touches the disk. Each is one step that may be the last before a crash."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path


def write(path: Path, content: bytes, mode: int | None = None) -> None:
    """Write a file that must not exist yet, down to the disk. `mode` None: as the umask has it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        if mode is not None:
            path.chmod(mode)
        os.fsync(stream.fileno())


def own(path: Path, like: Path) -> None:
    """Give a file the owner of another where we may (as root): a replaced file keeps its owner."""
    if not hasattr(os, "chown"):
        return
    theirs, ours = like.stat(), path.stat()
    if (theirs.st_uid, theirs.st_gid) != (ours.st_uid, ours.st_gid):
        with contextlib.suppress(PermissionError):
            os.chown(path, theirs.st_uid, theirs.st_gid)


def replace(source: Path, target: Path) -> None:
    """Put `source` in the place of `target`, at once."""
    source.replace(target)


def remove(path: Path) -> None:
    """Remove a file; one that is gone is fine."""
    path.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Make one folder; one that exists is fine."""
    path.mkdir(exist_ok=True)


def remove_folder(path: Path) -> None:
    """Remove a folder if it is empty; else leave it."""
    with contextlib.suppress(OSError):
        path.rmdir()


def remove_tree(path: Path) -> None:
    """Remove a folder of ours with all that is in it."""
    shutil.rmtree(path, ignore_errors=True)


def sync(folder: Path) -> None:
    """Bring a folder's names down to the disk, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
