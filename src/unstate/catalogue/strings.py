"""dict, one Redis string an entry: every operation on one key is one command."""

from __future__ import annotations

from unstate.catalogue.rule import ANY, Rule
from unstate.model import Layout, Verdict

BYTES = frozenset({"bytes"})
STR = frozenset({"str", "bytes"})  # what the client gives back needs no decoding
INT = frozenset({"int"})
CODED = ANY - STR

SCAN = "reading all entries visits every key of the database, and sees no one moment of them"
ORDER = "entries come in no particular order; before, in the order of insertion"


def _rule(
    name: str,
    pattern: str,
    form: str,
    *when: str,
    codecs: frozenset[str] = ANY | BYTES,
    difference: str = "",
    wrong: bool = False,
    note: str = "",
) -> Rule:
    return Rule(
        id=f"string.{name}",
        pattern=pattern,
        form=form,
        layout=Layout.STRING,
        codecs=codecs,
        when=when,
        verdict=Verdict.REVIEW if difference else Verdict.EXACT,
        difference=difference,
        wrong=wrong,
        note=note,
    )


ONE_KEY = (
    _rule("getitem", "x[k]", "DEC(found(redis_client.get(KEY), k))"),
    _rule("setitem", "x[k] = v", "redis_client.set(KEY, ENC(v), **EX)", note="setting an entry anew restarts its expiry"),
    _rule("delitem", "del x[k]", "if not redis_client.delete(KEY):\n    raise KeyError(k)"),
    _rule("contains", "k in x", "bool(redis_client.exists(KEY))", note="a value may be false, so not by its value"),
    _rule("contains.keys", "k in x.keys()", "bool(redis_client.exists(KEY))"),
    _rule("not_contains", "k not in x", "not redis_client.exists(KEY)"),
    _rule("get", "x.get(k)", "redis_client.get(KEY)", codecs=STR),
    _rule("get.none", "x.get(k, None)", "redis_client.get(KEY)", codecs=STR),
    _rule("get.coded", "x.get(k)", "optional(redis_client.get(KEY), DEC)", codecs=CODED),
    _rule("get.coded.none", "x.get(k, None)", "optional(redis_client.get(KEY), DEC)", codecs=CODED),
    _rule("get.default", "x.get(k, d)", "optional(redis_client.get(KEY), DEC, d)", "pure d"),
    _rule("get.zero", "x.get(k, d)", "int(redis_client.get(KEY) or 0)", "zero d", codecs=INT, note="'0' is true"),
    _rule("pop", "x.pop(k)", "DEC(found(redis_client.getdel(KEY), k))", note="GET and DEL apart hand one entry to two"),
    _rule("pop.none", "x.pop(k, None)", "redis_client.getdel(KEY)", codecs=STR),
    _rule("pop.coded.none", "x.pop(k, None)", "optional(redis_client.getdel(KEY), DEC)", codecs=CODED),
    _rule("pop.default", "x.pop(k, d)", "optional(redis_client.getdel(KEY), DEC, d)", "pure d"),
    _rule("setdefault", "x.setdefault(k, v)", "DEC(set_default(redis_client, KEY, ENC(v), **EX))"),
    _rule("setdefault.discarded", "x.setdefault(k, v)", "redis_client.set(KEY, ENC(v), nx=True, **EX)", "discarded"),
)

SEVERAL_KEYS = tuple(
    _rule(
        name,
        pattern,
        "_pipe = redis_client.pipeline(transaction=True)\n"
        "for _key, _value in dict(o).items():\n    _pipe.set(KEY(_key), ENC(_value), **EX)\n"
        "_pipe.execute()",
    )
    for name, pattern in (("update", "x.update(o)"), ("update.operator", "x |= o"))
)

CHECK_THEN_ACT = (
    _rule("if_missing_set", "if k not in x:\n    x[k] = v", "redis_client.set(KEY, ENC(v), nx=True, **EX)", "pure v"),
    _rule(
        "if_missing_set.true",
        "if k not in x:\n    x[k] = v\n    return True\nreturn False",
        "return bool(redis_client.set(KEY, ENC(v), nx=True, **EX))",
        "pure v",
    ),
    _rule(
        "if_present_false_else_set",
        "if k in x:\n    return False\nx[k] = v\nreturn True",
        "return bool(redis_client.set(KEY, ENC(v), nx=True, **EX))",
        "pure v",
    ),
    _rule("if_present_set", "if k in x:\n    x[k] = v", "redis_client.set(KEY, ENC(v), xx=True, **EX)", "pure v"),
    _rule("if_present_del", "if k in x:\n    del x[k]", "redis_client.delete(KEY)"),
    _rule(
        "if_present_del.true",
        "if k in x:\n    del x[k]\n    return True\nreturn False",
        "return bool(redis_client.delete(KEY))",
    ),
    _rule("if_present_pop", "if k in x:\n    x.pop(k)", "redis_client.delete(KEY)"),
    _rule(
        "if_present_return",
        "if k in x:\n    return x[k]",
        "_raw = redis_client.get(KEY)\nif _raw is not None:\n    return DEC(_raw)",
    ),
    _rule("ternary", "x[k] if k in x else d", "optional(redis_client.get(KEY), DEC, d)", "pure d"),
)

