"""`unstate report`: the plan as a page to decide on in a browser, or as the text of a pull request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer


def report(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder, or a file, that holds an app.")],
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write one self-contained web page.")] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the text of a pull request.")] = None,
    decisions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What was decided so far: groups taken or left, answers.")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Follow this plan, as long as no file of it has changed.")
    ] = None,
    verified: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Show this check on the page: what `verify --output-format json:FILE` wrote."
        ),
    ] = None,
) -> None:
    """Write what a migration would change to a file, to read, to send around and to decide on.

    The page gives a decisions file, which `unstate apply --decisions` takes.
    """
    from unstate.cli.migrate import start_review, tell_unread
    from unstate.cli.targets import CLEAN, Target, each

    if html is None and markdown is None:
        raise typer.BadParameter("say what to write: --html FILE, --markdown FILE, or both")
    if verified and html is None:
        raise typer.BadParameter("--verified is shown on the page: add --html FILE")

    def run(target: Target) -> int:
        from unstate.changes.decisions import Decisions, Standing, load, select
        from unstate.report.html import plan_html
        from unstate.report.markdown import plan_markdown
        from unstate.report.verified import load as load_verified

        decided = load(decisions) if decisions else Decisions()
        check = load_verified(verified) if verified else None
        state = start_review(target, {}, (), decided, given=plan)
        tell_unread(state.plan)
        if html:
            title = target.root.resolve().name
            with _templates():
                page = plan_html(
                    state.plan, state.changes, title=title, decisions=decided, templates=target.root, verified=check
                )
            html.write_bytes(page)
        if markdown:
            wanted = [group.id for group in state.with_standing(Standing.ACCEPTED, Standing.OPEN)]
            rejected = [group.id for group in state.with_standing(Standing.REJECTED)]
            accepted = select(state.plan, wanted, rejected).accepted
            with _templates():
                text = plan_markdown(state.plan, accepted, templates=target.root)
            markdown.write_bytes(text)
        return CLEAN

    raise typer.Exit(each([path], run))


@contextmanager
def _templates() -> Iterator[None]:
    """A template that cannot be filled is the user's to put right."""
    from unstate.cli.console import UserError
    from unstate.render.templates import TemplateError

    try:
        yield
    except TemplateError as error:
        raise UserError(str(error)) from None
