"""A change over a small tree, and a way to look at all of one."""

from __future__ import annotations

import subprocess
from pathlib import Path

from unstate.model import FileChange

Tree = dict[str, tuple[bytes, int]]

CHANGES = (
    FileChange("app.py", b"one\r\ntwo", b"one\r\nTWO"),
    FileChange("pkg/run.py", b"#!/usr/bin/env python\nold\n", b"#!/usr/bin/env python\nnew\n"),
    FileChange("gone.py", b"to be removed\n", None),
    FileChange("new/deep/backing.py", None, b"made\n"),
)


def snapshot(root: Path) -> Tree:
    """Every file below `root` but for git's and ours: path → (content, mode)."""
    return {
        path.relative_to(root).as_posix(): (path.read_bytes(), path.stat().st_mode & 0o777)
        for path in sorted(root.rglob("*"))
        if path.is_file() and not {".git", ".unstate"} & set(path.relative_to(root).parts)
    }


def git(root: Path, *arguments: str) -> str:
    """Run git in `root`; what it said."""
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout
