"""Counter and defaultdict, one Redis hash a store: what a missing key gives is what sets them apart from a dict."""

from __future__ import annotations

import re
from collections.abc import Iterator

from unstate.catalogue import hashes
from unstate.catalogue.records import CHANGES, variants
from unstate.catalogue.rule import Rule
from unstate.catalogue.strings import READS
from unstate.catalogue.table import INT, JSON, Table
from unstate.model import Layout

TIES = "entries with equal counts come in no particular order; before, in the order of insertion"

_counter = Table("tally", Layout.HASH, "counter", INT)
_numbers = Table("defaulting", Layout.HASH, "defaultdict", INT)
_lists = Table("defaulting.list", Layout.HASH, "defaultdict list", JSON)
_dicts = Table("defaulting.dict", Layout.HASH, "defaultdict dict", JSON)

_VALUES = "[DEC(_raw) for _raw in redis_client.hvals(NAME)]"
_ITEMS = "{UNFIELD(_field): DEC(_raw) for _field, _raw in redis_client.hgetall(NAME).items()}"
_MOST = f"sorted({_ITEMS}.items(), key=lambda _entry: _entry[1], reverse=True)"
_OTHERS = (
    *("x.copy()", "x = {}", "x = dict(o)"),  # they have the type of the container
    *("x[k]", "del x[k]"),  # a missing key is another matter, also where an entry is added to
    *(rule.pattern for rule in hashes.RULES if re.match(r"x\[k\] \W+= ", rule.pattern)),
)
_ADDED = ("x.update(o)", "x |= o", "x == o")  # a Counter adds up, and takes a missing entry for 0


def _additions(table: Table) -> Iterator[Rule]:
    """What is added to an entry makes it, from 0."""
    for name, pattern, amount in (
        ("increment", "x[k] += n", "n"),
        ("decrement", "x[k] -= n", "-n"),
        ("increment.plain", "x[k] = x[k] + n", "n"),
    ):
        for suffix, tail, start in READS:
            form = f"{start}redis_client.hincrby(NAME, FIELD, {amount})"
            gives = "" if start else "x[k]"
            yield table(f"{name}{suffix}", pattern + tail, form, gives=gives, note="64 bits: Redis refuses more")


def _creations(table: Table, empty: str) -> Iterator[Rule]:
    """A JSON value that begins as `empty` where it is first read or changed."""
    raw = f'"{empty}"'
    yield table("getitem", "x[k]", f"DEC(hash_set_default(redis_client, NAME, FIELD, {raw}))", note="a read makes it")
    for name, pattern, change, when in CHANGES:
        whole = () if not pattern.endswith(")") else ("discarded",)
        for each in variants(f"entry.{name}", pattern, change, when):
            form = each.form(f"hash_mutate_made(redis_client, NAME, FIELD, {raw}, _change)")
            yield table(each.name, pattern, form, *each.when, *whole, difference=each.difference)


RULES = (
    _counter("getitem", "x[k]", "int(redis_client.hget(NAME, FIELD) or 0)", note="a read of a Counter makes no entry"),
    _counter("delitem", "del x[k]", "redis_client.hdel(NAME, FIELD)", note="a Counter does not miss it"),
    _counter("update", "x.update(o)", "hash_count(redis_client, NAME, o)", "discarded", "flat key"),
    _counter("subtract", "x.subtract(o)", "hash_count(redis_client, NAME, o, -1)", "discarded", "flat key"),
    _counter("total", "x.total()", f"sum({_VALUES})"),
    _counter("rebind", "x = Counter()", "redis_client.delete(NAME)"),
    _counter("rebind.module", "x = collections.Counter()", "redis_client.delete(NAME)"),
    _counter("most_common", "x.most_common()", _MOST, difference=TIES),
    _counter("most_common.few", "x.most_common(n)", f"{_MOST}[:n]", "natural n", difference=TIES),
    _counter("most_common.first", "x.most_common(n)", f"{_MOST}[:max(n, 0)]", difference=TIES),
    *_additions(_counter),
    *_counter.taken_over(hashes.RULES, *_OTHERS, *_ADDED),
    _numbers("getitem", "x[k]", "redis_client.hincrby(NAME, FIELD, 0)", note="a read of a defaultdict makes the entry"),
    _numbers("delitem", "del x[k]", "if not redis_client.hdel(NAME, FIELD):\n    raise KeyError(k)"),
    _numbers("rebind", "x = defaultdict(int)", "redis_client.delete(NAME)"),
    *_additions(_numbers),
    *_numbers.taken_over(hashes.RULES, *_OTHERS),
    *(
        rule
        for table, empty, made in ((_lists, "[]", "list"), (_dicts, "{}", "dict"))
        for rule in (
            *_creations(table, empty),
            table("delitem", "del x[k]", "if not redis_client.hdel(NAME, FIELD):\n    raise KeyError(k)"),
            table("rebind", f"x = defaultdict({made})", "redis_client.delete(NAME)"),
            *table.taken_over(hashes.RULES, *_OTHERS),
        )
    ),
    _counter("read_makes", "x[k]", "redis_client.hincrby(NAME, FIELD, 0)", wrong=True, note="an entry too many"),
    _counter("update_sets", "x.update(o)", "hash_update(redis_client, NAME, dict(o))", "discarded", wrong=True),
    _numbers("read_makes_nothing", "x[k]", "int(redis_client.hget(NAME, FIELD) or 0)", wrong=True),
    _dicts("read_makes_nothing", "x[k]", 'DEC(redis_client.hget(NAME, FIELD) or "{}")', wrong=True),
    _lists("read_makes_nothing", "x[k]", 'DEC(redis_client.hget(NAME, FIELD) or "[]")', wrong=True),
)
