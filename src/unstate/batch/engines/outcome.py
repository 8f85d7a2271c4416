"""What became of one item of work, and the work of one worker on it."""

from __future__ import annotations

import contextlib
import os
import time
import traceback
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from unstate.workers import Cause

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an item has no result: one line for a person, and the traceback where something raised."""

    cause: Cause
    reason: str
    details: str = ""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Result]):
    """What became of one item: a value or a failure, never both."""

    key: str
    value: Result | None = None
    failure: Failure | None = None
    seconds: float = 0.0  # that the work took; 0 where its process is gone


Outcomes = Generator[Outcome[Result], None, None]


class Engine(Protocol):
    """Runs a function over many items, each of which ends in exactly one outcome, whatever dies."""

    def map(self, function: Callable[[Item], Result], items: Mapping[str, Item]) -> Outcomes[Result]:
        """Outcomes in no fixed order; closing them ends the work. All that is passed must be picklable."""

    def running(self) -> tuple[str, ...]:
        """Keys of the items that are being worked on now; for a display, so it may lag behind."""


@dataclass(frozen=True, slots=True)
class Attempt(Generic[Item, Result]):
    """The call of a function on an item of known key, in whatever process: what it raises is a value."""

    function: Callable[[Item], Result]
    marks: str = ""  # a folder in which each process leaves the key that it is at

    def __call__(self, keyed: tuple[str, Item]) -> Outcome[Result]:
        """The outcome of one item."""
        key, item = keyed
        self._mark(key)
        begun = time.monotonic()
        try:
            value = self.function(item)
            return Outcome(key, value, seconds=time.monotonic() - begun)
        except Exception as error:
            ours = type(error).__module__.startswith("unstate.")  # written for people
            kind = "" if ours and str(error) else f"{type(error).__name__}: "
            reason = f"{kind}{error}".removesuffix(": ")
            failure = Failure(Cause.RAISED, reason, traceback.format_exc())
            return Outcome(key, failure=failure, seconds=time.monotonic() - begun)
        finally:
            self._mark("")

    def _mark(self, key: str) -> None:
        if self.marks:
            with contextlib.suppress(OSError):  # no reason to fail: it is only for show
                Path(self.marks, str(os.getpid())).write_text(key, encoding="utf-8")
