"""Functions that hand a path which they are given to a program, and do nothing else with the file.

A program needs a real path. While such a function runs, a local copy of the file takes its place for the whole call, so
that nothing in the function changes.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from unstate.facts.hints import path_of
from unstate.facts.values import FUNCTION
from unstate.link.escapes import names_in
from unstate.link.program import Program
from unstate.link.values import Function

_RUNNING = frozenset("run call check_call check_output Popen".split())
_WAITING = frozenset({"wait", "communicate"})
_ASKING = frozenset("exists isfile isdir lexists getsize".split())  # of `os.path`, answered by the copy
_SAYING = frozenset("debug info warning error exception critical print str repr".split())
_FILLING = frozenset("append extend insert".split())
_HOLDING = (ast.List, ast.Tuple, ast.Starred, ast.BinOp, ast.JoinedStr, ast.FormattedValue)
_PLAIN_DECORATORS = frozenset({"staticmethod", "classmethod"})


class Programs:
    """Answers for one program; each function is read once."""

    def __init__(self, program: Program, read: Callable[[str], str]) -> None:
        self.program = program
        self.read = read
        self._known: dict[Function, dict[str, frozenset[str]]] = {}

    def names(self, function: Function) -> dict[str, frozenset[str]]:
        """The parameters whose files a function hands to programs, each with the local names that hold the path."""
        if function not in self._known:
            self._known[function] = dict(self._handed(function))
        return self._known[function]

    def _handed(self, function: Function) -> Iterator[tuple[str, frozenset[str]]]:
        frame = self.program.frame(function)
        if frame.sort != FUNCTION or not any(
            found.module == "subprocess" or (not found.module.strip(".") and found.name == "subprocess")
            for found in self.program.facts[function.path].imports
        ):
            return
        try:
            tree = ast.parse(self.read(function.path))
        except (OSError, SyntaxError, ValueError):
            return
        node = next(
            (
                each
                for each in ast.walk(tree)
                if isinstance(each, ast.FunctionDef) and (each.lineno, each.name) == (frame.line, frame.name)
            ),
            None,
        )
        if node is None or not all(getattr(each, "id", "") in _PLAIN_DECORATORS for each in node.decorator_list):
            return
        around = {id(child): parent for parent in ast.walk(node) for child in ast.iter_child_nodes(parent)}
        for parameter in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            names = _held(node, parameter.arg)
            uses = [each for each in ast.walk(node) if isinstance(each, ast.Name) and each.id in names]
            how = {_use(each, around, names) for each in uses if isinstance(each.ctx, ast.Load)}
            if "program" in how and "unknown" not in how and _waits(node):
                yield parameter.arg, names


def _held(function: ast.FunctionDef, parameter: str) -> frozenset[str]:
    """The parameter, and the local names of command lines that it is put into."""
    names = {parameter}
    before = 0
    while before != len(names):
        before = len(names)
        for node in ast.walk(function):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.List() | ast.Tuple() | ast.BinOp() as value):
                    if not names.isdisjoint(names_in(value)):
                        names.add(name)
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr)) if attr in _FILLING:
                    if any(not names.isdisjoint(names_in(each)) for each in node.args):
                        names.add(name)
    return frozenset(names)


def _use(name: ast.Name, around: dict[int, ast.AST], names: frozenset[str]) -> str:
    """What a function does with the path, or with what holds it: "program", "known" or "unknown"."""
    node: ast.AST = name
    parent = around[id(node)]
    while isinstance(parent, (*_HOLDING, ast.keyword)):
        node, parent = parent, around[id(parent)]
    match parent:
        case ast.Call(func=function) if node is not function:
            steps = path_of(function)
            last = steps[-1] if steps else ""
            if last in _RUNNING and steps in (("subprocess", last), (last,)):
                return "program"
            filled = last in _FILLING and steps[0] in names
            said = last in _SAYING or last.endswith(("Error", "Exception"))
            asked = last in _ASKING and steps[-2:-1] in ((), ("path",))
            return "known" if filled or said or asked else "unknown"
        case ast.Attribute(attr=attr):
            return "known" if attr in _FILLING and name is node else "unknown"
        case ast.Assign(targets=[ast.Name(id=target)]):
            return "known" if target in names else "unknown"
        case ast.AugAssign(target=ast.Name(id=target)):
            return "known" if target in names else "unknown"
        case ast.If() | ast.Compare() | ast.Raise() | ast.UnaryOp():
            return "known"
    return "unknown"


def _waits(function: ast.FunctionDef) -> bool:
    """Whether each program that is started is waited for before the function ends."""
    calls = [path_of(each.func)[-1:] for each in ast.walk(function) if isinstance(each, ast.Call)]
    entered = any(
        isinstance(each, ast.withitem)
        and isinstance(each.context_expr, ast.Call)
        and path_of(each.context_expr.func)[-1:] == ("Popen",)
        for each in ast.walk(function)
    )
    started = calls.count(("Popen",))
    return not started or (started == 1 and (entered or any(call[0] in _WAITING for call in calls if call)))
