"""dict, one Redis string an entry: every operation on one key is one command."""

from __future__ import annotations

from dataclasses import replace

from unstate.catalogue.rule import ANY, Rule
from unstate.catalogue.table import BYTES, CLEARING, CODED, FLOAT, INT, LATE, ORDER, SCAN, STR, Table
from unstate.model import Layout

_rule = Table("string", Layout.STRING, codecs=ANY | BYTES)


AUGMENTED = (
    ("add", "+", FLOAT),
    ("subtract", "-", FLOAT),
    ("multiply", "*", INT | FLOAT),
    ("divide", "/", FLOAT),
    ("floor_divide", "//", INT),
    ("modulo", "%", INT),
)

ONE_KEY = (
    _rule("getitem", "x[k]", "DEC(found(redis_client.get(KEY), k))"),
    _rule(
        "setitem", "x[k] = v", "redis_client.set(KEY, ENC(v), **EX)", note="setting an entry anew restarts its expiry"
    ),
    *(
        _rule(name, pattern, "t = v\nredis_client.set(KEY, ENC(t), **EX)", "apart t k")
        for name, pattern in (("setitem.named", "t = x[k] = v"), ("setitem.named_after", "x[k] = t = v"))
    ),
    _rule("delitem", "del x[k]", "if not redis_client.delete(KEY):\n    raise KeyError(k)"),
    _rule("contains", "k in x", "bool(redis_client.exists(KEY))", note="a value may be false, so not by its value"),
    _rule("contains.keys", "k in x.keys()", "bool(redis_client.exists(KEY))"),
    _rule("not_contains", "k not in x", "not redis_client.exists(KEY)"),
    _rule("get", "x.get(k)", "redis_client.get(KEY)", codecs=STR | BYTES),
    _rule("get.none", "x.get(k, None)", "redis_client.get(KEY)", codecs=STR | BYTES),
    _rule("get.coded", "x.get(k)", "optional(redis_client.get(KEY), DEC)", codecs=CODED),
    _rule("get.coded.none", "x.get(k, None)", "optional(redis_client.get(KEY), DEC)", codecs=CODED),
    _rule("get.zero", "x.get(k, 0)", "int(redis_client.get(KEY) or 0)", codecs=INT, note="'0' is true"),
    _rule("get.empty", 'x.get(k, "")', 'redis_client.get(KEY) or ""', codecs=STR),
    _rule("get.empty", 'x.get(k, b"")', 'redis_client.get(KEY) or b""', codecs=BYTES),
    _rule("get.default", "x.get(k, d)", "optional(redis_client.get(KEY), DEC, d)", "pure d"),
    _rule("get.default.late", "x.get(k, d)", "optional(redis_client.get(KEY), DEC, d)", difference=LATE),
    _rule("pop", "x.pop(k)", "DEC(found(redis_client.getdel(KEY), k))", note="GET and DEL apart hand one entry to two"),
    _rule("pop.none", "x.pop(k, None)", "redis_client.getdel(KEY)", codecs=STR | BYTES),
    _rule("pop.coded.none", "x.pop(k, None)", "optional(redis_client.getdel(KEY), DEC)", codecs=CODED),
    _rule("pop.default", "x.pop(k, d)", "optional(redis_client.getdel(KEY), DEC, d)", "pure d"),
    _rule("pop.default.late", "x.pop(k, d)", "optional(redis_client.getdel(KEY), DEC, d)", difference=LATE),
    _rule("pop.discarded", "x.pop(k, None)", "redis_client.delete(KEY)", "discarded"),
    _rule("setdefault", "x.setdefault(k, v)", "DEC(set_default(redis_client, KEY, ENC(v), **EX))"),
    _rule("setdefault.discarded", "x.setdefault(k, v)", "redis_client.set(KEY, ENC(v), nx=True, **EX)", "discarded"),
)

_ALL = "set_all(redis_client, {KEY(_key): ENC(_value) for _key, _value in dict(o).items()}, **EX)"
SEVERAL_KEYS = (
    _rule(
        "update", "x.update(o)", _ALL, "discarded", note="in one transaction; MSET knows no expiry, nor nothing to set"
    ),
    _rule("update.operator", "x |= o", _ALL),
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
    _rule(
        "if_missing_set.made",
        "if k not in x:\n    x[k] = v",
        "if not redis_client.exists(KEY):\n    redis_client.set(KEY, ENC(v), nx=True, **EX)",
        note="the value is made only where it is missing; the first process to set it wins",
    ),
    _rule(
        "if_present_leave_set",
        "if k in x:\n    b\nx[k] = v",
        "if not redis_client.set(KEY, ENC(v), nx=True, **EX):\n    b",
        "pure v",
        "leaves b",
    ),
    _rule("if_present_del_then", "if k in x:\n    del x[k]\n    b", "if redis_client.delete(KEY):\n    b"),
    _rule(
        "if_missing_leave_del", "if k not in x:\n    b\ndel x[k]", "if not redis_client.delete(KEY):\n    b", "leaves b"
    ),
    _rule(
        "if_present_return_pop",
        "if k in x:\n    return x.pop(k)",
        "_raw = redis_client.getdel(KEY)\nif _raw is not None:\n    return DEC(_raw)",
    ),
    *(
        rule
        for name, read, command in (("", "x[k]", "get"), (".pop", "x.pop(k)", "getdel"))
        for rule in (
            _rule(
                f"if_missing_leave{name}",
                f"if k not in x:\n    b\nt = {read}",
                f"t = redis_client.{command}(KEY)\nif t is None:\n    b",
                "leaves b",
                "apart t b",
                codecs=STR | BYTES,
            ),
            _rule(
                f"if_missing_leave{name}.coded",
                f"if k not in x:\n    b\nt = {read}",
                f"_raw = redis_client.{command}(KEY)\nif _raw is None:\n    b\nt = DEC(_raw)",
                "leaves b",
                codecs=CODED,
            ),
            _rule(
                f"if_missing_leave{name}.return",
                f"if k not in x:\n    b\nreturn {read}",
                f"_raw = redis_client.{command}(KEY)\nif _raw is None:\n    b\nreturn DEC(_raw)",
                "leaves b",
            ),
        )
    ),
)

