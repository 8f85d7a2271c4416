"""The processes of this machine, under supervision: one that dies or hangs costs the item that did it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from unstate import workers
from unstate.batch.engines.outcome import Attempt, Failure, Item, Outcome, Outcomes, Result
from unstate.children import Folder
from unstate.workers import Cause


class Pool:
    """`jobs` processes; `timeout` in seconds is for one item."""

    def __init__(self, jobs: int, timeout: float) -> None:
        self._jobs = jobs
        self._timeout = timeout
        self._marks = ""

    def map(self, function: Callable[[Item], Result], items: Mapping[str, Item]) -> Outcomes[Result]:
        """Outcomes as they come."""
        if not items:
            return
        with Folder("batch") as self._marks:
            attempt: Attempt[Item, Result] = Attempt(function, self._marks)
            for each in workers.supervised(attempt, items.items(), min(self._jobs, len(items)), self._timeout, ahead=1):
                if each.result is not None:
                    yield each.result
                else:
                    yield Outcome(each.item[0], failure=Failure(each.cause or Cause.KILLED, each.failure))

    def running(self) -> tuple[str, ...]:
        """What the processes say they are at."""
        keys = []
        for mark in sorted(Path(self._marks).glob("[0-9]*")) if self._marks else ():
            try:
                keys.append(mark.read_text(encoding="utf-8"))
            except OSError:
                continue
        return tuple(key for key in keys if key)
