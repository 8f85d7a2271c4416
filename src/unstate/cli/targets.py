"""The paths of a command line, done one after the other: what fails in one never stops the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from unstate.changes.errors import ChangeError
from unstate.cli.console import UserError, warn
from unstate.codemods import CodemodError
from unstate.config import ConfigError

CLEAN, FINDINGS, FAILED, PARTLY = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Target:
    """One PATH: `root` is the folder that is looked at, `file` the one file meant, relative to it."""

    given: Path
    root: Path
    file: str | None = None


def resolve(path: Path) -> Target:
    """The target of a path; a file's root is its folder. Raises UserError."""
    if path.is_dir():
        return Target(given=path, root=path)
    if path.is_file():
        return Target(given=path, root=path.parent, file=path.name)
    raise UserError(f"{path}: no such file or folder" if not path.exists() else f"{path}: neither a file nor a folder")


def each(paths: Sequence[Path], run: Callable[[Target], int]) -> int:
    """Run `run`, which answers with 0 or 1, for every path; the exit code of all of them.

    One path that fails gives its own code; one of several gives 3, after the rest is done.
    """
    codes: list[int] = []
    failures: list[int] = []
    for path in dict.fromkeys(paths):
        try:
            codes.append(run(resolve(path)))
        except (UserError, ConfigError, CodemodError, ChangeError) as error:
            warn(str(error))
            failures.append(getattr(error, "exit_code", FAILED))
        except OSError as error:
            warn(f"{error.filename or path}: {error.strerror or error}")
            failures.append(FAILED)
    if failures:
        return PARTLY if codes else max(failures)
    return max(codes, default=CLEAN)
