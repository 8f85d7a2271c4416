"""The files of a repository as discovery reads them: each at most once, and none of them big."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

from unstate import project
from unstate.config import Config

_LARGEST = 1_000_000  # bytes; no manifest that a person keeps is larger


class Tree:
    """What lies below a root. Paths are relative to it, with `/`; vendored and excluded files are left out."""

    def __init__(self, root: Path, config: Config) -> None:
        self.root = root
        listed = project.tracked(root)
        found = [path for path in (listed if listed is not None else _walk(root)) if not project.is_foreign(path)]
        if config.exclude:
            import pathspec

            excluded = pathspec.PathSpec.from_lines("gitignore", config.exclude)
            found = [path for path in found if not excluded.match_file(path)]
        self.files = tuple(sorted(found))
        self._set = frozenset(self.files)
        self._texts: dict[str, str] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._set

    @cached_property
    def python(self) -> tuple[str, ...]:
        """The Python files, in order."""
        return tuple(path for path in self.files if path.endswith((".py", ".pyw")))

    @cached_property
    def folders(self) -> frozenset[str]:
        """Folders that have Python files at any depth, "." included."""
        found: set[str] = set()
        for path in self.python:
            folder = folder_of(path)
            while folder not in found:
                found.add(folder)
                folder = folder_of(folder)
        return frozenset(found)

    def bytes(self, path: str) -> bytes:
        """The content of a file; empty where it cannot be read or is too large to be written by a person."""
        try:
            with open(os.path.join(self.root, path), "rb") as stream:  # noqa: PTH118, PTH123 (a Path costs more)
                content = stream.read(_LARGEST + 1)
        except OSError:
            return b""
        return content if len(content) <= _LARGEST else b""

    def text(self, path: str) -> str:
        """The content of a file as text; what is no UTF-8 is replaced."""
        if path not in self._texts:
            self._texts[path] = self.bytes(path).decode(errors="replace").removeprefix("\ufeff")
        return self._texts[path]


def join(folder: str, path: str) -> str:
    """`path` as seen from `folder`, relative to the root; "" where it leads out of the root."""
    joined = os.path.normpath(f"{folder}/{path}").replace(os.sep, "/")
    return "" if joined.startswith(("..", "/")) else joined


def folder_of(path: str) -> str:
    """The folder of a file or folder, "." at the root."""
    return path.rpartition("/")[0] or "."


def is_below(path: str, folder: str) -> bool:
    """Whether a file or folder is `folder` itself or lies in it."""
    return folder == "." or path == folder or path.startswith(f"{folder}/")


def deepest(path: str, roots: frozenset[str] | set[str]) -> str | None:
    """The innermost of `roots` that holds the file or folder `path`, None where none does."""
    while True:
        if path in roots:
            return path
        if path == ".":
            return None
        path = folder_of(path)


def is_test_folder(folder: str) -> bool:
    """Whether a folder holds tests, documentation or samples of them: what is in it is never deployed."""
    return project.is_aside(f"{folder}/_.py") or any(
        part in _TESTS or part.startswith((".dev", "tests_")) or part.endswith(("_tests", "-tests"))
        for part in folder.split("/")
    )


_TESTS = frozenset("e2e unittests fixtures testdata __tests__".split())


def _walk(root: Path) -> list[str]:
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not project.is_foreign(f"{name}/_")]
        found += [(Path(folder) / name).relative_to(root).as_posix() for name in names]
    return found
