"""dict, one Redis hash a store: len, iteration and clear are one command each, and see one moment."""

from __future__ import annotations

from unstate.catalogue.rule import ANY, Rule
from unstate.catalogue.strings import CODED, INT, ORDER
from unstate.model import Layout, Verdict

STR = frozenset({"str"})


def _rule(
    name: str,
    pattern: str,
    form: str,
    *when: str,
    codecs: frozenset[str] = ANY,
    difference: str = "",
    wrong: bool = False,
    note: str = "",
) -> Rule:
    return Rule(
        id=f"hash.{name}",
        pattern=pattern,
        form=form,
        layout=Layout.HASH,
        codecs=codecs,
        when=when,
        verdict=Verdict.REVIEW if difference else Verdict.EXACT,
        difference=difference,
        wrong=wrong,
        note=note,
    )


ONE_KEY = (
    _rule("getitem", "x[k]", "DEC(found(redis_client.hget(NAME, FIELD), k))"),
    _rule("setitem", "x[k] = v", "redis_client.hset(NAME, FIELD, ENC(v))"),
    _rule("delitem", "del x[k]", "if not redis_client.hdel(NAME, FIELD):\n    raise KeyError(k)"),
    _rule("contains", "k in x", "redis_client.hexists(NAME, FIELD)"),
    _rule("contains.keys", "k in x.keys()", "redis_client.hexists(NAME, FIELD)"),
    _rule("not_contains", "k not in x", "not redis_client.hexists(NAME, FIELD)"),
    _rule("get", "x.get(k)", "redis_client.hget(NAME, FIELD)", codecs=STR),
    _rule("get.none", "x.get(k, None)", "redis_client.hget(NAME, FIELD)", codecs=STR),
    _rule("get.coded", "x.get(k)", "optional(redis_client.hget(NAME, FIELD), DEC)", codecs=CODED),
    _rule("get.coded.none", "x.get(k, None)", "optional(redis_client.hget(NAME, FIELD), DEC)", codecs=CODED),
    _rule("get.default", "x.get(k, d)", "optional(redis_client.hget(NAME, FIELD), DEC, d)", "pure d"),
    _rule("get.zero", "x.get(k, d)", "int(redis_client.hget(NAME, FIELD) or 0)", "zero d", codecs=INT),
    _rule("pop", "x.pop(k)", "DEC(found(hash_pop(redis_client, NAME, FIELD), k))"),
    _rule("pop.none", "x.pop(k, None)", "hash_pop(redis_client, NAME, FIELD)", codecs=STR),
    _rule("pop.coded.none", "x.pop(k, None)", "optional(hash_pop(redis_client, NAME, FIELD), DEC)", codecs=CODED),
    _rule("pop.default", "x.pop(k, d)", "optional(hash_pop(redis_client, NAME, FIELD), DEC, d)", "pure d"),
    _rule("setdefault", "x.setdefault(k, v)", "DEC(hash_set_default(redis_client, NAME, FIELD, ENC(v)))"),
    _rule("setdefault.discarded", "x.setdefault(k, v)", "redis_client.hsetnx(NAME, FIELD, ENC(v))", "discarded"),
)

SEVERAL_KEYS = tuple(
    _rule(
        name,
        pattern,
        "_entries = {FIELD(_key): ENC(_value) for _key, _value in dict(o).items()}\n"
        "if _entries:\n    redis_client.hset(NAME, mapping=_entries)",
        note="HSET of nothing is an error",
    )
    for name, pattern in (("update", "x.update(o)"), ("update.operator", "x |= o"))
)

CHECK_THEN_ACT = (
    _rule("if_missing_set", "if k not in x:\n    x[k] = v", "redis_client.hsetnx(NAME, FIELD, ENC(v))", "pure v"),
    _rule(
        "if_missing_set.true",
        "if k not in x:\n    x[k] = v\n    return True\nreturn False",
        "return bool(redis_client.hsetnx(NAME, FIELD, ENC(v)))",
        "pure v",
    ),
    _rule(
        "if_present_false_else_set",
        "if k in x:\n    return False\nx[k] = v\nreturn True",
        "return bool(redis_client.hsetnx(NAME, FIELD, ENC(v)))",
        "pure v",
    ),
    _rule("if_present_del", "if k in x:\n    del x[k]", "redis_client.hdel(NAME, FIELD)"),
    _rule(
        "if_present_del.true",
        "if k in x:\n    del x[k]\n    return True\nreturn False",
        "return bool(redis_client.hdel(NAME, FIELD))",
    ),
    _rule("if_present_pop", "if k in x:\n    x.pop(k)", "redis_client.hdel(NAME, FIELD)"),
    _rule(
        "if_present_return",
        "if k in x:\n    return x[k]",
        "_raw = redis_client.hget(NAME, FIELD)\nif _raw is not None:\n    return DEC(_raw)",
    ),
    _rule("ternary", "x[k] if k in x else d", "optional(redis_client.hget(NAME, FIELD), DEC, d)", "pure d"),
)

