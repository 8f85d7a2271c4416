"""Where on disk an expression points: a root and the steps below it, through names, functions and files.

A root is what cannot be followed further: the project's folder, the working folder, an absolute path, a setting, a
name whose value is unknown, a temporary file. In a step a NUL stands for any text: `thumb-NUL.png`. Names for folders
that are met on the way are remembered: they are what people call a location.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from unstate.facts.hints import path_of
from unstate.facts.values import CLASS, FUNCTION, Expression, Hint, Path, Ref
from unstate.link import frameworks
from unstate.link.program import Binding, Program
from unstate.link.resolve import Resolver
from unstate.link.values import Class, Element, External, Function, Instance, Made, Slot, Value
from unstate.project import is_aside

ANY = "\0"  # in a step: any text
_SETTINGS = re.compile(r"settings|config")  # files that come first when a setting is looked for
_WILD = re.compile(r"\0+|\*+")
_PLACEHOLDER = re.compile(r"%\(?\w*\)?[-#0 +.\d]*[a-z]")
_LISTING = re.compile(r"\b(r?glob|iglob|iterdir|listdir|scandir|walk)\(")
_KEY = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+|[A-Z]{4,}")  # of a setting
_DEPTH = 14  # of nested evaluations: deeper ones are given up
_MANY = 6  # places that one expression is taken to mean
_CALLERS = 12  # call sites that are looked at for what a parameter is

PROJECT, APPLICATION, WORKING, ABSOLUTE, TEMPORARY, SCRATCH, NAME, UNKNOWN = (
    "project",
    "application",
    "working",
    "absolute",
    "temporary",  # a file or folder of its own, made by tempfile
    "scratch",  # below the system's folder for temporary files
    "name",
    "unknown",
)

_BROAD = frozenset({PROJECT, APPLICATION, WORKING, ABSOLUTE, SCRATCH})  # too much to be one place
_SAME = frozenset(
    (
        "abspath realpath normpath expanduser expandvars str fspath resolve absolute as_posix Path PurePath PosixPath"
        " strip rstrip lstrip to_thread format_path String cast field Field"
    ).split()
)
# Attributes that mean something else on every object: no two of them are taken for one place.
_GENERIC = frozenset(
    (
        "path name filename file file_path filepath file_name parent dir dirname folder directory root location dest"
        " destination output output_path source url uri rootdir basename full_path abspath fullpath outfile tmpfile"
    ).split()
)
_JOINING = frozenset({"safe_join", "joinpath", "secure_join"})
_NAMING = frozenset({"basename", "secure_filename", "get_valid_filename", "relpath", "splitext"})
_REMOVING = frozenset({"rmtree", "unlink", "remove"})
_MAKING = frozenset({"NamedTemporaryFile", "mkstemp", "mkdtemp", "TemporaryDirectory", "SpooledTemporaryFile"})


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder: `root` and its detail, and the steps below it."""

    root: str
    detail: Any = ""
    steps: tuple[str, ...] = ()

    def below(self, *steps: str) -> Place:
        """A place further down; ".." goes up."""
        found = list(self.steps)
        for step in steps:
            if step == ".." and found:
                found.pop()
            else:
                found.append(step)
        return Place(self.root, self.detail, tuple(found[:8]))

    @property
    def up(self) -> Place:
        """The folder around it."""
        return Place(self.root, self.detail, self.steps[:-1])

    @property
    def base(self) -> tuple[str, Any]:
        """Where it starts from."""
        return self.root, self.detail

    @property
    def constant(self) -> tuple[str, ...]:
        """The steps before the first that is not constant."""
        return tuple(itertools.takewhile(lambda step: ANY not in step, self.steps))

    def meets(self, other: Place) -> bool:
        """Whether the two may be, or contain, the same file."""
        if self.base != other.base:
            return False
        short, long = sorted((self.steps, other.steps), key=len)
        if len(short) < len(long) and short[-1:] == (ANY,):
            # a name that is not known is no folder of a fixed name
            if any(one == ANY and ANY not in two for one, two in zip(short, long, strict=False)):
                return False
        return all(_may_equal(one, two) for one, two in zip(short, long, strict=False))


