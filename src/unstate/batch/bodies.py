"""What a unit's change is called, and what its pull request and its commit say."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from unstate.batch.campaign import Campaign
from unstate.batch.journal import Step
from unstate.batch.model import Hold
from unstate.batch.testing import Compared
from unstate.batch.units import Unit, library_units
from unstate.batch.work import Planned
from unstate.model import FileChange
from unstate.render.templates import fill
from unstate.report.markdown import plan_markdown
from unstate.report.words import count, listing, visible

PULL_REQUEST, MESSAGE = "pull_request.md.j2", "commit_message.txt.j2"
TRAILER = "Unstate-Change"
PREFIX = "unstate/"


def branch(unit: Unit) -> str:
    """The name of a unit's branch."""
    return PREFIX + unit.slug


def title(unit: Unit, planned: Planned) -> str:
    """The first line of a unit's commit, and the title of its pull request."""
    taken = [group for group in planned.plan.groups if group.id in planned.taken]
    backings = {"S3" if each == "s3" else "Redis" for group in taken for each in group.uses}
    return visible(f"{unit.name}: move {count(len(taken), 'store')} to {listing(sorted(backings))}")


def body(campaign: Campaign, unit: Unit, planned: Planned) -> bytes:
    """The text of a unit's pull request, as markdown. Raises TemplateError for a broken template."""
    estate = campaign.settings.estate
    service = next((each for each in estate.services if each.root == unit.root and not unit.is_library), None)
    holds: Sequence[Hold] = service.holds if service else ()
    branches = {each.root: branch(each) for each in library_units(estate, {})}
    stores = [each.store for each in planned.shared]
    shared = {(each.name, f"{each.path}:{each.span.line}", branches[unit.library_of(each.path)]) for each in stores}
    record = campaign.journal.record(Step.TEST, unit.name)
    tested = msgspec.msgpack.decode(record.result, type=Compared) if record and record.result else None
    text = fill(
        campaign.root,
        PULL_REQUEST,
        title=title(unit, planned),
        change=plan_markdown(planned.plan, planned.taken, campaign.root).decode().rstrip(),
        unit=unit,
        outside=[change.path for change in planned.changes if unit.is_library and not unit.holds(change.path)],
        shared=sorted(shared),
        holds=holds,
        switches=_switches(campaign, unit, planned),
        notes=planned.notes,
        tested=tested,
        visible=visible,
    )
    return f"{text.rstrip()}\n".encode("utf-8", "backslashreplace")


def _switches(campaign: Campaign, unit: Unit, planned: Planned) -> list[tuple[str, list[str]]]:
    """(variable, stores that it moves) of the libraries that a unit is or keeps state in."""
    groups = list(planned.plan.groups) if unit.is_library else []
    ids = {finding.id for finding in planned.shared}
    for library in () if unit.is_library else library_units(campaign.settings.estate, {}):
        made = campaign.planned(library.name) if library.root in unit.libraries else None
        groups += [group for group in made.plan.groups if group.id in ids] if made else []
    found: dict[str, list[str]] = {}
    for group in groups:
        if group.switch:
            found.setdefault(group.switch, []).append(f"`{group.finding.store.name}`")
    return sorted(found.items())


def message(campaign: Campaign, unit: Unit, planned: Planned) -> str:
    """The message of a unit's commit; its trailer names the change, so that it is known again."""
    text = fill(
        campaign.root,
        MESSAGE,
        title=title(unit, planned),
        unit=unit,
        groups=[group for group in planned.plan.groups if group.id in planned.taken],
        visible=visible,
    )
    return f"{text.rstrip()}\n\n{TRAILER}: {change_id(planned.changes)}\n"


def change_id(changes: Sequence[FileChange]) -> str:
    """A name for what the changed files become."""
    state = hashlib.sha256()
    for change in changes:
        content = change.after or b""
        state.update(
            f"{change.path}\0{change.after is None}\0{len(content)}\0".encode(errors="surrogateescape") + content
        )
    return state.hexdigest()
