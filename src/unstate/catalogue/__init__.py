"""The catalogue: every Python operation on a store that has a backing-service form, as data."""

from __future__ import annotations

import ast
from functools import cache

from unstate.catalogue import hashes, objects, scalars, strings
from unstate.catalogue.rule import Rule
from unstate.model import Layout

__all__ = ["Rule", "rules", "rules_for"]

_TABLES = (strings.RULES, hashes.RULES, scalars.RULES, objects.RULES)


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, known wrong forms included, longest pattern first; rules of one length keep the table's order."""
    return tuple(sorted((rule for table in _TABLES for rule in table), key=lambda rule: -_size(rule.pattern)))


@cache
def rules_for(layout: Layout | str, container: str, codec: str) -> tuple[Rule, ...]:
    """The rules that apply to such a store, longest pattern first."""
    return tuple(
        rule
        for rule in rules()
        if rule.layout == layout and rule.container == container and codec in rule.codecs and not rule.wrong
    )


def _size(pattern: str) -> int:
    return sum(1 for _ in ast.walk(ast.parse(pattern)))
