"""set, one Redis set. Members are kept as text, so they are of one type that text tells apart."""

from __future__ import annotations

from unstate.catalogue.table import INT, STR, TUPLE, Table
from unstate.model import Layout

ORDER = "members come in another order than before; a set promises none"
_rule = Table("set", Layout.SET, "set", STR | INT | TUPLE)
_ALL = "{DEC(_raw) for _raw in redis_client.smembers(NAME)}"

RULES = (
    _rule("add", "x.add(v)", "redis_client.sadd(NAME, ENC(v))", "discarded"),
    _rule("discard", "x.discard(v)", "redis_client.srem(NAME, ENC(v))", "discarded"),
    _rule("remove", "x.remove(v)", "if not redis_client.srem(NAME, ENC(v)):\n    raise KeyError(v)", "discarded"),
    _rule("contains", "v in x", "bool(redis_client.sismember(NAME, ENC(v)))"),
    _rule("not_contains", "v not in x", "not redis_client.sismember(NAME, ENC(v))"),
    _rule("len", "len(x)", "redis_client.scard(NAME)"),
    _rule("bool", "bool(x)", "bool(redis_client.exists(NAME))"),
    _rule("clear", "x.clear()", "redis_client.delete(NAME)", "discarded"),
    _rule("rebind", "x = set()", "redis_client.delete(NAME)"),
    _rule("iter", "iter(x)", _ALL, difference=ORDER),
    _rule("list", "list(x)", f"list({_ALL})", difference=ORDER),
    _rule("sorted", "sorted(x)", f"sorted({_ALL})"),
    _rule("set", "set(x)", _ALL),
    _rule("copy", "x.copy()", _ALL),
    _rule(
        "update",
        "x.update(o)",
        "_members = [ENC(_each) for _each in o]\nif _members:\n    redis_client.sadd(NAME, *_members)",
        "discarded",
    ),
    _rule(
        "update.operator",
        "x |= o",
        "_members = [ENC(_each) for _each in o]\nif _members:\n    redis_client.sadd(NAME, *_members)",
    ),
    _rule(
        "subtract.operator",
        "x -= o",
        "_members = [ENC(_each) for _each in o]\nif _members:\n    redis_client.srem(NAME, *_members)",
    ),
    _rule(
        "claim",
        "if v in x:\n    return False\nx.add(v)\nreturn True",
        "return bool(redis_client.sadd(NAME, ENC(v)))",
        note="one command, so that two cannot both be first",
    ),
    _rule("claim.leave", "if v in x:\n    b\nx.add(v)", "if not redis_client.sadd(NAME, ENC(v)):\n    b", "leaves b"),
    _rule("if_missing_add", "if v not in x:\n    x.add(v)", "redis_client.sadd(NAME, ENC(v))"),
    _rule(
        "remove_ignores_missing",
        "x.remove(v)",
        "redis_client.srem(NAME, ENC(v))",
        "discarded",
        wrong=True,
        note="no KeyError",
    ),
    _rule("add_forgets", "x.add(v)", "redis_client.srem(NAME, ENC(v))", "discarded", wrong=True, note="takes it out"),
)