COUNTS = (  # how code counts from zero: what the later tables share
    ("get", "x[k] = x.get(k, 0) + n"),
    ("setdefault", "x.setdefault(k, 0)\nx[k] += n"),
    ("missing", "if k not in x:\n    x[k] = 0\nx[k] += n"),
    ("present", "if k in x:\n    x[k] += n\nelse:\n    x[k] = n"),
    ("absent", "if k not in x:\n    x[k] = n\nelse:\n    x[k] += n"),
)
READS = (("", "", ""), (".return", "\nreturn x[k]", "return "), (".assigned", "\nt = x[k]", "t = "))

NUMBERS = (
    *(
        _rule(f"{name}{suffix}", pattern + tail, start + form, codecs=INT, gives="" if start else "x[k]")
        for name, pattern, form in (
            ("increment", "x[k] += n", "increment_existing(redis_client, KEY, n, k)"),
            ("decrement", "x[k] -= n", "increment_existing(redis_client, KEY, -n, k)"),
        )
        for suffix, tail, start in READS
    ),
    *(
        _rule(
            f"count.{name}{suffix}{expiring}",
            pattern + tail,
            start + form,
            lasting,
            codecs=INT,
            gives="" if start else "x[k]",
            note="64 bits: Redis refuses a count beyond them",
        )
        for expiring, form, lasting in (
            ("", "redis_client.incrby(KEY, n)", "no ttl"),
            (".expiring", "increment(redis_client, KEY, n, **EX)", "ttl"),
        )
        for name, pattern in COUNTS
        for suffix, tail, start in READS
    ),
)

VALUES = (
    _rule("append", "x[k] += v", "append_existing(redis_client, KEY, v, k)", codecs=STR | BYTES),
    *(
        _rule(
            f"augmented.{name}",
            f"x[k] {operator}= v",
            f"replace_existing(redis_client, KEY, k, lambda _raw: ENC(DEC(_raw) {operator} v))",
            "pure v",
            codecs=codecs,
            note="compare-and-set: no other write in between is lost",
        )
        for name, operator, codecs in AUGMENTED
    ),
)

ALL_ENTRIES = (
    _rule("len", "len(x)", "len(scan_keys(redis_client, PREFIX))", difference=SCAN),
    _rule("bool", "bool(x)", "bool(scan_keys(redis_client, PREFIX))", difference=SCAN),
    _rule(
        "equals",
        "x == o",
        "{UNKEY(_key): DEC(_raw) for _key, _raw in scan_items(redis_client, PREFIX)} == o",
        codecs=ANY,
        difference=SCAN,
    ),
    _rule("clear", "x.clear()", "clear_keys(redis_client, PREFIX)", "discarded", difference=CLEARING),
    _rule("rebind", "x = {}", "clear_keys(redis_client, PREFIX)", difference=CLEARING),
    *(
        _rule(name, pattern, "[UNKEY(_key) for _key in scan_keys(redis_client, PREFIX)]", difference=f"{SCAN}; {ORDER}")
        for name, pattern in (
            ("list", "list(x)"),
            ("iter", "iter(x)"),
            ("keys", "x.keys()"),
            ("list.keys", "list(x.keys())"),
        )
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
    _rule(
        "count_zero_missing", "x.get(k)", "int(redis_client.get(KEY) or 0)", codecs=INT, wrong=True, note="None is no 0"
    ),
    _rule("pop_keeps", "x.pop(k, None)", "redis_client.get(KEY)", codecs=STR, wrong=True, note="the entry stays"),
    _rule(
        "setdefault_overwrites",
        "x.setdefault(k, v)",
        "DEC(redis_client.set(KEY, ENC(v), get=True) or ENC(v))",
        wrong=True,
    ),
    _rule(
        "if_missing_overwrites", "if k not in x:\n    x[k] = v", "redis_client.set(KEY, ENC(v))", "pure v", wrong=True
    ),
)

_TABLE = (*ONE_KEY, *SEVERAL_KEYS, *CHECK_THEN_ACT, *NUMBERS, *VALUES, *ALL_ENTRIES, *WRONG)


def _of_bytes(rule: Rule) -> Rule:
    """The rule for values that are bytes: they go through the client whose replies are not decoded, keys do not."""
    form = rule.form.replace("redis_client.", "redis_bytes.")
    for helper in ("(redis_client, KEY", "set_all(redis_client"):
        form = form.replace(helper, helper.replace("redis_client", "redis_bytes"))
    return replace(rule, id=rule.id.replace("string.", "bytes."), form=form, codecs=BYTES)


RULES = (
    *(replace(rule, codecs=rule.codecs - BYTES) for rule in _TABLE if rule.codecs != BYTES),
    *(_of_bytes(rule) for rule in _TABLE if rule.codecs & BYTES),
    replace(
        _rule("text_client", "x[k]", "found(redis_client.get(KEY), k)", codecs=BYTES, wrong=True),
        id="bytes.text_client",
        note="the client decodes the reply",
    ),
)
