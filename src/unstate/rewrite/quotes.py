"""Strings inside the placeholders of an f-string: before Python 3.12 they cannot have the quotes of the f-string."""

from __future__ import annotations

import libcst as cst

from unstate.rewrite.parentheses import OurParen

_OTHER = {'"': "'", "'": '"', '"""': "'''", "'''": '"""'}


class Requote(cst.CSTTransformer):
    """Gives strings within f-strings other quotes than those around them, where their content allows it."""

    def __init__(self) -> None:
        self.around: list[str] = []

    def leave_OurParen(self, original_node: OurParen, updated_node: cst.LeftParen) -> OurParen:
        return original_node  # a visit makes plain ones of them

    def visit_FormattedString(self, node: cst.FormattedString) -> None:
        self.around.append(node.quote)

    def leave_FormattedString(
        self, original_node: cst.FormattedString, updated_node: cst.FormattedString
    ) -> cst.FormattedString:
        self.around.pop()
        quote = original_node.quote
        if quote not in self.around or (other := self._other(quote)) in cst.Module([]).code_for_node(updated_node):
            return updated_node
        return updated_node.with_changes(start=updated_node.prefix + other, end=other)

    def leave_SimpleString(self, original_node: cst.SimpleString, updated_node: cst.SimpleString) -> cst.SimpleString:
        quote = original_node.quote
        if quote not in self.around or (other := self._other(quote)) in original_node.raw_value:
            return updated_node
        return updated_node.with_changes(value=original_node.prefix + other + original_node.raw_value + other)

    def _other(self, quote: str) -> str:
        """A quote that none of the strings around has."""
        choices = (_OTHER[quote], *_OTHER)
        return next((choice for choice in choices if choice not in self.around), quote)
