"""What two processes may do to each other's files: a test and a write, a listing and a delete are two requests now."""

from __future__ import annotations

from collections import defaultdict

from msgspec.structs import replace

from unstate.model import COMES_BETWEEN, TAKEN_TWICE, Op, Site, Store
from unstate.plan.crossing import crossed
from unstate.plan.mentions import Mentions

_WRITING = frozenset({Op.WRITE, Op.APPEND, Op.DELETE, Op.RENAME})
_READING = frozenset({Op.EXISTS, Op.STAT, Op.LIST, Op.READ, Op.OPEN, Op.SERVE})
_TAKING = frozenset({Op.DELETE, Op.RENAME})


def races(store: Store, mentions: Mentions) -> tuple[str, ...]:
    """A sentence on the functions that do to a folder what is not one step, and one on files that are taken away."""
    steps: dict[tuple[str, str], list[Site]] = defaultdict(list)
    for site in store.sites:
        if site.op in _WRITING | _READING:
            steps[site.path, site.function].append(site)
    between = {
        text.removesuffix(f": {COMES_BETWEEN}")
        for text in crossed(_as_entries(store), mentions)
        if text.endswith(COMES_BETWEEN)
    }
    for (path, function), sites in steps.items():
        if function and {site.op in _WRITING for site in sites} == {True, False}:
            first, last = min(site.line for site in sites), max(site.line for site in sites)
            if first != last:
                between.add(f"{path}, lines {first} and {last}")
    found = [f"{'; '.join(sorted(between))}: {COMES_BETWEEN}"] if between else []
    if any(site.op in _TAKING for site in store.sites):
        found.append(f"of one file: {TAKEN_TWICE}")
    return tuple(found)


def _as_entries(store: Store) -> Store:
    """The folder as a store whose entries are its files."""
    return replace(
        store,
        sites=tuple(
            replace(site, op=Op.SETITEM if site.op in _WRITING else Op.GETITEM)
            for site in store.sites
            if site.op in _WRITING | _READING
        ),
    )
