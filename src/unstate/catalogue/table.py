"""How the tables are written: short constructors that fill in what the rules of one table share."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from unstate.catalogue.rule import ANY, Rule
from unstate.model import Layout, Verdict

SCALARS = frozenset({"str", "int", "float", "bool"})  # values that no one can change in place
DECODED = ANY - {"str"}  # codecs whose text is not the value itself

SCAN = "other processes may add or remove entries while the keys are scanned; the scan reads every key of the database"
ORDER = "entries come in no particular order, from a copy taken when the iteration starts"
STEPS = "another process may act between the commands"


def table(layout: Layout, container: str = "dict", codecs: Collection[str] = ANY) -> Callable[..., Rule]:
    """A constructor for the rules of one table: `entry(id, pattern, form, ...)`."""

    def entry(
        name: str,
        pattern: str,
        form: str,
        *when: str,
        codecs: Collection[str] = codecs,
        review: str = "",
        wrong: str = "",
        note: str = "",
        **more: Any,
    ) -> Rule:
        return Rule(
            id=name,
            pattern=pattern,
            form=form,
            layout=layout,
            container=container,
            codecs=frozenset(codecs),
            verdict=Verdict.REVIEW if review else Verdict.EXACT,
            difference=review,
            when=when,
            wrong=bool(wrong),
            note=wrong or note,
            **more,
        )

    return entry
