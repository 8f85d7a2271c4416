"""The step `plan`: a plan, a patch and the text of a pull request for each unit, made by an engine of one's choice."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import msgspec

from unstate.batch import bodies, git
from unstate.batch.campaign import BODY, PATCH, PLAN, Campaign
from unstate.batch.engines import Engine
from unstate.batch.errors import BatchError
from unstate.batch.fingerprints import Fingerprints
from unstate.batch.journal import State, Step
from unstate.batch.run import Progress, Tally, Work, run
from unstate.batch.units import Unit
from unstate.batch.version import identity
from unstate.batch.work import Job, Planned, plan_unit
from unstate.changes import diff, documents
from unstate.model import Verdict
from unstate.report.words import count

_DECIDED = "decisions of the last plan"


def plan(
    campaign: Campaign,
    engine: Engine,
    progress: Progress,
    *,
    repository: str = "",
    max_failures: int | None = None,
    again: bool = False,
) -> Tally:
    """Plan the services, then the libraries that they share.

    `repository`: where workers check the campaign's commit out, "" where they read the files as they lie. `again`:
    also what failed before and has not changed. Raises BatchError where the tree is not what the workers would see.
    """
    if repository and (changed := git.changed(campaign.root)):
        raise BatchError(
            f"{count(len(changed), 'file')} not as in the commit that the workers check out, {changed[0]} the first; "
            "commit them, or use another engine"
        )
    campaign.renew()
    prints = Fingerprints(campaign.root)
    work = Work(Step.PLAN, plan_unit, lambda unit, result: _keep(campaign, unit, result))
    tally = Tally()
    _forget_failures(campaign)
    for units in (campaign.services, campaign.libraries):
        chosen = units()
        if tally.left:
            tally.left += [unit.name for unit in chosen]
            break
        tally += run(
            work,
            {unit.name: unit for unit in chosen},
            _items(campaign, chosen, prints, repository),
            journal=campaign.journal,
            engine=engine,
            progress=progress,
            max_failures=max_failures,
            again=again,
        )
    campaign.journal.note(_DECIDED, _digest(campaign))
    _name_switches(campaign)
    campaign.tidy()
    return tally


def _name_switches(campaign: Campaign) -> None:
    """Write the texts of services anew that keep state in libraries: how it is switched is known only now."""
    for unit in campaign.services():
        planned = campaign.planned(unit.name)
        if planned is not None and planned.shared and planned.changes:
            campaign.write(unit, {BODY: bodies.body(campaign, unit, planned)})


def said(planned: Planned) -> str:
    """A plan in a few words: "3 stores: 2 to move, 1 left"."""
    total = len(planned.plan.groups)
    if not total and planned.shared:
        return f"{count(len(planned.shared), 'store')} in shared libraries"
    if not total:
        return "no state found"
    moved = len(planned.taken)
    parts = [f"{moved} to move"] if moved else []
    manual = sum(group.verdict is Verdict.MANUAL for group in planned.plan.groups)
    parts += [f"{manual} by hand"] if manual else []
    left = total - moved - manual
    parts += [f"{left} left"] if left else []
    return f"{count(total, 'store')}: {', '.join(parts)}"


def _items(
    campaign: Campaign, units: Sequence[Unit], prints: Fingerprints, repository: str
) -> Mapping[str, tuple[str, Job]]:
    settings = campaign.settings
    asked = msgspec.json.encode((settings.lifetimes, settings.level), order="sorted").decode()
    items = {}
    for unit in units:
        fingerprint = prints.of(unit, identity(), asked)
        _forget_if_decided_anew(campaign, unit)
        items[unit.name] = (
            fingerprint,
            Job(
                repository=repository or settings.root,
                unit=unit,
                identity=identity(),
                commit=settings.commit if repository else "",
                decisions=campaign.decisions,
                lifetimes=settings.lifetimes,
                level=settings.level,
            ),
        )
    return items


def _forget_if_decided_anew(campaign: Campaign, unit: Unit) -> None:
    """A plan hangs on what was decided about its own groups, and on no other decision."""
    if campaign.journal.noted(_DECIDED) == _digest(campaign):
        return
    planned = campaign.planned(unit.name)
    if planned is not None and planned.decisions != campaign.decisions.about(planned.plan.groups):
        campaign.journal.forget(Step.PLAN, unit.name)


def _forget_failures(campaign: Campaign) -> None:
    """A decision may be what made a plan fail, or what mends it."""
    if campaign.journal.noted(_DECIDED) != _digest(campaign):
        for name, record in campaign.journal.records(Step.PLAN).items():
            if record.state is State.FAILED:
                campaign.journal.forget(Step.PLAN, name)


def _digest(campaign: Campaign) -> str:
    return hashlib.sha256(msgspec.json.encode(campaign.decisions)).hexdigest()


def _keep(campaign: Campaign, unit: Unit, planned: Planned) -> tuple[bytes, str]:
    campaign.write(
        unit,
        {
            PLAN: documents.encode(planned.plan),
            PATCH: diff.unified(planned.changes),
            BODY: bodies.body(campaign, unit, planned) if planned.changes else b"",
        },
    )
    campaign.keep_shared(unit, planned)
    return msgspec.msgpack.encode(planned), said(planned)
