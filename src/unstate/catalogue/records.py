"""Entries that are records or lists, kept as JSON and changed in place: read, changed and written by compare-and-set.

The change is written as a function, which is called again on the newer value where another process wrote in between.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from unstate.catalogue.rule import Rule
from unstate.catalogue.table import APART, EARLY, JSON, Table
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
    (
        Table("record.apart", Layout.STRING, "dict", APART),
        "mutate(redis_client, KEY, k, _change, {}, dump_apart)",
        "",
    ),
    (
        Table("hash.record.apart", Layout.HASH, "dict", APART),
        "hash_mutate(redis_client, NAME, FIELD, k, _change, {}, dump_apart)",
        "",
    ),
)
_BLIND = frozenset({"set_field", "del_field", "update"})  # changes that look at nothing: bytes stay where they are
_OF_LISTS = frozenset({"append", "extend", "remove"})  # changes of values that are no records


def _rules() -> Iterator[Rule]:
    firsts = [*variants("append.first", "x.setdefault(k, []).append(v)", "_value.append(v)", ("pure v",))]
    for rule, call, create in _STORES:
        for name, pattern, change, when in CHANGES:
            alone = ("discarded",) if pattern.endswith(")") else ()
            if not create and name in _OF_LISTS:
                continue
            changing = call.format("hold_apart" if name in _BLIND else "load_apart")
            for variant in variants(name, pattern, change, when):
                yield rule(
                    variant.name,
                    pattern,
                    variant.form(changing),
                    *variant.when,
                    *alone,
                    difference=variant.difference,
                )
        for variant in firsts if create else ():
            empty = create.format(chr(34) + "[]" + chr(34))
            yield rule(
                variant.name,
                "x.setdefault(k, []).append(v)",
                variant.form(call, empty),
                *variant.when,
                "discarded",
                difference=variant.difference,
            )


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to write a change: with its value where it stood, or made once before."""

    name: str
    before: str
    change: str
    when: tuple[str, ...]
    difference: str

    def form(self, call: str, first: str = "") -> str:
        """The whole form: `call` changes the entry by `_change`; `first` stands before it."""
        before = f"{self.before}{first}\n" if first else self.before
        if self.change.endswith(")"):  # an expression
            return before + call.replace("_change", f"lambda _value: {self.change}")
        return f"{before}def _change(_value):\n    {self.change}\n{call}"


def variants(name: str, pattern: str, change: str, when: tuple[str, ...]) -> Iterator[Variant]:
    """A change as it stands, for a value that may be made again; and with the value made once, for any other."""
    yield Variant(name, "", change, when, "")
    letter = next((each.removeprefix("pure ") for each in when if each in ("pure v", "pure o")), "")
    if letter:
        # Python makes the value of a plain assignment before it looks at the entry, and any other after that.
        late = "" if pattern.endswith("] = v") else EARLY
        others = tuple(each for each in when if each != f"pure {letter}")
        yield Variant(
            f"{name}.made",
            f"_made = {letter}\n",
            re.sub(rf"\b{letter}\b", "_made", change),
            (*others, f"impure {letter}"),
            late,
        )


RULES = tuple(_rules())
