"""The names of a program as places on disk: constants, attributes, settings, parameters, what functions return."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable
from operator import itemgetter
from pathlib import PurePosixPath
from typing import Any

from unstate.facts.values import CLASS, FUNCTION, Expression, Path, Ref
from unstate.link import frameworks
from unstate.link.arguments import hint_of
from unstate.link.paths import GENERIC, KEY, MAKING, MANY, Paths
from unstate.link.places import (
    ANY,
    APPLICATION,
    BROAD,
    NAME,
    PROJECT,
    TEMPORARY,
    UNKNOWN,
    Name,
    Place,
    Places,
    Scope,
    names_folder,
    parse,
)
from unstate.link.program import Binding, Program
from unstate.link.resolve import Resolver
from unstate.link.values import Class, Element, External, Function, Instance, Made, Slot, Value
from unstate.project import is_aside

_SETTINGS = re.compile(r"settings|config")  # files that come first when a setting is looked for
_LISTING = re.compile(r"\b(r?glob|iglob|iterdir|listdir|scandir|walk)\(")
_DEPTH = 14  # of nested evaluations: deeper ones are given up
_CALLERS = 12  # call sites that are looked at for what a parameter is
_WORK = 1_000  # names and functions that are evaluated for one question: what is left then is unknown
_RUNNERS = frozenset((name,) for name in "to_thread run_in_threadpool run_sync submit run_in_executor add_task".split())
_REMOVING = frozenset({"rmtree", "unlink", "remove"})


class Map(Paths):
    """Evaluates expressions to places. Answers are kept, so one map serves one program."""

    def __init__(self, program: Program, resolver: Resolver) -> None:
        self.program = program
        self.resolver = resolver
        self.names: dict[Place, Name] = {}
        self._active: dict[Any, int] = {}  # what is being evaluated, with its depth
        self._answers: dict[Any, Places] = {}
        self._cut = 0  # the lowest depth at which an evaluation was cut short
        self._work = 0  # evaluations since the last question from outside
        self.slots: dict[Slot, Places] = {}
        self._calls: dict[str, list[tuple[str, Ref]]] = defaultdict(list)
        self._called: dict[Function, list[tuple[str, Ref, int]]] = {}
        self._meant: dict[str, dict[tuple[Value, bool], list[tuple[int, str, Ref, int]]]] = {}
        self._call_sources: dict[tuple[str, int, int], Expression] = {}
        self._runs: dict[str, list[Expression]] = defaultdict(list)
        self._loops: dict[tuple[str, int, str], list[Expression]] = defaultdict(list)
        self._returns: dict[tuple[str, int], list[Expression]] = defaultdict(list)
        self._constants: dict[str, list[Slot]] = defaultdict(list)
        self._ranked: dict[str, list[Slot]] = {}  # of them, those that count, settings first
        self._attributes: dict[str, list[Class]] = defaultdict(list)
        self._index()

    def _index(self) -> None:
        program = self.program
        known = program.functions.keys() | program.classes.keys()
        for path, file in program.facts.items():
            for ref in file.refs:
                for step in known.intersection(ref.path):
                    self._calls[step].append((path, ref))
            for found in file.expressions:
                if found.sort == "call":
                    self._call_sources[(path, *found.span[2:])] = found
                    if (found.name,) in _RUNNERS:
                        self._runs[path].append(found)
                elif found.sort == "loop":
                    self._loops[(path, found.frame, found.name)].append(found)
                else:
                    self._returns[(path, found.frame)].append(found)
            if is_aside(path):
                continue
            for index, names in enumerate(program.names[path]):
                if file.frames[index].sort == FUNCTION:
                    continue
                for name in names:
                    if file.frames[index].sort == CLASS and names_folder(name):
                        self._attributes[name].append(Class(path, index))
                    if name.isupper():
                        self._constants[name].append(Slot("class" if index else "module", path, index, name))

        for owner, attributes in self.resolver.attributes.items():
            for name in attributes:
                if names_folder(name) and not is_aside(owner.path) and owner not in self._attributes[name]:
                    self._attributes[name].append(owner)

    def configured(self, key: str) -> Places:
        """A key of the configuration: what constants of that name hold, else a place of that name."""
        if key not in self._ranked:
            named = self._constants.get(key, ())
            self._ranked[key] = sorted(named, key=lambda slot: not _SETTINGS.search(slot.path))[:4]
        found = [place for slot in self._ranked[key] for place in self.held(slot)]
        if not found:
            place = Place(NAME, key)
            self.names.setdefault(place, Name(key, "", None))
            return (place,)
        return tuple(found)

    def called(self, name: str) -> Places:
        """An attribute of an object that could not be followed: the only one of that name, or a place of its own."""
        owners = self._attributes.get(name, ())
        if len(owners) == 1:
            member = self.resolver.class_member(owners[0], name)
            found = self.held(member) if isinstance(member, Slot) else ()
            if isinstance(member, Function):
                found = self.returned(member, {})
            if found:
                return found
        return (Place(UNKNOWN, name),)

    def _removes_what_it_yields(self, function: Function) -> bool:
        """A context manager that deletes what it lent."""
        return self.program.frame(function).generator and any(
            found.frame == function.frame and found.name in _REMOVING
            for found in self.program.facts[function.path].expressions
        )

    def lent(self) -> set[Place]:
        """The places that context managers lend and delete again."""
        return {
            place
            for path, frame in self._returns
            if self.program.facts[path].frames[frame].sort == FUNCTION
            and self._removes_what_it_yields(Function(path, frame))
            for place in self._returned_anew(Function(path, frame), {})
        }

    def returned(self, function: Function, scope: Scope) -> Places:
        if self._removes_what_it_yields(function):
            return (Place(TEMPORARY, function),)
        found = self._returned_anew(function, scope)
        if self.is_memoised(function):
            return tuple(self._kept(function) if place.root == TEMPORARY else place for place in found)
        return found

    def is_memoised(self, function: Function) -> bool:
        """Whether a function makes its result once for the process."""
        return any(
            step in ("lru_cache", "cache", "cached")
            for path in self.program.frame(function).decorators
            for step in path
        )

    def _kept(self, function: Function) -> Place:
        """The temporary folder that a memoised function makes, which outlives every request."""
        place = Place(NAME, function)
        self.names.setdefault(place, Name(self.program.frame(function).qualname, function.path, None))
        return place

    def _returned_anew(self, function: Function, scope: Scope) -> Places:
        return self._once(function, scope, lambda: self._all_returned(function, scope))

    def _all_returned(self, function: Function, scope: Scope) -> Places:
        return tuple(
            place
            for found in self._returns.get((function.path, function.frame), ())
            if (node := parse(found.source)) is not None
            for item in (node.elts if type(node) is ast.Tuple else [node])
            for place in self.places(function.path, found.frame, item, scope)
        )

    def _once(self, subject: Any, scope: Scope, evaluate: Callable[[], Places]) -> Places:
        """What a name or function means: () within itself, and where too much hangs on it.

        An answer is kept where it is the same whoever asks: no part of it was cut at a subject that is still open
        above it. For the outermost question that holds always.
        """
        key = (subject, tuple(scope.items())) if scope else subject
        if key in self._answers:
            return self._answers[key]
        depth = len(self._active)
        if depth == 0:
            self._work = 0
        self._work += 1
        if subject in self._active or depth > _DEPTH or self._work > _WORK:
            self._cut = min(self._cut, self._active.get(subject, 0))
            return ()
        cut_before, self._cut = self._cut, depth
        self._active[subject] = depth
        try:
            found = evaluate()
        finally:
            del self._active[subject]
        if self._cut == depth:
            self._answers[key] = found
            self._cut = cut_before
        else:
            self._cut = min(cut_before, self._cut)
        return found

    # Names

    def steps(self, path: str, frame: int, steps: Path, scope: Scope) -> Places:
        """The places that a dotted path means."""
        return self._once((path, frame, steps), scope, lambda: self._steps(path, frame, steps, scope))

    def _steps(self, path: str, frame: int, steps: Path, scope: Scope) -> Places:
        if len(steps) == 1 and steps[0] in scope and (scope[steps[0]] or not self._is_local(path, frame, steps[0])):
            return scope[steps[0]]
        if steps == ("__file__",):
            return (Place(PROJECT, "", tuple(PurePosixPath(path).parts)),)
        if len(steps) > 1 and steps[-1] in ("root_path", "instance_path") and frameworks.names_app(steps[:-1]):
            return (Place(APPLICATION, steps[-1]),)
        values = self.resolver.trace(path, frame, steps)
        value: Value = values[-1] if len(values) == len(steps) else None
        if steps[-1] == "()":
            callee = values[len(steps) - 2] if len(values) >= len(steps) - 1 else None
            return self.returned(callee, {}) if isinstance(callee, Function) else ()
        if len(steps) > 1 and steps[-1].isidentifier():
            owner = values[len(steps) - 2] if len(values) >= len(steps) - 1 else None
            if isinstance(owner, Slot):
                owner = self.resolver.settle(owner)[1]
            if isinstance(owner, Instance | Class):
                of = owner.of if isinstance(owner, Instance) else owner
                member = self.resolver.class_member(of, steps[-1])
                if isinstance(member, Function):
                    return self.returned(member, {})
                if isinstance(member, Slot):
                    value = member
        if isinstance(value, Element) and steps[-1] == "[]":
            value = value.of
        if isinstance(value, Slot):
            return self._slot(value, scope)
        if isinstance(value, External) and ".settings." in f".{value.name}":
            return self.configured(steps[-1])
        if isinstance(value, External | Made):
            return ()
        last = steps[-1]
        if last.startswith("['") and KEY.fullmatch(last[2:-2]):
            return self.configured(last[2:-2])
        if len(steps) > 1 and KEY.fullmatch(last):
            return self.configured(last)
        bare = last.strip("[']")
        if len(steps) > 1 and names_folder(bare) and bare not in GENERIC:
            return self.called(bare)
        return ()

    def _is_local(self, path: str, frame: int, name: str) -> bool:
        found = self.program.lookup(path, frame, name)
        return found is not None and any(binding.ref is not None for binding in found[1])

    def _slot(self, slot: Slot, scope: Scope) -> Places:
        if slot.sort == "local":
            return self._local(slot, scope)
        return self.held(slot)

    def held(self, slot: Slot) -> Places:
        """The places that a module's, class's or app's attribute holds; its own name where that is unknown."""
        if slot in self.slots:
            return self.slots[slot]
        self.slots[slot] = ()
        writes = self.writes(slot)
        found: list[Place] = []
        for path, ref in writes:
            if ref.source:
                found += self.source(path, ref.frame, ref.source)
            elif ref.value[:1] not in ((), ("=",)):
                found += self.steps(path, ref.frame, ref.value, {})
        first = writes[0] if writes else None
        if not found and slot.sort == "class":
            found += self._given(slot)
        if not found and names_folder(_bare(slot.name)):
            found = [Place(NAME, slot)]
        if slot.sort == "class":  # an object's own folder, even where it starts as the project's
            found = [place if place.steps or place.root not in BROAD else Place(NAME, slot) for place in found]
        places = tuple(dict.fromkeys(found))[:MANY]
        for place in places:
            if place.root != UNKNOWN or place.constant:
                name = Name(self.qualified(slot), first[0] if first else slot.path, first[1] if first else None)
                self.names.setdefault(place, name)
        self.slots[slot] = places
        return places

    def _given(self, slot: Slot) -> list[Place]:
        """What constructor calls pass for a field of a dataclass or model."""
        owner = Class(slot.path, slot.frame)
        if self.program.method(owner, "__init__") is not None:
            return []
        name = self.program.frame(owner).name
        found: list[Place] = []
        for path, ref in self._calls.get(name, ())[:_CALLERS]:
            if ref.use != "define" and not is_aside(path):
                index = ref.path.index(name)
                if self.resolver.resolve(path, ref.frame, ref.path[: index + 1]) == owner:
                    found += self._argument(path, ref, index, 99, slot.name)
        return found

    def writes(self, slot: Slot) -> list[tuple[str, Ref]]:
        writes = list(self.resolver.writes(slot))
        if slot.sort in ("module", "local"):
            writes += [
                (slot.path, binding.ref)
                for binding in self.program.names[slot.path][slot.frame].get(slot.name, ())
                if binding.ref is not None
            ]
        return writes

    def qualified(self, slot: Slot) -> str:
        """The name of a slot as its store is called."""
        if slot.sort in ("module", "app"):
            return slot.name
        return f"{self.program.facts[slot.path].frames[slot.frame].qualname}.{slot.name}"

    def _local(self, slot: Slot, scope: Scope) -> Places:
        found: list[Place] = []
        for binding in self.program.names[slot.path][slot.frame].get(slot.name, ()):
            if binding.ref is not None:
                found += self._bound(slot, binding.ref, scope)
            elif binding.parameter is not None:
                found += scope[slot.name] if slot.name in scope else self._parameter(slot, binding)
        return tuple(dict.fromkeys(found))

    def _bound(self, slot: Slot, ref: Ref, scope: Scope) -> Places:
        if ref.use == "loop" and (slot.path, ref.frame, slot.name) not in self._loops:
            found = self.steps(slot.path, ref.frame, ref.value, scope) if ref.value else ()
            if not found and ref.value[-1:] == ("[]",):
                found = self.steps(slot.path, ref.frame, ref.value[:-1], scope)
            return found
        if ref.use == "loop":
            return tuple(
                place.below(ANY) if _LISTING.search(loop.source) and place.root != TEMPORARY else place
                for loop in self._loops.get((slot.path, ref.frame, slot.name), ())
                for place in self.source(slot.path, ref.frame, loop.source, scope)
            )
        if ref.source:
            return self.source(slot.path, ref.frame, ref.source, scope)
        return self._of_hint(slot.path, ref, scope)

    def _of_hint(self, path: str, ref: Ref, scope: Scope) -> Places:
        """What a `with` item binds."""
        hint = ref.value
        if hint[:1] in ((), ("=",)):
            return ()
        if hint[-2:-1] and hint[-2] in MAKING:
            return (Place(TEMPORARY, (path, ref.line, ref.frame, "with")),)
        return self.steps(path, ref.frame, hint, scope)

    def _parameter(self, slot: Slot, binding: Binding) -> Places:
        """What callers pass for a parameter, and its default."""
        parameter = binding.parameter
        assert parameter is not None
        frames = self.program.facts[slot.path].frames
        frame = frames[slot.frame]
        found: list[Place] = []
        if parameter.default_source and parameter.default_source != "None":
            found += self.source(slot.path, frame.parent, parameter.default_source)
        if frame.sort != FUNCTION:
            return tuple(found)
        names = [each.name for each in frame.parameters]
        position = names.index(slot.name) - (names[0] in ("self", "cls"))
        if position < 0:  # `self`: no call hands it over
            return tuple(found)
        for path, ref, index in self.callers(Function(slot.path, slot.frame)):
            found += self._argument(path, ref, index, position, slot.name)
        return tuple(found)

    def callers(self, function: Function) -> list[tuple[str, Ref, int]]:
        """Calls of a function: file, reference, and the step that names it. Some, where there are many."""
        if function in self._called:
            return self._called[function]
        frame = self.program.frame(function)
        wanted: Function | Class = function
        name = frame.name
        if name == "__init__":
            wanted = Class(function.path, frame.parent)
            name = self.program.frame(wanted).name
        is_only = len(self.program.functions.get(name, ())) == 1 and frame.parameters[0].name == "self"
        found = [
            call
            for (value, is_attribute), calls in self._calls_of(name).items()
            if value == wanted
            or (value is None and is_attribute and is_only)
            or (isinstance(value, Class) and isinstance(wanted, Class) and wanted in self.resolver.lineage(value))
            for call in calls
        ]
        self._called[function] = [call[1:] for call in sorted(found, key=itemgetter(0))[:_CALLERS]]
        return self._called[function]

    def _calls_of(self, name: str) -> dict[tuple[Value, bool], list[tuple[int, str, Ref, int]]]:
        """Calls of a name, by what it means there and whether it is an attribute: their order, then as of `callers`."""
        if name not in self._meant:
            meant: dict[tuple[Value, bool], list[tuple[int, str, Ref, int]]] = defaultdict(list)
            for order, (path, ref) in enumerate(self._calls.get(name, ())):
                if ref.use != "define" and not is_aside(path):
                    index = ref.path.index(name)
                    value = self.resolver.resolve(path, ref.frame, ref.path[: index + 1])
                    meant[value, index > 0].append((order, path, ref, index))
            self._meant[name] = meant
        return self._meant[name]

    def _argument(self, path: str, ref: Ref, index: int, position: int, keyword: str) -> Places:
        """The argument in a place of a call: by its source where that was kept, else by its hint."""
        after = index + 1
        if ref.path[after : after + 2] == ("delay", "()"):
            after += 1
        if ref.path[after : after + 1] != ("()",):
            return self._of_runner(path, ref, position, keyword)
        kept = self._call_sources.get((path, ref.ends[2 * after], ref.ends[2 * after + 1]))
        if kept is not None:
            return self._of_call(path, ref.frame, kept, position, keyword)
        hint = hint_of(ref, index, position, keyword)
        return self.steps(path, ref.frame, hint, {}) if hint[:1] not in ((), ("=",)) else ()

    def called_at(self, path: str, ref: Ref, index: int) -> Expression | None:
        """The call whose name is the step of that number, where its source was kept."""
        after = index + 1
        if ref.path[after : after + 1] != ("()",):
            return None
        return self._call_sources.get((path, ref.ends[2 * after], ref.ends[2 * after + 1]))

    def _of_call(self, path: str, frame: int, call: Expression, position: int, keyword: str) -> Places:
        node = parse(call.source)
        if type(node) is not ast.Call:
            return ()
        for argument in node.keywords:
            if argument.arg == keyword:
                return self.places(path, frame, argument.value)
        return self.places(path, frame, node.args[position]) if position < len(node.args) else ()

    def _of_runner(self, path: str, ref: Ref, position: int, keyword: str) -> Places:
        """The argument where the function is handed to what runs it: `to_thread(save, path)`."""
        if ref.use != "pass" or ref.callee[-1:] not in _RUNNERS:
            return ()
        for call in self._runs.get(path, ()):
            if call.frame == ref.frame and call.span[:2] <= (ref.line, ref.column) <= call.span[2:]:
                return self._of_call(path, ref.frame, call, position + int(ref.position or 0) + 1, keyword)
        return ()


def _bare(name: str) -> str:
    return name[name.index("['") + 2 : -2] if "['" in name else name.rpartition(".")[2]
