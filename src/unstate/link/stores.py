"""Slots that hold containers or rebound scalars, with every reference to them in every file."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, field

from unstate.facts.values import CLASS, COMPREHENSION, FUNCTION, LAMBDA, LOCK, LOOP, TRY, Hint, Import, Path, Ref
from unstate.link import containers
from unstate.link.program import Program
from unstate.link.resolve import Resolver, element_annotation, outermost, split_parameters
from unstate.link.typenames import TypeNames
from unstate.link.values import Class, Element, External, Slot, Typed
from unstate.model import Op, Scope, Site, Span
from unstate.project import is_aside

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

    @property
    def scope(self) -> Scope:
        """Where the store lives."""
        if self.slot.sort == "class" and len(self.definition.path) > 1:
            return Scope.INSTANCE
        return _SCOPES[self.slot.sort]


class Candidates:
    """Finds the candidates of a program and everything that touches them."""

    def __init__(self, program: Program, resolver: Resolver) -> None:
        self.program = program
        self.resolver = resolver
        self.types = TypeNames(program, resolver)
        self.found: dict[Slot, Candidate] = {}
        self._define()
        self._touch()

    # Definitions

    def _define(self) -> None:
        for path, file in self.program.facts.items():
            if is_aside(path):
                continue
            for frame_index, names in enumerate(self.program.names[path]):
                sort = file.frames[frame_index].sort
                for name, bindings in names.items():
                    refs = [
                        binding.ref for binding in bindings if binding.ref is not None and binding.ref.use == "target"
                    ]
                    if not refs or (sort != CLASS and frame_index and not self._is_captured(path, frame_index, name)):
                        continue
                    if sort in (CLASS, FUNCTION) or frame_index == 0:
                        slot = Slot(
                            "class" if sort == CLASS else "local" if frame_index else "module", path, frame_index, name
                        )
                        self._consider(slot, [(path, ref) for ref in refs])
        for owner, attributes in self.resolver.attributes.items():
            if not is_aside(owner.path):
                for name, writes in attributes.items():
                    member = self.resolver.class_member(owner, name)
                    if isinstance(member, Slot):
                        self._consider(member, writes)
        for name, writes in self.resolver.app_attributes.items():
            self._consider(Slot("app", "", 0, name), writes)
        for (function, name), writes in self.resolver.function_attributes.items():
            self._consider(Slot("function", function.path, function.frame, name), writes)

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

    @property
    def _captured(self) -> dict[str, set[tuple[str, int, str]]]:
        if not hasattr(self, "_captured_names"):
            self._captured_names: dict[str, set[tuple[str, int, str]]] = {}
        return self._captured_names

    def _consider(self, slot: Slot, writes: list[tuple[str, Ref]]) -> None:
        for path, ref in writes:
            if ref.use != "target" or is_aside(path):
                continue
            constructor, flavour = self._made_by(path, ref)
            if not flavour:
                continue
            known = self.found.get(slot)
            if known is None:
                self.found[slot] = Candidate(slot, constructor, flavour, path, ref, ref.annotation)
            elif known.flavour == containers.SCALAR and flavour != containers.SCALAR:
                self.found[slot] = Candidate(slot, constructor, flavour, path, ref, ref.annotation or known.annotation)

    def _made_by(self, path: str, ref: Ref) -> tuple[str, str]:
        """Constructor and flavour of an assigned value; an empty flavour where it is no container."""
        hint = ref.value
        if hint[:1] == ("=",):
            constructor = containers.constructor_of(hint[1])
            flavour = containers.MAKERS.get(constructor, "")
            if flavour == containers.SCALAR and ref.annotation:
                declared = containers.ANNOTATED.get(outermost(ref.annotation).rpartition(".")[2], "")
                return (declared, declared) if declared else (constructor, flavour)
            return constructor, flavour
        if hint and hint[-1] == "()":
            made = self.resolver.resolve(path, ref.frame, hint[:-1])
            if isinstance(made, External):
                constructor = made.name.removeprefix("builtins.")
                return constructor, containers.MAKERS.get(constructor, "")
            if isinstance(made, Class):
                for base in self.resolver.external_bases(made):
                    if containers.MAKERS.get(base) in (containers.DICT, containers.LIST, containers.SET):
                        return self.program.qualified(made), containers.MAKERS[base]
                return "", ""
        value = self.resolver.of_hint(path, ref.frame, hint)
        annotation = ref.annotation or (value.annotation if isinstance(value, Typed) else "")
        flavour = containers.ANNOTATED.get(outermost(annotation).rpartition(".")[2], "") if annotation else ""
        return flavour, flavour

    # References

    def _touch(self) -> None:
        wanted = defaultdict(list)
        for slot in self.found:
            wanted[self._last_step(slot)].append(slot)
        for path, file in self.program.facts.items():
            names = set(wanted)
            for imported in file.imports:
                self._touch_import(path, imported)
                if imported.name in wanted:
                    names.add(imported.bound)
            for ref in file.refs:
                if not names.isdisjoint(ref.path):
                    self._touch_ref(path, ref)
        self._follow_other_names()
        for candidate in self.found.values():
            candidate.touches.sort(key=lambda touch: (touch.path, *_place(touch)))

    @staticmethod
    def _last_step(slot: Slot) -> str:
        if slot.sort != "app":
            return slot.name
        return slot.name[slot.name.index("[") :] if "[" in slot.name else slot.name.rpartition(".")[2]

    def _touch_import(self, path: str, imported: Import) -> None:
        if not imported.name or imported.name == "*":
            return
        value = self.resolver._imported(path, imported, imported.name)
        if isinstance(value, Slot) and value in self.found:
            line, column, end_line, end = imported.span
            ref = Ref(imported.frame, (imported.bound,), "import", (end_line, end), line, column, flags=imported.flags)
            function = self.program.function_around(path, imported.frame)
            self.found[value].touches.append(
                Touch(path, ref, Op.IMPORT, function, (end_line, end), (), imported=imported)
            )

    def _touch_ref(self, path: str, ref: Ref) -> None:
        if ref.use == "declare":
            found = self.program.lookup(path, ref.frame, ref.path[0])
            if found is None:
                return
            slot = Slot("module" if found[0] == 0 else "local", path, found[0], ref.path[0])
            if slot in self.found:
                self._add(self.found[slot], path, ref, 0)
            return
        for index, value in enumerate(self.resolver.trace(path, ref.frame, ref.path)):
            if isinstance(value, Slot) and value in self.found:
                self._add(self.found[value], path, ref, index)

    def _add(self, candidate: Candidate, path: str, ref: Ref, index: int, through: str = "") -> None:
        rest = ref.path[index + 1 :]
        op = operation(candidate, ref, rest, through)
        key, value, hint = self._types(path, ref, index, op)
        touch = Touch(
            path,
            ref,
            op,
            self.program.function_around(path, ref.frame),
            (ref.ends[2 * index], ref.ends[2 * index + 1]),
            rest,
            key,
            value,
            hint,
            through,
        )
        (candidate.others if through else candidate.touches).append(touch)

    def _types(self, path: str, ref: Ref, index: int, op: Op) -> tuple[str, str, Hint]:
        """Type of the key, type of the written value, and the value's hint."""
        before = sum(1 for step in ref.path[1 : index + 1] if step == "()" or step.startswith("["))
        arguments = ref.arguments[before] if before < len(ref.arguments) else ()
        positional = [argument.hint for argument in arguments if not argument.name]
        key: Hint = ()
        value: Hint = ()
        rest = ref.path[index + 1 :]
        if rest and rest[0].startswith("["):
            key = positional[0] if positional else ()
            if len(rest) == 1 and op in (Op.SETITEM, Op.AUGITEM):
                value = ref.value
        elif op in (Op.GET, Op.POP, Op.SETDEFAULT, Op.CONTAINS, Op.GETITEM, Op.SETITEM, Op.DELITEM):
            key = positional[0] if positional else ()
            value = positional[1] if len(positional) > 1 and op in (Op.SETDEFAULT, Op.SETITEM) else ()
        elif op is Op.ADD:
            value = positional[-1] if positional else ()
        elif op is Op.REBIND:
            value = ref.value
        names = self.types
        return names.of(path, ref.frame, key), names.of(path, ref.frame, value), value

    # Other names

    def _follow_other_names(self) -> None:
        """Local names for a store or for one of its entries: what happens to them happens to the store."""
        todo = list(self.program.facts)
        for path in todo:
            frames = self.program.facts[path].frames
            for frame_index, names in enumerate(self.program.names[path]):
                if frame_index == 0 or frames[frame_index].sort == CLASS:
                    continue
                for name, bindings in names.items():
                    for binding in bindings:
                        if binding.ref is not None and binding.ref.value[:1] not in ((), ("=",)):
                            self._follow(path, frame_index, name, binding.ref)

    def _follow(self, path: str, frame: int, name: str, binding: Ref) -> None:
        source = self._source_of(path, binding.frame, binding.value)
        if source is None:
            return
        candidate, rest = source
        if candidate.slot == Slot("local", path, frame, name):
            return
        written = False
        for ref in self._refs_of(path, frame, name):
            if ref is binding or ref.use == "declare":
                continue
            used = Ref(ref.frame, (*binding.value, *ref.path[1:]), ref.use, ref.ends, ref.line, ref.column)
            op = operation(candidate, used, (*rest, *ref.path[1:]), name)
            changed = op in containers.WRITES and _changes(ref)
            if changed or ref.use in ("pass", "return") or (rest and len(ref.path) > 1):
                touch = Touch(
                    path,
                    ref,
                    op if changed else Op.PASS if ref.use == "pass" else Op.RETURN if ref.use == "return" else Op.CALL,
                    self.program.function_around(path, ref.frame),
                    (ref.ends[0], ref.ends[1]),
                    (*rest, *ref.path[1:]),
                    through=name,
                    value=ref.value,
                )
                candidate.others.append(touch)
            written = written or changed
        if written:
            for touch in candidate.touches:
                if touch.path == path and touch.op in (Op.GETITEM, Op.GET) and _within(touch, binding.statement):
                    touch.op = Op.ALIAS

    def _source_of(self, path: str, frame: int, hint: Hint) -> tuple[Candidate, Path] | None:
        """The candidate that a local's value is, or is an entry of, with the steps that lead from it to the value."""
        values = self.resolver.trace(path, frame, hint)
        for index, value in enumerate(values):
            if isinstance(value, Slot) and value in self.found:
                rest = hint[index + 1 :]
                return (self.found[value], rest) if _shares(rest) else None
            if isinstance(value, Element) and value.of in self.found:
                return self.found[value.of], ("[]", *hint[index + 1 :])
        return None

    def _refs_of(self, path: str, frame: int, name: str) -> list[Ref]:
        key = (path, name)
        if key not in self._by_root:
            for ref in self.program.facts[path].refs:
                self._by_root[(path, ref.path[0])].append(ref)
            self._by_root.setdefault(key, [])
        result = []
        for ref in self._by_root[key]:
            found = self.program.lookup(path, ref.frame, name)
            if found is not None and found[0] == frame:
                result.append(ref)
        return result

    @property
    def _by_root(self) -> dict[tuple[str, str], list[Ref]]:
        if not hasattr(self, "_roots"):
            self._roots: dict[tuple[str, str], list[Ref]] = defaultdict(list)
        return self._roots


