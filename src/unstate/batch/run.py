"""One step of a campaign over many units: skip what is done, do the rest, record each outcome before the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import msgspec

from unstate.batch.engines import Engine, Outcome
from unstate.batch.errors import BatchError
from unstate.batch.journal import Journal, Record, State, Step
from unstate.batch.units import Unit
from unstate.render.templates import TemplateError
from unstate.workers import Cause

Item = TypeVar("Item")
Result = TypeVar("Result")

_STATES = {Cause.RAISED: State.FAILED, Cause.KILLED: State.KILLED, Cause.HUNG: State.HUNG}


class Progress(Protocol):
    """Who is told how it goes."""

    def begin(self, step: Step, total: int, running: Callable[[], tuple[str, ...]]) -> None:
        """A step begins with so many units to do; `running` tells which are under way."""

    def unit(self, record: Record, said: str) -> None:
        """A unit is done. `said`: what came of it, in a few words."""

    def end(self) -> None:
        """The step is over."""


@dataclass(frozen=True, slots=True)
class Work(Generic[Item, Result]):
    """What a step does. `keep` takes a result: it writes what there is to write, and returns what the journal is to
    keep with a few words for a person; what it raises is that unit's failure."""

    step: Step
    function: Callable[[Item], Result]
    keep: Callable[[Unit, Result], tuple[bytes, str]]


@dataclass(slots=True)
class Tally:
    """How a step went, by unit."""

    done: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)  # done before, and nothing has changed since
    failures: dict[str, Record] = field(default_factory=dict)  # those of before that were not tried again among them
    left: list[str] = field(default_factory=list)  # not begun, because of too many failures

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            [*self.done, *other.done],
            [*self.unchanged, *other.unchanged],
            {**self.failures, **other.failures},
            [*self.left, *other.left],
        )


def run(
    work: Work[Item, Result],
    units: Mapping[str, Unit],
    items: Mapping[str, tuple[str, Item]],
    *,
    journal: Journal,
    engine: Engine,
    progress: Progress,
    max_failures: int | None = None,
    again: bool = False,
) -> Tally:
    """Do a step for every unit whose fingerprint is not that of the last time.

    `items`: by unit, the fingerprint and what the function is given; a fingerprint of "" is that of no last time. A
    unit that failed before and has not changed is not tried again, unless `again`. More than `max_failures` new
    failures end the step.
    """
    tally = Tally()
    known = journal.records(work.step)
    todo: dict[str, Item] = {}
    for name, (fingerprint, item) in items.items():
        last = known.get(name)
        if (
            last is None
            or not fingerprint
            or last.fingerprint != fingerprint
            or (again and last.state is not State.DONE)
        ):
            todo[name] = item
        elif last.state is State.DONE:
            tally.unchanged.append(name)
        else:
            tally.failures[name] = last
    before = len(tally.failures)
    progress.begin(work.step, len(todo), engine.running)
    try:
        with closing(engine.map(work.function, dict(todo))) as outcomes:
            for outcome in outcomes:
                record, said = _record(work, units[outcome.key], outcome, items[outcome.key][0])
                record = _kept(journal, record)
                del todo[outcome.key]
                if record.state is State.DONE:
                    tally.done.append(outcome.key)
                else:
                    tally.failures[outcome.key] = record
                progress.unit(record, said if record.state is State.DONE else record.reason)
                if max_failures is not None and len(tally.failures) - before > max_failures:
                    break
    finally:
        progress.end()
    tally.left = list(todo)
    return tally


def _record(work: Work[Item, Result], unit: Unit, outcome: Outcome[Result], fingerprint: str) -> tuple[Record, str]:
    state, reason, details, kept, said = State.DONE, "", "", b"", ""
    if outcome.failure is not None:
        state, reason, details = _STATES[outcome.failure.cause], outcome.failure.reason, outcome.failure.details
    elif outcome.value is not None:
        try:
            kept, said = work.keep(unit, outcome.value)
        except (BatchError, TemplateError) as error:
            state, reason = State.FAILED, str(error)
        except OSError as error:
            state, reason = State.FAILED, f"its files cannot be written: {error}"
    record = Record(
        step=work.step,
        unit=unit.name,
        state=state,
        fingerprint=fingerprint,
        reason=reason,
        details=details,
        seconds=outcome.seconds,
        result=kept,
    )
    return record, said


def _kept(journal: Journal, record: Record) -> Record:
    """The record as it is in the journal. One that the disk does not take is a failure; a later run tries it again."""
    try:
        journal.keep(record)
    except BatchError as error:
        reason = record.reason or str(error)
        return msgspec.structs.replace(record, state=State.FAILED, reason=reason, result=b"")
    return record
