"""What the commands of `unstate batch` share: options, the campaign at hand, the engine, and how a step ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from unstate.batch.campaign import Campaign
    from unstate.batch.engines import Engine
    from unstate.batch.model import Estate
    from unstate.batch.run import Progress, Tally
    from unstate.batch.units import Unit
    from unstate.model import Finding

INTERRUPTED = 130  # as a shell reports Ctrl-C


class EngineName(StrEnum):
    """Where the work is done."""

    SERIAL = "serial"
    POOL = "pool"
    DASK = "dask"


class ListFormat(StrEnum):
    """The form of a list of services."""

    TEXT = "text"
    JSON = "json"


Root = Annotated[Path, typer.Argument(metavar="ROOT", help="The repository.")]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--campaign", metavar="DIR", help="The campaign's folder [default: ROOT/.unstate/batch].", show_default=False
    ),
]
Only = Annotated[
    list[str], typer.Option("--only", metavar="GLOB", help="Services of this name or root.", show_default=False)
]
Exclude = Annotated[
    list[str], typer.Option("--exclude", metavar="GLOB", help="Not services of this name or root.", show_default=False)
]
Owner = Annotated[
    list[str],
    typer.Option("--owner", metavar="OWNER", help="Services that CODEOWNERS gives to this owner.", show_default=False),
]
MaxFailures = Annotated[
    int | None,
    typer.Option("--max-failures", metavar="N", help="Stop after more failures than this.", show_default=False),
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", metavar="N", min=1, help="Processes [default: one a core].", show_default=False)
]
Timeout = Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=1, help="Time for one service.")]


@contextmanager
def errors() -> Iterator[None]:
    """Ends the command with a word and an exit code where something keeps it from going on."""
    from unstate.batch.errors import BatchError
    from unstate.changes.errors import ChangeError
    from unstate.cli.console import UserError, warn
    from unstate.codemods import CodemodError
    from unstate.config import ConfigError
    from unstate.render.templates import TemplateError

    try:
        yield
    except (BatchError, ChangeError, UserError, ConfigError, CodemodError, TemplateError) as error:
        warn(str(error))
        raise typer.Exit(getattr(error, "exit_code", 2)) from None
    except OSError as error:
        warn(f"{error.filename or 'disk'}: {error.strerror or error}")
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        warn("interrupted. What was done is kept; the same command goes on from there.")
        raise typer.Exit(INTERRUPTED) from None


def check_folder(root: Path) -> None:
    """Raises UserError where there is no such folder."""
    from unstate.cli.console import UserError

    if not root.is_dir():
        raise UserError(f"{root}: no such folder")


def place(root: Path, folder: Path | None) -> Path:
    """The folder of the campaign. Raises UserError, and ChangeError where none can be made."""
    from unstate.batch.campaign import default_folder

    check_folder(root)
    return folder or default_folder(root)


@contextmanager
def campaign(root: Path, folder: Path | None, *, to_look: bool = False) -> Iterator[Campaign]:
    """The campaign that was begun, with its errors told."""
    from unstate.batch.campaign import opened

    with errors(), opened(place(root, folder), to_look=to_look) as found:
        yield found


def chosen_units(found: Campaign, only: Sequence[str]) -> tuple[Unit, ...]:
    """The units of a campaign that `only` names. Raises UserError where it names none."""
    from unstate.batch.units import select
    from unstate.cli.console import UserError

    units = select(found.units(), only)
    if only and not units:
        raise UserError(f"no service of this campaign matches --only {' '.join(only)}")
    return units


def found_in(estate: Estate) -> dict[str, list[Finding]]:
    """The stores of each service, by its name."""
    from unstate.batch.units import service_units
    from unstate.batch.work import findings
    from unstate.cli.console import working

    with working(f"Scanning {estate.root}"):
        return {unit.name: list(findings(Path(estate.root), unit)) for unit in service_units(estate)}


def tell_tests(found: Campaign, units: Sequence[Unit]) -> int:
    """Say what the tests say, broken ones last; 1 where a change breaks some."""
    import msgspec

    from unstate.batch.journal import Step
    from unstate.batch.testing import Compared, Result
    from unstate.cli.console import note, out, warn

    broken = []
    for unit in units:
        record = found.journal.record(Step.TEST, unit.name)
        planned = found.planned(unit.name)
        if record is not None and record.result:
            tested = msgspec.msgpack.decode(record.result, type=Compared)
            out(f"{unit.name}: tests {tested.words}\n")
            if tested.result is Result.BROKEN:
                broken.append((unit, tested))
        elif record is None and planned is not None and planned.changes:
            note(f"{unit.name}: no tests are known of it")
    for unit, tested in broken:
        warn(f"{unit.name}: {tested.command}: {', '.join(tested.broken) or 'it fails'}")
        for line in tested.output.splitlines():
            note(f"    {line}")
    return 1 if broken else 0


def tell_branches(found: Campaign, tally: Tally) -> None:
    """Say what became of each branch."""
    from unstate.batch.bodies import branch
    from unstate.batch.journal import Step
    from unstate.cli.console import note, out

    skipped = 0
    for unit in found.units():
        if unit.name in tally.done:
            record = found.journal.record(Step.BRANCH, unit.name)
            ending = record.result.decode() if record else ""
            skipped += ending == "skipped"
            out(f"{branch(unit)}: {ending}\n")
    if skipped:
        note("Skipped branches hold an earlier change of unstate; --replace makes them anew.")


def progress() -> Progress:
    """How it goes, on stderr."""
    from unstate.batch.progress import Display, Lines
    from unstate.cli.console import colours

    return Display() if colours(sys.stderr) else Lines()


@contextmanager
def engine_of(
    name: EngineName, jobs: int | None, timeout: float, scheduler: str = "", *, insecure: bool = False
) -> Iterator[Engine]:
    """The engine of that name. Raises BatchError where it cannot be had."""
    from unstate.batch.engines import Pool, Serial
    from unstate.workers import cores

    if (name is EngineName.DASK) != bool(scheduler):
        raise typer.BadParameter("--engine dask and --scheduler ADDRESS go together")
    if name is EngineName.DASK:
        from unstate.batch.engines.dask import cluster

        with cluster(scheduler, timeout, insecure=insecure) as engine:
            yield engine
    elif name is EngineName.SERIAL:
        yield Serial()
    else:
        yield Pool(jobs or cores(), timeout)


def finish(found: Campaign, tally: Tally) -> int:
    """Write the summary, say how it went, failures last; the exit code."""
    from unstate.batch import summary
    from unstate.cli.console import note, warn
    from unstate.report.words import count

    try:
        summary.write(found)
    except OSError as error:
        warn(f"the summary cannot be written: {error}")
    done = f"{count(len(tally.done), 'service')} done"
    same = f", {len(tally.unchanged)} unchanged" if tally.unchanged else ""
    failed = f", {len(tally.failures)} failed" if tally.failures else ""
    left = f", {len(tally.left)} not begun" if tally.left else ""
    note(f"{done}{same}{failed}{left}. {found.folder / 'summary.md'}")
    for record in tally.failures.values():
        reason = record.reason.strip() or "no reason is known"
        warn(f"{record.unit}: {record.step.value} {record.state.value}: {reason.splitlines()[0]}")
    if tally.failures:
        note("`unstate batch retry` tries these again; `unstate batch status --verbose` tells more.")
    if tally.failures or tally.left:
        return 3 if tally.done or tally.unchanged else 2
    return 0
