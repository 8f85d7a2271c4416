"""A file on its way through a rewrite: its tree, and what that says as text and to Python, made once each."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cached_property

import libcst as cst

from unstate.rewrite.printing import text_of
from unstate.rewrite.source import Source
from unstate.rewrite.syntax import walk


class Draft:
    """One state of a file's rewrite."""

    def __init__(self, module: cst.Module, source: Source) -> None:
        self.module = module
        self.source = source

    def but(self, module: cst.Module) -> Draft:
        """The draft with another tree."""
        return self if module is self.module else Draft(module, self.source)

    @cached_property
    def text(self) -> str:
        """What the tree prints as."""
        return text_of(self.module, self.source.printed)

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree of the text. Raises SyntaxError."""
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> Sequence[ast.AST]:
        """The nodes of the syntax tree."""
        return walk(self.tree)
