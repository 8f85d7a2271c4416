"""dict, one Redis hash a store: len, iteration and clear are one command each, and see one moment."""

from __future__ import annotations

from unstate.catalogue.strings import AUGMENTED, COUNTS, READS
from unstate.catalogue.table import CODED, INT, LATE, ORDER, STR, Table
from unstate.model import Layout

_rule = Table("hash", Layout.HASH)


ONE_KEY = (
    _rule("getitem", "x[k]", "DEC(found(redis_client.hget(NAME, FIELD), k))"),
    _rule("setitem", "x[k] = v", "redis_client.hset(NAME, FIELD, ENC(v))"),
    *(
        _rule(name, pattern, "t = v\nredis_client.hset(NAME, FIELD, ENC(t))", "apart t k")
        for name, pattern in (("setitem.named", "t = x[k] = v"), ("setitem.named_after", "x[k] = t = v"))
    ),
    _rule("delitem", "del x[k]", "if not redis_client.hdel(NAME, FIELD):\n    raise KeyError(k)"),
    _rule("contains", "k in x", "redis_client.hexists(NAME, FIELD)"),
    _rule("contains.keys", "k in x.keys()", "redis_client.hexists(NAME, FIELD)"),
    _rule("not_contains", "k not in x", "not redis_client.hexists(NAME, FIELD)"),
    _rule("get", "x.get(k)", "redis_client.hget(NAME, FIELD)", codecs=STR),
    _rule("get.none", "x.get(k, None)", "redis_client.hget(NAME, FIELD)", codecs=STR),
    _rule("get.coded", "x.get(k)", "optional(redis_client.hget(NAME, FIELD), DEC)", codecs=CODED),
    _rule("get.coded.none", "x.get(k, None)", "optional(redis_client.hget(NAME, FIELD), DEC)", codecs=CODED),
    _rule("get.zero", "x.get(k, 0)", "int(redis_client.hget(NAME, FIELD) or 0)", codecs=INT),
    _rule("get.empty", 'x.get(k, "")', 'redis_client.hget(NAME, FIELD) or ""', codecs=STR),
    _rule("get.default", "x.get(k, d)", "optional(redis_client.hget(NAME, FIELD), DEC, d)", "pure d"),
    _rule("get.default.late", "x.get(k, d)", "optional(redis_client.hget(NAME, FIELD), DEC, d)", difference=LATE),
    _rule("pop", "x.pop(k)", "DEC(found(hash_pop(redis_client, NAME, FIELD), k))"),
    _rule("pop.none", "x.pop(k, None)", "hash_pop(redis_client, NAME, FIELD)", codecs=STR),
    _rule("pop.coded.none", "x.pop(k, None)", "optional(hash_pop(redis_client, NAME, FIELD), DEC)", codecs=CODED),
    _rule("pop.default", "x.pop(k, d)", "optional(hash_pop(redis_client, NAME, FIELD), DEC, d)", "pure d"),
    _rule("pop.default.late", "x.pop(k, d)", "optional(hash_pop(redis_client, NAME, FIELD), DEC, d)", difference=LATE),
    _rule("pop.discarded", "x.pop(k, None)", "redis_client.hdel(NAME, FIELD)", "discarded"),
    _rule("setdefault", "x.setdefault(k, v)", "DEC(hash_set_default(redis_client, NAME, FIELD, ENC(v)))"),
    _rule("setdefault.discarded", "x.setdefault(k, v)", "redis_client.hsetnx(NAME, FIELD, ENC(v))", "discarded"),
)

