"""A review's own rules, without a terminal."""

from __future__ import annotations

import random
import re

import msgspec
import pytest
from bench import BENCH, GROUPS, IDS, plan, render

from unstate.changes.decisions import Choice, Decisions, Standing
from unstate.model import FileChange, Plan
from unstate.review import Bench, Review


def review(decisions: Decisions | None = None) -> Review:
    return Review(BENCH, decisions or Decisions())


def standings(state: Review) -> list[str]:
    return [state.standing(group).value for group in state.groups]


def test_manual_groups_are_not_decided_on() -> None:
    assert [group.finding.store.name for group in review().groups] == ["sessions", "hits", "uploads", "blobs"]


def test_accepting_brings_what_is_needed() -> None:
    state = review()
    assert state.accept(state.groups[2]) == [f"Taken along: {IDS['blobs']}, which {IDS['uploads']} needs."]
    assert standings(state) == ["open", "open", "accepted", "accepted"]
    assert {change.path for change in state.all_changes()} == {"files.py", "backing_services.py"}


def test_rejecting_what_an_accepted_group_needs_opens_that_again() -> None:
    state = review()
    state.accept(state.groups[2])
    assert state.reject(state.groups[3]) == [f"Open again: {IDS['uploads']}, which needs {IDS['blobs']}."]
    assert standings(state) == ["open", "open", "open", "rejected"]


def test_a_group_that_needs_a_rejected_one_stays_open() -> None:
    state = review()
    state.reject(state.groups[3])
    assert state.accept(state.groups[2]) == [f"Not taken: {IDS['uploads']} needs {IDS['blobs']}, which was rejected."]
    assert standings(state) == ["open", "open", "open", "rejected"]


def test_of_two_that_exclude_each_other_the_one_taken_first_stays() -> None:
    groups = (msgspec.structs.replace(GROUPS[0], conflicts=(GROUPS[1].id,)), *GROUPS[1:])
    state = Review(Bench(plan=lambda _: Plan(groups=groups), render=render), Decisions())
    state.accept(state.groups[1])
    assert "cannot be taken together with" in state.accept(state.groups[0])[0]
    assert standings(state) == ["open", "accepted", "open", "open"]


def test_an_answer_is_planned_and_rendered_anew() -> None:
    state = review()
    state.answer(state.groups[0], {"ttl": "7d"})
    assert b"ttl=7d" in (state.changes(state.groups[0])[0].after or b"")
    assert state.decisions.answers() == {IDS["sessions"]: {"ttl": "7d"}}


def test_a_bad_answer_changes_nothing() -> None:
    state = review()
    before = (state.plan, state.decisions)
    with pytest.raises(ValueError, match="no duration"):
        state.answer(state.groups[0], {"ttl": "soon"})
    assert (state.plan, state.decisions) == before
    assert not state.undo()


def test_an_answer_after_acceptance_asks_to_look_again() -> None:
    state = review()
    state.accept(state.groups[0])
    state.answer(state.groups[0], {"ttl": "7d"})
    assert standings(state)[0] == "look again"
    assert state.selection().accepted == ()
    state.accept(state.groups[0])
    assert state.selection().accepted == (IDS["sessions"],)


def test_everything_can_be_taken_back() -> None:
    state = review()
    start = (state.decisions, state.position, state.plan)
    state.accept(state.groups[0])
    state.move(1)
    state.answer(state.groups[0], {"ttl": "7d"})
    state.reject(state.groups[1])
    with state.one_step():
        state.accept(state.groups[2])
        state.accept(state.groups[3])
    assert [state.undo() for _ in range(5)] == [True, True, True, True, False]
    assert (state.decisions, state.position, state.plan) == start


def test_the_next_review_goes_on_from_there() -> None:
    first = review()
    first.answer(first.groups[0], {"ttl": "7d"})
    first.accept(first.groups[0])
    first.reject(first.groups[1])
    again = review(first.decisions)
    assert standings(again) == ["accepted", "rejected", "open", "open"]
    assert b"ttl=7d" in (again.all_changes()[0].after or b"")


def test_a_diff_that_changed_is_looked_at_again_and_one_that_moved_is_not() -> None:
    first = review()
    for group in first.groups:
        first.accept(group)

    def moved(plan: Plan, ids: list[str]) -> list[FileChange]:
        new = []
        for change in render(plan, ids):
            if change.before is None:
                new.append(FileChange(change.path, None, b"another generated text\n"))
            else:
                after = (change.after or b"").replace(b"redis_counter('hits')", b"redis_counter('hits', 0)")
                new.append(FileChange(change.path, b"# new line\n" + change.before, b"# new line\n" + after))
        return new

    again = Review(Bench(plan=plan, render=moved), first.decisions)
    assert standings(again) == ["accepted", "look again", "accepted", "accepted"]


def test_moving_goes_round_over_the_undecided() -> None:
    state = review()
    state.accept(state.groups[1])
    assert state.move(1) and state.position == 2
    assert state.move(1) and state.position == 3
    assert state.move(1) and state.position == 0
    assert state.move(-1) and state.position == 3
    for group in state.groups[:3]:
        state.reject(group)
    assert not state.move(1)
    assert state.position == 3


def test_search_looks_into_ids_and_diffs() -> None:
    state = review()
    assert state.search(re.compile("s3.*blobs")) and state.position == 2  # uploads brings blobs along
    assert state.search(re.compile("hits")) and state.position == 1
    assert not state.search(re.compile("nothing like it"))


def test_the_order_of_answers_does_not_matter() -> None:
    names = [("sessions", True), ("hits", False), ("uploads", True), ("blobs", True)]
    outcomes = set()
    for seed in range(12):
        state = review()
        order = random.Random(seed).sample(names, len(names))
        for name, accept in order:
            group = next(each for each in state.groups if each.id == IDS[name])
            if accept:
                state.accept(group)
            else:
                state.reject(group)
        outcomes.add((repr(state.decisions), state.selection().accepted, state.all_changes()[0].after))
    assert len(outcomes) == 1


def test_decisions_about_groups_that_are_gone_are_kept() -> None:
    gone = Choice(id="US101:.:old:store", accept=True, seen="x")
    state = review(Decisions(groups=(gone,)))
    state.accept(state.groups[0])
    assert state.decisions.of(gone.id) == gone
    assert state.decisions.unknown(state.plan) == (gone.id,)
    assert state.with_standing(Standing.ACCEPTED) == (state.groups[0],)
