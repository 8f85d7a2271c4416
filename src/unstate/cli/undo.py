"""`unstate undo`: take the last application back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def undo(path: Annotated[Path, typer.Argument(help="The folder that was migrated.")] = Path()) -> None:
    """Take the last change that `unstate migrate --write` made under PATH back, if no file was changed since."""
    from unstate.changes.apply import undo as take_back
    from unstate.cli.console import out
    from unstate.cli.targets import Target, each

    def run(target: Target) -> int:
        for changed in take_back(target.root):
            out(f"{'restored' if (target.root / changed).exists() else 'removed'} {changed}\n")
        return 0

    raise typer.Exit(each([path], run))
