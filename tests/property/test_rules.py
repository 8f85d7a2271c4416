"""No rule without proof: each rule of the catalogue, applied by the rewriter, beside the code it was made from."""

from __future__ import annotations

from functools import cache

import pytest

from unstate.catalogue import rules_for

from .building import Operation, build
from .machine import ENOUGH, PREFIXES, Services, prove_all
from .shapes import SHAPES, Shape


@cache
def operations(shape: Shape) -> list[Operation]:
    """Everything that the catalogue has for a shape."""
    built = [build(rule, shape, PREFIXES) for rule in rules_for(shape.layout, shape.container, shape.codec)]
    return [operation for operation in built if operation is not None]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_every_rule_equals_what_it_replaces(shape: Shape, services: Services) -> None:
    proof = prove_all(shape, operations(shape), services)
    assert proof.mismatch is None, f"{shape.name}:\n{proof.mismatch}"
    assert all(proof.runs[operation.rule.id] >= ENOUGH for operation in operations(shape))


def test_every_rule_is_used(services: Services) -> None:
    """A rule that another one always comes before would never be proven, nor be of use."""
    proven = {(operation.rule.id, shape.codec) for shape in SHAPES for operation in operations(shape)}
    kinds = {(shape.layout, shape.container, shape.codec) for shape in SHAPES}
    wanted = {(rule.id, kind[2]) for kind in kinds for rule in rules_for(*kind)}
    assert wanted - proven == set()
