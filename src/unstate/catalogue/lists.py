"""list, one Redis list: appended to, read whole or from its ends."""

from __future__ import annotations

from unstate.catalogue.table import Table
from unstate.model import Layout

_rule = Table("list", Layout.LIST, "list")
_ALL = "[DEC(_raw) for _raw in redis_client.lrange(NAME, 0, -1)]"

RULES = (
    _rule("append", "x.append(v)", "redis_client.rpush(NAME, ENC(v))", "discarded"),
    _rule("prepend", "x.insert(0, v)", "redis_client.lpush(NAME, ENC(v))", "discarded"),
    _rule(
        "extend",
        "x.extend(o)",
        "_entries = [ENC(_each) for _each in o]\nif _entries:\n    redis_client.rpush(NAME, *_entries)",
        "discarded",
    ),
    _rule(
        "extend.operator",
        "x += o",
        "_entries = [ENC(_each) for _each in o]\nif _entries:\n    redis_client.rpush(NAME, *_entries)",
    ),
    _rule("len", "len(x)", "redis_client.llen(NAME)"),
    _rule("bool", "bool(x)", "bool(redis_client.llen(NAME))"),
    _rule("iter", "iter(x)", _ALL),
    _rule("list", "list(x)", _ALL),
    _rule("copy", "x.copy()", _ALL),
    _rule("all", "x[:]", _ALL),
    _rule("slice", "x[i:j]", f"{_ALL}[i:j]"),
    _rule("slice.from", "x[i:]", f"{_ALL}[i:]"),
    _rule("slice.to", "x[:j]", f"{_ALL}[:j]"),
    _rule(
        "item", "x[i]", f"{_ALL}[i]", note="the whole list is read, so that a missing place raises IndexError as before"
    ),
    _rule("reversed", "x[::-1]", f"{_ALL}[::-1]"),
    _rule("contains", "v in x", f"v in {_ALL}"),
    _rule("not_contains", "v not in x", f"v not in {_ALL}"),
    _rule("clear", "x.clear()", "redis_client.delete(NAME)", "discarded"),
    _rule("rebind", "x = []", "redis_client.delete(NAME)"),
    _rule("pop", "x.pop()", "DEC(popped(redis_client.rpop(NAME)))"),
    _rule("pop.first", "x.pop(0)", "DEC(popped(redis_client.lpop(NAME)))"),
    _rule("drain", "t = list(x)\nx.clear()", "t = [DEC(_raw) for _raw in list_drain(redis_client, NAME)]"),
    _rule("drain.copy", "t = x.copy()\nx.clear()", "t = [DEC(_raw) for _raw in list_drain(redis_client, NAME)]"),
    _rule(
        "append_first",
        "x.append(v)",
        "redis_client.lpush(NAME, ENC(v))",
        "discarded",
        wrong=True,
        note="at the wrong end",
    ),
    _rule(
        "extend_nothing",
        "x.extend(o)",
        "redis_client.rpush(NAME, *[ENC(_each) for _each in o])",
        "discarded",
        wrong=True,
    ),
    _rule("pop_none", "x.pop()", "optional(redis_client.rpop(NAME), DEC)", wrong=True, note="no IndexError"),
)
