"""One item after the other, in this process: for finding out why something fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from unstate.batch.engines.outcome import Attempt, Item, Outcomes, Result


class Serial:
    """Nothing protects this engine from an item that kills or hangs its process."""

    def __init__(self) -> None:
        self._current = ""

    def map(self, function: Callable[[Item], Result], items: Mapping[str, Item]) -> Outcomes[Result]:
        """Outcomes in the order of the items."""
        attempt: Attempt[Item, Result] = Attempt(function)
        for key, item in items.items():
            self._current = key
            outcome = attempt((key, item))
            self._current = ""
            yield outcome

    def running(self) -> tuple[str, ...]:
        """The item at hand."""
        return (self._current,) if self._current else ()
