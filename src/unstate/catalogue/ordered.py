"""A dict whose order is made use of: one Redis hash, and beside it a sorted set that says in which order they came.

Setting an entry anew leaves it where it is, as in Python. Both keys change in one step, by a script.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from unstate.catalogue import hashes, records
from unstate.catalogue.rule import Rule
from unstate.catalogue.table import CODED, JSON, LATE, ORDER, STR, Table
from unstate.model import Layout

_rule = Table("ordered", Layout.HASH, "ordered")
_record = Table("ordered.record", Layout.HASH, "ordered", JSON)

_MAKING = re.compile(r"x\[k\] = |x\.setdefault|x\.update|x \|= |= x\[k\] = |x\[k\] = t")
_TAKING = re.compile(r"\bdel\b|\.pop\b|\.clear\(|x = ")
_KEYS = "[UNFIELD(_field) for _field, _ in ordered_items(redis_client, NAME)]"
_VALUES = "[DEC(_raw) for _, _raw in ordered_items(redis_client, NAME)]"
_ITEMS = "[(UNFIELD(_field), DEC(_raw)) for _field, _raw in ordered_items(redis_client, NAME)]"
_FIRST = "ordered_items(redis_client, NAME, {})"
_POPPED = "ordered_pop(redis_client, NAME, FIELD)"
_ALL = "ordered_set(redis_client, NAME, {FIELD(_key): ENC(_value) for _key, _value in dict(o).items()})"


def _as_before() -> Iterator[Rule]:
    """What neither makes nor takes an entry, nor shows the order: the hash alone answers."""
    for rule in hashes.RULES:
        if not (rule.wrong or ORDER in rule.difference or _MAKING.search(rule.pattern) or _TAKING.search(rule.pattern)):
            yield rule


def _ends() -> Iterator[Rule]:
    """The entry that came first, or last."""
    for name, start, place in (("first", "iter", "1"), ("last", "reversed", "-1")):
        entries = _FIRST.format(place)
        yield _rule(name, f"next({start}(x))", f"next(iter([UNFIELD(_field) for _field, _ in {entries}]))")
        yield _rule(f"{name}.value", f"next({start}(x.values()))", f"next(iter([DEC(_raw) for _, _raw in {entries}]))")
        keys = f"[UNFIELD(_field) for _field, _ in {entries}]"
        yield _rule(f"{name}.default", f"next({start}(x), d)", f"next(iter({keys}), d)", "pure d")
        pairs = f"[(UNFIELD(_field), DEC(_raw)) for _field, _raw in {entries}]"
        yield _rule(f"{name}.item", f"next({start}(x.items()))", f"next(iter({pairs}))")
    for name, pattern, place in (
        ("last", "x.popitem()", "-1"),
        ("last.named", "x.popitem(last=True)", "-1"),
        ("first", "x.popitem(last=False)", "0"),
    ):
        taken = f"ordered_pop_end(redis_client, NAME, {place})"
        yield _rule(f"popitem.{name}", pattern, f"[(UNFIELD(_field), DEC(_raw)) for _field, _raw in {taken}][0]")
        yield _rule(f"popitem.{name}.discarded", pattern, taken, "discarded")
    for name, pattern, place in (
        ("last", "x.move_to_end(k)", "-1"),
        ("first", "x.move_to_end(k, last=False)", "0"),
    ):
        form = f"if not ordered_move(redis_client, NAME, FIELD, {place}):\n    raise KeyError(k)"
        yield _rule(f"move.{name}", pattern, form, "discarded")


RULES = (
    *_rule.taken_over(_as_before()),
    *_record.taken_over(
        rule for rule in records.RULES if rule.layout is Layout.HASH and "setdefault" not in rule.pattern
    ),
    _rule("setitem", "x[k] = v", "ordered_set(redis_client, NAME, {FIELD: ENC(v)})"),
    _rule("delitem", "del x[k]", f"if {_POPPED} is None:\n    raise KeyError(k)"),
    _rule("pop", "x.pop(k)", f"DEC(found({_POPPED}, k))"),
    _rule("pop.none", "x.pop(k, None)", _POPPED, codecs=STR),
    _rule("pop.coded.none", "x.pop(k, None)", f"optional({_POPPED}, DEC)", codecs=CODED),
    _rule("pop.default", "x.pop(k, d)", f"optional({_POPPED}, DEC, d)", "pure d"),
    _rule("pop.default.late", "x.pop(k, d)", f"optional({_POPPED}, DEC, d)", difference=LATE),
    _rule("pop.discarded", "x.pop(k, None)", _POPPED, "discarded"),
    _rule("setdefault", "x.setdefault(k, v)", "DEC(ordered_set_default(redis_client, NAME, FIELD, ENC(v)))"),
    _rule(
        "if_missing_set",
        "if k not in x:\n    x[k] = v",
        "ordered_set_default(redis_client, NAME, FIELD, ENC(v))",
        "pure v",
    ),
    _rule("if_present_del", "if k in x:\n    del x[k]", _POPPED),
    _rule("if_present_move", "if k in x:\n    x.move_to_end(k)", "ordered_move(redis_client, NAME, FIELD, -1)"),
    _rule("update", "x.update(o)", _ALL, "discarded"),
    _rule("clear", "x.clear()", "ordered_clear(redis_client, NAME)", "discarded"),
    *(
        _rule(f"rebind.{name}", f"x = {made}", "ordered_clear(redis_client, NAME)")
        for name, made in (("ordered", "OrderedDict()"), ("module", "collections.OrderedDict()"))
    ),
    *(
        _rule(name, pattern, form)
        for name, pattern, form in (
            ("list", "list(x)", _KEYS),
            ("iter", "iter(x)", _KEYS),
            ("keys", "x.keys()", _KEYS),
            ("list.keys", "list(x.keys())", _KEYS),
            ("values", "x.values()", _VALUES),
            ("list.values", "list(x.values())", _VALUES),
            ("items", "x.items()", _ITEMS),
            ("list.items", "list(x.items())", _ITEMS),
            ("dict", "dict(x)", f"dict({_ITEMS})"),
            ("list.reversed", "list(reversed(x))", f"{_KEYS}[::-1]"),
        )
    ),
    *_ends(),
    _rule("set_unordered", "x[k] = v", "redis_client.hset(NAME, FIELD, ENC(v))", wrong=True, note="it has no place"),
    _rule("popitem_first", "x.popitem()", "ordered_pop_end(redis_client, NAME, 0)", "discarded", wrong=True),
)
