"""From a rule to code: a module whose function is the rule's pattern, and what the rewriter makes of it."""

from __future__ import annotations

import ast
import asyncio
import inspect
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest import mock

from unstate.catalogue import Rule
from unstate.model import Op, Site, Span
from unstate.rewrite import Binding, Rewritten, Source, fitting, rewrite_source
from unstate.rewrite.match import METAVARIABLES

from .shapes import Shape

SERVICES = "proof_services"  # the generated module's name
TTL = "PROOF_TTL"
PATH = "app.py"
STORE = "store"
LOOP = asyncio.new_event_loop()


@dataclass(frozen=True, repr=False)
class Operation:
    """One rule, ready to run: beside the untouched original its synchronous and its asynchronous rewriting."""

    rule: Rule
    letters: tuple[str, ...]
    source: str
    rewritten: tuple[str, ...]  # synchronous, asynchronous
    original: Callable[[dict[str, Any]], Callable[..., Any]]  # the function, made in a namespace
    functions: tuple[Callable[..., Any], ...]

    def __repr__(self) -> str:
        return self.rule.id


def build(rule: Rule, shape: Shape, prefixes: Sequence[str], only: Sequence[Rule] | None = None) -> Operation | None:
    """The rule's operation for two stores held under `prefixes`, None where no code comes to it before another rule.

    `only` is the table to use instead of the catalogue. Where the rule is for synchronous code alone, what other rules
    make of the asynchronous function stands in for it, and the other way round.
    """
    for source, letters in _sources(rule, "str" if shape.codec == "str" else "len"):
        outcomes = [
            _rewrite(text, shape, rule, prefix, only)
            for text, prefix in zip((source, source.replace("def act", "async def act")), prefixes, strict=True)
        ]
        wanted = [mode not in rule.when for mode in ("asynchronous", "synchronous")]
        if all(
            outcome.after is not None and (not meant or outcome.rules.get("proof") == {rule.id})
            for outcome, meant in zip(outcomes, wanted, strict=True)
        ):
            texts = tuple(outcome.after.decode() for outcome in outcomes if outcome.after is not None)
            functions = tuple(_function(text, {}) for text in texts)
            code = compile(_act(source), f"<original {rule.id}>", "exec")
            return Operation(rule, letters, source, texts, partial(_run, code), functions)
    return None


def call(function: Callable[..., Any], arguments: Sequence[Any]) -> tuple[str, Any]:
    """("ok", result) or (exception's name, its arguments)."""
    try:
        result = function(*arguments)
        if inspect.iscoroutine(result):
            result = LOOP.run_until_complete(result)
    except Exception as error:
        if isinstance(error.__cause__, StopIteration):
            return "StopIteration", ()  # Python says it so of a coroutine, also of the original's
        return type(error).__name__, error.args
    return "ok", result


def _run(code: Any, space: dict[str, Any]) -> Callable[..., Any]:
    exec(code, space)
    act: Callable[..., Any] = space["act"]
    return act


def _function(text: str, space: dict[str, Any]) -> Callable[..., Any]:
    return _run(compile(text, "<rewritten>", "exec"), space)


def _act(source: str) -> str:
    """The function alone: the store is defined once for all operations on it."""
    return source[source.index("def act") :]


IMPORTS = (
    "import collections\nfrom collections import Counter, OrderedDict, defaultdict, deque\n"
    "from cachetools import TTLCache\n"
)
HEAD = f"{IMPORTS}from proof_models import Profile, same\n\n"


