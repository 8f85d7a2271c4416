"""Changes made through a local name are written back: `s = x[k]; s["n"] = 1` is followed by a save of what changed.

A save stands right behind the statement that changes, so that no way out of a function can miss it; runs of changes
that nothing can come between share one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import libcst as cst

from unstate.model import LATER_WINS, Layout
from unstate.rewrite import stale
from unstate.rewrite.binding import Binding
from unstate.rewrite.flow import Flow
from unstate.rewrite.match import pure, same
from unstate.rewrite.places import bindings_of, called, calm, names_in, parts
from unstate.rewrite.trace import Change, Trace

LIFTED = "entry"  # what an entry is called that had no name
_FORMS = {
    Layout.STRING: "save_entry(redis_client, KEY, ENC(v){})",
    Layout.HASH: "hash_save_entry(redis_client, NAME, FIELD, ENC(v){})",
    Layout.LIST: "list_save_entry(redis_client, NAME, k, ENC(v){})",
}


_READS = {
    Layout.STRING: "optional(redis_client.get(KEY), DEC, d)",
    Layout.HASH: "optional(redis_client.hget(NAME, FIELD), DEC, d)",
}


@dataclass(slots=True)
class Alias:
    """A local name that an entry of a store is bound to: read from it, or put into it."""

    binding: Binding
    node: cst.CSTNode  # what was read, or the value that was stored
    key: cst.BaseExpression | None
    name: str
    function: cst.FunctionDef
    stored: bool
    changes: list[Change]
    loops: list[cst.While]  # that go on with it, while others may change the entry
    counting: cst.For | None = None  # over a list: the key is the place in it


@dataclass(frozen=True, slots=True)
class Save:
    """One call that writes a changed value back, behind a statement."""

    statement: cst.CSTNode
    binding: Binding
    key: cst.BaseExpression
    name: str
    fields: tuple[str, ...]  # source of the keys that changed; none for the whole value
    lifted: cst.CSTNode | None = None  # what is read in the statement, and gets that name in front of it
    loop: cst.For | None = None  # over a list, which counts the places that are the keys
    shared: bool = False  # whether changes before the statement are written back with it

    @property
    def form(self) -> str:
        """The catalogue form, over `k` and `v`."""
        return _FORMS[self.binding.layout].format("".join(f", {each}" for each in self.fields))


@dataclass(frozen=True, slots=True)
class Reload:
    """A name that is bound anew to its entry, as it is by then; to what it was, where there is none any more."""

    statement: cst.CSTNode
    binding: Binding
    key: cst.BaseExpression
    name: str
    why: str  # the function that changes the entry, "" for a loop's next round
    before: bool = False  # it stands in front of the statement, not behind it

    @property
    def form(self) -> str:
        """The catalogue form, over `k` and `d`."""
        return _READS[self.binding.layout]


@dataclass(frozen=True, slots=True)
class Missed:
    """A name that is not bound anew behind a function that changes entries, because it may be something else."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Lift:
    """An entry without a name that is changed where it is read."""

    change: Change
    node: cst.CSTNode
    binding: Binding
    key: cst.BaseExpression


