"""How long a cache keeps its entries, read from its definition and the constants of its module."""

from __future__ import annotations

import ast

import pytest

from unstate.model import Scope, Span, Store
from unstate.plan.expiry import bound, own_seconds

MODULE = ast.parse(
    "import settings\nMINUTE = 60\nHOUR: int = 60 * MINUTE\nTWICE = 1\nTWICE = 2\nLIFE = timedelta(hours=2)\n"
)


def store(definition: str, constructor: str = "cachetools.TTLCache") -> Store:
    span = Span(line=1, column=0, end_line=1, end_column=1)
    return Store(
        service=".",
        module="app",
        name="cache",
        path="app.py",
        span=span,
        scope=Scope.MODULE,
        constructor=constructor,
        definition=definition,
    )


@pytest.mark.parametrize(
    ("definition", "seconds"),
    [
        ("TTLCache(100, 60)", 60),
        ("TTLCache(maxsize=100, ttl=60.0)", 60),
        ("cachetools.TTLCache(100, ttl=10 * MINUTE)", 600),
        ("TTLCache(100, HOUR + 1)", 3601),
        ("TTLCache(100, LIFE.total_seconds())", 7200),
        ("field(default_factory=lambda: TTLCache(100, 60))", 60),
        ("TTLCache(100, settings.TTL)", None),
        ("TTLCache(100, TWICE)", None),
        ("TTLCache(100, UNKNOWN)", None),
        ("TTLCache(100, 0.5)", None),
        ("TTLCache(100, 0)", None),
        ("TTLCache(*sizes)", None),
        ("TTLCache(100)", None),
        ("TTLCache(100, 7 // 2)", None),
        ("make_cache", None),
    ],
)
def test_the_lifetime_of_an_entry(definition: str, seconds: int | None) -> None:
    assert own_seconds(store(definition), MODULE) == seconds


def test_the_bound_is_quoted_as_it_stands() -> None:
    assert bound(store("TTLCache(maxsize=settings.SIZE, ttl=1)")) == "settings.SIZE"
    assert bound(store("LRUCache(10_000)", "cachetools.LRUCache")) == "10000"
    assert bound(store("{}", "dict")) == ""
