"""`unstate batch`: the services of one repository, planned, decided on, tested and sent as one campaign."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unstate.cli.batching import (
    EngineName,
    Exclude,
    Folder,
    Jobs,
    MaxFailures,
    Only,
    Owner,
    Root,
    Timeout,
    campaign,
    engine_of,
    errors,
    finish,
    place,
    progress,
)
from unstate.cli.migrate import Accept

app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Move the state of many services of one repository, as one campaign.",
)


@app.callback()
def _batch() -> None:
    """Move the state of many services of one repository, as one campaign.

    A campaign is a folder: plan fills it, review decides, test and branch and pr send it, status shows it. Each step
    goes on where it was, does only what has changed, and lists what failed last.
    """


@app.command()
def plan(
    root: Root = Path(),
    folder: Folder = None,
    only: Only = [],  # noqa: B006
    exclude: Exclude = [],  # noqa: B006
    owner: Owner = [],  # noqa: B006
    shard: Annotated[
        str, typer.Option(metavar="I/N", help="The I-th of N parts, one a machine; then `batch merge`.")
    ] = "",
    accept: Annotated[Accept, typer.Option(help="Take groups up to this verdict.")] = Accept.REVIEW,
    ttl: Annotated[
        list[str], typer.Option(metavar="KIND=DURATION", help="How long entries live, as in session=12h.")
    ] = [],  # noqa: B006
    engine: Annotated[EngineName, typer.Option(help="Where the work is done.")] = EngineName.POOL,
    jobs: Jobs = None,
    timeout: Timeout = 300,
    max_failures: MaxFailures = None,
    scheduler: Annotated[str, typer.Option(metavar="ADDRESS", help="Of Dask, as in tls://host:8786.")] = "",
    insecure_scheduler: Annotated[
        bool, typer.Option("--insecure-scheduler", help="Trust a scheduler on another machine without TLS.")
    ] = False,
    repository: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="Where Dask's workers fetch the commit from [default: ROOT, by its path]."
        ),
    ] = "",
) -> None:
    """Plan every service: one plan, one patch and one pull request text a service. Nothing else is written."""
    from unstate.batch import discover, git, planning
    from unstate.batch.campaign import Choice, Settings, begun
    from unstate.batch.version import identity
    from unstate.batch.work import Level
    from unstate.cli.migrate import given_lifetimes

    with errors():
        where = place(root, folder)
        settings = Settings(
            root=str(root.resolve()),
            identity=identity(),
            estate=discover.discover(root.resolve()),
            commit=git.commit(root) if git.is_repository(root) else "",
            choice=Choice(only=tuple(only), exclude=tuple(exclude), owners=tuple(owner), shard=shard),
            level=Level(accept.value),
            lifetimes=given_lifetimes(ttl),
        )
        with (
            engine_of(engine, jobs, timeout, scheduler, insecure=insecure_scheduler) as workers,
            begun(where, settings) as made,
        ):
            distant = (repository or settings.root) if engine is EngineName.DASK else ""
            tally = planning.plan(made, workers, progress(), repository=distant, max_failures=max_failures)
            code = finish(made, tally)
    raise typer.Exit(code)


@app.command()
def status(
    root: Root = Path(),
    folder: Folder = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the details of failures.")] = False,
) -> None:
    """Show how far each service is, and what failed."""
    from unstate.batch.campaign import failed
    from unstate.batch.journal import Step
    from unstate.batch.summary import summarise, table
    from unstate.cli.console import out

    with campaign(root, folder) as found:
        made = summarise(found)
        rows = table(made.units)
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            out("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")
        for step in Step:
            for record in failed(found.journal.records(step)).values():
                out(f"\n{record.unit}: {step.value} {record.state.value}: {record.reason}\n")
                if verbose and record.details:
                    out("".join(f"    {line}\n" for line in record.details.rstrip().splitlines()))
    raise typer.Exit(3 if made.failures else 0)
