"""`unstate scan`: what holds a service to one process."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unstate.report import SCAN_FORMATS

if TYPE_CHECKING:
    from unstate.model import Scan

FORMATS = ("text", *SCAN_FORMATS)
_ANNOTATING = frozenset({"sarif", "github"})  # what reads these looks for paths from the top of the repository


def scan(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Folders, or files, that hold an app.")],
    output_format: Annotated[
        list[str], typer.Option(metavar="FORMAT[:FILE]", help=f"One of {', '.join(FORMATS)}; to stdout or a file.")
    ] = ["text"],
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Answer with 0 even if something was found.")] = False,
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A scan's JSON output; what it lists is not reported again.")
    ] = None,
    select: Annotated[
        list[str], typer.Option(metavar="CODE", help="Report these rules only, by code or its beginning (US1).")
    ] = [],
    ignore: Annotated[
        list[str], typer.Option(metavar="CODE", help="Leave these rules out, beside those of the settings.")
    ] = [],
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", metavar="N", min=1, help="Processes that read files, by default one a core."),
    ] = None,
) -> None:
    """List the state that holds a service to one process: what it is, where it is touched, and what breaks.

    Answers with 1 if something was found or could not be read, else with 0.
    """
    from unstate.cli import scanning
    from unstate.cli.console import UserError, warn
    from unstate.cli.targets import FINDINGS, Target, each

    try:
        known = _baseline(baseline) if baseline else frozenset()
        outputs = [_output(text) for text in output_format]
    except UserError as error:
        warn(str(error))
        raise typer.Exit(2) from None

    results: list[tuple[Target, Scan]] = []

    def run(target: Target) -> int:
        result = scanning.findings(target, scanning.settings(target, select, ignore), jobs)
        results.append((target, result))
        return FINDINGS if result.findings or result.diagnostics else 0

    code = each(paths, run)
    if results:
        alone = results[0][0] if len(paths) == 1 else None
        result = results[0][1] if alone else scanning.together(results)
        if baseline:
            result = scanning.without(result, known)
            code = code if code > FINDINGS else FINDINGS if result.findings or result.diagnostics else 0
        for name, file in outputs:
            seen = scanning.seen_from_here(result, alone) if alone and name in _ANNOTATING else result
            try:
                _deliver(name, file, seen)
            except OSError as error:
                warn(f"{error.filename or file}: {error.strerror or error}")
                raise typer.Exit(2) from None
    raise typer.Exit(0 if exit_zero and code == FINDINGS else code)


def _output(text: str) -> tuple[str, Path | None]:
    """A format and its file, from "json:report.json"."""
    from unstate.cli.console import UserError
    from unstate.config import nearest

    name, _, file = text.partition(":")
    if name not in FORMATS:
        raise UserError(f'unknown output format "{name}"; {nearest(name, list(FORMATS))}')
    return name, Path(file) if file else None


def _deliver(name: str, file: Path | None, scan: Scan) -> None:
    from unstate.cli.console import colours, out, width

    if name == "text":
        from unstate.report import scan_text

        text = scan_text(scan, colour=colours() and file is None, width=None if file else width())
        data = text.encode(errors="backslashreplace")
    else:
        module, _, function = SCAN_FORMATS[name].partition(":")
        data = getattr(import_module(module), function)(scan)
    if file is None:
        out(data)
    else:
        file.write_bytes(data)


def _baseline(path: Path) -> frozenset[str]:
    """The ids in a scan's JSON output. Raises UserError."""
    from unstate.cli.console import UserError

    try:
        document = json.loads(path.read_bytes())
        return frozenset(store["id"] for store in document["stores"])
    except OSError as error:
        raise UserError(
            f"{path}: {error.strerror}; write one with `unstate scan --exit-zero --output-format json:{path}`"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{path}: not the output of `unstate scan --output-format json`") from None
