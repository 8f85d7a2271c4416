"""Where the objects of a class are: the names and the functions by which the service reaches them.

A method called `get` cannot be told by its name. It can by its receiver, where all names that an object of its class is
ever given are known: the class is named in few places, and each of these binds, hands or returns an object in a way
that is seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import libcst as cst

from unstate.rewrite import callees
from unstate.rewrite import flowwords as words
from unstate.rewrite.places import called, called_name, parameter_of

if TYPE_CHECKING:
    from unstate.rewrite.flow import Flow

_MANY = 40  # names and functions that are followed


@dataclass(frozen=True, slots=True)
class Word:
    """A name; one of a function alone, where that is given."""

    text: str
    flow: Flow | None = None
    function: cst.FunctionDef | None = None


@dataclass(slots=True)
class Instances:
    """The last parts of all names of a class's objects, and the functions that give one."""

    flow: Flow
    owner: str
    names: set[str] = field(default_factory=set)
    local: set[tuple[int, str]] = field(default_factory=set)  # the same of names of one function
    givers: set[str] = field(default_factory=set)
    files: dict[int, Flow] = field(default_factory=dict)

    def uses(self, method: str) -> list[tuple[Flow, cst.Attribute]]:
        """`receiver.method`, for each place where the receiver may be an object of the class."""
        found = []
        for flow in self.files.values():
            for use in flow.uses(method):
                around = flow.parent(use)
                if isinstance(around, cst.Attribute) and around.attr is use and self._is_one(flow, around.value):
                    found.append((flow, around))
        return found

    def _is_one(self, flow: Flow, node: cst.BaseExpression) -> bool:
        match node:
            case cst.Name(value="self" | "cls"):
                around = [each for each in flow.around(node) if isinstance(each, cst.ClassDef)]
                return bool(around) and around[-1].name.value == self.owner
            case cst.Name(value=name) if any((id(each), name) in self.local for each in flow.around(node)):
                return True
            case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
                return name in self.names or name == self.owner
            case cst.Call():
                return called(node) in self.givers or called(node) == self.owner
            case cst.Await(expression=inner):
                return self._is_one(flow, inner)
            case cst.BooleanOperation(left=left, right=right):
                return self._is_one(flow, left) or self._is_one(flow, right)
            case cst.IfExp(body=body, orelse=orelse):
                return self._is_one(flow, body) or self._is_one(flow, orelse)
        return False


def instances(flow: Flow, owner: str) -> Instances | None:
    """Where the objects of a class are; None where one may be somewhere else."""
    found = Instances(flow, owner)
    waiting = [Word(owner)]
    done: set[tuple[str, int]] = set()
    while waiting:
        word = waiting.pop()
        if (word.text, id(word.function)) in done:
            continue
        done.add((word.text, id(word.function)))
        uses = _uses(flow, word) if len(done) <= _MANY else None
        if uses is None:
            return None
        for each, use in uses:
            found.files[id(each)] = each
            given = _given(each, use, word, found)
            if given is None:
                return None
            waiting.extend(given)
    return found


def _uses(flow: Flow, word: Word) -> list[tuple[Flow, cst.Name]] | None:
    """Where a word stands; None where these are too many places."""
    if word.flow is not None and word.function is not None:
        inside = [use for use in word.flow.uses(word.text) if word.flow.stands_in(use, word.function)]
        return [
            (word.flow, use)
            for use in inside
            if not isinstance(word.flow.parent(use), cst.Attribute) or _is_root(word.flow, use)
        ]
    others = flow.elsewhere(word.text) if word.text not in words.COMMON_METHODS else None
    return None if others is None else [(each, use) for each in (flow, *others) for use in each.uses(word.text)]


def _is_root(flow: Flow, use: cst.Name) -> bool:
    around = flow.parent(use)
    return isinstance(around, cst.Attribute) and around.value is use


def _given(flow: Flow, use: cst.Name, word: Word, found: Instances) -> list[Word] | None:
    """The words that an object has besides by one of the uses of another; None where it goes out of sight."""
    around = flow.parent(use)
    whole: cst.CSTNode = use
    if isinstance(around, cst.Attribute):
        if around.attr is not use:
            return []  # a part of it: a method, or an attribute of the class
        whole, around = around, flow.parent(around)
    if isinstance(around, cst.Attribute):
        return []
    if word.text == found.owner:
        return _of_class(flow, whole, around, found)
    if word.text in found.givers:
        if isinstance(around, cst.Call) and around.func is whole:
            return _bound(flow, around, found)
        harmless = isinstance(around, cst.ImportAlias | cst.FunctionDef)
        return [] if harmless else _injected(flow, around, found)
    return _of_name(flow, whole, around, found)


def _of_class(flow: Flow, whole: cst.CSTNode, around: cst.CSTNode | None, found: Instances) -> list[Word] | None:
    match around:
        case cst.Call(func=func) if func is whole:
            return _bound(flow, around, found)
        case cst.ClassDef(name=name) if name is whole:
            return []
        case cst.ImportAlias(asname=None):
            return []
    return _declared(flow, whole, found)


