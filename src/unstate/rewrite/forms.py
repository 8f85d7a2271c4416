"""Backing-service forms: macros expanded for a store, metavariables filled in, made asynchronous where needed."""

from __future__ import annotations

import ast
from functools import cache

import libcst as cst

from unstate.catalogue import helpers
from unstate.catalogue.table import ENTRIES
from unstate.model import Layout
from unstate.rewrite import keys
from unstate.rewrite.binding import Binding
from unstate.rewrite.codecs import codec
from unstate.rewrite.functions import Function
from unstate.rewrite.marks import letters
from unstate.rewrite.match import METAVARIABLES, Environment, Statement, pure
from unstate.rewrite.names import Names
from unstate.rewrite.parentheses import OurParen, parenthesized
from unstate.rewrite.visiting import as_expression

_CALLED = frozenset({"KEY", "FIELD", "OBJECT", "UNKEY", "UNFIELD", "ENC", "DEC"})
_TIGHT = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
CLIENTS = {"redis_client": "async_redis_client", "redis_bytes": "async_redis_bytes"}


@cache
def is_expression(text: str) -> bool:
    """Whether a form is one expression."""
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True


def expression(
    form: str,
    environment: Environment,
    binding: Binding,
    names: Names,
    *,
    asynchronous: bool,
    tested: bool = False,
    optional: bool = False,
) -> cst.BaseExpression:
    """The form as an expression, in parentheses where another operator could bind tighter.

    `tested`: only its truth counts, so that a `bool` around it says nothing; `optional`: the key may be None.
    """
    filler = _Filler(environment, binding, names, _often(form), optional=optional)
    result = _template(form, asynchronous, tested).visit(filler)
    assert isinstance(result, cst.BaseExpression)
    return parenthesized(result)


@cache
def _template(form: str, asynchronous: bool, tested: bool) -> cst.BaseExpression:
    """Not to be put in itself: a node stands in one place of a tree."""
    template = cst.parse_expression(form)
    match template:
        case cst.Call(func=cst.Name(value="bool"), args=[cst.Arg(value=inner)]) if tested:
            template = inner
    if asynchronous:
        return as_expression(template.visit(_Awaiter()))
    return template


def statements(
    form: str,
    environment: Environment,
    binding: Binding,
    names: Names,
    *,
    asynchronous: bool,
    within: Function,
    optional: bool = False,
) -> list[cst.SimpleStatementLine | cst.BaseCompoundStatement]:
    """The form as statements; `within`: the function around them; `optional`: the key may be None."""
    filler = _Filler(environment, binding, names, _often(form), within, optional=optional)
    return list(_template_module(form, asynchronous).visit(filler).body)


@cache
def _template_module(form: str, asynchronous: bool) -> cst.Module:
    module = cst.parse_module(form)
    return module.visit(_Awaiter()) if asynchronous else module


def _often(form: str) -> frozenset[str]:
    return frozenset(letter for letter in ("k", "k2") if letters(form)[letter] > 1)


class _Awaiter(cst.CSTTransformer):
    """Turns a synchronous form into its asynchronous twin."""

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        match updated_node.func:
            case cst.Attribute(value=cst.Name(value=client)) if client in CLIENTS:
                call = updated_node.with_deep_changes(updated_node.func.value, value=CLIENTS[client])
                return call if _stays_synchronous(updated_node.func) else _awaited(call)
            case cst.Attribute(value=cst.Name(value=temporary), attr=cst.Name(value="execute")) if temporary[:1] == "_":
                return _awaited(updated_node)
            case cst.Name(value=name) if helpers.is_remote(name):
                call = updated_node.with_deep_changes(updated_node.func, value=f"async_{name}")
                args = [_async_client(arg) for arg in call.args]
                return _awaited(call.with_changes(args=args))
        return updated_node


def _stays_synchronous(func: cst.Attribute) -> bool:
    return func.attr.value in ("pipeline", "register_script")


def _async_client(arg: cst.Arg) -> cst.Arg:
    """A client handed to a helper is handed to its twin as the asynchronous client."""
    if isinstance(arg.value, cst.Name) and arg.value.value in CLIENTS:
        return arg.with_changes(value=cst.Name(CLIENTS[arg.value.value]))
    return arg


