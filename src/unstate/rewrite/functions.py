"""The functions around the node that is looked at: they decide whether `await` may stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import libcst as cst

from unstate.rewrite.coroutines import becomes_asynchronous


@dataclass(frozen=True, slots=True)
class Function:
    """A place that code runs in: "async", "sync", "lambda", "generator", "module"."""

    how: str
    number: int
    name: str = ""
    first: cst.CSTNode | None = None  # of a generator: what is evaluated around it, before it runs
    typed: bool = False  # it has annotations, so that what we define in it has some too


@dataclass(slots=True)
class Functions:
    """The functions and classes around a node, as they are entered and left."""

    awaited: frozenset[str]  # functions that become asynchronous
    around: Callable[[cst.CSTNode], Sequence[cst.CSTNode]]  # the nodes around a node
    _functions: list[Function] = field(default_factory=lambda: [Function("module", 0)])
    _names: list[str] = field(default_factory=list)  # classes by name, functions as "()"
    _count: int = 0

    def enter(self, node: cst.CSTNode) -> None:
        """Go into a node."""
        if (how := _how(node)) is not None:
            self._count += 1
            name = node.name.value if isinstance(node, cst.FunctionDef) else ""
            if name and becomes_asynchronous(name, self._names, self.awaited):
                how = "async"
            first = node.for_in.iter if isinstance(node, cst.GeneratorExp) else None
            self._functions.append(Function(how, self._count, name, first, _is_typed(node)))
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self._names.append("()" if isinstance(node, cst.FunctionDef) else node.name.value)

    def leave(self, node: cst.CSTNode, *, entered: bool) -> None:
        """Come out of a node; `entered`: it was gone into as a function."""
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self._names.pop()
        if _how(node) is not None and entered:
            self._functions.pop()

    @property
    def here(self) -> Function:
        """The innermost function."""
        return self._functions[-1]

    @property
    def in_coroutine(self) -> bool:
        """Whether one of them is asynchronous."""
        return any(function.how == "async" for function in self._functions)

    def of(self, node: cst.CSTNode) -> Function:
        """Where a node is evaluated: what a generator goes over, around it."""
        around = {id(each) for each in self.around(node)}
        inner = (each for each in reversed(self._functions) if each.first is None or id(each.first) not in around)
        return next(inner)


def _how(node: cst.CSTNode) -> str | None:
    match node:
        case cst.FunctionDef(asynchronous=asynchronous):
            return "sync" if asynchronous is None else "async"
        case cst.Lambda():
            return "lambda"
        case cst.GeneratorExp():
            return "generator"
    return None


def _is_typed(node: cst.CSTNode) -> bool:
    if not isinstance(node, cst.FunctionDef):
        return False
    given = node.params
    parameters = (*given.posonly_params, *given.params, *given.kwonly_params)
    return node.returns is not None or any(each.annotation is not None for each in parameters)
