"""Dicts whose entries are stores of their own, because all that uses them says which entry it means."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from unstate.facts.values import Ref
from unstate.link.program import Program
from unstate.link.values import Slot
from unstate.project import is_aside

if TYPE_CHECKING:
    from unstate.link.resolve import Resolver

Parts = dict[tuple[Slot, str], Slot]  # by the dict and the step to an entry


def parts(program: Program, resolver: Resolver) -> tuple[Parts, dict[Slot, list[tuple[str, Ref]]]]:
    """The entries that are stores of their own, and for each what binds it."""
    declared: dict[Slot, dict[str, Ref]] = {}
    for path, file in program.facts.items():
        for ref in file.entries if not is_aside(path) else ():
            slot = Slot("module", path, 0, ref.path[0])
            if len(program.names[path][0].get(slot.name, ())) == 1:
                declared.setdefault(slot, {})[ref.path[1]] = ref
    bound: dict[Slot, list[tuple[str, Ref]]] = defaultdict(list)
    if not declared:
        return {}, bound
    found: Parts = {
        (slot, step): Slot("module", slot.path, 0, f"{slot.name}{step}")
        for slot, steps in declared.items()
        for step in steps
    }
    for (slot, step), part in found.items():
        bound[part].append((slot.path, declared[slot][step]))
    whole = _used_whole(program, resolver, found, bound)
    return {key: part for key, part in found.items() if key[0] not in whole}, bound


def _used_whole(
    program: Program, resolver: Resolver, found: Parts, bound: dict[Slot, list[tuple[str, Ref]]]
) -> set[Slot]:
    """The dicts that something is done to as a whole, or to an entry that it does not say by its name."""
    slots = {slot for slot, _ in found}
    names = {slot.name for slot in slots}
    names |= {
        each.bound for file in program.facts.values() for each in file.imports if each.name in names and each.bound
    }
    whole: set[Slot] = set()
    for path, file in program.facts.items():
        for ref in file.refs:
            if names.isdisjoint(ref.path):
                continue
            for index, value in enumerate(resolver.trace(path, ref.frame, ref.path)):
                if not isinstance(value, Slot) or value not in slots:
                    continue
                rest = ref.path[index + 1 :]
                defines = not rest and path == value.path and not ref.frame and ref.use == "target"
                part = found.get((value, rest[0])) if rest else None
                if defines:
                    continue
                if part is None or (len(rest) == 1 and ref.use in ("delete", "bind", "loop")):
                    whole.add(value)
                elif len(rest) == 1 and ref.use in ("target", "augment"):
                    bound[part].append((path, ref))
    return whole
