"""`unstate apply`: write what was accepted, at the terminal or on the page, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def apply(
    path: Annotated[Path, typer.Argument(help="A folder, or a file, that holds an app.")] = Path(),
    decisions: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What was decided [default: in the last review].", show_default=False),
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Follow this plan, as long as no file of it has changed.")
    ] = None,
    allow_dirty: Annotated[
        bool, typer.Option("--allow-dirty", help="Write although git has uncommitted changes here.")
    ] = False,
) -> None:
    """Write the stores that were accepted, and nothing that nobody decided on.

    A store whose diff is no longer the one that was accepted stops it: nothing is written then.
    """
    from unstate.changes.decisions import load
    from unstate.changes.paths import OURS
    from unstate.cli.console import UserError
    from unstate.cli.migrate import decide, put, required, tell_required
    from unstate.cli.targets import CLEAN, Target, each

    def run(target: Target) -> int:
        place = decisions or target.root / OURS / "decisions.json"
        if not decisions and not place.exists():
            raise UserError(
                f"{target.given}: nothing was decided yet; decide with `unstate review {target.given}`, or name the "
                "page's file: --decisions decisions.json"
            )
        state, taken, changes = decide(target, {}, (), load(place), None, strict=True, given=plan)
        told = required(target, state.plan, taken)
        put(target, state.plan, taken, changes, allow_dirty=allow_dirty)
        tell_required(told)
        return CLEAN

    raise typer.Exit(each([path], run))
