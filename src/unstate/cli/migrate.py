"""`unstate migrate`: the change that moves a service's state out of its process; shown, checked or written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from unstate.changes.decisions import Decisions
    from unstate.cli.targets import Target
    from unstate.config import Config
    from unstate.model import FileChange, Group, Plan, Scan
    from unstate.plan import Sources
    from unstate.review import Review


class Accept(StrEnum):
    """How far a change group may be trusted to be taken without a word."""

    EXACT = "exact"
    REVIEW = "review"


def migrate(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Folders, or files, that hold an app.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the diff. This is the default.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Show nothing; answer with 1 if there is a change.")] = False,
    interactive: Annotated[
        bool, typer.Option("--interactive", help="Go through the change store by store, then write what was taken.")
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="Write the change into the files.")] = False,
    accept: Annotated[
        Accept | None,
        typer.Option(help="Take groups up to this verdict [--write: exact; otherwise: review].", show_default=False),
    ] = None,
    only: Annotated[
        list[str], typer.Option(metavar="GLOB", help="Take only stores whose name (app.sessions) or id matches.")
    ] = [],
    decisions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What was decided: groups taken or left, questions answered.")
    ] = None,
    ttl: Annotated[
        list[str], typer.Option(metavar="KIND=DURATION", help="How long entries live, as in session=12h.")
    ] = [],
    plan: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Follow this plan, as long as no file of it has changed.")
    ] = None,
    save_plan: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the plan to a file, as JSON.")] = None,
    output: Annotated[Path | None, typer.Option(metavar="PATCH", help="Write the diff to a file.")] = None,
    allow_dirty: Annotated[
        bool, typer.Option("--allow-dirty", help="Write although git has uncommitted changes here.")
    ] = False,
) -> None:
    """Move a service's state to Redis and S3. Unless --write or --interactive is given, a diff is shown.

    The diff is one that `git apply` takes from within PATH.
    """
    from unstate.changes.decisions import Decisions, load
    from unstate.changes.errors import ChangeError
    from unstate.cli.console import UserError, warn
    from unstate.cli.targets import CLEAN, each

    if dry_run + check + interactive + write > 1:
        raise typer.BadParameter("--dry-run, --check, --interactive and --write exclude each other")
    if output and (check or len(paths) > 1):
        raise typer.BadParameter("--output takes the diff of one PATH")
    if (plan or save_plan) and len(paths) > 1:
        raise typer.BadParameter("a plan is one of one PATH")
    if plan and ttl:
        raise typer.BadParameter("the plan says how long entries live: answer otherwise with --decisions, not --ttl")
    try:
        decided = load(decisions) if decisions and not interactive else Decisions()
        lifetimes = given_lifetimes(ttl)
    except (UserError, ChangeError) as error:
        warn(str(error))
        raise typer.Exit(2) from None
    level = accept or (Accept.EXACT if write else Accept.REVIEW)

    def run(target: Target) -> int:
        if interactive:
            from unstate.cli.interactive import go_through

            begin = partial(start_review, target, lifetimes, only, given=plan)
            return go_through(target, begin, decisions, allow_dirty)
        state, taken, changes = decide(target, lifetimes, only, decided, level, strict=write, given=plan)
        told = required(target, state.plan, taken)
        if save_plan:
            from unstate.changes import plans

            plans.save(save_plan, state.plan)
        if output:
            from unstate.changes.diff import unified

            output.write_bytes(unified(changes))
        if check:
            return _check(taken, changes)
        if write:
            put(target, state.plan, taken, changes, allow_dirty=allow_dirty)
        elif not output and not save_plan:
            _show(state.plan, taken, changes)
        tell_required(told)
        return CLEAN

    raise typer.Exit(each(paths, run))


def given_lifetimes(given: Sequence[str]) -> dict[str, str]:
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


def decide(
    target: Target,
    lifetimes: dict[str, str],
    only: Sequence[str],
    decided: Decisions,
    level: Accept | None,
    *,
    strict: bool,
    given: Path | None = None,
) -> tuple[Review, list[Group], tuple[FileChange, ...]]:
    """The plan with its decisions, the groups to take and the files they come to.

    `level`: how far a group that nobody decided on is taken; None leaves it. `given`: a plan to follow.

    Raises UserError, and StaleError where `strict` and a group's diff is no longer what was decided on.
    """
    from unstate.cli.console import warn

    state = start_review(target, lifetimes, only, decided, given=given)
    for unknown in decided.unknown(state.plan):
        warn(f"{unknown} was decided on, but is not in this plan")
    taken = _taken(state, level, only, strict=strict)
    changes = state.rendered([group.id for group in taken])
    tell_unread(state.plan)
    return state, taken, changes


def start_review(
    target: Target, lifetimes: dict[str, str], only: Sequence[str], decided: Decisions, *, given: Path | None = None
) -> Review:
    """The plan of a target, made now or `given` in a file, with what was decided about it.

    Raises UserError, and ChangeError for a plan that cannot be followed.
    """
    from unstate.changes import plans
    from unstate.cli import scanning
    from unstate.cli.console import UserError, working
    from unstate.model import Scan
    from unstate.plan import AnswerError, Sources
    from unstate.review import Bench, Review

    _recover(target)
    config = scanning.settings(target).with_ttl(lifetimes)
    ready = plans.load(given, target.root) if given else None
    if ready:
        found = Scan(findings=tuple(group.finding for group in ready.groups), diagnostics=ready.diagnostics)
    else:
        found = scanning.findings(target, config)
    sources = Sources(target.root)
    bench = Bench(
        plan=lambda answers: _plan(target, found, config, only, answers, ready, sources),
        render=lambda plan, ids: _render(target, plan, ids, sources),
    )
    try:
        with working(f"Planning {target.given}"):
            state = Review(bench, decided)
    except AnswerError as error:
        raise UserError(str(error)) from None
    for glob in only:
        if not any(_matches(group, [glob]) for group in state.plan.groups):
            raise UserError(_unmatched(glob, found))
    return state


def _unmatched(glob: str, found: Scan) -> str:
    """What to say of a pattern that names no store."""
    from unstate.config import nearest

    names = sorted({f"{finding.store.module}.{finding.store.name}" for finding in found.findings})
    if not names:
        return f"no store matches --only {glob}: none was found"
    return f"no store matches --only {glob}: {nearest(glob, names)}"


def _recover(target: Target) -> None:
    """Bring an application that was cut off to its end, before anything is read."""
    from unstate.changes.apply import recover
    from unstate.cli.console import warn

    recovery = recover(target.root)
    if recovery:
        warn(f"an application that had been cut off was {recovery.outcome}: {', '.join(recovery.paths)}")
        if recovery.kept:
            warn(f"left as they are, because they were changed since: {', '.join(recovery.kept)}")


def _plan(
    target: Target,
    found: Scan,
    config: Config,
    only: Sequence[str],
    answers: Mapping[str, Mapping[str, str]],
    ready: Plan | None,
    sources: Sources,
) -> Plan:
    """The plan, narrowed to the groups that `only` names and what those need. `ready` is one that was made before: it
    counts as long as nothing is answered otherwise."""
    import msgspec

    from unstate.changes.decisions import select
    from unstate.plan import plan

    if ready and not answers:
        planned = ready
    else:
        before = {group.id: dict(group.answers) for group in ready.groups} if ready else {}
        merged = {id: {**before.get(id, {}), **answers.get(id, {})} for id in {*before, *answers}}
        planned = plan(target.root, found, config, merged, sources)
    named = [group.id for group in planned.groups if _matches(group, only)]
    kept = {*named, *(need for each in named for need in select(planned, [each]).accepted)}
    return msgspec.structs.replace(planned, groups=tuple(group for group in planned.groups if group.id in kept))


def _matches(group: Group, globs: Sequence[str]) -> bool:
    from fnmatch import fnmatchcase

    store = group.finding.store
    names = (store.name, f"{store.module}.{store.name}", group.id)
    return not globs or any(fnmatchcase(name, glob) for name in names for glob in globs)


def _taken(state: Review, level: Accept | None, only: Sequence[str], *, strict: bool) -> list[Group]:
    """The groups that are taken, in the plan's order: those that were accepted, and open ones up to `level`.

    Raises StaleError where `strict` and a group's diff is no longer what was decided on.
    """
    from unstate.changes.decisions import Standing, select
    from unstate.changes.errors import StaleError, listed
    from unstate.cli.console import warn
    from unstate.model import Verdict

    levels = {Accept.EXACT: {Verdict.EXACT}, Accept.REVIEW: {Verdict.EXACT, Verdict.REVIEW}}
    allowed = levels[level] if level else set()
    again = [group.id for group in state.with_standing(Standing.LOOK_AGAIN)]
    if again:
        message = f"The diff is not the one that was decided on:{listed(again)}\nLook again: unstate review."
        if strict:
            raise StaleError(f"{message} Nothing was changed.")
        warn(message)
    accepted = {group.id for group in state.with_standing(Standing.ACCEPTED)}
    rejected = [group.id for group in state.with_standing(Standing.REJECTED)]
    wanted = [
        group.id
        for group in state.with_standing(Standing.ACCEPTED, Standing.OPEN)
        if _matches(group, only) and (group.id in accepted or group.verdict in allowed)
    ]
    selection = select(state.plan, wanted, rejected)
    for brought, needer in selection.brought.items():
        warn(f"{brought} comes along, because {needer} needs it")
    for reason in selection.refused.values():
        warn(reason)
    return [group for group in state.groups if group.id in selection.accepted]


def _render(target: Target, plan: Plan, ids: Sequence[str], sources: Sources) -> tuple[FileChange, ...]:
    """The files of some groups. Raises UserError for a broken template, and for groups that do not go together."""
    from unstate.cli.console import UserError, working
    from unstate.render import RenderError, render
    from unstate.render.templates import TemplateError

    try:
        with working(f"Writing the change for {target.given}"):
            return render(target.root, plan, ids, sources)
    except (RenderError, TemplateError) as error:
        raise UserError(str(error)) from None


def tell_unread(plan: Plan) -> None:
    """Name the files that were not read."""
    from unstate.cli.console import warn

    for each in plan.diagnostics:
        warn(f"{each.path}:{each.line}: {each.message}")


def required(target: Target, plan: Plan, taken: Sequence[Group]) -> list[str]:
    """The packages that the result needs, what is left to do about them, and what the app has that is not taken up.

    To be asked before anything is written.
    """
    from unstate.render import dependencies

    requires = sorted({requirement for group in taken for requirement in group.requires})
    declared = dependencies(target.root, taken)
    place = f" (in {', '.join(declared.files)})" if declared.files else ""
    services = {group.finding.store.service for group in taken}
    notes = [note for each in plan.backing if each.service in services for note in each.notes]
    return [f"The result needs: {', '.join(requires)}{place}", *declared.advice, *notes] if requires else []


def tell_required(told: Sequence[str]) -> None:
    """Say what `required` found."""
    from unstate.cli.console import note

    for sentence in told:
        note(sentence)


def _show(plan: Plan, taken: Sequence[Group], changes: Sequence[FileChange]) -> None:
    from unstate.cli.console import colours, out, width
    from unstate.report import dry_run

    out(dry_run(plan, [group.id for group in taken], changes, colour=colours(), width=width()))


def _check(taken: Sequence[Group], changes: Sequence[FileChange]) -> int:
    from unstate.cli.console import note
    from unstate.cli.targets import CLEAN, FINDINGS

    for group in taken:
        note(f"{group.finding.store.path}:{group.finding.store.span.line}: {group.id} can move ({group.verdict})")
    return FINDINGS if changes else CLEAN


def put(
    target: Target, plan: Plan, taken: Sequence[Group], changes: Sequence[FileChange], *, allow_dirty: bool
) -> None:
    """Write a change, and tell what was left. Raises ChangeError."""
    from unstate.changes.apply import apply
    from unstate.cli.console import note, out

    apply(target.root, changes, allow_dirty=allow_dirty)
    ids = {group.id for group in taken}
    for change in changes:
        out(f"{'created' if change.before is None else 'changed'} {change.path}\n")
    left = [group for group in plan.groups if group.id not in ids]
    if left:
        note(f"Left as they are ({len(left)} of {len(plan.groups)}):")
        for group in left:
            note(f"  {group.id} ({group.verdict})")
    note(f"To take this back: unstate undo {target.root}" if changes else f"{target.given}: nothing to change")
