"""What stands in a function: where a name is bound, which statements nothing can come between."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cache

import libcst as cst

from unstate.rewrite import flowwords as words

_CALM = words.CONSUMERS | words.BUILTIN_TYPES | words.COPIES | words.CHANGES | words.READS
_CALM_ROOTS = words.PURE_MODULES | {"datetime", "time", "uuid", "uuid4", "date", "timedelta", "now", "utcnow"}


_LAYOUT = frozenset(
    "lpar rpar comma semicolon leading_lines trailing_whitespace lines_after_decorators header footer equal indent "
    "lbracket rbracket lbrace rbrace colon dot first_line last_line empty_lines newline comment".split()
)


@cache
def _fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    return tuple(
        field.name
        for field in dataclasses.fields(kind)
        if field.name not in _LAYOUT and not field.name.startswith("whitespace")
    )


def parts(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The nodes right below a node that are code, not layout: many times faster than `children`."""
    for name in _fields(type(node)):
        value = getattr(node, name)
        if isinstance(value, cst.CSTNode):
            yield value
        elif isinstance(value, list | tuple):
            yield from (each for each in value if isinstance(each, cst.CSTNode))


def bindings_of(function: cst.FunctionDef, name: str) -> list[cst.CSTNode | None]:
    """What a local name is bound to, once for each place that binds it; None where it is no plain value."""
    return list(_bindings(function, name))


def _bindings(node: cst.CSTNode, name: str) -> Iterator[cst.CSTNode | None]:
    match node:
        case cst.Assign(targets=targets, value=value):
            for target in targets:
                if isinstance(target.target, cst.Name):
                    if target.target.value == name:
                        yield value
                elif name in _stored_in(target.target):
                    yield None
        case cst.AnnAssign(target=cst.Name(value=bound), value=value) if bound == name and value is not None:
            yield value
        case cst.NamedExpr(target=cst.Name(value=bound), value=value) if bound == name:
            yield value
        case cst.AugAssign(target=cst.Name(value=bound)) if bound == name:
            yield None
        case cst.For(target=target, iter=iterated) if name in _stored_in(target):
            yield iterated
        case cst.CompFor(target=target) if name in _stored_in(target):
            yield None
        case cst.Param(name=cst.Name(value=bound)) if bound == name:
            yield None
        case cst.AsName(name=target) if name in names_in(target):
            yield None
        case cst.FunctionDef(name=cst.Name(value=bound)) | cst.ClassDef(name=cst.Name(value=bound)) if bound == name:
            yield None
        case cst.Global(names=items) | cst.Nonlocal(names=items) if any(each.name.value == name for each in items):
            yield None
    for child in parts(node):
        yield from _bindings(child, name)


def _stored_in(target: cst.BaseExpression) -> frozenset[str]:
    """The names that a target binds: not those that it only reads, as in `x[name] = v`."""
    match target:
        case cst.Name(value=name):
            return frozenset({name})
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            return frozenset().union(*(_stored_in(each.value) for each in elements))
        case cst.StarredElement(value=value):
            return _stored_in(value)
    return frozenset()


def names_in(node: cst.CSTNode) -> frozenset[str]:
    """Every name that stands in an expression; attributes are none."""
    if isinstance(node, cst.Attribute):
        return names_in(node.value)
    here = frozenset({node.value}) if isinstance(node, cst.Name) else frozenset()
    return here.union(*(names_in(child) for child in parts(node)))


def calm(node: cst.CSTNode) -> bool:
    """Whether a statement neither leaves nor waits nor calls anything that could look at a store."""
    match node:
        case cst.Await() | cst.Yield() | cst.Return() | cst.Raise() | cst.Break() | cst.Continue() | cst.While():
            return False
        case cst.Assert() | cst.Try() | cst.TryStar() | cst.With() | cst.Del() | cst.FunctionDef() | cst.ClassDef():
            return False
        case cst.Call(func=func):
            if not _calm_call(func):
                return False
    return all(calm(child) for child in parts(node))


def _calm_call(func: cst.BaseExpression) -> bool:
    match func:
        case cst.Name(value=name):
            return name in _CALM or name in _CALM_ROOTS
        case cst.Attribute(value=value, attr=cst.Name(value=name)):
            return name in _CALM or _chain_root(value) in _CALM_ROOTS
    return False


def _chain_root(node: cst.BaseExpression) -> str:
    match node:
        case cst.Name(value=name):
            return name
        case cst.Attribute(value=value) | cst.Call(func=value):
            return _chain_root(value)
    return ""
