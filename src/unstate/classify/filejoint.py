"""Which locations move, alone or together, and whether their files must be told from others at run time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from unstate.classify.filemoves import Mover
from unstate.classify.fileuses import Moves
from unstate.classify.filewords import Location
from unstate.link.places import ANY, Places, is_below
from unstate.link.values import Slot
from unstate.model import WITHOUT, Op, Site

UNTOLD = (
    "other folders of this app are told from local ones by where they get their name, and no statement names this one"
    " alone"
)


@dataclass(frozen=True)
class Outcome:
    """What became of one location: obstacles, or sites."""

    obstacles: tuple[str, ...]
    sites: tuple[Site, ...]
    leaves: bool
    unseen: tuple[str, ...]
    holders: tuple[Slot, ...]
    partners: tuple[int, ...] = ()  # numbers of the locations that move with it, or not at all


def outcomes(mover: Mover, locations: Sequence[Location]) -> list[Outcome]:
    """One outcome a location, in order."""
    alone = [mover.moves([each]) for each in locations]
    found: dict[int, tuple[Moves, list[int]]] = {number: (moves, [number]) for number, moves in enumerate(alone)}
    for cluster in _meeting(mover, locations, alone):
        moves = mover.moves([locations[number] for number in cluster])
        if not moves.obstacles and (not moves.either or all(mover.definitions(locations[each]) for each in cluster)):
            found.update(dict.fromkeys(cluster, (moves, cluster)))
    told = any(
        moves.either and not moves.obstacles and all(mover.definitions(locations[each]) for each in cluster)
        for moves, cluster in found.values()
    )
    return [_outcome(mover, locations, number, *found[number], told=told) for number in range(len(locations))]


def _outcome(
    mover: Mover, locations: Sequence[Location], number: int, moves: Moves, cluster: list[int], *, told: bool
) -> Outcome:
    definitions = mover.definitions(locations[number])
    obstacles = list(moves.obstacles)
    if moves.either and not all(mover.definitions(locations[each]) for each in cluster):
        obstacles += moves.either
    place = cluster.index(number)
    sites = {site for site, whose in moves.sites.items() if place in whose}
    if told and not definitions and not obstacles and any(site.op is Op.PATH for site in sites):
        obstacles.append(UNTOLD)
    if told and not obstacles:
        sites.update(_without(site, moves, mover.alternatives(locations[number].place)) for site in definitions)
    return Outcome(
        obstacles=tuple(obstacles),
        sites=tuple(sorted(sites, key=lambda site: (site.path, site.line, site.span.column, site.op))),
        leaves=moves.leaves,
        unseen=tuple(sorted(set(moves.unseen))),
        holders=tuple(moves.holders),
        partners=tuple(each for each in cluster if each != number),
    )


def _without(definition: Site, moves: Moves, folders: Places) -> Site:
    """The definition with the names in the folder that stay on local disk."""
    names = {
        "/".join(place.steps[len(folder.steps) :]).replace(ANY, "*")
        for place in moves.kept
        for folder in folders
        if is_below(place, folder)
    }
    return replace(definition, contexts=tuple(f"{WITHOUT}{name}" for name in sorted(names)))


def _meeting(mover: Mover, locations: Sequence[Location], alone: Sequence[Moves]) -> list[list[int]]:
    """Groups of locations whose files meet in one operation, each group in order."""
    folders = [mover.alternatives(each.place) for each in locations]
    group = list(range(len(locations)))
    for number, moves in enumerate(alone):
        for place in moves.outside:
            for other, mine in enumerate(folders):
                if other != number and any(is_below(place, each) for each in mine):
                    old, new = group[other], group[number]
                    group = [new if each == old else each for each in group]
    clusters = [[each for each in range(len(group)) if group[each] == name] for name in sorted(set(group))]
    return [cluster for cluster in clusters if len(cluster) > 1]
