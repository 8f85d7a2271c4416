"""The steps after a plan: apply it here, test it, make branches of it, open pull requests."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import msgspec

from unstate.batch import bodies, branches
from unstate.batch.branches import BranchJob
from unstate.batch.campaign import BODY, Campaign
from unstate.batch.engines import Engine, Serial
from unstate.batch.errors import BatchError
from unstate.batch.journal import State, Step
from unstate.batch.run import Item, Progress, Result, Tally, Work, run
from unstate.batch.testing import Compared, Trial, compare
from unstate.batch.units import Unit
from unstate.batch.work import Level, Planned, chosen
from unstate.changes.apply import apply
from unstate.changes.dirty import check_clean
from unstate.changes.errors import StaleError
from unstate.changes.journal import digest, read
from unstate.model import Value
from unstate.render import render
from unstate.report.words import count


class Applied(Value, frozen=True):
    """What was written for one unit: ids of groups, and (path, digest of its content) of files."""

    taken: tuple[str, ...]
    files: tuple[tuple[str, str], ...]


def apply_plans(
    campaign: Campaign, units: Sequence[Unit], progress: Progress, level: Level, *, allow_dirty: bool = False
) -> Tally:
    """Write the plans into the tree, unit by unit: of each all or nothing.

    Raises ChangeError where git has uncommitted work, unless `allow_dirty`.
    """
    planned = _with_changes(campaign, units)
    todo: list[tuple[Unit, str, Planned]] = []
    unchanged = []
    for unit in units:
        if unit.name not in planned:
            continue
        record = campaign.journal.record(Step.APPLY, unit.name)
        if record and record.result and _is_there(campaign.root, record.result, chosen(planned[unit.name], level)):
            unchanged.append(unit.name)
        else:
            todo.append((unit, "", planned[unit.name]))
    if not allow_dirty and todo and not unchanged:
        check_clean(campaign.root, [change for _, _, each in todo for change in each.changes])

    def keep(unit: Unit, applied: Applied) -> tuple[bytes, str]:
        return msgspec.msgpack.encode(applied), count(len(applied.files), "file")

    def put(each: Planned) -> Applied:
        return _put(campaign.root, each, level)

    work = Work(Step.APPLY, put, keep)
    tally = _run(campaign, work, todo, Serial(), progress)
    tally.unchanged += unchanged
    return tally


def run_tests(
    campaign: Campaign,
    units: Sequence[Unit],
    engine: Engine,
    progress: Progress,
    timeout: float,
    *,
    again: bool = False,
) -> Tally:
    """Run the services' own tests before and after. `timeout` in seconds is for one run of them.

    `again`: also those that could not be run the last time, though nothing has changed.
    """
    _need_commit(campaign)
    planned = _with_changes(campaign, units)
    jobs = []
    for unit in units:
        if unit.name in planned and unit.test_command:
            job = Trial(
                repository=campaign.settings.root,
                commit=campaign.settings.commit,
                unit=unit,
                changes=planned[unit.name].changes,
                command=unit.test_command,
                timeout=timeout,
            )
            known = (job.commit, bodies.change_id(job.changes), shlex.join(job.command))
            jobs.append((unit, " ".join(known), job))

    def keep(unit: Unit, tested: Compared) -> tuple[bytes, str]:
        return msgspec.msgpack.encode(tested), tested.result.value

    tally = _run(campaign, Work(Step.TEST, compare, keep), jobs, engine, progress, again=again)
    for unit in units:
        if unit.name in tally.done:
            campaign.write(unit, {BODY: bodies.body(campaign, unit, planned[unit.name])})
    return tally


def make_branches(campaign: Campaign, units: Sequence[Unit], progress: Progress, *, replace: bool = False) -> Tally:
    """A branch with one commit for each unit that has a change."""
    _need_commit(campaign)
    planned = _with_changes(campaign, units)
    jobs = [
        (
            unit,
            "",
            BranchJob(
                repository=campaign.settings.root,
                base=campaign.settings.commit,
                branch=bodies.branch(unit),
                message=bodies.message(campaign, unit, planned[unit.name]),
                changes=planned[unit.name].changes,
                replace=replace,
            ),
        )
        for unit in units
        if unit.name in planned
    ]
    work = Work(Step.BRANCH, branches.make, lambda unit, ending: (ending.value.encode(), ending.value))
    return _run(campaign, work, jobs, Serial(), progress)


def commands(campaign: Campaign, unit: Unit, planned: Planned, remote: str) -> list[list[str]]:
    """What pushes a unit's branch and opens its pull request."""
    name = bodies.branch(unit)
    return [
        ["git", "-C", campaign.settings.root, "push", remote, f"{name}:{name}"],
        [
            "gh",
            "pr",
            "create",
            "--head",
            name,
            "--title",
            bodies.title(unit, planned),
            "--body-file",
            str((campaign.place(unit) / BODY).resolve()),
        ],
    ]