NUMBERS = (
    _rule("increment", "x[k] += n", "increment_existing(redis_client, KEY, n, k)", codecs=INT),
    _rule("increment.return", "x[k] += n\nreturn x[k]", "return increment_existing(redis_client, KEY, n, k)", codecs=INT),
    _rule("decrement", "x[k] -= n", "increment_existing(redis_client, KEY, -n, k)", codecs=INT),
    *(
        _rule(f"count.{name}", pattern, form, *when, codecs=INT, note="64 bits: Redis refuses a count beyond them")
        for suffix, add, when in (
            ("", "redis_client.incrby(KEY, n)", ("no ttl", "zero d")),
            (".expiring", "increment(redis_client, KEY, n, **EX)", ("ttl", "zero d")),
        )
        for name, pattern, form in (
            (f"get{suffix}", "x[k] = x.get(k, d) + n", add),
            (f"get.return{suffix}", "x[k] = x.get(k, d) + n\nreturn x[k]", f"return {add}"),
            (f"setdefault{suffix}", "x.setdefault(k, d)\nx[k] += n", add),
            (f"setdefault.return{suffix}", "x.setdefault(k, d)\nx[k] += n\nreturn x[k]", f"return {add}"),
            (f"missing{suffix}", "if k not in x:\n    x[k] = d\nx[k] += n", add),
            (f"missing.return{suffix}", "if k not in x:\n    x[k] = d\nx[k] += n\nreturn x[k]", f"return {add}"),
        )
    ),
)

TEXT = (_rule("append", "x[k] += v", "append_existing(redis_client, KEY, v, k)", codecs=STR),)

ALL_ENTRIES = (
    _rule("len", "len(x)", "len(scan_keys(redis_client, PREFIX))", difference=SCAN),
    _rule("bool", "bool(x)", "bool(scan_keys(redis_client, PREFIX))", difference=SCAN),
    _rule("clear", "x.clear()", "clear_keys(redis_client, PREFIX)", difference="entries set while it clears may stay"),
    _rule("rebind", "x = {}", "clear_keys(redis_client, PREFIX)", difference="entries set while it clears may stay"),
    *(
        _rule(name, pattern, "[UNKEY(_key) for _key in scan_keys(redis_client, PREFIX)]", difference=f"{SCAN}; {ORDER}")
        for name, pattern in (("list", "list(x)"), ("iter", "iter(x)"), ("keys", "x.keys()"), ("list.keys", "list(x.keys())"))
    ),
    _rule("sorted", "sorted(x)", "sorted(UNKEY(_key) for _key in scan_keys(redis_client, PREFIX))", difference=SCAN),
    *(
        _rule(
            name,
            pattern,
            "[DEC(_raw) for _, _raw in scan_items(redis_client, PREFIX)]",
            codecs=ANY,
            difference=f"{SCAN}; {ORDER}",
        )
        for name, pattern in (("values", "x.values()"), ("list.values", "list(x.values())"))
    ),
    *(
        _rule(
            name,
            pattern,
            "[(UNKEY(_key), DEC(_raw)) for _key, _raw in scan_items(redis_client, PREFIX)]",
            codecs=ANY,
            difference=f"{SCAN}; {ORDER}",
        )
        for name, pattern in (("items", "x.items()"), ("list.items", "list(x.items())"))
    ),
    *(
        _rule(
            name,
            pattern,
            "{UNKEY(_key): DEC(_raw) for _key, _raw in scan_items(redis_client, PREFIX)}",
            codecs=ANY,
            difference=f"{SCAN}; {ORDER}",
        )
        for name, pattern in (("dict", "dict(x)"), ("copy", "x.copy()"))
    ),
)

WRONG = (
    _rule("del_ignores_missing", "del x[k]", "redis_client.delete(KEY)", wrong=True, note="no KeyError"),
    _rule("getitem_none", "x[k]", "redis_client.get(KEY)", codecs=STR, wrong=True, note="no KeyError"),
    _rule("or_default", "x.get(k, d)", "redis_client.get(KEY) or d", codecs=STR, wrong=True, note="'' is false"),
    _rule("truthy_contains", "k in x", "bool(redis_client.get(KEY))", codecs=STR, wrong=True, note="'' is false"),
    _rule("append_creates", "x[k] += v", "redis_client.append(KEY, v)", codecs=STR, wrong=True, note="no KeyError"),
    _rule("increment_creates", "x[k] += n", "redis_client.incrby(KEY, n)", codecs=INT, wrong=True, note="no KeyError"),
    _rule("get_text", "x.get(k)", "redis_client.get(KEY)", codecs=INT, wrong=True, note="'3' is no 3"),
    _rule("count_zero_missing", "x.get(k)", "int(redis_client.get(KEY) or 0)", codecs=INT, wrong=True, note="None is no 0"),
    _rule("pop_keeps", "x.pop(k, None)", "redis_client.get(KEY)", codecs=STR, wrong=True, note="the entry stays"),
    _rule("setdefault_overwrites", "x.setdefault(k, v)", "DEC(redis_client.set(KEY, ENC(v), get=True) or ENC(v))", wrong=True),
    _rule("if_missing_overwrites", "if k not in x:\n    x[k] = v", "redis_client.set(KEY, ENC(v))", "pure v", wrong=True),
)

RULES = (*ONE_KEY, *SEVERAL_KEYS, *CHECK_THEN_ACT, *NUMBERS, *TEXT, *ALL_ENTRIES, *WRONG)
