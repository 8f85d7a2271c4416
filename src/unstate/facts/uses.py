"""What happens to the value of an expression, judged by the nodes around it."""

from __future__ import annotations

import ast
from typing import Any

Up = tuple[Any, Any] | None  # (parent, the parent's Up)

_ITERATING = frozenset(
    (
        "list tuple sorted set frozenset sum min max any all enumerate reversed iter map filter zip dict"
        " OrderedDict Counter"
    ).split()
)
_READING = frozenset("str repr print isinstance type id hash format int float abs round range callable".split())
_DISPLAYS = frozenset({ast.Tuple, ast.List, ast.Set, ast.Dict})
_CONTAINERS = frozenset({ast.Tuple, ast.List, ast.Set, ast.Dict, ast.IfExp, ast.Starred, ast.NamedExpr})


def use_of(node: Any, up: Up) -> tuple[str, Any, tuple[str, ...], str]:
    """How the maximal path `node` is used.

    Returns the use (see `Ref.use`), the statement that binds or None, what the value is handed to, and in which place
    ("" or an index or a keyword).
    """
    context = getattr(node, "ctx", None)
    if context is not None and type(context) is not ast.Load:
        return _bound(node, up, type(context) is ast.Del)
    while up is not None:
        parent, above = up
        kind = type(parent)
        if kind is ast.Call:
            return _passed(node, parent)
        if kind is ast.keyword:
            if parent.arg is None:
                return "iterate", None, (), ""
            holder = above[0] if above is not None else None
            if type(holder) is not ast.Call:  # class C(metaclass=m)
                return "read", None, (), ""
            return _passed(node, holder, parent.arg)
        if kind is ast.Compare:
            return _compared(node, parent), None, (), ""
        if kind in (ast.If, ast.While, ast.Assert):
            return "truth", None, (), ""
        if kind is ast.IfExp and parent.test is node:
            return "truth", None, (), ""
        if kind is ast.UnaryOp:
            return ("truth" if type(parent.op) is ast.Not else "read"), None, (), ""
        if kind is ast.BoolOp:
            if _only_tested(parent, above):
                return "truth", None, (), ""
            node, up = parent, above
            continue
        if kind in (ast.For, ast.AsyncFor, ast.YieldFrom) or (kind is ast.comprehension and parent.iter is node):
            return "iterate", None, (), ""
        if kind is ast.comprehension:
            return "truth", None, (), ""
        if kind is ast.Starred:
            return "iterate", None, (), ""
        if kind is ast.Dict and None in parent.keys and _unpacked(node, parent):
            return "iterate", None, (), ""
        if kind in (ast.Return, ast.Yield, ast.Lambda):
            return "return", None, (), ""
        if kind in (ast.Assign, ast.AnnAssign):
            return "alias", parent, (), ""
        if kind is ast.AugAssign:
            return "read", None, (), ""
        if kind is ast.withitem:
            return "enter", None, (), ""
        if kind is ast.Expr:
            return "discard", None, (), ""
        if kind is ast.arg:  # a default
            return "alias", parent, (), ""
        if kind in (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp):
            return "return", None, (), ""
        if kind in _CONTAINERS:
            node, up = parent, above
            continue
        return "read", None, (), ""
    return "read", None, (), ""


def is_part(up: Up) -> bool:
    """Whether an expression stands in a display of a tuple, list, set or dict."""
    while up is not None and type(up[0]) in _CONTAINERS:
        if type(up[0]) in _DISPLAYS:
            return True
        up = up[1]
    return False


def _bound(node: Any, up: Up, deleted: bool) -> tuple[str, Any, tuple[str, ...], str]:
    if deleted:
        return "delete", None, (), ""
    whole = True
    part = None
    while up is not None:
        parent, above = up
        kind = type(parent)
        if kind is ast.AugAssign:
            return "augment", parent, (), ""
        if kind in (ast.Assign, ast.AnnAssign, ast.NamedExpr):
            if not whole and kind is ast.Assign and part is not None:
                return "unpack", (parent, part), (), ""
            return ("target" if whole else "bind"), parent, (), ""
        if kind in (ast.For, ast.AsyncFor, ast.comprehension):
            return ("loop" if whole else "bind"), parent, (), ""
        if kind is ast.withitem:
            return "enter as", parent, (), ""
        part = _counterpart(node, parent, above) if whole else None
        whole = False
        up = above
    return "bind", None, (), ""


def _counterpart(node: Any, targets: Any, up: Up) -> Any:
    """The value that one of several targets gets: the second of `1, 2` for `b` in `a, b = 1, 2`."""
    value: Any = getattr(up[0], "value", None) if up is not None else None
    if type(targets) not in (ast.Tuple, ast.List) or type(value) not in (ast.Tuple, ast.List):
        return None
    if len(targets.elts) != len(value.elts) or any(type(each) is ast.Starred for each in (*targets.elts, *value.elts)):
        return None
    return value.elts[targets.elts.index(node)]


def _passed(node: Any, call: ast.Call, keyword: str = "") -> tuple[str, Any, tuple[str, ...], str]:
    from unstate.facts.hints import path_of

    function = call.func
    name = function.id if type(function) is ast.Name else ""
    if name == "len":
        return "length", None, (), ""
    if name == "bool":
        return "truth", None, (), ""
    if name in _ITERATING and not keyword:
        return "iterate", None, (), ""
    if name in _READING:
        return "read", None, (), ""
    position = keyword
    if not keyword:
        position = next((str(n) for n, argument in enumerate(call.args) if argument is node), "")
    return "pass", None, path_of(function), position


def _compared(node: Any, parent: ast.Compare) -> str:
    for operator, operand in zip(parent.ops, parent.comparators, strict=True):
        if operand is node and type(operator) in (ast.In, ast.NotIn):
            return "contains"
    return "read"


def _only_tested(node: Any, up: Up) -> bool:
    while up is not None:
        parent, above = up
        kind = type(parent)
        if kind in (ast.If, ast.While, ast.Assert, ast.comprehension):
            return True
        if kind is ast.IfExp:
            return parent.test is node
        if kind is ast.UnaryOp:
            return type(parent.op) is ast.Not
        if kind is not ast.BoolOp:
            return False
        node, up = parent, above
    return False


def _unpacked(node: Any, parent: ast.Dict) -> bool:
    return any(key is None and value is node for key, value in zip(parent.keys, parent.values, strict=True))
