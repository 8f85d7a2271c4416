"""Entries that are records or lists, kept as JSON and changed in place: read, changed and written by compare-and-set.

The change is written as a function, which is called again on the newer value where another process wrote in between.
"""

from __future__ import annotations

from collections.abc import Iterator

from unstate.catalogue.rule import Rule
from unstate.catalogue.table import JSON, Table
from unstate.model import Layout

CHANGES = (  # (name, pattern, the same on a local `_value`, conditions)
    ("set_field", "x[k][f] = v", "_value[f] = v", ("pure v", "pure f")),
    ("set_field.deep", "x[k][f][w] = v", "_value[f][w] = v", ("pure v", "pure f", "pure w")),
    ("del_field", "del x[k][f]", "del _value[f]", ("pure f",)),
    ("add_to_field", "x[k][f] += v", "_value[f] += v", ("pure v", "pure f")),
    ("subtract_from_field", "x[k][f] -= v", "_value[f] -= v", ("pure v", "pure f")),
    ("append_to_field", "x[k][f].append(v)", "_value[f].append(v)", ("pure v", "pure f")),
    ("append", "x[k].append(v)", "_value.append(v)", ("pure v",)),
    ("extend", "x[k].extend(o)", "_value.extend(o)", ("pure o",)),
    ("update", "x[k].update(o)", "_value.update(o)", ("pure o",)),
    ("remove", "x[k].remove(v)", "_value.remove(v)", ("pure v",)),
)
_STORES = (
    (
        Table("record", Layout.STRING, "dict", JSON),
        "mutate(redis_client, KEY, k, _change)",
        "redis_client.set(KEY, {}, nx=True, **EX)",
    ),
    (
        Table("hash.record", Layout.HASH, "dict", JSON),
        "hash_mutate(redis_client, NAME, FIELD, k, _change)",
        "redis_client.hsetnx(NAME, FIELD, {})",
    ),
)


def _rules() -> Iterator[Rule]:
    for rule, call, create in _STORES:
        for name, pattern, change, when in CHANGES:
            function = f"def _change(_value):\n    {change}\n"
            yield rule(name, pattern, f"{function}{call}", *when, *(("discarded",) if pattern.endswith(")") else ()))
        yield rule(
            "append.first",
            "x.setdefault(k, []).append(v)",
            f"{create.format(chr(34) + '[]' + chr(34))}\ndef _change(_value):\n    _value.append(v)\n{call}",
            "pure v",
            "discarded",
        )


RULES = tuple(_rules())
