"""Patterns over metavariables, matched against libcst trees. Layout and parentheses do not count."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, TypeAlias, cast

import libcst as cst

from unstate.rewrite.places import is_node

Statement: TypeAlias = cst.BaseSmallStatement | cst.BaseCompoundStatement
Bound: TypeAlias = cst.BaseExpression | tuple[Statement, ...]  # the tuple stands for `b`
Environment: TypeAlias = dict[str, Bound]
IsStore: TypeAlias = Callable[[cst.CSTNode], bool]

METAVARIABLES = frozenset("x k k2 v w n d f o t i j b".split())
_LAYOUT_FIELDS = frozenset(
    "lpar rpar comma semicolon leading_lines trailing_whitespace lines_after_decorators header footer equal indent "
    "lbracket rbracket lbrace rbrace colon dot".split()
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A parsed pattern: one expression, or a run of statements."""

    expression: cst.BaseExpression | None
    statements: tuple[Statement, ...]

    @property
    def depth(self) -> int:
        """How many nodes the pattern fixes: those that fix more are tried first."""
        nodes: Sequence[cst.CSTNode] = self.statements if self.expression is None else (self.expression,)
        return sum(_size(node) for node in nodes)

    @property
    def is_view(self) -> bool:
        """Whether the pattern is a live view of the store: `x.keys()`, which a copy can stand for only where it is
        read at once."""
        match self.expression:
            case cst.Call(func=cst.Attribute(value=value, attr=cst.Name(value=method)), args=[]):
                return method in ("keys", "values", "items") and metavariable(value) == "x"
        return False

    def calls(self, function: str) -> bool:
        """Whether the pattern is `function(x)`."""
        match self.expression:
            case cst.Call(func=cst.Name(value=name), args=[cst.Arg(value=argument)]):
                return name == function and metavariable(argument) == "x"
        return False


def _size(node: cst.CSTNode) -> int:
    return (metavariable(node) is None) + sum(_size(child) for child in node.children)


@cache
def parse_pattern(text: str, *, alone: bool) -> Pattern:
    """Read a rule's pattern; `alone`: an expression is to match only where it is a statement of its own.

    Raises libcst.ParserSyntaxError where it is not Python.
    """
    if not alone:
        try:
            ast.parse(text, mode="eval")
        except SyntaxError:
            alone = True
    if alone:
        return Pattern(None, flatten(cst.parse_module(text).body))
    return Pattern(cst.parse_expression(text), ())


def flatten(body: Sequence[cst.CSTNode]) -> tuple[Statement, ...]:
    """The statements of a body without the lines that hold them: `a; b` is two."""
    found: list[Statement] = []
    for node in body:
        if isinstance(node, cst.SimpleStatementLine):
            found.extend(node.body)
        else:
            found.append(cast("Statement", node))  # a line of several is what else a body has
    return tuple(found)


def match_expression(pattern: Pattern, node: cst.BaseExpression, is_store: IsStore) -> Environment | None:
    """What the metavariables stand for, or None where `node` is not an instance of the pattern."""
    environment: Environment = {}
    if pattern.expression is not None and _unify(pattern.expression, node, environment, is_store):
        return environment
    return None


def match_statements(
    pattern: Pattern, statements: Sequence[Statement], is_store: IsStore
) -> tuple[Environment, int] | None:
    """Match a run at the start of `statements`: the environment, and how many statements it took."""
    if pattern.expression is not None:
        return None
    environment: Environment = {}
    count = len(pattern.statements)
    if len(statements) >= count and _unify_bodies(pattern.statements, statements[:count], environment, is_store):
        return environment, count
    return None


def same(left: cst.CSTNode, right: cst.CSTNode) -> bool:
    """Whether two nodes are the same code, layout aside."""
    return _unify(left, right, None, lambda _: False)


def metavariable(node: object) -> str | None:
    """The metavariable that a pattern's node is, if any."""
    return node.value if isinstance(node, cst.Name) and node.value in METAVARIABLES else None


def _unify(pattern: Any, node: Any, environment: Environment | None, is_store: IsStore) -> bool:
    kind = type(pattern)
    if kind is cst.Name and environment is not None and pattern.value in METAVARIABLES:
        return _bind(pattern.value, node, environment, is_store)
    if kind in _SUITES and type(node) in _SUITES:
        return _unify_bodies(flatten(pattern.body), flatten(node.body), environment, is_store)
    if kind is not type(node):
        return False
    if kind is cst.SimpleString:
        return bool(pattern.evaluated_value == node.evaluated_value)
    if kind is cst.Subscript and len(pattern.slice) == 1 < len(node.slice):
        node = _with_one_key(node)
    if is_node(kind):
        for name in _COMPARED[kind]:
            if not _unify(getattr(pattern, name), getattr(node, name), environment, is_store):
                return False
        return True
    if kind is tuple or kind is list:
        return len(pattern) == len(node) and all(
            _unify(a, b, environment, is_store) for a, b in zip(pattern, node, strict=True)
        )
    return bool(pattern == node)


