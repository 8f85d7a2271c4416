"""`unstate review` and `unstate migrate --interactive`: a person goes through the change."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from unstate.changes import decisions
from unstate.changes.decisions import Decisions
from unstate.changes.journal import home
from unstate.cli.console import colours, note, width
from unstate.cli.migrate import put, required, tell_required, tell_unread
from unstate.cli.targets import CLEAN, Target
from unstate.review import Ending, Review, review
from unstate.review.lines import Lines


def go_through(target: Target, make: Callable[[Decisions], Review], file: Path | None, allow_dirty: bool) -> int:
    """Lead a person through the change of a target. Answers are kept in `file`, by default below the target's root."""
    place = file or home(target.root) / "decisions.json"
    state = make(decisions.load(place) if place.exists() else Decisions())
    tell_unread(state.plan)
    ending = review(
        state,
        Lines(sys.stdin.fileno()),
        cast(BinaryIO, sys.stdout.buffer),
        lambda made: decisions.save(place, made),
        colour=colours(),
        width=width,
    )
    if ending is Ending.QUIT:
        note(f"Nothing was written. Your answers are in {place}; the same command goes on from there.")
    if ending is not Ending.WRITE:
        return CLEAN
    accepted = state.selection().accepted
    taken = [group for group in state.groups if group.id in accepted]
    told = required(target, state.plan, taken)
    put(target, state.plan, taken, state.all_changes(), allow_dirty=allow_dirty)
    tell_required(told)
    return CLEAN