@dataclass(slots=True)
class Saves:
    """Collects the aliases of one file, and says where their changes are written back."""

    flow: Flow
    fresh: Callable[[str], str]  # a name that the file does not have
    aliases: list[Alias] = field(default_factory=list)
    lifts: list[Lift] = field(default_factory=list)

    def add(
        self, binding: Binding, node: cst.CSTNode, key: cst.CSTNode | None, trace: Trace, *, stored: bool
    ) -> str | None:
        """Note a value that was followed; the reason where what changes in it cannot be written back."""
        name, function = _bound_name(self.flow, node, stored=stored), self.flow.function(node)
        if any(change.lifted for change in trace.changes):
            return self._lift(binding, node, key, trace)
        loop = self.flow.parent(node)
        if key is None and isinstance(loop, cst.For) and isinstance(loop.target, cst.Tuple):
            key = loop.target.elements[0].value  # `for k, s in x.items()`
        if name is None or function is None:
            return None
        known = key if isinstance(key, cst.BaseExpression) else None
        alias = Alias(binding, node, known, name, function, stored, trace.changes, trace.loops)
        if (
            trace.changes
            and binding.steady
            and isinstance(node, cst.Name | cst.Attribute)
            and isinstance(loop, cst.For)
        ):
            number = sum(each.counting is not None and each.function is function for each in self.aliases[:-1])
            alias.counting = loop
            alias.key = cst.Name(self.fresh(f"place_{number + 1}" if number else "place"))
        self.aliases.append(alias)
        if not trace.changes:
            return None
        statements = [change.statement for change in trace.changes]
        reason: str | None = f"`{name}` is changed, and which entry it is cannot be told here"
        if alias.key is not None:
            reason = _unsteady(self.flow, alias, statements)
        if binding.layout is Layout.LIST:
            return None if alias.counting else f"`{name}` is changed, and its place in the list cannot be told here"
        if reason is not None and binding.key_field:  # the entry says it itself
            alias.key = cst.Attribute(cst.Name(name), cst.Name(binding.key_field))
            changed = any(f'"{binding.key_field}"' in _fields(change.step) for change in trace.changes)
            reason = f"`{name}` is changed in `{binding.key_field}`, by which it is found" if changed else None
        return reason if binding.layout in _FORMS else f"`{name}` is changed, and which entry it is cannot be told here"

    def _lift(self, binding: Binding, node: cst.CSTNode, key: cst.CSTNode | None, trace: Trace) -> str | None:
        """`x[k]["f"].append(f())`: the entry gets a name of its own in front of the statement."""
        if binding.layout not in _READS or not isinstance(key, cst.BaseExpression):
            return "which entry it is cannot be told here"
        if len(trace.changes) != 1 or not pure(key):
            return "it is changed in more than one way, or its key is not a plain expression"
        self.lifts.append(Lift(trace.changes[0], node, binding, key))
        return None

    def refusals(self) -> Iterable[tuple[Alias, str]]:
        """Aliases whose changes cannot be written back, with the reason; for after the whole file was seen."""
        for alias in self.aliases:
            if alias.changes and (reason := self._ambiguous(alias)) is not None:
                yield alias, reason
            for reload in self._reloads(alias):
                if isinstance(reload, str):
                    yield alias, reload

    def changing(self) -> Iterator[tuple[str, str]]:
        """(binding id, function) for the functions that change entries and write them back."""
        for alias in self.aliases:
            if alias.changes:
                yield alias.binding.id, self.flow.qualified(alias.function)
        for lift in self.lifts:
            yield lift.binding.id, self.flow.qualified(lift.change.statement)

    def reloads(self) -> dict[int, list[Reload]]:
        """Where names are bound anew, by the statement at which that is done."""
        found: dict[int, list[Reload]] = {}
        for alias in self.aliases:
            for reload in self._reloads(alias):
                if not isinstance(reload, Reload):
                    continue
                there = found.setdefault(id(reload.statement), [])
                if all((each.name, each.before) != (reload.name, reload.before) for each in there):
                    there.append(reload)
        return found

    def missed(self) -> Iterator[tuple[Alias, Missed]]:
        """Names that hold an entry as it was, while a function changes it; for a person to look at."""
        for alias in self.aliases:
            for each in self._reloads(alias):
                if isinstance(each, Missed):
                    yield alias, each

    def _reloads(self, alias: Alias) -> Iterator[Reload | Missed | str]:
        """Where an alias is bound anew; text for why that cannot be."""
        places: list[tuple[cst.CSTNode, str, bool]] = []
        for call in stale.changing_calls(self.flow, alias.binding.changers, alias.function, alias.node):
            uses = stale.uses_behind(self.flow, alias.function, alias.name, call)
            place = stale.place_behind(self.flow, call, alias.name, uses) if uses else None
            if isinstance(place, str):
                yield place
            elif place is not None:
                places.append((place, called(call), False))
        for loop in alias.loops:
            round_ = stale.place_in(self.flow, loop, alias.name)
            if isinstance(round_, str):
                yield round_
            else:
                places.append((round_[0], "", round_[1]))
        if not places:
            return
        if alias.binding.layout not in _READS or alias.key is None or self._ambiguous(alias) is not None:
            if alias.loops:
                yield f"a loop goes on with `{alias.name}`, which others may change, and cannot tell its entry"
            for _, why, _ in places:
                yield Missed(alias.name, why)
        elif (reason := _unsteady(self.flow, alias, [place for place, _, _ in places])) is not None:
            yield reason
        elif any(change.statement is place for change in alias.changes for place, _, _ in places):
            yield f"`{alias.name}` and its entry are changed in one statement"
        else:
            for place, why, before in places:
                yield Reload(place, alias.binding, alias.key, alias.name, why, before)

    def _ambiguous(self, alias: Alias) -> str | None:
        """Why a name may hold something else than the entry."""
        mine = [each for each in self.aliases if each.function is alias.function]
        same_entry = [
            each
            for each in mine
            if each.binding is alias.binding and each.key and alias.key and same(each.key, alias.key)
        ]
        other = next((each for each in same_entry if each.name != alias.name), None)
        if other is not None:
            return f"`{alias.name}` and `{other.name}` are the same entry, and one of them changes it"
        known = {id(each.node) for each in same_entry if each.name == alias.name and not each.stored}
        put = any(each.stored and each.name == alias.name for each in same_entry)
        for value in bindings_of(alias.function, alias.name):
            if alias.binding.holds_records and isinstance(value, cst.AugAssign):
                continue  # a dict takes the other's entries in, and stays what it is
            if isinstance(value, cst.CompFor):
                continue  # another name, which a comprehension has for itself
            if not put and (value is None or id(value) not in known):
                return f"`{alias.name}` is not always the entry that it is read from"
        if put and any(each.name == alias.name and each not in same_entry for each in mine):
            return f"`{alias.name}` is more than one entry"
        return None

    def planned(self, touches: Callable[[cst.CSTNode], bool]) -> dict[int, list[Save]]:
        """The saves by the statement that they follow. `touches`: whether a statement has a store in it."""
        found: dict[int, list[Save]] = {}
        for alias in self.aliases:
            for change in alias.changes:
                assert alias.key is not None  # else it was refused
                fields = _fields(change.step)
                save = Save(change.statement, alias.binding, alias.key, alias.name, fields, loop=alias.counting)
                _put(found.setdefault(id(change.statement), []), save)
        for function in {id(alias.function): alias.function for alias in self.aliases}.values():
            _gather(function.body, found, touches)
        for lift in self.lifts:
            steps = _fields(lift.change.step)
            save = Save(lift.change.statement, lift.binding, lift.key, LIFTED, steps, lifted=lift.node)
            found.setdefault(id(lift.change.statement), []).append(save)
        return found


