"""A plain name that holds text, a flag or data: one Redis string. What it starts with is what no key stands for.

One that starts as None, and may be None again, has no key then.
"""

from __future__ import annotations

from unstate.catalogue.rule import ANY
from unstate.catalogue.strings import AUGMENTED
from unstate.catalogue.table import APART, CODED, FLOAT, JSON, STR, Table
from unstate.model import Layout

_rule = Table("name", Layout.STRING, "scalar")
_optional = Table("name.optional", Layout.STRING, "scalar optional", ANY - JSON - APART)

RULES = (
    _rule("read", "x", "optional(redis_client.get(NAME), DEC, ZERO)"),
    _rule("read.none", "x", "optional(redis_client.get(NAME), DEC)", "starts as None", codecs=JSON),
    _rule("assign", "x = v", "redis_client.set(NAME, ENC(v))"),
    *(
        _rule(
            f"augmented.{name}",
            f"x {operator}= v",
            "redis_client.set(NAME, ENC(ZERO), nx=True)\n"
            f"replace_existing(redis_client, NAME, NAME, lambda _raw: ENC(DEC(_raw) {operator} v))",
            "pure v",
            codecs=codecs,
            note="compare-and-set: no other write in between is lost",
        )
        for name, operator, codecs in (*AUGMENTED[:4], ("append", "+", STR))
        if codecs & (FLOAT | STR)
    ),
    _optional("read", "x", "redis_client.get(NAME)", codecs=STR),
    _optional("read.coded", "x", "optional(redis_client.get(NAME), DEC)", codecs=CODED - JSON - APART),
    _optional("is_none", "x is None", "not redis_client.exists(NAME)"),
    _optional("is_some", "x is not None", "bool(redis_client.exists(NAME))"),
    _optional("forget", "x = None", "redis_client.delete(NAME)"),
    _optional("assign", "x = v", "redis_client.set(NAME, ENC(v))", "some v"),
    _optional("assign.any", "x = v", "set_or_delete(redis_client, NAME, v)", codecs=STR),
    _optional(
        "assign.any.coded",
        "x = v",
        "set_or_delete(redis_client, NAME, optional(v, ENC))",
        codecs=CODED - JSON - APART,
    ),
    _optional("if_none_set", "if x is None:\n    x = v", "redis_client.set(NAME, ENC(v), nx=True)", "some v", "pure v"),
    _rule("read_text", "x", "redis_client.get(NAME) or ZERO", wrong=True, note="'' is false"),
    _rule("assign_once", "x = v", "redis_client.set(NAME, ENC(v), nx=True)", wrong=True),
    _optional("forgets_nothing", "x = None", 'redis_client.set(NAME, "")', wrong=True, note="'' is no None"),
    _optional("is_false", "x is None", "not redis_client.get(NAME)", wrong=True, note="'' is no None"),
)
