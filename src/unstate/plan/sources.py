"""The files of a root as a plan reads them: bytes, trees, and the names that modules take from each other."""

from __future__ import annotations

import ast
import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from libcst import ParserSyntaxError

from unstate.rewrite import Binding, Rewritten, Source, rewrite_source
from unstate.rewrite.syntax import walk

_FROM = re.compile(rb"^[ \t]*from[ \t]+([\w.]+)[ \t]+import[ \t]*(\([^)]*\)|[^\n#]*)", re.MULTILINE)
_MEMBER = re.compile(rb"\b(\w+)\.(\w+)")
_TAKEN_FROM = re.compile(rb"^[ \t]*from[ \t]+[\w.]+", re.MULTILINE)
_NAME = re.compile(rb"(\w+)(?:\s+as\s+\w+)?\s*(?:,|$|\)|\n)")
_FEW, _SHORT = 12, 400_000  # files and bytes that are read to follow one name through a service
_SETTINGS = ("pyproject.toml", "ruff.toml", ".ruff.toml", "setup.cfg", ".flake8", "tox.ini")
_LENGTH = re.compile(rb"^(?:line[-_]length|max[-_]line[-_]length)\s*=\s*(\d{2,3})\b", re.MULTILINE)
_NOT_OURS = frozenset({"node_modules", "site-packages", "venv", "__pycache__"})


