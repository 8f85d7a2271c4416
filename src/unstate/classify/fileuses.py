"""Uses of a path that are no operation on a file: what it is handed to, where it is kept, whether it leaves the app."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from unstate.classify.fileflow import Flow, Mention
from unstate.classify.programs import Programs
from unstate.facts.hints import path_of
from unstate.facts.values import FileFacts, Path
from unstate.link import places as roots
from unstate.link.files import Operations
from unstate.link.places import Place, Places
from unstate.link.program import Program
from unstate.link.values import Class, Function, Slot
from unstate.model import Op, Site

# What is asked of a path without the file.
_PURE = frozenset(
    (
        "name stem suffix suffixes parts parent parents endswith startswith is_relative_to is_absolute match anchor"
        " joinpath with_name with_suffix"
    ).split()
)
_TEXT = frozenset("as_posix relative_to split rsplit replace encode removeprefix removesuffix format lower".split())
# Calls that take a path for a text.
_SINKS = frozenset(
    (
        "basename splitext relpath commonpath commonprefix guess_type len print repr hash isabs debug info warning"
        " error exception critical log is_relative_to startswith isinstance append add secho echo HTTPException abort"
        " BadRequest NotFound splitdrive fspath samefile relative_to"
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
_PROGRAMS = frozenset(
    "run call check_call check_output Popen system popen create_subprocess_exec create_subprocess_shell".split()
)
_ORDERING = frozenset("sorted list tuple set reversed enumerate filter next max min".split())
# Nodes whose value is, or holds, what stands in them.
_PASSED = (ast.Await, ast.Starred, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.keyword, ast.BoolOp, ast.IfExp)


@dataclass
class Moves:
    """Every site of some locations, and the reasons why they cannot move; none where they can."""

    sites: dict[Site, set[int]] = field(default_factory=dict)  # with the numbers of the locations that it concerns
    obstacles: list[str] = field(default_factory=list)
    either: list[str] = field(default_factory=list)  # operations on files of these folders or of others
    unseen: list[str] = field(default_factory=list)  # operations that stay, on what a caller may name in these folders
    outside: set[Place] = field(default_factory=set)  # what else they may work on
    kept: set[Place] = field(default_factory=set)  # below the folders, and not moved: databases, what a request lends
    leaves: bool = False  # paths are stored or handed out as text
    holders: dict[Slot, int] = field(
        default_factory=dict
    )  # stores that keep paths, with how many writes put them there


class Uses(ABC):
    """Looks at each mention of a path of the locations that are being moved."""

    program: Program
    operations: Operations
    programs: Programs
    result: Moves

    @abstractmethod
    def _inside(self, place: Place) -> bool:
        """Whether a place lies in one of the locations."""

    @abstractmethod
    def _slot(self, path: str, frame: int, steps: Path) -> Slot | None:
        """The store that a path of steps starts from, in front of its first key or method."""

    @abstractmethod
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
        """Note a site of those locations that the places lie in."""

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
        if steps[-2:] == ("path", "join"):
            return  # to a file that stays
        if name in _SINKS or name.endswith(("Error", "Exception")):
            if name in ("append", "add"):
                self.result.leaves = True
                self._hold(self._slot(flow.path, mention.frame, steps))
            return
        value = self._value(flow.path, mention.frame, steps)
        if isinstance(value, Function) and not text and node is mention.node and self._runs_program(value, call, node):
            self._site(flow, facts, mention.node, Op.PASS, mention.frame, mention.places)
            return
        if isinstance(value, Function | Class):
            self.result.leaves = True
            if not text and not self._is_followed(value, call, node):
                self._obstacle(f"{where}: the path could not be followed into `{ast.unparse(call.func)}`")
            return
        if isinstance(value, Slot) and not text and self._takes_path(value, name):
            self.result.leaves = True
            self.result.either.append(f"{where}: `{ast.unparse(call.func)}` is handed the path, and cannot be followed")
            return
        if name in _PROGRAMS and (text or isinstance(mention.node, ast.List | ast.Tuple)):
            self._command(flow, facts, mention, where, name)
            return
        if name in CONSUMERS and not text:
            self._site(flow, facts, mention.node, Op.PASS, mention.frame, mention.places)
            return
        if text or name in _HANDING or node is not mention.node:
            self.result.leaves = True
            self._hold(self._slot(flow.path, mention.frame, steps))
            return
        self._obstacle(f"{where}: `{ast.unparse(call.func)}` is handed the path, and may open the file by it")

    def _command(self, flow: Flow, facts: FileFacts, mention: Mention, where: str, runs: str) -> None:
        """A program is run: each part of its command line that is a path of these locations is one of a copy."""
        if runs not in CONSUMERS:
            self._obstacle(f"{where}: a program is started, which may go on with the file when the copy is gone")
            return
        found = 0
        for part in getattr(mention.node, "elts", ()):
            places = self.operations.map.places(flow.path, mention.frame, part)
            if any(self._inside(place) for place in places) and _is_whole(part):
                found += 1
                self._site(flow, facts, part, Op.PASS, mention.frame, places)
            elif any(self._inside(place) for place in places):
                found = 0
                break
        if not found:
            self._obstacle(
                f"{where}: a program is told the path within a text: give it in a list, as a part of its own"
            )

    def _takes_path(self, slot: Slot, name: str) -> bool:
        """Whether what is called by a name that holds a function works on a `Path`, so that all it does is known."""
        annotations = [ref.annotation for _, ref in self.operations.map.writes(slot)]
        annotations += [
            parameter.annotation
            for function in self.program.functions.get(name, ())
            for parameter in self.program.frame(function).parameters
        ]
        return any("Path" in annotation for annotation in annotations)

    def _is_followed(self, value: Function | Class, call: ast.Call, node: ast.AST) -> bool:
        """Whether the parameter that takes an argument is known to be a path of this location."""
        frame = self.program.method(value, "__init__") if isinstance(value, Class) else value.frame
        if frame is None:
            return True  # a record: its fields are followed by name
        index = frame if isinstance(frame, int) else frame.frame
        name = self._parameter(Function(value.path, index), call, node, owner=isinstance(value, Class))
        found = self.operations.map.places(value.path, index, ast.Name(name, ast.Load())) if name else ()
        return any(self._inside(each) for each in found)

    def _parameter(self, function: Function, call: ast.Call, node: ast.AST, *, owner: bool = False) -> str:
        """The parameter that an argument goes to, "" where it cannot be told."""
        names = [each.name for each in self.program.frame(function).parameters]
        if names[:1] in (["self"], ["cls"]) or (owner and names):
            names = names[1:]
        if isinstance(node, ast.keyword):
            return node.arg if node.arg in names else ""
        place = next((number for number, each in enumerate(call.args) if each is node), len(names))
        return names[place] if place < len(names) else ""

    def _runs_program(self, function: Function, call: ast.Call, node: ast.AST) -> bool:
        """Whether a function hands an argument to a program, so that it can be given a local copy while it runs."""
        return self._parameter(function, call, node) in self.programs.names(function)

    def _hold(self, slot: Slot | None) -> None:
        if slot is not None:
            self.result.holders[slot] = self.result.holders.get(slot, 0) + 1

    def _value(self, path: str, frame: int, steps: Path) -> object:
        """What a call calls."""
        return self.operations.resolver.resolve(path, frame, steps) if steps else None

    def _obstacle(self, text: str) -> None:
        if text not in self.result.obstacles:
            self.result.obstacles.append(text)


def _is_whole(part: ast.expr) -> bool:
    """Whether a part of a command line is a path and nothing else: no `f"file={path}"`."""
    if isinstance(part, ast.JoinedStr):
        return isinstance(part.values[0], ast.FormattedValue)
    return not isinstance(part, ast.Starred) and not (
        isinstance(part, ast.BinOp) and isinstance(part.op, ast.Add) and isinstance(part.left, ast.Constant)
    )


def _holds(parent: ast.AST, node: ast.AST) -> bool:
    """Whether a value is, or holds, what stands in it."""
    if isinstance(parent, ast.Call):
        return node is not parent.func and getattr(parent.func, "id", "") in _ORDERING
    if isinstance(parent, ast.ListComp | ast.SetComp | ast.GeneratorExp):
        return parent.elt is node
    return isinstance(parent, _PASSED)
