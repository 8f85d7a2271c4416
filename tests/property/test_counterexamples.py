"""The proof has teeth: it refutes each known wrong form, and a table in which something was mixed up or left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from unstate.catalogue import Rule, rules, rules_for
from unstate.model import Layout

from .building import build
from .machine import PREFIXES, Services, refute
from .shapes import SHAPES, Shape
from .test_rules import operations

WRONG = [rule for rule in rules() if rule.wrong]


def shape_of(rule: Rule) -> Shape:
    """A shape whose stores the rule is for; one that is not empty at first, where there is one."""
    return [
        shape
        for shape in SHAPES
        if (shape.layout, shape.container) == (rule.layout, rule.container) and shape.codec in rule.codecs
    ][-1 if rule.container in ("scalar", "cell") else 0]


@pytest.mark.parametrize("rule", WRONG, ids=lambda rule: rule.id)
def test_a_wrong_form_is_refuted(rule: Rule, services: Services) -> None:
    refuted(rule, shape_of(rule), services)


def test_each_table_has_wrong_forms() -> None:
    assert {(rule.layout, rule.container) for rule in WRONG} == {(shape.layout, shape.container) for shape in SHAPES}


def mutations() -> Iterator[tuple[str, Rule, Shape]]:
    """Tables as a slip of the pen would leave them."""
    for layout, codec in ((Layout.STRING, "str"), (Layout.STRING, "int"), (Layout.HASH, "int"), (Layout.HASH, "json")):
        shape = Shape(layout, "dict", codec)
        table = {rule.id.partition(".")[2]: rule for rule in rules_for(layout, "dict", codec)}
        for rule in table.values():
            if "found(" in rule.form:
                yield f"{rule.id}-{codec} without KeyError", replace(rule, form=unguarded(rule.form)), shape
        for one, other in SWAPS:
            if one in table and other in table:
                a, b = table[one], table[other]
                yield f"{a.id}-{codec} with the form of {other}", replace(a, form=b.form), shape
                yield f"{b.id}-{codec} with the form of {one}", replace(b, form=a.form), shape


SWAPS = (
    ("getitem", "pop"),
    ("contains", "not_contains"),
    ("get.default", "pop.default"),
    ("setitem", "setdefault.discarded"),
    ("setitem", "if_missing_set"),
    ("increment", "decrement"),
    ("increment", "count.get"),
    ("if_missing_leave", "if_missing_leave.pop"),
    ("sum", "max"),
    ("max", "min"),
    ("if_present_set", "if_missing_set"),
    ("keys", "values"),
)


def unguarded(form: str) -> str:
    """The form without its check for a missing key."""
    return re.sub(r"found\((.*), k\)", r"\1", form)


MUTATIONS = list(mutations())


@pytest.mark.parametrize(("rule", "shape"), [m[1:] for m in MUTATIONS], ids=[m[0] for m in MUTATIONS])
def test_a_mixed_up_table_is_refuted(rule: Rule, shape: Shape, services: Services) -> None:
    refuted(rule, shape, services)


def refuted(rule: Rule, shape: Shape, services: Services) -> None:
    operation = build(rule, shape, PREFIXES, only=[rule])
    assert operation is not None, f"{rule.id}: the rewriter does not come to it"
    assert refute(shape, operations(shape), operation, services) is not None, f"{rule.id}: no counterexample was found"
