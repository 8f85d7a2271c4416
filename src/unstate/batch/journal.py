"""What a campaign has done so far: one sqlite3 file, in which each outcome is on the disk before the next is looked at.

A record is the last outcome of one step for one unit. Its fingerprint names all that the outcome hangs on, so a run
that finds its own fingerprint has nothing to do.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from unstate.batch.errors import BatchError
from unstate.model import Value

FILE = "journal.sqlite"
_TABLES = """
    create table if not exists meta (key text primary key, value text);
    create table if not exists work (
        step text, unit text, state text, fingerprint text, reason text, details text, seconds real, result blob,
        primary key (step, unit));
"""


class Step(StrEnum):
    """What is done for each unit, in this order."""

    PLAN = "plan"
    APPLY = "apply"
    TEST = "test"
    BRANCH = "branch"
    PR = "pr"


class State(StrEnum):
    """How a step ended for a unit."""

    DONE = "done"
    FAILED = "failed"
    KILLED = "killed"  # the process that worked on it died
    HUNG = "hung"  # it took longer than it may


class Record(Value, frozen=True):
    """The last outcome of one step for one unit. `seconds` is what it took; `result` is the step's own."""

    step: Step
    unit: str
    state: State
    fingerprint: str = ""
    reason: str = ""
    details: str = ""  # a traceback, or the tail of an output
    seconds: float = 0.0
    result: bytes = b""


class Journal:
    """The journal of one campaign. Raises BatchError where the disk refuses."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        with self._errors():
            self._connection = sqlite3.connect(self._file, timeout=10)
            self._connection.executescript(f"pragma journal_mode = wal; pragma synchronous = normal; {_TABLES}")

    def keep(self, record: Record) -> None:
        """Puts a record in the place of an earlier one."""
        values = (
            record.step.value,
            record.unit,
            record.state.value,
            record.fingerprint,
            record.reason,
            record.details,
            record.seconds,
            record.result,
        )
        with self._errors(), self._connection:
            self._connection.execute("insert or replace into work values (?, ?, ?, ?, ?, ?, ?, ?)", values)

    def forget(self, step: Step, unit: str) -> None:
        """Drops a record, if there is one."""
        with self._errors(), self._connection:
            self._connection.execute("delete from work where step = ? and unit = ?", (step.value, unit))

    def record(self, step: Step, unit: str) -> Record | None:
        """The last outcome of a step for a unit."""
        with self._errors():
            rows = self._connection.execute("select * from work where step = ? and unit = ?", (step.value, unit))
            return next((_record(row) for row in rows), None)

    def records(self, step: Step) -> dict[str, Record]:
        """The last outcomes of a step by unit, without their results: those of many units need not be in memory."""
        columns = "step, unit, state, fingerprint, reason, details, seconds, x''"
        statement = f"select {columns} from work where step = ? order by unit"
        with self._errors():
            return {row[1]: _record(row) for row in self._connection.execute(statement, (step.value,))}

    def note(self, key: str, value: str) -> None:
        """Keeps a text about the campaign as a whole."""
        with self._errors(), self._connection:
            self._connection.execute("insert or replace into meta values (?, ?)", (key, value))

    def noted(self, key: str) -> str:
        """A text about the campaign as a whole, "" where there is none."""
        with self._errors():
            rows = self._connection.execute("select value from meta where key = ?", (key,)).fetchall()
        return str(rows[0][0]) if rows else ""

    def close(self) -> None:
        """Gives the file free."""
        self._connection.close()

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise BatchError(
                f"{self._file}: {error}. What was recorded before stays; make room, or move it away."
            ) from error


def _record(row: tuple[str, str, str, str, str, str, float, bytes]) -> Record:
    step, unit, state, fingerprint, reason, details, seconds, result = row
    return Record(
        step=Step(step),
        unit=unit,
        state=State(state),
        fingerprint=fingerprint,
        reason=reason,
        details=details,
        seconds=seconds,
        result=result,
    )
