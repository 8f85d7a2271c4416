"""Small trees to change."""

from __future__ import annotations

from pathlib import Path

import pytest
from trees import git


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
