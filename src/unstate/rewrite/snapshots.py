"""Statements that read all entries and each of them again: `sorted(x, key=lambda k: x[k])`.

One reading of the whole stands in front of them, so that all of it is of one moment, and no entry is fetched by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import libcst as cst

from unstate.rewrite.binding import Binding
from unstate.rewrite.codecs import MUTABLE
from unstate.rewrite.flow import Flow
from unstate.rewrite.marks import implied_of_arguments
from unstate.rewrite.places import called, parts
from unstate.rewrite.references import References
from unstate.rewrite.trace import Trace

_CONTAINERS = ("dict", "cache")  # reading an entry makes none
_READING = frozenset({"get", "keys", "values", "items"})
WHOLE = "dict(x)"  # the pattern of the rule that reads it all


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is read in front of a statement, and what it is called there."""

    binding: Binding
    reference: cst.CSTNode
    name: str
    ordered: bool = True  # the order of the entries shows


@dataclass(slots=True)
class Snapshots:
    """The snapshots of a module. `names`: by the reference to a store, what stands in its place."""

    references: References
    flow: Flow
    names: dict[int, str] = field(default_factory=dict)
    _taken: dict[int, list[Snapshot]] = field(default_factory=dict)
    _covered: set[tuple[int, str]] = field(default_factory=set)
    _count: int = 0

    def take(self, statement: cst.CSTNode) -> bool:
        """Plan a snapshot of each store that a statement reads in that way."""
        head = _head(statement)
        if head is None:
            return False
        for binding in self.references.bindings_within(head):
            found = [each for each in _below(head) if self.references.binding_at(each) is binding]
            if binding.container in _CONTAINERS and self._fits(head, found, binding):
                self._count += 1
                name = "snapshot" if self._count == 1 else f"snapshot_{self._count}"
                self.names.update((id(each), name) for each in found)
                self._covered.update((id(each), binding.id) for each in _below(head))
                self._taken.setdefault(id(statement), []).append(
                    Snapshot(binding, found[0], name, self._shows_order(found))
                )
        return id(statement) in self._taken

    def before(self, statement: cst.CSTNode) -> Sequence[Snapshot]:
        """What is to be read in front of a statement."""
        return self._taken.get(id(statement), ())

    def covers(self, node: cst.CSTNode, binding: Binding) -> bool:
        """Whether a node reads a store from its snapshot."""
        return (id(node), binding.id) in self._covered

    def _fits(self, head: cst.CSTNode, found: Sequence[cst.CSTNode], binding: Binding) -> bool:
        wholes = [each for each in found if self._is_whole(each)]
        again = [each for each in found if self._is_repeated(each, head)]
        return bool(wholes and again) and all(self._is_read(each, binding) for each in found)

    def _is_whole(self, reference: cst.CSTNode) -> bool:
        """Whether all entries are read: by a loop, by what reads its argument to the end, or by a view."""
        around = self.flow.parent(reference)
        match around:
            case cst.CompFor(iter=iterated) | cst.For(iter=iterated):
                return iterated is reference
            case cst.Arg():
                call = self.flow.parent(around)
                return isinstance(call, cst.Call) and reference in implied_of_arguments(call)
            case cst.Attribute(attr=cst.Name(value="keys" | "values" | "items")):
                return True
        return False

    def _shows_order(self, found: Sequence[cst.CSTNode]) -> bool:
        """Whether something is made of the entries that has their order: no set, and not sorted by the keys."""
        for reference in found:
            around = self.flow.parent(self.flow.parent(reference) or reference)
            sorts = (
                isinstance(around, cst.Call)
                and called(around) in ("sorted", "set", "frozenset")
                and not any(arg.keyword for arg in around.args)
            )
            if self._is_whole(reference) and not sorts:
                return True
        return False

    def _is_repeated(self, reference: cst.CSTNode, head: cst.CSTNode) -> bool:
        """Whether an entry is read once for each turn of a comprehension, or each call of a lambda."""
        around = self.flow.parent(reference)
        if not isinstance(around, cst.Subscript | cst.Attribute) or around.value is not reference:
            return False
        if isinstance(around, cst.Attribute) and around.attr.value != "get":
            return False
        if isinstance(around, cst.Attribute) and isinstance(self.flow.parent(around), cst.Arg):
            return True  # `key=x.get`
        node: cst.CSTNode = around
        while node is not head:
            outer = self.flow.parent(node)
            assert outer is not None
            if isinstance(outer, cst.Lambda) or (isinstance(outer, cst.BaseComp) and node is not outer.for_in):
                return True
            if isinstance(outer, cst.CompIf):
                return True
            node = outer
        return False

    def _is_read(self, reference: cst.CSTNode, binding: Binding) -> bool:
        around = self.flow.parent(reference)
        if self._is_whole(reference) and not isinstance(around, cst.Attribute):
            return True
        match around:
            case cst.Subscript(value=value) if value is reference:
                return self._keeps(around, binding)
            case cst.Attribute(value=value, attr=cst.Name(value=method)) if value is reference and method in _READING:
                call = self.flow.parent(around)
                if isinstance(call, cst.Arg):
                    return method == "get"
                return isinstance(call, cst.Call) and call.func is around and self._keeps(call, binding)
            case cst.ComparisonTarget(operator=cst.In() | cst.NotIn()):
                return True
            case cst.Arg():
                call = self.flow.parent(around)
                return isinstance(call, cst.Call) and isinstance(call.func, cst.Name) and call.func.value == "len"
        return False

    def _keeps(self, value: cst.BaseExpression, binding: Binding) -> bool:
        """Whether a value that was read is changed nowhere, and written to by no one."""
        if binding.codec not in MUTABLE:
            return True
        trace = Trace()
        return self.flow.follow(value, trace) is None and not trace.changes


def _head(statement: cst.CSTNode) -> cst.CSTNode | None:
    """The part of a statement that is evaluated first and once; None for one that is not looked at."""
    match statement:
        case cst.SimpleStatementLine(body=[cst.Expr() | cst.Return() as only]):
            return only
        case cst.SimpleStatementLine(body=[cst.Assign(value=value)]):
            return value
        case cst.SimpleStatementLine(body=[cst.AnnAssign(value=cst.BaseExpression() as value)]):
            return value
        case cst.For(iter=iterated):
            return iterated
        case cst.If(test=test):
            return test
    return None


def _below(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    yield node
    for child in parts(node):
        yield from _below(child)
