"""No lost update: eight processes at one key, for rules that make one command of several steps of the original."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from unstate.catalogue import rules_for
from unstate.model import Layout

from .building import build, call
from .machine import PREFIXES, Services
from .shapes import Shape

PROCESSES = 8
ROUNDS = 40
TURNS = PROCESSES * ROUNDS
TEXT, HASH = Layout.STRING, Layout.HASH
SHAPES = {
    **{("string", codec): Shape(TEXT, "dict", codec) for codec in ("str", "int", "float", "json")},
    **{("hash", codec): Shape(HASH, "dict", codec) for codec in ("str", "int", "float", "json")},
    ("counter", "int"): Shape(Layout.COUNTER, "scalar", "int", definition="0"),
}

COUNTING = (
    *(
        (f"{table}.{name}", "int")
        for table in ("string", "hash")
        for name in (
            "increment",
            "increment.return",
            "count.get",
            "count.setdefault",
            "count.missing",
            "count.present",
            "count.absent",
        )
    ),
    ("string.augmented.add", "float"),
    ("hash.augmented.add", "float"),
    ("counter.increment", "int"),
    ("counter.increment.plain", "int"),
)
TAKING = tuple(
    (f"{table}.{name}", "str") for table in ("string", "hash") for name in ("pop", "pop.none", "if_present_return_pop")
)
CLAIMING = tuple(
    (f"{table}.{name}", "str")
    for table in ("string", "hash")
    for name in ("if_missing_set.true", "if_present_false_else_set")
)
AGREEING = tuple((f"{table}.setdefault", codec) for table in ("string", "hash") for codec in ("str", "json"))


def racing(name: str, codec: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The synchronous rewriting of a rule, and of setting an entry of the same store."""
    shape = SHAPES[name.partition(".")[0], codec]
    table = {rule.id: rule for rule in rules_for(shape.layout, shape.container, codec)}
    setting = next(rule for rule in table.values() if rule.pattern in ("x[k] = v", "x = v"))
    built = [build(rule, shape, PREFIXES) for rule in (table[name], setting)]
    assert built[0] is not None and built[1] is not None
    return built[0].functions[0], built[1].functions[0]


def race(turn: Callable[[int, int], Any]) -> list[list[Any]]:
    """What `turn(process, round)` gave in each process; all begin at once."""
    context = multiprocessing.get_context("fork")
    start, results = context.Barrier(PROCESSES), context.SimpleQueue()

    def run(number: int) -> None:
        start.wait()
        results.put([call(turn, (number, each)) for each in range(ROUNDS)])

    processes = [context.Process(target=run, args=(number,)) for number in range(PROCESSES)]
    for process in processes:
        process.start()
    answers = [results.get() for _ in processes]
    for process in processes:
        process.join()
    return answers


@pytest.mark.parametrize(("name", "codec"), COUNTING)
def test_no_count_is_lost(name: str, codec: str, services: Services) -> None:
    services.redis.flushdb()
    act, put = racing(name, codec)
    if name.startswith("counter"):
        race(lambda _number, _round: act(1))
        raw = services.redis.get(PREFIXES[0])
    else:
        put("k", 0)
        race(lambda _number, _round: act("k", 1))
        raw = (
            services.redis.get(f"{PREFIXES[0]}:k")
            if name.startswith("string")
            else services.redis.hget(PREFIXES[0], "k")
        )
    assert float(raw) == TURNS


@pytest.mark.parametrize("layout", [TEXT, HASH])
@pytest.mark.parametrize(("codec", "kept"), [("json", "kept"), ("apart", b"kept")])
def test_no_change_of_a_record_is_lost(codec: str, kept: str | bytes, layout: Layout, services: Services) -> None:
    services.redis.flushdb()
    shape = Shape(layout, "dict", codec, values="records")
    by_pattern = {rule.pattern: rule for rule in rules_for(layout, "dict", codec)}
    add = build(by_pattern["x[k][f] += v"], shape, PREFIXES)
    put = build(by_pattern["x[k] = v"], shape, PREFIXES)
    read = build(by_pattern["x[k]"], shape, PREFIXES)
    assert add is not None and put is not None and read is not None
    put.functions[0]("k", {"f": 0, "g": kept})
    assert add.letters == ("f", "k", "v")
    race(lambda _number, _round: add.functions[0]("f", "k", 1))
    assert read.functions[0]("k") in ({"f": TURNS, "g": kept}, [{"f": TURNS, "g": kept}])


@pytest.mark.parametrize(("name", "codec"), TAKING)
def test_an_entry_is_taken_once(name: str, codec: str, services: Services) -> None:
    services.redis.flushdb()
    act, put = racing(name, codec)
    for each in range(ROUNDS):
        put(str(each), "v")
    answers = race(lambda _number, each: act(str(each)))
    assert Counter(answer for process in answers for answer in process)["ok", "v"] == ROUNDS


@pytest.mark.parametrize(("name", "codec"), CLAIMING)
def test_an_entry_is_claimed_once(name: str, codec: str, services: Services) -> None:
    services.redis.flushdb()
    act, _ = racing(name, codec)
    answers = race(lambda number, each: act(str(each), str(number)))
    assert Counter(answer for process in answers for answer in process)["ok", True] == ROUNDS


@pytest.mark.parametrize(("name", "codec"), AGREEING)
def test_everybody_gets_the_same_default(name: str, codec: str, services: Services) -> None:
    services.redis.flushdb()
    act, _ = racing(name, codec)
    answers = race(lambda number, each: act(str(each), str(number)))
    assert all(len(set(answer)) == 1 for answer in zip(*answers, strict=True))
    assert all(outcome == "ok" for process in answers for outcome, _ in process)


def test_the_race_has_teeth(services: Services) -> None:
    """Reading and writing apart loses counts: were it not seen here, the tests above would show nothing."""
    services.redis.flushdb()
    _, put = racing("string.increment", "int")
    shape = SHAPES["string", "int"]
    rule = next(rule for rule in rules_for(TEXT, "dict", "int") if rule.id == "string.increment")
    apart = replace(rule, form="redis_client.set(KEY, int(found(redis_client.get(KEY), k)) + n)")
    operation = build(apart, shape, PREFIXES, only=[apart])
    assert operation is not None
    put("k", 0)
    race(lambda _number, _round: operation.functions[0]("k", 1))
    assert int(services.redis.get(f"{PREFIXES[0]}:k")) < TURNS
