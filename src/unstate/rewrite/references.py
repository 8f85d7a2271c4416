"""Which nodes of a libcst tree are references to which store, found by their places in the source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from unstate.model import Op, Span
from unstate.rewrite.binding import Binding


class References:
    """The references of a module, and the path from the root to each of them."""

    def __init__(self, wrapper: MetadataWrapper, path: str, bindings: Sequence[Binding]) -> None:
        self._positions: Mapping[cst.CSTNode, CodeRange] = wrapper.resolve(PositionProvider)
        self._wanted: dict[tuple[int, int, int, int], tuple[Binding, Op]] = {}
        self._declared: dict[int, list[Binding]] = {}  # by line: `global x` names several things in one statement
        for binding in bindings:
            for site in binding.in_file(path):
                if site.op is Op.GLOBAL:
                    self._declared.setdefault(site.line, []).append(binding)
                else:
                    self._wanted[_key(site.span)] = binding, site.op
        self._lines = {span[0] for span in self._wanted}
        self._at: dict[int, tuple[Binding, Op]] = {}
        self._within: dict[int, tuple[Binding, ...]] = {}
        self._missing = dict(self._wanted)
        self._walk(wrapper.module)

    def _walk(self, node: cst.CSTNode) -> tuple[Binding, ...]:
        found: tuple[Binding, ...] = ()
        if isinstance(node, cst.BaseExpression | cst.ImportAlias):
            place = self._place(node)
            if place is not None and place in self._wanted and self._fits(node, place):
                self._at[id(node)] = self._wanted[place]
                self._missing.pop(place, None)
                found = (self._wanted[place][0],)
        elif isinstance(node, cst.Global | cst.Nonlocal):
            found = tuple(self._declared.get(self._positions[node].start.line, ()))
        for child in node.children:
            for binding in self._walk(child):
                if binding not in found:
                    found = (*found, binding)
        if found:
            self._within[id(node)] = found
        return found

    def _fits(self, node: cst.CSTNode, place: tuple[int, int, int, int]) -> bool:
        """`from m import x`: the alias and the name in it stand in one place; the alias is what is meant."""
        return isinstance(node, cst.ImportAlias) == (self._wanted[place][1] is Op.IMPORT)

    def _place(self, node: cst.CSTNode) -> tuple[int, int, int, int] | None:
        at = self._positions.get(node)
        if at is None or at.start.line not in self._lines:
            return None
        return at.start.line, at.start.column, at.end.line, at.end.column

    def within(self, node: cst.CSTNode) -> bool:
        """Whether a reference stands in `node`, or is it."""
        return id(node) in self._within

    def bindings_within(self, node: cst.CSTNode) -> tuple[Binding, ...]:
        """The stores that `node` touches."""
        return self._within.get(id(node), ())

    def nodes_within(self, node: cst.CSTNode) -> Iterable[cst.CSTNode]:
        """The nodes below `node`, itself included, in which a reference stands, or which are one."""
        return (each for each in _walk(node) if id(each) in self._within)

    def count(self, node: cst.CSTNode, binding: Binding) -> int:
        """How many references to `binding` stand in `node`."""
        return sum(self.binding_at(each) is binding for each in _walk(node))

    def binding_at(self, node: cst.CSTNode) -> Binding | None:
        """The store that `node` itself is a reference to."""
        return self._at[id(node)][0] if id(node) in self._at else None

    def defined_by(self, statement: cst.CSTNode) -> Binding | None:
        """The store that a statement does nothing but define: `x = {}`, `x: dict[str, str] = {}`."""
        match statement:
            case cst.SimpleStatementLine(body=[cst.Assign(targets=[cst.AssignTarget(target=target)])]):
                pass
            case cst.SimpleStatementLine(body=[cst.AnnAssign(target=target)]):
                pass
            case _:
                return None
        binding, op = self._at.get(id(target), (None, None))
        return binding if op is Op.DEFINE else None

    def imported_by(self, statement: cst.CSTNode) -> bool:
        """Whether a statement does nothing but import stores."""
        match statement:
            case cst.SimpleStatementLine(body=[cst.ImportFrom(names=names)]) if not isinstance(names, cst.ImportStar):
                return all(id(alias) in self._at for alias in names)
        return False

    def test(self, binding: Binding) -> Callable[[cst.CSTNode], bool]:
        """Whether a node is a reference to `binding`, for the matcher."""
        return lambda node: self.binding_at(node) is binding

    def line(self, node: cst.CSTNode) -> int:
        """The line of the first reference in `node`, else of `node`."""
        first = next((n for n in _walk(node) if id(n) in self._at), node)
        return self._positions[first].start.line

    @property
    def missing(self) -> Iterable[tuple[int, Binding]]:
        """Sites that no node of the tree answers to: the tree and the facts disagree."""
        return [(place[0], binding) for place, (binding, _) in self._missing.items()]


def _walk(node: cst.CSTNode) -> Iterable[cst.CSTNode]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _key(span: Span) -> tuple[int, int, int, int]:
    return span.line, span.column, span.end_line, span.end_column
