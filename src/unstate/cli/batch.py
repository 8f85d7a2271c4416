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
    ListFormat,
    MaxFailures,
    Only,
    Owner,
    Root,
    Timeout,
    campaign,
    check_folder,
    chosen_units,
    engine_of,
    errors,
    finish,
    found_in,
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


@app.command("list")
def list_services(
    root: Root = Path(),
    output_format: Annotated[ListFormat, typer.Option(help="The form of the list.")] = ListFormat.TEXT,
    stores: Annotated[bool, typer.Option("--stores", help="Scan, and show the state of each service.")] = False,
) -> None:
    """List the services, why each is one, and what holds it to one process."""
    from unstate.batch.discover import discover
    from unstate.batch.listing import listing, listing_json
    from unstate.cli.console import out

    with errors():
        check_folder(root)
        estate = discover(root.resolve())
        found = found_in(estate) if stores else None
        out(listing_json(estate, found) if output_format is ListFormat.JSON else listing(estate, found))


@app.command()
def plan(
    root: Root = Path(),
    folder: Folder = None,
    only: Only = [],
    exclude: Exclude = [],
    owner: Owner = [],
    shard: Annotated[
        str, typer.Option(metavar="I/N", help="The I-th of N parts, one a machine; then `batch merge`.")
    ] = "",
    accept: Annotated[Accept, typer.Option(help="Take groups up to this verdict.")] = Accept.REVIEW,
    ttl: Annotated[
        list[str], typer.Option(metavar="KIND=DURATION", help="How long entries live, as in session=12h.")
    ] = [],
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
def review(
    root: Root = Path(),
    folder: Folder = None,
    only: Only = [],
    kind: Annotated[str, typer.Option(metavar="KIND", help="Decide on stores of this kind: session, cache, …")] = "",
    store: Annotated[str, typer.Option(metavar="GLOB", help="Decide on stores of this name.")] = "",
    path: Annotated[str, typer.Option(metavar="GLOB", help="Decide on stores defined in these files.")] = "",
    answers: Annotated[
        list[str], typer.Option("--set", metavar="NAME=ANSWER", help="Answer a question, as in ttl=12h.")
    ] = [],
    take: Annotated[bool, typer.Option("--take", help="Take these stores.")] = False,
    leave: Annotated[bool, typer.Option("--leave", help="Leave these stores.")] = False,
    jobs: Jobs = None,
    timeout: Timeout = 300,
) -> None:
    """Decide: service by service at the terminal, or once for many stores with --set, --take or --leave.

    What is decided is kept in the campaign's decisions.json, and the services it is about are planned again.
    """
    from unstate.batch import planning
    from unstate.cli.reviewing import go_through, rule

    if take and leave:
        raise typer.BadParameter("--take and --leave exclude each other")
    with campaign(root, folder) as found:
        if answers or take or leave:
            made = rule(found, kind, store, path, only, answers, accept=True if take else False if leave else None)
            found.decide(made)
        elif kind or store or path:
            raise typer.BadParameter("say what to decide: --set NAME=ANSWER, --take or --leave")
        else:
            go_through(found, chosen_units(found, only))
        with engine_of(EngineName.POOL, jobs, timeout) as workers:
            code = finish(found, planning.plan(found, workers, progress()))
    raise typer.Exit(code)


@app.command()
def apply(
    root: Root = Path(),
    folder: Folder = None,
    only: Only = [],
    accept: Annotated[Accept, typer.Option(help="Write groups up to this verdict.")] = Accept.EXACT,
    allow_dirty: Annotated[
        bool, typer.Option("--allow-dirty", help="Write although git has uncommitted changes here.")
    ] = False,
) -> None:
    """Write the plans into the tree. Without --accept review: what is exact, and what was decided on."""
    from unstate.batch.sending import apply_plans
    from unstate.batch.work import Level

    with campaign(root, folder) as found:
        level = Level(accept.value)
        units = chosen_units(found, only)
        code = finish(found, apply_plans(found, units, progress(), level, allow_dirty=allow_dirty))
    raise typer.Exit(code)


@app.command()
def test(
    root: Root = Path(),
    folder: Folder = None,
    only: Only = [],
    jobs: Jobs = None,
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=1, help="Time for one run.")] = 900,
) -> None:
    """Run each service's own tests without and with its change, away from the tree; 1 where a change breaks some."""
    from unstate.batch.sending import run_tests
    from unstate.cli.batching import tell_tests

    with campaign(root, folder) as found:
        units = chosen_units(found, only)
        with engine_of(EngineName.POOL, jobs, 2 * timeout + 60) as workers:
            tally = run_tests(found, units, workers, progress(), timeout)
        code = finish(found, tally) or tell_tests(found, units)
    raise typer.Exit(code)


