"""Where a change may write: plain files below the root, also after every symbolic link has been followed."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from unstate.changes.errors import ReadOnlyError, UnsafePathError

OURS = ".unstate"  # the journal's folder, below the root
RESERVED = frozenset({".git", OURS})


def locate(root: Path, path: str) -> Path:
    """The file that a change of `path` would write, links followed. It need not exist.

    Raises UnsafePathError where that is not a plain file (or a free name) below `root`.
    """
    pure = PurePosixPath(path)
    if not pure.parts or pure.is_absolute() or ".." in pure.parts or "\0" in path or Path(path).is_absolute():
        raise UnsafePathError(f"{path!r} is not a path below the root. Nothing was changed.", [path])
    base = root.resolve()
    try:
        target = (base / pure).resolve()
    except (OSError, RuntimeError) as error:
        raise UnsafePathError(
            f"{path}: a symbolic link that leads nowhere ({error}). Nothing was changed.", [path]
        ) from error
    if not target.is_relative_to(base):
        message = f"{path} leads out of {root} through a symbolic link, to {target}. Nothing was changed."
        raise UnsafePathError(f"{message} Run unstate on the folder that the file is in.", [path])
    if RESERVED.intersection(target.relative_to(base).parts) or RESERVED.intersection(pure.parts):
        raise UnsafePathError(f"{path} is inside a folder that is not source. Nothing was changed.", [path])
    if target.exists() and not target.is_file():
        raise UnsafePathError(f"{path} is not a plain file. Nothing was changed.", [path])
    return target


def check_writable(path: str, target: Path) -> None:
    """Raise ReadOnlyError where the file, or the folder it is (or will be) in, is not to be written.

    A file's write bits say what its owner wants. They count for root too, who could write regardless.
    """
    if target.exists() and not target.stat().st_mode & 0o222:
        raise ReadOnlyError(
            f"{path} is read-only. Nothing was changed. Make it writable (chmod u+w) and run again.", [path]
        )
    folder = nearest_folder(target)
    if not folder.is_dir():
        raise UnsafePathError(f"{path}: {folder} is not a folder. Nothing was changed.", [path])
    if not folder.stat().st_mode & 0o222 or not os.access(folder, os.W_OK | os.X_OK):
        raise ReadOnlyError(f"{path}: the folder {folder} is read-only. Nothing was changed.", [path])


def nearest_folder(target: Path) -> Path:
    """The closest existing thing above `target`; a folder, in a sane tree."""
    return next(parent for parent in target.parents if parent.exists())


def missing_folders(target: Path) -> list[Path]:
    """The folders above `target` that do not exist, outermost first."""
    return [parent for parent in target.parents if not parent.exists()][::-1]
