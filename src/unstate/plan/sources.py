"""The files of a root as a plan reads them: bytes, trees, and the names that modules take from each other."""

from __future__ import annotations

import ast
import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from unstate.rewrite import Source

_FROM = re.compile(rb"^[ \t]*from[ \t]+([\w.]+)[ \t]+import[ \t]*(\([^)]*\)|[^\n#]*)", re.MULTILINE)
_MEMBER = re.compile(rb"\b(\w+)\.(\w+)")
_NAME = re.compile(rb"(\w+)(?:\s+as\s+\w+)?\s*(?:,|$|\)|\n)")
_NOT_OURS = frozenset({"node_modules", "site-packages", "venv", "__pycache__"})


class Sources:
    """Reads each file once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._bytes: dict[str, bytes] = {}
        self._sources: dict[str, Source] = {}
        self._exports: dict[str, dict[str, set[str]]] = {}
        self._files: dict[str, tuple[str, ...]] = {}
        self._mentions: dict[tuple[str, bytes], bool] = {}

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
            self._sources[path] = Source(self.read(path), path, self._exported(path, service))
        return self._sources[path]

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
            self._mentions[service, text] = any(text in self.read(path) for path in self._python_files(service))
        return self._mentions[service, text]

    def any_other(self, service: str, pattern: re.Pattern[bytes], apart: Collection[str]) -> bool:
        """Whether a Python file of the service, those `apart` left out, has a line of that pattern."""
        return any(pattern.search(self.read(path)) for path in self._python_files(service) if path not in apart)

    def awaiting_callers(self, service: str, names: Collection[str]) -> Iterator[tuple[str, str]]:
        """(name, "path:line") of calls of functions of those names within asynchronous functions."""
        for path in self._python_files(service) if names else ():
            content = self.read(path)
            if b"async def" not in content or not any(name.encode() in content for name in names):
                continue
            try:
                tree = self.source(path, service).tree
            except (SyntaxError, ValueError):
                continue
            for function in ast.walk(tree):
                if isinstance(function, ast.AsyncFunctionDef):
                    for node in ast.walk(function):
                        if isinstance(node, ast.Call) and (name := _called(node)) in names:
                            yield name, f"{path}:{node.lineno}"

    def _collect(self, service: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for path in self._python_files(service):
            for match in _FROM.finditer(self.read(path)):
                module = match[1].decode(errors="replace").rpartition(".")[2]
                names = _NAME.findall(match[2].strip(b"()"))
                found[module or PurePosixPath(path).parent.name].update(name.decode() for name in names)
        stems = {PurePosixPath(path).stem.encode() for path in self._python_files(service)}
        for path in self._python_files(service):
            for match in _MEMBER.finditer(self.read(path)):
                if match[1] in stems:
                    found[match[1].decode()].add(match[2].decode())
        return found

    def _python_files(self, service: str) -> tuple[str, ...]:
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
