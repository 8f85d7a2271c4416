"""Why a change was not applied. Every error leaves the tree as it was, unless it says otherwise."""

from __future__ import annotations

from collections.abc import Sequence


class ChangeError(Exception):
    """A change that was not applied (or not taken back).

    `paths` are the files concerned, relative to the root; `exit_code` is what the command line answers with.
    """

    exit_code = 2

    def __init__(self, message: str, paths: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.paths = tuple(paths)


class StaleError(ChangeError):
    """Files are no longer what the change was made from (or, for an undo, what it left)."""

    exit_code = 4


class DirtyTreeError(ChangeError):
    """The git tree holds uncommitted work that a change would be mixed with."""


class UnsafePathError(ChangeError):
    """A path leaves the root, by its words or through a symbolic link, or names what is not a plain file."""


class ReadOnlyError(ChangeError):
    """A file or a folder is not to be written."""


class ApplyError(ChangeError):
    """The disk refused half-way; what was written before has been taken back."""


class BusyError(ChangeError):
    """Another unstate is applying a change under the same root."""


class NothingToUndoError(ChangeError):
    """No application is recorded under this root."""


def listed(paths: Sequence[str], limit: int = 10) -> str:
    """Paths one a line, indented, the tail counted."""
    shown = "".join(f"\n  {path}" for path in paths[:limit])
    return shown if len(paths) <= limit else f"{shown}\n  and {len(paths) - limit} more"
