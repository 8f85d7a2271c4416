"""`unstate review`: decide on a change store by store, at the terminal."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer


def review(
    path: Annotated[Path, typer.Argument(help="A folder, or a file, that holds an app.")] = Path(),
    decisions: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where answers are kept, and taken up again.", show_default=False),
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Follow this plan, as long as no file of it has changed.")
    ] = None,
    allow_dirty: Annotated[
        bool, typer.Option("--allow-dirty", help="Write although git has uncommitted changes here.")
    ] = False,
) -> None:
    """Go through the change store by store, in the manner of `git add -p`: its story, its diff, its questions.

    Nothing is written until you say so (w). After q, `unstate review` goes on where you were, and `unstate apply`
    writes what was accepted.
    """
    from unstate.cli.interactive import go_through
    from unstate.cli.migrate import start_review
    from unstate.cli.targets import Target, each

    def run(target: Target) -> int:
        return go_through(target, partial(start_review, target, {}, (), given=plan), decisions, allow_dirty)

    raise typer.Exit(each([path], run))
