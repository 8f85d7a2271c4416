"""What was one step of a process over several functions: one reads a store and another writes it, for one caller."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from unstate.link.containers import WRITES
from unstate.model import COMES_BETWEEN, Op, Store
from unstate.plan.hooks import is_hook
from unstate.plan.mentions import Definition, Mentions
from unstate.project import is_aside

_NO_USE = frozenset({Op.DEFINE, Op.IMPORT, Op.GLOBAL})
_ROUNDS = 4  # of functions that call functions that touch a store
_COMMON = frozenset(name for kind in (dict, list, set, str, bytes) for name in dir(kind))
Place = tuple[str, str]  # path and bare name of a function
Steps = list[tuple[int, bool, str]]  # (line, whether it writes, the function that does it or "")


def crossed(store: Store, mentions: Mentions) -> list[str]:
    """A sentence for each function that reads a store in one call and writes it in another.

    What runs for a request beside its handler (a hook, a dependency, a decorator's wrapper) has one caller with it.
    """
    own: dict[Place, Steps] = defaultdict(list)
    for site in store.sites:
        if site.function and site.op not in _NO_USE:
            own[site.path, site.function.rpartition(".")[2]].append((site.line, site.op in WRITES, ""))
    # By function: those that touch the store, of all that its calls lead to.
    below: dict[Place, set[Place]] = {place: {place} for place in own}
    calls: dict[Place, Steps] = defaultdict(list)
    todo = set(below)
    for _ in range(_ROUNDS):
        grown = set()
        for path, name in sorted(todo):
            reached = below[path, name]
            does = {writes for place in reached for _, writes, _ in own[place]}
            for definition in mentions.definitions.get(name, ()):
                if definition.path == path:
                    for caller, line in _callers(definition, mentions):
                        calls[caller] += [(line, writes, name) for writes in does]
                        there = below.setdefault(caller, set())
                        if not reached <= there:
                            there |= reached
                            grown.add(caller)
        todo = grown
    served = ((place, steps) for place, steps in calls.items() if not is_aside(place[0]))
    texts = {text for place, steps in served for text in _said(place[0], [*steps, *own.get(place, ())])}
    return sorted(texts | set(_beside_handlers(store, mentions, below)))


def _callers(definition: Definition, mentions: Mentions) -> Iterator[tuple[Place, int]]:
    """Functions that call one, or seem to; what a container is asked by the same name is not taken for it.

    A function calls its decorators and dependencies. What a function within another one does is its maker's doing,
    where that hands it out: a decorator's wrapper.
    """
    name = definition.node.name
    for mention in mentions.by_name.get(name, ()):
        if mention.function is None or mention.function is definition.node:
            continue
        if mention.how == "call" or (mention.how == "returned" and definition.nested):
            whose = mentions.whose(definition, mention)
            if whose or (whose is None and name not in _COMMON):
                yield (mention.path, mention.function.name), mention.line
    for mention in mentions.run_before.get(name, ()):
        if mention.function is not None and mentions.whose(definition, mention):
            yield (mention.path, mention.function.name), mention.line


def _said(path: str, steps: Steps) -> Iterator[str]:
    """The sentence on one function, where it reads and writes in more than one step, one of them by a call."""
    places = {(line, name) for line, _, name in steps}
    if len(places) > 1 and any(name for _, _, name in steps) and {writes for _, writes, _ in steps} == {True, False}:
        first, last = min(line for line, _, _ in steps), max(line for line, _, _ in steps)
        yield f"{path}, lines {first} and {last}: {COMES_BETWEEN}"


def _beside_handlers(store: Store, mentions: Mentions, below: Mapping[Place, set[Place]]) -> Iterator[str]:
    """A sentence for each hook that reads (or writes) a store which handlers of the same requests write (or read)."""
    used = [site for site in store.sites if site.function and site.op not in _NO_USE]
    for (path, name), reached in below.items():
        found = mentions.definitions.get(name, ())
        if not any(each.path == path and is_hook(each, mentions) for each in found):
            continue
        within = [site for site in used if (site.path, site.function.rpartition(".")[2]) in reached]
        beside = [site for site in used if site.reachable and site not in within]
        for writes in (False, True):
            hook = next((site for site in within if (site.op in WRITES) is writes), None)
            other = next((site for site in beside if (site.op in WRITES) is not writes), None)
            if hook and other:
                yield (
                    f"{hook.path}, line {hook.line}, which runs with each request, and {other.path}, line "
                    f"{other.line}: {COMES_BETWEEN}"
                )