def _awaited(call: cst.Call) -> cst.Await:
    return cst.Await(call, lpar=[OurParen()], rpar=[cst.RightParen()])


class _Filler(cst.CSTTransformer):
    """Fills macros and metavariables in. Nodes that come from the source are put in untouched."""

    def __init__(
        self,
        environment: Environment,
        binding: Binding,
        names: Names,
        often: frozenset[str] = frozenset(),
        within: Function | None = None,
        *,
        optional: bool = False,
    ) -> None:
        """`often`: the letters of keys that the form evaluates several times; they are given names where need be."""
        self.within = within
        self.optional = optional
        self.environment = environment
        self.binding = binding
        self.names = names
        known = binding.layout is not Layout.S3 or binding.codec in ENTRIES
        self.codec = codec(binding.codec, binding.model) if known else codec("bytes")
        self.temporaries: dict[str, str] = {}
        self.naming = {letter: "" for letter in often if not pure(environment.get(letter, ()))}

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        name = node.name.value
        self.temporaries[name] = self.names.function(name, self.within.number if self.within else 0)

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        """A function of ours in a function that has annotations."""
        if self.within is None or not self.within.typed or not self.names.any():
            return updated_node
        parameters = [
            each.with_changes(annotation=cst.Annotation(cst.Name("Any"))) for each in updated_node.params.params
        ]
        returns = cst.Annotation(cst.Name("None"))
        return updated_node.with_changes(params=updated_node.params.with_changes(params=parameters), returns=returns)

    def leave_ListComp(self, original_node: cst.ListComp, updated_node: cst.ListComp) -> cst.BaseExpression:
        """`[raw for raw in replies]`, where the codec leaves a value as it is, is the list of replies itself."""
        each, loop = updated_node.elt, updated_node.for_in
        match each, loop.target:
            case cst.Name(value=name), cst.Name(value=target) if name == target:
                if not loop.ifs and loop.inner_for_in is None and _gives_list(original_node.for_in.iter):
                    return loop.iter
        return updated_node

    def visit_Arg(self, node: cst.Arg) -> bool:
        return False

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg | cst.RemovalSentinel:
        # The keyword is no expression, so it is left alone by visiting the value only.
        if original_node.star == "**" and _macro(original_node.value) == "EX":
            if not self.binding.ttl:
                return cst.RemoveFromParent()
            return cst.Arg(cst.Name(self.names.use(self.binding.ttl)), keyword=cst.Name("ex"), equal=_TIGHT)
        return updated_node.with_changes(value=original_node.value.visit(self))

    def leave_OurParen(self, original_node: OurParen, updated_node: cst.LeftParen) -> OurParen:
        return original_node  # a visit makes plain ones of them

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        return False

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        # Only the root is a name of ours: an attribute that happens to be called like a macro or a letter is not.
        return updated_node.with_changes(value=original_node.value.visit(self))

    def visit_Call(self, node: cst.Call) -> bool:
        return _macro(node.func) not in _CALLED

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        macro = _macro(original_node.func)
        if macro not in _CALLED:
            return _without_trailing_comma(updated_node)
        value = original_node.args[0].value.visit(self)
        assert isinstance(value, cst.BaseExpression)
        match macro:
            case "KEY":
                return keys.redis_key(self.binding, value, self.names)
            case "FIELD":
                return keys.field(self.binding, value, self.names, optional=self.optional)
            case "OBJECT":
                return keys.object_key(self.binding, value, self.names)
            case "UNKEY" | "UNFIELD":
                return keys.decoded(self.binding, value, self.names)
            case "ENC":
                return self._applied(self.codec.encode, value)
        return self._applied(self.codec.decode, value)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        name = original_node.value
        if name in METAVARIABLES - {"b"} and name in self.environment:
            return parenthesized(self._bound(name))
        match name:
            case "KEY":
                return keys.redis_key(self.binding, self._bound("k"), self.names)
            case "FIELD":
                return keys.field(self.binding, self._bound("k"), self.names, optional=self.optional)
            case "OBJECT":
                return keys.object_key(self.binding, self._bound("k"), self.names)
            case "UNKEY" | "UNFIELD":
                return cst.Name(self.binding.key_type or "str")
            case "NAME":
                return cst.SimpleString(f'"{self.binding.prefix}"')
            case "PREFIX":
                return cst.SimpleString(f'"{self.binding.prefix}{keys.separator(self.binding)}"')
            case "BUCKET":
                return cst.Call(cst.Name(self.names.use("upload_bucket")))
            case "ENC":
                return self._function(self.codec.encoder)
            case "DEC":
                return self._function(self.codec.decoder)
            case "SIZE":
                return cst.parse_expression(self.binding.size)
            case "ZERO":
                return cst.parse_expression(self.binding.zero)
        if name.startswith("_") and name != "_":
            return cst.Name(self.temporaries.setdefault(name, self.names.fresh(name)))
        return self._ours(name)

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement]:
        match original_node.body:
            case [cst.Expr(value=cst.Name(value="b"))] if isinstance(body := self.environment.get("b"), tuple):
                return cst.FlattenSentinel([_line(statement) for statement in body])
        return updated_node

    def _bound(self, letter: str) -> cst.BaseExpression:
        bound = self.environment[letter]
        assert isinstance(bound, cst.BaseExpression)
        if letter not in self.naming:
            return bound
        if self.naming[letter]:
            return cst.Name(self.naming[letter])
        name = self.naming[letter] = self.names.fresh("key")
        return cst.NamedExpr(cst.Name(name), bound, lpar=[OurParen()], rpar=[cst.RightParen()])

    def _applied(self, template: str, value: cst.BaseExpression) -> cst.BaseExpression:
        if template == "{}":
            return value
        shell = cst.parse_expression(template.format("_value_"))
        return as_expression(as_expression(shell.visit(_Ours(self.names))).visit(_Put(value)))

    def _function(self, text: str) -> cst.BaseExpression:
        function = cst.parse_expression(text).visit(_Ours(self.names))
        assert isinstance(function, cst.BaseExpression)
        return function

    def _ours(self, name: str) -> cst.Name:
        return cst.Name(self.names.use(name) if name in helpers.NAMES else name)


