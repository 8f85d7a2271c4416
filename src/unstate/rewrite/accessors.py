"""Functions that hand out entries, `def find(k): return x[k]`, and who calls them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from unstate.model import Accessor
from unstate.rewrite.places import called, called_name

if TYPE_CHECKING:
    from unstate.rewrite.flow import Flow


def calls_of(flow: Flow, accessor: Accessor) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression | None]]:
    """The calls of an accessor in a module, awaited ones with their `await`, and the key of each."""
    for function, call in _uses(flow, accessor):
        named = bool(accessor.owner) and isinstance(function, cst.Name)  # a function called so, and no method
        if isinstance(call, cst.Call) and call.func is function and not named:
            by_name = next((a for a in call.args if a.keyword and a.keyword.value == accessor.parameter), None)
            plain = [a for a in call.args if a.keyword is None and not a.star]
            given = by_name or (plain[accessor.place] if accessor.place < len(plain) else None)
            given = given if accessor.parameter else None
            awaited = flow.parent(call)
            yield (awaited if isinstance(awaited, cst.Await) else call), None if given is None else given.value


def handed_on(flow: Flow, accessor: Accessor) -> str | None:
    """Why not all uses of an accessor in a module are calls that can be looked at."""
    if flow.is_renamed(accessor.name):
        return f"`{accessor.name}` is imported under another name"
    for function, call in _uses(flow, accessor):
        plain = isinstance(function, cst.Name)
        known = isinstance(call, cst.Call) and call.func is function
        taker = called(flow.parent(call) or call) if isinstance(call, cst.Arg) else ""
        looked_at = taker in ("callable", "isinstance", "print")
        if not known and not looked_at and not (plain and (accessor.owner or flow.is_no_use(function))):
            return f"`{accessor.name}` is handed on by its name"
    return None


def is_called_on_owner(flow: Flow, accessor: Accessor, value: cst.BaseExpression) -> bool:
    """Whether a call is one of the accessor itself, and not of another function of that name."""
    call = value.expression if isinstance(value, cst.Await) else value
    if not isinstance(call, cst.Call):
        return False
    if not accessor.owner:
        return isinstance(call.func, cst.Name) and flow.is_own(accessor.name)
    if not isinstance(call.func, cst.Attribute):
        return False
    receiver = call.func.value
    match receiver:
        case cst.Name(value="self" | "cls"):
            around = [node for node in flow.around(receiver) if isinstance(node, cst.ClassDef)]
            return bool(around) and around[-1].name.value == accessor.owner
        case cst.Name(value=name) if name == accessor.owner:
            return True
        case cst.Call(func=func):
            return called_name(func) == accessor.owner
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            found = list(kinds(flow, name))
            return bool(found) and all(kind == accessor.owner for kind in found)
    return False


def is_of_other(flow: Flow, function: cst.BaseExpression, owner: str) -> bool:
    """Whether `receiver.method` is for certain the method of another class than the owner."""
    if not owner or not isinstance(function, cst.Attribute):
        return False
    match function.value:
        case cst.Name(value="self" | "cls"):
            around = [node for node in flow.around(function) if isinstance(node, cst.ClassDef)]
            if (
                not around
                or around[-1].name.value == owner
                or any(called_name(b.value) == owner for b in around[-1].bases)
            ):
                return False
            own = (each for each in around[-1].body.body if isinstance(each, cst.FunctionDef))
            return any(each.name.value == function.attr.value for each in own)
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            found = set(kinds(flow, name))
            return (
                bool(found)
                and owner not in found
                and all(flow.is_own(kind) for kind in found if kind)
                and "" not in found
            )
    return False


def _uses(flow: Flow, accessor: Accessor) -> Iterator[tuple[cst.CSTNode, cst.CSTNode | None]]:
    """(the function as it is written, the node around it) for each use of the accessor's name."""
    for use in flow.uses(accessor.name):
        around = flow.parent(use)
        function = around if isinstance(around, cst.Attribute) and around.attr is use else use
        if not is_of_other(flow, function, accessor.owner):
            yield function, flow.parent(function)


def kinds(flow: Flow, name: str) -> Iterator[str]:
    """The classes of which a name or attribute of that name is an object, "" for what cannot be told."""
    for each in (flow, *(flow.elsewhere(name) or ())):
        for use in each.uses(name):
            around = each.parent(use)
            target = around if isinstance(around, cst.Attribute) and around.attr is use else use
            match each.parent(target):
                case cst.AssignTarget():
                    assign = each.parent(each.parent(target) or target)
                    value = assign.value if isinstance(assign, cst.Assign) else None
                    yield called_name(value.func) if isinstance(value, cst.Call) else ""
                case cst.AnnAssign(target=bound, annotation=annotation) if bound is target:
                    yield called_name(annotation.annotation)
                case cst.Param(name=parameter, annotation=annotation) if parameter is target:
                    yield called_name(annotation.annotation) if annotation is not None else ""
