"""Where the paths of a location go in one file: the calls that work on them, and every other use.

Facts name the calls that touch files; whether *all* uses of a path are understood can only be told from the tree.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from unstate.classify.filecalls import FileCalls
from unstate.facts.files import TOUCHING
from unstate.facts.values import ANONYMOUS, CLASS, FUNCTION, Expression, FileFacts
from unstate.link.files import Operations
from unstate.link.places import Place, Places, parse
from unstate.model import Op, Span

_PATHS = (ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.BinOp, ast.JoinedStr, ast.List, ast.Tuple)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_BARE = (ast.expr_context, ast.operator, ast.boolop, ast.unaryop, ast.cmpop, ast.Constant)  # hold no path
_LOAD = ast.Load()
# Calls that make folders, which S3 has none of.
MAKING = frozenset({"mkdir", "makedirs", "ensure_dir"})


@dataclass(frozen=True, slots=True)
class Touch:
    """One operation of one call on a path."""

    call: ast.Call
    op: Op
    operand: ast.expr
    places: Places
    frame: int  # of the named function around it
    around: tuple[ast.AST, ...] = ()
    plain: bool = True  # the call is known to be of Python's own functions on files


@dataclass(frozen=True, slots=True)
class Mention:
    """An expression that gives a path and is no operand of an operation; `around` are the nodes around it, inner ones
    first."""

    node: ast.expr
    around: tuple[ast.AST, ...]
    frame: int
    places: Places


@dataclass
class Flow:
    """One file read for one location."""

    path: str
    text: str
    touches: list[Touch] = field(default_factory=list)
    unknown: list[Touch] = field(default_factory=list)  # file operations whose path could not be followed
    mentions: list[Mention] = field(default_factory=list)

    def span(self, node: ast.expr) -> Span:
        """The place of a node."""
        return span_of(lines_of(self.text), node)


Scope = dict[str, Places]
_Way = tuple[ast.AST, Any] | None  # a node and the way around it: no node has a list of its own


@dataclass(frozen=True, slots=True)
class Spot:
    """An expression that may give a path, with what is around it and the places it gives."""

    node: ast.expr
    way: _Way
    frame: int
    scope: Scope
    places: Places

    @property
    def around(self) -> tuple[ast.AST, ...]:
        """The nodes around it, inner ones first."""
        found = []
        way = self.way
        while way is not None:
            found.append(way[0])
            way = way[1]
        return tuple(found)


@dataclass(frozen=True, slots=True)
class _Work:
    """One operation of one call, with its operand."""

    call: ast.Call
    spot: Spot  # of the call, with the places of the operand
    name: str
    op: Op
    operand: ast.expr


class Survey:
    """What one file does with paths, found out once, whatever number of locations asks. Raises SyntaxError.

    Its tree is large, and few files concern any location: it is made anew for those, and kept from then on.
    """

    def __init__(self, facts: FileFacts, operations: Operations, text: str) -> None:
        self.facts = facts
        self.operations = operations
        self.text = text
        self._tree: Tree | None = None
        tree = Tree(facts, operations, text)
        self.places = frozenset(place for spot in tree.spots for place in spot.places)
        self.worked = tuple((work.name, work.spot.places) for work in tree.work)
        self.is_storing = bool(tree.storages) or any(tree.is_stored(spot) for spot in tree.spots)
        self._unknown = tree.read(lambda _: False).unknown
        self._all = self.places.union(*(places for _, places in self.worked))

    @property
    def tree(self) -> Tree:
        """The file with its nodes."""
        if self._tree is None:
            self._tree = Tree(self.facts, self.operations, self.text)
        return self._tree

    def read(self, concerns: Callable[[Place], bool]) -> Flow:
        """What happens in the file to the paths that `concerns` says belong to a location."""
        if self._tree is None and not any(map(concerns, self._all)):
            return Flow(self.facts.path, self.text, unknown=self._unknown)
        return self.tree.read(concerns)


class Tree:
    """The expressions of one file that give paths. Raises SyntaxError."""

    def __init__(self, facts: FileFacts, operations: Operations, text: str) -> None:
        self.facts = facts
        self.operations = operations
        self.text = text
        self.calls = FileCalls(facts.path, operations.program, operations.resolver)
        self.acting: set[int] = set()  # calls that work on a file
        self.work: list[_Work] = []
        self.spots: list[Spot] = []
        self.storages: list[Spot] = []  # the class of Django's local storage, wherever it is named
        self._frames = {(frame.sort, frame.line, frame.name): index for index, frame in enumerate(facts.frames)}
        self._anonymous_frames: dict[tuple[int, int, int], list[int]] = defaultdict(list)
        for index, each in enumerate(facts.frames):
            if each.sort == ANONYMOUS:
                self._anonymous_frames[each.parent, each.line, each.end_line].append(index)
        everything = [each for each in self._walk(ast.parse(text)) if isinstance(each[0], (ast.Call, *_PATHS))]
        for node, way, frame, scope in everything:
            if isinstance(node, ast.Call):
                self._call(node, way, frame, scope)
            elif isinstance(node, ast.Name | ast.Attribute) and operations.django.is_local_storage(
                facts.path, frame, node
            ):
                self.storages.append(Spot(node, way, frame, scope, ()))
        for node, way, frame, scope in everything:
            if id(node) in self.acting or not isinstance(getattr(node, "ctx", _LOAD), ast.Load):
                continue
            if isinstance(node, ast.List | ast.Tuple) and not (way and isinstance(way[0], ast.Call)):
                continue  # these count where they are handed to a call: a command line
            assert isinstance(node, ast.expr)
            places = () if self._is_handle(node, frame) else self.places(node, frame, scope)
            if places:
                self.spots.append(Spot(node, way, frame, scope, places))

    def is_stored(self, spot: Spot) -> bool:
        """Whether an expression asks a storage of Django's for the local path of a file."""
        return self.operations.django.is_path(self.facts.path, spot.frame, spot.node)

    def read(self, concerns: Callable[[Place], bool]) -> Flow:
        """What happens in the file to the paths that `concerns` says belong to a location."""
        flow = Flow(self.facts.path, self.text)
        operands: set[int] = set()
        for work in self.work:
            spot = work.spot
            if any(concerns(place) for place in spot.places):
                if work.op is Op.LIST and work.name not in ("listdir", "glob1"):
                    flow.mentions.append(Mention(spot.node, spot.around, spot.frame, spot.places))
                operands.add(id(work.operand))
                flow.touches.append(Touch(work.call, work.op, work.operand, spot.places, spot.frame, spot.around))
            elif self._may_be_any(work):
                plain = self.calls.is_plain(work.call, work.operand, spot.frame)
                flow.unknown.append(Touch(work.call, work.op, work.operand, (), spot.frame, plain=plain))
        covered: set[int] = set()
        for spot in self.spots:
            if id(spot.node) in covered or not any(concerns(place) for place in spot.places):
                continue
            self._cover(spot.node, covered, spot.frame, spot.scope)
            if id(spot.node) not in operands:
                flow.mentions.append(Mention(spot.node, spot.around, spot.frame, spot.places))
        return flow

    def _may_be_any(self, work: _Work) -> bool:
        """Whether an operation works on a file for sure, and nothing says on which."""
        if isinstance(work.operand, ast.Constant) or _is_open(work.operand):
            return False
        if work.spot.places and not self.operations.partial.is_partial(self.facts.path, work.spot.frame, work.operand):
            return False
        return self.calls.is_certain(work.call, work.name, work.operand, work.spot.frame)

    def _walk(self, tree: ast.AST) -> Iterator[tuple[ast.AST, _Way, int, Scope]]:
        """Every node that can hold a path with what is around it, outer nodes first."""
        stack: list[tuple[ast.AST, _Way, int, Scope]] = [(tree, None, 0, {})]
        while stack:
            item = stack.pop()
            yield item
            node, way, frame, scope = item
            here = (node, way)
            if isinstance(node, _FUNCTIONS):
                inner = self._frames.get((FUNCTION, node.lineno, node.name), frame)
                stack += [(statement, here, inner, {}) for statement in reversed(node.body)]
                parts = (*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d))
                stack += [(part, here, frame, scope) for part in reversed(parts)]
                continue
            if isinstance(node, ast.ClassDef):
                inner = self._frames.get((CLASS, node.lineno, node.name), frame)
                stack += [(statement, here, inner, scope) for statement in reversed(node.body)]
                continue
            if isinstance(node, ast.Lambda):
                names = [each.arg for each in node.args.args]
                scope = scope | dict.fromkeys(names, ())
                frame = self._anonymous(node, frame, names)
            elif isinstance(node, _COMPREHENSIONS):
                names = []
                for generator in node.generators:
                    if isinstance(generator.target, ast.Name):
                        names.append(generator.target.id)
                        scope = scope | {generator.target.id: self.places(generator.iter, frame, scope)}
                frame = self._anonymous(node, frame, names)
            children = [child for child in ast.iter_child_nodes(node) if not isinstance(child, _BARE)]
            stack += [(child, here, frame, scope) for child in reversed(children)]

    def _anonymous(self, node: ast.expr, parent: int, names: list[str]) -> int:
        """The frame of a lambda or comprehension, told from others on its line by the names it binds."""
        bound = self.operations.program.names[self.facts.path]
        found = self._anonymous_frames.get((parent, node.lineno, node.end_lineno or 0), ())
        return next((index for index in found if all(name in bound[index] for name in names)), parent)

    def _is_handle(self, node: ast.expr, frame: int) -> bool:
        """Whether a name holds an open file, and no path."""
        if not isinstance(node, ast.Name):
            return False
        found = self.operations.program.lookup(self.facts.path, frame, node.id)
        sources = [binding.ref.source for binding in found[1] if binding.ref is not None] if found is not None else []
        return bool(sources) and all(_is_open(parse(source)) for source in sources if source) and any(sources)

    def places(self, node: ast.expr, frame: int, scope: Scope) -> Places:
        """The places that an expression gives."""
        return self.operations.map.places(self.facts.path, frame, node, scope)

    def _call(self, node: ast.Call, way: _Way, frame: int, scope: Scope) -> None:
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        span = (node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0)
        source = ast.unparse(node) if name in TOUCHING else ""  # it takes long, and is asked for nowhere else
        call = Expression(frame, "call", name, source, span)
        if name in MAKING:
            found = [(Op.PATH, _operand(node))]
        else:
            found = list(self.operations.touched(self.facts.path, call, node))
        for op, operand in found:
            if not isinstance(operand, ast.expr) or self._is_handle(operand, frame):
                continue
            self.acting.add(id(node))
            spot = Spot(node, way, frame, scope, self.places(operand, frame, scope))
            self.work.append(_Work(node, spot, name, op, operand))

    def _cover(self, node: ast.AST, covered: set[int], frame: int, scope: Scope) -> None:
        """The parts that make up a path are accounted for with it; arguments of calls that give no path are not."""
        for child in ast.iter_child_nodes(node):
            if id(child) in self.acting or (isinstance(child, ast.Call) and not self.places(child, frame, scope)):
                continue
            covered.add(id(child))
            self._cover(child, covered, frame, scope)


