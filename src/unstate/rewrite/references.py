"""Which nodes of a libcst tree are references to which store, found by their places in the source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import libcst as cst

from unstate.model import Op, Span
from unstate.rewrite.aliases import local_name
from unstate.rewrite.binding import Binding
from unstate.rewrite.places import is_model, parts
from unstate.rewrite.source import Source


class References:
    """The references of a module, and the path from the root to each of them."""

    def __init__(self, source: Source, bindings: Sequence[Binding]) -> None:
        self._source = source
        self._exported = source.exported
        self._at: dict[int, tuple[Binding, Op]] = {}
        self._within: dict[int, tuple[Binding, ...]] = {}
        self._missing: list[tuple[int, Binding]] = []
        for binding in bindings:
            for site in binding.in_file(source.path):
                if site.op is Op.GLOBAL:
                    paths = source.declarations_at(site.line)
                else:
                    paths = [path for path in source.at(_key(site.span)) if _fits(path[-1], site.op)]
                    self._at.update(
                        (id(path[-1]), (binding, Op.DEFINE if _only_declares(path) else site.op)) for path in paths
                    )
                if not paths:
                    self._missing.append((site.line, binding))
                for path in paths:
                    self.hold(path, binding)
                    self._follow(path, binding)

    def _follow(self, path: Sequence[cst.CSTNode], binding: Binding) -> None:
        """Take the uses of a local name of the store for uses of the store; the name itself is defined away."""
        named = None if binding.rebound else local_name(path)
        if named is None:
            return
        bound, uses = named
        self._at[id(bound[-1])] = (binding, Op.DEFINE)
        self._at.update((id(use[-1]), (binding, Op.READ)) for use in uses)
        for each in (bound, *uses):
            self.hold(each, binding)

    def hold(self, path: Sequence[cst.CSTNode], binding: Binding) -> None:
        """Count the last node of a path from the root as one that `binding` is touched in."""
        for node in path:
            there = self._within.get(id(node), ())
            if binding not in there:
                self._within[id(node)] = (*there, binding)

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
            case cst.SimpleStatementLine(body=[cst.Assign(targets=[cst.AssignTarget(target=target)], value=value)]):
                pass
            case cst.SimpleStatementLine(body=[cst.AnnAssign(target=target, value=value)]):
                pass
            case _:
                return None
        if isinstance(value, cst.Dict) and value.elements and isinstance(target, cst.Name):
            entries = [self.entry_of(each) for each in value.elements]
            if all(entries) and target.value not in self._exported:
                return entries[0]
        binding, op = self._at.get(id(target), (None, None))
        return binding if op is Op.DEFINE else None

    def entry_of(self, element: cst.CSTNode) -> Binding | None:
        """The store that an entry of a dict defines: `"files": {}` in `state = {"files": {}}`."""
        binding, op = (
            self._at.get(id(element.key), (None, None)) if isinstance(element, cst.DictElement) else (None,) * 2
        )
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
        return self._source.line(first)

    @property
    def missing(self) -> Sequence[tuple[int, Binding]]:
        """Sites that no node of the tree answers to: the tree and the facts disagree."""
        return self._missing


def _only_declares(path: Sequence[cst.CSTNode]) -> bool:
    """`x: dict`, without a value, in a class whose annotations are no fields."""
    declares = isinstance(path[-2], cst.AnnAssign) and path[-2].target is path[-1] and path[-2].value is None
    around = next((each for each in reversed(path) if isinstance(each, cst.ClassDef | cst.FunctionDef)), None)
    return declares and not (isinstance(around, cst.ClassDef) and is_model(around))


def _fits(node: cst.CSTNode, op: Op) -> bool:
    """`from m import x`: the alias and the name in it stand in one place; the alias is what is meant."""
    return isinstance(node, cst.ImportAlias) == (op is Op.IMPORT)


def _walk(node: cst.CSTNode) -> Iterable[cst.CSTNode]:
    yield node
    for child in parts(node):
        yield from _walk(child)


def _key(span: Span) -> tuple[int, int, int, int]:
    return span.line, span.column, span.end_line, span.end_column