def _put(saves: list[Save], save: Save) -> None:
    """One save for each entry behind a statement."""
    for number, there in enumerate(saves):
        if there.name == save.name and there.binding is save.binding:
            saves[number] = _joined(there, save, there.statement)
            return
    saves.append(save)


def _joined(left: Save, right: Save, statement: cst.CSTNode) -> Save:
    fields = tuple(dict.fromkeys((*left.fields, *right.fields))) if left.fields and right.fields else ()
    return Save(statement, left.binding, left.key, left.name, fields, loop=left.loop, shared=True)


def _gather(body: cst.CSTNode, found: dict[int, list[Save]], touches: Callable[[cst.CSTNode], bool]) -> None:
    """Let runs of changes share one save: behind the last of them, where nothing in between can leave or look."""
    for node in parts(body):
        _gather(node, found, touches)
    if not isinstance(body, cst.IndentedBlock):
        return
    last: cst.CSTNode | None = None
    for statement in body.body:
        inner = _inner(statement, found)
        if last is not None and calm(statement) and not touches(statement):
            before = found[id(last)]
            if len(before) == 1 and all(_alike(before[0], each) for each in inner) and inner:
                joined = before[0]
                for each in inner:
                    joined = _joined(joined, each, statement)
                for each in {id(one): one for one in (*inner, before[0])}.values():
                    found.pop(id(each.statement), None)
                found[id(statement)] = [joined]
        last = statement if id(statement) in found else None


