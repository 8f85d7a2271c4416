"""What is known of a node from where it stands; how often a form evaluates what its pattern bound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache

import libcst as cst

from unstate.rewrite.match import METAVARIABLES


def mark_targets(node: cst.CSTNode, targets: set[int]) -> None:
    """Note what a statement writes to. `x[k]["f"] = v` writes into `x[k]`, so no part of that chain is a plain read."""
    match node:
        case cst.AssignTarget(target=target) | cst.AnnAssign(target=target) | cst.AugAssign(target=target):
            _mark_chain(target, targets)
        case cst.Del(target=target) | cst.For(target=target) | cst.CompFor(target=target):
            _mark_chain(target, targets)
        case cst.NamedExpr(target=target):
            _mark_chain(target, targets)
        case cst.AsName(name=name):
            _mark_chain(name, targets)


_ITERATING = frozenset("list tuple set frozenset sorted sum any all max min enumerate zip map filter".split())
_CONSUMERS = frozenset("list sorted set tuple frozenset len any all sum max min dict enumerate zip map filter".split())


def mark_consumed(node: cst.CSTNode, consumed: set[int]) -> None:
    """Note what is read to its end where it stands."""
    match node:
        case cst.For(iter=iterated) | cst.CompFor(iter=iterated):
            consumed.add(id(iterated))
        case cst.Call(func=cst.Name(value=name), args=args) if name in _CONSUMERS:
            consumed.update(id(arg.value) for arg in args)
        case cst.Comparison(comparisons=comparisons):
            consumed.update(
                id(each.comparator) for each in comparisons if isinstance(each.operator, cst.In | cst.NotIn)
            )


def mark_implied(node: cst.CSTNode, implied: dict[int, str]) -> None:
    """Note on what Python itself calls `iter` or `bool`."""
    match node:
        case cst.For(iter=iterated) | cst.CompFor(iter=iterated):
            implied[id(iterated)] = "iter"
        case (
            cst.If(test=test)
            | cst.While(test=test)
            | cst.IfExp(test=test)
            | cst.CompIf(test=test)
            | cst.Assert(test=test)
        ):
            implied[id(test)] = "bool"
        case cst.Call():
            implied.update((id(argument), "iter") for argument in implied_of_arguments(node))
        case cst.UnaryOperation(operator=cst.Not(), expression=expression):
            implied[id(expression)] = "bool"
        case cst.BooleanOperation(left=left, right=right) if implied.get(id(node)) == "bool":
            implied[id(left)] = implied[id(right)] = "bool"


def implied_of_arguments(call: cst.Call) -> Sequence[cst.BaseExpression]:
    """The arguments of a call that are read from their first entry to their last."""
    given = [arg.value for arg in call.args if arg.keyword is None and not arg.star]
    match call.func:
        case cst.Name(value="zip"):
            return given
        case cst.Name(value="map" | "filter"):
            return given[1:]
        case cst.Name(value="max" | "min"):
            return given if len(given) == 1 else ()
        case cst.Name(value=name) if name in _ITERATING:
            return given[:1]
        case cst.Attribute(value=cst.BaseString(), attr=cst.Name(value="join")):
            return given
    return ()


def _mark_chain(node: cst.BaseExpression, targets: set[int]) -> None:
    targets.add(id(node))
    match node:
        case cst.Attribute(value=value) | cst.Subscript(value=value):
            _mark_chain(value, targets)
        case cst.Call(func=func):
            _mark_chain(func, targets)
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            for element in elements:
                _mark_chain(element.value, targets)


@cache
def repeated(pattern: str, form: str) -> frozenset[str]:
    """Letters whose expression the form evaluates more or less often than once, or the pattern more than once."""
    wanted, given = letters(pattern), letters(form)
    return frozenset(
        letter
        for letter in METAVARIABLES - {"x", "t", "b"}
        if max(wanted[letter], given[letter]) > 1 or (wanted[letter] and not given[letter])
    )


def named(pattern: str, form: str) -> frozenset[str]:
    """The keys that a form evaluates more often than its pattern does, which it may give a name where it does first."""
    wanted, given = letters(pattern), letters(form)
    return frozenset(letter for letter in ("k", "k2") if wanted[letter] == 1 < given[letter])


@cache
def letters(text: str) -> Counter[str]:
    """How often each name stands in a pattern or form; the key's macros count as the key."""
    counter = _Letters()
    cst.parse_module(text).visit(counter)
    return counter.found


class _Letters(cst.CSTVisitor):
    def __init__(self) -> None:
        self.found: Counter[str] = Counter()
        self.called: set[int] = set()

    def visit_Call(self, node: cst.Call) -> None:
        if isinstance(node.func, cst.Name) and node.args:
            self.called.add(id(node.func))

    def visit_Attribute_attr(self, node: cst.Attribute) -> None:
        self.called.add(id(node.attr))

    def visit_Arg_keyword(self, node: cst.Arg) -> None:
        if node.keyword is not None:
            self.called.add(id(node.keyword))

    def visit_Name(self, node: cst.Name) -> None:
        if id(node) in self.called:
            return
        letter = "k" if node.value in ("KEY", "FIELD", "OBJECT") else node.value
        self.found[letter] += 1


def with_comments(
    new: list[cst.SimpleStatementLine | cst.BaseCompoundStatement], run: Sequence[cst.CSTNode]
) -> list[cst.CSTNode]:
    """Comments of the replaced lines stay: those before and inside them stand before the form."""
    first = run[0]
    leading = list(getattr(first, "leading_lines", ()))
    kept = _Comments()
    for node in run:
        node.visit(kept)
    own = {line.comment.value for line in leading if line.comment is not None}
    indent = [cst.EmptyLine(comment=cst.Comment(text)) for text in kept.found if text not in own]
    if not new:
        return []
    if (
        isinstance(first, cst.SimpleStatementLine)
        and len(run) == 1
        and len(new) == 1
        and isinstance(new[0], cst.SimpleStatementLine)
    ):
        return [new[0].with_changes(leading_lines=leading, trailing_whitespace=first.trailing_whitespace)]
    return [new[0].with_changes(leading_lines=[*leading, *indent]), *new[1:]]


class _Comments(cst.CSTVisitor):
    def __init__(self) -> None:
        self.found: list[str] = []

    def visit_Comment(self, node: cst.Comment) -> None:
        self.found.append(node.value)
