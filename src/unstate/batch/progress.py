"""How a step goes, on stderr: a display on a terminal, elsewhere one line a unit."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from unstate.batch.journal import Record, State, Step
from unstate.report.words import count, visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.progress import Progress, TaskID

DOING = {
    Step.PLAN: "Planning",
    Step.APPLY: "Applying",
    Step.TEST: "Testing",
    Step.BRANCH: "Making branches",
    Step.PR: "Opening pull requests",
}
_SHOWN = 4  # units under way that a display names


class Lines:
    """One plain line a unit."""

    def begin(self, step: Step, total: int, running: Callable[[], tuple[str, ...]]) -> None:
        """A step begins."""
        self._done, self._total = 0, total

    def unit(self, record: Record, said: str) -> None:
        """A unit is done."""
        self._done += 1
        print(f"[{self._done}/{self._total}] {line(record, said)}", file=sys.stderr, flush=True)

    def end(self) -> None:
        """The step is over."""


class Display:
    """A bar over all, and the names of what is under way."""

    def __init__(self) -> None:
        self._live: Live | None = None

    def begin(self, step: Step, total: int, running: Callable[[], tuple[str, ...]]) -> None:
        """A step begins."""
        if not total:
            return
        from rich.console import Console, Group
        from rich.live import Live
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
        from rich.text import Text

        self._failed = 0
        self._console: Console = Console(stderr=True)
        self._bar: Progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        )
        self._task: TaskID = self._bar.add_task(DOING[step], total=total)

        def render() -> Group:
            lines = [Text(f"  {visible(name)}", style="dim", overflow="ellipsis", no_wrap=True) for name in running()]
            more = [Text(f"  and {len(lines) - _SHOWN} more", style="dim")] if len(lines) > _SHOWN else []
            told = [Text(f"  {count(self._failed, 'failure')}", style="red")] if self._failed else []
            return Group(self._bar, *told, *lines[:_SHOWN], *more)

        self._live = Live(console=self._console, get_renderable=render, refresh_per_second=8, transient=True)
        self._live.start()

    def unit(self, record: Record, said: str) -> None:
        """A unit is done."""
        if record.state is not State.DONE:
            self._failed += 1
        self._bar.advance(self._task)

    def end(self) -> None:
        """The step is over."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def line(record: Record, said: str) -> str:
    """What became of a unit, in one line: "services/a: 3 stores: 2 to move, 1 by hand"."""
    first = visible(said.split("\n", 1)[0])
    state = "" if record.state is State.DONE else f"{record.state.value}: "
    return f"{visible(record.unit)}: {state}{first}"
