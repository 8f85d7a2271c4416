"""The parts of a campaign that several machines did, put together as if one had done it all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec

from unstate.batch.campaign import Campaign, Settings, opened
from unstate.batch.errors import BatchError
from unstate.batch.journal import State, Step
from unstate.batch.version import identity


def settings_of(parts: Sequence[Path], root: Path) -> Settings:
    """The settings of the whole. Raises BatchError where the parts are not parts of one campaign."""
    found: list[tuple[Path, Settings]] = []
    for part in parts:
        with opened(part) as campaign:
            found.append((part, campaign.settings))
    first_place, first = found[0]
    for place, other in found[1:]:
        if (what := _difference(first, other)) is not None:
            raise BatchError(f"{first_place} and {place} are not parts of one campaign: they differ in {what}")
    if first.identity != identity():
        raise BatchError(f"{first_place} was made by unstate {first.identity}, this is {identity()}")
    _check_complete(found)
    choice = msgspec.structs.replace(first.choice, shard="")
    estate = msgspec.structs.replace(first.estate, root=str(root))
    return msgspec.structs.replace(first, root=str(root), estate=estate, choice=choice)


def merge(campaign: Campaign, parts: Sequence[Path]) -> None:
    """Take over what the parts have decided and planned; a failed plan does not replace one that is done."""
    with ExitStack() as stack:
        sources = [stack.enter_context(opened(part)) for part in parts]
        decided = {msgspec.json.encode(source.decisions) for source in sources}
        if len(decided) > 1:
            raise BatchError("the parts were decided on differently; decide after they are put together")
        campaign.decide(sources[0].decisions)
        for source in sources:
            for name in source.journal.records(Step.PLAN):
                record = source.journal.record(Step.PLAN, name)
                mine = campaign.journal.record(Step.PLAN, name)
                if record is None or (mine is not None and mine.state is State.DONE and record.state is not State.DONE):
                    continue
                campaign.journal.keep(record)
                campaign.journal.note(f"shared {name}", "\n".join(source.shared(name)))
            units = {unit.name: unit for unit in source.units()}
            for unit in units.values():
                place = source.place(unit)
                campaign.write(
                    unit, {path.name: path.read_bytes() for path in sorted(place.glob("*")) if path.is_file()}
                )


def _difference(one: Settings, other: Settings) -> str | None:
    """What tells two settings apart, beside the part and the place."""

    def bare(settings: Settings) -> dict[str, object]:
        choice = msgspec.structs.replace(settings.choice, shard="")
        estate = msgspec.structs.replace(settings.estate, root="")
        return msgspec.structs.asdict(msgspec.structs.replace(settings, root="", choice=choice, estate=estate))

    theirs = bare(other)
    return next((name for name, value in bare(one).items() if theirs[name] != value), None)


def _check_complete(found: Sequence[tuple[Path, Settings]]) -> None:
    """Raises BatchError unless every part of the whole is there once."""
    shards = [(place, re.fullmatch(r"(\d+)/(\d+)", settings.choice.shard)) for place, settings in found]
    numbers: dict[int, Path] = {}
    total = 0
    for place, match in shards:
        if match is None:
            raise BatchError(f"{place} is a whole campaign, and no part of one")
        total = total or int(match[2])
        if int(match[2]) != total:
            raise BatchError(f"{place} is one of {match[2]} parts, others are of {total}")
        if int(match[1]) in numbers:
            raise BatchError(f"{numbers[int(match[1])]} and {place} are the same part")
        numbers[int(match[1])] = place
    missing = sorted(set(range(1, total + 1)) - numbers.keys())
    if missing:
        raise BatchError(f"missing: part {', '.join(f'{number}/{total}' for number in missing)}")
