"""The conditions of `Rule.when`: what must hold of the bound metavariables for a rule to apply.

pure L        evaluating L twice, or earlier than the original did, changes nothing
constant L    L is a literal number or string
zero L        L is the literal 0 (or 0.0, "", b"")
discarded     the value of the expression is not used
ttl, no ttl   the store's entries expire, or do not
key str       the store's keys are known to be text
synchronous, asynchronous   the code around is, so that a blocking client may, or may not, be called
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import libcst as cst

from unstate.rewrite.binding import Binding
from unstate.rewrite.match import Environment, pure


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rule is about to be applied."""

    binding: Binding
    discarded: bool
    asynchronous: bool


def failed(conditions: Sequence[str], environment: Environment, place: Place) -> str | None:
    """The first condition that does not hold, or None."""
    return next((each for each in conditions if not _holds(each, environment, place)), None)


def _holds(condition: str, environment: Environment, place: Place) -> bool:
    match condition:
        case "discarded":
            return place.discarded
        case "ttl":
            return bool(place.binding.ttl)
        case "no ttl":
            return not place.binding.ttl
        case "key str":
            return place.binding.key_type != "int"
        case "synchronous":
            return not place.asynchronous
        case "asynchronous":
            return place.asynchronous
    name, _, letter = condition.partition(" ")
    return letter not in environment or _TESTS[name](environment[letter])


def _constant(node: object) -> bool:
    if isinstance(node, cst.UnaryOperation):
        return _constant(node.expression)
    return isinstance(node, cst.BaseNumber | cst.SimpleString)


def _zero(node: object) -> bool:
    if isinstance(node, cst.SimpleString):
        return not node.evaluated_value
    return isinstance(node, cst.Integer | cst.Float) and not node.evaluated_value


_TESTS: dict[str, Callable[[object], bool]] = {"pure": pure, "constant": _constant, "zero": _zero}  # type: ignore[dict-item]
