"""Lines of ours that are longer than the project has them: what is in their last brackets goes on lines of its own."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TypeVar

import libcst as cst

from unstate.rewrite.draft import Draft
from unstate.rewrite.visiting import visit

_Bracketed = cst.Call | cst.List | cst.Set | cst.Dict | cst.ListComp | cst.SetComp | cst.DictComp
_Node = TypeVar("_Node", bound=cst.CSTNode)


def folded(draft: Draft) -> Draft:
    """The draft with each line folded that the file did not have and that is longer than it may be."""
    source = draft.source
    known = frozenset(line.strip() for line in source.printed.text.splitlines())
    if all(len(line) <= source.width or line.strip() in known for line in draft.text.splitlines()):
        return draft
    folder = _Folder(known, source.width, draft.module.default_indent)
    body = [each if source.printed.statement(each) is not None else visit(each, folder) for each in draft.module.body]
    result = draft.but(draft.module.with_changes(body=body))
    return result if ast.dump(result.tree) == ast.dump(draft.tree) else draft


class _Folder(cst.CSTTransformer):
    def __init__(self, known: frozenset[str], width: int, step: str) -> None:
        self.known = known
        self.width = width
        self.step = step
        self.indents: list[str] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.IndentedBlock):
            self.indents.append(self.step if node.indent is None else node.indent)
        return not isinstance(node, cst.BaseExpression | cst.BaseSmallStatement)

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        self.indents.pop()
        return updated_node

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine:
        match updated_node.body:
            case [cst.Assign() | cst.AnnAssign() | cst.AugAssign() | cst.Return() | cst.Expr() as only]:
                if only.value is not None and self._is_long(_code(only), only.value):
                    value = self._folded(only.value, 0)
                    return updated_node.with_changes(body=[only.with_changes(value=value)])
        return updated_node

    def leave_If(self, original_node: cst.If, updated_node: cst.If) -> cst.If:
        if self._is_long(f"elif {_code(updated_node.test)}:", updated_node.test):
            return updated_node.with_changes(test=self._folded(updated_node.test, 0))
        return updated_node

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> cst.For:
        head = f"for {_code(updated_node.target)} in {_code(updated_node.iter)}:"
        if self._is_long(head, updated_node.iter):
            return updated_node.with_changes(iter=self._folded(updated_node.iter, 0))
        return updated_node

    def _is_long(self, line: str, value: cst.BaseExpression) -> bool:
        """Whether a line is one of ours and too long."""
        short = len("".join(self.indents)) + len(line) <= self.width
        ours = self.known.isdisjoint((line, line.removeprefix("el")))
        return not short and ours and "\n" not in line and _bracketed(value) is not None

    def _folded(self, value: cst.BaseExpression, depth: int) -> cst.BaseExpression:
        found = _bracketed(value)
        if found is None:
            return value
        result = value.deep_replace(found, self._opened(found, depth))
        assert isinstance(result, cst.BaseExpression)
        return result

    def _opened(self, node: _Bracketed, depth: int) -> cst.BaseExpression:
        """The node with what is in its brackets on lines of its own."""
        inner, outer = self._break(depth + 1), self._break(depth)
        match node:
            case cst.Call(args=args):
                alone = len(args) == 1 and isinstance(args[0].value, cst.GeneratorExp) and not args[0].value.lpar
                if alone or self._fits(", ".join(_code(_without_comma(arg)) for arg in args), depth + 1):
                    last = _without_comma(args[-1]).with_changes(whitespace_after_arg=outer)
                    return node.with_changes(whitespace_before_args=inner, args=[*args[:-1], last])
                opened = [arg.with_changes(value=self._within(arg, arg.value, depth + 1)) for arg in args]
                if len(opened) == 1:
                    only = _without_comma(opened[0]).with_changes(whitespace_after_arg=outer)
                    return node.with_changes(whitespace_before_args=inner, args=[only])
                return node.with_changes(whitespace_before_args=inner, args=_separated(opened, inner, outer))
            case cst.List(elements=elements) | cst.Set(elements=elements) | cst.Dict(elements=elements):
                opened_ = [each.with_changes(value=self._within(each, each.value, depth + 1)) for each in elements]
                return _between(
                    node.with_changes(elements=_separated(opened_, inner, cst.SimpleWhitespace(""))), inner, outer
                )
            case cst.ListComp() | cst.SetComp() | cst.DictComp():
                return _between(node.with_changes(for_in=_broken(node.for_in, inner)), inner, outer)
        return node

    def _within(self, around: cst.CSTNode, value: cst.BaseExpression, depth: int) -> cst.BaseExpression:
        code = _code(around).rstrip(", ")
        return value if "\n" in code or self._fits(f"{code},", depth) else self._folded(value, depth)

    def _fits(self, code: str, depth: int) -> bool:
        return "\n" not in code and len("".join(self.indents)) + len(self.step) * depth + len(code) <= self.width

    def _break(self, depth: int) -> cst.ParenthesizedWhitespace:
        return cst.ParenthesizedWhitespace(indent=True, last_line=cst.SimpleWhitespace(self.step * depth))


def _bracketed(node: cst.BaseExpression) -> _Bracketed | None:
    """The last brackets of an expression that have something in them; of several operands the longest one's."""
    match node:
        case cst.Call(args=[], func=cst.Attribute(value=value)):
            return _bracketed(value)
        case cst.Call(args=[]):
            return None
        case cst.Await(expression=value) | cst.Attribute(value=value) | cst.Subscript(value=value):
            return _bracketed(value)
        case cst.Call() | cst.ListComp() | cst.SetComp() | cst.DictComp():
            return node
        case cst.List(elements=[_, *_]) | cst.Set() | cst.Dict(elements=[_, *_]):
            return node
        case cst.Comparison() | cst.BooleanOperation() | cst.BinaryOperation() | cst.UnaryOperation() | cst.IfExp():
            parts = [each for each in _operands(node) if _bracketed(each) is not None]
            return _bracketed(max(parts, key=lambda each: len(_code(each)))) if parts else None
    return None


