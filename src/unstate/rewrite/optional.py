"""Keys that may be None: a dict takes them as any other, a client refuses them."""

from __future__ import annotations

import libcst as cst

from unstate.rewrite.flow import Flow


def may_be_none(flow: Flow, key: object) -> bool:
    """Whether a key is a parameter that is declared so, and nothing before its use tells it from None."""
    if not isinstance(key, cst.Name) or not flow.has(key):
        return False
    function = flow.function(key)
    if function is None or not any(
        each.name.value == key.value and each.annotation is not None and _takes_none(each.annotation.annotation)
        for each in (*function.params.posonly_params, *function.params.params, *function.params.kwonly_params)
    ):
        return False
    before = [use for use in flow.uses(key.value) if flow.stands_in(use, function) and flow.is_behind(key, use)]
    return not any(_tells(flow, use) for use in before)


def _takes_none(declared: cst.CSTNode) -> bool:
    match declared:
        case cst.Name(value=name):
            return name == "None"
        case cst.SimpleString():
            try:
                return _takes_none(cst.parse_expression(str(declared.evaluated_value)))
            except cst.ParserSyntaxError:
                return False
        case cst.BinaryOperation(left=left, operator=cst.BitOr(), right=right):
            return _takes_none(left) or _takes_none(right)
        case cst.Subscript(value=cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)), slice=parts):
            inner = [each.slice.value for each in parts if isinstance(each.slice, cst.Index)]
            return name == "Optional" or (name == "Union" and any(map(_takes_none, inner)))
    return False


def _tells(flow: Flow, use: cst.Name) -> bool:
    """Whether a use may tell a name from None for what stands behind it, or gives it another value."""
    if isinstance(flow.parent(use), cst.Param):
        return False
    return not flow.is_read(use) or isinstance(
        flow.parent(use),
        cst.If | cst.IfExp | cst.While | cst.Assert | cst.UnaryOperation | cst.BooleanOperation | cst.Comparison,
    )
