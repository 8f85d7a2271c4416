"""Folders and files on local disk that outlive the request that writes them."""

from __future__ import annotations

from collections import defaultdict

from msgspec.structs import replace

from unstate.classify import purpose
from unstate.classify.filejoint import Outcome, outcomes
from unstate.classify.filejudge import WRITES, Judge
from unstate.classify.filemoves import Mover, Read
from unstate.classify.filewords import Location, Words, span_of
from unstate.link import places as roots
from unstate.link.escapes import names_in
from unstate.link.files import Operation, Operations
from unstate.link.places import Name, Place
from unstate.link.program import Program
from unstate.link.reach import Reach
from unstate.link.stores import contexts
from unstate.model import Finding, Kind, Scope, Shape, Site, Span, Store, Verdict

_DATA = frozenset("json jsonl csv tsv db sqlite sqlite3 pkl pickle yaml yml".split())
UNSEEN = "opens what a caller names, on local disk as before: were it a file of this folder, it is not found any more"
LEAVING = (
    "paths of files are stored or handed out as text: they stay valid as names, but no local file lies there any more",
)
ABSOLUTE = (
    "these paths begin with the app's own folder: they mean the same file where every instance lies in the same one",
)
OF_MACHINE = (
    "the names of these files begin with the machine's folder for temporary ones: they are the same files where every"
    " instance has the same one (TMPDIR)",
)


