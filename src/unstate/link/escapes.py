"""Whether a path, or the name that makes it, leaves the function that formed it: then others can ask for the file."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from typing import Any

from unstate.facts.files import TOUCHING
from unstate.facts.values import FUNCTION, Ref
from unstate.link.places import parse
from unstate.link.program import Program

# Calls that keep the text of a path, or hand it to the client.
_KEEPING = frozenset(
    (
        "join joinpath Path str abspath realpath basename resolve as_posix relpath relative_to secure_filename"
        " jsonify dict list tuple url_for url_path_for redirect render_template quote dumps JSONResponse"
        " RedirectResponse encode decode format strip lower replace splitext with_suffix append name stem make_response"
        " Response HTMLResponse render fspath json text html jsonable_encoder"
    ).split()
)
_KEEPER = re.compile(
    r"^_?(add|append|insert|create|update|register|record|store|enqueue|delay|apply_async|publish|put|set|setdefault|save"
    r"|send|submit|push|remember|link|attach|write_?row|execute|new|start|emit|notify|log_)"
)


class Escapes:
    """Answers for the functions of one program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._refs: dict[tuple[str, int], list[Ref]] = {}
        self._known: dict[tuple[str, int, tuple[str, ...]], bool] = {}
        self._indexed: set[str] = set()

    def leaves(self, path: str, function: int, names: tuple[str, ...]) -> bool:
        """Whether one of the local names, or a text made of them, is returned, stored or handed to what stores it."""
        key = (path, function, names)
        if key not in self._known:
            self._known[key] = self._leaves(path, function, set(names))
        return self._known[key]

    def _leaves(self, path: str, function: int, names: set[str]) -> bool:
        refs = self._of(path, function)
        frame = self.program.facts[path].frames[function]
        grown = True
        while grown:
            grown = False
            for ref in refs:
                new = ref.use == "target" and len(ref.path) == 1 and ref.path[0] not in names and ref.source
                if new and _keeps(parse(ref.source), names):
                    names.add(ref.path[0])
                    grown = True
        for ref in refs:
            if ref.use == "target" and len(ref.path) > 1 and ref.source and _keeps(parse(ref.source), names):
                return True
            if ref.path[0] in names and ref.use == "pass" and self._stores(ref.callee):
                return True
        inner = {function, *self.program.children[path][function]}
        for found in self.program.facts[path].expressions:
            if found.sort == "return" and found.frame in inner and _keeps(parse(found.source), names):
                return True
        return frame.sort == FUNCTION and frame.name in names

    def _stores(self, callee: tuple[str, ...]) -> bool:
        steps = [step for step in callee if step.isidentifier()]
        if not steps or steps[-1] == "save":  # an image's or a document's own: the file itself
            return False
        return _KEEPER.match(steps[-1]) is not None or steps[-1] in self.program.classes

    def _of(self, path: str, function: int) -> list[Ref]:
        if path not in self._indexed:
            self._indexed.add(path)
            grouped: dict[int, list[Ref]] = defaultdict(list)
            for ref in self.program.facts[path].refs:
                grouped[self.program.function_around(path, ref.frame)].append(ref)
            for index, refs in grouped.items():
                self._refs[(path, index)] = refs
        return self._refs.get((path, function), [])

    def is_remembered(self, path: str, function: int, names: set[str]) -> bool:
        """Whether one of the local names is put into something that is no local of the function."""
        imports = self.program.facts[path].imports
        components = {found.bound for found in imports if found.module == "gradio"}
        for ref in self._of(path, function):
            if (
                ref.use == "pass"
                and ref.path[0] in names
                and ref.position == "value"
                and ref.callee[:1]
                and ref.callee[0] in components
            ):
                return True  # a component fetches the file when the user asks for it
            if ref.use != "target" or len(ref.path) < 2 or not ref.source or ref.path[0] in ("self", "request", "g"):
                continue
            found = self.program.lookup(path, ref.frame, ref.path[0])
            outside = (
                found is None or found[0] != function or self.program.facts[path].frames[found[0]].sort != FUNCTION
            )
            if outside and _keeps(parse(ref.source), names):
                return True
        return False

    def is_consumed(self, path: str, function: int, name: str, after: tuple[int, int]) -> bool:
        """Whether a function hands the file of that name to something that uses it, after a place."""
        refs = self._of(path, function)
        names = {name}
        for ref in refs:  # the arguments of a program, as a list
            node = parse(ref.source) if ref.use == "target" and len(ref.path) == 1 and ref.source else None
            if type(node) in (ast.List, ast.Tuple) and _keeps(node, {name}):
                names.add(ref.path[0])
        return any(
            ref.path[0] in names
            and (ref.line, ref.column) > after
            and ref.use in ("pass", "iterate")
            and (ref.use == "iterate" or (ref.callee[-1:] and ref.callee[-1] not in _KEEPING))
            and not self._stores(ref.callee)
            for ref in refs
        )

    def is_filled_by_other(self, path: str, function: int, name: str, before: tuple[int, int]) -> bool:
        """Whether a path is handed to something that is no file operation, before a place."""
        return any(
            ref.path == (name,)
            and (ref.line, ref.column) < before
            and ref.use == "pass"
            and ref.callee[-1:]
            and ref.callee[-1] not in TOUCHING
            and ref.callee[-1] not in _KEEPING
            for ref in self._of(path, function)
        )


def names_in(node: Any) -> tuple[str, ...]:
    """The plain names that an expression is made of."""
    return tuple(dict.fromkeys(each.id for each in ast.walk(node) if type(each) is ast.Name))


def _keeps(node: Any, names: set[str]) -> bool:
    """Whether an expression's value holds the text of one of the names."""
    if node is None:
        return False
    kind = type(node)
    if kind is ast.Name:
        return node.id in names
    if kind is ast.Attribute:
        return node.attr in ("name", "stem", "parent", "path", "url") and _keeps(node.value, names)
    if kind is ast.Call:
        function = node.func
        called = function.attr if type(function) is ast.Attribute else function.id if type(function) is ast.Name else ""
        if called not in _KEEPING and not called[:1].isupper():
            return False
        owner = [function.value] if type(function) is ast.Attribute else []
        return called not in ("FileResponse", "StreamingResponse") and any(
            _keeps(each, names) for each in (*owner, *node.args, *(keyword.value for keyword in node.keywords))
        )
    if kind is ast.Dict:
        return any(_keeps(each, names) for each in (*filter(None, node.keys), *node.values))
    if kind in (ast.List, ast.Tuple, ast.Set):
        return any(_keeps(each, names) for each in node.elts)
    if kind is ast.JoinedStr:
        return any(_keeps(each, names) for each in node.values)
    if kind in (ast.FormattedValue, ast.Await, ast.Starred, ast.NamedExpr):
        return _keeps(node.value, names)
    if kind is ast.BinOp:
        return _keeps(node.left, names) or _keeps(node.right, names)
    if kind is ast.BoolOp:
        return any(_keeps(each, names) for each in node.values)
    if kind is ast.IfExp:
        return _keeps(node.body, names) or _keeps(node.orelse, names)
    if kind is ast.Subscript:
        return _keeps(node.value, names)
    return False
