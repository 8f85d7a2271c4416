"""git, asked as a program. The user's checkout, index and configuration are never written."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from unstate.batch.errors import BatchError

# What a hook or an outer git may have set would send a command to another repository or index.
_FOREIGN = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")


class GitError(BatchError):
    """git refused. The text has the command and git's own words."""


def run(root: Path, *arguments: str, given: bytes | None = None) -> bytes:
    """What a git command prints. Raises GitError."""
    environment = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(
            command,
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            env=environment,
        )
    except FileNotFoundError:
        raise GitError("git is not installed, or not on the PATH") from None
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip()
        raise GitError(f"git {' '.join(arguments[:3])} in {root}: {words or f'exit code {done.returncode}'}")
    return done.stdout


def text(root: Path, *arguments: str) -> str:
    """The same as text, without the final newline."""
    return os.fsdecode(run(root, *arguments)).rstrip("\n")


def commit(root: Path, name: str = "HEAD") -> str:
    """The full id of a commit. Raises GitError."""
    return text(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")


def is_repository(root: Path) -> bool:
    """Whether `root` is the top of a git work tree with a commit."""
    try:
        top = text(root, "rev-parse", "--show-toplevel")
        return Path(top).resolve() == root.resolve() and bool(commit(root))
    except GitError:
        return False


def changed(root: Path) -> list[str]:
    """Paths that differ from HEAD, new files among them, ignored ones not."""
    fields = run(root, "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all").split(b"\0")
    return [os.fsdecode(field[3:]) for field in fields if field]
