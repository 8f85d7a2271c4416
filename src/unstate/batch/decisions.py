"""Decisions for many: made once, for every store of a kind, a name, a path or a service; the last that fits counts.

What was decided about one group by its id comes before all of these.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

import msgspec

from unstate.changes import documents
from unstate.changes.decisions import Choice, Decisions
from unstate.model import Group, Kind, Value

FILE = "decisions.json"
SCHEMA = "unstate.batch-decisions/1"


class Rule(Value, frozen=True):
    """One decision for many stores: for those that fit all that is given. `store`, `path`, `service` are globs."""

    kind: Kind | None = None
    store: str = ""  # over the store's name: "*sessions*", "Manager._sessions"
    path: str = ""  # over the path of the file that defines it
    service: str = ""  # over the root of the service
    accept: bool | None = None
    answers: dict[str, str] = {}  # by the decision's name; those that a group does not ask are passed over

    def fits(self, group: Group) -> bool:
        """Whether the decision is about this group."""
        store = group.finding.store
        return (
            (self.kind is None or self.kind is group.finding.kind)
            and (not self.store or fnmatchcase(store.name, self.store))
            and (not self.path or fnmatchcase(store.path, self.path))
            and (not self.service or fnmatchcase(store.service, self.service))
        )

    def subject(self) -> tuple[Kind | None, str, str, str]:
        """What it is about: a new rule takes the place of an older one on the same subject."""
        return self.kind, self.store, self.path, self.service


class BatchDecisions(Value, frozen=True):
    """Everything that was decided in a campaign."""

    schema: Literal["unstate.batch-decisions/1"] = "unstate.batch-decisions/1"
    rules: tuple[Rule, ...] = ()
    groups: tuple[Choice, ...] = ()

    def with_rule(self, rule: Rule) -> BatchDecisions:
        """The same with one more rule, which counts before the others; answers on the same subject add up."""
        answers, accept = dict(rule.answers), rule.accept
        for other in self.rules:
            if other.subject() == rule.subject():
                answers = {**other.answers, **answers}
                accept = other.accept if accept is None else accept
        others = tuple(each for each in self.rules if each.subject() != rule.subject())
        return msgspec.structs.replace(
            self, rules=(*others, msgspec.structs.replace(rule, answers=answers, accept=accept))
        )

    def with_choices(self, choices: Iterable[Choice]) -> BatchDecisions:
        """The same with choices about single groups, in the place of earlier ones."""
        kept = {choice.id: choice for choice in (*self.groups, *choices)}
        return msgspec.structs.replace(self, groups=tuple(kept[each] for each in sorted(kept)))

    def about(self, groups: Iterable[Group]) -> Decisions:
        """What it all comes to for the groups of one plan."""
        single = {choice.id: choice for choice in self.groups}
        found = (self._choice(group, single.get(group.id)) for group in groups)
        return Decisions(groups=tuple(sorted((each for each in found if each), key=lambda each: each.id)))

    def _choice(self, group: Group, single: Choice | None) -> Choice | None:
        answers: dict[str, str] = {}
        accept: bool | None = None
        asked = {decision.name for decision in group.decisions}
        for rule in self.rules:
            if rule.fits(group):
                answers |= {name: answer for name, answer in rule.answers.items() if name in asked}
                accept = accept if rule.accept is None else rule.accept
        if single is not None:
            answers |= single.answers
            if single.accept is not None:
                return Choice(id=group.id, accept=single.accept, answers=answers, seen=single.seen)
        return Choice(id=group.id, accept=accept, answers=answers) if answers or accept is not None else None


def load(folder: Path) -> BatchDecisions:
    """The decisions of a campaign, none where there is no file yet. Raises DocumentError."""
    path = folder / FILE
    return documents.load(path, BatchDecisions, SCHEMA) if path.exists() else BatchDecisions()


def save(folder: Path, decisions: BatchDecisions) -> None:
    """Write the decisions. Raises DocumentError."""
    documents.save(folder / FILE, decisions)
