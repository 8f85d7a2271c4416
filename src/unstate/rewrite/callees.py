"""What a call calls: functions and classes of the service, with their fields, or a library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, cast

import libcst as cst

from unstate.rewrite import flowwords as words
from unstate.rewrite.places import (
    bindings_of,
    called_name,
    in_order,
    is_model,
    is_plain_annotation,
    parameter_of,
    root_name,
)

if TYPE_CHECKING:
    from unstate.rewrite.flow import Flow

_ENUMS = frozenset({"Enum", "IntEnum", "StrEnum"})


def functions(flow: Flow, name: str) -> list[tuple[Flow, cst.FunctionDef]]:
    """The functions of the service that are called so; none where one of them is a class, or nobody can tell."""
    others = flow.elsewhere(name) if name not in words.COMMON_METHODS else None
    found = [(each, node) for each in (flow, *(others or ())) for node in each.defined(name)]
    functions = [(each, node) for each, node in found if isinstance(node, cst.FunctionDef)]
    return [] if others is None or len(functions) < len(found) else functions


def callees(
    flow: Flow, call: cst.Call, name: str, place: int | None, keyword: str
) -> list[tuple[Flow, cst.FunctionDef]]:
    """Those that a call may mean: of the class that it is called on, where that is named, and that take the argument
    it has at a place (None for the object that it is called on)."""
    found = _of_class(flow, call, name) or functions(flow, name)
    if found and place is not None and isinstance(call.func, cst.Attribute) and library(flow, call.func.value):
        return []  # a method of a library's object, which happens to be called so
    if place is None:
        return found
    fitting = [
        (each, node)
        for each, node in found
        if parameter_of(node, place + each.is_method(node), keyword) is not None or node.params.star_arg
    ]
    return fitting or found


def _of_class(flow: Flow, call: cst.Call, name: str) -> list[tuple[Flow, cst.FunctionDef]]:
    """The one method that `Class.method(...)` calls, where the service has one class of that name."""
    if not isinstance(call.func, cst.Attribute) or not isinstance(call.func.value, cst.Name):
        return []
    owner = call.func.value.value
    if not owner.lstrip("_")[:1].isupper() or not flow.is_own(owner):
        return []
    classes = list(classes_of(flow, owner))
    found = [(each, node) for each, of in classes for node in _methods(of) if node.name.value == name]
    return found if len(classes) == len(found) == 1 else []


def classes_of(flow: Flow, name: str) -> Iterator[tuple[Flow, cst.ClassDef]]:
    """The classes of the service of a name."""
    for each in (flow, *(flow.elsewhere(name) or ())):
        for node in each.defined(name):
            if isinstance(node, cst.ClassDef):
                yield each, node


def _methods(of: cst.ClassDef) -> Iterator[cst.FunctionDef]:
    return (each for each in of.body.body if isinstance(each, cst.FunctionDef))


def library(flow: Flow, node: cst.BaseExpression | None, depth: int = 0) -> str:
    """The library that a function, or the object that it is called on, is of; "" for none that can be told."""
    if depth > _DEPTH or node is None:
        return ""
    if flow.parent(node) is None:  # no part of the tree, but an annotation that was read
        return _library(flow, node, depth)
    key = ("library", (id(node), depth))
    if key not in flow.memo:
        flow.memo[key] = _library(flow, node, depth)
    return cast(str, flow.memo[key])


def _library(flow: Flow, node: cst.BaseExpression, depth: int) -> str:
    match node:
        case cst.Name(value=name):
            return flow.imported_from(name) or _of_all(_given(flow, node, name), depth)
        case cst.Attribute(value=cst.Name(value="self" | "cls"), attr=attribute):
            return _of_all(_given_to_attribute(flow, attribute.value), depth)
        case cst.Attribute(value=value) | cst.Await(expression=value) | cst.Subscript(value=value):
            return library(flow, value, depth)
        case cst.Call(func=func):
            imported = flow.imported_from(root_name(func))
            own = functions(flow, called_name(func))
            if own and not imported:
                return _of_all((pair for each, one in own for pair in _given_back(each, one)), depth)
            return imported or library(flow, func, depth)
    return ""


_DEPTH = 4


def _of_all(values: Iterable[tuple[Flow, cst.BaseExpression | None]], depth: int) -> str:
    """The library that all values are of, None left out; "" where one is of none."""
    found = [library(flow, value, depth + 1) for flow, value in values if not _is_none(value)]
    return found[0] if found and all(found) else ""


def _is_none(value: cst.BaseExpression | None) -> bool:
    return isinstance(value, cst.Name) and value.value == "None"


def _given(flow: Flow, node: cst.Name, name: str) -> Iterator[tuple[Flow, cst.BaseExpression | None]]:
    """What a name is bound to: in the function around it, else in the modules that have it as a global."""
    function = flow.function(node)
    local = () if function is None else bindings_of(function, name)
    if function is not None and local:
        parameters = (*function.params.posonly_params, *function.params.params, *function.params.kwonly_params)
        for value in local:
            declared = next((each.annotation for each in parameters if each.name.value == name), None)
            yield flow, value if isinstance(value, cst.BaseExpression) else _class_of(declared)
        return
    for each in (flow, *(flow.elsewhere(name) or ())):
        for use in each.uses(name):
            target = each.parent(use)
            assign = each.parent(target) if isinstance(target, cst.AssignTarget) else target
            if isinstance(assign, cst.Assign) and each.function(use) is None:
                yield each, assign.value
            elif isinstance(assign, cst.AnnAssign) and assign.target is use and each.function(use) is None:
                yield each, assign.value if assign.value is not None else _class_of(assign.annotation)


def _given_back(flow: Flow, function: cst.FunctionDef) -> Iterator[tuple[Flow, cst.BaseExpression | None]]:
    """The class that a function says it returns, else what it returns."""
    if function.returns is not None:
        yield flow, _class_of(function.returns)
        return
    for node in in_order(function.body):
        if isinstance(node, cst.Return) and node.value is not None and flow.function(node) is function:
            yield flow, node.value


def _given_to_attribute(flow: Flow, attribute: str) -> Iterator[tuple[Flow, cst.BaseExpression | None]]:
    """What an attribute of the objects of a module's classes is bound to."""
    for use in flow.uses(attribute):
        target = flow.parent(use)
        around = None if target is None else flow.parent(target)
        assign = flow.parent(around) if isinstance(around, cst.AssignTarget) else around
        if isinstance(target, cst.Attribute) and target.attr is use:
            if isinstance(assign, cst.Assign):
                yield flow, assign.value
            elif isinstance(assign, cst.AnnAssign) and assign.target is target:
                yield flow, assign.value if assign.value is not None else _class_of(assign.annotation)