class Sources:
    """Reads each file once, and rewrites it once for the same stores: those that plan and render share one of these."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._bytes: dict[str, bytes] = {}
        self._sources: dict[str, Source] = {}
        self._exports: dict[str, dict[str, set[str]]] = {}
        self._files: dict[str, tuple[str, ...]] = {}
        self._mentions: dict[tuple[str, bytes], bool] = {}
        self._words: dict[tuple[str, str], tuple[str, ...]] = {}
        self._modules: dict[str, frozenset[str]] = {}
        self._rewritten: dict[tuple[str, tuple[Binding, ...], str], Rewritten] = {}
        self._lengths: dict[PurePosixPath, int] = {}

    def read(self, path: str) -> bytes:
        """The bytes of a file, path relative to the root."""
        if path not in self._bytes:
            self._bytes[path] = (self.root / path).read_bytes()
        return self._bytes[path]

    def digest(self, path: str) -> str:
        """The SHA-256 of a file's bytes, in hexadecimal."""
        return hashlib.sha256(self.read(path)).hexdigest()

    def source(self, path: str, service: str) -> Source:
        """A file that is known to parse, for the rewriter."""
        if path not in self._sources:
            self._sources[path] = Source(
                self.read(path),
                path,
                self._exported(path, service),
                partial(self._others, path, service),
                self.local_modules(service),
                self._line_length(PurePosixPath(path).parent),
            )
        return self._sources[path]

    def rewritten(self, path: str, service: str, bindings: Sequence[Binding], backing_module: str) -> Rewritten:
        """A file rewritten for the stores that have sites in it. Not to be changed."""
        key = path, tuple(bindings), backing_module
        if key not in self._rewritten:
            self._rewritten[key] = rewrite_source(self.source(path, service), bindings, backing_module)
        return self._rewritten[key]

    def _line_length(self, folder: PurePosixPath) -> int:
        """How long a line may be by the nearest settings of a formatter or linter, 0 where none say it."""
        if folder not in self._lengths:
            found = 0
            for name in _SETTINGS:
                file = self.root / folder / name
                if not found and file.is_file():
                    match = _LENGTH.search(file.read_bytes())
                    found = int(match[1]) if match else 0
            above = folder.parent
            self._lengths[folder] = found or (self._line_length(above) if above != folder else 0)
        return self._lengths[folder]

    def _others(self, path: str, service: str, word: str) -> list[Source] | None:
        """The other files of the service that have a word, for who follows a value there; None where they are many or
        one of them cannot be read."""
        paths = self.files_with(service, word)
        if paths is None:
            return None
        sources = [self.source(each, service) for each in paths if each != path]
        try:
            return [each for each in sources if each.tree and each.module]
        except (SyntaxError, ValueError, RecursionError, ParserSyntaxError):
            return None

    def files_with(self, service: str, word: str) -> tuple[str, ...] | None:
        """The Python files of the service that have a word; None where they are too many to follow a value through."""
        if (service, word) not in self._words:
            text = word.encode()
            pattern = re.compile(rf"\b{re.escape(word)}\b".encode())
            contents = ((each, self.read(each)) for each in self.python_files(service))
            self._words[service, word] = tuple(
                p for p, content in contents if text in content and pattern.search(content)
            )
        paths = self._words[service, word]
        return None if len(paths) > _FEW or sum(len(self.read(each)) for each in paths) > _SHORT else paths

    def local_modules(self, service: str) -> frozenset[str]:
        """The names that imports of the service's own modules may begin with."""
        if service not in self._modules:
            parts = (PurePosixPath(path).with_suffix("").parts for path in self.python_files(service))
            self._modules[service] = frozenset(part for each in parts for part in each)
        return self._modules[service]

    def _exported(self, path: str, service: str) -> frozenset[str]:
        """Names that other modules of the service may import from this file, judged by the module's own name."""
        if service not in self._exports:
            self._exports[service] = self._collect(service)
        place = PurePosixPath(path)
        stem = place.parent.name if place.stem == "__init__" else place.stem
        return frozenset(self._exports[service].get(stem, ()))

    def mentions(self, service: str, text: bytes) -> bool:
        """Whether any Python file of the service has this text."""
        if (service, text) not in self._mentions:
            self._mentions[service, text] = any(text in self.read(path) for path in self.python_files(service))
        return self._mentions[service, text]

    def subclassed(self, service: str, name: str) -> bool:
        """Whether any Python file of the service derives a class from one of that name."""
        pattern, text = re.compile(rf"class\s+\w+\([^)]*\b{name}\b".encode()), name.encode()
        contents = (self.read(path) for path in self.python_files(service))
        return any(text in content and pattern.search(content) is not None for content in contents)

    def any_other(self, service: str, pattern: re.Pattern[bytes], apart: Collection[str]) -> bool:
        """Whether a Python file of the service, those `apart` left out, has a line of that pattern."""
        return any(pattern.search(self.read(path)) for path in self.python_files(service) if path not in apart)

    def awaiting_callers(self, service: str, names: Collection[str]) -> Iterator[tuple[str, str]]:
        """(name, "path:line") of calls of functions of those names within asynchronous functions."""
        for path in self.python_files(service) if names else ():
            content = self.read(path)
            if b"async def" not in content or not any(name.encode() in content for name in names):
                continue
            try:
                nodes = self.source(path, service).nodes
            except (SyntaxError, ValueError):
                continue
            for function in nodes:
                if isinstance(function, ast.AsyncFunctionDef):
                    for node in walk(function):
                        if isinstance(node, ast.Call) and (name := _called(node)) in names:
                            yield name, f"{path}:{node.lineno}"

    def _collect(self, service: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for path in self.python_files(service):
            for match in _FROM.finditer(self.read(path)):
                module = match[1].decode(errors="replace").rpartition(".")[2]
                names = _NAME.findall(match[2].strip(b"()"))
                found[module or PurePosixPath(path).parent.name].update(name.decode() for name in names)
        stems = {PurePosixPath(path).stem.encode() for path in self.python_files(service)}
        for path in self.python_files(service):
            for match in _MEMBER.finditer(_TAKEN_FROM.sub(b"", self.read(path))):
                if match[1] in stems:
                    found[match[1].decode()].add(match[2].decode())
        return found

    def python_files(self, service: str) -> tuple[str, ...]:
        """The Python files below the root of a service, those of services inside it included."""
        if service not in self._files:
            found = []
            for folder, below, names in os.walk(self.root / service):
                below[:] = sorted(name for name in below if not name.startswith(".") and name not in _NOT_OURS)
                here = Path(folder).relative_to(self.root)
                found += [(here / name).as_posix() for name in sorted(names) if name.endswith(".py")]
            self._files[service] = tuple(found)
        return self._files[service]


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
