"""The rules that may be applied to a store, those that fix more of the code first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from unstate.catalogue import rules_for
from unstate.catalogue.rule import Rule
from unstate.rewrite import forms
from unstate.rewrite.binding import Binding
from unstate.rewrite.match import Pattern, parse_pattern


@cache
def _rules(
    layout: str, container: str, codec: str
) -> tuple[Sequence[tuple[Rule, Pattern]], Sequence[tuple[Rule, Pattern]]]:
    """Those that replace an expression, and those that replace statements."""
    pairs = [
        (rule, parse_pattern(rule.pattern, alone=not forms.is_expression(rule.form)))
        for rule in rules_for(layout, container, codec)
    ]
    pairs.sort(key=lambda pair: (-pair[1].depth, -len(pair[0].when)))
    return (
        [pair for pair in pairs if pair[1].expression is not None],
        [pair for pair in pairs if pair[1].expression is None],
    )


def expression_rules(binding: Binding) -> Sequence[tuple[Rule, Pattern]]:
    """Those that replace an expression."""
    return _rules(binding.layout, binding.container, binding.codec)[0]


def statement_rules(binding: Binding) -> Sequence[tuple[Rule, Pattern]]:
    """Those that replace statements."""
    return _rules(binding.layout, binding.container, binding.codec)[1]