def _class_of(annotation: cst.Annotation | None) -> cst.BaseExpression | None:
    """The class that an annotation names: `m.C` of `m.C | None` and of `Optional[m.C]`."""
    declared = None if annotation is None else annotation.annotation
    match declared:
        case cst.SimpleString():
            try:
                declared = cst.parse_expression(str(declared.evaluated_value))
            except cst.ParserSyntaxError:
                return None
    match declared:
        case cst.BinaryOperation(left=left, operator=cst.BitOr(), right=right):
            return left if _is_none(right) else None
        case cst.Subscript(
            value=cst.Name(value="Optional"), slice=[cst.SubscriptElement(slice=cst.Index(value=inner))]
        ):
            return inner
    return declared


def makes_model(flow: Flow, name: str) -> bool:
    """Whether a call makes an object that only holds what it is given."""
    if not name.lstrip("_")[:1].isupper():
        return False
    found = [node for each in (flow, *(flow.elsewhere(name) or ())) for node in each.defined(name)]
    return bool(found) and all(isinstance(each, cst.ClassDef) and _is_record(flow, each) for each in found)


def _is_record(flow: Flow, of: cst.ClassDef) -> bool:
    """Whether a class, or one that it derives from, is a record with declared fields, made as such ones are."""
    if any(each.name.value == "__init__" for each in _methods(of)):
        return False
    return is_model(of) or any(makes_model(flow, called_name(base.value)) for base in of.bases)


def plain_fields(flow: Flow, model: str) -> frozenset[str]:
    """Names that are, in a model and all that its fields may hold, fields of values that nobody can change in place."""
    key = ("plain fields", model)
    if key not in flow.memo:
        flow.memo[key] = _plain_fields(flow, model)
    return cast("frozenset[str]", flow.memo[key])