_ADD = "redis_client.hincrby(NAME, FIELD, n)"
_ADD_THERE = "hash_increment_existing(redis_client, NAME, FIELD, n, k)"
NUMBERS = tuple(
    _rule(name, pattern, form, *when, codecs=INT)
    for name, pattern, form, when in (
        ("increment", "x[k] += n", _ADD_THERE, ()),
        ("increment.return", "x[k] += n\nreturn x[k]", f"return {_ADD_THERE}", ()),
        ("decrement", "x[k] -= n", "hash_increment_existing(redis_client, NAME, FIELD, -n, k)", ()),
        ("count.get", "x[k] = x.get(k, d) + n", _ADD, ("zero d",)),
        ("count.get.return", "x[k] = x.get(k, d) + n\nreturn x[k]", f"return {_ADD}", ("zero d",)),
        ("count.setdefault", "x.setdefault(k, d)\nx[k] += n", _ADD, ("zero d",)),
        ("count.setdefault.return", "x.setdefault(k, d)\nx[k] += n\nreturn x[k]", f"return {_ADD}", ("zero d",)),
        ("count.missing", "if k not in x:\n    x[k] = d\nx[k] += n", _ADD, ("zero d",)),
        ("count.missing.return", "if k not in x:\n    x[k] = d\nx[k] += n\nreturn x[k]", f"return {_ADD}", ("zero d",)),
    )
)

_KEYS = "[UNFIELD(_field) for _field in redis_client.hkeys(NAME)]"
_VALUES = "[DEC(_raw) for _raw in redis_client.hvals(NAME)]"
_ITEMS = "{UNFIELD(_field): DEC(_raw) for _field, _raw in redis_client.hgetall(NAME).items()}"
ALL_ENTRIES = (
    _rule("len", "len(x)", "redis_client.hlen(NAME)"),
    _rule("bool", "bool(x)", "bool(redis_client.hlen(NAME))"),
    _rule("clear", "x.clear()", "redis_client.delete(NAME)"),
    _rule("rebind", "x = {}", "redis_client.delete(NAME)"),
    _rule(
        "rebind.other",
        "x = dict(o)",
        "hash_replace(redis_client, NAME, {FIELD(_key): ENC(_value) for _key, _value in dict(o).items()})",
    ),
    *(
        _rule(name, pattern, form, difference=ORDER)
        for name, pattern, form in (
            ("list", "list(x)", _KEYS),
            ("iter", "iter(x)", _KEYS),
            ("keys", "x.keys()", _KEYS),
            ("list.keys", "list(x.keys())", _KEYS),
            ("values", "x.values()", _VALUES),
            ("list.values", "list(x.values())", _VALUES),
            ("items", "x.items()", f"{_ITEMS}.items()"),
            ("list.items", "list(x.items())", f"list({_ITEMS}.items())"),
        )
    ),
    *(
        _rule(name, pattern, form)
        for name, pattern, form in (
            ("sorted", "sorted(x)", f"sorted({_KEYS})"),
            ("sorted.keys", "sorted(x.keys())", f"sorted({_KEYS})"),
            ("set", "set(x)", f"set({_KEYS})"),
            ("set.keys", "set(x.keys())", f"set({_KEYS})"),
            ("len.keys", "len(x.keys())", "redis_client.hlen(NAME)"),
            ("len.values", "len(x.values())", "redis_client.hlen(NAME)"),
            ("contains.value", "v in x.values()", f"v in {_VALUES}"),
            ("equals", "x == o", f"{_ITEMS} == o"),
        )
    ),
    *(_rule(name, pattern, _ITEMS, difference=ORDER) for name, pattern in (("dict", "dict(x)"), ("copy", "x.copy()"))),
    _rule("sum", "sum(x.values())", f"sum({_VALUES})", codecs=INT, note="of integers, whose sum has no order"),
    _rule("max", "max(x.values())", f"max({_VALUES})", codecs=INT | STR),
    _rule("min", "min(x.values())", f"min({_VALUES})", codecs=INT | STR),
)

WRONG = (
    _rule("update_empty", "x.update(o)", "redis_client.hset(NAME, mapping={FIELD(_k): ENC(_v) for _k, _v in o.items()})", wrong=True),
    _rule("del_ignores_missing", "del x[k]", "redis_client.hdel(NAME, FIELD)", wrong=True, note="no KeyError"),
    _rule("increment_creates", "x[k] += n", _ADD, codecs=INT, wrong=True, note="no KeyError"),
    _rule("clear_as_value", "x.clear()", "redis_client.set(NAME, '')", wrong=True, note="WRONGTYPE from then on"),
    _rule("pop_keeps", "x.pop(k, None)", "redis_client.hget(NAME, FIELD)", codecs=STR, wrong=True, note="the entry stays"),
)

RULES = (*ONE_KEY, *SEVERAL_KEYS, *CHECK_THEN_ACT, *NUMBERS, *ALL_ENTRIES, *WRONG)
