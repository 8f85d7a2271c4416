"""Is there uncommitted work that a change would be mixed with?

What counts: changes to tracked files anywhere under the root, and files that we would rewrite but git does not hold.
Other untracked files are in nobody's way.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from unstate.changes.errors import DirtyTreeError, listed
from unstate.model import FileChange

ADVICE = (
    "Commit or stash them first, so that the change can be reviewed (and taken back) by itself, or pass --allow-dirty."
)


def check_clean(root: Path, changes: Sequence[FileChange]) -> None:
    """Raise DirtyTreeError where the tree at `root` is in git and not clean. A tree outside git passes."""
    if not _in_git(root):
        return
    git = shutil.which("git")
    if git is None:
        raise DirtyTreeError(
            f"{root} is in a git repository, but git was not found to tell whether it is clean. {ADVICE}"
        )
    modified = _modified(git, root)
    if modified:
        raise DirtyTreeError(
            f"Uncommitted changes under {root}:{listed(modified)}\nNothing was changed. {ADVICE}", modified
        )
    existing = [change.path for change in changes if change.before is not None]
    held = (
        set(_run(git, root, "ls-files", "-z", "--", *(f":(literal){path}" for path in existing))) if existing else set()
    )
    unheld = [path for path in existing if path not in held]
    if unheld:
        raise DirtyTreeError(
            f"Files that git does not hold yet:{listed(unheld)}\nNothing was changed. {ADVICE}", unheld
        )


def _in_git(root: Path) -> bool:
    base = root.resolve()
    return any((folder / ".git").exists() for folder in (base, *base.parents))


def _modified(git: str, root: Path) -> list[str]:
    """Tracked files under the root with changes, staged or not, relative to the root."""
    prefix = "".join(_run(git, root, "rev-parse", "--show-prefix")).rstrip("\n")
    fields = iter(_run(git, root, "status", "--porcelain=v1", "-z", "--untracked-files=no", "--", "."))
    paths = []
    for field in fields:
        paths.append(field[3:].removeprefix(prefix))
        if "R" in field[:2] or "C" in field[:2]:
            next(fields, None)  # the name it had before
    return sorted(paths)


def _run(git: str, root: Path, *arguments: str) -> list[str]:
    """A git command's answer, cut at NUL. The repository's configuration gets no say in what is run."""
    command = [git, "-c", "core.fsmonitor=false", "-C", str(root), *arguments]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, check=False, env=environment, stdin=subprocess.DEVNULL)
    if done.returncode:
        said = os.fsdecode(done.stderr).strip()
        raise DirtyTreeError(f"git could not tell whether {root} is clean: {said}\nNothing was changed. {ADVICE}")
    return [field for field in os.fsdecode(done.stdout).split("\0") if field]
