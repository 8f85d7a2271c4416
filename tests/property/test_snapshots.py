"""What reads all entries reads them once: statements that no rule names, made of rules for whole stores."""

from __future__ import annotations

from dataclasses import replace

import pytest

from unstate.catalogue import rules_for
from unstate.model import Layout

from .building import build
from .machine import PREFIXES, WRITING, Services, prove
from .shapes import Shape
from .test_rules import operations

WHOLE = (  # one reading of the whole, and each entry again
    "sorted(x, key=lambda each: x[each])",
    "sorted(x, key=x.get)",
    "[each for each in x if x[each] == v]",
    "{each: x.get(each) for each in list(x)}",
    "sum(1 for each in x if x[each] != v)",
    "any(x[each] == v for each in x) and len(x)",
)
KEYS = (  # read to the end where they stand
    "tuple(x)",
    "frozenset(x)",
    "any(x)",
    "sorted(x, reverse=True)",
    "sum(1 for each in enumerate(x))",
    "len(list(zip(x, x)))",
    "sorted(map(repr, x))",
)
SHAPES = (
    Shape(Layout.HASH, "dict", "int"),
    Shape(Layout.STRING, "dict", "str"),
    Shape(Layout.HASH, "dict", "str", key_type="tuple"),
)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
@pytest.mark.parametrize(
    ("pattern", "reads"), [*((each, "dict(x)") for each in WHOLE), *((each, "iter(x)") for each in KEYS)]
)
def test_a_reading_of_all_entries_equals_what_it_replaces(
    pattern: str, reads: str, shape: Shape, services: Services
) -> None:
    whole = next(rule for rule in rules_for(shape.layout, "dict", shape.codec) if rule.pattern == reads)
    operation = build(replace(whole, pattern=pattern), shape, PREFIXES)
    assert operation is not None, "the rewriter does not come to it"
    writing = [each for each in operations(shape) if each.rule.pattern in WRITING]
    proof = prove(shape, [*writing, operation], services, 10, 12)
    assert proof.mismatch is None, str(proof.mismatch)


def test_what_writes_gets_no_snapshot() -> None:
    shape = SHAPES[0]
    whole = next(rule for rule in rules_for(shape.layout, "dict", shape.codec) if rule.pattern == "dict(x)")
    for pattern in ("[x.pop(each) for each in x]", "[x[each] for each in d]", "sorted(x, key=same(x))"):
        assert build(replace(whole, pattern=pattern), shape, PREFIXES) is None
