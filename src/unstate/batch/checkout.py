"""A part of a repository at one commit, in a temporary folder that shares nothing but objects with the original.

A `git worktree` would leave its mark in the user's repository (and a sparse one in its configuration); a repository of
its own that borrows the objects does not, and needs no copy of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from unstate.batch import git
from unstate.children import Folder


@contextmanager
def of(repository: str, commit: str, folders: Sequence[str]) -> Iterator[Path]:
    """The files below some folders at a commit, with those that stand beside their parents, as the root of a work tree.

    `repository` is a folder on this machine, or an address that `git fetch` takes. Raises GitError.
    """
    with Folder("checkout") as temporary:
        root = Path(temporary).resolve() / "repository"
        git.run(Path(temporary), "init", "--quiet", str(root))
        if Path(repository).is_dir():
            objects = git.text(Path(repository), "rev-parse", "--path-format=absolute", "--git-path", "objects")
            borrowed = root / ".git" / "objects" / "info" / "alternates"
            borrowed.write_bytes(os.fsencode(objects) + b"\n")
        else:
            git.run(root, "fetch", "--quiet", "--depth=1", "--filter=blob:none", repository, commit)
            git.run(root, "config", "remote.origin.url", repository)
            git.run(root, "config", "remote.origin.promisor", "true")
        if "." not in folders:
            git.run(root, "sparse-checkout", "set", "--cone", "--sparse-index", *folders)
        git.run(root, "-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", commit)
        yield root
