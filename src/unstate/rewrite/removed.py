"""Statements that are taken out: definitions and imports of stores, with the comments and blank lines above them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import libcst as cst

from unstate.rewrite.lines import without_blank_tail
from unstate.rewrite.references import References


@dataclass(slots=True)
class Removed:
    """What goes from one module, and the lines above it that do not go with it."""

    references: References
    _nodes: set[int] = field(default_factory=set)
    _lines: dict[int, list[cst.EmptyLine]] = field(default_factory=dict)  # by the statement that they stand above then

    def __contains__(self, node: cst.CSTNode) -> bool:
        return id(node) in self._nodes

    def take(self, nodes: Iterable[cst.CSTNode]) -> None:
        """Take statements out that others stand for."""
        self._nodes.update(map(id, nodes))

    def take_definition(self, body: Sequence[cst.CSTNode], position: int) -> None:
        """Take a definition out. A comment right above it goes with it, unless the next line shares that comment."""
        node = cst.ensure_type(body[position], cst.SimpleStatementLine)
        self.take([node])
        leading = [*self._lines.pop(id(node), []), *node.leading_lines]
        following = body[position + 1] if position + 1 < len(body) else None
        if following is None:
            return
        after: Sequence[cst.EmptyLine] = getattr(following, "leading_lines", ())
        attached = 0
        while attached < len(leading) and leading[len(leading) - 1 - attached].comment is not None:
            attached += 1
        own = 0 if not after and self.references.defined_by(following) is None else attached
        kept = leading[: len(leading) - own]
        if any(line.comment is not None for line in kept) or len(kept) > len(after):
            self._lines[id(following)] = kept if not after else without_blank_tail(kept)

    def take_import(self, body: Sequence[cst.CSTNode], position: int) -> None:
        """Take an import out; the blank line that set its group apart stays with the next one."""
        node = cst.ensure_type(body[position], cst.SimpleStatementLine)
        self.take([node])
        if position + 1 < len(body) and not getattr(body[position + 1], "leading_lines", ()):
            self._lines[id(body[position + 1])] = [*self._lines.pop(id(node), []), *node.leading_lines]

    def with_lines(self, original: cst.CSTNode, updated: cst.CSTNode) -> cst.CSTNode:
        """A statement with the lines that stood above one before it, which is gone."""
        lines = self._lines.get(id(original))
        if lines is None:
            return updated
        return updated.with_changes(leading_lines=[*lines, *getattr(updated, "leading_lines", ())])

    def without_stores(self, original: cst.ImportFrom, updated: cst.CSTNode) -> cst.CSTNode | cst.RemovalSentinel:
        """`from m import x, y` without the names of stores."""
        names = cst.ensure_type(updated, cst.ImportFrom).names
        if isinstance(original.names, cst.ImportStar) or isinstance(names, cst.ImportStar):
            return updated
        kept = [new for old, new in zip(original.names, names, strict=True) if self.references.binding_at(old) is None]
        if not kept:
            return cst.RemoveFromParent()
        kept[-1] = kept[-1].with_changes(comma=original.names[-1].comma)
        return updated.with_changes(names=kept)