def lines_of(text: str) -> list[str]:
    """The lines of a file as the parser counts them."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def span_of(lines: list[str], node: ast.expr) -> Span:
    """The place of a node; the parser's columns are bytes."""

    def column(line: int, place: int) -> int:
        return len(lines[line - 1].encode()[:place].decode(errors="replace"))

    end_line = node.end_lineno or node.lineno
    return Span(
        line=node.lineno,
        column=column(node.lineno, node.col_offset),
        end_line=end_line,
        end_column=column(end_line, node.end_col_offset or 0),
    )


def _is_open(node: ast.AST | None) -> bool:
    """Whether an expression opens a file."""
    if isinstance(node, ast.Await):
        node = node.value
    if isinstance(node, ast.IfExp):
        return _is_open(node.body) and _is_open(node.orelse)
    if not isinstance(node, ast.Call):
        return False
    return (getattr(node.func, "attr", "") or getattr(node.func, "id", "")) in ("open", "GzipFile")


def _operand(node: ast.Call) -> ast.expr | None:
    """What a call that makes a folder makes: its first argument where it is a function, else what it is called on."""
    match node.func:
        case ast.Attribute(value=owner, attr="mkdir") if getattr(owner, "id", "") != "os":
            return owner
    return node.args[0] if node.args else next((each.value for each in node.keywords if each.arg == "name"), None)