def operation(candidate: Candidate, ref: Ref, rest: Path, through: str = "") -> Op:
    """What a reference does, by the steps after the store and by what happens to the value they reach."""
    scalar = candidate.constructor in containers.IMMUTABLE
    if ref.use == "declare":
        return Op.GLOBAL
    if not rest:
        if ref.use == "target":
            defines = ref is candidate.definition or (not through and ref.frame == candidate.definition.frame == 0)
            return Op.DEFINE if defines else Op.REBIND
        if ref.use in ("augment", "delete", "bind", "loop"):
            return Op.REBIND
        if scalar:
            return Op.READ
        return {
            "iterate": Op.ITER,
            "contains": Op.CONTAINS,
            "length": Op.LEN,
            "truth": Op.BOOL,
            "pass": Op.PASS,
            "return": Op.RETURN,
            "alias": Op.ALIAS,
            "enter": Op.CALL,
        }.get(ref.use, Op.READ)
    if scalar:
        return Op.READ
    if rest[0].startswith("["):
        if len(rest) == 1:
            return {"target": Op.SETITEM, "augment": Op.AUGITEM, "delete": Op.DELITEM, "bind": Op.SETITEM}.get(
                ref.use, Op.GETITEM
            )
        return Op.NESTED_WRITE if _changes_nested(rest[1:], ref.use) else Op.GETITEM
    if len(rest) >= 2 and rest[1] == "()":
        op = containers.METHODS.get(rest[0], Op.CALL)
        if op is Op.GET and len(rest) > 2 and _changes_nested(rest[2:], ref.use):
            return Op.NESTED_WRITE
        return op
    return Op.CALL


