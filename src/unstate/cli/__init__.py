"""The command line: a thin skin over the steps of the pipeline.

`unstate --help` imports nothing but typer: each command stands in `COMMANDS` with its one line of help, and its module
is imported when the command is run. A new command is one more entry.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

# name -> (module:attribute, help). The attribute is a function with typer's annotations, or a typer.Typer.
COMMANDS: dict[str, tuple[str, str]] = {
    "scan": ("unstate.cli.scan:scan", "List the state that holds a service to one process."),
    "migrate": ("unstate.cli.migrate:migrate", "Show, check or write the change that moves it to Redis and S3."),
    "verify": ("unstate.cli.verify:verify", "Run the app as processes that die, and compare its answers."),
    "report": ("unstate.cli.report:report", "Write the change as a page to decide on in a browser."),
    "review": ("unstate.cli.review:review", "Decide on the change store by store, at the terminal."),
    "apply": ("unstate.cli.apply:apply", "Write what was accepted in a review."),
    "undo": ("unstate.cli.undo:undo", "Take the last written change back."),
    "batch": ("unstate.cli.batch:app", "Do all of this for the services of a repository, as one campaign."),
    "explain": ("unstate.cli.explain:explain", "Explain a rule: what it finds, why, and what to do instead."),
    "config": ("unstate.cli.config:app", "Show the settings that count for a path."),
}


class _LazyGroup(TyperGroup):
    """Knows its commands by name and help line, and loads the one that is run."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        for name, (_, help_line) in COMMANDS.items():
            self.add_command(TyperCommand(name, short_help=help_line, rich_markup_mode=None))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, stub, rest = super().resolve_command(ctx, args)
        return name, stub if name is None else _load(name), rest


def _load(name: str) -> Any:
    from importlib import import_module

    module, _, attribute = COMMANDS[name][0].partition(":")
    target = getattr(import_module(module), attribute)
    if not isinstance(target, typer.Typer):
        function, target = target, _typer()
        target.command(name)(function)
    return typer.main.get_command(target)


def _typer(**settings: Any) -> typer.Typer:
    """A Typer after this project's habits: plain help, which needs no rich, and no doctored tracebacks."""
    return typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False, **settings)


app = _typer(
    cls=_LazyGroup,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 clean or applied, 1 findings or pending changes, 2 usage, config or internal error, "
    "3 some paths failed and the rest is done, 4 the files changed since the plan was made.",
)


def _version(wanted: bool) -> None:
    if wanted:
        from unstate import __version__

        typer.echo(f"unstate {__version__}")
        raise typer.Exit


@app.callback()
def _unstate(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Find the state that a Python web app keeps inside its own process, and move it to Redis and S3.

    Nothing is written unless you ask for it: unstate migrate shows a diff.
    """


def main() -> NoReturn:
    """The console script. Ends the process with one of the documented exit codes."""
    if "" in sys.argv[1:]:  # as a variable of the shell that is not set gives it; as a path it would be this folder
        print("unstate: an argument is empty; for this folder write .", file=sys.stderr)
        sys.exit(2)
    try:
        app(prog_name="unstate")
    except Exception:
        import traceback

        traceback.print_exc()
        print("unstate: internal error (above). Nothing more was done; please report it.", file=sys.stderr)
        sys.exit(2)
    sys.exit(0)
