"""What Django does with files: model fields, storages, and what is done to a field's file."""

from __future__ import annotations

import ast
import weakref
from collections.abc import Iterator
from typing import Any

from unstate.facts.hints import path_of
from unstate.facts.values import CLASS, Expression, Ref
from unstate.link.foldermap import Map
from unstate.link.places import ANY, Places, parse
from unstate.link.program import Program
from unstate.link.resolve import Resolver
from unstate.link.values import External, Made, Slot, Value
from unstate.model import Op
from unstate.project import is_aside

_FIELDS = frozenset({"FileField", "ImageField"})
LOCAL = "FileSystemStorage"
_STORAGES = (LOCAL, "default_storage", "DefaultStorage", "get_storage_class", "storages")
_SENT = frozenset({"request", "self.request", "FILES"})  # what clients send, in front of a name
# What is done to the file of a field, or through a storage.
_DONE = {
    "save": Op.WRITE,
    "delete": Op.DELETE,
    "open": Op.READ,
    "read": Op.READ,
    "chunks": Op.READ,
    "path": Op.PATH,
    "url": Op.SERVE,
    "size": Op.STAT,
    "exists": Op.EXISTS,
    "listdir": Op.LIST,
}


class DjangoFiles:
    """Operations on the files that Django keeps under MEDIA_ROOT: (file, expression, operation, is it a field)."""

    def __init__(self, program: Program, resolver: Resolver, places: Map) -> None:
        self.program = program
        self.resolver = resolver
        self.map: Map = weakref.proxy(places)  # it refers to this: facts are let go with the last that needs them
        self.fields: set[str] = set()
        self.defined: list[tuple[str, int, ast.Call]] = []  # the fields: file, line, what makes them
        self.named = frozenset(self._named())
        self._field_calls = list(self._defined()) if not self.named else []
        places.stored = self.stored

    @property
    def places(self) -> Places:
        """Where MEDIA_ROOT is."""
        return self.map.configured("MEDIA_ROOT")

    def stored(self, path: str, frame: int, node: ast.expr) -> Places:
        """The places of a file that a storage keeps: `photo.image.path`, `default_storage.path(name)`."""
        if not self.is_path(path, frame, node):
            return ()
        return tuple(place.below(ANY) for place in self.places)

    def is_path(self, path: str, frame: int, node: ast.expr) -> bool:
        """Whether an expression asks a storage for the local path of a file."""
        if type(node) is ast.Attribute:
            return node.attr == "path" and self._done_to(path_of(node)) is Op.PATH
        if type(node) is not ast.Call or type(node.func) is not ast.Attribute or node.func.attr != "path":
            return False
        return len(node.args) == 1 and not node.keywords and self.is_storage(path, frame, node.func.value)

    def is_local_storage(self, path: str, frame: int, node: ast.expr) -> bool:
        """Whether an expression is the class of Django's storage on local disk."""
        name = node.attr if type(node) is ast.Attribute else node.id if type(node) is ast.Name else LOCAL
        steps = path_of(node) if name == LOCAL else ()
        value = self.resolver.resolve(path, frame, steps) if steps[-1:] == (LOCAL,) else None
        return isinstance(value, External) and value.name.startswith("django.")

    def _named(self) -> Iterator[str]:
        """Storages that the settings name for files, apart from the one on local disk."""
        for path, file in self.program.facts.items():
            for ref in file.refs if not is_aside(path) else ():
                if ref.use != "target" or not ref.source or ref.path not in (("STORAGES",), ("DEFAULT_FILE_STORAGE",)):
                    continue
                node = parse(ref.source)
                backend = default_backend(node) if ref.path == ("STORAGES",) else node
                if isinstance(backend, ast.Constant) and str(backend.value).rpartition(".")[2] != LOCAL:
                    yield str(backend.value)

    def found(self) -> Iterator[tuple[str, Expression, Op, bool]]:
        """Fields, uses of their files, and calls of storages."""
        for path, call in self._field_calls:
            yield path, call, Op.WRITE, True
        for path, file in self.program.facts.items():
            if is_aside(path):
                continue
            for call in file.expressions:
                if call.sort == "call" and call.name in _DONE and self._is_storage_call(path, call):
                    yield path, call, _DONE[call.name], _DONE[call.name] is Op.WRITE
            for ref in file.refs if self.fields else ():
                op = self._done(ref)
                if op is not None:
                    span = (ref.line, ref.column, ref.ends[-2], ref.ends[-1])
                    yield (
                        path,
                        Expression(ref.frame, "call", ref.path[-1], ".".join(ref.path), span, ref.flags),
                        op,
                        False,
                    )

    def _defined(self) -> Iterator[tuple[str, Expression]]:
        for path, file in self.program.facts.items():
            for call in file.expressions:
                if call.name not in _FIELDS or file.frames[call.frame].sort != CLASS or is_aside(path):
                    continue
                node = parse(call.source)
                value = self.resolver.resolve(path, call.frame, path_of(node.func)) if type(node) is ast.Call else None
                if isinstance(value, External) and value.name.startswith("django.db.models"):
                    self.defined.append((path, call.span[0], node))
                    for ref in file.refs:
                        start, end = ref.statement[:2], ref.statement[2:]
                        if ref.use == "target" and ref.frame == call.frame and start <= call.span[:2] <= end:
                            self.fields.update(ref.path[:1])
                    yield path, call

    def _done(self, ref: Ref) -> Op | None:
        return self._done_to(ref.path)

    def _done_to(self, steps: tuple[str, ...]) -> Op | None:
        """What a path does with the file of a field: `photo.image.url`, `self.file.delete()`."""
        for index in range(1, len(steps) - 1):
            if steps[index] in self.fields and steps[index - 1] not in _SENT:
                return _DONE.get(steps[index + 1])
        return None

    def _is_storage_call(self, path: str, call: Expression) -> bool:
        node = parse(call.source)
        if type(node) is not ast.Call or type(node.func) is not ast.Attribute:
            return False
        given = [*node.args[1:], *(keyword.value for keyword in node.keywords if keyword.arg == "content")]
        if (
            call.name == "save"
            and not self.named
            and any(
                type(each) is ast.Call and path_of(each.func)[-1:] in (("ContentFile",), ("File",)) for each in given
            )
        ):
            return True
        return self.is_storage(path, call.frame, node.func.value)

    def is_storage(self, path: str, frame: int, node: Any) -> bool:
        """Whether an expression is one of Django's storages: `default_storage`, `FileSystemStorage()`, or a field's
        file."""
        if type(node) is ast.Call and self.is_local_storage(path, frame, node.func):
            return True
        steps = path_of(node)
        if len(steps) > 1 and steps[-1] in self.fields and steps[-2] not in _SENT:
            return True
        value: Value = self.resolver.resolve(path, frame, steps) if steps else None
        if isinstance(value, Slot):
            value = self.resolver.settle(value)[1]
        name = value.maker if isinstance(value, Made) else value.name if isinstance(value, External) else ""
        return name.startswith("django.") and name.rpartition(".")[2] in ((LOCAL,) if self.named else _STORAGES)


def default_backend(node: Any) -> ast.expr | None:
    """The backend of the default storage in a literal of STORAGES, None where there is none to be seen."""
    default = entry(node, "default")
    return entry(default, "BACKEND") if default is not None else None


def entry(node: Any, key: str) -> ast.expr | None:
    """The value of a constant key in a literal dict, None where it has none or is something else."""
    if type(node) is not ast.Dict:
        return None
    pairs = zip(node.keys, node.values, strict=True)
    return next((value for each, value in pairs if type(each) is ast.Constant and each.value == key), None)
