"""Stores that are handed out whole where that is the same as a copy: written out by a framework, or only read."""

from __future__ import annotations

import libcst as cst

from unstate.rewrite import flowwords as words
from unstate.rewrite.binding import Binding
from unstate.rewrite.flow import Flow
from unstate.rewrite.places import called
from unstate.rewrite.trace import Trace

# By container, what makes a copy of a store.
COPIES = {"dict": "dict", "cache": "dict", "list": "list", "set": "set"}
MOMENT = "what `{}` hands out is the store as it is then: later changes do not show in it"
_WRITTEN_OUT = frozenset("jsonify dumps JSONResponse json_response render_template str repr print send_json".split())
_LITERALS = (cst.Element, cst.DictElement, cst.List, cst.Tuple, cst.Dict)


def is_handed_out(flow: Flow, node: cst.CSTNode) -> bool:
    """Whether a store, or a view of it, is returned or written out, and nothing but read by who gets it."""
    around = _around(flow, node)
    match around:
        case cst.Return():
            trace = Trace()
            return flow.follow(node, trace) is None and not trace.changes and not trace.loops
        case cst.Call():
            return called(around) in _WRITTEN_OUT
    return False


def difference(flow: Flow, node: cst.CSTNode, binding: Binding) -> str:
    """What a person should know of it; "" where a framework writes it out at once."""
    function = flow.function(node)
    if not isinstance(_around(flow, node), cst.Return) or function is None:
        return ""
    if function.decorators or (flow.is_method(function) and function.name.value in words.VERBS):
        return ""
    return MOMENT.format(function.name.value)


def _around(flow: Flow, node: cst.CSTNode) -> cst.CSTNode | None:
    """What is done with a value, or with a literal that it is put in."""
    around = flow.parent(node)
    while isinstance(around, _LITERALS):
        around = flow.parent(around)
    return flow.parent(around) if isinstance(around, cst.Arg) and not around.star else around
