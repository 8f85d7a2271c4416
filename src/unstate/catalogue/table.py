"""How the tables are written: a constructor that fills in what the rules of one table share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from unstate.catalogue.rule import ANY, Rule
from unstate.model import Layout, Verdict

BYTES = frozenset({"bytes"})
STR = frozenset({"str"})
INT = frozenset({"int"})
FLOAT = frozenset({"float"})
TUPLE = frozenset({"tuple"})  # of text and numbers
JSON = frozenset({"json"})
APART = frozenset({"apart"})  # records as JSON, whose bytes are objects of S3
MODEL = frozenset({"model"})
CODED = ANY - STR  # codecs whose text is not the value itself
OPAQUE = frozenset({"buffer", "array"})  # objects that are made of bytes, and whose methods change them
PARCEL = frozenset({"parcel"})  # records that hold bytes
ENTRIES = OPAQUE | PARCEL  # what is one S3 object as a whole
SCALARS = ANY - JSON - APART - MODEL  # values that no one can change in place

SCAN = "reading all entries visits every key of the database, and sees no one moment of them"
ORDER = "entries come in no particular order; before, in the order of insertion"
CLEARING = "entries set while it clears may stay"
EARLY = "the new value is made before the entry is looked up, no longer after"
LATE = "the default is made after the entry is looked up, no longer before"


def without_order(rule: Rule) -> Rule:
    """A rule as it is where the order of the entries does not show in what is made of them."""
    left = rule.difference.removesuffix(ORDER).removesuffix("; ")
    return replace(rule, difference=left, verdict=Verdict.REVIEW if left else Verdict.EXACT)


@dataclass(frozen=True, slots=True)
class Table:
    """Makes the rules of one layout and container; their ids start with `name`."""

    name: str
    layout: Layout
    container: str = "dict"
    codecs: frozenset[str] = ANY

    def __call__(
        self,
        name: str,
        pattern: str,
        form: str,
        *when: str,
        codecs: frozenset[str] | None = None,
        difference: str = "",
        gives: str = "",
        wrong: bool = False,
        note: str = "",
    ) -> Rule:
        """One rule: what differs makes it one for review."""
        return Rule(
            id=f"{self.name}.{name}",
            pattern=pattern,
            form=form,
            layout=self.layout,
            container=self.container,
            codecs=self.codecs if codecs is None else codecs,
            verdict=Verdict.REVIEW if difference else Verdict.EXACT,
            difference=difference,
            when=when,
            gives=gives,
            wrong=wrong,
            note=note,
        )

    def taken_over(self, rules: Iterable[Rule], *without: str) -> Iterator[Rule]:
        """The rules of another container that hold for this one too: all but those of the patterns `without`."""
        for rule in rules:
            codecs = rule.codecs & self.codecs
            if codecs and not rule.wrong and rule.pattern not in without:
                name = rule.id.partition(".")[2]
                yield replace(rule, id=f"{self.name}.{name}", container=self.container, codecs=codecs)
