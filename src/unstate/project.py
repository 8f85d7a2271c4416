"""Which files are looked at, and which module a name in an import statement means."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from unstate.config import Config

# Folders that hold other people's code or what tools made.
_FOREIGN = frozenset(
    (
        "site-packages dist-packages node_modules .git .hg .svn .tox .nox venv .venv env .env virtualenv"
        " __pycache__ .mypy_cache .ruff_cache .pytest_cache .eggs build dist vendor vendored _vendor"
        " third_party thirdparty bower_components .ipynb_checkpoints"
    ).split()
)
# Folders whose code never serves a request.
_ASIDE = frozenset("tests test testing docs doc migrations benchmarks".split())


def files(root: Path, config: Config) -> list[str]:
    """The Python files below `root` (a folder, or one file), relative to it with `/`, in order.

    Inside a git work tree what git tracks or would track; elsewhere what a walk finds. Foreign code is left out.
    """
    if root.is_file():
        return [root.name]
    listed = _git_files(root)
    found = [path for path in (listed if listed is not None else _walk(root)) if not is_foreign(path)]
    if config.exclude:
        import pathspec

        excluded = pathspec.PathSpec.from_lines("gitignore", config.exclude)
        found = [path for path in found if not excluded.match_file(path)]
    return sorted(found)


def is_foreign(path: str) -> bool:
    """Whether a file is vendored, installed or generated."""
    return not _FOREIGN.isdisjoint(path.split("/")[:-1])


def is_aside(path: str) -> bool:
    """Whether a file is a test, a fixture, documentation or a migration: it never serves a request."""
    *folders, name = path.split("/")
    if not _ASIDE.isdisjoint(folders):
        return True
    stem = name.removesuffix(".py")
    return (
        stem.startswith("test_")
        or stem.endswith(("_test", "_tests"))
        or stem in ("conftest", "test", "tests", "setup", "noxfile")
    )


def _git_files(root: Path) -> list[str] | None:
    command = ["git", "-C", str(root), "ls-files", "-coz", "--exclude-standard", "--deduplicate", "--", "*.py", "*.pyw"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    paths = [os.fsdecode(raw) for raw in done.stdout.split(b"\0") if raw]
    return [path for path in paths if (root / path).is_file()]


def _walk(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _FOREIGN]
        for name in names:
            if name.endswith((".py", ".pyw")):
                yield (Path(folder) / name).relative_to(root).as_posix()


class Modules:
    """Finds the file that an import means, without knowing sys.path: the nearest folder upwards that has it."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._files = set(paths)
        self._folders = {str(parent) for path in self._files for parent in PurePosixPath(path).parents}
        self._found: dict[tuple[str, str], str | None] = {}
        self._bases: dict[str, dict[str, int]] = {}  # file -> folder its absolute imports start from -> how often

    def relative(self, importer: str, level: int, module: str) -> str | None:
        """The file of `from ..module import`, None if it is not in the project."""
        folder = PurePosixPath(importer).parent
        for _ in range(level - 1):
            folder = folder.parent
        return self._at(folder, module)

    def absolute(self, importer: str, module: str) -> str | None:
        """The file of `import module`, None if it is not in the project."""
        folder = str(PurePosixPath(importer).parent)
        key = (folder, module)
        if key not in self._found:
            self._found[key] = self._search(folder, module)
        return self._found[key]

    def name(self, path: str) -> str:
        """The dotted name by which the service imports the file."""
        base = self._import_base(path)
        place = PurePosixPath(path)
        parts = place.relative_to(base).with_suffix("").parts if base != "." else place.with_suffix("").parts
        if parts[-1] == "__init__" and len(parts) > 1:
            parts = parts[:-1]
        return ".".join(parts)

    def _import_base(self, path: str) -> str:
        counts = self._bases.get(path)
        if counts:
            return max(counts, key=lambda base: (counts[base], -len(base)))
        folder = PurePosixPath(path).parent
        while str(folder) != "." and str(folder / "__init__.py") in self._files:
            folder = folder.parent
        return str(folder)

    def _search(self, folder: str, module: str) -> str | None:
        here = PurePosixPath(folder)
        for base in (here, *here.parents):
            for start in (base, base / "src"):
                found = self._at(start, module)
                if found is not None:
                    self._bases.setdefault(found, {}).setdefault(str(start), 0)
                    self._bases[found][str(start)] += 1
                    return found
        return None

    def _at(self, folder: PurePosixPath, module: str) -> str | None:
        target = folder.joinpath(*module.split(".")) if module else folder
        for candidate in (f"{target}.py", str(target / "__init__.py")):
            if candidate in self._files:
                return candidate
        if module and str(target) in self._folders and str(target) != ".":
            return f"{target}/"  # a package without __init__.py
        return None
