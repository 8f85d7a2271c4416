"""Going through a tree for what changes in it.

libcst's own `visit` makes every node anew, all space and punctuation included, which is most of what a rewrite costs.
This one goes through code alone, and a node none of whose parts changed stays the node it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import libcst as cst

from unstate.rewrite.places import fields_of, is_node

Left = cst.CSTNode | cst.RemovalSentinel | cst.FlattenSentinel[Any]


def visited(module: cst.Module, transformer: cst.CSTTransformer) -> cst.Module:
    """A module as a transformer leaves it."""
    left = visit(module, transformer)
    assert isinstance(left, cst.Module)
    return left


def as_expression(left: object) -> cst.BaseExpression:
    """What a transformer made of an expression, which is one as well."""
    assert isinstance(left, cst.BaseExpression)
    return left


def visit(node: cst.CSTNode, transformer: cst.CSTTransformer) -> Left:
    """What a transformer makes of a node. Its methods for attributes are not called."""
    updated = node
    if transformer.on_visit(node):
        changes: dict[str, Any] = {}
        for name in _in_order(node):
            value = getattr(node, name)
            kind = type(value)
            if is_node(kind):
                new: Any = visit(value, transformer)
                if isinstance(new, cst.RemovalSentinel | cst.FlattenSentinel):
                    raise TypeError(f"{kind.__name__} cannot go, or become several, as {name} of {type(node).__name__}")
                if new is not value:
                    changes[name] = new
            elif kind is list or kind is tuple:
                entries = list(_entries(node, value, transformer))
                if len(entries) != len(value) or any(a is not b for a, b in zip(entries, value, strict=True)):
                    changes[name] = entries
        if changes:
            updated = node.with_changes(**changes)
    return transformer.on_leave(node, updated)


def _entries(parent: cst.CSTNode, values: Iterable[Any], transformer: cst.CSTTransformer) -> Iterator[Any]:
    is_body = isinstance(parent, cst.Module | cst.IndentedBlock)
    for value in values:
        left = visit(value, transformer) if is_node(type(value)) else value
        if isinstance(left, cst.RemovalSentinel):
            continue
        for new in left if isinstance(left, cst.FlattenSentinel) else (left,):
            if not (is_body and _is_empty(new) and not _is_empty(value)):
                yield new


def _is_empty(node: cst.CSTNode) -> bool:
    """Whether a line lost all of its statements."""
    return isinstance(node, cst.SimpleStatementLine) and not node.body


_ORDERS: dict[type[cst.CSTNode], tuple[str, ...]] = {}


def _in_order(node: cst.CSTNode) -> tuple[str, ...]:
    """The fields of a node that hold code, as they stand in a text: libcst knows, and is asked once for a class."""
    kind = type(node)
    if kind not in _ORDERS:
        recorder = _Recorder()
        node._visit_and_replace_children(recorder)
        _ORDERS[kind] = tuple(name for name in recorder.fields if name in fields_of(kind))
    return _ORDERS[kind]


class _Recorder(cst.CSTTransformer):
    """Records the fields of one node."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[str] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        return False

    def on_visit_attribute(self, node: cst.CSTNode, attribute: str) -> None:
        self.fields.append(attribute)