def _sources(rule: Rule, maker: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Modules that hold the pattern, the plainest first: with parameters, then with calls for one letter or two.

    `maker` makes something that is no None of any value.
    """
    tree = ast.parse(rule.pattern)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    letters = tuple(sorted(names & METAVARIABLES - {"x", "t", "b"}))
    fixed = {letter: ast.Constant(0) for letter in letters if f"zero {letter}" in rule.when}
    fixed |= {
        letter: ast.Constant(2) for letter in letters if {f"constant {letter}", f"natural {letter}"} & set(rule.when)
    }
    free = tuple(letter for letter in letters if letter not in fixed)
    for size in (0, 1, 2):
        for impure in itertools.combinations(free, size):
            some = {letter: maker for letter in free if f"some {letter}" in rule.when}
            filled = _Fill(fixed, impure, some).visit(ast.parse(rule.pattern))
            for body in _bodies(filled, rule):
                yield _module(body, free), free


def _bodies(tree: ast.Module, rule: Rule) -> Iterator[list[ast.stmt]]:
    body = tree.body
    if isinstance(body[0], ast.Expr) and len(body) == 1:
        expression = ast.unparse(body[0])
        if "discarded" in rule.when:
            yield body
        elif expression == f"iter({STORE})" or expression.endswith((".keys()", ".values()", ".items()")):
            inner = expression.removeprefix("iter(").removesuffix(")") if expression.startswith("iter(") else expression
            yield ast.parse(f"def f():\n    return [each for each in {inner}]").body[0].body  # type: ignore[attr-defined]
        else:
            yield [ast.Return(body[0].value)]
            yield [ast.Return(ast.List([body[0].value], ast.Load()))]  # where a rule for the whole statement exists
        return
    if any(isinstance(node, ast.Name) and node.id == "t" for node in ast.walk(tree)):
        body = [*body, ast.Return(ast.Name("t", ast.Load()))]
    yield body


def _module(body: list[ast.stmt], parameters: Sequence[str]) -> str:
    rebinds = any(
        isinstance(node, ast.Name) and node.id == STORE and not isinstance(node.ctx, ast.Load)
        for statement in body
        for node in ast.walk(statement)
    )
    lines = [f"global {STORE}"] if rebinds else []
    lines += ast.unparse(ast.fix_missing_locations(ast.Module(body, []))).splitlines()
    text = "\n".join(f"    {line}" for line in lines)
    return f"def act({', '.join(parameters)}):\n{text}\n"


class _Fill(ast.NodeTransformer):
    """Puts names in the place of metavariables."""

    def __init__(self, fixed: dict[str, ast.Constant], impure: Sequence[str], some: dict[str, str]) -> None:
        self.some = some
        self.fixed = fixed
        self.impure = impure

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        if isinstance(node.value, ast.Name) and node.value.id == "b":
            return ast.parse("def f(): return 'b'").body[0].body[0]  # type: ignore[attr-defined,no-any-return]
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id == "x":
            return ast.Name(STORE, node.ctx)
        if node.id in self.fixed:
            return self.fixed[node.id]
        if node.id in self.some:
            text: ast.expr = ast.Call(ast.Name("str", ast.Load()), [node], [])
            maker = self.some[node.id]
            return text if maker == "str" else ast.Call(ast.Name(maker, ast.Load()), [text], [])
        if node.id in self.impure:
            return ast.Call(ast.Name("same", ast.Load()), [node], [])
        return node


def _rewrite(source: str, shape: Shape, rule: Rule, prefix: str, only: Sequence[Rule] | None) -> Rewritten:
    text = f"{HEAD}{STORE} = {shape.definition}\n\n\n{source}"
    binding = Binding(
        id="proof",
        name=STORE,
        layout=shape.layout,
        container=shape.container,
        codec=shape.codec,
        key_type=shape.key_type,
        prefix=prefix,
        sites=tuple(_sites(text)),
        ttl=TTL if shape.expires or "ttl" in rule.when else "",
        model="Profile",
        size=shape.size,
        zero=shape.definition.strip("[]"),
    )
    if only is None:
        return rewrite_source(Source(text.encode(), PATH), [binding], SERVICES)
    with mock.patch.object(fitting, "rules_for", lambda *_: tuple(only)):
        fitting._rules.cache_clear()
        outcome = rewrite_source(Source(text.encode(), PATH), [binding], SERVICES)
    fitting._rules.cache_clear()
    return outcome


def _sites(text: str) -> Iterator[Site]:
    """Every reference to the store, as facts about the file would have them."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == STORE:
            defines = any(node in ast.walk(statement) for statement in tree.body if isinstance(statement, ast.Assign))
            op = Op.DEFINE if defines else Op.REBIND if isinstance(node.ctx, ast.Store) else Op.GETITEM
            yield Site(path=PATH, span=_span(node), op=op)
        elif isinstance(node, ast.Global):
            yield Site(path=PATH, span=_span(node), op=Op.GLOBAL)


def _span(node: ast.expr | ast.stmt) -> Span:
    assert node.end_lineno is not None and node.end_col_offset is not None
    return Span(line=node.lineno, column=node.col_offset, end_line=node.end_lineno, end_column=node.end_col_offset)
