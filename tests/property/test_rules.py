"""No rule without proof: each rule of the catalogue, applied by the rewriter, beside the code it was made from."""

from __future__ import annotations

from functools import cache

import pytest

from unstate.catalogue import Rule, rules_for
from unstate.model import Layout

from .building import Operation, build
from .machine import ENOUGH, PREFIXES, Services, prove_all
from .shapes import SHAPES, Shape


@cache
def operations(shape: Shape) -> list[Operation]:
    """Everything that the catalogue has for a shape."""
    built = [build(rule, shape, PREFIXES) for rule in rules_for(*_kind(shape))]
    return [operation for operation in built if operation is not None]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_every_rule_equals_what_it_replaces(shape: Shape, services: Services) -> None:
    proof = prove_all(shape, operations(shape), services)
    assert proof.mismatch is None, f"{shape.name}:\n{proof.mismatch}"
    assert all(proof.runs[operation.rule.id] >= ENOUGH for operation in operations(shape))
    assert [rule.id for rule in rules_for(*_kind(shape)) if not _is_used(rule, shape)] == []


def _kind(shape: Shape) -> tuple[Layout, str, str]:
    return shape.layout, shape.container, shape.codec


def _is_used(rule: Rule, shape: Shape) -> bool:
    """Whether a rule fits in some shape of a kind: one that another always comes before would be proven nowhere."""
    if any(operation.rule.id == rule.id for operation in operations(shape)):
        return True
    others = (other for other in SHAPES if _kind(other) == _kind(shape) and other is not shape)
    return any(build(rule, other, PREFIXES) is not None for other in others)
