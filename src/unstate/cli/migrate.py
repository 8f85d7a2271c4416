"""`unstate migrate`: the change that moves a service's state out of its process; shown, checked or written."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from unstate.changes.decisions import Decisions
    from unstate.cli.targets import Target
    from unstate.model import FileChange, Group, Plan


class Accept(StrEnum):
    """How far a change group may be trusted to be taken without a word."""

    EXACT = "exact"
    REVIEW = "review"


def migrate(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Folders, or files, that hold an app.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the diff. This is the default.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Show nothing; answer with 1 if there is a change.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Write the change into the files.")] = False,
    accept: Annotated[
        Accept | None,
        typer.Option(help="Take groups up to this verdict [--write: exact; otherwise: review].", show_default=False),
    ] = None,
    only: Annotated[
        list[str], typer.Option(metavar="GLOB", help="Take only stores whose name (app.sessions) or id matches.")
    ] = [],  # noqa: B006
    decisions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What was decided: groups taken or left, questions answered.")
    ] = None,
    ttl: Annotated[
        list[str], typer.Option(metavar="KIND=DURATION", help="How long entries live, as in session=12h.")
    ] = [],  # noqa: B006
    output: Annotated[Path | None, typer.Option(metavar="PATCH", help="Write the diff to a file.")] = None,
    allow_dirty: Annotated[
        bool, typer.Option("--allow-dirty", help="Write although git has uncommitted changes here.")
    ] = False,
) -> None:
    """Move a service's state to Redis and S3. Without --write nothing is written: a diff is shown.

    The diff is one that `git apply` takes from within PATH.
    """
    from unstate.changes.decisions import Decisions, load
    from unstate.changes.errors import ChangeError
    from unstate.cli.console import UserError, warn
    from unstate.cli.targets import each

    if dry_run + check + write > 1:
        raise typer.BadParameter("--dry-run, --check and --write exclude each other")
    if output and (check or len(paths) > 1):
        raise typer.BadParameter("--output takes the diff of one PATH")
    try:
        decided = load(decisions) if decisions else Decisions()
        lifetimes = _lifetimes(ttl)
    except (UserError, ChangeError) as error:
        warn(str(error))
        raise typer.Exit(2) from None
    level = accept or (Accept.EXACT if write else Accept.REVIEW)

    def run(target: Target) -> int:
        plan = _plan(target, lifetimes, decided)
        taken = _taken(plan, level, only, decided)
        changes = _render(target, plan, taken)
        _tell(plan, taken)
        if output:
            from unstate.changes.diff import unified

            output.write_bytes(unified(changes))
        if check:
            return _check(plan, taken, changes)
        if write:
            return _write(target, plan, taken, changes, allow_dirty=allow_dirty)
        if not output:
            _show(plan, taken, changes)
        return 0

    raise typer.Exit(each(paths, run))


def _lifetimes(given: Sequence[str]) -> dict[str, str]:
    """`["session=12h"]` as a mapping. Raises UserError."""
    from unstate.cli.console import UserError
    from unstate.config import check_ttl

    lifetimes = {}
    for text in given:
        kind, equals, duration = text.partition("=")
        if not equals:
            raise UserError(f'--ttl {text}: write the kind of store and a duration, as in "session=12h"')
        lifetimes[kind] = duration
    try:
        check_ttl(lifetimes)
    except ValueError as error:
        raise UserError(f"--ttl: {error}") from None
    return lifetimes


def _plan(target: Target, lifetimes: dict[str, str], decided: Decisions) -> Plan:
    from unstate.cli import scanning
    from unstate.cli.console import UserError, warn, working
    from unstate.plan import AnswerError, plan

    config = scanning.settings(target).with_ttl(lifetimes)
    found = scanning.findings(target, config)
    try:
        with working(f"Planning {target.given}"):
            planned = plan(target.root, found, config, decided.answers())
    except AnswerError as error:
        raise UserError(str(error)) from None
    for unknown in decided.unknown(planned):
        warn(f"{unknown} was decided on, but is not in this plan")
    return planned


def _taken(plan: Plan, level: Accept, only: Sequence[str], decided: Decisions) -> list[Group]:
    """The groups that are taken, in the plan's order: those that were accepted, and those up to `level` left open."""
    from unstate.changes.decisions import select
    from unstate.cli.console import warn
    from unstate.model import Verdict

    if only and not any(_matches(group, only) for group in plan.groups):
        warn(f"no store matches --only {' '.join(only)}")
    allowed = {Verdict.EXACT} if level is Accept.EXACT else {Verdict.EXACT, Verdict.REVIEW}
    wanted, rejected = [], []
    for group in plan.groups:
        choice = decided.of(group.id).accept
        if choice is False:
            rejected.append(group.id)
        elif _matches(group, only) and (choice or group.verdict in allowed):
            wanted.append(group.id)
    selection = select(plan, wanted, rejected)
    for brought, needer in selection.brought.items():
        warn(f"{brought} comes along, because {needer} needs it")
    for reason in selection.refused.values():
        warn(reason)
    return [group for group in plan.groups if group.id in selection.accepted]


def _matches(group: Group, globs: Sequence[str]) -> bool:
    from fnmatch import fnmatchcase

    store = group.finding.store
    names = (store.name, f"{store.module}.{store.name}", group.id)
    return not globs or any(fnmatchcase(name, glob) for name in names for glob in globs)


def _render(target: Target, plan: Plan, taken: Sequence[Group]) -> tuple[FileChange, ...]:
    from unstate.cli.console import working
    from unstate.render import render

    with working(f"Writing the change for {target.given}"):
        return render(target.root, plan, [group.id for group in taken])


def _tell(plan: Plan, taken: Sequence[Group]) -> None:
    """What a person has to know beside the diff: files that were not read, packages that are needed."""
    from unstate.cli.console import note, warn

    for each in plan.diagnostics:
        warn(f"{each.path}:{each.line}: {each.message}")
    requires = sorted({requirement for group in taken for requirement in group.requires})
    if requires:
        note(f"The result needs: {', '.join(requires)}")


def _show(plan: Plan, taken: Sequence[Group], changes: Sequence[FileChange]) -> None:
    from unstate.cli.console import colours, out
    from unstate.report import dry_run

    out(dry_run(plan, [group.id for group in taken], changes, colour=colours()))


def _check(plan: Plan, taken: Sequence[Group], changes: Sequence[FileChange]) -> int:
    from unstate.cli.console import note
    from unstate.cli.targets import CLEAN, FINDINGS

    for group in taken:
        note(f"{group.finding.store.path}:{group.finding.store.span.line}: {group.id} can move ({group.verdict})")
    return FINDINGS if changes else CLEAN


def _write(
    target: Target, plan: Plan, taken: Sequence[Group], changes: Sequence[FileChange], *, allow_dirty: bool
) -> int:
    from unstate.changes.apply import apply
    from unstate.cli.console import note, out
    from unstate.cli.targets import CLEAN

    apply(target.root, changes, allow_dirty=allow_dirty)
    ids = {group.id for group in taken}
    for change in changes:
        out(f"{'created' if change.before is None else 'changed'} {change.path}\n")
    left = [group for group in plan.groups if group.id not in ids]
    if left:
        note(f"{len(left)} of {len(plan.groups)} stores are left as they are:")
        for group in left:
            note(f"  {group.id} ({group.verdict})")
    if changes:
        note(f"To take this back: unstate undo {target.root}")
    return CLEAN
