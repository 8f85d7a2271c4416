"""Who does what to a file: which requests lead to an operation, and whether what it writes outlives them."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from dataclasses import replace
from typing import Any

from unstate.facts.files import TOUCHING
from unstate.facts.values import BRANCH, CLASS, HANDLER, LOOP, MAIN, TRY
from unstate.link import places as roots
from unstate.link.escapes import Escapes, names_in
from unstate.link.files import Operation, Operations
from unstate.link.places import Place, parse
from unstate.link.program import Program
from unstate.link.reach import Reach
from unstate.link.values import Class, Function
from unstate.model import Op

WRITES = frozenset({Op.WRITE, Op.APPEND})
READS = frozenset({Op.READ, Op.OPEN, Op.SERVE, Op.LIST, Op.EXISTS, Op.STAT, Op.RENAME})
TESTS = frozenset({Op.EXISTS, Op.STAT})
_UPLOADED = re.compile(r"^request\.files\b.*\.save\(")  # what a client sends and nothing here reads is for others
_MANY = 400  # functions that are looked at for who can reach one


class Judge:
    """The operations of a program that last longer than a request, and what is known of who does them."""

    def __init__(self, program: Program, reach: Reach, operations: Operations) -> None:
        self.program = program
        self.reach = reach
        self.map = operations.map
        self.escapes = Escapes(program)
        self._entries: dict[Function, frozenset[Function]] = {}
        self._callers: dict[Function, list[Function]] = {}
        everything = [found for found in operations.found if not found.call.flags & MAIN]
        remembered = self._remembered(everything)
        self.operations = [kept for found in everything if (kept := _on_disk(found, remembered)) is not None]
        self._by_base: dict[tuple[str, object], list[Operation]] = defaultdict(list)
        for found in self.operations:
            for base in {place.base for place in found.places}:
                self._by_base[base].append(found)
        self._literal = {
            place for found in self.operations if type(found.key) is ast.Constant for place in found.places
        }
        self._folders = {
            (found.path, found.function, key_of(found))
            for found in self.operations
            if found.op is Op.LIST or found.call.name in ("rmtree", "rmdir")
        }
        scoped = {id(found): found for found in self.operations if self._is_request_scoped(found)}
        wrapped = {(found.call.name, place) for found in scoped.values() for place in found.places}
        self.lasting = [
            found for found in self.operations if id(found) not in scoped and not self._is_inside(found, wrapped)
        ]

    def _remembered(self, operations: list[Operation]) -> set[Place]:
        """Temporary files whose path is put where later requests find it, and that their maker does not remove."""
        found: set[Place] = set()
        removed: set[tuple[str, int, Place]] = set()
        for each in operations:
            if each.op is Op.DELETE:
                removed.update((each.path, each.function, place) for place in each.places)
        for each in operations:
            if each.op not in WRITES or not each.function or type(each.key) not in (ast.Name, ast.Attribute):
                continue
            local = self._sources(each.path, each.function, names_in(each.key))
            for place in each.places:
                top = Place(place.root, place.detail)
                if (
                    place.root == roots.TEMPORARY
                    and (each.path, each.function, place) not in removed
                    and (each.path, each.function, top) not in removed
                    and self.escapes.is_remembered(each.path, each.function, local)
                ):
                    found.add(top)
        return found

    def happens(self, write: Operation) -> bool:
        """Whether a request leads to a write, or the framework writes by itself."""
        return write.framework or bool(self.entries(write))

    def entries(self, operation: Operation) -> frozenset[Function]:
        """The entry points whose requests can lead to an operation."""
        return self.reaching(operation.path, operation.function)

    def reaching(self, path: str, function: int) -> frozenset[Function]:
        """The entry points whose requests can lead to a function, given by its frame; 0 is the module."""
        if not function:
            whole = Function(path, 0)
            return frozenset({whole}) if self._is_rerun(path) else frozenset()
        target = Function(path, function)
        if target not in self._entries:
            found = set()
            queue = {target: None}
            todo = [target]
            for each in todo:
                if self.reach.entry(each) == "request" and not self._is_command(each):
                    found.add(each)
                if each not in self._callers:
                    self._callers[each] = self.reach.callers(each)
                for caller in self._callers[each]:
                    if caller not in queue and len(queue) < _MANY:
                        queue[caller] = None
                        todo.append(caller)
            if not found:
                way = self.reach.way(path, function)
                found = set(way[:1]) if way else {one for one in queue if self._is_framework_method(one)}
            self._entries[target] = frozenset(found)
        return self._entries[target]

    def _is_rerun(self, path: str) -> bool:
        """Whether a file is run from top to bottom for each interaction."""
        return any(found.module.partition(".")[0] in ("streamlit",) for found in self.program.facts[path].imports)

    def _is_command(self, function: Function) -> bool:
        """Whether a decorator makes the function a command of a terminal."""
        file = self.program.facts[function.path]
        return any("command" in path for path in self.program.frame(function).decorators) and any(
            found.module.partition(".")[0] in ("typer", "click", "flask", "cyclopts") for found in file.imports
        )

    def _is_framework_method(self, function: Function) -> bool:
        """A method of a class whose base, from another distribution, is a view by its name; a Django view function."""
        frame = self.program.frame(function)
        if [parameter.name for parameter in frame.parameters[:1]] == ["request"]:
            imports = self.program.facts[function.path].imports
            return any(found.module.partition(".")[0] in ("django", "rest_framework", "pyramid") for found in imports)
        owner = self.program.facts[function.path].frames[frame.parent]
        return owner.sort == CLASS and any(
            base.endswith(("View", "Handler", "Consumer", "ViewSet", "Endpoint"))
            for base in self.reach.resolver.external_bases(Class(function.path, frame.parent))
        )

    def anchored(self, place: Place) -> bool:
        """Whether a place is known well enough to be told from every other."""
        if place.root == roots.UNKNOWN and not isinstance(place.detail, str):
            return False  # a local name that could not be followed
        if place.root == roots.WORKING and len(place.steps) == 1 and "." not in place.steps[0]:
            return place in self.map.names or place in self._literal  # else any text
        return place.root in (roots.NAME, roots.UNKNOWN, roots.TEMPORARY) or bool(place.constant)

    def reaches(self, operation: Operation, mine: Place, written: Place) -> bool:
        """Whether an operation on one place concerns a file written at another."""
        if not mine.meets(written):
            return False
        depth = len(mine.steps)
        if operation.op is Op.LIST and depth + 1 < len(written.steps) and roots.ANY not in written.steps[depth]:
            return operation.call.name in ("walk", "rglob") or "**" in operation.call.source
        if (operation.path, operation.function, key_of(operation)) not in self._folders:
            return True
        last = written.steps[-1] if written.steps else ""
        return depth < len(written.steps) or last == roots.ANY or "." not in last

    def outlives(self, write: Operation, place: Place) -> bool:
        """Whether another request, process or run reads what is written."""
        if write.framework or write.call.name == "connect" or place.root == roots.TEMPORARY:
            return True
        related = [
            other
            for other in self._by_base[place.base]
            if any(self.anchored(found) and self.reaches(other, found, place) for found in other.places)
        ]
        read_elsewhere = False
        writers = frozenset().union(*(self.entries(other) for other in related if other.op in WRITES))
        for other in related:
            if other.op not in READS or (other.path, other.function) == (write.path, write.function):
                continue
            if other.op in TESTS and not any(_is_as_deep(found, place) for found in other.places):
                continue  # of the folder, which says nothing of the file
            if other.op in TESTS and self.program.facts[other.path].frames[other.function].name in TOUCHING:
                continue  # a wrapper of the test, whose callers are hard to tell from those of others
            if not other.function:
                read_elsewhere = read_elsewhere or other.op is Op.SERVE
                continue
            readers = self.entries(other)
            read_elsewhere = read_elsewhere or bool(readers - writers) or not readers
        consumed = self.escapes.is_consumed(write.path, write.function, key_of(write), write.call.span[2:])
        if read_elsewhere:
            return not consumed or self._is_callers(write) or self._leaves(write)
        is_upload = _UPLOADED.search(write.call.source) is not None
        return not consumed and (is_upload or (self._leaves(write) and not _is_fixed(place)))

    def _is_callers(self, write: Operation) -> bool:
        """Whether a caller knows the name of the file, because it gave a part of it."""
        frame = self.program.facts[write.path].frames[write.function]
        if self.reach.entry(Function(write.path, write.function)) == "request":
            return False
        parameters = {parameter.name for parameter in frame.parameters} - {"self", "cls"}
        return not parameters.isdisjoint(self._sources(write.path, write.function, names_in(write.key)))

    def _leaves(self, write: Operation) -> bool:
        """Whether the name of the file gets to somebody who may ask for it later: or came from there."""
        local = self._sources(write.path, write.function, names_in(write.key))
        if self.escapes.leaves(write.path, write.function, tuple(sorted(local))):
            return True
        if self.escapes.is_consumed(write.path, write.function, key_of(write), write.call.span[2:]):
            return False
        return self._is_clients_name(write, local)

    def _is_clients_name(self, write: Operation, local: set[str]) -> bool:
        """Whether the file is called as the client that sent it called it."""
        if _mentions_file_name(write.key):
            return True
        return any(
            binding.ref is not None and binding.ref.source and _mentions_file_name(parse(binding.ref.source))
            for name in local
            if (found := self.program.lookup(write.path, write.function, name)) is not None
            for binding in found[1]
        )

    def _sources(self, path: str, function: int, names: tuple[str, ...]) -> set[str]:
        """Local names that a path is made of, through assignments."""
        found: set[str] = set()
        todo = list(names)
        while todo:
            name = todo.pop()
            if name in found:
                continue
            looked = self.program.lookup(path, function, name)
            if looked is None or looked[0] == 0:
                continue
            found.add(name)
            for binding in looked[1]:
                node = parse(binding.ref.source) if binding.ref is not None and binding.ref.source else None
                if node is not None and len(found) < 12:
                    todo += names_in(node)
        return found

    def _is_request_scoped(self, operation: Operation) -> bool:
        """Whether the same function writes the path and removes it again."""
        same = [
            other
            for other in self._by_base[operation.places[0].base]
            if other.path == operation.path
            and other.function
            and operation.function in (other.function, self._around(other))
        ]
        key = key_of(operation)
        alike = [each for each in same if key_of(each) == key]
        if any(each.call.name in ("download_file", "download_fileobj") for each in same):
            return True  # a local copy of an object that lives elsewhere
        if any(each.op is Op.RENAME for each in alike):
            return False  # written beside its place, then put there
        if operation.op in WRITES and not operation.framework and self._is_removed_by_caller(operation):
            return True
        writes = [each for each in alike if each.op in WRITES]
        if operation.op in WRITES and (
            _is_made_when_missing(operation, alike) or self._is_returned_if_there(operation, alike)
        ):
            return True
        return any(
            other.op is Op.DELETE
            and not other.call.flags & (HANDLER | LOOP)
            and (key_of(other) == key or _is_around(other, operation))
            and (any(each.call.span < other.call.span for each in writes) or self._is_filled_by_other(other, key))
            for other in same
        )

    def _around(self, operation: Operation) -> int:
        """The function around the function of an operation: what `after_this_request` and its like clean up."""
        frames = self.program.facts[operation.path].frames
        return self.program.function_around(operation.path, frames[operation.function].parent)

    def _is_removed_by_caller(self, write: Operation) -> bool:
        """Whether a caller that was given the path removes it: `path = save(f)` ... `os.remove(path)`."""
        name = self.program.facts[write.path].frames[write.function].name
        return any(
            other.op is Op.DELETE
            and not other.call.flags & HANDLER
            and (other.path, other.function) != (write.path, write.function)
            and type(other.key) is ast.Name
            and self._is_made_by(other, other.key.id, name)
            for other in self._by_base[write.places[0].base]
        )

    def _is_made_by(self, operation: Operation, local: str, name: str) -> bool:
        """Whether a local name holds what a call of the function of that name gave."""
        found = self.program.lookup(operation.path, operation.function, local)
        return found is not None and any(
            binding.ref is not None and name in binding.ref.value and "()" in binding.ref.value for binding in found[1]
        )

    def _is_returned_if_there(self, write: Operation, alike: list[Operation]) -> bool:
        """Whether a function returns the path early where the file is there: it makes again what is missing."""
        tests = [each for each in alike if each.op is Op.EXISTS and each.call.span < write.call.span]
        key = key_of(write)
        return bool(tests) and any(
            found.sort == "return"
            and found.flags & BRANCH
            and tests[0].call.span < found.span < write.call.span
            and _hands_out(parse(found.source), key)
            for found in self.program.facts[write.path].expressions
            if self.program.function_around(write.path, found.frame) == write.function
        )

    def _is_inside(self, operation: Operation, wrapped: set[tuple[str, Place]]) -> bool:
        """Whether an operation is what a request-scoped call of a function of that name does."""
        name = self.program.facts[operation.path].frames[operation.function].name
        return operation.op in WRITES and all((name, place) in wrapped for place in operation.places)

    def _is_filled_by_other(self, delete: Operation, key: str) -> bool:
        """Whether the deleted path is a local name that was handed to something which writes the file."""
        frame = self.program.facts[delete.path].frames[delete.function]
        return key not in [parameter.name for parameter in frame.parameters] and self.escapes.is_filled_by_other(
            delete.path, delete.function, key, delete.call.span[:2]
        )


def _on_disk(operation: Operation, remembered: set[Place]) -> Operation | None:
    """The operation without temporary places that nobody remembers, None where no other is left."""
    kept = tuple(
        place
        for place in operation.places
        if place.root != roots.TEMPORARY or Place(place.root, place.detail) in remembered
    )
    return replace(operation, places=kept) if kept else None


def _mentions_file_name(node: Any) -> bool:
    return node is not None and any(
        type(each) is ast.Attribute and each.attr in ("filename", "raw_filename") for each in ast.walk(node)
    )


def _hands_out(node: Any, key: str) -> bool:
    """Whether a returned value is the path itself, alone or first of several, or the file served."""
    if type(node) is ast.Tuple and node.elts:
        node = node.elts[0]
    if type(node) is ast.Call and node.args and getattr(node.func, "id", "").startswith(("send_", "FileResponse")):
        return True
    return type(node) is ast.Name and node.id == key


def _is_as_deep(place: Place, other: Place) -> bool:
    return place.base == other.base and (len(place.steps) >= len(other.steps) or place.steps[-1:] == (roots.ANY,))


def _is_fixed(place: Place) -> bool:
    return place.constant == place.steps and place.root not in (roots.NAME, roots.UNKNOWN)


def key_of(operation: Operation) -> str:
    """What an operation's path is called: the name of a variable, or its syntax tree."""
    node = operation.key
    while type(node) is ast.Call and len(node.args) == 1 and getattr(node.func, "id", "") in ("Path", "str"):
        node = node.args[0]
    return node.id if type(node) is ast.Name else ast.dump(node)


def _is_made_when_missing(write: Operation, alike: list[Operation]) -> bool:
    """Whether a write stands in the branch of a function that runs when there is no file to read."""
    return bool(write.call.flags & (BRANCH | HANDLER)) and any(
        each.op is Op.READ and each.call.span < write.call.span and each.call.flags & (BRANCH | TRY) for each in alike
    )


def _is_around(delete: Operation, other: Operation) -> bool:
    """Whether what is deleted is a folder of this request that holds the other path."""
    return any(
        place.base == found.base
        and any(roots.ANY in step for step in place.steps)
        and len(place.steps) < len(found.steps)
        and place.steps == found.steps[: len(place.steps)]
        for place in delete.places
        for found in other.places
    )
