"""A file as the rewriter reads it: parsed once, whatever number of groups is tried on it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from unstate.rewrite.flow import Flow
from unstate.rewrite.places import parts


class Source:
    """One file's bytes, its trees, and what is derived from them. Nothing of it is changed by a rewrite."""

    def __init__(
        self,
        content: bytes,
        path: str,
        exported: frozenset[str] = frozenset(),
        elsewhere: Callable[[str], Sequence[Source] | None] = lambda _: (),
        local_modules: frozenset[str] = frozenset(),
    ) -> None:
        """`exported`: the names that other modules may import from this one; `elsewhere`: the other files of the
        service that have a word, None where they are too many; `local_modules`: top-level names of its modules."""
        self.content = content
        self.path = path
        self.exported = exported
        self._elsewhere = elsewhere
        self.local_modules = local_modules

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree. Raises SyntaxError."""
        return ast.parse(self.content)

    @cached_property
    def module(self) -> cst.Module:
        """The concrete tree. Raises libcst.ParserSyntaxError."""
        return cst.parse_module(self.content)

    @cached_property
    def survives(self) -> bool:
        """Whether the concrete tree prints as the bytes it was read from."""
        return self.module.bytes == self.content

    @cached_property
    def positions(self) -> Mapping[cst.CSTNode, CodeRange]:
        """Where each node stands."""
        return MetadataWrapper(self.module, unsafe_skip_copy=True).resolve(PositionProvider)

    @cached_property
    def places(self) -> dict[tuple[int, int, int, int], list[tuple[cst.CSTNode, ...]]]:
        """Expressions and import aliases by their place, each with the nodes around it, the module first."""
        found: dict[tuple[int, int, int, int], list[tuple[cst.CSTNode, ...]]] = {}
        waiting: list[tuple[cst.CSTNode, tuple[cst.CSTNode, ...]]] = [(self.module, ())]
        while waiting:
            node, around = waiting.pop()
            here = (*around, node)
            entry = around[-1] if around else None
            if isinstance(node, cst.Name | cst.Attribute | cst.Subscript | cst.ImportAlias) or (
                isinstance(entry, cst.DictElement) and entry.key is node
            ):
                at = self.positions.get(node)
                if at is not None:
                    found.setdefault((at.start.line, at.start.column, at.end.line, at.end.column), []).append(here)
            waiting.extend((child, here) for child in parts(node))
        return found

    def path_to(self, node: cst.CSTNode) -> tuple[cst.CSTNode, ...]:
        """An expression with the nodes around it, the module first; the node alone, where its place is not known."""
        at = self.positions.get(node)
        paths = self.places.get((at.start.line, at.start.column, at.end.line, at.end.column), ()) if at else ()
        return next((path for path in paths if path[-1] is node), (node,))

    @cached_property
    def declarations(self) -> dict[int, list[tuple[cst.CSTNode, ...]]]:
        """`global` and `nonlocal` statements by line, each with the nodes around it."""
        found: dict[int, list[tuple[cst.CSTNode, ...]]] = {}
        waiting: list[tuple[cst.CSTNode, tuple[cst.CSTNode, ...]]] = [(self.module, ())]
        while waiting:
            node, around = waiting.pop()
            here = (*around, node)
            if isinstance(node, cst.Global | cst.Nonlocal):
                found.setdefault(self.positions[node].start.line, []).append(here)
            if not isinstance(node, cst.BaseExpression):
                waiting.extend((child, here) for child in parts(node))
        return found

    @cached_property
    def flow(self) -> Flow:
        """Where values go in this file."""
        return Flow(self.module, self.exported, self._flows, self.local_modules)

    def _flows(self, word: str) -> list[Flow] | None:
        sources = self._elsewhere(word)
        return None if sources is None else [source.flow for source in sources]
