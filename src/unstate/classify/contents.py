"""What is put into a store: values with their types, whatever way they get in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from unstate.classify.subject import Subject
from unstate.facts.hints import path_of
from unstate.facts.values import Hint, Path
from unstate.link import containers
from unstate.link.annotations import outermost
from unstate.link.candidates import Touch
from unstate.link.handles import METHODS, Handles, is_callable
from unstate.link.places import parse
from unstate.link.typenames import declared_types
from unstate.link.values import Class, Function, Instance, Made, Slot, Typed, Value
from unstate.model import Kind, Op


@dataclass
class Contents:
    """The values of one store."""

    subject: Subject
    handles: Handles

    @cached_property
    def values(self) -> list[Value]:
        """Everything that is put in, as far as it can be followed; the declared type first."""
        found: list[Value] = []
        for touch in (*self.subject.candidate.touches, *self.subject.candidate.others):
            for hint in _filled(touch):
                value = self.subject.resolver.of_hint(touch.path, touch.ref.frame, hint)
                if isinstance(value, Slot):
                    value = self.subject.resolver.settle(value)[1] or self._annotated(value)
                found.append(value)
        return found

    def _annotated(self, slot: Slot) -> Value:
        for _, _, annotation, _ in self.subject.resolver.assignments(slot):
            if annotation:
                return Typed(annotation)
        return None

    @cached_property
    def declared(self) -> str:
        """The declared type of a value, "" where there is none."""
        return declared_types(self.subject.candidate.annotation)[1]

    @cached_property
    def handle(self) -> Kind | None:
        """The kind of live handles that the store holds, None where it holds data as far as one can see."""
        candidate = self.subject.candidate
        own = self.handles.of_maker(candidate.constructor) if candidate.flavour == containers.HANDLE else None
        if own is not None:
            return own
        path, frame = candidate.path, candidate.definition.frame
        for text in (candidate.annotation, self.declared):
            found = self.handles.of_annotation(path, frame, text) if text else None
            if found is not None:
                return found
        for value in self.values:
            found = self.handles.of(value)
            if found is not None:
                return found
        if self._driven():
            return Kind.CONNECTION_REGISTRY
        return next((found for value in self._parts() if (found := self.handles.of(value)) is not None), None)

    def _parts(self) -> Iterator[Value]:
        """What records are made of that are put in, as `x[k] = {"client": client}`, but for what callers give."""
        resolver, program = self.subject.resolver, self.subject.program
        for touch in self.subject.candidate.touches:
            if touch.op is Op.SETITEM and touch.value[:1] == ("=",) and touch.ref.source:
                given = {each.name for each in program.facts[touch.path].frames[touch.function].parameters}
                for steps in parts(touch.ref.source):
                    if len(steps) == 1 and steps[0] in given:
                        continue
                    value = resolver.resolve(touch.path, touch.ref.frame, steps)
                    yield resolver.settle(value)[1] if isinstance(value, Slot) else value

    def _driven(self) -> bool:
        """Whether entries are driven by methods that only handles have."""
        return any(
            step in METHODS
            for touch in (*self.subject.candidate.touches, *self.subject.candidate.others)
            for step, later in zip(touch.rest[1:], touch.rest[2:], strict=False)
            if later == "()"
        )

    @cached_property
    def code(self) -> bool:
        """Whether the values are functions or classes: a registry of code, not data."""
        if self.declared and is_callable(self.declared):
            return True
        known = [value for value in self.values if value is not None]
        return bool(known) and (all(map(_is_code, known)) or self._is_put_code())

    def _is_put_code(self) -> bool:
        """Whether all that is put in whole is code: what is handed to a method of an entry is not put in."""
        touches = (*self.subject.candidate.touches, *self.subject.candidate.others)
        whole = [touch for touch in touches if touch.op in (Op.SETITEM, Op.SETDEFAULT, Op.ADD) and touch.value]
        resolver, candidate = self.subject.resolver, self.subject.candidate
        found = [resolver.of_hint(touch.path, touch.ref.frame, touch.value) for touch in whole]
        found += [
            resolver.resolve(candidate.path, candidate.definition.frame, steps)
            for steps in parts(candidate.definition.source)
        ]
        return bool(found) and all(isinstance(value, Function | Class) for value in found)

    @cached_property
    def classes(self) -> list[Class]:
        """Classes of the project whose instances are kept."""
        found = [value.of for value in self.values if isinstance(value, Instance)]
        candidate = self.subject.candidate
        for word in self.declared.replace("[", " ").replace("]", " ").replace("|", " ").replace(",", " ").split():
            value = self.subject.resolver.resolve(candidate.path, candidate.definition.frame, tuple(word.split(".")))
            if isinstance(value, Class):
                found.append(value)
        return list(dict.fromkeys(found))

    @cached_property
    def foreign(self) -> str:
        """The class of another library that the values are declared to be of, or come from; "" where there is none."""
        if self.declared:
            candidate = self.subject.candidate
            value = self.subject.resolver.annotated(candidate.path, candidate.definition.frame, self.declared)
            if isinstance(value, Made) and not self._is_data(value.maker):
                return value.maker
        return next((maker for maker in self.makers if self._is_no_data(maker)), "")

    def _is_data(self, declared: str) -> bool:
        """Whether values of a declared type may be data: one that travels must be declared by its own name."""
        if TYPED.fullmatch(declared):
            return outermost(self.declared).rpartition(".")[2] == declared.rpartition(".")[2]
        return declared.partition(".")[0] in _DESCRIBING or declared in _TELLING

    def _is_no_data(self, maker: str) -> bool:
        return maker.partition(".")[0] in _NO_JSON or (not self.declared and TYPED.fullmatch(maker) is not None)

    @cached_property
    def makers(self) -> list[str]:
        """What made the values that come from other libraries."""
        return [value.maker for value in self.values if isinstance(value, Made)]


def parts(source: str) -> list[Path]:
    """The paths of the values in a display of a dict, list, set or tuple; () for one that is no path."""
    node = parse(source)
    if isinstance(node, ast.Dict):
        return [path_of(value) for value in node.values]
    return [path_of(value) for value in node.elts] if isinstance(node, ast.List | ast.Set | ast.Tuple) else []


def _is_code(value: Value) -> bool:
    return isinstance(value, Function | Class) or (isinstance(value, Typed) and is_callable(value.annotation))


def _filled(touch: Touch) -> list[Hint]:
    """Hints of what a touch puts into the store or into one of its entries."""
    if touch.op in (Op.SETITEM, Op.AUGITEM, Op.SETDEFAULT, Op.ADD, Op.REBIND) and touch.value:
        found = [touch.value]
    else:
        found = []
    steps = touch.ref.path
    if touch.op in (Op.NESTED_WRITE, Op.SETDEFAULT) and len(steps) > 2 and steps[-1] == "()" and steps[-2] in _FILLING:
        found += [argument.hint for argument in touch.ref.arguments[-1][-1:]]
    elif touch.op is Op.NESTED_WRITE and touch.ref.use == "target" and len(touch.rest) > 1:
        found.append(touch.ref.value)
    return [hint for hint in found if hint]


# Packages whose names describe values, and are not what they are made of.
_DESCRIBING = frozenset("typing typing_extensions collections builtins types enum".split())
_TELLING = frozenset({"pydantic.JsonValue"})
# Packages whose objects no JSON holds, whatever function made them.
_NO_JSON = frozenset(
    {
        "pathlib",
        "numpy",
        "cv2",
        "PIL",
        "pandas",
        "torch",
        "tensorflow",
        "jax",
        "matplotlib",
        "scipy",
        "polars",
    }
)
# What makes values that travel by their type, where that is declared.
TYPED = re.compile(
    r"datetime\.(datetime|date|time|timedelta)(\.(now|utcnow|today|(utc)?fromtimestamp|fromisoformat|strptime|combine))?"
    r"|uuid\.(UUID|uuid\d)|decimal\.Decimal|django\.utils\.timezone\.now"
)
_FILLING = frozenset({"append", "add", "appendleft", "extend", "insert", "setdefault", "update"})
