"""Slots that hold containers or rebound scalars, with every reference to them in every file."""

from __future__ import annotations

from collections import defaultdict

from unstate.facts.values import CLASS, COMPREHENSION, LAMBDA, LOCK, LOOP, TRY, Hint, Import, Path, Ref
from unstate.link import containers
from unstate.link.candidates import Candidate, Definitions, Touch
from unstate.link.operations import changes, operation, shares
from unstate.link.program import Program
from unstate.link.resolve import Resolver
from unstate.link.typenames import TypeNames
from unstate.link.values import Element, Function, Slot
from unstate.model import Op, Site, Span

_ENTRY = frozenset({Op.GETITEM, Op.SETITEM, Op.AUGITEM, Op.DELITEM, Op.NESTED_WRITE})


class Candidates:
    """The candidates of a program and everything that touches them."""

    def __init__(self, program: Program, resolver: Resolver) -> None:
        self.program = program
        self.resolver = resolver
        self.types = TypeNames(program, resolver)
        self.found = Definitions(program, resolver).find()
        self._roots: dict[str, dict[str, list[Ref]]] = {}
        self._touch()

    # References

    def _touch(self) -> None:
        wanted = defaultdict(list)
        for slot in self.found:
            wanted[self._last_step(slot)].append(slot)
        for slot in self._second_names():
            wanted[self._last_step(slot)].append(slot)
        names = self._spelled(set(wanted))
        for path, file in self.program.facts.items():
            for imported in file.imports:
                self._touch_import(path, imported)
            for ref in file.refs:
                if not names.isdisjoint(ref.path):
                    self._touch_ref(path, ref)
            for entry in file.entries:
                part = self.resolver.parts.get((Slot("module", path, 0, entry.path[0]), entry.path[1]))
                if part in self.found:
                    self._add(self.found[part], path, entry, 1)
        self._follow_other_names()
        self._follow_arguments()
        for candidate in self.found.values():
            candidate.touches.sort(key=lambda touch: (touch.path, *_place(touch)))

    def _spelled(self, names: set[str]) -> frozenset[str]:
        """The names with what imports call them elsewhere, and the functions that give back what they stand for."""
        aliases = [
            (found.name, found.bound)
            for file in self.program.facts.values()
            for found in file.imports
            if found.name not in ("", "*", found.bound)
        ]
        before = 0
        while before != len(names):
            before = len(names)
            names.update(bound for name, bound in aliases if name in names)
        givers = {
            frames[ref.frame].name
            for file in self.program.facts.values()
            for ref in file.refs
            if ref.use == "return" and not names.isdisjoint(ref.path) and (frames := file.frames)
        }
        return frozenset(names | givers)

    def _second_names(self) -> list[Slot]:
        """Names and attributes that hold what another slot holds: `rooms = m.rooms`, `self.rooms = rooms`."""
        held: list[Slot] = [Slot("app", "", 0, name) for name in self.resolver.app_attributes]
        for path, names in self.program.names.items():
            held += [
                Slot("module", path, 0, name)
                for name, bindings in names[0].items()
                if any(_names_another(found.ref) for found in bindings if found.ref is not None)
            ]
        for owner, attributes in self.resolver.attributes.items():
            held += [
                member
                for name, writes in attributes.items()
                if any(_names_another(ref) for _, ref in writes)
                and isinstance(member := self.resolver.class_member(owner, name), Slot)
            ]
        return [slot for slot in held if slot not in self.found and self._other_name(slot)]

    def _other_name(self, slot: Slot) -> Candidate | None:
        """The candidate that a slot is a second name of."""
        if slot.sort == "local":
            return None
        last, _ = self.resolver.settle(slot)
        found = self.found.get(last) if last != slot else None
        return found if found is not None and found.constructor not in containers.IMMUTABLE else None

    @staticmethod
    def _last_step(slot: Slot) -> str:
        if "[" in slot.name:
            return slot.name[slot.name.index("[") :]
        return slot.name.rpartition(".")[2] if slot.sort == "app" else slot.name

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
            if not isinstance(value, Slot):
                continue
            candidate = self.found.get(value)
            given = ref.path[index] == "()"  # by a function: of a number or text, that is its value alone
            if candidate is not None and not (given and candidate.flavour == containers.SCALAR):
                self._add(candidate, path, ref, index)
            other = self._other_name(value)
            if other is not None and ref.path[index + 1 :]:
                self._add(other, path, ref, index, through=value.name)

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
        if op in _ENTRY and rest[0].isidentifier() and rest[1:2] != ("()",):  # of a namespace
            value = ref.value if len(rest) == 1 and op is not Op.GETITEM else ()
            return "str", self.types.of(path, ref.frame, value), value
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
                        ref = binding.ref
                        # `text += NAMES[n]` makes no other name of the entry
                        if ref is not None and ref.use != "augment" and ref.value[:1] not in ((), ("=",)):
                            self._follow(path, frame_index, name, ref)

    def _follow(self, path: str, frame: int, name: str, binding: Ref) -> None:
        source = self._source_of(path, binding.frame, binding.value)
        if source is None:
            return
        candidate, rest = source
        if candidate.flavour == containers.SCALAR:
            return
        if candidate.slot == Slot("local", path, frame, name):
            return
        written = False
        for ref in self._refs_of(path, frame, name):
            if ref is binding or ref.use == "declare":
                continue
            used = Ref(ref.frame, (*binding.value, *ref.path[1:]), ref.use, ref.ends, ref.line, ref.column)
            op = operation(candidate, used, (*rest, *ref.path[1:]), name)
            if not rest:
                candidate.renamed.append(self._renamed(path, ref, op, name))
            changed = op in containers.WRITES and changes(ref)
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

    def _follow_arguments(self) -> None:
        """Parameters that a store is handed to: what a function does to its parameter happens to the store."""
        for candidate in self.found.values():
            if candidate.constructor in containers.IMMUTABLE:
                continue
            handed = [touch for touch in candidate.touches if touch.op is Op.PASS and not touch.rest]
            seen: set[Slot] = set()
            for touch in handed:
                slot = self._parameter(touch)
                if slot is not None and slot not in seen:
                    seen.add(slot)
                    handed += self._touch_parameter(candidate, slot)

    def _touch_parameter(self, candidate: Candidate, slot: Slot) -> list[Touch]:
        """Files the touches of a parameter, and gives those that hand it further on."""
        refs = self._refs_of(slot.path, slot.frame, slot.name)
        if any(ref.use in ("target", "bind", "loop") and len(ref.path) == 1 for ref in refs):
            return []  # the name may stand for something else by then
        found = []
        for ref in refs:
            rest = ref.path[1:]
            op = operation(candidate, ref, rest, slot.name)
            if op in containers.WRITES or (op is Op.PASS and not rest):
                key, value, hint = self._types(slot.path, ref, 0, op)
                function = self.program.function_around(slot.path, ref.frame)
                ends = (ref.ends[0], ref.ends[1])
                found.append(Touch(slot.path, ref, op, function, ends, rest, key, value, hint, slot.name))
        candidate.others += found
        return [touch for touch in found if touch.op is Op.PASS]

    def _parameter(self, touch: Touch) -> Slot | None:
        """The parameter of a project's function that a touch hands the store to."""
        ref = touch.ref
        function = self.resolver.resolve(touch.path, ref.frame, ref.callee) if ref.callee else None
        if not isinstance(function, Function):
            return None
        frames = self.program.facts[function.path].frames
        frame = frames[function.frame]
        names = [parameter.name for parameter in frame.parameters]
        if ref.position.isdigit():
            bound = frames[frame.parent].sort == CLASS and ("staticmethod",) not in frame.decorators
            index = int(ref.position) + bound
            name = names[index] if index < len(names) else ""
        else:
            name = ref.position if ref.position in names else ""
        return Slot("local", function.path, function.frame, name) if name else None

    def _renamed(self, path: str, ref: Ref, op: Op, name: str) -> Touch:
        """A use of a local name of a store, as one of the store."""
        key, value, hint = self._types(path, ref, 0, op)
        function = self.program.function_around(path, ref.frame)
        return Touch(path, ref, op, function, (ref.ends[0], ref.ends[1]), ref.path[1:], key, value, hint, name)

    def _source_of(self, path: str, frame: int, hint: Hint) -> tuple[Candidate, Path] | None:
        """The candidate that a local's value is, or is an entry of, with the steps that lead from it to the value."""
        values = self.resolver.trace(path, frame, hint)
        for index, value in enumerate(values):
            if isinstance(value, Slot) and value in self.found:
                rest = hint[index + 1 :]
                return (self.found[value], rest) if shares(rest) else None
            if isinstance(value, Element) and value.of in self.found:
                return self.found[value.of], ("[]", *hint[index + 1 :])
        return None

    def _refs_of(self, path: str, frame: int, name: str) -> list[Ref]:
        """References to a local name of one scope, from inner scopes too."""
        if path not in self._roots:
            roots: dict[str, list[Ref]] = {}
            for ref in self.program.facts[path].refs:
                roots.setdefault(ref.path[0], []).append(ref)
            self._roots[path] = roots
        result = []
        for ref in self._roots[path].get(name, ()):
            found = self.program.lookup(path, ref.frame, name)
            if found is not None and found[0] == frame:
                result.append(ref)
        return result


def _names_another(ref: Ref) -> bool:
    return ref.value[:1] not in ((), ("=",)) and ref.value[-1] != "()"


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
