"""What was one step of a process over several functions: one reads a store and another writes it, for one caller."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from unstate.link.containers import WRITES
from unstate.model import COMES_BETWEEN, Op, Store
from unstate.plan.mentions import Definition, Mentions

_NO_USE = frozenset({Op.DEFINE, Op.IMPORT, Op.GLOBAL})
_ROUNDS = 4  # of functions that call functions that touch a store
_COMMON = frozenset(name for kind in (dict, list, set, str, bytes) for name in dir(kind))
Steps = list[tuple[int, bool, str]]  # (line, whether it writes, the function that does it or "")


def crossed(store: Store, mentions: Mentions) -> list[str]:
    """A sentence for each function that reads a store in one call and writes it in another."""
    own: dict[tuple[str, str], Steps] = defaultdict(list)  # by path and bare name
    for site in store.sites:
        if site.function and site.op not in _NO_USE:
            own[site.path, site.function.rpartition(".")[2]].append((site.line, site.op in WRITES, ""))
    touching = {place: {writes for _, writes, _ in steps} for place, steps in own.items()}
    calls: dict[tuple[str, str], Steps] = defaultdict(list)
    todo = set(touching)
    for _ in range(_ROUNDS):
        found = set()
        for path, name in todo:
            for definition in mentions.definitions.get(name, ()):
                if definition.path == path:
                    for caller, line in _callers(definition, mentions):
                        calls[caller] += [(line, writes, name) for writes in touching[path, name]]
                        touching.setdefault(caller, set()).update(touching[path, name])
                        found.add(caller)
        todo = found - set(own)
    return sorted({text for place, steps in calls.items() for text in _said(place[0], [*steps, *own.get(place, ())])})


def _callers(definition: Definition, mentions: Mentions) -> Iterator[tuple[tuple[str, str], int]]:
    """Functions that call one, or seem to; what a container is asked by the same name is not taken for it."""
    for mention in mentions.by_name.get(definition.node.name, ()):
        if mention.how != "call" or mention.function is None or mention.function is definition.node:
            continue
        whose = mentions.whose(definition, mention)
        if whose or (whose is None and definition.node.name not in _COMMON):
            yield (mention.path, mention.function.name), mention.line


def _said(path: str, steps: Steps) -> Iterator[str]:
    """The sentence on one function, where it reads and writes in more than one step, one of them by a call."""
    places = {(line, name) for line, _, name in steps}
    if len(places) > 1 and any(name for _, _, name in steps) and {writes for _, writes, _ in steps} == {True, False}:
        first, last = min(line for line, _, _ in steps), max(line for line, _, _ in steps)
        yield f"{path}, lines {first} and {last}: {COMES_BETWEEN}"
