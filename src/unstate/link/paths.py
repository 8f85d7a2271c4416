"""The grammar of paths: what joins, divides, formats and calls make of the places that names stand for."""

from __future__ import annotations

import ast
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from unstate.facts.hints import path_of
from unstate.facts.values import Path, Ref
from unstate.link.places import (
    ANY,
    SCRATCH,
    TEMPORARY,
    UNKNOWN,
    WORKING,
    Place,
    Places,
    Scope,
    glued,
    names_folder,
    of_text,
    parse,
    steps_in,
)
from unstate.link.program import Program
from unstate.link.resolve import Resolver
from unstate.link.values import External, Function, Slot

_PLACEHOLDER = re.compile(r"%\(?\w*\)?[-#0 +.\d]*[a-z]")
KEY = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+|[A-Z]{4,}")  # of a setting
MANY = 6  # places that one expression is taken to mean

_SAME = frozenset(
    (
        "abspath realpath normpath expanduser expandvars str fspath resolve absolute as_posix Path PurePath PosixPath"
        " strip rstrip lstrip to_thread format_path String cast field Field"
    ).split()
)
# Attributes that mean something else on every object: no two of them are taken for one place.
GENERIC = frozenset(
    (
        "path name filename file file_path filepath file_name parent dir dirname folder directory root location dest"
        " destination output output_path source url uri rootdir basename full_path abspath fullpath outfile tmpfile"
    ).split()
)
_JOINING = frozenset({"safe_join", "joinpath", "secure_join"})
_NAMING = frozenset({"basename", "secure_filename", "get_valid_filename", "relpath", "splitext"})
MAKING = frozenset({"NamedTemporaryFile", "mkstemp", "mkdtemp", "TemporaryDirectory", "SpooledTemporaryFile"})
_ORDERING = frozenset({"sorted", "list", "tuple", "reversed", "set"})
_LISTINGS = frozenset({"glob", "iglob", "rglob", "iterdir"})  # that give paths, and not names


def _is_listing(node: Any) -> bool:
    """Whether a call lists paths, as it is or sorted."""
    if type(node) is not ast.Call:
        return False
    name = node.func.attr if type(node.func) is ast.Attribute else getattr(node.func, "id", "")
    return name in _LISTINGS or (name in _ORDERING and bool(node.args) and _is_listing(node.args[0]))


