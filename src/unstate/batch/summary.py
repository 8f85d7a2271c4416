"""A campaign in short: `summary.json` for programs, `summary.md` for a wiki or a job, `summary.html` for a browser."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import msgspec

from unstate.batch import bodies
from unstate.batch.campaign import Campaign
from unstate.batch.campaign import write as write_file
from unstate.batch.journal import Record, State, Step
from unstate.batch.model import Hold
from unstate.batch.testing import Compared
from unstate.batch.units import Unit
from unstate.batch.work import Planned
from unstate.changes import documents
from unstate.model import Value, Verdict
from unstate.render.templates import fill
from unstate.report import words
from unstate.report.words import visible

MARKDOWN, PAGE = "campaign.md.j2", "campaign.html.j2"


class StoreEntry(Value, frozen=True):
    """One store of a unit."""

    id: str
    kind: str
    name: str
    place: str  # "services/a/app.py:12"
    verdict: Verdict
    taken: bool
    why: tuple[str, ...] = ()  # why there is no patch


class StepEntry(Value, frozen=True):
    """How one step ended for a unit."""

    state: State
    words: str = ""  # what came of it, or why nothing did


class UnitEntry(Value, frozen=True):
    """One service or shared library."""

    name: str
    root: str
    library: bool
    owners: tuple[str, ...]
    replicas: int | None
    holds: tuple[Hold, ...]
    branch: str  # "" where there is nothing to change
    stores: tuple[StoreEntry, ...]
    libraries: tuple[str, ...]  # roots of the shared libraries in which it keeps state
    joined: tuple[str, ...]  # of a library: files of its users that change with it
    steps: dict[str, StepEntry]
    diagnostics: tuple[str, ...] = ()


class Overlap(Value, frozen=True):
    """A file that several changes touch: they are merged one after the other."""

    path: str
    units: tuple[str, ...]


class Prefix(Value, frozen=True):
    """A beginning of keys that several services use: they must not share one Redis database or bucket."""

    prefix: str
    units: tuple[str, ...]


class Summary(Value, frozen=True, kw_only=True):
    """A whole campaign."""

    schema: Literal["unstate.batch-summary/1"] = "unstate.batch-summary/1"
    commit: str
    units: tuple[UnitEntry, ...]  # shared libraries first
    failures: tuple[str, ...]  # names, once each
    overlaps: tuple[Overlap, ...]
    prefixes: tuple[Prefix, ...]
    orphans: int  # Python files that belong to no service and no library


def write(campaign: Campaign) -> Summary:
    """Write the three views. Raises OSError, and TemplateError for a broken template of the project."""
    made = summarise(campaign)
    write_file(campaign.folder / "summary.json", documents.encode(made))
    counts = Counter(store.verdict.value for unit in made.units for store in unit.stores)
    values = {
        "summary": made,
        "counts": [(verdict.value, counts[verdict.value]) for verdict in Verdict if counts[verdict.value]],
        "stores": sum(counts.values()),
        "moving": sum(store.taken for unit in made.units for store in unit.stores),
        "words": words,
        "visible": visible,
    }
    for name, template in (("summary.md", MARKDOWN), ("summary.html", PAGE)):
        text = fill(campaign.root, template, **values)
        write_file(campaign.folder / name, text.encode("utf-8", "backslashreplace"))
    return made


def summarise(campaign: Campaign) -> Summary:
    """What the journal comes to."""
    records = {step: campaign.journal.records(step) for step in Step}
    touched: dict[str, list[str]] = {}
    prefixes: dict[str, list[str]] = {}
    units = []
    for unit in campaign.units():
        planned = campaign.planned(unit.name)
        for change in planned.changes if planned else ():
            touched.setdefault(change.path, []).append(unit.name)
        for prefix in sorted(_prefixes(planned)):
            prefixes.setdefault(prefix, []).append(unit.name)
        steps = {step: records[step][unit.name] for step in Step if unit.name in records[step]}
        units.append(_unit(campaign, unit, planned, steps))
    return Summary(
        commit=campaign.settings.commit,
        units=tuple(units),
        failures=tuple(
            each.name for each in units if any(step.state is not State.DONE for step in each.steps.values())
        ),
        overlaps=tuple(
            Overlap(path=path, units=tuple(names)) for path, names in sorted(touched.items()) if len(names) > 1
        ),
        prefixes=tuple(
            Prefix(prefix=prefix, units=tuple(names)) for prefix, names in sorted(prefixes.items()) if len(names) > 1
        ),
        orphans=len(campaign.settings.estate.orphans),
    )


def _unit(campaign: Campaign, unit: Unit, planned: Planned | None, records: dict[Step, Record]) -> UnitEntry:
    service = next((each for each in campaign.settings.estate.services if each.root == unit.root), None)
    plan = planned.plan if planned else None
    return UnitEntry(
        name=unit.name,
        root=unit.root,
        library=unit.is_library,
        owners=unit.owners,
        replicas=service.replicas if service and not unit.is_library else None,
        holds=service.holds if service and not unit.is_library else (),
        branch=bodies.branch(unit) if planned and planned.changes else "",
        stores=tuple(
            StoreEntry(
                id=group.id,
                kind=group.finding.kind.value,
                name=group.finding.store.name,
                place=words.place(group.finding),
                verdict=group.verdict,
                taken=planned is not None and group.id in planned.taken,
                why=words.kept(group),
            )
            for group in (plan.groups if plan else ())
        ),
        libraries=campaign.shared(unit.name),
        joined=tuple(
            change.path
            for change in (planned.changes if planned else ())
            if unit.is_library and not unit.holds(change.path)
        ),
        steps={
            step.value: StepEntry(state=record.state, words=_words(campaign, record))
            for step, record in records.items()
        },
        diagnostics=tuple(f"{words.at(each)}: {each.message}" for each in (plan.diagnostics if plan else ())),
    )


def _prefixes(planned: Planned | None) -> set[str]:
    """What the keys of a unit begin with, once its change is live."""
    groups = planned.plan.groups if planned else ()
    return {group.prefix for group in groups if planned and group.id in planned.taken and group.prefix}


def _words(campaign: Campaign, record: Record) -> str:
    if record.state is not State.DONE:
        return record.reason.strip().split("\n", 1)[0]
    if record.step is Step.TEST:
        kept = campaign.journal.record(Step.TEST, record.unit)
        return msgspec.msgpack.decode(kept.result, type=Compared).result.value if kept and kept.result else ""
    if record.step in (Step.BRANCH, Step.PR):
        kept = campaign.journal.record(record.step, record.unit)
        return kept.result.decode(errors="replace") if kept else ""
    return ""


def table(units: Sequence[UnitEntry]) -> list[tuple[str, ...]]:
    """The units as rows of text for a terminal: name, stores, and how each step went."""
    rows = [("service", "stores", "to move", *(step.value for step in Step))]
    for unit in units:
        taken = sum(store.taken for store in unit.stores)
        steps = (_cell(unit.steps.get(step.value)) for step in Step)
        name = f"{unit.name} (library)" if unit.library and not unit.name.endswith("(library)") else unit.name
        rows.append((visible(name), str(len(unit.stores)), str(taken), *steps))
    return rows


def _cell(step: StepEntry | None) -> str:
    if step is None:
        return "-"
    if step.state is not State.DONE:
        return step.state.value
    return "done" if not step.words or len(step.words) > 16 else step.words
