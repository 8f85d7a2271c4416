"""An integer under `global`: one Redis string, counted up and down by the server."""

from __future__ import annotations

from unstate.catalogue.rule import Rule
from unstate.model import Layout


def _rule(name: str, pattern: str, form: str, *, wrong: bool = False, note: str = "") -> Rule:
    return Rule(
        id=f"counter.{name}",
        pattern=pattern,
        form=form,
        layout=Layout.COUNTER,
        container="scalar",
        codecs=frozenset({"int"}),
        wrong=wrong,
        note=note,
    )


RULES = (
    _rule("read", "x", "int(redis_client.get(NAME) or 0)"),
    _rule("assign", "x = v", "redis_client.set(NAME, v)"),
    _rule("increment", "x += n", "redis_client.incrby(NAME, n)"),
    _rule("decrement", "x -= n", "redis_client.decrby(NAME, n)"),
    _rule("increment.plain", "x = x + n", "redis_client.incrby(NAME, n)"),
    _rule("increment.return", "x += n\nreturn x", "return redis_client.incrby(NAME, n)", note="never read again: two callers would see one number"),
    _rule("increment.assigned", "x += n\nt = x", "t = redis_client.incrby(NAME, n)"),
    _rule("read_increment", "t = x\nx += n", "t = redis_client.incrby(NAME, n) - n"),
    _rule("get_plus_set", "x += n", "redis_client.set(NAME, n)", wrong=True, note="forgets the count"),
    _rule("read_text", "x", "redis_client.get(NAME)", wrong=True, note="'3' is no 3"),
)
