"""Where a value goes that was read from a store. A copy from Redis is no part of the store any more: a change to it
would be lost without a word. So every use of a mutable value is followed until it is known to end in a mere reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import libcst as cst

_READS = frozenset(
    "get keys values items copy index count isoformat strftime timestamp total_seconds lower upper strip split "
    "startswith endswith join format encode decode replace title model_dump model_dump_json dict json to_dict to_json "
    "union intersection difference issubset issuperset isdisjoint hex bit_length is_alive".split()
)
_KEEPING = frozenset("get values items copy dict model_dump to_dict".split())  # what they give may hold parts of it
_CHANGES = frozenset(
    "append extend insert remove pop popitem clear update setdefault add discard sort reverse appendleft popleft "
    "difference_update intersection_update symmetric_difference_update".split()
)
_CONSUMERS = frozenset(
    "len str repr bool int float sum any all min max isinstance hash print type jsonify dumps dump JSONResponse "
    "json_response render_template render make_response debug info warning error exception critical log Response "
    "HTTPException abort emit send send_json send_text publish".split()
)
_COPIES = frozenset("list dict set tuple frozenset sorted reversed enumerate zip iter next filter map deepcopy".split())


class Flow:
    """Follows values within one module."""

    def __init__(self, module: cst.Module, exported: frozenset[str]) -> None:
        self.module = module
        self.exported = exported
        self._parents: dict[int, cst.CSTNode] = {}
        self._order: dict[int, int] = {}
        for number, parent in enumerate(_all(module)):
            self._order[id(parent)] = number
            for child in parent.children:
                self._parents[id(child)] = parent
        self._following: set[int] = set()

    def changed(self, node: cst.CSTNode) -> str | None:
        """Why a value may be changed in place, or go where nobody can tell; None if it is merely read."""
        if id(node) in self._following:
            return None
        self._following.add(id(node))
        try:
            return self._use(node)
        finally:
            self._following.discard(id(node))

    def changed_later(self, value: cst.BaseExpression) -> str | None:
        """Why a value may be changed after it was put into a store; None if it is merely read from then on."""
        function = self._function(value)
        if function is None:
            return None
        names = {name.value for name in _kept_names(value)}
        here = self._order[id(value)]
        return self._first(
            self._loaded(name)
            for name in _all(function)
            if isinstance(name, cst.Name)
            and name.value in names
            and self._order[id(name)] > here
            and not _inside(name, value)
        )

    def _use(self, node: cst.CSTNode) -> str | None:
        parent = self._parents[id(node)]
        match parent:
            case cst.Subscript(value=value) if value is node:
                return self.changed(parent)  # written to, or read as a part that may be changed itself
            case cst.Attribute(value=value) if value is node:
                return self._attribute(parent)
            case cst.Call(func=func) if func is node:
                return "it is called"
            case cst.Arg():
                return self._argument(parent)
            case cst.Assign(targets=targets, value=value) if value is node:
                return self._first(self._named(target.target, parent) for target in targets)
            case cst.AnnAssign(target=target, value=value) if value is node:
                return self._named(target, parent)
            case cst.NamedExpr(target=target, value=value) if value is node:
                return self._first([self._named(target, parent), self.changed(parent)])
            case cst.For(target=target, iter=iterated) | cst.CompFor(target=target, iter=iterated) if iterated is node:
                return self._named(target, parent)
            case cst.Return():
                return self._returned(parent)
            case cst.Yield() | cst.Lambda() | cst.WithItem() | cst.From():
                return "it is handed on"
            case cst.AssignTarget() | cst.Del():
                return "it is written to"
            case cst.AugAssign(target=target) if target is node:
                return "it is changed in place"
        if isinstance(parent, _READING):
            return None
        if isinstance(parent, _PASSING):
            return self.changed(parent)
        if isinstance(parent, cst.BaseSmallStatement | cst.BaseCompoundStatement):
            return None
        return self.changed(parent) if isinstance(parent, cst.BaseExpression) else None

    def _attribute(self, parent: cst.Attribute) -> str | None:
        call = self._parents[id(parent)]
        if not (isinstance(call, cst.Call) and call.func is parent):
            return self.changed(parent)
        method = parent.attr.value
        if method in _CHANGES:
            return f"`.{method}()` changes it in place"
        if method not in _READS:
            return f"`.{method}()` may change it"
        return self.changed(call) if method in _KEEPING else None

    def _argument(self, argument: cst.Arg) -> str | None:
        call = self._parents[id(argument)]
        if not isinstance(call, cst.Call):
            return None
        name = _called(call)
        if name in _CONSUMERS:
            return None
        if name in _COPIES or (name == "get" and argument is not call.args[0]):
            return self.changed(call)
        if argument.star == "**":
            return None  # a new dict of the fields
        method = isinstance(call.func, cst.Attribute)
        if method and name in ("get", "pop", "index", "count", "discard", "remove", "startswith", "join"):
            return None
        return f"it is handed to `{name}`, which may change it"

    def _named(self, target: cst.BaseExpression, at: cst.CSTNode) -> str | None:
        """Every use of the names that the value, or parts of it, are bound to."""
        names = {name.value for name in _all(target) if isinstance(name, cst.Name)}
        if not isinstance(target, cst.Name | cst.Tuple | cst.List):
            return "it is kept elsewhere"
        function = self._function(at)
        if function is None and not isinstance(at, cst.CompFor):
            return "it is kept in a global"
        scope: cst.CSTNode = function if function is not None else self._parents[id(at)]
        return self._first(
            self._loaded(name) for name in _all(scope) if isinstance(name, cst.Name) and name.value in names
        )

    def _loaded(self, name: cst.Name) -> str | None:
        """One use of a name; its own binding is none."""
        parent = self._parents[id(name)]
        match parent:
            case cst.AssignTarget(target=target) | cst.AnnAssign(target=target) if target is name:
                return None
            case cst.For(target=target) | cst.CompFor(target=target) | cst.NamedExpr(target=target) if target is name:
                return None
            case cst.Param() | cst.Element() if isinstance(parent, cst.Param) or self._is_target(parent):
                return None
            case cst.Attribute(attr=attr) if attr is name:
                return None
            case cst.Arg(keyword=keyword) if keyword is name:
                return None
            case cst.AugAssign(target=target) if target is name:
                return "it is changed in place"
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Subscript())], value=value) if value is name:
                return None  # put back whole
        return self.changed(name)

    def _is_target(self, element: cst.CSTNode) -> bool:
        node = element
        while isinstance(node, cst.Element | cst.Tuple | cst.List):
            node = self._parents[id(node)]
        return isinstance(node, cst.AssignTarget | cst.For | cst.CompFor)

    def _returned(self, node: cst.CSTNode) -> str | None:
        """A value returned from a handler is only written out; one from a helper goes where the helper is called."""
        function = self._function(node)
        if function is None:
            return None
        name = function.name.value
        if function.decorators and not all(_registers(decorator) for decorator in function.decorators):
            return f"a decorator of `{name}` gets it"
        if function.decorators and name not in self.exported and not self._is_named(function):
            return None  # a framework calls it, and writes the value out
        if name in self.exported:
            return f"`{name}` hands it to other modules"
        if not isinstance(self._parents[id(function)], cst.Module):
            return f"`{name}` hands it out"
        uses = [n for n in _all(self.module) if isinstance(n, cst.Name) and n.value == name and n is not function.name]
        return self._first(self._called_use(use) for use in uses)

    def _is_named(self, function: cst.FunctionDef) -> bool:
        name = function.name.value
        return any(isinstance(n, cst.Name) and n.value == name and n is not function.name for n in _all(self.module))

    def _called_use(self, name: cst.Name) -> str | None:
        call = self._parents[id(name)]
        if isinstance(call, cst.Call) and call.func is name:
            awaited = self._parents[id(call)]
            return self.changed(awaited if isinstance(awaited, cst.Await) else call)
        return (
            None
            if isinstance(call, cst.Attribute | cst.Arg) and getattr(call, "attr", None) is name
            else "it is handed out"
        )

    def _function(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        current: cst.CSTNode | None = node
        while current is not None and not isinstance(current, cst.FunctionDef):
            current = self._parents.get(id(current))
        return current

    @staticmethod
    def _first(reasons: Iterable[str | None]) -> str | None:
        return next((reason for reason in reasons if reason is not None), None)


_READING = (
    cst.Comparison,
    cst.ComparisonTarget,
    cst.UnaryOperation,
    cst.If,
    cst.While,
    cst.Assert,
    cst.Index,
    cst.FormattedStringExpression,
    cst.Expr,
    cst.CompIf,
    cst.AugAssign,
    cst.Slice,
)
_PASSING = (
    cst.BooleanOperation,
    cst.IfExp,
    cst.BinaryOperation,
    cst.Await,
    cst.Element,
    cst.StarredElement,
    cst.DictElement,
    cst.StarredDictElement,
    cst.List,
    cst.Tuple,
    cst.Dict,
    cst.Set,
    cst.ListComp,
    cst.DictComp,
    cst.SetComp,
    cst.GeneratorExp,
)


def _registers(decorator: cst.Decorator) -> bool:
    """`@app.get("/")`, `@sio.event`: hands the function to a framework, as it is."""
    node = decorator.decorator
    attribute = node.func if isinstance(node, cst.Call) else node
    match attribute:
        case cst.Attribute(value=cst.Name(value=owner)):
            return owner not in ("functools", "contextlib", "asyncio", "abc")
    return False


def _kept_names(value: cst.BaseExpression) -> Iterator[cst.Name]:
    """The names whose objects become part of a stored value: the value itself, and elements of its literals."""
    match value:
        case cst.Name():
            yield value
        case cst.List(elements=elements) | cst.Tuple(elements=elements) | cst.Set(elements=elements):
            for element in elements:
                yield from _kept_names(element.value)
        case cst.Dict(elements=entries):
            for entry in entries:
                yield from _kept_names(entry.value)


def _inside(node: cst.CSTNode, value: cst.CSTNode) -> bool:
    return any(each is node for each in _all(value))


def _called(call: cst.Call) -> str:
    match call.func:
        case cst.Name(value=name):
            return name
        case cst.Attribute(attr=cst.Name(value=name)):
            return name
    return "a call"


def _all(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    yield node
    for child in node.children:
        yield from _all(child)
