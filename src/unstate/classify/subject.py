"""One candidate with everything that judging it needs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from unstate.facts.values import CLASS, MAIN, Ref
from unstate.link import containers
from unstate.link.candidates import Candidate, Touch
from unstate.link.lifetime import Lifetimes
from unstate.link.program import Program
from unstate.link.reach import Reach
from unstate.link.resolve import Resolver
from unstate.link.typenames import TypeNames
from unstate.link.values import Class, Function
from unstate.model import Op
from unstate.project import is_aside

# What makes another object of the class that a method belongs to.
_SAME_CLASS = frozenset({("cls", "()"), ("self", "__class__", "()")})
_JOBS = frozenset({"add_job", "scheduled_job"})  # methods that give a scheduler its jobs


@dataclass
class Subject:
    """A candidate and the program around it."""

    program: Program
    resolver: Resolver
    types: TypeNames
    reach: Reach
    lifetimes: Lifetimes
    candidate: Candidate
    _reached: dict[tuple[str, int], bool] = field(default_factory=dict)

    @cached_property
    def name(self) -> str:
        """Qualified name within the module."""
        slot = self.candidate.slot
        if slot.sort in ("module", "app"):
            return slot.name
        qualname = self.program.facts[slot.path].frames[slot.frame].qualname
        return f"{qualname}.{slot.name}"

    @property
    def bare_name(self) -> str:
        """The last part of the name, without underscores at its ends, in words: `userTokens` is `user_tokens`."""
        name = self.candidate.slot.name
        if "['" in name:
            name = name[name.index("['") + 2 : -2]
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.rpartition(".")[2].strip("_")).lower()

    @cached_property
    def owner(self) -> Class | None:
        """The class that an attribute belongs to."""
        slot = self.candidate.slot
        return Class(slot.path, slot.frame) if slot.sort == "class" else None

    @cached_property
    def used(self) -> list[Touch]:
        """Touches outside of tests."""
        return [touch for touch in (*self.candidate.touches, *self.candidate.others) if not is_aside(touch.path)]

    @cached_property
    def writes(self) -> list[Touch]:
        """Touches that change the store or what it holds, the definition left out."""
        return [
            touch
            for touch in self.used
            if touch.op in containers.WRITES or (touch.op is Op.CALL and _changes_by_call(touch))
        ]

    @cached_property
    def live_writes(self) -> list[Touch]:
        """Writes that a request can reach."""
        return [touch for touch in self.writes if self.reached(touch) and not self._on_new_object(touch)]

    def _on_new_object(self, touch: Touch) -> bool:
        """Whether a touch goes to an object that its function has just made for itself, or is making."""
        if self.candidate.slot.sort != "class" or len(touch.ref.path) < 2:
            return False
        if self.defined_in_class_body() and touch.op is not Op.REBIND:
            return False  # every object has the class's own
        name = touch.ref.path[0]
        found = self.program.lookup(touch.path, touch.ref.frame, name)
        if name == "self" and touch.op is Op.REBIND and len(touch.ref.path) == 2:
            return self.program.facts[touch.path].frames[touch.function].name == "__init__"
        if touch.through and found is not None and len(found[1]) == 1 and found[1][0].ref is not None:
            # another name for what the object has: table = made.table
            found = self.program.lookup(touch.path, touch.ref.frame, (*found[1][0].ref.value, "")[0])
        return (
            found is not None
            and bool(found[1])
            and found[0] == touch.function
            and all(self._makes_object(touch.path, binding.ref) for binding in found[1])
        )

    def _makes_object(self, path: str, ref: Ref | None) -> bool:
        if ref is None or ref.value[-1:] != ("()",):
            return False
        if ref.value in _SAME_CLASS:
            return True
        made = self.resolver.resolve(path, ref.frame, ref.value[:-1])
        return isinstance(made, Class) and not self.lifetimes.is_singleton(made)

    @cached_property
    def started(self) -> Touch | None:
        """Where the web program starts the scheduler that the store holds and that is given jobs, None for nowhere."""
        if not any(_JOBS.intersection(touch.rest[:1]) for touch in self.used):
            return None
        return next((touch for touch in self.used if touch.rest == ("start", "()") and self._is_run(touch)), None)

    def _is_run(self, touch: Touch) -> bool:
        if touch.ref.flags & MAIN or touch.path not in self.program.connected:
            return False
        return not touch.function or self.reach.runs(Function(touch.path, touch.function))

    def reached(self, touch: Touch) -> bool:
        """Whether a request can reach the function around a touch."""
        if not touch.function:
            return False
        key = (touch.path, touch.function)
        if key not in self._reached:
            self._reached[key] = self.reach.way(touch.path, touch.function) is not None
        return self._reached[key]

    def reached_by_request_alone(self, place: tuple[str, int]) -> bool:
        """Whether a function, by file and frame, is called by a request, and not by one that also fills the store."""
        path, function = place
        way = self.reach.way(path, function)
        return way is not None and not any(
            (step.path, step.frame) != place and (touch.path, touch.function) == (step.path, step.frame)
            for step in way
            for touch in self.live_writes
            if touch.op in containers.FILLS
        )

    def defined_in_class_body(self) -> bool:
        """Whether the class body binds the attribute, or a statement elsewhere binds it on the class."""
        definition = self.candidate.definition
        sort = self.program.facts[self.candidate.path].frames[definition.frame].sort
        in_body = sort == CLASS and len(definition.path) == 1
        return (in_body and not self._is_only_declared()) or self.is_bound_from_outside()

    def _is_only_declared(self) -> bool:
        """Whether the class body names the attribute with its type, and each object is given one of its own."""
        definition = self.candidate.definition
        if definition.source or definition.value or not definition.annotation or "ClassVar" in definition.annotation:
            return False
        return not self._is_bound_on_class()

    def is_bound_from_outside(self) -> bool:
        """Whether a module binds the attribute on the class: `Service.seen = {}`."""
        candidate = self.candidate
        owner = candidate.definition.path[:-1]
        return (
            candidate.slot.sort == "class"
            and not candidate.definition.frame
            and isinstance(self.resolver.resolve(candidate.path, 0, owner), Class)
        )

    def is_rebound_on_objects(self) -> bool:
        """Whether a scalar is what the class body gives every object to start with, never bound on the class itself."""
        return self.candidate.constructor in containers.IMMUTABLE and not self._is_bound_on_class()

    def _is_bound_on_class(self) -> bool:
        return any(
            touch.op is Op.REBIND
            and isinstance(self.resolver.resolve(touch.path, touch.ref.frame, touch.ref.path[:-1]), Class)
            for touch in self.candidate.touches
        )

    def is_each_objects_own(self) -> bool:
        """Whether every object of the class has its own: set on it, made by a field's factory, or copied for it."""
        if self.candidate.slot.sort != "class" or self.owner is None:
            return False
        if not self.defined_in_class_body() or self.is_rebound_on_objects() or self.has_factory():
            return True
        bases = {base.rpartition(".")[2] for base in self.resolver.external_bases(self.owner)}
        return not bases.isdisjoint({"BaseModel", "SQLModel", "Struct"})

    def has_factory(self) -> bool:
        """Whether a field of a dataclass makes a value for each object."""
        return re.search(r"\bfield\(.*factory=", self.candidate.definition.source) is not None


def _changes_by_call(touch: Touch) -> bool:
    """Whether a call changes the container: a method of its own, or a function that it is handed to, as `next(x)`."""
    return containers.is_mutator(touch.ref.callee) or bool(containers.MUTATORS.intersection(touch.rest[:1]))
