"""Names of entries that other functions change meanwhile: `s = x[k]; add(k); len(s)` looked at one object, and would
look at a copy from before the change. Such a name is read again behind the call."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

import libcst as cst

from unstate.rewrite import flowwords as words
from unstate.rewrite.accessors import kinds
from unstate.rewrite.places import called, parts

if TYPE_CHECKING:
    from unstate.rewrite.flow import Flow


def changing_calls(
    flow: Flow, changers: Collection[str], function: cst.FunctionDef, after: cst.CSTNode
) -> Iterator[cst.Call]:
    """The calls, behind a node of a function, of functions that change entries ("name", "Class.name")."""
    by_name: dict[str, set[str]] = {}
    for changer in changers:
        owner, _, name = changer.rpartition(".")
        by_name.setdefault(name, set()).add(owner)
    for name in sorted(by_name):
        for use in (use for each in flow.names_of(name) for use in flow.uses(each)):
            around = flow.parent(use)
            callee = around if isinstance(around, cst.Attribute) and around.attr is use else use
            call = flow.parent(callee)
            if (
                isinstance(call, cst.Call)
                and call.func is callee
                and flow.function(call) is function
                and flow.is_behind(call, after)
                and not any(isinstance(each, cst.Lambda) for each in flow.around(call))  # it runs at another time
                and any(_may_be(flow, callee, name, owner) for owner in by_name[name])
            ):
                yield call


def _may_be(flow: Flow, callee: cst.BaseExpression, name: str, owner: str) -> bool:
    """Whether a call of that name may be one of the function."""
    if not owner:
        return isinstance(callee, cst.Name) or name not in words.COMMON_METHODS
    if not isinstance(callee, cst.Attribute):
        return False
    match callee.value:
        case cst.Name(value="self" | "cls"):
            around = [node for node in flow.around(callee) if isinstance(node, cst.ClassDef)]
            return not around or around[-1].name.value == owner or name not in words.COMMON_METHODS
        case cst.Name(value=receiver) | cst.Attribute(attr=cst.Name(value=receiver)):
            return name not in words.COMMON_METHODS or owner in kinds(flow, receiver) or receiver == owner
    return name not in words.COMMON_METHODS


def uses_behind(flow: Flow, function: cst.FunctionDef, name: str, call: cst.Call) -> Sequence[cst.Name]:
    """Where a name is read after a call may have run: behind it, and anywhere in a loop around it."""
    loops = [
        node for node in flow.around(call) if isinstance(node, cst.For | cst.While) and flow.stands_in(node, function)
    ]
    return [
        use
        for use in flow.uses(name)
        if flow.stands_in(use, function)
        and flow.is_read(use)
        and not flow.stands_in(use, call)
        and (flow.is_behind(use, call) or any(flow.stands_in(use, loop) for loop in loops))
    ]


def place_behind(flow: Flow, call: cst.Call, name: str, uses: Sequence[cst.Name]) -> cst.CSTNode | str | None:
    """The line behind which a name is to be read again; None where there is no need, text for why there is no place."""
    line: cst.CSTNode | None = call
    while line is not None and not isinstance(line, cst.SimpleStatementLine):
        if isinstance(line, cst.BaseCompoundStatement | cst.Lambda | cst.BaseComp):
            return f"`{called(call)}` changes the entry in the midst of a statement, and `{name}` is used after it"
        line = flow.parent(line)
    if line is None:
        return None
    if any(isinstance(each, cst.Return | cst.Raise) for each in line.body):
        rest = [use for use in uses if flow.stands_in(use, line)]
        return f"`{called(call)}` changes the entry before `{name}` is returned" if rest else None
    if name in _bound_in(line):
        return None
    if any(flow.stands_in(use, line) for use in uses if flow.is_behind(use, call)):
        return f"`{called(call)}` changes the entry in the midst of a line that uses `{name}`"
    return line


def _bound_in(line: cst.CSTNode) -> set[str]:
    """The names that a line binds by itself."""
    found = set()
    for each in parts(line):
        match each:
            case cst.Assign(targets=targets):
                found |= {t.target.value for t in targets if isinstance(t.target, cst.Name)}
            case cst.AnnAssign(target=cst.Name(value=name)):
                found.add(name)
    return found


def place_in(flow: Flow, loop: cst.While, name: str) -> tuple[cst.CSTNode, bool] | str:
    """The statement of a loop at which a name is read again in each round, and whether before it; text for why there
    is none."""
    if not isinstance(loop.body, cst.IndentedBlock):
        return f"a loop goes on with `{name}`, which others may change, and has no lines of its own"
    if not any(flow.stands_in(use, loop.test) for use in flow.uses(name)):
        return loop.body.body[0], True
    if _goes_on(loop.body):
        return f"a loop tests `{name}`, which others may change, and goes on from its midst"
    return loop.body.body[-1], False


def _goes_on(node: cst.CSTNode) -> bool:
    """Whether a loop's body has a `continue` of its own."""
    if isinstance(node, cst.Continue):
        return True
    return not isinstance(node, cst.For | cst.While | cst.FunctionDef) and any(map(_goes_on, parts(node)))