@dataclass(frozen=True, slots=True)
class Name:
    """What people call a place: a constant, an attribute, a key of the configuration."""

    name: str
    path: str
    ref: Ref | None


Places = tuple[Place, ...]
_Scope = dict[str, Places]


class Map:
    """Evaluates expressions to places. Answers are kept, so one map serves one program."""

    def __init__(self, program: Program, resolver: Resolver) -> None:
        self.program = program
        self.resolver = resolver
        self.names: dict[Place, Name] = {}
        self._active: set[Any] = set()
        self._slots: dict[Slot, Places] = {}
        self._calls: dict[str, list[tuple[str, Ref]]] = defaultdict(list)
        self._call_sources: dict[tuple[str, int, int], Expression] = {}
        self._loops: dict[tuple[str, int, str], list[Expression]] = defaultdict(list)
        self._returns: dict[tuple[str, int], list[Expression]] = defaultdict(list)
        self._constants: dict[str, list[Slot]] = defaultdict(list)
        self._attributes: dict[str, list[Class]] = defaultdict(list)
        self._index()

    def _index(self) -> None:
        program = self.program
        known = program.functions.keys() | program.classes.keys()
        for path, file in program.facts.items():
            for ref in file.refs:
                for step in known.intersection(ref.path):
                    self._calls[step].append((path, ref))
            for found in file.expressions:
                if found.sort == "call":
                    self._call_sources[(path, *found.span[2:])] = found
                elif found.sort == "loop":
                    self._loops[(path, found.frame, found.name)].append(found)
                else:
                    self._returns[(path, found.frame)].append(found)
            if is_aside(path):
                continue
            for index, names in enumerate(program.names[path]):
                if file.frames[index].sort == FUNCTION:
                    continue
                for name in names:
                    if file.frames[index].sort == CLASS and _names_folder(name):
                        self._attributes[name].append(Class(path, index))
                    if name.isupper():
                        self._constants[name].append(Slot("class" if index else "module", path, index, name))

        for owner, attributes in self.resolver.attributes.items():
            for name in attributes:
                if _names_folder(name) and not is_aside(owner.path) and owner not in self._attributes[name]:
                    self._attributes[name].append(owner)

    # Expressions

    def places(self, path: str, frame: int, node: Any, scope: _Scope | None = None) -> Places:
        """Every place that an expression may mean, () where it is no path as far as one can see."""
        return tuple(dict.fromkeys(self._node(path, frame, node, scope or {})))[:_MANY]

    def source(self, path: str, frame: int, source: str, scope: _Scope | None = None) -> Places:
        """The places that an expression means, given as text."""
        node = parse(source)
        return self.places(path, frame, node, scope) if node is not None else ()

    def _node(self, path: str, frame: int, node: Any, scope: _Scope) -> Places:
        kind = type(node)
        if kind is ast.Constant:
            return (_of_text(node.value),) if type(node.value) is str and node.value else ()
        if kind is ast.BinOp:
            return self._operation(path, frame, node, scope)
        if kind is ast.JoinedStr:
            return self._pieces(path, frame, node.values, scope)
        if kind is ast.Call:
            return self._call(path, frame, node, scope)
        if kind is ast.IfExp:
            return self.places(path, frame, node.body, scope) + self.places(path, frame, node.orelse, scope)
        if kind is ast.BoolOp:
            return tuple(place for value in node.values for place in self.places(path, frame, value, scope))
        if kind in (ast.List, ast.Tuple, ast.Set):
            return tuple(place for item in node.elts for place in self.places(path, frame, item, scope))
        if kind in (ast.ListComp, ast.GeneratorExp):
            return self.places(path, frame, node.elt, scope)
        if kind in (ast.Await, ast.NamedExpr, ast.FormattedValue, ast.Starred):
            return self.places(path, frame, node.value, scope)
        if kind is ast.Attribute:
            if node.attr == "parent":
                return tuple(place.up for place in self.places(path, frame, node.value, scope))
            if node.attr in ("name", "path"):
                inner = self.places(path, frame, node.value, scope)
                if any(place.root == TEMPORARY for place in inner) or (node.attr == "path" and inner):
                    return inner
                if node.attr == "name":
                    return ()
        if kind is ast.Subscript and type(node.value) is ast.Attribute and node.value.attr == "parents":
            count = node.slice.value + 1 if type(node.slice) is ast.Constant and type(node.slice.value) is int else 1
            found = self.places(path, frame, node.value.value, scope)
            for _ in range(count):
                found = tuple(place.up for place in found)
            return found
        steps = path_of(node)
        return self.steps(path, frame, steps, scope) if steps else ()

    def _operation(self, path: str, frame: int, node: ast.BinOp, scope: _Scope) -> Places:
        if type(node.op) is ast.Div:
            return self._joined(path, frame, [node.left, node.right], scope)
        if type(node.op) is ast.Add:
            pieces: list[Any] = []
            while type(node) is ast.BinOp and type(node.op) is ast.Add:
                pieces.append(node.right)
                node = node.left  # type: ignore[assignment]
            pieces.append(node)
            return self._pieces(path, frame, pieces[::-1], scope)
        if type(node.op) is ast.Mod and type(node.left) is ast.Constant and type(node.left.value) is str:
            text = _PLACEHOLDER.sub(ANY, node.left.value)
            return (_of_text(text),) if "/" in text and not text.startswith(ANY) else ()
        return ()

    def _pieces(self, path: str, frame: int, pieces: list[Any], scope: _Scope) -> Places:
        """Text put together: constants split at slashes, everything else part of a step."""
        first, text = pieces[0], ""
        starts: Places
        if type(first) is ast.Constant:
            starts = ()
        else:
            starts = self.places(path, frame, first, scope)
            pieces = pieces[1:]
            text = "" if starts else ANY
        for piece in pieces:
            text += self._pattern(path, frame, piece)
        if not starts:
            return (_of_text(text),) if "/" in text and not text.startswith((ANY, "http")) else ()
        if not text:
            return starts
        if text.startswith("/"):
            return tuple(place.below(*_steps(text)) for place in starts)
        glued, _, rest = text.partition("/")
        return tuple(_glued(place, glued).below(*_steps(rest)) for place in starts)

    def _joined(self, path: str, frame: int, parts: list[Any], scope: _Scope) -> Places:
        if not parts:
            return ()
        starts = self.places(path, frame, parts[0], scope)
        if not starts and len(parts) > 1:
            starts = self._unknown(parts[0], path, frame)
        for part in parts[1:]:
            starts = tuple(place.below(*self._below(part, path, frame)) for place in starts)
        return starts

    def _below(self, node: Any, path: str, frame: int) -> tuple[str, ...]:
        """The steps that a part of a joined path adds."""
        return _steps(self._pattern(path, frame, node)) or (ANY,)

    def _pattern(self, path: str, frame: int, node: Any, depth: int = 4) -> str:
        """Text that an expression gives, with a NUL for every part that is not constant."""
        kind = type(node)
        if kind is ast.Constant:
            return str(node.value)
        if depth == 0:
            return ANY
        if kind is ast.JoinedStr:
            return "".join(self._pattern(path, frame, part, depth) for part in node.values)
        if kind is ast.FormattedValue:
            return self._pattern(path, frame, node.value, depth - 1)
        if kind is ast.BinOp and type(node.op) is ast.Add:
            return self._pattern(path, frame, node.left, depth) + self._pattern(path, frame, node.right, depth)
        if kind is ast.Name:
            value = self.resolver.resolve(path, frame, (node.id,))
            if isinstance(value, Slot) and value.sort in ("module", "local"):
                writes = self._writes(value)
                sources = {ref.source for _, ref in writes if ref.use == "target" and ref.source}
                if len(sources) == 1 == len(writes) and not self._is_parameter(value):
                    inner = parse(sources.pop())
                    return self._pattern(value.path, writes[0][1].frame, inner, depth - 1)
        return ANY

    def _is_parameter(self, slot: Slot) -> bool:
        bindings = self.program.names[slot.path][slot.frame].get(slot.name, ())
        return any(binding.parameter is not None for binding in bindings)

    def _unknown(self, node: Any, path: str, frame: int) -> Places:
        """What cannot be followed, called by its last name."""
        steps = path_of(node)
        if not steps or steps[-1] == "()":
            return ()
        last = steps[-1]
        if last.startswith("['"):
            last = last[2:-2]
        if not last.isidentifier() or (len(steps) > 1 and last in _GENERIC):
            return ()
        return self._called(last) if len(steps) > 1 else (Place(UNKNOWN, (path, frame, last)),)

    def _called(self, name: str) -> Places:
        """An attribute of an object that could not be followed: the only one of that name, or a place of its own."""
        owners = self._attributes.get(name, ())
        if len(owners) == 1:
            member = self.resolver.class_member(owners[0], name)
            found = self.held(member) if isinstance(member, Slot) else ()
            if isinstance(member, Function):
                found = self._returned(member, {})
            if found:
                return found
        return (Place(UNKNOWN, name),)

    # Calls

    def _call(self, path: str, frame: int, node: ast.Call, scope: _Scope) -> Places:
        function = node.func
        name = function.attr if type(function) is ast.Attribute else function.id if type(function) is ast.Name else ""
        owner = function.value if type(function) is ast.Attribute else None
        root = path_of(owner)[-1:] if owner is not None else ()
        if name == "join" and (owner is None or root[0:1] in (("path",), ("osp",), ("posixpath",), ("ospath",))):
            return self._joined(path, frame, node.args, scope)
        if name == "joinpath" and owner is not None:
            return self._joined(path, frame, [owner, *node.args], scope)
        if name in _JOINING:
            return self._joined(path, frame, node.args, scope)
        if name in _NAMING:
            return ()
        if name in ("Path", "PurePath", "PosixPath") and len(node.args) > 1:
            return self._joined(path, frame, node.args, scope)
        if name == "dirname" and node.args:
            return tuple(place.up for place in self.places(path, frame, node.args[0], scope))
        if name in ("with_suffix", "with_name", "with_stem") and owner is not None:
            text = self._pattern(path, frame, node.args[0]) if node.args else ANY
            text = f"{ANY}{text}" if name == "with_suffix" else text
            return tuple(place.up.below(text) for place in self.places(path, frame, owner, scope))
        if name in ("getcwd", "cwd") or (name == "Path" and not node.args):
            return (Place(WORKING),)
        if name == "gettempdir":
            return (Place(SCRATCH),)
        if name in _MAKING:
            return (Place(TEMPORARY, (path, node.lineno, frame, ast.dump(node))),)
        if name in ("getenv", "get", "config", "env", "pop", "setdefault", "getattr", "get_setting") and node.args:
            return self._setting(path, frame, node, name, scope)
        if name in ("open", "glob", "iglob", "iterdir", "rglob", "listdir", "scandir", "walk"):
            inner = owner if owner is not None and root not in (("os",), ("glob",), ("aiofiles",), ("io",)) else None
            chosen = inner if inner is not None else node.args[0] if node.args else None
            return self.places(path, frame, chosen, scope) if chosen is not None else ()
        if name in _SAME:
            chosen = node.args[0] if node.args and name not in ("resolve", "strip", "rstrip") else owner
            if name in ("Field", "field"):
                chosen = next((k.value for k in node.keywords if k.arg == "default"), chosen)
            return self.places(path, frame, chosen, scope) if chosen is not None else ()
        if name in ("Depends", "Security") and node.args:
            value = self.resolver.resolve(path, frame, path_of(node.args[0])) if path_of(node.args[0]) else None
            return self._returned(value, {}) if isinstance(value, Function) else ()
        if name == "replace" and owner is not None and len(node.args) == 2:
            return tuple(place.up.below(ANY) for place in self.places(path, frame, owner, scope))
        return self._own_call(path, frame, node, scope)

    def _own_call(self, path: str, frame: int, node: ast.Call, scope: _Scope) -> Places:
        """A call of a function of the project, or of a name for `os.path.join`."""
        steps = path_of(node.func)
        value = self.resolver.resolve(path, frame, steps) if steps else None
        if isinstance(value, Slot):
            value = self.resolver.settle(value)[1]
        if isinstance(value, External) and value.name.endswith("path.join"):
            return self._joined(path, frame, node.args, scope)
        if isinstance(value, Function):
            found = self._returned(value, self._arguments(path, frame, node, value, scope))
            if found:
                return found
        word = node.args[0].value if len(node.args) == 1 and type(node.args[0]) is ast.Constant else None
        if type(word) is str and _KEY.fullmatch(word):  # whatever reads settings: get_conf("UPLOAD_FOLDER")
            return self.configured(word)
        return ()

    def _setting(self, path: str, frame: int, node: ast.Call, name: str, scope: _Scope) -> Places:
        """`os.getenv("X", default)`, `config.get("X")`, `getattr(settings, "X", default)`."""
        words = [argument.value for argument in node.args if type(argument) is ast.Constant]
        key = str(words[0]) if words else ""
        if name in ("get", "pop", "setdefault") and not (_KEY.fullmatch(key) or _names_folder(key)):
            return ()
        default = node.args[1:] if name != "getattr" else node.args[2:]
        default += [keyword.value for keyword in node.keywords if keyword.arg == "default"]
        found = tuple(
            place
            for argument in default[-1:]
            if type(argument) is not ast.Constant or _path_like(argument.value)
            for place in self.places(path, frame, argument, scope)
        )
        return found or (self.configured(key) if _KEY.fullmatch(key) else ())

    def configured(self, key: str) -> Places:
        """A key of the configuration: what constants of that name hold, else a place of that name."""
        slots = sorted(self._constants.get(key, ()), key=lambda slot: not _SETTINGS.search(slot.path))
        found = [place for slot in slots[:4] for place in self.held(slot)]
        if not found:
            place = Place(NAME, key)
            self.names.setdefault(place, Name(key, "", None))
            return (place,)
        return tuple(found)

    def _arguments(self, path: str, frame: int, node: ast.Call, function: Function, scope: _Scope) -> _Scope:
        target = self.program.facts[function.path].frames[function.frame]
        names = [parameter.name for parameter in target.parameters]
        if names[:1] in (["self"], ["cls"]):
            names = names[1:]
        pairs = [*zip(names, node.args, strict=False), *((k.arg, k.value) for k in node.keywords if k.arg)]
        given: _Scope = {}
        for name, value in pairs:
            given[name] = self.places(path, frame, value, scope)  # type: ignore[index]
        return given

    def _removes_what_it_yields(self, function: Function) -> bool:
        """A context manager that deletes what it lent."""
        return self.program.frame(function).generator and any(
            found.frame == function.frame and found.name in _REMOVING
            for found in self.program.facts[function.path].expressions
        )

    def _returned(self, function: Function, scope: _Scope) -> Places:
        if self._removes_what_it_yields(function):
            return (Place(TEMPORARY, function),)
        found = self._returned_anew(function, scope)
        if self.is_memoised(function):
            return tuple(self._kept(function) if place.root == TEMPORARY else place for place in found)
        return found

    def is_memoised(self, function: Function) -> bool:
        """Whether a function makes its result once for the process."""
        return any(
            step in ("lru_cache", "cache", "cached")
            for path in self.program.frame(function).decorators
            for step in path
        )

    def _kept(self, function: Function) -> Place:
        """The temporary folder that a memoised function makes, which outlives every request."""
        place = Place(NAME, function)
        self.names.setdefault(place, Name(self.program.frame(function).qualname, function.path, None))
        return place

    def _returned_anew(self, function: Function, scope: _Scope) -> Places:
        if function in self._active or len(self._active) > _DEPTH:
            return ()
        self._active.add(function)
        try:
            return tuple(
                place
                for found in self._returns.get((function.path, function.frame), ())
                if (node := parse(found.source)) is not None
                for item in (node.elts if type(node) is ast.Tuple else [node])
                for place in self.places(function.path, found.frame, item, scope)
            )
        finally:
            self._active.discard(function)

    # Names

    def steps(self, path: str, frame: int, steps: Path, scope: _Scope) -> Places:
        """The places that a dotted path means."""
        key = (path, frame, steps, id(scope) if scope else 0)
        if key in self._active or len(self._active) > _DEPTH:
            return ()
        self._active.add(key)
        try:
            return self._steps(path, frame, steps, scope)
        finally:
            self._active.discard(key)

    def _steps(self, path: str, frame: int, steps: Path, scope: _Scope) -> Places:
        if len(steps) == 1 and steps[0] in scope and (scope[steps[0]] or not self._is_local(path, frame, steps[0])):
            return scope[steps[0]]
        if steps == ("__file__",):
            return (Place(PROJECT, "", tuple(PurePosixPath(path).parts)),)
        if len(steps) > 1 and steps[-1] in ("root_path", "instance_path") and frameworks.names_app(steps[:-1]):
            return (Place(APPLICATION, steps[-1]),)
        values = self.resolver.trace(path, frame, steps)
        value: Value = values[-1] if len(values) == len(steps) else None
        if steps[-1] == "()":
            callee = values[len(steps) - 2] if len(values) >= len(steps) - 1 else None
            return self._returned(callee, {}) if isinstance(callee, Function) else ()
        if len(steps) > 1 and steps[-1].isidentifier():
            owner = values[len(steps) - 2] if len(values) >= len(steps) - 1 else None
            if isinstance(owner, Slot):
                owner = self.resolver.settle(owner)[1]
            if isinstance(owner, Instance | Class):
                of = owner.of if isinstance(owner, Instance) else owner
                member = self.resolver.class_member(of, steps[-1])
                if isinstance(member, Function):
                    return self._returned(member, {})
                if isinstance(member, Slot):
                    value = member
        if isinstance(value, Element) and steps[-1] == "[]":
            value = value.of
        if isinstance(value, Slot):
            return self._slot(value, scope)
        if isinstance(value, External) and ".settings." in f".{value.name}":
            return self.configured(steps[-1])
        if isinstance(value, External | Made):
            return ()
        last = steps[-1]
        if last.startswith("['") and _KEY.fullmatch(last[2:-2]):
            return self.configured(last[2:-2])
        if len(steps) > 1 and _KEY.fullmatch(last):
            return self.configured(last)
        bare = last.strip("[']")
        if len(steps) > 1 and _names_folder(bare) and bare not in _GENERIC:
            return self._called(bare)
        return ()

    def _is_local(self, path: str, frame: int, name: str) -> bool:
        found = self.program.lookup(path, frame, name)
        return found is not None and any(binding.ref is not None for binding in found[1])

    def _slot(self, slot: Slot, scope: _Scope) -> Places:
        if slot.sort == "local":
            return self._local(slot, scope)
        return self.held(slot)

    def held(self, slot: Slot) -> Places:
        """The places that a module's, class's or app's attribute holds; its own name where that is unknown."""
        if slot in self._slots:
            return self._slots[slot]
        self._slots[slot] = ()
        writes = self._writes(slot)
        found: list[Place] = []
        for path, ref in writes:
            if ref.source:
                found += self.source(path, ref.frame, ref.source)
            elif ref.value[:1] not in ((), ("=",)):
                found += self.steps(path, ref.frame, ref.value, {})
        first = writes[0] if writes else None
        if not found and slot.sort == "class":
            found += self._given(slot)
        if not found and _names_folder(_bare(slot.name)):
            found = [Place(NAME, slot)]
        if slot.sort == "class":  # an object's own folder, even where it starts as the project's
            found = [place if place.steps or place.root not in _BROAD else Place(NAME, slot) for place in found]
        places = tuple(dict.fromkeys(found))[:_MANY]
        for place in places:
            if place.root != UNKNOWN or place.constant:
                name = Name(self._qualified(slot), first[0] if first else slot.path, first[1] if first else None)
                self.names.setdefault(place, name)
        self._slots[slot] = places
        return places

    def _given(self, slot: Slot) -> list[Place]:
        """What constructor calls pass for a field of a dataclass or model."""
        owner = Class(slot.path, slot.frame)
        if self.program.method(owner, "__init__") is not None:
            return []
        name = self.program.frame(owner).name
        found: list[Place] = []
        for path, ref in self._calls.get(name, ())[:_CALLERS]:
            if ref.use != "define" and not is_aside(path):
                index = ref.path.index(name)
                if self.resolver.resolve(path, ref.frame, ref.path[: index + 1]) == owner:
                    found += self._argument(path, ref, index, 99, slot.name)
        return found

    def _writes(self, slot: Slot) -> list[tuple[str, Ref]]:
        writes = list(self.resolver.writes(slot))
        if slot.sort in ("module", "local"):
            writes += [
                (slot.path, binding.ref)
                for binding in self.program.names[slot.path][slot.frame].get(slot.name, ())
                if binding.ref is not None
            ]
        return writes

    def _qualified(self, slot: Slot) -> str:
        if slot.sort in ("module", "app"):
            return slot.name
        return f"{self.program.facts[slot.path].frames[slot.frame].qualname}.{slot.name}"

    def _local(self, slot: Slot, scope: _Scope) -> Places:
        found: list[Place] = []
        for binding in self.program.names[slot.path][slot.frame].get(slot.name, ()):
            if binding.ref is not None:
                found += self._bound(slot, binding.ref, scope)
            elif binding.parameter is not None:
                found += scope[slot.name] if slot.name in scope else self._parameter(slot, binding)
        return tuple(dict.fromkeys(found))

    def _bound(self, slot: Slot, ref: Ref, scope: _Scope) -> Places:
        if ref.use == "loop" and (slot.path, ref.frame, slot.name) not in self._loops:
            return self.steps(slot.path, ref.frame, ref.value, scope) if ref.value else ()
        if ref.use == "loop":
            return tuple(
                place.below(ANY) if _LISTING.search(loop.source) and place.root != TEMPORARY else place
                for loop in self._loops.get((slot.path, ref.frame, slot.name), ())
                for place in self.source(slot.path, ref.frame, loop.source, scope)
            )
        if ref.source:
            return self.source(slot.path, ref.frame, ref.source, scope)
        return self._of_hint(slot.path, ref, scope)

    def _of_hint(self, path: str, ref: Ref, scope: _Scope) -> Places:
        """What a `with` item binds."""
        hint = ref.value
        if hint[:1] in ((), ("=",)):
            return ()
        if hint[-2:-1] and hint[-2] in _MAKING:
            return (Place(TEMPORARY, (path, ref.line, ref.frame, "with")),)
        return self.steps(path, ref.frame, hint, scope)

    def _parameter(self, slot: Slot, binding: Binding) -> Places:
        """What callers pass for a parameter, and its default."""
        parameter = binding.parameter
        assert parameter is not None
        frames = self.program.facts[slot.path].frames
        frame = frames[slot.frame]
        found: list[Place] = []
        if parameter.default_source and parameter.default_source != "None":
            found += self.source(slot.path, frame.parent, parameter.default_source)
        if frame.sort != FUNCTION:
            return tuple(found)
        owner = frames[frame.parent]
        names = [each.name for each in frame.parameters]
        position = names.index(slot.name) - (names[0] in ("self", "cls"))
        wanted: Function | Class = Function(slot.path, slot.frame)
        name = frame.name
        if frame.name == "__init__":
            wanted, name = Class(slot.path, frame.parent), owner.name
        looked = 0
        for path, ref in self._calls.get(name, ()):
            if ref.use == "define" or looked >= _CALLERS or is_aside(path):
                continue
            index = ref.path.index(name)
            value = self.resolver.resolve(path, ref.frame, ref.path[: index + 1])
            if (
                value != wanted
                and not (
                    value is None
                    and index > 0
                    and len(self.program.functions.get(name, ())) == 1
                    and names[0] == "self"
                )
                and not (
                    isinstance(value, Class) and isinstance(wanted, Class) and wanted in self.resolver.lineage(value)
                )
            ):
                continue
            looked += 1
            found += self._argument(path, ref, index, position, slot.name)
        return tuple(found)

    def _argument(self, path: str, ref: Ref, index: int, position: int, keyword: str) -> Places:
        """The argument in a place of a call: by its source where that was kept, else by its hint."""
        after = index + 1
        if ref.path[after : after + 1] != ("()",):
            if ref.use == "pass" and ref.callee[-1:] in (("to_thread",), ("run_in_threadpool",), ("run_sync",)):
                return ()
            return ()
        end = ref.ends[2 * after : 2 * after + 2]
        kept = self._call_sources.get((path, *end))
        if kept is not None:
            node = parse(kept.source)
            if type(node) is ast.Call:
                for argument in node.keywords:
                    if argument.arg == keyword:
                        return self.places(path, ref.frame, argument.value)
                if position < len(node.args):
                    return self.places(path, ref.frame, node.args[position])
            return ()
        before = sum(1 for step in ref.path[1:after] if step == "()" or step.startswith("["))
        arguments = ref.arguments[before] if before < len(ref.arguments) else ()
        ordinary = [argument.hint for argument in arguments if not argument.name]
        hint: Hint = next((argument.hint for argument in arguments if argument.name == keyword), ())
        if not hint and position < len(ordinary):
            hint = ordinary[position]
        return self.steps(path, ref.frame, hint, {}) if hint[:1] not in ((), ("=",)) else ()


