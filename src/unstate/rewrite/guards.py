"""The conditions of `Rule.when`: what must hold of the bound metavariables for a rule to apply.

pure L        evaluating L twice, or earlier than the original did, changes nothing
impure L      it may change something, or be something else then
constant L    L is a literal number or string
natural L     L is a literal whole number, from 0 on
some L        L is no None: a literal, or what is made of text and numbers
zero L        L is the literal 0 (or 0.0, "", b"")
apart t L     the name t does not occur in L
leaves b      the statements b end the function or the round of the loop
discarded     the value of the expression is not used
starts at 0   the store, a name without keys, is 0 before it is first written
starts as None  so does such a name
ttl, no ttl   the store's entries expire, or do not
flat key      the store's keys have one part each
synchronous, asynchronous   the code around is, so that a blocking client may, or may not, be called
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from unstate.rewrite import keys
from unstate.rewrite.binding import Binding
from unstate.rewrite.match import Bound, Environment, pure


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
        case "flat key":
            return place.binding.key_type != keys.TUPLE
        case "starts at 0":
            return place.binding.zero == "0"
        case "starts as None":
            return place.binding.zero == "None"
        case "synchronous":
            return not place.asynchronous
        case "asynchronous":
            return place.asynchronous
    name, *letters = condition.split()
    if name == "apart":
        return _apart(*(environment.get(letter) for letter in letters))
    letter = letters[0]
    return letter not in environment or _TESTS[name](environment[letter])


def _apart(name: Bound | None, other: Bound | None) -> bool:
    if not isinstance(name, cst.Name) or other is None:
        return True
    nodes = other if isinstance(other, tuple) else (other,)
    return not any(_occurs(name.value, node) for node in nodes)


def _occurs(name: str, node: cst.CSTNode) -> bool:
    return (isinstance(node, cst.Name) and node.value == name) or any(_occurs(name, child) for child in node.children)


def _leaves(statements: object) -> bool:
    return isinstance(statements, tuple) and isinstance(
        statements[-1], cst.Return | cst.Raise | cst.Continue | cst.Break
    )


def _constant(node: object) -> bool:
    if isinstance(node, cst.UnaryOperation):
        return _constant(node.expression)
    return isinstance(node, cst.BaseNumber | cst.SimpleString)


def _zero(node: object) -> bool:
    if isinstance(node, cst.SimpleString):
        return not node.evaluated_value
    return isinstance(node, cst.Integer | cst.Float) and not node.evaluated_value


def _some(node: object) -> bool:
    match node:
        case cst.BaseNumber() | cst.BaseString() | cst.Comparison() | cst.BinaryOperation():
            return True
        case cst.Name(value=name):
            return name in ("True", "False")
        case cst.Call(func=cst.Name(value=name)) | cst.Call(func=cst.Attribute(attr=cst.Name(value=name))):
            return name in _MAKERS
    return False


_MAKERS = frozenset("str int float bool len time monotonic token_hex token_urlsafe uuid4 now isoformat dumps".split())
_TESTS: dict[str, Callable[[Any], bool]] = {
    "pure": pure,
    "impure": lambda node: not pure(node),
    "constant": _constant,
    "natural": lambda node: isinstance(node, cst.Integer),
    "zero": _zero,
    "leaves": _leaves,
    "some": _some,
}