def _plain_fields(flow: Flow, model: str) -> frozenset[str]:
    plain: set[str] = set()
    other: set[str] = set()
    seen: set[str] = set()
    known = [_collect(flow, each, plain, other, seen) for each in sorted(_class_names(cst.parse_expression(model)))]
    return frozenset(plain - other) if all(known) else frozenset()


def _collect(flow: Flow, model: str, plain: set[str], other: set[str], seen: set[str]) -> bool:
    """Sort the fields of a class and of those in it; whether all of these classes could be looked at."""
    if model in seen:
        return True
    seen.add(model)
    known = flow.elsewhere(model) is not None
    for where, of in classes_of(flow, model):
        if not _ENUMS.isdisjoint(called_name(base.value) for base in of.bases):
            continue
        other.update(each.name.value for each in _methods(of))
        for name, annotation in _fields(of):
            named = _class_names(annotation.annotation)
            enums = {each for each in named if _is_enum(where, each) or _is_plain_alias(where, each)}
            settled = is_plain_annotation(annotation, enums)
            (plain if settled else other).add(name)
            for each in sorted(each for each in named - enums if not where.imported_from(each)):
                known &= _collect(where, each, plain, other, seen)
        for base in of.bases:
            known &= _collect(where, called_name(base.value), plain, other, seen)
    return known


def _fields(of: cst.ClassDef) -> Iterator[tuple[str, cst.Annotation]]:
    for line in of.body.body:
        for each in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            match each:
                case cst.AnnAssign(target=cst.Name(value=name), annotation=annotation):
                    yield name, annotation


def _is_enum(flow: Flow, name: str) -> bool:
    found = [of for _, of in classes_of(flow, name)]
    return bool(found) and all(not _ENUMS.isdisjoint(called_name(base.value) for base in of.bases) for of in found)


def _is_plain_alias(flow: Flow, name: str) -> bool:
    """Whether a module calls a type so whose values nobody can change in place: `Status = str`."""
    for use in flow.uses(name):
        target = flow.parent(use)
        assign = flow.parent(target) if isinstance(target, cst.AssignTarget) else None
        if isinstance(assign, cst.Assign) and flow.function(assign) is None:
            return is_plain_annotation(cst.Annotation(assign.value))
    return False


def _class_names(annotation: cst.CSTNode) -> set[str]:
    """Names in an annotation that look like those of classes."""
    match annotation:
        case cst.SimpleString():
            try:
                return _class_names(cst.parse_expression(str(annotation.evaluated_value)))
            except cst.ParserSyntaxError:
                return set()
        case cst.Name(value=name):
            return {name} if name.lstrip("_")[:1].isupper() and name != "None" else set()
    return {name for child in annotation.children for name in _class_names(child)}


def takes_plain(flow: Flow, name: str, keyword: str) -> bool:
    """Whether a model keeps what it is given by a keyword as text, a number, or the like."""
    found: list[bool] = []
    waiting, seen = [name], set[str]()
    while waiting:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        for _, of in classes_of(flow, here):
            found += [is_plain_annotation(annotation) for field, annotation in _fields(of) if field == keyword]
            waiting += [called_name(base.value) for base in of.bases]
    return bool(found) and all(found)


def deferred(call: cst.Call, argument: cst.Arg) -> tuple[cst.BaseExpression, Sequence[int]] | None:
    """`submit(f, v)`, `Thread(target=f, args=(v,))`: the function that is called with an argument of this call, and
    the places that it may have in that one; None where it cannot be told."""
    name = called_name(call.func)
    plain = [each for each in call.args if each.keyword is None]
    if any(each.star for each in call.args):
        return None
    if name in words.STARTERS:
        target = next((each.value for each in call.args if each.keyword and each.keyword.value == "target"), None)
        given = argument.value if argument.keyword and argument.keyword.value == "args" else None
        if target is None or not isinstance(given, cst.Tuple | cst.List):
            return None
        return target, range(len(given.elements))
    first = words.RUNNERS.get(name)
    if first is None or first >= len(plain) or argument not in plain[first + 1 :]:
        return None
    return plain[first].value, (plain.index(argument) - first - 1,)