def _changes_nested(steps: Path, use: str) -> bool:
    if use in ("target", "augment", "delete"):
        return True
    return any(step in containers.MUTATORS and later == "()" for step, later in itertools.pairwise(steps))


def _changes(ref: Ref) -> bool:
    """Whether a reference through another name changes what the name stands for."""
    if len(ref.path) == 1:
        return ref.use == "augment"
    return _changes_nested(ref.path[1:], ref.use)


def _shares(rest: Path) -> bool:
    """Whether the steps from a store reach the same object that the store holds, no copy."""
    if not rest:
        return True
    if rest[0].startswith("["):
        return "()" not in rest
    if rest[0] in ("get", "setdefault", "values", "items") and rest[1:2] == ("()",):
        return "()" not in rest[2:]
    return False


def _within(touch: Touch, statement: tuple[int, int, int, int]) -> bool:
    line, column, end_line, end_column = statement
    return (line, column) <= (touch.ref.line, touch.ref.column) <= (end_line, end_column)


def _place(touch: Touch) -> tuple[int, int, tuple[int, int]]:
    return touch.ref.line, touch.ref.column, touch.ends_at


def contexts(flags: int, at_import: bool) -> tuple[str, ...]:
    """The words of `Site.contexts` for a reference's flags."""
    words = [
        word
        for bit, word in (
            (LOOP, "loop"),
            (LOCK, "lock"),
            (TRY, "try"),
            (LAMBDA, "lambda"),
            (COMPREHENSION, "comprehension"),
        )
        if flags & bit
    ]
    return (*words, "import time") if at_import else tuple(words)


