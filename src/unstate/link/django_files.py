"""What Django does with files: model fields, storages, and what is done to a field's file."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from unstate.facts.hints import path_of
from unstate.facts.values import CLASS, Expression, Ref
from unstate.link.foldermap import Map
from unstate.link.places import Places, parse
from unstate.link.program import Program
from unstate.link.resolve import Resolver
from unstate.link.values import External, Made, Slot, Value
from unstate.model import Op
from unstate.project import is_aside

_FIELDS = frozenset({"FileField", "ImageField"})
_STORAGES = ("FileSystemStorage", "default_storage", "DefaultStorage", "get_storage_class", "storages")
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
        self.map = places
        self.fields: set[str] = set()
        self._field_calls = list(self._defined())

    @property
    def places(self) -> Places:
        """Where MEDIA_ROOT is."""
        return self.map.configured("MEDIA_ROOT")

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
                    for ref in file.refs:
                        line, column, end_line, end_column = ref.statement
                        if ref.frame == call.frame and (line, column) <= call.span[:2] <= (end_line, end_column):
                            self.fields.update(ref.path[:1])
                    yield path, call

    def _done(self, ref: Ref) -> Op | None:
        """What a path does with the file of a field: `photo.image.url`, `self.file.delete()`."""
        for index in range(1, len(ref.path) - 1):
            if ref.path[index] in self.fields and ref.path[index - 1] not in ("request", "self.request", "FILES"):
                return _DONE.get(ref.path[index + 1])
        return None

    def _is_storage_call(self, path: str, call: Expression) -> bool:
        node = parse(call.source)
        if type(node) is not ast.Call or type(node.func) is not ast.Attribute:
            return False
        given = [*node.args[1:], *(keyword.value for keyword in node.keywords if keyword.arg == "content")]
        if call.name == "save" and any(
            type(each) is ast.Call and path_of(each.func)[-1:] in (("ContentFile",), ("File",)) for each in given
        ):
            return True
        steps = path_of(node.func.value)
        value: Value = self.resolver.resolve(path, call.frame, steps) if steps else None
        if isinstance(value, Slot):
            value = self.resolver.settle(value)[1]
        name = value.maker if isinstance(value, Made) else value.name if isinstance(value, External) else ""
        return name.startswith("django.") and name.rpartition(".")[2] in _STORAGES
