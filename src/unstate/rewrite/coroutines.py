"""Functions that become asynchronous, and the calls of them, which become awaited."""

from __future__ import annotations

from collections.abc import Collection

import libcst as cst

from unstate.rewrite.parentheses import OurParen, parenthesized


class Awaited(cst.CSTTransformer):
    """Makes functions of the given names asynchronous, and awaits every call of them.

    The plan has made sure that each mention of such a name is its definition, an import or a call where `await` may
    stand.
    """

    def __init__(self, names: Collection[str]) -> None:
        super().__init__()
        self.names = names

    def leave_OurParen(self, original_node: OurParen, updated_node: cst.LeftParen) -> OurParen:
        return original_node  # a visit makes plain ones of them

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        if original_node.name.value in self.names and updated_node.asynchronous is None:
            return updated_node.with_changes(asynchronous=cst.Asynchronous())
        return updated_node

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        match original_node.func:
            case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)) if name in self.names:
                return parenthesized(cst.Await(updated_node))
        return updated_node