def _operands(node: cst.CSTNode) -> list[cst.BaseExpression]:
    found: list[cst.BaseExpression] = []
    for child in node.children:
        if isinstance(child, cst.BaseExpression):
            found.append(child)
        elif isinstance(child, cst.ComparisonTarget):
            found.append(child.comparator)
    return found


def _without_comma(node: cst.Arg) -> cst.Arg:
    return node.with_changes(comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=cst.SimpleWhitespace(""))


def _separated(
    parts: Sequence[_Node], inner: cst.BaseParenthesizableWhitespace, last: cst.BaseParenthesizableWhitespace
) -> list[_Node]:
    """Each on a line of its own, with a comma behind it."""
    done = [each.with_changes(comma=cst.Comma(whitespace_after=inner)) for each in parts]
    done[-1] = done[-1].with_changes(comma=cst.Comma(whitespace_after=last))
    return done


def _between(
    node: cst.BaseExpression, inner: cst.BaseParenthesizableWhitespace, outer: cst.BaseParenthesizableWhitespace
) -> cst.BaseExpression:
    left, right = ("lbracket", "rbracket") if isinstance(node, cst.List | cst.ListComp) else ("lbrace", "rbrace")
    return node.with_changes(
        **{
            left: getattr(node, left).with_changes(whitespace_after=inner),
            right: getattr(node, right).with_changes(whitespace_before=outer),
        }
    )


def _broken(loop: cst.CompFor, inner: cst.BaseParenthesizableWhitespace) -> cst.CompFor:
    """Each `for` and `if` of a comprehension on a line of its own."""
    ifs = [each.with_changes(whitespace_before=inner) for each in loop.ifs]
    further = None if loop.inner_for_in is None else _broken(loop.inner_for_in, inner)
    return loop.with_changes(whitespace_before=inner, ifs=ifs, inner_for_in=further)


def _code(node: cst.CSTNode) -> str:
    return cst.Module([]).code_for_node(node)