def open_requests(campaign: Campaign, units: Sequence[Unit], progress: Progress, remote: str) -> Tally:
    """Push each branch and open its pull request, where it has none. Raises BatchError where `gh` is missing."""
    if shutil.which("gh") is None:
        raise BatchError("--push opens pull requests with gh (https://cli.github.com), which is not on the PATH")
    made = campaign.journal.records(Step.BRANCH)
    planned = _with_changes(campaign, units)

    def send(unit: Unit) -> str:
        if unit.name not in made or made[unit.name].state is not State.DONE:
            raise BatchError("it has no branch yet: unstate batch branch")
        push, create = commands(campaign, unit, planned[unit.name], remote)
        _call(push, campaign.root)
        there = ["gh", "pr", "view", bodies.branch(unit), "--json", "url", "--jq", ".url"]
        try:
            return _call(there, campaign.root)
        except BatchError:
            return _call(create, campaign.root)

    work = Work(Step.PR, send, lambda unit, address: (address.encode(), address))
    return _run(campaign, work, [(unit, "", unit) for unit in units if unit.name in planned], Serial(), progress)


def _call(command: Sequence[str], root: Path) -> str:
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise BatchError(f"{shlex.join(command[:4])}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()


def _put(root: Path, planned: Planned, level: Level) -> Applied:
    """Write one unit's change. Files that its plan made may have been made by that of another unit meanwhile."""
    for path, planned_from in planned.plan.base:
        if digest(read(root / path)) != planned_from:
            raise StaleError(f"{path} has changed since it was planned; plan again", [path])
    taken = chosen(planned, level)
    changes = render(root, planned.plan, taken)
    apply(root, changes, allow_dirty=True)  # what is dirty here are the units before
    return Applied(taken=taken, files=tuple((change.path, digest(change.after) or "") for change in changes))


def _is_there(root: Path, kept: bytes, taken: Sequence[str]) -> bool:
    """Whether what was applied is what is to be applied, and is there still."""
    applied = msgspec.msgpack.decode(kept, type=Applied)
    return applied.taken == taken and all((digest(read(root / path)) or "") == wanted for path, wanted in applied.files)


def _with_changes(campaign: Campaign, units: Sequence[Unit]) -> dict[str, Planned]:
    found = ((unit.name, campaign.planned(unit.name)) for unit in units)
    return {name: planned for name, planned in found if planned is not None and planned.changes}


def _need_commit(campaign: Campaign) -> None:
    if not campaign.settings.commit:
        raise BatchError(f"{campaign.root} is not the top of a git repository with a commit; this step begins from one")


def _run(
    campaign: Campaign,
    work: Work[Item, Result],
    jobs: Sequence[tuple[Unit, str, Item]],
    engine: Engine,
    progress: Progress,
    *,
    again: bool = False,
) -> Tally:
    return run(
        work,
        {unit.name: unit for unit, _, _ in jobs},
        {unit.name: (fingerprint, item) for unit, fingerprint, item in jobs},
        journal=campaign.journal,
        engine=engine,
        progress=progress,
        again=again,
    )
