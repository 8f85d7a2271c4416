"""Which synchronous functions can become asynchronous with all of their callers, so that none blocks an event loop.

A function can where every mention of its name in the service is known: its one definition, imports of it, and calls of
it from asynchronous functions, or from others that can become asynchronous themselves. Whatever else may refer to it (a
decorator, a second definition, a reference that is no call, a test, a call through an object that cannot be told) keeps
it as it is.

Functions are named as the rewriter takes them: "module:function", by the last part of the module's name, and
"Class.method".
"""

from __future__ import annotations

import ast
from collections.abc import Collection

from unstate.plan.mentions import Definition, Mentions

_PLAIN_DECORATORS = frozenset({"staticmethod", "classmethod"})
Files = dict[str, frozenset[str]]


def made_from(mentions: Mentions, functions: Collection[tuple[str, str]]) -> tuple[frozenset[str], frozenset[str]]:
    """(functions that become asynchronous, files that mention them) for those, by path and name, that can."""
    found: Files = {}
    for path, name in sorted(functions):
        for definition in mentions.definitions.get(name, ()):
            if definition.path == path:
                found |= _closure(mentions, definition, {}) or {}
    return frozenset(found), frozenset[str]().union(*found.values())


def _closure(mentions: Mentions, definition: Definition, seen: Files) -> Files | None:
    """The function and those that must become asynchronous with it, each with the files that mention it; None where
    one of them cannot."""
    if definition.key in seen:
        return seen
    places = mentions.of(definition) if _is_plain(definition) else None
    if places is None or not any(place.how == "call" for place in places):
        return None
    seen = {**seen, definition.key: frozenset({definition.path, *(place.path for place in places)})}
    for place in places:
        if place.how == "import":
            continue
        if place.how != "call" or not place.waits or place.function is None:
            return None
        if isinstance(place.function, ast.AsyncFunctionDef):
            continue
        callers = mentions.definitions.get(place.function.name, ())
        caller = next((each for each in callers if each.node is place.function), None)
        further = _closure(mentions, caller, seen) if caller else None
        if further is None:
            return None
        seen = further
    return seen


def _is_plain(definition: Definition) -> bool:
    """Whether nothing but calls can be meant by the name, and an `await` may stand in the body."""
    node, name = definition.node, definition.node.name
    decorators = {ast.unparse(each) for each in node.decorator_list}
    if isinstance(node, ast.AsyncFunctionDef) or definition.nested or decorators - _PLAIN_DECORATORS:
        return False
    if name.startswith("__") and name.endswith("__"):
        return False
    return not any(isinstance(each, ast.Yield | ast.YieldFrom) for each in ast.walk(node))