class Paths(ABC):
    """Evaluates syntax trees to places; what names stand for is left to a subclass."""

    program: Program
    resolver: Resolver
    stored: Callable[[str, int, ast.expr], Places] = staticmethod(lambda path, frame, node: ())  # by a framework

    @abstractmethod
    def steps(self, path: str, frame: int, steps: Path, scope: Scope) -> Places:
        """The places that a dotted path means."""

    @abstractmethod
    def configured(self, key: str) -> Places:
        """The places that a key of the configuration means."""

    @abstractmethod
    def called(self, name: str) -> Places:
        """The places that an attribute of an unknown object means."""

    @abstractmethod
    def returned(self, function: Function, scope: Scope) -> Places:
        """The places that a call of a function gives."""

    @abstractmethod
    def writes(self, slot: Slot) -> list[tuple[str, Ref]]:
        """Everything that binds a slot."""

    def places(self, path: str, frame: int, node: Any, scope: Scope | None = None) -> Places:
        """Every place that an expression may mean, () where it is no path as far as one can see."""
        return tuple(dict.fromkeys(self._node(path, frame, node, scope or {})))[:MANY]

    def source(self, path: str, frame: int, source: str, scope: Scope | None = None) -> Places:
        """The places that an expression means, given as text."""
        node = parse(source)
        return self.places(path, frame, node, scope) if node is not None else ()

    def _node(self, path: str, frame: int, node: Any, scope: Scope) -> Places:
        kind = type(node)
        if kind in (ast.Attribute, ast.Call) and (found := self.stored(path, frame, node)):
            return found
        if kind is ast.Constant:
            return (of_text(node.value),) if type(node.value) is str and node.value else ()
        if kind is ast.BinOp:
            return self._operation(path, frame, node, scope)
        if kind is ast.JoinedStr:
            return self._pieces(path, frame, node.values, scope) if node.values else ()
        if kind is ast.Call:
            return self._call(path, frame, node, scope)
        if kind is ast.IfExp:
            return self.places(path, frame, node.body, scope) + self.places(path, frame, node.orelse, scope)
        if kind is ast.BoolOp:
            return tuple(place for value in node.values for place in self.places(path, frame, value, scope))
        if kind in (ast.List, ast.Tuple, ast.Set):
            return tuple(place for item in node.elts for place in self.places(path, frame, item, scope))
        if kind in (ast.ListComp, ast.GeneratorExp, ast.SetComp):
            return self.places(path, frame, node.elt, scope | self._bound_by(path, frame, node, scope))
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

    def _bound_by(self, path: str, frame: int, node: Any, scope: Scope) -> Scope:
        """What the names of a comprehension stand for."""
        found: Scope = {}
        for each in node.generators:
            if type(each.target) is ast.Name:
                places = self.places(path, frame, each.iter, scope | found)
                inner = _is_listing(each.iter)
                found[each.target.id] = tuple(one.below(ANY) if inner else one for one in places)
        return found

    def _operation(self, path: str, frame: int, node: ast.BinOp, scope: Scope) -> Places:
        if type(node.op) is ast.Div:
            return self._joined(path, frame, [node.left, node.right], scope)
        if type(node.op) is ast.Add:
            pieces: list[Any] = []
            left: ast.expr = node
            while type(left) is ast.BinOp and type(left.op) is ast.Add:
                pieces.append(left.right)
                left = left.left
            pieces.append(left)
            return self._pieces(path, frame, pieces[::-1], scope)
        if type(node.op) is ast.Mod and type(node.left) is ast.Constant and type(node.left.value) is str:
            text = _PLACEHOLDER.sub(ANY, node.left.value)
            return (of_text(text),) if "/" in text and not text.startswith(ANY) else ()
        return ()

    def _pieces(self, path: str, frame: int, pieces: list[Any], scope: Scope) -> Places:
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
            return (of_text(text),) if "/" in text and not text.startswith((ANY, "http")) else ()
        if not text:
            return starts
        if text.startswith("/"):
            return tuple(place.below(*steps_in(text)) for place in starts)
        rest_of_step, _, rest = text.partition("/")
        return tuple(glued(place, rest_of_step).below(*steps_in(rest)) for place in starts)

    def _joined(self, path: str, frame: int, parts: list[Any], scope: Scope) -> Places:
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
        return steps_in(self._pattern(path, frame, node)) or (ANY,)

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
                writes = self.writes(value)
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
        if not last.isidentifier() or (len(steps) > 1 and last in GENERIC):
            return ()
        return self.called(last) if len(steps) > 1 else (Place(UNKNOWN, (path, frame, last)),)

    # Calls

    def _call(self, path: str, frame: int, node: ast.Call, scope: Scope) -> Places:
        function = node.func
        name = function.attr if type(function) is ast.Attribute else function.id if type(function) is ast.Name else ""
        owner = function.value if type(function) is ast.Attribute else None
        root = path_of(owner)[-1:] if owner is not None else ()
        if name == "join" and (owner is None or root[0:1] in (("path",), ("osp",), ("posixpath",), ("ospath",))):
            return self._joined(path, frame, node.args, scope)
        if name == "join" and type(owner) is ast.Constant and owner.value in ("/", "\\"):
            parts = node.args[0] if node.args else None
            return self._joined(path, frame, parts.elts, scope) if isinstance(parts, ast.List | ast.Tuple) else ()
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
        if name in MAKING:
            return (Place(TEMPORARY, (path, node.lineno, frame, ast.dump(node))),)
        if name in ("getenv", "get", "config", "env", "pop", "setdefault", "getattr", "get_setting") and node.args:
            return self._setting(path, frame, node, name, scope)
        if name in ("open", "glob", "iglob", "iterdir", "rglob", "listdir", "scandir", "walk"):
            inner = owner if owner is not None and root not in (("os",), ("glob",), ("aiofiles",), ("io",)) else None
            chosen = inner if inner is not None else node.args[0] if node.args else None
            return self.places(path, frame, chosen, scope) if chosen is not None else ()
        if name in _ORDERING and owner is None and node.args and _is_listing(node.args[0]):
            return self.places(path, frame, node.args[0], scope)
        if name in _SAME:
            chosen = node.args[0] if node.args and name not in ("resolve", "strip", "rstrip") else owner
            if name in ("Field", "field"):
                chosen = next((k.value for k in node.keywords if k.arg == "default"), chosen)
            return self.places(path, frame, chosen, scope) if chosen is not None else ()
        if name in ("Depends", "Security") and node.args:
            value = self.resolver.resolve(path, frame, path_of(node.args[0])) if path_of(node.args[0]) else None
            return self.returned(value, {}) if isinstance(value, Function) else ()
        if name == "replace" and owner is not None and len(node.args) == 2:
            return tuple(place.up.below(ANY) for place in self.places(path, frame, owner, scope))
        return self._own_call(path, frame, node, scope)

    def _own_call(self, path: str, frame: int, node: ast.Call, scope: Scope) -> Places:
        """A call of a function of the project, or of a name for `os.path.join`."""
        steps = path_of(node.func)
        value = self.resolver.resolve(path, frame, steps) if steps else None
        if isinstance(value, Slot):
            value = self.resolver.settle(value)[1]
        if isinstance(value, External) and value.name.endswith("path.join"):
            return self._joined(path, frame, node.args, scope)
        if isinstance(value, Function):
            found = self.returned(value, self._arguments(path, frame, node, value, scope))
            if found:
                return found
        word = node.args[0].value if len(node.args) == 1 and type(node.args[0]) is ast.Constant else None
        if type(word) is str and KEY.fullmatch(word):  # whatever reads settings: get_conf("UPLOAD_FOLDER")
            return self.configured(word)
        return ()

    def _setting(self, path: str, frame: int, node: ast.Call, name: str, scope: Scope) -> Places:
        """`os.getenv("X", default)`, `config.get("X")`, `getattr(settings, "X", default)`."""
        words = [argument.value for argument in node.args if type(argument) is ast.Constant]
        key = str(words[0]) if words else ""
        if name in ("get", "pop", "setdefault") and not (KEY.fullmatch(key) or names_folder(key)):
            return ()
        default = node.args[1:] if name != "getattr" else node.args[2:]
        default += [keyword.value for keyword in node.keywords if keyword.arg == "default"]
        found = tuple(
            place
            for argument in default[-1:]
            if type(argument) is not ast.Constant or argument.value
            for place in self.places(path, frame, argument, scope)
        )
        return found or (self.configured(key) if KEY.fullmatch(key) else ())

    def _arguments(self, path: str, frame: int, node: ast.Call, function: Function, scope: Scope) -> Scope:
        target = self.program.facts[function.path].frames[function.frame]
        names = [parameter.name for parameter in target.parameters]
        if names[:1] in (["self"], ["cls"]):
            names = names[1:]
        pairs = [*zip(names, node.args, strict=False), *((k.arg, k.value) for k in node.keywords if k.arg)]
        given: Scope = {}
        for name, value in pairs:
            given[name] = self.places(path, frame, value, scope)
        return given
