"""Whether all that is done with the files of a location is understood: every site, or why they cannot move."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence

from unstate.classify.djangomoves import stored
from unstate.classify.filedefinitions import Definitions
from unstate.classify.fileflow import Flow, Survey, Touch
from unstate.classify.filejudge import READS, WRITES, Judge
from unstate.classify.fileuses import Moves, Uses
from unstate.classify.filewords import Location
from unstate.classify.programs import Programs
from unstate.facts.hints import path_of
from unstate.facts.values import FileFacts, Path
from unstate.link import places as roots
from unstate.link.escapes import names_in
from unstate.link.files import Operations
from unstate.link.paths import KEY
from unstate.link.places import Place, Places, is_below, parse
from unstate.link.program import Program
from unstate.link.values import Function, Slot
from unstate.model import ELSEWHERE, Op, Site
from unstate.project import is_aside

Read = Callable[[str], str]  # the text of a file, by its path

_DATABASE = re.compile(r"\.(db|sqlite3?)$")
_PUTTING = frozenset({"append", "add", "setdefault", "update", "insert", "extend"})


class Mover(Uses):
    """Looks at locations of a program: one, or several that move together."""

    def __init__(self, program: Program, judge: Judge, operations: Operations, read: Read) -> None:
        self.program = program
        self.judge = judge
        self.operations = operations
        self.read = read
        self.programs = Programs(program, read)
        self._surveys: dict[str, Survey] = {}
        self._definitions = Definitions(program, operations.resolver, operations.map)
        self._defined: dict[Place, tuple[Site, ...]] = {}
        self._lent: set[Place] | None = None

    def moves(self, locations: Sequence[Location]) -> Moves:
        """What moving the locations takes."""
        self.locations = locations
        self.folders = [self.alternatives(each.place) for each in locations]
        self.result = Moves()
        self.unknown: list[tuple[Flow, FileFacts, Touch]] = []
        self.around: list[tuple[Flow, FileFacts, Touch]] = []
        served = self._served_by_flask()
        for location in locations:
            if location.place.root == roots.TEMPORARY:
                self._obstacle(f"{_first(location)}: each process makes this folder anew")
            if served:
                self._obstacle(f"{_first(location)}: {served}")
        surveys = []
        for facts, text in self._texts():
            try:
                surveys.append(self._survey(facts, text))
            except (SyntaxError, RecursionError) as error:
                self._obstacle(f"{facts.path}:1: cannot be parsed again: {error}")
        self._keep(surveys)
        for survey in surveys:
            self._take(survey.read(self._concerns), survey.facts)
        for flow, facts, touch in self.unknown if self.result.leaves else ():
            self._unknown(flow, facts, touch)
        if self.result.leaves:
            self.result.either += [
                f"{flow.path}:{touch.call.lineno}: may work on a file of this folder: its name comes from elsewhere"
                for flow, _, touch in self.around
                if self._reached(flow.path, touch.frame)
            ]
        else:
            self.result.unseen = [
                f"{flow.path}:{touch.call.lineno}"
                for flow, _, touch in (*self.unknown, *self.around)
                if self._reached(flow.path, touch.frame) and not self._is_held(flow.path, touch)
            ]
        for flow, facts, touch in self.around if self.result.either else ():
            self._site(flow, facts, touch.call, touch.op, touch.frame, elsewhere=True)
            self._site(flow, facts, touch.operand, Op.PATH, touch.frame, elsewhere=True)
        for number, location in enumerate(locations):
            if location.stored:
                stored(self.result, number, self.operations.django, self._surveys.values())
            elif not any(site.op in READS and number in whose for site, whose in self.result.sites.items()):
                self._obstacle(
                    f"{_first(location)}: no reader was found in Python, so that something else must read the folder:"
                    " look in the web server's configuration and in templates"
                )
        return self.result

    def _keep(self, surveys: Sequence[Survey]) -> None:
        """Look for what is below the folders and stays: what requests lend and delete, databases of an engine."""
        if self._lent is None:
            self._lent = self.operations.map.lent()
        known = {place for survey in surveys for place in survey.places}
        wanted = {place for place in known if _DATABASE.search("/".join(place.steps[-1:]))}
        for place in self._lent | wanted:
            fixed = place if place in wanted else Place(place.root, place.detail, place.constant)
            if any(is_below(fixed, mine) and fixed != mine for folders in self.folders for mine in folders):
                self.result.kept.add(fixed)
        kept = self.result.kept
        self.result.kept = {each for each in kept if not any(each != one and is_below(each, one) for one in kept)}

    def definitions(self, location: Location) -> tuple[Site, ...]:
        """The values that the names of a location are given; none where one of them could not be found."""
        place = location.place
        if location.stored:
            return ()
        if place not in self._defined:
            found = self._definitions.of(self.alternatives(place), self.read)
            self._defined[place] = tuple(
                Site(path=path, span=Flow(path, self.read(path)).span(value), op=Op.DEFINE)
                for path, value, frame in found
            )
        return self._defined[place]

    def _unknown(self, flow: Flow, facts: FileFacts, touch: Touch) -> None:
        """An operation on a path that could not be followed, while paths of the locations go where nobody follows."""
        held = self._is_held(flow.path, touch)
        if not held:
            text = f"{flow.path}:{touch.call.lineno}: may open a file of this folder: its path could not be followed"
            if not touch.plain:
                self._obstacle(text)
                return
            self.result.either.append(text)
        self._site(flow, facts, touch.call, touch.op, touch.frame, elsewhere=not held)
        self._site(flow, facts, touch.operand, Op.PATH, touch.frame, elsewhere=not held)

    def _survey(self, facts: FileFacts, text: str) -> Survey:
        """What is known of a file whatever the location. Raises SyntaxError."""
        if facts.path not in self._surveys:
            self._surveys[facts.path] = Survey(facts, self.operations, text)
        return self._surveys[facts.path]

    def _is_held(self, path: str, touch: Touch) -> bool:
        """Whether a path is taken from a store into which nothing but paths of this location are put."""
        steps = path_of(touch.operand)
        found = self.program.lookup(path, touch.frame, steps[0]) if steps else None
        bound = [binding.ref for binding in found[1] if binding.ref is not None] if found is not None else []
        if len(bound) == 1 and bound[0].source and found is not None and found[0]:
            steps = (*path_of(parse(bound[0].source)), *steps[1:])
        slot = self._slot(path, touch.frame, steps)
        held = self.result.holders.get(slot, 0) if slot is not None else 0
        return slot is not None and held > 0 and held == self._writes(slot)

    def _slot(self, path: str, frame: int, steps: Path) -> Slot | None:
        """The store that a path of steps starts from, in front of its first key or method."""
        for count in range(1, len(steps)):
            if steps[count].startswith("[") or (steps[count + 1 : count + 2] == ("()",)):
                value = self._value(path, frame, steps[:count])
                return self.operations.resolver.settle(value)[0] if isinstance(value, Slot) else None
        return None

    def _writes(self, slot: Slot) -> int:
        """How many statements put something into a store."""
        bare = slot.name.rpartition(".")[2]
        return sum(
            1
            for path, facts in self.program.facts.items()
            for ref in facts.refs
            if bare in ref.path
            and (ref.use in ("target", "augment") or not _PUTTING.isdisjoint(ref.path))
            and len(ref.path) > 1
            and self._slot(path, ref.frame, ref.path) == slot
        )

    def _served_by_flask(self) -> str:
        """What is to be said of files below the static folder of a Flask app, "" where there are none."""
        everything = [found for facts in self.program.facts.values() for found in facts.imports]
        folders = [
            place
            for location in self.locations
            for place in (location.place, *(place for write in location.writes for place in write.places))
        ]
        if not any(found.module.partition(".")[0] == "flask" for found in everything):
            return ""
        if not any("static" in place.steps for place in folders):
            return ""
        return (
            "Flask serves what lies under `static` by itself, from local disk: keep these files in a folder of their"
            " own, with a route"
        )

    def alternatives(self, place: Place) -> Places:
        """The location's folder under each value that its name can have: a setting, or the default in the code."""
        found = {place: None}
        names = self.operations.map
        for held in (*names.slots.values(), *map(names.configured, self._keys(place))):
            starts = [other for other in held if is_below(place, other)]
            if starts and len(held) > 1:
                rest = place.steps[len(starts[0].steps) :]
                found.update(dict.fromkeys(other.below(*rest) for other in held))
        return tuple(found)

    def _keys(self, place: Place) -> list[str]:
        """What the folder is called in the configuration."""
        name = self.operations.map.names.get(place)
        bare = name.name.rpartition(".")[2].strip("[']") if name is not None else ""
        return [bare] if KEY.fullmatch(bare) else []

    def _concerns(self, place: Place) -> bool:
        """Whether a place is in the location, is its folder, or holds it."""
        return not self._stays(place) and any(
            place.base == mine.base
            and all(one == two or roots.ANY in one for one, two in zip(place.steps, mine.steps, strict=False))
            for folders in self.folders
            for mine in folders
        )

    def _inside(self, place: Place) -> bool:
        return not self._stays(place) and any(is_below(place, mine) for folders in self.folders for mine in folders)

    def _stays(self, place: Place) -> bool:
        return any(is_below(place, kept) for kept in self.result.kept)

    def _whose(self, places: Places) -> set[int]:
        """The numbers of the locations that some places lie in; all where that is not known."""
        found = {
            number
            for number, folders in enumerate(self.folders)
            if any(is_below(place, mine) for place in places for mine in folders)
        }
        return found or set(range(len(self.folders)))

    def _texts(self) -> Iterator[tuple[FileFacts, str]]:
        """Files that touch files, or say a name of the location's folder."""
        words = {
            name.name.rpartition(".")[2].strip("[']")
            for place, name in self.operations.map.names.items()
            if self._concerns(place)
        }
        for path, facts in self.program.facts.items():
            if is_aside(path) or facts.is_python2:
                continue
            try:
                text = self.read(path)
            except (OSError, SyntaxError, UnicodeDecodeError, LookupError) as error:
                self._obstacle(f"{path}:1: cannot be read again: {error}")
                continue
            if facts.expressions or any(word in text for word in words):
                yield facts, text

    # One file

    def _take(self, flow: Flow, facts: FileFacts) -> None:
        self.unknown += [(flow, facts, each) for each in flow.unknown if self._reached(facts.path, each.frame)]
        for touch in flow.touches:
            if not self._is_of_copy(flow, touch.operand, touch.frame):
                self._touch(flow, facts, touch)
        for mention in flow.mentions:
            inside = any(self._inside(place) for place in mention.places)
            if inside and not self._is_of_copy(flow, mention.node, mention.frame):
                self._mention(flow, facts, mention)

    def _is_of_copy(self, flow: Flow, node: ast.expr, frame: int) -> bool:
        """Whether an expression stands in a function that is given a local copy, and speaks of nothing but that."""
        names = self.programs.names(Function(flow.path, frame)).values() if frame else ()
        held = frozenset[str]().union(*names)
        if held.isdisjoint(names_in(node)):
            return False
        others = (each for each in ast.walk(node) if isinstance(each, ast.expr) and held.isdisjoint(names_in(each)))
        places = (self.operations.map.places(flow.path, frame, each, {}) for each in others)
        return not any(self._inside(place) for found in places for place in found)

    def _touch(self, flow: Flow, facts: FileFacts, touch: Touch) -> None:
        where = f"{flow.path}:{touch.call.lineno}"
        outside = [place for place in touch.places if not self._inside(place)]
        name = ast.unparse(touch.call.func)
        if len(outside) == len(touch.places):
            self._around(flow, facts, touch, where, name)
            return
        if touch.op is Op.PATH and outside:
            return  # a folder that is made and stays empty
        if touch.op is Op.PATH and any(is_below(kept, place) for kept in self.result.kept for place in touch.places):
            self.result.either.append(f"{where}: `{name}` makes the folder, also for what stays on local disk below it")
        if touch.op is Op.DELETE and not self._reached(flow.path, touch.frame) and self._is_wipe(flow, touch):
            if outside:
                self._obstacle(f"{where}: `{name}` empties this folder or another outside any request")
                self.result.outside.update(outside)
            self._site(flow, facts, touch.call, Op.CLEAR, touch.frame, touch.places)
            return
        if outside:
            self.result.outside.update(outside)
            self.result.either.append(f"{where}: the path that `{name}` is given may be in this folder or in another")
        if touch.op in WRITES and not name.endswith("copytree") and any(map(self._is_folder, touch.places)):
            self._obstacle(f"{where}: `{name}` is given the folder, and names the file itself")
            return
        op = Op.CALL if touch.op is Op.PATH else touch.op
        self._site(flow, facts, touch.call, op, touch.frame, touch.places, elsewhere=bool(outside))
        self._site(flow, facts, touch.operand, Op.PATH, touch.frame, touch.places, elsewhere=bool(outside))

    def _around(self, flow: Flow, facts: FileFacts, touch: Touch, where: str, name: str) -> None:
        """An operation on a place around the locations: on the folder, or on a file of it whose name is not known."""
        unknown = any(roots.ANY in step for place in touch.places for step in place.steps)
        if touch.op is Op.LIST or (touch.op is Op.DELETE and name.endswith(("rmtree", "rmdir"))) or not unknown:
            known = self._reached(flow.path, touch.frame) or any(map(self._is_around, touch.places))
            if known and touch.op in (Op.LIST, Op.DELETE, Op.SERVE, Op.RENAME):
                self._obstacle(f"{where}: `{name}` works on the folder around this one")
        elif touch.op in (Op.DELETE, Op.SERVE, Op.RENAME) and self._reached(flow.path, touch.frame):
            self.result.either.append(f"{where}: `{name}` works on files of the folder around this one")
            self.around.append((flow, facts, touch))
        elif touch.op is not Op.PATH:
            self.around.append((flow, facts, touch))

    def _is_around(self, place: Place) -> bool:
        """Whether a place is known to be a folder around one of the locations."""
        return any(
            roots.ANY not in "".join(mine.steps) and is_below(mine, place)
            for folders in self.folders
            for mine in folders
        )

    def _is_wipe(self, flow: Flow, touch: Touch) -> bool:
        """Whether a folder is emptied: as a whole, or by a loop over all that is in it."""
        if all(roots.ANY not in step for place in touch.places for step in place.steps):
            return ast.unparse(touch.call.func).endswith("rmtree")
        for node in touch.around:
            if isinstance(node, ast.For) and isinstance(node.target, ast.Name):
                return path_of(touch.operand) == (node.target.id,)
            if isinstance(node, ast.If) and not _asks_what_it_is(node.test):
                return False
        return False

    def _is_folder(self, place: Place) -> bool:
        return any(
            len(place.steps) < len(other.steps) and other.steps[: len(place.steps)] == place.steps
            for location in self.locations
            for write in location.writes
            for other in write.places
            if other.base == place.base
        )

    def _site(
        self,
        flow: Flow,
        facts: FileFacts,
        node: ast.expr,
        op: Op,
        frame: int,
        places: Places = (),
        *,
        elsewhere: bool = False,
    ) -> None:
        around = facts.frames[frame]
        site = Site(
            path=flow.path,
            span=flow.span(node),
            op=op,
            function=around.qualname if frame else "",
            asynchronous=around.asynchronous,
            reachable=self._reached(flow.path, frame),
            contexts=(ELSEWHERE,) if elsewhere else (),
        )
        self.result.sites.setdefault(site, set()).update(self._whose(places))

    def _reached(self, path: str, frame: int) -> bool:
        return bool(self.judge.reaching(path, frame))


def _asks_what_it_is(test: ast.expr) -> bool:
    """`path.is_dir()`, `os.path.isfile(path)`: true or false for files and folders, whatever they hold."""
    name = getattr(test.func, "attr", "") if isinstance(test, ast.Call) else ""
    return name in ("is_dir", "is_file", "isdir", "isfile", "exists", "islink", "is_symlink")


def _first(location: Location) -> str:
    first = min(location.writes, key=lambda each: (each.path, each.call.span))
    return f"{first.path}:{first.call.span[0]}"
