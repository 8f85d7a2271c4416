"""deque, one Redis list: taken from and added to at both ends; a bounded one keeps its last entries."""

from __future__ import annotations

from collections.abc import Iterator

from unstate.catalogue.rule import Rule
from unstate.catalogue.table import Table
from unstate.model import Layout

_free = Table("deque", Layout.LIST, "deque")
_bounded = Table("deque.bounded", Layout.LIST, "deque bounded")
_ALL = "[DEC(_raw) for _raw in redis_client.lrange(NAME, 0, -1)]"
_RAWS = "[ENC(_each) for _each in o]"


def _shared(rule: Table) -> Iterator[Rule]:
    """What a bound makes no difference to: reading, and taking out."""
    yield rule("len", "len(x)", "redis_client.llen(NAME)")
    yield rule("bool", "bool(x)", "bool(redis_client.llen(NAME))")
    for name, pattern in (("iter", "iter(x)"), ("list", "list(x)")):
        yield rule(name, pattern, _ALL)
    yield rule("reversed", "list(reversed(x))", f"{_ALL}[::-1]")
    yield rule("contains", "v in x", f"v in {_ALL}")
    yield rule("not_contains", "v not in x", f"v not in {_ALL}")
    yield rule("item", "x[i]", "DEC(placed(redis_client.lindex(NAME, i)))")
    yield rule("pop", "x.pop()", "DEC(popped_end(redis_client.rpop(NAME)))")
    yield rule("popleft", "x.popleft()", "DEC(popped_end(redis_client.lpop(NAME)))")
    yield rule("clear", "x.clear()", "redis_client.delete(NAME)", "discarded")
    yield rule("drain", "t = list(x)\nx.clear()", "t = [DEC(_raw) for _raw in list_drain(redis_client, NAME)]")


RULES = (
    *_shared(_free),
    _free("append", "x.append(v)", "redis_client.rpush(NAME, ENC(v))", "discarded"),
    _free("appendleft", "x.appendleft(v)", "redis_client.lpush(NAME, ENC(v))", "discarded"),
    *(
        _free(
            name, pattern, f"_entries = {_RAWS}\nif _entries:\n    redis_client.{command}(NAME, *_entries)", "discarded"
        )
        for name, pattern, command in (
            ("extend", "x.extend(o)", "rpush"),
            ("extendleft", "x.extendleft(o)", "lpush"),
        )
    ),
    _free("rebind", "x = deque()", "redis_client.delete(NAME)"),
    _free("rebind.module", "x = collections.deque()", "redis_client.delete(NAME)"),
    *_shared(_bounded),
    _bounded("append", "x.append(v)", "push_bounded(redis_client, NAME, [ENC(v)], SIZE)", "discarded"),
    _bounded("appendleft", "x.appendleft(v)", "push_bounded_left(redis_client, NAME, [ENC(v)], SIZE)", "discarded"),
    _bounded("extend", "x.extend(o)", f"push_bounded(redis_client, NAME, {_RAWS}, SIZE)", "discarded"),
    _bounded("extendleft", "x.extendleft(o)", f"push_bounded_left(redis_client, NAME, {_RAWS}, SIZE)", "discarded"),
    _bounded(
        "append_unbounded",
        "x.append(v)",
        "redis_client.rpush(NAME, ENC(v))",
        "discarded",
        wrong=True,
        note="it grows without end",
    ),
    _bounded(
        "append_drops_new",
        "x.append(v)",
        "redis_client.rpush(NAME, ENC(v))\nredis_client.ltrim(NAME, 0, SIZE - 1)",
        "discarded",
        wrong=True,
        note="the entry itself is dropped, not the oldest",
    ),
    _free("popleft_right", "x.popleft()", "DEC(popped_end(redis_client.rpop(NAME)))", wrong=True, note="the wrong end"),
    _free("pop_none", "x.pop()", "optional(redis_client.rpop(NAME), DEC)", wrong=True, note="no IndexError"),
)
