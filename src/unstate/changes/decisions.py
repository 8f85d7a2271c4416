"""What a person has decided about a plan: which groups to take, and the answers to their questions.

Groups are named by ids that carry no line numbers, so decisions outlive edits and a new plan. Each choice remembers
what the group's diff looked like; where that has changed since, the person is asked to look again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Literal

import msgspec

from unstate.changes import diff, documents
from unstate.model import FileChange, Group, Plan, Value, Verdict

SCHEMA = "unstate.decisions/1"


class Choice(Value, frozen=True):
    """What was decided about one group. `accept` None: its questions are answered, the group itself is still open."""

    id: str
    accept: bool | None = None
    answers: dict[str, str] = {}  # by the decision's name; what is not named keeps its default
    seen: str = ""  # fingerprint of the diff that was decided on, see `changes.diff.digest`; "" where unknown


class Decisions(Value, frozen=True):
    """Everything that was decided about one root."""

    schema: Literal["unstate.decisions/1"] = "unstate.decisions/1"
    groups: tuple[Choice, ...] = ()

    def of(self, group: str) -> Choice:
        """The choice about a group; an open one where nothing was decided."""
        return next((choice for choice in self.groups if choice.id == group), Choice(id=group))

    def answers(self) -> dict[str, dict[str, str]]:
        """By group id and decision's name, as a plan takes them."""
        return {choice.id: choice.answers for choice in self.groups if choice.answers}

    def accepted(self) -> tuple[str, ...]:
        """Ids of the groups to take."""
        return tuple(choice.id for choice in self.groups if choice.accept)

    def with_choice(self, choice: Choice) -> Decisions:
        """The same with one choice made, or made anew. Choices stay in the order of their ids."""
        others = [each for each in self.groups if each.id != choice.id]
        return msgspec.structs.replace(self, groups=tuple(sorted([*others, choice], key=lambda each: each.id)))

    def unknown(self, plan: Plan) -> tuple[str, ...]:
        """Ids that the plan does not have (any more)."""
        known = {group.id for group in plan.groups}
        return tuple(choice.id for choice in self.groups if choice.id not in known)


class Standing(StrEnum):
    """Where a group stands in a review."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    LOOK_AGAIN = "look again"  # decided, but its diff has changed since
    MANUAL = "manual"  # there is no patch to decide on


def load(path: Path) -> Decisions:
    """The decisions in a file. Raises DocumentError."""
    decisions = documents.load(path, Decisions, SCHEMA)
    ids = [choice.id for choice in decisions.groups]
    for position, each in enumerate(ids):
        if each in ids[:position]:
            raise documents.DocumentError(f"{path}: $.groups[{position}].id: {each} was decided twice.", [str(path)])
    return decisions


def save(path: Path, decisions: Decisions) -> None:
    """Write the decisions. Raises DocumentError."""
    documents.save(path, decisions)


def standing(group: Group, choice: Choice, seen: str) -> Standing:
    """Where a group stands; `seen` is the fingerprint of its diff now."""
    if group.verdict is Verdict.MANUAL:
        return Standing.MANUAL
    if choice.accept is None:
        return Standing.OPEN
    if choice.seen and choice.seen != seen:
        return Standing.LOOK_AGAIN
    return Standing.ACCEPTED if choice.accept else Standing.REJECTED


def fingerprint(group: Group, changes: Sequence[FileChange]) -> str:
    """What a person sees of a group, in short: `changes` is its rendering alone; generated files do not count."""
    return diff.digest([change for change in changes if change.path in group.files])


class Selection(Value, frozen=True):
    """What accepting some groups comes to."""

    accepted: tuple[str, ...]  # ids, in the plan's order
    brought: Mapping[str, str] = {}  # id -> the accepted group that needs it
    refused: Mapping[str, str] = {}  # id -> why it cannot be taken, a sentence


def select(plan: Plan, wanted: Collection[str], rejected: Collection[str] = ()) -> Selection:
    """Take the wanted groups with all that they need. One that cannot be had so is refused, with the reason.

    A group that needs a rejected or a manual one is refused, as are two that exclude each other, the later one in
    the plan.
    """
    groups = {group.id: group for group in plan.groups}
    taken: dict[str, str] = {}
    refused = {each: f"{each} is not in this plan." for each in wanted if each not in groups}
    for group in plan.groups:
        if group.id not in wanted:
            continue
        bundle = _with_needs(group, groups)
        reason = _obstacle(bundle, groups, taken, rejected)
        if reason:
            refused[group.id] = reason
            continue
        for each, needer in bundle.items():
            if not taken.get(each):
                taken[each] = "" if each in wanted else needer
    order = tuple(each for each in groups if each in taken)
    return Selection(accepted=order, brought={each: taken[each] for each in order if taken[each]}, refused=refused)


def _with_needs(group: Group, groups: Mapping[str, Group]) -> dict[str, str]:
    """The ids of a group and of all it needs, each with the id that asked for it."""
    bundle, queue = {group.id: ""}, [group]
    while queue:
        current = queue.pop(0)
        for need in current.needs:
            if need not in bundle:
                bundle[need] = current.id
                if need in groups:
                    queue.append(groups[need])
    return bundle


def _obstacle(
    bundle: Mapping[str, str], groups: Mapping[str, Group], taken: Collection[str], rejected: Collection[str]
) -> str:
    """Why a bundle cannot be taken, a sentence; "" where it can."""
    for each, needer in bundle.items():
        asked = f"{needer} needs {each}, which" if needer else f"{each}"
        if each not in groups:
            return f"{asked} is not in this plan."
        if groups[each].verdict is Verdict.MANUAL:
            return f"{asked} has no patch."
        if needer and each in rejected:
            return f"{asked} was rejected."
    for each in bundle:
        for other in [*taken, *bundle]:
            if other != each and (other in groups[each].conflicts or each in groups[other].conflicts):
                return f"{each} cannot be taken together with {other}."
    return ""