_ALL = "hash_update(redis_client, NAME, {FIELD(_key): ENC(_value) for _key, _value in dict(o).items()})"
SEVERAL_KEYS = (
    _rule("update", "x.update(o)", _ALL, "discarded", note="HSET of nothing is an error"),
    _rule("update.operator", "x |= o", _ALL),
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
    _rule(
        "if_missing_set.made",
        "if k not in x:\n    x[k] = v",
        "if not redis_client.hexists(NAME, FIELD):\n    redis_client.hsetnx(NAME, FIELD, ENC(v))",
        note="the value is made only where it is missing; the first process to set it wins",
    ),
    _rule(
        "if_present_leave_set",
        "if k in x:\n    b\nx[k] = v",
        "if not redis_client.hsetnx(NAME, FIELD, ENC(v)):\n    b",
        "pure v",
        "leaves b",
    ),
    _rule("if_present_del_then", "if k in x:\n    del x[k]\n    b", "if redis_client.hdel(NAME, FIELD):\n    b"),
    _rule(
        "if_missing_leave_del",
        "if k not in x:\n    b\ndel x[k]",
        "if not redis_client.hdel(NAME, FIELD):\n    b",
        "leaves b",
    ),
    _rule(
        "if_present_return_pop",
        "if k in x:\n    return x.pop(k)",
        "_raw = hash_pop(redis_client, NAME, FIELD)\nif _raw is not None:\n    return DEC(_raw)",
    ),
    *(
        rule
        for name, read, command in (
            ("", "x[k]", "redis_client.hget(NAME, FIELD)"),
            (".pop", "x.pop(k)", "hash_pop(redis_client, NAME, FIELD)"),
        )
        for rule in (
            _rule(
                f"if_missing_leave{name}",
                f"if k not in x:\n    b\nt = {read}",
                f"t = {command}\nif t is None:\n    b",
                "leaves b",
                "apart t b",
                codecs=STR,
            ),
            _rule(
                f"if_missing_leave{name}.coded",
                f"if k not in x:\n    b\nt = {read}",
                f"_raw = {command}\nif _raw is None:\n    b\nt = DEC(_raw)",
                "leaves b",
                codecs=CODED,
            ),
            _rule(
                f"if_missing_leave{name}.return",
                f"if k not in x:\n    b\nreturn {read}",
                f"_raw = {command}\nif _raw is None:\n    b\nreturn DEC(_raw)",
                "leaves b",
            ),
        )
    ),
)

NUMBERS = (
    *(
        _rule(f"{name}{suffix}", pattern + tail, start + form, codecs=INT, gives="" if start else "x[k]")
        for name, pattern, form in (
            ("increment", "x[k] += n", "hash_increment_existing(redis_client, NAME, FIELD, n, k)"),
            ("decrement", "x[k] -= n", "hash_increment_existing(redis_client, NAME, FIELD, -n, k)"),
        )
        for suffix, tail, start in READS
    ),
    *(
        _rule(
            f"count.{name}{suffix}",
            pattern + tail,
            f"{start}redis_client.hincrby(NAME, FIELD, n)",
            codecs=INT,
            gives="" if start else "x[k]",
            note="64 bits: Redis refuses a count beyond them",
        )
        for name, pattern in COUNTS
        for suffix, tail, start in READS
    ),
    *(
        _rule(
            f"augmented.{name}",
            f"x[k] {operator}= v",
            f"hash_replace_existing(redis_client, NAME, FIELD, k, lambda _raw: ENC(DEC(_raw) {operator} v))",
            "pure v",
            codecs=codecs,
            note="compare-and-set: no other write in between is lost",
        )
        for name, operator, codecs in (*AUGMENTED, ("append", "+", STR))
    ),
)

_KEYS = "[UNFIELD(_field) for _field in redis_client.hkeys(NAME)]"
_VALUES = "[DEC(_raw) for _raw in redis_client.hvals(NAME)]"
_ITEMS = "{UNFIELD(_field): DEC(_raw) for _field, _raw in redis_client.hgetall(NAME).items()}"
ALL_ENTRIES = (
    _rule("len", "len(x)", "redis_client.hlen(NAME)"),
    _rule("bool", "bool(x)", "bool(redis_client.hlen(NAME))"),
    _rule("clear", "x.clear()", "redis_client.delete(NAME)", "discarded"),
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
    _rule(
        "update_empty",
        "x.update(o)",
        "redis_client.hset(NAME, mapping={FIELD(_k): ENC(_v) for _k, _v in o.items()})",
        "discarded",
        wrong=True,
    ),
    _rule("del_ignores_missing", "del x[k]", "redis_client.hdel(NAME, FIELD)", wrong=True, note="no KeyError"),
    _rule(
        "increment_creates",
        "x[k] += n",
        "redis_client.hincrby(NAME, FIELD, n)",
        codecs=INT,
        wrong=True,
        note="no KeyError",
    ),
    _rule(
        "clear_as_value",
        "x.clear()",
        "redis_client.set(NAME, '')",
        "discarded",
        wrong=True,
        note="WRONGTYPE from then on",
    ),
    _rule(
        "pop_keeps", "x.pop(k, None)", "redis_client.hget(NAME, FIELD)", codecs=STR, wrong=True, note="the entry stays"
    ),
)

RULES = (*ONE_KEY, *SEVERAL_KEYS, *CHECK_THEN_ACT, *NUMBERS, *ALL_ENTRIES, *WRONG)
