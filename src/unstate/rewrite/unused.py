"""Local names whose last use a rewrite took away."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import libcst as cst

from unstate.rewrite.draft import Draft
from unstate.rewrite.syntax import children
from unstate.rewrite.visiting import visited

_Key = tuple[str, int]  # qualified name of a function, and which of that name
_CALLING = (cst.Call, cst.Await, cst.Yield, cst.NamedExpr)


def without_unused_locals(draft: Draft) -> Draft:
    """Take out assignments to local names that were read before the rewrite and are not any more.

    A value that calls something is still worked out, as what it does may matter.
    """
    then, now = _used(draft.source.tree), _used(draft.tree)
    gone = {key: names - now[key] for key, names in then.items() if key in now and names - now[key]}
    return draft.but(visited(draft.module, _Remover(gone))) if gone else draft


def _used(tree: ast.Module) -> dict[_Key, set[str]]:
    """The names that each function reads, deletes or declares, with those of the functions within it."""
    found: dict[_Key, set[str]] = {}
    counts: dict[str, int] = defaultdict(int)

    def visit(node: ast.AST, around: str, names: set[str]) -> None:
        for child in children(node):
            match child:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    inner, inside = f"{around}.{name}", set[str]()
                    found[inner, counts[inner]] = inside
                    counts[inner] += 1
                    visit(child, inner, inside)
                    names |= inside
                case ast.ClassDef(name=name):
                    visit(child, f"{around}.{name}", names)
                case ast.Name(id=name, ctx=ast.Load() | ast.Del()):
                    names.add(name)
                case _:
                    if isinstance(child, ast.AugAssign) and isinstance(child.target, ast.Name):
                        names.add(child.target.id)
                    elif isinstance(child, ast.Global | ast.Nonlocal):
                        names.update(child.names)
                    visit(child, around, names)

    visit(tree, "", set())
    return found


class _Remover(cst.CSTTransformer):
    """Removes plain assignments to the names that are gone, function by function."""

    def __init__(self, gone: Mapping[_Key, Collection[str]]) -> None:
        self.gone = gone
        self._around: list[str] = []
        self._names: list[Collection[str]] = []
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