class Files:
    """Judges every location of a program."""

    def __init__(self, program: Program, reach: Reach, operations: Operations, read: Read | None = None) -> None:
        """`read` gives the text of a file; without it no location is said to be movable."""
        self.program = program
        self.map = operations.map
        self.judge = Judge(program, reach, operations)
        self.words = Words(program, self.judge)
        self.mover = Mover(program, self.judge, operations, read) if read is not None else None
        self.holders: dict[tuple[str, str], set[str]] = defaultdict(set)  # stores that keep paths -> whose files

    def findings(self) -> list[Finding]:
        """One finding for each location that is state."""
        found: dict[Place, Location] = {}
        for write in self.judge.lasting:
            if write.op not in WRITES or not self.judge.happens(write):
                continue
            for place in write.places:
                known = self.judge.anchored(place) and not purpose.of_no_user(place, self.map)
                if known and self.judge.outlives(write, place):
                    where = Place(place.root, place.detail, place.constant)
                    found.setdefault(where, Location(where)).writes.append(write)
        outer = [each for each in found.values() if not any(_holds(other, each.place) for other in found)]
        results: dict[str, tuple[Finding, Location]] = {}
        for location in self._without_doubles(outer):
            writes = [
                write
                for other in found.values()
                if other is location or _holds(location.place, other.place)
                for write in other.writes
            ]
            location.operations = self._touching(location, writes)
            finding = self._finding(location)
            results.setdefault(finding.id, (finding, location))
        return self._moved(list(results.values()))

    def with_holders(self, findings: list[Finding]) -> list[Finding]:
        """The same findings; those of stores that keep paths of files say whose. Call after `findings`."""
        return [
            replace(each, holds=tuple(sorted({*each.holds, *held}))) if (held := self._held_by(each.store)) else each
            for each in findings
        ]

    def _held_by(self, store: Store) -> set[str]:
        return self.holders.get((store.path, store.name), set())

    def _without_doubles(self, locations: list[Location]) -> list[Location]:
        """One location where several are only other readings of the same writes: the best known one."""
        best: dict[frozenset[int], list[Location]] = {}
        for location in locations:
            best.setdefault(frozenset(map(id, location.writes)), []).append(location)
        chosen = []
        for group in best.values():
            defined = [each for each in group if self._definition(each.place) is not None]
            chosen += defined or group[:1]
        return chosen

    def _definition(self, place: Place) -> Name | None:
        """The name of a place or of the nearest folder around it that a statement defines."""
        steps = place.constant
        for count in range(len(steps), -1, -1):
            name = self.map.names.get(Place(place.root, place.detail, steps[:count]))
            if name is not None and name.ref is not None and (count or place.root == roots.NAME):
                return name
        return None

    def _touching(self, location: Location, writes: list[Operation]) -> list[Operation]:
        """The writes that make a location state, and whatever else is done to the same files."""
        places = [place for write in writes for place in write.places if place.base == location.place.base]
        chosen = {id(write) for write in writes}

        def concerns(each: Operation) -> bool:
            return any(
                self.judge.anchored(mine)
                and not purpose.of_no_user(mine, self.map)
                and any(self.judge.reaches(each, mine, place) for place in places)
                for mine in each.places
            )

        return [each for each in self.judge.lasting if id(each) in chosen or (each.op not in WRITES and concerns(each))]

    def _finding(self, location: Location) -> Finding:
        first = min(
            (each for each in location.operations if each.op in WRITES and self.judge.happens(each)),
            key=lambda each: (each.path, each.call.span),
        )
        name, path, span, definition = self._named(location.place, first)
        kind = Kind.FILE_DATABASE if _is_database(location) else Kind.FILE_STORE
        rule = "US203" if kind is Kind.FILE_DATABASE else "US202"
        module = self.program.module_name(path)
        sites = {self._site(each): None for each in location.operations}
        store = Store(
            service=".",
            module=module,
            name=name,
            path=path,
            span=span,
            scope=Scope.FOLDER,
            constructor="file" if kind is Kind.FILE_DATABASE else "storage" if location.stored else "folder",
            definition=definition,
            sites=tuple(sorted(sites, key=lambda site: (site.path, site.line, site.span.column, site.op))),
        )
        return Finding(
            id=f"{rule}:{store.service}:{module}:{name}",
            rule=rule,
            kind=kind,
            shape=Shape.FILE,
            store=store,
            limit=Verdict.MANUAL,
            evidence=self.words.evidence(store, first, kind),
            reasons=self.words.reasons(store, location, first, kind),
        )

    def _moved(self, found: list[tuple[Finding, Location]]) -> list[Finding]:
        """The findings; those of locations that can move have all their sites, others what is in the way."""
        results = [finding for finding, _ in found]
        plain = [
            number
            for number, (finding, location) in enumerate(found)
            if finding.kind is Kind.FILE_STORE and self.words.is_plain(location)
        ]
        if self.mover is None:
            return results
        for number, outcome in zip(plain, outcomes(self.mover, [found[each][1] for each in plain]), strict=True):
            finding, location = found[number]
            partners = tuple(_name(found[plain[each]][0].store) for each in outcome.partners)
            for slot in outcome.holders:
                self.holders[slot.path, self.map.qualified(slot)].update((_name(finding.store), *partners))
            results[number] = self._movable(finding, location, outcome, partners)
        return results

    def _movable(self, finding: Finding, location: Location, outcome: Outcome, partners: tuple[str, ...]) -> Finding:
        if outcome.obstacles:
            return replace(finding, reasons=(finding.reasons[0], *outcome.obstacles[:6]))
        absolute = location.place.root in (roots.PROJECT, roots.APPLICATION)
        reasons = (*LEAVING, *(ABSOLUTE if absolute else ())) if outcome.leaves else ()
        if location.place.root == roots.SCRATCH and "/tmp" not in finding.store.definition:
            reasons = (*reasons, *OF_MACHINE)
        if outcome.unseen:
            places = ", ".join(outcome.unseen[:5]) + (" and more" if len(outcome.unseen) > 5 else "")
            reasons = (*reasons, f"{places}: {UNSEEN}")
        by_storage = {self._site(each) for each in location.operations if each.storage and each.op in WRITES}
        sites = sorted(
            {*outcome.sites, *by_storage}, key=lambda site: (site.path, site.line, site.span.column, site.op)
        )
        store = replace(finding.store, sites=tuple(sites))
        return replace(finding, store=store, limit=Verdict.REVIEW, reasons=reasons, holds=tuple(sorted(partners)))

    def _named(self, place: Place, first: Operation) -> tuple[str, str, Span, str]:
        """Name of a location, where it is defined, and the source of the definition."""
        steps = place.constant
        for count in range(len(steps), -1, -1):
            name = self.map.names.get(Place(place.root, place.detail, steps[:count]))
            if name is not None and (count or place.root == roots.NAME):
                full = "/".join((name.name, *steps[count:]))
                if name.ref is not None:
                    line, column, end_line, end_column = name.ref.statement
                    span = Span(line=line, column=column, end_line=end_line, end_column=end_column)
                    return full, name.path, span, name.ref.source
                return full, first.path, span_of(first), first.call.source
        if place.root == roots.TEMPORARY:
            frame = self.program.facts[first.path].frames[first.function]
            local = next(iter(names_in(first.key)), "file")
            return f"{frame.qualname}.{local}", first.path, span_of(first), first.call.source
        start = place.detail if place.root in (roots.UNKNOWN, roots.NAME) and isinstance(place.detail, str) else ""
        return "/".join(filter(None, (start, *steps))) or place.root, first.path, span_of(first), first.call.source

    def _site(self, operation: Operation) -> Site:
        frame = self.program.facts[operation.path].frames[operation.function]
        return Site(
            path=operation.path,
            span=span_of(operation),
            op=operation.op,
            function=frame.qualname if operation.function else "",
            asynchronous=frame.asynchronous,
            reachable=bool(self.judge.entries(operation)),
            contexts=contexts(operation.call.flags, operation.function == 0),
        )


def _holds(outer: Place, inner: Place) -> bool:
    """Whether one location is a folder around another, and more than the project's own."""
    return (
        outer.base == inner.base
        and len(outer.steps) < len(inner.steps)
        and outer.steps == inner.steps[: len(outer.steps)]
        and (bool(outer.steps) or outer.root == roots.NAME)
    )


def _name(store: Store) -> str:
    return f"{store.module}:{store.name}"


def _is_database(location: Location) -> bool:
    """Whether everything that is written there is data in a format that a program reads back."""
    written = [
        (each.call.name, place.steps[-1] if place.steps else "")
        for each in location.operations
        if each.op in WRITES
        for place in each.places
        if place.base == location.place.base
    ]
    return bool(written) and all(
        call == "connect" or ("." in name and name.rpartition(".")[2] in _DATA) for call, name in written
    )
