"""Small trees to change, and a way to look at all of one."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Tree = dict[str, tuple[bytes, int]]


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


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree outside git."""
    root = tmp_path / "tree"
    (root / "pkg").mkdir(parents=True)
    (root / "app.py").write_bytes(b"one\r\ntwo")
    (root / "pkg" / "run.py").write_bytes(b"#!/usr/bin/env python\nold\n")
    (root / "pkg" / "run.py").chmod(0o750)
    (root / "gone.py").write_bytes(b"to be removed\n")
    (root / "notes.txt").write_bytes(b"not ours\n")
    return root


@pytest.fixture
def repository(tree: Path) -> Path:
    """The same tree, committed."""
    git(tree, "init", "-q")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "base")
    return tree


@pytest.fixture
def look() -> Callable[[Path], Tree]:
    return snapshot
