"""Parentheses around what we put in: first everywhere, then taken off where nothing could bind tighter."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import libcst as cst

if TYPE_CHECKING:
    from unstate.rewrite.source import Source


class OurParen(cst.LeftParen):
    """A parenthesis that the rewrite set, not the author."""


_ATOMS = (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.BaseNumber, cst.BaseString, cst.BaseList, cst.BaseDict)


def parenthesized(node: cst.BaseExpression) -> cst.BaseExpression:
    """The expression in parentheses, unless it is an atom or ends in a trailer and so needs none anywhere."""
    if node.lpar or isinstance(node, (*_ATOMS, cst.BaseSet, cst.BaseComp)):
        return node
    return node.with_changes(lpar=[OurParen()], rpar=[cst.RightParen()])


class Unwrap(cst.CSTTransformer):
    """Takes our parentheses off again where the place itself delimits the expression.

    What stands as it did in the source has none of them.
    """

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source

    def on_visit(self, node: cst.CSTNode) -> bool:
        return not self.source.flow.has(node)

    def on_leave(self, original_node: cst.CSTNodeT, updated_node: cst.CSTNodeT) -> cst.CSTNodeT:
        for name in _DELIMITED.get(type(original_node), ()):
            updated_node = _bare(original_node, updated_node, name, awaits_only=False)
        for name in _LOOSE.get(type(original_node), ()):
            updated_node = _bare(original_node, updated_node, name, awaits_only=True)
        return updated_node


_DELIMITED: dict[type[cst.CSTNode], tuple[str, ...]] = {
    cst.Return: ("value",),
    cst.Assign: ("value",),
    cst.AnnAssign: ("value",),
    cst.AugAssign: ("value",),
    cst.Expr: ("value",),
    cst.Arg: ("value",),
    cst.If: ("test",),
    cst.While: ("test",),
    cst.Assert: ("test",),
    cst.For: ("iter",),
    cst.Index: ("value",),
    cst.Slice: ("lower", "upper", "step"),
    cst.Element: ("value",),
    cst.DictElement: ("value",),
    cst.FormattedStringExpression: ("expression",),
}
_LOOSE: dict[type[cst.CSTNode], tuple[str, ...]] = {
    cst.Comparison: ("left",),
    cst.ComparisonTarget: ("comparator",),
    cst.BooleanOperation: ("left", "right"),
    cst.UnaryOperation: ("expression",),
    cst.IfExp: ("body", "test", "orelse"),
    cst.NamedExpr: ("value",),
    cst.CompIf: ("test",),
    cst.CompFor: ("iter",),
    cst.ListComp: ("elt",),
}


def _bare(original: cst.CSTNode, updated: cst.CSTNodeT, name: str, *, awaits_only: bool) -> cst.CSTNodeT:
    before, value = getattr(original, name), getattr(updated, name)
    if not isinstance(before, cst.BaseExpression) or len(before.lpar) != 1 or not isinstance(before.lpar[0], OurParen):
        return updated
    if awaits_only and not isinstance(before, cst.Await):
        return updated
    if isinstance(before, cst.Tuple | cst.Yield | cst.NamedExpr):
        return updated
    bare = value.with_changes(lpar=[], rpar=[])
    return updated.with_changes(**{name: bare}) if _stands_alone(bare) else updated


def _stands_alone(node: cst.BaseExpression) -> bool:
    """Whether all line breaks of an expression are within brackets of its own."""
    code = cst.Module([]).code_for_node(node)
    if "\n" not in code:
        return True
    try:
        ast.parse(code, mode="eval")
    except SyntaxError:
        return False
    return True
