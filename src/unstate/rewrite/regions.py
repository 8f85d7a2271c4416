"""What was one step in one process: reads and writes of a store that another process may now come between."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache

import libcst as cst

from unstate.catalogue.rule import Rule
from unstate.model import COMES_BETWEEN
from unstate.rewrite.match import parse_pattern

_WRITING_METHODS = frozenset(
    "pop popitem setdefault update clear append appendleft extend insert remove discard add popleft sort".split()
)


@dataclass(slots=True)
class Regions:
    """The operations of each function on each store, in the order in which they stand."""

    _steps: dict[tuple[str, int], list[tuple[int, bool]]] = field(default_factory=lambda: defaultdict(list))

    def note(self, store: str, function: int, line: int, rule: Rule) -> None:
        """A rule is applied; `function` tells functions apart."""
        self._steps[store, function].append((line, writes(rule)))

    def differences(self, store: str, path: str) -> list[str]:
        """A sentence for each function that reads and writes the store in more than one step."""
        found = []
        for (name, _), steps in self._steps.items():
            steps.sort()
            first = next((line for line, writing in steps if not writing), None)
            last = next((line for line, writing in reversed(steps) if writing), None)
            if name == store and first is not None and last is not None and len(steps) > 1:
                lines = f"line {first}" if first == last else f"lines {min(first, last)} and {max(first, last)}"
                found.append(f"{path}, {lines}: {COMES_BETWEEN}")
        return found


@cache
def writes(rule: Rule) -> bool:
    """Whether the operation changes the store."""
    pattern = parse_pattern(rule.pattern, alone=True)
    finder = _Writes()
    for statement in pattern.statements:
        statement.visit(finder)
    return finder.found


class _Writes(cst.CSTVisitor):
    def __init__(self) -> None:
        self.found = False

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self.found |= _is_store(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self.found |= _is_store(node.target)

    def visit_Del(self, node: cst.Del) -> None:
        self.found |= _is_store(node.target)

    def visit_Call(self, node: cst.Call) -> None:
        match node.func:
            case cst.Attribute(value=value, attr=cst.Name(value=method)):
                self.found |= method in _WRITING_METHODS and _is_store(value)


def _is_store(node: cst.BaseExpression) -> bool:
    match node:
        case cst.Name(value="x"):
            return True
        case cst.Subscript(value=value) | cst.Attribute(value=value) | cst.Call(func=value):
            return _is_store(value)
    return False


@cache
def answers(rule: Rule) -> cst.BaseExpression | None:
    """The read that the form's value answers: `x[k]` for a form that adds to it and says what came of it."""
    return cst.parse_expression(rule.gives) if rule.gives else None
