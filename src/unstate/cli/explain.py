"""`unstate explain`: a rule's page, from its codemod file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unstate.cli.console import out, warn

if TYPE_CHECKING:
    from unstate.codemods import Codemod


def explain(
    rule: Annotated[
        str, typer.Argument(metavar="RULE", help="A code (US101) or a name; without one, all are listed.")
    ] = "",
) -> None:
    """Explain a rule: what it finds, why it is bad, what to use instead, how safe the fix is."""
    from unstate.codemods import CodemodError, load

    try:
        rules = load(Path.cwd())
    except CodemodError as error:
        warn(str(error))
        raise typer.Exit(2) from None
    if not rule:
        width = max(len(codemod.name) for codemod in rules.values())
        out("".join(f"{codemod.code}  {codemod.name:<{width}}  {codemod.summary}\n" for codemod in rules.values()))
        return
    found = next((c for c in rules.values() if rule.lower() in (c.code.lower(), c.name)), None)
    if found is None:
        from unstate.config import nearest

        known = [*rules, *(codemod.name for codemod in rules.values())]
        hint = nearest(rule.upper() if rule[:2].lower() == "us" else rule, known)
        warn(f'no rule "{rule}"; {hint if hint.startswith("did") else "`unstate explain` lists them all"}')
        raise typer.Exit(2)
    _show(found)


def _show(codemod: Codemod) -> None:
    if not sys.stdout.isatty():
        out(codemod.markdown())
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(codemod.markdown()))
