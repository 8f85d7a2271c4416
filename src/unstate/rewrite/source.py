"""A file as the rewriter reads it: parsed once, whatever number of groups is tried on it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

import libcst as cst

from unstate.rewrite.flow import Flow
from unstate.rewrite.lines import width_of
from unstate.rewrite.names import unresolved
from unstate.rewrite.printing import Printed
from unstate.rewrite.syntax import walk

Place = tuple[int, int, int, int]  # line, column, end line, end column
Chain = tuple[cst.CSTNode, ...]  # a node with the nodes around it, the module first
_REFERENCES = frozenset({cst.Name, cst.Attribute, cst.Subscript, cst.ImportAlias})


class Source:
    """One file's bytes, its trees, and what is derived from them. Nothing of it is changed by a rewrite."""

    def __init__(
        self,
        content: bytes,
        path: str,
        exported: frozenset[str] = frozenset(),
        elsewhere: Callable[[str], Sequence[Source] | None] = lambda _: (),
        local_modules: frozenset[str] = frozenset(),
        width: int = 0,
    ) -> None:
        """`exported`: the names that other modules may import from this one; `elsewhere`: the other files of the
        service that have a word, None where they are too many; `local_modules`: top-level names of its modules;
        `width`: how long the project's lines may be, 0 where it does not say."""
        self.content = content
        self.path = path
        self.exported = exported
        self._elsewhere = elsewhere
        self.local_modules = local_modules
        self._width = width

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree. Raises SyntaxError."""
        return ast.parse(self.content)

    @cached_property
    def nodes(self) -> Sequence[ast.AST]:
        """The nodes of the syntax tree, those nearer to the module first."""
        return walk(self.tree)

    @cached_property
    def unresolved(self) -> frozenset[str]:
        """The names that are read as globals and bound nowhere in the file."""
        return unresolved(self.printed.text, self.path)

    @cached_property
    def module(self) -> cst.Module:
        """The concrete tree. Raises libcst.ParserSyntaxError."""
        return cst.parse_module(self.content)

    @cached_property
    def printed(self) -> Printed:
        """What the concrete tree prints as, and where its nodes stand."""
        return Printed(self.module)

    @cached_property
    def width(self) -> int:
        """How long a line of the file may be."""
        return self._width or width_of(self.printed.text)

    @cached_property
    def survives(self) -> bool:
        """Whether the concrete tree prints as the bytes it was read from."""
        return self.printed.text.encode(self.module.encoding) == self.content

    def line(self, node: cst.CSTNode) -> int:
        """The line that a node begins in."""
        return self.printed.range(node).start.line

    def at(self, place: Place) -> list[Chain]:
        """The names, attributes, subscripts, import aliases and keys of dicts at a place, the outermost first."""
        return [self.flow.around(node) for node in self._references.get(place, ())]

    def expressions_at(self, place: Place) -> list[Chain]:
        """The expressions at a place, the outermost first."""
        return [self.flow.around(node) for node in self._expressions.get(place, ())]

    def declarations_at(self, line: int) -> list[Chain]:
        """The `global` and `nonlocal` statements that begin in a line."""
        return [self.flow.around(node) for node in self._declarations.get(line, ())]

    def path_to(self, node: cst.CSTNode) -> Chain:
        """What may be a reference with the nodes around it; any other node alone."""
        return self.flow.around(node) if self._may_refer(node) else (node,)

    @cached_property
    def _references(self) -> dict[Place, list[cst.CSTNode]]:
        return self._by_place(filter(self._may_refer, self.flow.nodes))

    def _may_refer(self, node: cst.CSTNode) -> bool:
        if type(node) in _REFERENCES:
            return True
        entry = self.flow.parent(node)
        return isinstance(entry, cst.DictElement) and entry.key is node

    @cached_property
    def _expressions(self) -> dict[Place, list[cst.CSTNode]]:
        return self._by_place(node for node in self.flow.nodes if isinstance(node, cst.BaseExpression))

    def _by_place(self, nodes: Iterable[cst.CSTNode]) -> dict[Place, list[cst.CSTNode]]:
        found: dict[Place, list[cst.CSTNode]] = {}
        for node in nodes:
            place = self.printed.place(node)
            if place is not None:
                found.setdefault(place, []).append(node)
        return found

    @cached_property
    def _declarations(self) -> dict[int, list[cst.CSTNode]]:
        found: dict[int, list[cst.CSTNode]] = {}
        for node in self.flow.nodes:
            if isinstance(node, cst.Global | cst.Nonlocal):
                found.setdefault(self.line(node), []).append(node)
        return found

    @cached_property
    def flow(self) -> Flow:
        """Where values go in this file."""
        return Flow(self.module, self.exported, self._flows, self.local_modules)

    def _flows(self, word: str) -> list[Flow] | None:
        sources = self._elsewhere(word)
        return None if sources is None else [source.flow for source in sources]