def site(program: Program, touch: Touch, reachable: bool) -> Site:
    """The touch as the model has it."""
    frame = program.facts[touch.path].frames[touch.function]
    at_import = touch.function == 0
    return Site(
        path=touch.path,
        span=Span(line=touch.ref.line, column=touch.ref.column, end_line=touch.ends_at[0], end_column=touch.ends_at[1]),
        op=touch.op,
        function=frame.qualname if touch.function else "",
        asynchronous=frame.asynchronous,
        key_type=touch.key_type,
        value_type=touch.value_type,
        reachable=reachable,
        contexts=contexts(touch.ref.flags, at_import),
    )


def declared_types(annotation: str) -> tuple[str, str]:
    """Key and value type of a container's annotation, "" where it declares none."""
    if "[" not in annotation:
        return "", ""
    head = outermost(annotation)
    start = annotation.find(f"{head}[")
    if start < 0 or head.rpartition(".")[2] not in containers.ANNOTATED:
        return "", ""
    body = annotation[start + len(head) :]
    depth = 0
    for index, character in enumerate(body):
        depth += (character == "[") - (character == "]")
        if depth == 0:
            body = body[: index + 1]
            break
    parts = split_parameters(body[1:-1])
    return (parts[0], parts[-1]) if len(parts) > 1 else ("", element_annotation(body))


__all__ = "MAIN Bound Candidate Candidates Function Instance Made Module Touch site".split()
