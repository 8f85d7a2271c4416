"""A review as a value that changes: where the person is, what is decided, what that comes to. No terminal in here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from unstate.changes import diff
from unstate.changes.decisions import Choice, Decisions, Selection, Standing, fingerprint, select, standing
from unstate.model import FileChange, Group, Plan, Verdict

UNDECIDED = (Standing.OPEN, Standing.LOOK_AGAIN)


@dataclass(frozen=True, slots=True)
class Bench:
    """What a review works with. `plan` takes answers by group id and decision's name, and raises ValueError on a bad
    one; `render` gives the files for some of a plan's groups (ids), from the base."""

    plan: Callable[[Mapping[str, Mapping[str, str]]], Plan]
    render: Callable[[Plan, Sequence[str]], Sequence[FileChange]]


class Review:
    """A review of one root. Decisions made earlier are taken up where the diff they were made on is unchanged."""

    def __init__(self, bench: Bench, decisions: Decisions) -> None:
        self._bench = bench
        self._rendered: dict[tuple[Group, ...], tuple[FileChange, ...]] = {}
        self._history: list[tuple[Decisions, int]] = []
        self.decisions = decisions
        self.plan = bench.plan(decisions.answers())
        self.position = 0

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups that can be decided on, in the plan's order."""
        return tuple(group for group in self.plan.groups if group.verdict is not Verdict.MANUAL)

    @property
    def current(self) -> Group:
        """The group at hand."""
        return self.groups[self.position]

    def changes(self, group: Group) -> tuple[FileChange, ...]:
        """What a group comes to by itself, with what it needs."""
        ids = select(self.plan, [group.id]).accepted or (group.id,)
        key = tuple(each for each in self.plan.groups if each.id in ids)
        if key not in self._rendered:
            self._rendered[key] = self.rendered(ids)
        return self._rendered[key]

    def all_changes(self) -> tuple[FileChange, ...]:
        """What all accepted groups come to together."""
        return self.rendered(self.selection().accepted)

    def rendered(self, ids: Sequence[str]) -> tuple[FileChange, ...]:
        """What some of the plan's groups come to together."""
        return tuple(self._bench.render(self.plan, ids))

    def seen(self, group: Group) -> str:
        """The fingerprint of a group's diff as it is now."""
        return fingerprint(group, self.changes(group))

    def standing(self, group: Group) -> Standing:
        """Where a group stands."""
        choice = self.decisions.of(group.id)
        return standing(group, choice, self.seen(group) if choice.accept is not None and choice.seen else "")

    def with_standing(self, *wanted: Standing) -> tuple[Group, ...]:
        """The groups that stand so."""
        return tuple(group for group in self.groups if self.standing(group) in wanted)

    def selection(self) -> Selection:
        """What the acceptances come to. A group to look at again is not accepted."""
        accepted = [group.id for group in self.with_standing(Standing.ACCEPTED)]
        return select(self.plan, accepted, [group.id for group in self.with_standing(Standing.REJECTED)])

    def accept(self, group: Group) -> list[str]:
        """Take a group and what it needs; what to tell the person. Where it cannot be taken, it stays as it was."""
        accepted = [each.id for each in self.with_standing(Standing.ACCEPTED)]
        rejected = [each.id for each in self.with_standing(Standing.REJECTED) if each.id != group.id]
        selection = select(self.plan, [*accepted, group.id], rejected)
        refused = selection.refused.keys() - select(self.plan, accepted, rejected).refused.keys()
        if refused:
            return [f"Not taken: {selection.refused[each]}" for each in sorted(refused)]
        self._remember()
        for each in self.groups:
            if each.id == group.id or each.id in selection.brought:
                self._choose(each, accept=True)
        return [f"Taken along: {each}, which {needer} needs." for each, needer in selection.brought.items()]

    def reject(self, group: Group) -> list[str]:
        """Leave a group; what to tell the person. Accepted groups that need it are open again."""
        accepted = self.with_standing(Standing.ACCEPTED)
        self._remember()
        self._choose(group, accept=False)
        messages = []
        for each in accepted:
            if each.id != group.id and group.id in select(self.plan, [each.id]).accepted:
                self._choose(each, accept=None)
                messages.append(f"Open again: {each.id}, which needs {group.id}.")
        return messages

    def answer(self, group: Group, answers: Mapping[str, str]) -> None:
        """Answer a group's questions and plan anew. Raises ValueError on a bad answer; then nothing has changed."""
        choice = self.decisions.of(group.id)
        decided = self.decisions.with_choice(msgspec.structs.replace(choice, answers={**choice.answers, **answers}))
        plan = self._bench.plan(decided.answers())
        self._remember()
        self.decisions, self.plan = decided, plan
        self.position = max(0, min(self.position, len(self.groups) - 1))
        place = self._place(group.id)
        self.position = self.position if place is None else place

    def undo(self) -> bool:
        """Take the last choice or answer back; False where there is none."""
        if not self._history:
            return False
        decisions, position = self._history.pop()
        if decisions.answers() != self.decisions.answers():
            self.plan = self._bench.plan(decisions.answers())
        self.decisions, self.position = decisions, position
        return True

    @contextmanager
    def one_step(self) -> Iterator[None]:
        """What is done inside is taken back by one `undo`."""
        length = len(self._history)
        yield
        del self._history[length + 1 :]

    def later(self) -> tuple[Group, ...]:
        """The undecided groups from here on."""
        return tuple(group for group in self.groups[self.position :] if self.standing(group) in UNDECIDED)

    def move(self, step: int) -> bool:
        """Go to the next (1) or previous (-1) undecided group, around the end; False where no other is left."""
        total = len(self.groups)
        for distance in range(1, total):
            place = (self.position + step * distance) % total
            if self.standing(self.groups[place]) in UNDECIDED:
                self.position = place
                return True
        return False

    def search(self, pattern: re.Pattern[str]) -> bool:
        """Go to the next group whose id, place, words or diff match, around the end; False where none does."""
        total = len(self.groups)
        for distance in range(1, total + 1):
            place = (self.position + distance) % total
            if pattern.search(self._searched(self.groups[place])):
                self.position = place
                return True
        return False

    def _searched(self, group: Group) -> str:
        finding = group.finding
        lines = diff.unified(self.changes(group)).decode("utf-8", "replace").split("\n")
        changed = [line for line in lines if line.startswith(("+", "-"))]
        return "\n".join([group.id, finding.store.path, *finding.evidence, *group.differences, *changed])

    def _place(self, group: str) -> int | None:
        return next((place for place, each in enumerate(self.groups) if each.id == group), None)

    def _remember(self) -> None:
        self._history.append((self.decisions, self.position))

    def _choose(self, group: Group, *, accept: bool | None) -> None:
        answers = self.decisions.of(group.id).answers
        seen = self.seen(group) if accept is not None else ""
        choice = Choice(id=group.id, accept=accept, answers=answers, seen=seen)
        self.decisions = self.decisions.with_choice(choice)
