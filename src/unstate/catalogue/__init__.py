"""The catalogue: which backing-service forms equal which Python operations, as data that is proven by tests."""

from __future__ import annotations

from functools import cache

from unstate.catalogue import (
    caches,
    cells,
    counters,
    deques,
    hashes,
    lists,
    names,
    objects,
    ordered,
    records,
    scalars,
    sets,
    staged,
    strings,
)
from unstate.catalogue.rule import Rule

__all__ = ["Rule", "rules", "rules_for"]


def rules() -> tuple[Rule, ...]:
    """Every rule, the known wrong forms included."""
    return (
        *strings.RULES,
        *caches.RULES,
        *hashes.RULES,
        *counters.RULES,
        *records.RULES,
        *lists.RULES,
        *deques.RULES,
        *sets.RULES,
        *objects.RULES,
        *staged.RULES,
        *ordered.RULES,
        *scalars.RULES,
        *names.RULES,
        *cells.RULES,
    )


@cache
def rules_for(layout: str, container: str, codec: str) -> tuple[Rule, ...]:
    """The rules that may be applied to a store of that layout, those with more conditions first."""
    found = (
        rule
        for rule in rules()
        if not rule.wrong and rule.layout == layout and rule.container == container and codec in rule.codecs
    )
    return tuple(sorted(found, key=lambda rule: -len(rule.when)))
