"""A list of one number or text, made so that functions may change it without `global`: the name's rules, for `x[0]`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from unstate.catalogue import names, scalars
from unstate.catalogue.rule import Rule

CELL = "cell"


def _rules() -> Iterator[Rule]:
    for rule in (*scalars.RULES, *names.RULES):
        if rule.container == "scalar":
            yield replace(
                rule,
                id=f"{CELL}.{rule.id}",
                container=CELL,
                pattern=re.sub(r"\bx\b", "x[0]", rule.pattern),
                gives=re.sub(r"\bx\b", "x[0]", rule.gives),
            )


RULES = tuple(_rules())