_PARSED: dict[str, Any] = {}


def parse(source: str) -> Any:
    """An expression's tree, None where the text was cut off."""
    if source not in _PARSED:
        if len(_PARSED) > 20_000:
            _PARSED.clear()
        try:
            _PARSED[source] = ast.parse(f"({source}\n)", mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            _PARSED[source] = None
    return _PARSED[source]


def _of_text(text: str) -> Place:
    if text.startswith("/"):
        return Place(SCRATCH, "", _steps(text)[1:]) if text.startswith("/tmp") else Place(ABSOLUTE, "", _steps(text))
    return Place(WORKING, "", _steps(text))


def _steps(text: str) -> tuple[str, ...]:
    return tuple(step for step in _WILD.sub(ANY, text).split("/") if step not in ("", "."))


def _may_equal(one: str, two: str) -> bool:
    """Whether two steps, each with or without unknown parts, may be the same name."""
    if one == two or ANY in (one, two):
        return True
    if ANY not in one and ANY not in two:
        return False
    start, other_start = one.partition(ANY)[0], two.partition(ANY)[0]
    end, other_end = one.rpartition(ANY)[2], two.rpartition(ANY)[2]
    if ANY not in one or ANY not in two:
        plain, start, end = (one, other_start, other_end) if ANY not in one else (two, start, end)
        return plain.startswith(start) and plain.endswith(end)
    return (start.startswith(other_start) or other_start.startswith(start)) and (
        end.endswith(other_end) or other_end.endswith(end)
    )


def _glued(place: Place, text: str) -> Place:
    """A place with text put right behind its last step."""
    if not text:
        return place
    if not place.steps or text.startswith(ANY):  # `FOLDER + name`: the folder's text ends with a slash
        return place.below(text)
    return place.up.below(f"{place.steps[-1]}{text}")


def _path_like(value: Any) -> bool:
    return type(value) is str and bool(value)


_FOLDER_WORDS = ("dir", "folder", "path", "root", "directory", "location", "storage", "dest", "file", "upload")


def _names_folder(name: str) -> bool:
    lower = name.lower()
    return any(word in lower for word in _FOLDER_WORDS)


def _bare(name: str) -> str:
    return name[name.index("['") + 2 : -2] if "['" in name else name.rpartition(".")[2]