class _Ours(cst.CSTTransformer):
    """Names of the generated module as the file calls them."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        name = original_node.value
        return cst.Name(self.names.use(name)) if name in helpers.NAMES else updated_node


class _Put(cst.CSTTransformer):
    def __init__(self, value: cst.BaseExpression) -> None:
        self.value = value

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        args = [
            a.with_changes(value=self.value) if _is_slot(o.value) else a
            for o, a in zip(original_node.args, updated_node.args, strict=True)
        ]
        return updated_node.with_changes(args=args)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        return parenthesized(self.value) if _is_slot(original_node) else updated_node


def _gives_list(node: cst.BaseExpression) -> bool:
    """Whether a call of a form gives a list that is its caller's own."""
    match node:
        case cst.Await(expression=call):
            return _gives_list(call)
        case cst.Call(func=cst.Attribute(value=cst.Name(value=client), attr=cst.Name(value=command))):
            known = client in CLIENTS or client in CLIENTS.values()
            return known and command in ("lrange", "hkeys", "hvals")
        case cst.Call(func=cst.Name(value=name)):
            return name.removeprefix("async_") in ("scan_keys", "list_drain")
    return False


def _is_slot(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value == "_value_"


def _macro(node: cst.BaseExpression) -> str:
    return node.value if isinstance(node, cst.Name) and node.value.isupper() else ""


def _without_trailing_comma(call: cst.Call) -> cst.Call:
    """A removed last argument leaves its comma behind."""
    if call.args and isinstance(call.args[-1].comma, cst.Comma):
        last = call.args[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return call.with_changes(args=[*call.args[:-1], last])
    return call


def _line(statement: Statement) -> cst.SimpleStatementLine | cst.BaseCompoundStatement:
    if isinstance(statement, cst.BaseSmallStatement):
        return cst.SimpleStatementLine([statement])
    return statement
