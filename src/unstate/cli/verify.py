"""`unstate verify`: show that an app is stateless, by running it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from unstate.verify import App, Backing, Report, Scenario

FORMATS = ("text", "json", "junit")


def verify(
    scenario: Annotated[
        str,
        typer.Option(
            metavar="FILE", help="Requests to make: drive.py, steps in .toml or .yaml, .har, or openapi:/PATH."
        ),
    ],
    app: Annotated[
        str, typer.Option(metavar="APP", help="MODULE:APP, MODULE:FACTORY('x'), manage.py, or a command with {port}.")
    ] = "",
    path: Annotated[Path, typer.Argument(metavar="[PATH]", help="The folder that the app is run in.")] = Path(),
    original: Annotated[
        str, typer.Option(metavar="git:REV|PATH", help="The app before its migration; without it, 1 process against N.")
    ] = "",
    processes: Annotated[int, typer.Option(min=2, max=32, help="How many processes.")] = 3,
    faults: Annotated[
        str, typer.Option(metavar="LIST", help="Of rotate, kill, fresh, burst, roll; all without it.")
    ] = "",
    backing: Annotated[
        str, typer.Option(metavar="auto|env", help="Start Redis and S3, or use REDIS_URL and AWS_ENDPOINT_URL_S3.")
    ] = "auto",
    shared: Annotated[
        list[str],
        typer.Option(metavar="FILE", help="A SQLite file or a folder below PATH that stands for a real service."),
    ] = [],
    python: Annotated[str, typer.Option(metavar="PATH", help="The interpreter that has the app's dependencies.")] = "",
    output_format: Annotated[
        list[str], typer.Option(metavar="FORMAT[:FILE]", help=f"One of {', '.join(FORMATS)}; to stdout or a file.")
    ] = ["text"],
) -> None:
    """Run the app as several processes that die, on a real Redis and S3, and compare its answers with one process.

    Answers with 0 if they are the same, 1 if they differ, 2 if the check proves nothing or cannot run.
    """
    import signal

    from unstate.cli.console import UserError, out, warn, working
    from unstate.verify import CannotVerifyError

    signal.signal(signal.SIGTERM, _stop)
    try:
        outputs = [_output(text) for text in output_format]
        with working("running the app"):
            report = _check(path, app, original, scenario, processes, faults, backing, python, tuple(shared))
    except (CannotVerifyError, UserError) as error:
        warn(str(error))
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        warn("stopped; every process that the check had started is ended")
        raise typer.Exit(2) from None
    for name, file in outputs:
        text = getattr(report, name)() + "\n"
        if file is None:
            out(text)
        else:
            file.write_text(text, encoding="utf-8")
    raise typer.Exit(report.exit_code)


def _stop(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _output(text: str) -> tuple[str, Path | None]:
    from unstate.cli.console import UserError
    from unstate.config import nearest

    name, _, file = text.partition(":")
    if name not in FORMATS:
        raise UserError(f'unknown output format "{name}"; {nearest(name, list(FORMATS))}')
    return name, Path(file) if file else None


def _check(
    path: Path,
    app: str,
    original: str,
    scenario: str,
    processes: int,
    faults: str,
    backing: str,
    python: str,
    shared: tuple[str, ...],
) -> Report:
    import sys

    from unstate.children import Folder
    from unstate.cli.console import UserError
    from unstate.config import nearest
    from unstate.verify import FAULTS, App, CannotVerifyError, backing_services, verify
    from unstate.verify.declared import planned
    from unstate.verify.machines import checkout
    from unstate.verify.sources import generated, load_scenario

    chosen = [fault for fault in FAULTS if fault in faults.split(",")] if faults else list(FAULTS)
    for word in filter(None, faults.split(",")):
        if word not in FAULTS:
            raise UserError(f'unknown fault "{word}"; {nearest(word, list(FAULTS))}')
    if backing not in ("auto", "env"):
        raise UserError(f'--backing is auto or env, not "{backing}"')
    from_schema = scenario.startswith("openapi:")
    flow, names = (None, {}) if from_schema else load_scenario(scenario)
    run = app or names.get("app", "")
    module = "" if run else names.get("module", "")
    if not run and not module:
        raise UserError("which app? name it with --app MODULE:APP, or a command with {port}")
    settings = {"env": names.get("environ", {}), "provides": names.get("provides", {}), "shared": shared}
    with Folder("original") as folder:
        result = App(path, run, module, python=python or sys.executable, **settings)
        before = None
        if original:
            tree = checkout(original, path, Path(folder) / "tree")
            before = App(tree, run, module, python=python or sys.executable, **settings)
        with backing_services("env" if backing == "env" else "auto") as services:
            if flow is None:
                flow = generated(scenario, before or result, services)
            try:
                declared = planned(before.root, result.root) if before is not None else ()
                report = verify(
                    result, flow, services, original=before, processes=processes, faults=chosen, declared=declared
                )
                return _with_state(report, result, before, flow, services)
            except OSError as error:
                raise CannotVerifyError(f"{error.strerror or error}: {error.filename or path}") from error


def _with_state(report: Report, app: App, original: App | None, scenario: Scenario, services: Backing) -> Report:
    """The report, with what requests change inside a process beside what a scan finds, where the probe can look."""
    from dataclasses import replace

    from unstate.config import load
    from unstate.scan import scan
    from unstate.verify import CannotVerifyError
    from unstate.verify.leftovers import beside, changed_state

    reference = original or app
    try:
        changed = changed_state(app, scenario, services)
        before = changed_state(original, scenario, services) if original else changed
    except CannotVerifyError:
        return report
    findings = scan(reference.root, load(reference.root)).findings
    return replace(report, leftovers=changed, beside=beside(findings, before))
