"""Which files are looked at, and which module a name in an import statement means."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from unstate.config import Config

# Folders that hold other people's code or what tools made.
_FOREIGN = frozenset(
    (
        "site-packages dist-packages node_modules .git .hg .svn .tox .nox venv .venv env .env virtualenv"
        " __pycache__ .mypy_cache .ruff_cache .pytest_cache .eggs build dist vendor vendored _vendor"
        " third_party thirdparty bower_components .ipynb_checkpoints"
    ).split()
)
# Files that stand at the root of a service or a distribution.
_MANIFESTS = frozenset("pyproject.toml setup.py setup.cfg Pipfile Dockerfile manage.py Procfile app.yaml".split())
# Folders whose code never serves a request.
_ASIDE = frozenset("tests test testing docs doc migrations benchmarks".split())


class Listing(NamedTuple):
    """What lies below a root: Python files, and the folders that have a manifest, all relative to it with `/`."""

    files: tuple[str, ...]
    manifests: tuple[str, ...]  # "." for the root itself
    packaged: bool  # the root itself is a distribution: a library, not a bare script


def listing(root: Path, config: Config, within: Sequence[str] = ()) -> Listing:
    """The Python files below `root` (a folder, or one file), in order, and what tells services apart.

    Inside a git work tree what git tracks or would track; elsewhere what a walk finds. Foreign code is left out.
    `within`: folders below the root, where only these are meant.
    """
    if root.is_file():
        return Listing((root.name,), (".",), False)
    patterns = ["*.py", "*.pyw", *(f"*{name}" for name in sorted(_MANIFESTS)), "*requirements*"]
    listed = tracked(root, _below(within, patterns))
    walked = listed if listed is not None else (path for part in within or (".",) for path in _walk(root, part))
    found = [path for path in dict.fromkeys(walked) if not is_foreign(path)]
    if config.exclude:
        import pathspec

        excluded = pathspec.PathSpec.from_lines("gitignore", config.exclude)
        found = [path for path in found if not excluded.match_file(path)]
    python = sorted(path for path in found if path.endswith((".py", ".pyw")))
    manifests = {_folder(path) or "." for path in found if _is_manifest(path.rpartition("/")[2])}
    return Listing(tuple(python), tuple(sorted(manifests)), is_packaged(root))


def files(root: Path, config: Config) -> list[str]:
    """The Python files below `root`, in order."""
    return list(listing(root, config).files)


def services(found: Listing, config: Config) -> dict[str, str]:
    """The service that each file belongs to, by its root: "." or a folder.

    Those that the settings name come first; else the nearest folder upwards that has a manifest.
    """
    named = {PurePosixPath(service.root).as_posix() for service in config.service if not service.library}
    libraries = {PurePosixPath(service.root).as_posix() for service in config.service if service.library}
    homes = {
        root: root for root in (named or set(found.manifests)) | libraries | {"."}
    }  # of folders, filled on the way

    def home(folder: str) -> str:
        if folder not in homes:
            homes[folder] = home(_folder(folder) or ".")
        return homes[folder]

    return {path: home(_folder(path) or ".") for path in found.files}


def _is_manifest(name: str) -> bool:
    return name in _MANIFESTS or (name.startswith("requirements") and name.endswith((".txt", ".in")))


def is_packaged(root: Path) -> bool:
    """Whether a folder is the root of a distribution, by its manifest."""
    if (root / "setup.py").is_file():
        return True
    try:
        return b"[build-system]" in (root / "pyproject.toml").read_bytes()
    except OSError:
        return False


def is_foreign(path: str) -> bool:
    """Whether a file is vendored, installed or generated."""
    return not _FOREIGN.isdisjoint(path.split("/")[:-1])


@lru_cache(maxsize=100_000)
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


def tracked(root: Path, patterns: Iterable[str] = ()) -> list[str] | None:
    """The files below `root` that git tracks or would track, of some name patterns; None outside a work tree."""
    command = ["git", "-C", str(root), "ls-files", "-coz", "--exclude-standard", "--deduplicate", "--", *patterns]
    try:
        done = subprocess.run(command, capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    top = str(root)
    paths = [os.fsdecode(raw) for raw in done.stdout.split(b"\0") if raw]
    return [path for path in paths if os.path.lexists(f"{top}/{path}")]  # not what was deleted and is tracked still


def _below(within: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """Patterns of git for the same names below some folders only."""
    if not within or "." in within:
        return list(patterns)
    literal = {ord(character): f"\\{character}" for character in "\\*?["}
    return [f"{folder.translate(literal)}/{pattern}" for folder in within for pattern in patterns]


def _walk(root: Path, part: str) -> Iterator[str]:
    top = str(root)
    for folder, folders, names in os.walk(top if part == "." else f"{top}/{part}"):
        folders[:] = [name for name in folders if name not in _FOREIGN]
        inner = folder[len(top) :].replace(os.sep, "/").strip("/")
        for name in names:
            if name.endswith((".py", ".pyw")) or _is_manifest(name):
                yield f"{inner}/{name}" if inner else name


class Modules:
    """Finds the file that an import means, without knowing sys.path: the nearest folder upwards that has it."""

    def __init__(self, paths: Iterable[str], libraries: Sequence[str] = ()) -> None:
        """`libraries`: roots that may be installed beside what stands elsewhere, and are looked in last."""
        self._libraries = tuple(start for root in libraries for start in (root, f"{root}/src"))
        self._files = frozenset(paths)
        folders = {_folder(path) for path in self._files}
        around = folders
        while around:
            around = {_folder(folder) for folder in around} - folders
            folders |= around
        self._folders = frozenset(folders)
        self._found: dict[tuple[str, str], str | None] = {}
        self._bases: dict[str, dict[str, int]] = {}  # file -> folder its absolute imports start from -> how often

    def anew(self) -> Modules:
        """The same files for another program: what imports of this one told of their names is left behind."""
        other = copy(self)
        other._found, other._bases = {}, {}
        return other

    def relative(self, importer: str, level: int, module: str) -> str | None:
        """The file of `from ..module import`, None if it is not in the project."""
        folder = importer
        for _ in range(level):
            folder = _folder(folder)
        return self._at(folder, module)

    def absolute(self, importer: str, module: str) -> str | None:
        """The file of `import module`, None if it is not in the project."""
        folder = _folder(importer)
        key = (folder, module)
        if key not in self._found:
            self._found[key] = self._search(folder, module)
        return self._found[key]

    def targets(self, importer: str, level: int, module: str, name: str) -> list[str]:
        """The files that an import statement loads: the module, a submodule that it names, and the packages around."""
        if level:
            base = self.relative(importer, level, module)
            inner = self.relative(importer, level, f"{module}.{name}".strip(".")) if name else None
        else:
            base = self.absolute(importer, module)
            inner = self.absolute(importer, f"{module}.{name}") if base is not None and name else None
        found = []
        for target in (base, inner):
            if target is not None:
                found.append(target)
                parts = target.split("/")[:-1]
                found += ["/".join([*parts[:end], "__init__.py"]) for end in range(1, len(parts) + 1)]
        return found

    def name(self, path: str) -> str:
        """The dotted name by which the service imports the file."""
        base = self._import_base(path)
        place = PurePosixPath(path)
        parts = place.relative_to(base).with_suffix("").parts
        if parts[-1] == "__init__" and len(parts) > 1:
            parts = parts[:-1]
        return ".".join(parts)

    def _import_base(self, path: str) -> str:
        counts = self._bases.get(path)
        if counts:
            return max(counts, key=lambda base: (counts[base], -len(base)))
        folder = _folder(path)
        while folder and f"{folder}/__init__.py" in self._files:
            folder = _folder(folder)
        return folder

    def _search(self, folder: str, module: str) -> str | None:
        for start in self._starts(folder):
            found = self._at(start, module)
            if found is not None:
                counts = self._bases.setdefault(found, {})
                counts[start] = counts.get(start, 0) + 1
                return found
        return None

    def _starts(self, folder: str) -> Iterator[str]:
        """The folders in which absolute imports from a folder are looked up, in order."""
        while True:
            yield folder
            yield f"{folder}/src" if folder else "src"
            if not folder:
                break
            folder = _folder(folder)
        yield from self._libraries

    def _at(self, folder: str, module: str) -> str | None:
        inner = module.replace(".", "/")
        target = f"{folder}/{inner}" if folder and inner else folder or inner
        for candidate in (f"{target}.py", f"{target}/__init__.py" if target else "__init__.py"):
            if candidate in self._files:
                return candidate
        if module and target in self._folders:
            return f"{target}/"  # a package without __init__.py
        return None


def _folder(path: str) -> str:
    """The folder of a file or folder; "" is the root, and its own folder."""
    return path.rpartition("/")[0]
