"""Slots that hold containers or scalars: what may be a store, before anything is known of what it is for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from unstate.facts.values import CLASS, FUNCTION, MODULE, Hint, Import, Parameter, Path, Ref
from unstate.link import containers
from unstate.link.annotations import outermost
from unstate.link.program import Program
from unstate.link.resolve import Resolver
from unstate.link.values import Class, External, Slot, Typed
from unstate.model import Op, Scope
from unstate.project import is_aside

_SORTS = {MODULE: "module", CLASS: "class", FUNCTION: "local"}
_SCOPES = {
    "module": Scope.MODULE,
    "class": Scope.CLASS,
    "app": Scope.APP,
    "local": Scope.CLOSURE,
    "function": Scope.FUNCTION,
}


@dataclass(slots=True)
class Touch:
    """One use of a store or of something that is the same object: what a site is made from."""

    path: str
    ref: Ref
    op: Op
    function: int  # frame index of the named function around it, 0 at module level
    ends_at: tuple[int, int]  # where the reference to the store ends
    rest: Path  # steps after the store
    key_type: str = ""
    value_type: str = ""
    value: Hint = ()
    through: str = ""  # the local name it goes through, "" for the store's own name
    imported: Import | None = None


@dataclass(slots=True)
class Candidate:
    """A slot that may be a store, before anything is known of what it is for."""

    slot: Slot
    constructor: str
    flavour: str  # dict, list, set, scalar, handle
    path: str
    definition: Ref
    annotation: str = ""
    touches: list[Touch] = field(default_factory=list)  # through the store's own name: these become sites
    others: list[Touch] = field(default_factory=list)  # through another name for it or for one of its entries
    renamed: list[Touch] = field(default_factory=list)  # every use through a local name of the whole store

    @property
    def typed(self) -> list[Touch]:
        """All uses that show what its keys and values are."""
        return [*self.touches, *self.renamed]

    @property
    def scope(self) -> Scope:
        """Where the store lives."""
        if self.definition.use == "default":
            return Scope.DEFAULT
        if self.slot.sort == "class" and len(self.definition.path) > 1:
            return Scope.INSTANCE
        return _SCOPES[self.slot.sort]


# What describes a field of a dataclass: its annotation says what each object is given.
_FIELDS = frozenset({"dataclasses.field", "attr.ib", "attr.field", "attrs.field"})


class Definitions:
    """Finds the candidates of a program."""

    def __init__(self, program: Program, resolver: Resolver) -> None:
        self.program = program
        self.resolver = resolver
        self._captured: dict[str, set[tuple[str, int, str]]] = {}

    def find(self) -> dict[Slot, Candidate]:
        """Every candidate by its slot."""
        found = {slot: self._candidate(slot, writes) for slot, writes in self._collect().items()}
        return {slot: candidate for slot, candidate in found.items() if candidate is not None}

    def _collect(self) -> dict[Slot, list[tuple[str, Ref]]]:
        """Every slot that lives longer than a call, with what binds it."""
        writes: dict[Slot, list[tuple[str, Ref]]] = defaultdict(list)
        for path, file in self.program.facts.items():
            if is_aside(path) or self.program.is_copied(path):
                continue
            for frame, names in enumerate(self.program.names[path]):
                sort = _SORTS.get(file.frames[frame].sort)
                if sort is None:
                    continue
                for name, bindings in names.items():
                    refs = [found.ref for found in bindings if found.ref is not None and found.ref.use == "target"]
                    kept = sort != "local" or any(map(_runs_jobs, refs)) or self._is_captured(path, frame, name)
                    if refs and kept:
                        slot = self._class_slot(path, frame, name) if sort == "class" else Slot(sort, path, frame, name)
                        writes[slot] += [(path, ref) for ref in refs]
            for frame, scope in enumerate(file.frames):
                for parameter in scope.parameters if scope.sort == FUNCTION else ():
                    if parameter.default[:1] == ("=",) and parameter.name not in ("self", "cls"):
                        writes[Slot("local", path, frame, parameter.name)].append((path, _default(frame, parameter)))
        for owner, attributes in self.resolver.attributes.items():
            if not is_aside(owner.path) and not self.program.is_copied(owner.path):
                for name, found in attributes.items():
                    member = self.resolver.class_member(owner, name)
                    if isinstance(member, Slot):
                        writes[member] += found
        for name, found in self.resolver.app_attributes.items():
            writes[Slot("app", "", 0, name)] += found
        for (whole, _), part in self.resolver.parts.items():
            writes.pop(whole, None)
            writes[part] += self.resolver.writes(part)
        for (function, name), found in self.resolver.function_attributes.items():
            writes[Slot("function", function.path, function.frame, name)] += found
        return writes

    def _class_slot(self, path: str, frame: int, name: str) -> Slot:
        member = self.resolver.class_member(Class(path, frame), name)
        return member if isinstance(member, Slot) else Slot("class", path, frame, name)

    def _is_captured(self, path: str, frame: int, name: str) -> bool:
        """Whether a function inside the frame uses the name, so that it outlives the call."""
        return (path, frame, name) in self._captures(path)

    def _captures(self, path: str) -> set[tuple[str, int, str]]:
        known = self._captured.get(path)
        if known is None:
            known = self._captured[path] = set()
            frames = self.program.facts[path].frames
            for ref in self.program.facts[path].refs:
                if frames[ref.frame].parent <= 0:
                    continue
                found = self.program.lookup(path, ref.frame, ref.path[0])
                if found is None or not found[0] or found[0] == ref.frame:
                    continue
                if self.program.function_around(path, ref.frame) != self.program.function_around(path, found[0]):
                    known.add((path, found[0], ref.path[0]))
        return known

    def _candidate(self, slot: Slot, writes: list[tuple[str, Ref]]) -> Candidate | None:
        """The slot as a candidate if one of its bindings makes a container or a scalar.

        A container says more than `None`, and a value more than a bare annotation.
        """
        best: Candidate | None = None
        heaviest = -1
        annotation = ""
        for path, ref in writes:
            if ref.use not in ("target", "default") or is_aside(path):
                continue
            constructor, flavour = self._made_by(path, ref)
            if flavour:
                annotation = annotation or ref.annotation
                weight = 2 * (flavour != containers.SCALAR) + bool(ref.source)
                if weight > heaviest:
                    heaviest, best = weight, Candidate(slot, constructor, flavour, path, ref)
        if best is None:
            return self._rebound_only(slot, writes)
        best.annotation = annotation
        if best.definition.frame and slot.sort == "module":  # `x = None` of the module defines what a function fills
            home = next((ref for path, ref in writes if not ref.frame and ref.source and path == slot.path), None)
            best.definition, best.path = (home, slot.path) if home is not None else (best.definition, best.path)
        return best

    def _rebound_only(self, slot: Slot, writes: list[tuple[str, Ref]]) -> Candidate | None:
        """A module global that only functions bind, by `global`: it is there after the first call."""
        if slot.sort != "module" or any(not ref.frame or path != slot.path for path, ref in writes):
            return None
        first = next((ref for _, ref in writes if ref.use == "target"), None)
        return Candidate(slot, "", containers.SCALAR, slot.path, first) if first is not None else None

    def _made_by(self, path: str, ref: Ref) -> tuple[str, str]:
        """Constructor and flavour of an assigned value; an empty flavour where it is no container."""
        hint = ref.value
        if hint[:1] == ("=",):
            constructor = containers.constructor_of(hint[1])
            flavour = containers.MAKERS.get(constructor, "")
            if ref.use == "default":
                return constructor, "" if flavour == containers.SCALAR else flavour
            if flavour == containers.SCALAR and ref.annotation:
                declared = containers.ANNOTATED.get(outermost(ref.annotation).rpartition(".")[2], "")
                return (declared, declared) if declared else (constructor, flavour)
            return constructor, flavour
        if hint and hint[-1] == "()":
            made = self.resolver.resolve(path, ref.frame, hint[:-1])
            if isinstance(made, External) and made.name not in _FIELDS:
                constructor = made.name.removeprefix("builtins.")
                kept = containers.HANDLE if containers.is_handle(constructor) else ""
                return constructor, containers.MAKERS.get(constructor, kept)
            if isinstance(made, Class):
                for base in self.resolver.external_bases(made):
                    if containers.MAKERS.get(base) in (containers.DICT, containers.LIST, containers.SET):
                        return self.program.qualified(made), containers.MAKERS[base]
                return "", ""
        value = self.resolver.of_hint(path, ref.frame, hint)
        annotation = ref.annotation or (value.annotation if isinstance(value, Typed) else "")
        flavour = containers.ANNOTATED.get(outermost(annotation).rpartition(".")[2], "") if annotation else ""
        return flavour, flavour


def _runs_jobs(ref: Ref) -> bool:
    """Whether a scheduler is made, which goes on when the function that started it has ended."""
    return ref.value[-1:] == ("()",) and ref.value[-2].lower().endswith("scheduler")


def _default(frame: int, parameter: Parameter) -> Ref:
    """A parameter's default as what binds the parameter: it is made once, with the function."""
    line, column, end_line, end_column = parameter.span
    end = (line, column + len(parameter.name))
    return Ref(
        frame,
        (parameter.name,),
        "default",
        end,
        line,
        column,
        value=parameter.default,
        annotation=parameter.annotation,
        source=parameter.default_source,
        statement=(line, column, end_line, end_column),
    )
