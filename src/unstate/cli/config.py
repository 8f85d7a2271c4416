"""`unstate config show`: the settings that count, and where they come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Show the settings that count for a path.",
)


@app.callback()
def _config() -> None:
    """Show the settings that count for a path."""


@app.command()
def show(path: Annotated[Path, typer.Argument(help="A folder or a file.")] = Path()) -> None:
    """Print the settings for PATH as TOML, defaults included, with the file they come from."""
    from unstate.cli.console import out
    from unstate.cli.targets import Target, each
    from unstate.config import load

    def run(target: Target) -> int:
        out(as_toml(load(target.root)))
        return 0

    raise typer.Exit(each([path], run))


def as_toml(config: object) -> str:
    """A Config as the `[tool.unstate]` table that gives it."""
    import msgspec
    import tomlkit

    values = msgspec.to_builtins(config)
    source = values.pop("source")
    document = tomlkit.document()
    document.add(
        tomlkit.comment(f"from {source}" if source else "no [tool.unstate] table found: these are the defaults")
    )
    document["tool"] = {"unstate": values}
    return tomlkit.dumps(document)
