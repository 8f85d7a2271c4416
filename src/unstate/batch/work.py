"""The plan of one unit: what a worker does, here or on another machine. It reads the repository and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path, PurePosixPath

import msgspec

from unstate.batch import checkout
from unstate.batch.decisions import BatchDecisions
from unstate.batch.errors import BatchError
from unstate.batch.units import Unit
from unstate.batch.version import identity
from unstate.changes.decisions import Decisions, Standing, select
from unstate.config import Config, Service, load
from unstate.model import FileChange, Finding, Plan, Scan, Value, Verdict
from unstate.plan import Sources, plan
from unstate.render import render
from unstate.review import Bench, Review
from unstate.scan import scan


class Level(StrEnum):
    """How far a group that nobody decided on is taken."""

    EXACT = "exact"
    REVIEW = "review"


class Job(Value, frozen=True):
    """All that a worker has to be told. `commit` "" means the files as they lie in `repository`, else a checkout."""

    repository: str
    unit: Unit
    identity: str  # of the unstate that asks: another one's plans must not be mixed with its own
    commit: str = ""
    decisions: BatchDecisions = BatchDecisions()
    lifetimes: dict[str, str] = {}
    level: Level = Level.REVIEW


class Planned(Value, frozen=True):
    """The plan of one unit, and what is taken of it."""

    plan: Plan
    decisions: Decisions = Decisions()
    taken: tuple[str, ...] = ()  # ids of groups
    changes: tuple[FileChange, ...] = ()  # what they come to, paths relative to the repository
    notes: tuple[str, ...] = ()  # what a person should know: taken along, refused, to be looked at again
    shared: tuple[Finding, ...] = ()  # stores of the unit that stand in libraries, and are planned there


class WrongVersionError(BatchError):
    """A worker runs another unstate than the one that asks."""


def plan_unit(job: Job) -> Planned:
    """Plan one unit. Raises whatever went wrong: the engine makes an outcome of it."""
    if job.identity != identity():
        raise WrongVersionError(
            f"this worker runs unstate {identity()}, the campaign {job.identity}; install the same on both"
        )
    here = nullcontext(Path(job.repository))
    with checkout.of(job.repository, job.commit, job.unit.folders) if job.commit else here as root:
        return _planned(root, job)


def findings(root: Path, unit: Unit) -> tuple[Finding, ...]:
    """The stores of a unit, those that it keeps in libraries among them."""
    return _scanned(root, unit, settings(root, unit, {}), None).findings


def settings(root: Path, unit: Unit, lifetimes: Mapping[str, str]) -> Config:
    """The settings of a unit, as they are from the root of the repository. Raises ConfigError."""
    config = load(root / unit.root).with_ttl(lifetimes)
    source = Path(config.source).parent if config.source else root
    folder = _relative(source, root.resolve())
    return msgspec.structs.replace(
        config,
        exclude=(*(_moved(each, folder) for each in config.exclude), *(f"/{root}/" for root in unit.apart)),
        overrides=tuple(
            msgspec.structs.replace(each, paths=tuple(_moved(path, folder) for path in each.paths))
            for each in config.overrides
        ),
        service=tuple(
            Service(name=each, root=each, library=each in unit.libraries or (unit.is_library and each == unit.root))
            for each in unit.folders
        ),
    )


def chosen(planned: Planned, level: Level) -> tuple[str, ...]:
    """Ids of the groups of a plan to take where nobody looks at the result: taken ones that are sure enough.

    What was decided on one by one is taken whatever its verdict.
    """
    accepted = planned.decisions.accepted()
    sure = [
        group.id
        for group in planned.plan.groups
        if group.id in planned.taken
        and (level is Level.REVIEW or group.verdict is Verdict.EXACT or group.id in accepted)
    ]
    return select(planned.plan, sure).accepted


def review_of(root: Path, found: Scan, config: Config, decisions: BatchDecisions) -> Review:
    """The plan of what was found, with what was decided about it."""
    sources = Sources(root)
    bench = Bench(
        plan=lambda answers: plan(root, found, config, answers, sources),
        render=lambda made, ids: render(root, made, ids, sources),
    )
    if not decisions.rules and not decisions.groups:
        return Review(bench, Decisions())
    return Review(bench, decisions.about(bench.plan({}).groups))


def _planned(root: Path, job: Job) -> Planned:
    config = settings(root, job.unit, job.lifetimes)
    found, shared = _own(_scanned(root, job.unit, config, 1), job.unit)
    state = review_of(root, found, config, job.decisions)
    taken, notes = _taken(state, job.level)
    return Planned(
        plan=state.plan,
        decisions=state.decisions,
        taken=taken,
        changes=state.rendered(taken),
        notes=notes,
        shared=shared,
    )


def _scanned(root: Path, unit: Unit, config: Config, jobs: int | None) -> Scan:
    return scan(root, config, jobs, unit.folders, unit.libraries)


def _own(found: Scan, unit: Unit) -> tuple[Scan, tuple[Finding, ...]]:
    """What belongs to the unit, and the stores of the libraries it uses."""
    own = msgspec.structs.replace(
        found,
        findings=tuple(each for each in found.findings if unit.holds(each.store.path)),
        diagnostics=tuple(
            each
            for each in found.diagnostics
            if unit.holds(each.path) or (unit.library_of(each.path) and not unit.users)
        ),
    )
    elsewhere = () if unit.is_library else tuple(each for each in found.findings if not unit.holds(each.store.path))
    return own, elsewhere


def _relative(folder: Path, root: Path) -> str:
    return folder.relative_to(root).as_posix() if folder.is_relative_to(root) else "."


def _moved(pattern: str, folder: str) -> str:
    """A pattern of .gitignore's fashion for `folder`, as it is written one or more folders higher."""
    if folder == ".":
        return pattern
    mark, body = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    place = PurePosixPath(folder)
    return f"{mark}/{place}/{body.lstrip('/')}" if "/" in body.rstrip("/") else f"{mark}/{place}/**/{body}"


def _taken(state: Review, level: Level) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(ids of the groups to take, what to tell about it): what was accepted, and open ones up to `level`."""
    allowed = {Verdict.EXACT} if level is Level.EXACT else {Verdict.EXACT, Verdict.REVIEW}
    accepted = {group.id for group in state.with_standing(Standing.ACCEPTED)}
    rejected = [group.id for group in state.with_standing(Standing.REJECTED)]
    wanted = [
        group.id
        for group in state.with_standing(Standing.ACCEPTED, Standing.OPEN)
        if group.id in accepted or group.verdict in allowed
    ]
    selection = select(state.plan, wanted, rejected)
    stale = state.with_standing(Standing.LOOK_AGAIN)
    again = [f"{group.id}: left, because its diff is not the one that was decided on" for group in stale]
    brought = [f"{each} comes along, because {needer} needs it" for each, needer in selection.brought.items()]
    return selection.accepted, (*again, *brought, *selection.refused.values())


def open_review(root: Path, unit: Unit, lifetimes: Mapping[str, str], decisions: BatchDecisions) -> Review:
    """The plan of a unit as it is now, with what was decided about it, for a person to go through."""
    config = settings(root, unit, lifetimes)
    own, _ = _own(_scanned(root, unit, config, None), unit)
    return review_of(root, own, config, decisions)
