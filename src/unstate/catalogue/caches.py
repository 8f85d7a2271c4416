"""TTLCache and other bounded caches, one Redis string an entry, which expires: what a dict's rules say holds for them.

Setting an entry restarts its expiry, and reading or changing it in place does not, as in cachetools. Redis pushes no
entry out for a newer one: that a store is bounded no longer is a difference that the plan names.
"""

from __future__ import annotations

import re

from unstate.catalogue import records, strings
from unstate.catalogue.rule import ANY
from unstate.catalogue.table import BYTES, JSON, Table
from unstate.model import Layout

_rule = Table("cache", Layout.STRING, "cache", ANY | BYTES)
_record = Table("cache.record", Layout.STRING, "cache", JSON)
_OTHERS = (
    *("x.copy()", "x |= o", "x = {}", "x == o"),  # of a dict alone
    # An addition sets the entry, so that its expiry begins anew; the commands for it keep the expiry.
    *(rule.pattern for rule in strings.RULES if re.match(r"x\[k\] \W+= ", rule.pattern)),
)

RULES = (
    *_rule.taken_over((rule for rule in strings.RULES if "no ttl" not in rule.when), *_OTHERS),
    *_record.taken_over(rule for rule in records.RULES if rule.layout is Layout.STRING),
    _rule("expires_never", "x[k] = v", "redis_client.set(KEY, ENC(v))", wrong=True),
    _rule("expires_still", "x[k] = v", "redis_client.set(KEY, ENC(v), keepttl=True)", wrong=True),
    _rule("read_restarts", "x.get(k)", "optional(redis_client.getex(KEY, **EX), DEC)", wrong=True),
)
