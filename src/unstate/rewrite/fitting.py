"""The rules that may be applied to a store, those that fix more of the code first."""

from __future__ import annotations

from functools import cache

from unstate.catalogue import rules_for
from unstate.catalogue.rule import Rule
from unstate.rewrite import forms
from unstate.rewrite.binding import Binding
from unstate.rewrite.match import Pattern, parse_pattern


@cache
def _rules(layout: str, container: str, codec: str) -> tuple[tuple[Rule, Pattern], ...]:
    pairs = [
        (rule, parse_pattern(rule.pattern, alone=not forms.is_expression(rule.form)))
        for rule in rules_for(layout, container, codec)
    ]
    return tuple(sorted(pairs, key=lambda pair: (-pair[1].depth, -len(pair[0].when))))


def expression_rules(binding: Binding) -> list[tuple[Rule, Pattern]]:
    """Those that replace an expression."""
    return [p for p in _rules(binding.layout, binding.container, binding.codec) if p[1].expression is not None]


def statement_rules(binding: Binding) -> list[tuple[Rule, Pattern]]:
    """Those that replace statements."""
    return [p for p in _rules(binding.layout, binding.container, binding.codec) if p[1].expression is None]
