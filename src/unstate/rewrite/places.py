"""What stands in a function: where a name is bound, which statements nothing can come between."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator
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
def fields_of(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    """The fields of a node's class that are code, not layout."""
    return tuple(
        field.name
        for field in dataclasses.fields(kind)
        if field.name not in _LAYOUT and not field.name.startswith("whitespace")
    )


class _Kinds(dict[type, bool]):
    """Whether a class is one of nodes. Kept, as libcst's are abstract: each `isinstance` costs as much as all else."""

    def __missing__(self, kind: type) -> bool:
        self[kind] = issubclass(kind, cst.CSTNode)
        return self[kind]


is_node = _Kinds().__getitem__


def parts(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The nodes right below a node that are code, not layout: many times faster than `children`."""
    for name in fields_of(type(node)):
        value = getattr(node, name)
        kind = type(value)
        if is_node(kind):
            yield value
        elif kind is list or kind is tuple:
            for each in value:
                if is_node(type(each)):
                    yield each


def bindings_of(function: cst.CSTNode, name: str) -> list[cst.CSTNode | None]:
    """What a local name is bound to, once for each place that binds it; None where it is no plain value,
    the statement where it may be the same object, `s |= more`, the loop of a comprehension that has it for itself."""
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
        case cst.AugAssign(target=cst.Name(value=bound), operator=operator) if bound == name:
            yield node if isinstance(operator, cst.BitOrAssign) else None
        case cst.For(target=target, iter=iterated) if name in _stored_in(target):
            yield iterated
        case cst.CompFor(target=target) if name in _stored_in(target):
            yield node
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
        case cst.Name(value="sleep") | cst.Attribute(attr=cst.Name(value="sleep")):
            return False
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


_PLAIN = frozenset({"str", "int", "bool", "float", "None", "bytes"})
_IMMUTABLE = _PLAIN | frozenset({"datetime", "date", "timedelta", "UUID", "Decimal"})
_GIVES_PLAIN = _PLAIN | frozenset(  # functions and methods whose value nobody can change
    "len token_hex token_urlsafe token_bytes urandom uuid4 uuid1 hexdigest digest isoformat strftime time monotonic "
    "time_ns timestamp now utcnow today strip lower upper join replace format decode encode dumps round sum".split()
)


def is_plain_annotation(annotation: cst.Annotation | None, also: Collection[str] = ()) -> bool:
    """Whether what is declared is text, a number, or another thing that nobody can change in place; `also`: names of
    classes whose objects are such things."""
    return annotation is not None and _declares_plain(annotation.annotation, also)


def _declares_plain(declared: cst.CSTNode, also: Collection[str]) -> bool:
    match declared:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name in _IMMUTABLE or name in also
        case cst.SimpleString():
            try:
                return _declares_plain(cst.parse_expression(str(declared.evaluated_value)), also)
            except cst.ParserSyntaxError:
                return False
        case cst.BinaryOperation(left=left, operator=cst.BitOr(), right=right):
            return _declares_plain(left, also) and _declares_plain(right, also)
        case cst.Subscript(value=cst.Name(value="Literal")):
            return True
        case cst.Subscript(value=cst.Name(value="Optional" | "Union" | "tuple" | "Tuple"), slice=parts):
            inner = [each.slice.value for each in parts if isinstance(each.slice, cst.Index)]
            return all(isinstance(each, cst.Ellipsis) or _declares_plain(each, also) for each in inner)
    return False


def holds_plain(function: cst.FunctionDef, name: str) -> bool:
    """Whether a parameter is declared as a container of things that nobody can change in place: `urls: list[str]`."""
    parameters = (*function.params.posonly_params, *function.params.params, *function.params.kwonly_params)
    declared = next((each.annotation for each in parameters if each.name.value == name), None)
    match None if declared is None else declared.annotation:
        case cst.Subscript(value=value, slice=inner) if called_name(value).lower() in _HOLDING:
            held = [each.slice.value for each in inner if isinstance(each.slice, cst.Index)]
            return len(bindings_of(function, name)) == 1 and all(_declares_plain(each, ()) for each in held)
    return False


_HOLDING = frozenset("list dict set frozenset tuple sequence iterable collection mapping".split())


def iterated_name(value: cst.BaseExpression) -> str:
    """The name that a loop goes over, by `enumerate` and the like too; "" for any other expression."""
    while isinstance(value, cst.Call) and called_name(value.func) in words.COPIES and value.args:
        value = value.args[0].value
    return value.value if isinstance(value, cst.Name) else ""


def is_plain_parameter(function: cst.FunctionDef, name: str) -> bool:
    """Whether a parameter is declared so."""
    parameters = (*function.params.posonly_params, *function.params.params, *function.params.kwonly_params)
    return any(each.name.value == name and is_plain_annotation(each.annotation) for each in parameters)


def is_plain_name(function: cst.FunctionDef, name: str) -> bool:
    """Whether a local name is bound to such things alone."""
    values = bindings_of(function, name)
    if is_plain_parameter(function, name):
        return len(values) == 1
    return bool(values) and all(_is_plain(value) for value in values)


def _is_plain(value: cst.CSTNode | None) -> bool:
    match value:
        case cst.BaseString() | cst.BaseNumber() | cst.Comparison():
            return True
        case cst.Attribute(value=inner, attr=cst.Name(value="hex")):
            return _is_plain(inner)
        case cst.Call(func=func):
            return called_name(func) in _GIVES_PLAIN
        case cst.Name(value=name):
            return name in ("True", "False", "None")
        case cst.IfExp(body=body, orelse=orelse):
            return _is_plain(body) and _is_plain(orelse)
    return False


_NEW = frozenset("copy deepcopy dict list set tuple sorted to_dict model_dump asdict".split())


def is_new_container(value: cst.CSTNode | None) -> bool:
    """Whether an expression makes a container anew, whose own entries are nobody else's."""
    if isinstance(value, cst.Call):
        return called_name(value.func) in _NEW
    return isinstance(value, cst.BaseComp | cst.BaseDict | cst.BaseList | cst.BaseSet)


def parameter_of(function: cst.FunctionDef, place: int, keyword: str) -> str | None:
    """The parameter that an argument goes to."""
    parameters = [*function.params.posonly_params, *function.params.params]
    if keyword:
        named = [*parameters, *function.params.kwonly_params]
        return next((each.name.value for each in named if each.name.value == keyword), None)
    return parameters[place].name.value if place < len(parameters) else None


def is_model(of: cst.ClassDef) -> bool:
    """Whether a class is a record with declared fields."""
    bases = {called_name(base.value) for base in of.bases}
    decorators = {
        called_name(each.decorator.func if isinstance(each.decorator, cst.Call) else each.decorator)
        for each in of.decorators
    }
    return not bases.isdisjoint({"BaseModel", "NamedTuple"}) or "dataclass" in decorators


def waits(node: cst.CSTNode) -> bool:
    """Whether a statement waits, or has a part that runs at another time."""
    return isinstance(node, cst.Await | cst.Yield | cst.Lambda | cst.BaseComp) or any(map(waits, parts(node)))


def registers(decorator: cst.Decorator) -> bool:
    """`@app.get("/")`, `@sio.event`: hands the function to a framework, as it is."""
    node = decorator.decorator
    attribute = node.func if isinstance(node, cst.Call) else node
    match attribute:
        case cst.Attribute(value=cst.Name(value=owner)):
            return owner not in ("functools", "contextlib", "asyncio", "abc")
    return False


def kept_names(value: cst.BaseExpression) -> Iterator[cst.Name]:
    """The names whose objects become part of a stored value: the value itself, and elements of its literals."""
    match value:
        case cst.Name():
            yield value
        case cst.List(elements=elements) | cst.Tuple(elements=elements) | cst.Set(elements=elements):
            for element in elements:
                yield from kept_names(element.value)
        case cst.Dict(elements=entries):
            for entry in entries:
                yield from kept_names(entry.value)


def called(call: cst.CSTNode) -> str:
    """The name of what a call calls."""
    return called_name(call.func) if isinstance(call, cst.Call) else ""


def called_name(function: cst.BaseExpression) -> str:
    """The last part of a name with its dots."""
    match function:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name
    return "a call"


def root_name(node: cst.BaseExpression) -> str:
    """The name that a chain of attributes and calls begins with; "" where it begins with something else."""
    match node:
        case cst.Name(value=name):
            return name
        case cst.Attribute(value=value):
            return root_name(value)
    return ""


def root_of(node: cst.BaseExpression) -> str:
    """The name that a chain of attributes and subscripts begins with."""
    while isinstance(node, cst.Attribute | cst.Subscript):
        node = node.value
    return node.value if isinstance(node, cst.Name) else ""


def bound_as(alias: cst.ImportAlias) -> str:
    """The name that an import binds."""
    if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
        return alias.asname.name.value
    return root_name(alias.name)


def in_order(module: cst.CSTNode) -> list[cst.CSTNode]:
    """Every node, each before those below it."""
    found: list[cst.CSTNode] = []
    waiting: list[cst.CSTNode] = [module]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting.extend(reversed(list(parts(node))))
    return found