@app.command()
def branch(
    root: Root = Path(),
    folder: Folder = None,
    only: Only = [],
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace branches that hold an earlier change of ours, and nothing else.")
    ] = False,
) -> None:
    """Make a branch with one commit for each service that has a change. The tree and its index are not touched."""
    from unstate.batch.sending import make_branches
    from unstate.cli.batching import tell_branches

    with campaign(root, folder) as found:
        units = chosen_units(found, only)
        tally = make_branches(found, units, progress(), replace=replace)
        tell_branches(found, tally)
        code = finish(found, tally)
    raise typer.Exit(code)


@app.command("pr")
def pull_requests(
    root: Root = Path(),
    folder: Folder = None,
    only: Only = [],
    push: Annotated[
        bool, typer.Option("--push", help="Push the branches, and open the pull requests with gh.")
    ] = False,
    remote: Annotated[str, typer.Option(metavar="NAME", help="Where to push to.")] = "origin",
) -> None:
    """Print the commands that push each branch and open its pull request; with --push, run them."""
    import shlex

    from unstate.batch.sending import commands, open_requests
    from unstate.cli.console import out

    code = 0
    with campaign(root, folder) as found:
        units = chosen_units(found, only)
        if push:
            code = finish(found, open_requests(found, units, progress(), remote))
        for unit in () if push else units:
            planned = found.planned(unit.name)
            if planned is not None and planned.changes:
                out("".join(f"{shlex.join(each)}\n" for each in commands(found, unit, planned, remote)))
    raise typer.Exit(code)


@app.command()
def retry(
    root: Root = Path(),
    folder: Folder = None,
    jobs: Jobs = None,
    timeout: Timeout = 300,
    max_failures: MaxFailures = None,
) -> None:
    """Do again what failed, plans and tests, and plan what was not begun; nothing else."""
    from unstate.batch import planning, sending
    from unstate.batch.campaign import failed
    from unstate.batch.journal import Step

    with campaign(root, folder) as found, engine_of(EngineName.POOL, jobs, timeout) as workers:
        tally = planning.plan(found, workers, progress(), max_failures=max_failures, again=True)
        broken = failed(found.journal.records(Step.TEST))
        if broken:
            units = [unit for unit in found.units() if unit.name in broken]
            tally += sending.run_tests(found, units, workers, progress(), timeout / 2, again=True)
        code = finish(found, tally)
    raise typer.Exit(code)


@app.command()
def merge(
    parts: Annotated[list[Path], typer.Argument(metavar="PART", help="Folders of campaigns planned with --shard.")],
    root: Annotated[Path, typer.Option("--root", metavar="ROOT", help="The repository, at the same commit.")] = Path(),
    folder: Folder = None,
    jobs: Jobs = None,
    timeout: Timeout = 300,
) -> None:
    """Put the parts of a campaign together, and plan the libraries that their services share."""
    from unstate.batch import merging, planning
    from unstate.batch.campaign import begun

    with errors():
        settings = merging.settings_of(parts, root.resolve())
        with begun(place(root, folder), settings) as found, engine_of(EngineName.POOL, jobs, timeout) as workers:
            merging.merge(found, parts)
            code = finish(found, planning.plan(found, workers, progress()))
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

    with campaign(root, folder, to_look=True) as found:
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
