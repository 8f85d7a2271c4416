"""Where a folder gets its name: the expressions that every path of it starts from."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from unstate.facts.hints import path_of
from unstate.facts.values import CLASS, Ref
from unstate.link.foldermap import Map
from unstate.link.places import Places
from unstate.link.program import Program
from unstate.link.resolve import Resolver
from unstate.link.values import Class, Slot
from unstate.project import is_aside

Read = Callable[[str], str]
Found = tuple[str, ast.expr, int]  # path of the file, the value that the name is given, the frame that it stands in
_MODELS = frozenset("BaseModel BaseSettings SQLModel NamedTuple TypedDict Struct".split())
_FIELDS = frozenset("dataclass dataclasses define frozen attrs s attr".split())


class Definitions:
    """Looks for the definitions of folders."""

    def __init__(self, program: Program, resolver: Resolver, names: Map) -> None:
        self.program = program
        self.resolver = resolver
        self.map = names
        self._trees: dict[str, ast.Module | None] = {}

    def of(self, folders: Places, read: Read) -> list[Found]:
        """The values that the names of a folder are given; none where one of them could not be found.

        `folders` are the places that the folder may be, `read` gives the text of a file by its path.
        """
        alike = set(folders)
        slots = {
            slot: None
            for slot, places in self.map.slots.items()
            if slot.sort != "local" and not is_aside(slot.path) and not alike.isdisjoint(places)
        }
        writes = [(slot, path, ref) for slot in slots for path, ref in self.map.writes(slot)]
        found: list[Found] = []
        for slot, path, ref in writes:
            value = self._value(path, ref, read)
            if value is None or (ref.source and not self._is_bound_plainly(slot, path, ref)):
                return []
            if isinstance(value, ast.Constant) and value.value in (None, ""):
                continue
            steps = path_of(value)
            origin = self.resolver.resolve(path, ref.frame, steps) if steps else None
            if isinstance(origin, Slot) and origin in slots and origin != slot:
                continue  # another name for the same value
            found.append((path, value, ref.frame))
        return found

    def _is_bound_plainly(self, slot: Slot, path: str, ref: Ref) -> bool:
        """Whether the value is what the name means: not the default of a field that callers may give."""
        frame = self.program.facts[path].frames[ref.frame]
        if slot.sort != "class" or frame.sort != CLASS:
            return True
        bases = {base.rpartition(".")[2] for base in self.resolver.external_bases(Class(path, ref.frame))}
        decorators = {step for steps in frame.decorators for step in steps}
        return bases.isdisjoint(_MODELS) and decorators.isdisjoint(_FIELDS)

    def _value(self, path: str, ref: Ref, read: Read) -> ast.expr | None:
        """The value of the statement that binds a name."""
        for node in self._statements(path, read):
            if (node.lineno, node.end_lineno) != (ref.statement[0], ref.statement[2]):
                continue
            match node:
                case ast.Assign(targets=[ast.Name() | ast.Attribute() | ast.Subscript()], value=value):
                    return value
                case ast.AnnAssign(value=value):
                    return value or ast.Constant(None)  # a field: what it is given has another name before
        return None

    def _statements(self, path: str, read: Read) -> Iterator[ast.stmt]:
        if path not in self._trees:
            try:
                self._trees[path] = ast.parse(read(path))
            except (OSError, SyntaxError, UnicodeDecodeError, LookupError, RecursionError):
                self._trees[path] = None
        tree = self._trees[path]
        return (node for node in ast.walk(tree) if isinstance(node, ast.stmt)) if tree is not None else iter(())
