"""The conditions of `Rule.when`: what must hold of the bound metavariables for a rule to apply.

    pure L        evaluating L twice, or earlier than the original did, changes nothing
    constant L    L is a literal number or string
    zero L        L is the literal 0 (or 0.0, "", b"")
    discarded     the value of the expression is not used
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import libcst as cst

from unstate.rewrite.match import Environment, pure


def failed(conditions: Sequence[str], environment: Environment, *, discarded: bool) -> str | None:
    """The first condition that does not hold, or None."""
    for condition in conditions:
        name, _, letter = condition.partition(" ")
        if name == "discarded":
            if not discarded:
                return condition
        elif letter in environment and not _TESTS[name](environment[letter]):
            return condition
    return None


def _constant(node: object) -> bool:
    if isinstance(node, cst.UnaryOperation):
        return _constant(node.expression)
    return isinstance(node, cst.BaseNumber | cst.SimpleString)


def _zero(node: object) -> bool:
    if isinstance(node, cst.SimpleString):
        return not node.evaluated_value
    return isinstance(node, cst.Integer | cst.Float) and not node.evaluated_value


_TESTS: dict[str, Callable[[object], bool]] = {"pure": pure, "constant": _constant, "zero": _zero}  # type: ignore[dict-item]