def _inner(statement: cst.CSTNode, found: dict[int, list[Save]]) -> list[Save]:
    saves = list(found.get(id(statement), ()))
    for child in parts(statement):
        saves.extend(_inner(child, found))
    return saves


def _alike(left: Save, right: Save) -> bool:
    return left.binding is right.binding and left.name == right.name and same(left.key, right.key)


def _fields(step: cst.CSTNode | None) -> tuple[str, ...]:
    """The key or attribute that a change goes into, as source; none where it cannot be told."""
    match step:
        case cst.Attribute(attr=cst.Name(value=name)):
            return (f'"{name}"',)
        case cst.Subscript(slice=[cst.SubscriptElement(slice=cst.Index(value=cst.SimpleString(value=text)))]):
            return (text,)
    return ()


def _bound_name(flow: Flow, node: cst.CSTNode, *, stored: bool) -> str | None:
    """The local name that a read value is bound to, or that a stored value is."""
    if stored:
        return node.value if isinstance(node, cst.Name) else None
    match flow.parent(node):
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))]):
            return name
        case cst.AnnAssign(target=cst.Name(value=name)) | cst.NamedExpr(target=cst.Name(value=name)):
            return name
        case cst.For(target=cst.Name(value=name)):
            return name
        case cst.For(target=cst.Tuple(elements=[_, cst.Element(value=cst.Name(value=name))])):
            return name
    return None


def _unsteady(flow: Flow, alias: Alias, at: Sequence[cst.CSTNode]) -> str | None:
    """Why the key may be another one in those statements."""
    assert alias.key is not None
    if not pure(alias.key):
        return f"`{alias.name}` is changed, and its key is not a plain expression"
    loops = [node for node in flow.around(alias.node) if isinstance(node, cst.For)]
    for name in sorted(names_in(alias.key)):
        loop = next((each for each in reversed(loops) if name in names_in(each.target)), None)
        if loop is not None:
            if any(loop not in flow.around(statement) for statement in at):
                return f"`{alias.name}` is changed after the loop that `{name}` belongs to"
            if not bindings_of(loop.body, name):
                continue
        if len(bindings_of(alias.function, name)) > 1:
            return f"`{alias.name}` is changed, and `{name}`, by which it was found, is bound more than once"
    return None


def undone(path: str, line: int) -> str:
    """The difference that one save for several changes makes."""
    return f"{path}, line {line}: the changes up to here are written as one; where one raises, those before it are lost"


def lost(path: str, lines: Sequence[int]) -> str:
    """The difference that a save makes."""
    at = ", ".join(str(line) for line in sorted(set(lines)))
    return f"{path}, line{'s' if len(set(lines)) > 1 else ''} {at}: {LATER_WINS}"


def left_behind(path: str, line: int, missed: Missed) -> str:
    """The difference that a name makes which is not bound anew."""
    return f"{path}, line {line}: `{missed.name}` is the entry as it was then: it misses what `{missed.why}` changes"


def read_again(path: str, line: int, reload: Reload) -> str:
    """The difference that a name makes which is bound anew."""
    if not reload.why:
        return f"{path}, line {line}: `{reload.name}` is read again in each round of the loop, not at each use"
    return (
        f"{path}, line {line}: `{reload.name}` is read again behind `{reload.why}`, which changes entries; where there "
        "was none before, it is the new one"
    )
