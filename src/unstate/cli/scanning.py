"""What `scan` and `migrate` share: settings from file and command line, and the findings that a person wants."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from unstate.cli.console import UserError, note, warn, working
from unstate.cli.targets import Target
from unstate.config import Config, load

if TYPE_CHECKING:
    from unstate.model import Finding, Scan


def settings(target: Target, select: Sequence[str] = (), ignore: Sequence[str] = ()) -> Config:
    """The settings for a target; `select` replaces those of the file, `ignore` adds to them. Raises ConfigError."""
    config = load(target.root)
    selected, ignored = _codes(select), _codes(ignore)
    _check_codes(target, (*selected, *ignored, *config.select, *config.ignore))
    return msgspec.structs.replace(config, select=selected or config.select, ignore=(*config.ignore, *ignored))


def findings(target: Target, config: Config, jobs: int | None = None) -> Scan:
    """Scan a target with `jobs` processes, and keep what its settings select and its path means."""
    from unstate.scan import scan

    with working(f"Scanning {target.given}"):
        found = scan(target.root, config, jobs)

    def wanted(rule: str, path: str) -> bool:
        return config.selects(rule, path) and target.file in (None, path)

    result = msgspec.structs.replace(
        found,
        findings=tuple(each for each in found.findings if wanted(each.rule, each.store.path)),
        diagnostics=tuple(each for each in found.diagnostics if wanted(each.rule, each.path)),
    )
    if not result.findings and not result.diagnostics:
        _warn_if_empty(target, config)
    return result


def without(scan: Scan, known: frozenset[str]) -> Scan:
    """The scan without the findings whose ids are `known`; says how many those are, and which are no more."""
    left: list[Finding] = [each for each in scan.findings if each.id not in known]
    held = len(scan.findings) - len(left)
    if held:
        note(f"{held} known from the baseline")
    gone = known - {each.id for each in scan.findings}
    if gone:
        note("No longer found, and to be removed from the baseline: " + ", ".join(sorted(gone)))
    return msgspec.structs.replace(scan, findings=tuple(left))


def seen_from_here(scan: Scan, target: Target) -> Scan:
    """The scan with paths relative to the working folder, where the target lies below it."""
    root, here = target.root.resolve(), Path.cwd()
    if root == here or not root.is_relative_to(here):
        return scan
    return _moved(scan, root.relative_to(here).as_posix())


def together(results: Sequence[tuple[Target, Scan]]) -> Scan:
    """The scans of several targets as one, as if all were parts of the working folder. The ids say which part."""
    from unstate.model import Scan

    scans = [scan if target.root.resolve() == Path.cwd() else _as_part(scan, target) for target, scan in results]
    found = dict.fromkeys(finding for scan in scans for finding in scan.findings)
    problems = dict.fromkeys(each for scan in scans for each in scan.diagnostics)
    return Scan(
        findings=tuple(sorted(found, key=lambda each: (each.store.path, each.store.span.line, each.id))),
        diagnostics=tuple(sorted(problems, key=lambda each: (each.path, each.line, each.rule))),
    )


def _as_part(scan: Scan, target: Target) -> Scan:
    root, here, replace = target.root.resolve(), Path.cwd(), msgspec.structs.replace
    prefix = (root.relative_to(here) if root.is_relative_to(here) else root).as_posix()

    def part(finding: Finding) -> Finding:
        store = finding.store
        service = prefix if store.service == "." else f"{prefix}/{store.service}"
        known = f"{finding.rule}:{service}:{store.module}:{store.name}"
        return replace(finding, id=known, store=replace(store, service=service))

    moved = _moved(scan, prefix)
    return replace(moved, findings=tuple(map(part, moved.findings)))


_PLACE = re.compile(r"(?<![\w/.-])((?:[\w.-]+/)*[\w.-]+\.pyw?:\d)")  # "shop/app.py:12" in a sentence


def _moved(scan: Scan, prefix: str) -> Scan:
    """The scan with every path below a folder."""
    replace = msgspec.structs.replace

    def texts(sentences: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_PLACE.sub(lambda found: f"{prefix}/{found[1]}", sentence) for sentence in sentences)

    def moved(finding: Finding) -> Finding:
        store = finding.store
        sites = tuple(replace(site, path=f"{prefix}/{site.path}") for site in store.sites)
        store = replace(store, path=f"{prefix}/{store.path}", sites=sites)
        return replace(finding, store=store, evidence=texts(finding.evidence), reasons=texts(finding.reasons))

    return replace(
        scan,
        findings=tuple(map(moved, scan.findings)),
        diagnostics=tuple(replace(each, path=f"{prefix}/{each.path}") for each in scan.diagnostics),
    )


def _codes(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(code.strip() for part in given for code in part.split(",") if code.strip())


def _check_codes(target: Target, codes: Sequence[str]) -> None:
    """Raise UserError for a code that begins no rule's: nothing would be found, and nobody would know why."""
    if not codes:
        return
    from unstate import codemods
    from unstate.config import nearest

    known = list(codemods.load(target.root))
    for code in codes:
        if not any(rule.startswith(code) for rule in known):
            raise UserError(f'no rule begins with "{code}"; {nearest(code, known)}')


def _warn_if_empty(target: Target, config: Config) -> None:
    from unstate.project import files

    there = files(target.root, config)
    if not there:
        warn(f"{target.given}: no Python files here; nothing was looked at")
    elif target.file is not None and target.file not in there:
        warn(f"{target.given}: not looked at: it is no Python file, or .gitignore or the settings leave it out")
