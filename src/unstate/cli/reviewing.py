"""Deciding in a campaign: one answer for many stores, or a person at the terminal who goes through the services."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import BinaryIO, cast

from unstate.batch.campaign import Campaign
from unstate.batch.decisions import BatchDecisions, Rule
from unstate.batch.units import Unit, select
from unstate.batch.work import open_review
from unstate.changes.decisions import Decisions
from unstate.cli.console import UserError, colours, note, width, working
from unstate.config import nearest
from unstate.model import Group, Kind
from unstate.report.words import count
from unstate.review import Ending, Review, review
from unstate.review.lines import Lines


def rule(
    found: Campaign,
    kind: str,
    store: str,
    path: str,
    only: Sequence[str],
    answers: Sequence[str],
    *,
    accept: bool | None,
) -> BatchDecisions:
    """The decisions of a campaign with one more, for many stores. Raises UserError where it is about none."""
    if kind and kind not in {str(each) for each in Kind}:
        raise UserError(f'"{kind}" is no kind of store; {nearest(kind, [str(each) for each in Kind])}')
    given = dict(_answer(each) for each in answers)
    subjects = [unit.root for unit in select(found.services(), only)] if only else [""]
    rules = [
        Rule(kind=Kind(kind) if kind else None, store=store, path=path, service=each, accept=accept, answers=given)
        for each in subjects
    ]
    groups = [group for unit in found.units() if (planned := found.planned(unit.name)) for group in planned.plan.groups]
    meant = [group for group in groups if any(each.fits(group) for each in rules)]
    if not meant:
        raise UserError("no store of this campaign is meant by that; `unstate batch status` shows what there is")
    asked = sorted({decision.name for group in meant for decision in group.decisions})
    for name in given:
        if name not in asked:
            raise UserError(f'none of these stores asks for "{name}"; {nearest(name, asked)}')
    _tell(meant)
    made = found.decisions
    for each in rules:
        made = made.with_rule(each)
    return made


def go_through(found: Campaign, units: Sequence[Unit]) -> None:
    """Lead a person through the change of each unit; answers are kept as they are given, q ends it."""
    for unit in units:
        planned = found.planned(unit.name)
        if planned is None or (not planned.changes and not planned.plan.groups):
            continue
        with working(f"Planning {unit.name}"):
            state = open_review(found.root, unit, found.settings.lifetimes, found.decisions)
        if not state.groups:
            continue
        note(f"\n{unit.name} ({unit.root})")

        ending = review(
            state,
            Lines(sys.stdin.fileno()),
            cast(BinaryIO, sys.stdout.buffer),
            _keeper(found, state),
            colour=colours(),
            width=width,
        )
        if ending is Ending.QUIT:
            note("The rest is left for another time; the same command goes on from here.")
            return


def _keeper(found: Campaign, state: Review) -> Callable[[Decisions], None]:
    """Keeps what a person decides; what follows from decisions for many is not theirs."""
    before = found.decisions
    given = {choice.id: choice for choice in state.decisions.groups}

    def save(made: Decisions) -> None:
        found.decide(before.with_choices(choice for choice in made.groups if given.get(choice.id) != choice))

    return save


def _answer(text: str) -> tuple[str, str]:
    name, equals, answer = text.partition("=")
    if not equals or not name:
        raise UserError(f'--set {text}: write a question and its answer, as in "ttl=12h"')
    return name, answer


def _tell(groups: Sequence[Group]) -> None:
    services = len({group.finding.store.service for group in groups})
    note(f"This is about {count(len(groups), 'store')} in {count(services, 'service')}.")
