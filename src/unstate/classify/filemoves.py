"""Whether all that is done with the files of a location is understood: every site, or why they cannot move."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from unstate.classify.djangomoves import stored
from unstate.classify.fileflow import Flow, Mention, Survey, Touch
from unstate.classify.filejudge import READS, WRITES, Judge
from unstate.classify.filewords import Location
from unstate.facts.hints import path_of
from unstate.facts.values import FileFacts, Path
from unstate.link import places as roots
from unstate.link.files import Operations
from unstate.link.paths import KEY
from unstate.link.places import Place, parse
from unstate.link.program import Program
from unstate.link.values import Class, Function, Slot
from unstate.model import Op, Site
from unstate.project import is_aside

Read = Callable[[str], str]  # the text of a file, by its path

# What is asked of a path without the file.
_PURE = frozenset(
    "name stem suffix suffixes parts parent parents endswith startswith is_relative_to is_absolute match anchor".split()
)
_TEXT = frozenset("as_posix relative_to split rsplit replace encode removeprefix removesuffix format lower".split())
# Calls that take a path for a text.
_SINKS = frozenset(
    (
        "basename splitext relpath commonpath commonprefix guess_type len print repr hash isabs debug info warning"
        " error exception critical log is_relative_to startswith isinstance append add secho echo HTTPException abort"
        " BadRequest NotFound splitdrive fspath samefile"
    ).split()
)
_HANDING = frozenset(
    (
        "append add extend insert update put set setdefault execute jsonify dict list JSONResponse render_template"
        " dumps str format url_for redirect quote create filter get pop"
    ).split()
)
# Functions and programs that read or write the file that they are given, while they are called.
CONSUMERS = frozenset(
    (
        "run call check_call check_output transcribe from_file from_wav from_mp3 PdfReader PdfFileReader Document"
        " DocxTemplate load_workbook extract_text mediainfo probe decode partition_pdf read_image loadtxt genfromtxt"
        " VideoFileClip AudioFileClip identify scan_file hash_file"
    ).split()
)
_PUTTING = frozenset({"append", "add", "setdefault", "update", "insert", "extend"})
_ORDERING = frozenset("sorted list tuple set reversed enumerate filter next max min".split())
# Nodes whose value is, or holds, what stands in them.
_PASSED = (ast.Await, ast.Starred, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.keyword, ast.BoolOp, ast.IfExp)


@dataclass
class Moves:
    """Every site of a location, and the reasons why it cannot move; none where it can."""

    sites: dict[Site, None] = field(default_factory=dict)
    obstacles: list[str] = field(default_factory=list)
    leaves: bool = False  # paths are stored or handed out as text
    holders: dict[Slot, int] = field(
        default_factory=dict
    )  # stores that keep paths, with how many writes put them there


class Mover:
    """Looks at one location of a program."""

    def __init__(self, program: Program, judge: Judge, operations: Operations, read: Read) -> None:
        self.program = program
        self.judge = judge
        self.operations = operations
        self.read = read
        self._surveys: dict[str, Survey] = {}

    def moves(self, location: Location) -> Moves:
        """What moving the location takes."""
        self.location = location
        self.folders = self._alternatives(location.place)
        self.result = Moves()
        self.unknown: list[tuple[Flow, FileFacts, Touch]] = []
        if location.place.root == roots.TEMPORARY:
            self._obstacle(f"{_first(location)}: each process makes this folder anew")
        served = self._served_by_flask()
        if served:
            self._obstacle(f"{_first(location)}: {served}")
        for facts, text in self._texts():
            try:
                flow = self._survey(facts, text).read(self._concerns)
            except (SyntaxError, RecursionError) as error:
                self._obstacle(f"{facts.path}:1: cannot be parsed again: {error}")
                continue
            self._take(flow, facts)
        for flow, facts, touch in self.unknown if self.result.leaves else ():
            if self._is_held(flow.path, touch):
                self._site(flow, facts, touch.call, touch.op, touch.frame)
                self._site(flow, facts, touch.operand, Op.PATH, touch.frame)
            else:
                self._obstacle(
                    f"{flow.path}:{touch.call.lineno}: may open a file of this folder: its path could not be followed"
                )
        if location.stored:
            stored(self.result, self.operations.django, self._surveys.values())
        elif not any(site.op in READS for site in self.result.sites):
            self._obstacle(
                f"{_first(location)}: no reader was found in Python, so that something else must read the folder: look"
                " in the web server's configuration and in templates"
            )
        return self.result

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
        return slot is not None and self.result.holders.get(slot, 0) == self._writes(slot) > 0

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
        folders = [self.location.place, *(place for write in self.location.writes for place in write.places)]
        if not any(found.module.partition(".")[0] == "flask" for found in everything):
            return ""
        if not any("static" in place.steps for place in folders):
            return ""
        return (
            "Flask serves what lies under `static` by itself, from local disk: keep these files in a folder of their"
            " own, with a route"
        )

    def _alternatives(self, place: Place) -> tuple[Place, ...]:
        """The location's folder under each value that its name can have: a setting, or the default in the code."""
        found = {place: None}
        names = self.operations.map
        for held in (*names.slots.values(), *map(names.configured, self._keys(place))):
            starts = [other for other in held if _is_below(place, other)]
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
        return any(
            place.base == mine.base
            and all(
                one == two or roots.ANY in one or roots.ANY in two
                for one, two in zip(place.steps, mine.steps, strict=False)
            )
            for mine in self.folders
        )

    def _inside(self, place: Place) -> bool:
        return any(_is_below(place, mine) for mine in self.folders)

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
            self._touch(flow, facts, touch)
        for mention in flow.mentions:
            if any(self._inside(place) for place in mention.places):
                self._mention(flow, facts, mention)

    def _touch(self, flow: Flow, facts: FileFacts, touch: Touch) -> None:
        where = f"{flow.path}:{touch.call.lineno}"
        inside = [self._inside(place) for place in touch.places]
        name = ast.unparse(touch.call.func)
        if not any(inside):
            if touch.op in (Op.LIST, Op.DELETE, Op.SERVE, Op.RENAME):
                self._obstacle(f"{where}: `{name}` works on the folder around this one")
            return
        if touch.op is Op.PATH and not all(inside):
            return  # a folder that is made and stays empty
        if not all(inside):
            self._obstacle(f"{where}: the path that `{name}` is given may be in this folder or in another")
            return
        if touch.op is Op.DELETE and name.endswith("rmtree") and not self._reached(flow.path, touch.frame):
            self._site(flow, facts, touch.call, Op.CLEAR, touch.frame)  # at start or exit: never of the bucket
            return
        if touch.op in WRITES and any(self._is_folder(place) for place in touch.places):
            self._obstacle(f"{where}: `{name}` is given the folder, and names the file itself")
            return
        self._site(flow, facts, touch.call, Op.CALL if touch.op is Op.PATH else touch.op, touch.frame)
        self._site(flow, facts, touch.operand, Op.PATH, touch.frame)

    def _is_folder(self, place: Place) -> bool:
        return any(
            len(place.steps) < len(other.steps) and other.steps[: len(place.steps)] == place.steps
            for write in self.location.writes
            for other in write.places
            if other.base == place.base
        )

    def _site(self, flow: Flow, facts: FileFacts, node: ast.expr, op: Op, frame: int) -> None:
        around = facts.frames[frame]
        site = Site(
            path=flow.path,
            span=flow.span(node),
            op=op,
            function=around.qualname if frame else "",
            asynchronous=around.asynchronous,
            reachable=self._reached(flow.path, frame),
        )
        self.result.sites[site] = None

    def _reached(self, path: str, frame: int) -> bool:
        return bool(self.judge.reaching(path, frame))

    # Uses that are no operation

    def _mention(self, flow: Flow, facts: FileFacts, mention: Mention) -> None:
        node: ast.AST = mention.node
        text = False
        place = 0
        around = mention.around
        while place < len(around):
            parent = around[place]
            if isinstance(parent, ast.JoinedStr | ast.BinOp | ast.FormattedValue):
                text = True
            elif not _holds(parent, node):
                break
            node, place = parent, place + 1
        parent = around[place] if place < len(around) else ast.Module([], [])
        self._use(flow, facts, mention, node, parent, text=text)

    def _use(
        self, flow: Flow, facts: FileFacts, mention: Mention, node: ast.AST, parent: ast.AST, *, text: bool
    ) -> None:
        where = f"{flow.path}:{mention.node.lineno}"
        match parent:
            case ast.Call() if node is not parent.func:
                self._argument(flow, facts, mention, node, parent, text=text)
            case ast.Attribute(attr=attr) if attr in _PURE:
                pass
            case ast.Attribute(attr=attr) if attr in _TEXT:
                self.result.leaves = True
            case ast.Attribute(attr=attr):
                self._obstacle(f"{where}: `{ast.unparse(parent)}` is no use of a path that is known")
            case ast.Assign(targets=targets):
                self._assigned(flow, mention, targets)
            case ast.AnnAssign(target=target) | ast.NamedExpr(target=target):
                self._assigned(flow, mention, [target])
            case ast.withitem():
                self._obstacle(f"{where}: the path is entered by `with`")
            case ast.Return() | ast.Yield() | ast.Subscript() | ast.AugAssign() | ast.Lambda():
                self.result.leaves = True
            case _:
                pass  # compared, tested, raised, iterated over: nobody opens it there

    def _assigned(self, flow: Flow, mention: Mention, targets: list[ast.expr]) -> None:
        """A name that is followed stands for the place from there on; anything else keeps a path that is not."""
        for target in targets:
            found = self.operations.map.places(flow.path, mention.frame, target)
            known = [place for place in found if place.root not in (roots.NAME, roots.UNKNOWN)]
            if known and not any(self._inside(place) for place in found):
                where = f"{flow.path}:{mention.node.lineno}"
                self._obstacle(f"{where}: `{ast.unparse(target)}` keeps paths of other folders as well")
            if not any(self._inside(place) for place in found):
                self.result.leaves = True
                self._hold(self._slot(flow.path, mention.frame, path_of(target)))

    def _argument(
        self, flow: Flow, facts: FileFacts, mention: Mention, node: ast.AST, call: ast.Call, *, text: bool
    ) -> None:
        steps = path_of(call.func)
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        where = f"{flow.path}:{mention.node.lineno}"
        if name in _SINKS or name.endswith(("Error", "Exception")):
            if name in ("append", "add"):
                self.result.leaves = True
                self._hold(self._slot(flow.path, mention.frame, steps))
            return
        value = self._value(flow.path, mention.frame, steps)
        if isinstance(value, Function | Class):
            self.result.leaves = True
            if not text and not self._is_followed(value, call, node):
                self._obstacle(f"{where}: the path could not be followed into `{ast.unparse(call.func)}`")
            return
        if name in CONSUMERS and not text:
            self._site(flow, facts, mention.node, Op.PASS, mention.frame)
            return
        if text or name in _HANDING or node is not mention.node:
            self.result.leaves = True
            self._hold(self._slot(flow.path, mention.frame, steps))
            return
        self._obstacle(f"{where}: `{ast.unparse(call.func)}` is handed the path, and may open the file by it")

    def _is_followed(self, value: Function | Class, call: ast.Call, node: ast.AST) -> bool:
        """Whether the parameter that takes an argument is known to be a path of this location."""
        owner = isinstance(value, Class)
        frame = self.program.method(value, "__init__") if isinstance(value, Class) else value.frame
        if frame is None:
            return True  # a record: its fields are followed by name
        index = frame if isinstance(frame, int) else frame.frame
        names = [each.name for each in self.program.facts[value.path].frames[index].parameters]
        if names[:1] in (["self"], ["cls"]) or (owner and names):
            names = names[1:]
        if isinstance(node, ast.keyword):
            name = node.arg or ""
        else:
            place = next((number for number, each in enumerate(call.args) if each is node), len(names))
            name = names[place] if place < len(names) else ""
        found = self.operations.map.places(value.path, index, ast.Name(name, ast.Load())) if name in names else ()
        return any(self._inside(each) for each in found)

    def _hold(self, slot: Slot | None) -> None:
        if slot is not None:
            self.result.holders[slot] = self.result.holders.get(slot, 0) + 1

    def _value(self, path: str, frame: int, steps: Path) -> object:
        """What a call calls."""
        return self.operations.resolver.resolve(path, frame, steps) if steps else None

    def _obstacle(self, text: str) -> None:
        if text not in self.result.obstacles:
            self.result.obstacles.append(text)


def _holds(parent: ast.AST, node: ast.AST) -> bool:
    """Whether a value is, or holds, what stands in it."""
    if isinstance(parent, ast.Call):
        return node is not parent.func and getattr(parent.func, "id", "") in _ORDERING
    if isinstance(parent, ast.ListComp | ast.SetComp | ast.GeneratorExp):
        return parent.elt is node
    return isinstance(parent, _PASSED)


def _is_below(place: Place, folder: Place) -> bool:
    """Whether a place is a folder, or lies in it."""
    return place.base == folder.base and place.steps[: len(folder.steps)] == folder.steps


def _first(location: Location) -> str:
    first = min(location.writes, key=lambda each: (each.path, each.call.span))
    return f"{first.path}:{first.call.span[0]}"