_SUITES = frozenset({cst.IndentedBlock, cst.SimpleStatementSuite})


class _Compared(dict[type[cst.CSTNode], tuple[str, ...]]):
    """The fields in which two nodes of a class must agree."""

    def __missing__(self, kind: type[cst.CSTNode]) -> tuple[str, ...]:
        names = (field.name for field in fields(kind))
        self[kind] = tuple(n for n in names if n not in _LAYOUT_FIELDS and not n.startswith("whitespace"))
        return self[kind]


_COMPARED = _Compared()


def _with_one_key(node: cst.Subscript) -> cst.Subscript:
    """`x[a, b]` as `x[(a, b)]`, which it means."""
    keys = [each.slice.value for each in node.slice if isinstance(each.slice, cst.Index) and not each.slice.star]
    if len(keys) < len(node.slice):
        return node
    key = cst.Tuple([cst.Element(each) for each in keys])
    return node.with_changes(slice=(cst.SubscriptElement(cst.Index(key)),))


def _bind(letter: str, node: Any, environment: Environment, is_store: IsStore) -> bool:
    if not isinstance(node, cst.BaseExpression):
        return False
    if letter == "x":
        if not is_store(node):
            return False
    elif letter == "t" and (not isinstance(node, cst.Name) or is_store(node)):
        return False
    known = environment.get(letter)
    if known is None:
        environment[letter] = node
        return True
    return isinstance(known, cst.CSTNode) and (letter == "x" or same(known, node))


def _unify_bodies(
    pattern: Sequence[Statement], body: Sequence[Statement], environment: Environment | None, is_store: IsStore
) -> bool:
    """Bodies match statement by statement; a lone `b` takes one or more that do not touch the store."""
    wild = next((n for n, statement in enumerate(pattern) if _is_wildcard(statement)), None)
    if wild is None or environment is None:
        return len(pattern) == len(body) and all(
            _unify(a, b, environment, is_store) for a, b in zip(pattern, body, strict=True)
        )
    behind = len(pattern) - wild - 1
    taken = tuple(body[wild : len(body) - behind])
    if not taken or any(_touches(statement, is_store) for statement in taken):
        return False
    environment["b"] = taken
    return _unify_bodies(pattern[:wild], body[:wild], environment, is_store) and _unify_bodies(
        pattern[wild + 1 :], body[len(body) - behind :], environment, is_store
    )


def _is_wildcard(statement: Statement) -> bool:
    return isinstance(statement, cst.Expr) and metavariable(statement.value) == "b"


def _touches(node: cst.CSTNode, is_store: IsStore) -> bool:
    return is_store(node) or any(_touches(child, is_store) for child in node.children)


def pure(node: Bound) -> bool:
    """Whether evaluating the expression twice, or earlier, changes nothing: names, literals, and pure parts of them."""
    if isinstance(node, tuple):
        return False
    match node:
        case cst.Name() | cst.Integer() | cst.Float() | cst.SimpleString() | cst.ConcatenatedString():
            return True
        case cst.Attribute(value=value):
            return pure(value)
        case cst.Subscript(value=value, slice=[cst.SubscriptElement(slice=cst.Index(value=index))]):
            return pure(value) and pure(index)
        case cst.FormattedString(parts=parts):
            return all(pure(p.expression) for p in parts if isinstance(p, cst.FormattedStringExpression))
        case cst.BinaryOperation(left=left, right=right):
            return pure(left) and pure(right)
        case cst.UnaryOperation(expression=expression):
            return pure(expression)
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            return all(pure(element.value) for element in elements)
        case cst.Dict(elements=elements):
            return not elements
        case cst.Call(func=cst.Name(value=name), args=args):
            return name in _PURE_CALLS and all(not arg.star and pure(arg.value) for arg in args)
        case cst.Call(func=cst.Attribute(value=value, attr=cst.Name(value=name)), args=args):
            return name in _PURE_METHODS and pure(value) and all(not arg.star and pure(arg.value) for arg in args)
    return False


_PURE_CALLS = frozenset("str int float bool bytes len repr tuple dict list set abs min max".split())
_PURE_METHODS = frozenset(
    "lower upper strip lstrip rstrip casefold title encode decode hex isoformat removeprefix".split()
)
