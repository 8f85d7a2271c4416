"""Local names whose last use a rewrite took away."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Sequence

import libcst as cst

_Key = tuple[str, int]  # qualified name of a function, and which of that name
_CALLING = (cst.Call, cst.Await, cst.Yield, cst.NamedExpr)


def without_unused_locals(module: cst.Module, before: ast.Module) -> cst.Module:
    """Take out assignments to local names that were read before the rewrite and are not any more.

    A value that calls something is still worked out, as what it does may matter.
    """
    then = _used(before)
    now = _used(ast.parse(module.code))
    gone = {key: names - now[key] for key, names in then.items() if key in now and names - now[key]}
    return module.visit(_Remover(gone)) if gone else module


def _used(tree: ast.Module) -> dict[_Key, frozenset[str]]:
    """The names that each function reads, deletes or declares, with those of the functions within it."""
    found: dict[_Key, frozenset[str]] = {}
    counts: dict[str, int] = defaultdict(int)

    def visit(node: ast.AST, around: str) -> None:
        for child in ast.iter_child_nodes(node):
            name = around
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{around}.{child.name}"
                if not isinstance(child, ast.ClassDef):
                    found[name, counts[name]] = _read(child)
                    counts[name] += 1
            visit(child, name)

    visit(tree, "")
    return found


def _read(function: ast.AST) -> frozenset[str]:
    names: set[str] = set()
    for node in ast.walk(function):
        match node:
            case ast.Name(id=name, ctx=ast.Load() | ast.Del()) | ast.AugAssign(target=ast.Name(id=name)):
                names.add(name)
            case ast.Global(names=declared) | ast.Nonlocal(names=declared):
                names.update(declared)
    return frozenset(names)


class _Remover(cst.CSTTransformer):
    """Removes plain assignments to the names that are gone, function by function."""

    def __init__(self, gone: dict[_Key, frozenset[str]]) -> None:
        self.gone = gone
        self._around: list[str] = []
        self._names: list[frozenset[str]] = []
        self._counts: dict[str, int] = defaultdict(int)

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self._around.append(node.name.value)
        self._names.append(frozenset())

    def leave_ClassDef(self, original_node: cst.ClassDef, updated_node: cst.ClassDef) -> cst.ClassDef:
        self._around.pop()
        self._names.pop()
        return updated_node

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self._around.append(node.name.value)
        name = "".join(f".{step}" for step in self._around)
        self._names.append(self.gone.get((name, self._counts[name]), frozenset()))
        self._counts[name] += 1

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self._around.pop()
        self._names.pop()
        return updated_node

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement] | cst.RemovalSentinel:
        if not self._names or not self._names[-1]:
            return updated_node
        kept = [new for small in updated_node.body if (new := self._without(small)) is not None]
        if len(kept) == len(updated_node.body) and all(a is b for a, b in zip(kept, updated_node.body, strict=True)):
            return updated_node
        return updated_node.with_changes(body=kept) if kept else cst.RemoveFromParent()

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        if updated_node.body or not original_node.body:
            return updated_node
        return updated_node.with_changes(body=[cst.SimpleStatementLine([cst.Pass()])])

    def _without(self, small: cst.BaseSmallStatement) -> cst.BaseSmallStatement | None:
        match small:
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=value) if (
                name in self._names[-1]
            ):
                return cst.Expr(value, semicolon=small.semicolon) if _calls(value) else None
        return small


def _calls(node: cst.CSTNode) -> bool:
    children: Sequence[cst.CSTNode] = node.children
    return isinstance(node, _CALLING) or any(map(_calls, children))