def _declared(flow: Flow, whole: cst.CSTNode, found: Instances) -> list[Word] | None:
    """A class in an annotation: what is annotated is one of its objects."""
    node: cst.CSTNode | None = whole
    while node is not None and not isinstance(node, cst.Annotation | cst.BaseStatement):
        node = flow.parent(node)
    holder = flow.parent(node) if isinstance(node, cst.Annotation) else None
    match holder:
        case cst.Param(name=name):
            return [_named(flow, name, found)]
        case cst.AnnAssign(target=cst.Name() | cst.Attribute() as target):
            return [_named(flow, target, found)]
        case cst.FunctionDef(name=cst.Name(value=name)):
            found.givers.add(name)
            return [Word(name)]
    return None


def _of_name(flow: Flow, whole: cst.CSTNode, around: cst.CSTNode | None, found: Instances) -> list[Word] | None:
    """A name of an object where it stands by itself."""
    match around:
        case cst.AssignTarget() | cst.Param() | cst.NameItem() | cst.ImportAlias(asname=None) | cst.Del():
            return []
        case cst.AnnAssign(target=target) if target is whole:
            return []
        case cst.ImportFrom():
            return []  # the module of that name
        case cst.Comparison() | cst.ComparisonTarget() | cst.UnaryOperation() | cst.If() | cst.Assert():
            return []
        case cst.Arg(keyword=keyword) if keyword is whole:
            return []
        case cst.FunctionDef() | cst.ClassDef():
            return []  # another thing of that name
    return _bound(flow, whole, found)


def _bound(flow: Flow, node: cst.CSTNode, found: Instances) -> list[Word] | None:
    """What an expression that is an object of the class is bound to, handed to, or returned from."""
    around = flow.parent(node)
    match around:
        case cst.Await() | cst.BooleanOperation() | cst.IfExp():
            return _bound(flow, around, found)
        case cst.Attribute() | cst.Expr() | cst.If() | cst.Comparison() | cst.UnaryOperation():
            return []
        case cst.Assign(targets=targets):
            bound: list[cst.BaseExpression] = [target.target for target in targets]
        case cst.AnnAssign(target=target) | cst.NamedExpr(target=target):
            bound = [target]
        case cst.Return():
            function = flow.function(around)
            if function is None or function.name.value.startswith("__"):
                return None
            found.givers.add(function.name.value)
            return [Word(function.name.value)]
        case cst.Arg():
            return _handed(flow, around, found)
        case _:
            return None
    if not all(isinstance(each, cst.Name | cst.Attribute) for each in bound):
        return None
    return [_named(flow, each, found) for each in bound]


def _named(flow: Flow, target: cst.BaseExpression, found: Instances) -> Word:
    """The word that an object is given by a name of a function, or by one that others may say."""
    text = called_name(target)
    function = flow.function(target)
    if not isinstance(target, cst.Name) or function is None or _is_global(flow, function, text):
        found.names.add(text)
        return Word(text)
    found.local.add((id(function), text))
    return Word(text, flow, function)


def _is_global(flow: Flow, function: cst.FunctionDef, name: str) -> bool:
    items = (flow.parent(use) for use in flow.uses(name) if flow.stands_in(use, function))
    return any(isinstance(each, cst.NameItem) for each in items)


def _handed(flow: Flow, argument: cst.Arg, found: Instances) -> list[Word] | None:
    call = flow.parent(argument)
    if not isinstance(call, cst.Call):
        return None
    name = called(call)
    if name in words.CONSUMERS:
        return []
    if name == "setattr" and len(call.args) == 3:  # `monkeypatch.setattr(module, "jobs", store)`
        named = call.args[1].value
        if isinstance(named, cst.SimpleString):
            text = str(named.evaluated_value).rpartition(".")[2]
            found.names.add(text)
            return [Word(text)]
    place = len([each for each in call.args[: call.args.index(argument)] if each.keyword is None])
    keyword = "" if argument.keyword is None else argument.keyword.value
    functions = callees.functions(flow, name)
    given = [(where, each, parameter_of(each, place + where.is_method(each), keyword)) for where, each in functions]
    if not given or argument.star or not all(name for _, _, name in given):
        return None
    found.local.update((id(each), name) for _, each, name in given if name)
    return [Word(name, where, each) for where, each, name in given if name]


def _injected(flow: Flow, around: cst.CSTNode | None, found: Instances) -> list[Word] | None:
    """`Depends(giver)`: the parameter that it is the default of."""
    call = flow.parent(around) if isinstance(around, cst.Arg) else None
    if not isinstance(call, cst.Call) or called(call) not in ("Depends", "Security"):
        return None
    node: cst.CSTNode | None = call
    while node is not None and not isinstance(node, cst.Param | cst.BaseStatement):
        node = flow.parent(node)
    if not isinstance(node, cst.Param):
        return None
    return [_named(flow, node.name, found)]
