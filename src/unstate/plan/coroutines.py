"""Which synchronous functions can become asynchronous with all of their callers, so that none blocks an event loop.

A function can where every mention of its name in the service is known: its one definition, imports of it, and calls of
it from asynchronous functions, or from others that can become asynchronous themselves. Whatever else may refer to it (a
decorator, a second definition, a reference that is no call, a test, a call through an object that cannot be told) keeps
it as it is.

Functions are named as the rewriter takes them: "module:function", by the last part of the module's name, and
"Class.method".
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from unstate.plan.sources import Sources

_PLAIN_DECORATORS = frozenset({"staticmethod", "classmethod"})
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class _Mention:
    """One place where a name stands; `how` is "call", "import" or "other"."""

    path: str
    how: str
    receiver: str | None  # of an attribute: "self", a dotted name, "?" for any other expression; None for a bare name
    function: _Function | None  # the innermost function around, None where that is a lambda, a generator or a module
    owner: str  # the class whose body that function stands in


@dataclass(frozen=True, slots=True)
class _Definition:
    path: str
    node: _Function
    owner: str  # the class in whose body it stands, "" for a function of a module
    nested: bool

    @property
    def key(self) -> str:
        """As the rewriter names it."""
        return f"{self.owner}.{self.node.name}" if self.owner else f"{stem(self.path)}:{self.node.name}"


class Coroutines:
    """Answers for one service; its files are read once, when first asked."""

    def __init__(self, sources: Sources, service: str) -> None:
        self.sources = sources
        self.service = service
        self._definitions: dict[str, list[_Definition]] = defaultdict(list)
        self._mentions: dict[str, list[_Mention]] = defaultdict(list)
        self._instances: dict[str, set[str]] = defaultdict(set)  # class -> module-level names of its objects
        self._unread: list[bytes] = []
        self._modules: set[str] = set()  # the last parts of the names of the service's modules
        self._called: set[int] = set()  # nodes that name what a call calls: they are told by the call
        for path in sources.python_files(service):
            self._read(path)

    def made_from(self, functions: Collection[tuple[str, str]]) -> tuple[frozenset[str], frozenset[str]]:
        """(functions that become asynchronous, files that mention them) for those, by path and name, that can."""
        found: dict[str, frozenset[str]] = {}
        for path, name in sorted(functions):
            for definition in self._definitions.get(name, ()):
                if definition.path == path:
                    found |= self._closure(definition, {}) or {}
        return frozenset(found), frozenset[str]().union(*found.values())

    def _closure(self, definition: _Definition, seen: dict[str, frozenset[str]]) -> dict[str, frozenset[str]] | None:
        """The function and those that must become asynchronous with it, each with the files that mention it; None where
        one of them cannot."""
        if definition.key in seen:
            return seen
        mentions = self._mentions_of(definition)
        if mentions is None or not any(mention.how == "call" for mention in mentions):
            return None
        seen = {**seen, definition.key: frozenset({definition.path, *(mention.path for mention in mentions)})}
        for mention in mentions:
            if mention.how == "import" or isinstance(mention.function, ast.AsyncFunctionDef):
                continue
            callers = self._definitions.get(mention.function.name, ()) if mention.function else ()
            caller = next((each for each in callers if each.node is mention.function), None)
            further = self._closure(caller, seen) if mention.how == "call" and caller else None
            if further is None:
                return None
            seen = further
        return seen

    def _mentions_of(self, definition: _Definition) -> list[_Mention] | None:
        """Every mention of a function; None where it must stay as it is, or some mention cannot be told."""
        node, name = definition.node, definition.node.name
        namesakes = [each for each in self._definitions[name] if bool(each.owner) == bool(definition.owner)]
        decorators = {ast.unparse(each) for each in node.decorator_list}
        if len(namesakes) != 1 or (name.startswith("__") and name.endswith("__")):
            return None
        if isinstance(node, ast.AsyncFunctionDef) or definition.nested or decorators - _PLAIN_DECORATORS:
            return None
        if any(isinstance(each, ast.Yield | ast.YieldFrom) for each in ast.walk(node)):
            return None
        if any(name.encode() in content for content in self._unread):
            return None
        found = []
        for mention in self._mentions.get(name, ()):
            whose = self._whose(definition, mention)
            if whose is None or (whose and mention.how == "other"):
                return None
            if whose:
                found.append(mention)
        return found

    def _whose(self, definition: _Definition, mention: _Mention) -> bool | None:
        """Whether a mention is one of the definition; None where that cannot be told."""
        if mention.how == "text":
            return None
        if mention.receiver is None:
            return not definition.owner
        last = mention.receiver.rpartition(".")[2]
        if not definition.owner:
            return last == stem(definition.path) if mention.receiver != "?" else False
        if last in self._instances[definition.owner]:
            return True
        if last in self._modules:
            return False
        if mention.receiver in ("self", "cls"):
            return True if (mention.owner, mention.path) == (definition.owner, definition.path) else None
        return None

    def _read(self, path: str) -> None:
        self._modules.add(stem(path))
        try:
            tree = self.sources.source(path, self.service).tree
        except (SyntaxError, ValueError):
            self._unread.append(self.sources.read(path))
            return
        for statement in tree.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id=made))):
                    self._instances[made].add(name)
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.Call(func=ast.Name(id=made))):
                    self._instances[made].add(name)
        self._visit(path, tree, None, "", nested=False)

    def _visit(self, path: str, node: ast.AST, function: _Function | None, owner: str, *, nested: bool) -> None:
        for child in ast.iter_child_nodes(node):
            for name, how, receiver in self._said(child):
                self._mentions[name].append(_Mention(path, how, receiver, function, owner))
            match child:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or nested
                    here = node.name if isinstance(node, ast.ClassDef) else ""
                    self._definitions[child.name].append(_Definition(path, child, here, inside))
                    # Decorators and defaults are evaluated around the function, its body inside.
                    for part in (*child.decorator_list, child.args, *([child.returns] if child.returns else ())):
                        self._visit(path, ast.Module([ast.Expr(part)], []), function, owner, nested=nested)
                    self._visit(path, ast.Module(child.body, []), child, here, nested=True)
                case ast.Lambda() | ast.GeneratorExp():
                    self._visit(path, child, None, owner, nested=nested)
                case _:
                    self._visit(path, child, function, owner, nested=nested)

    def _said(self, node: ast.AST) -> Iterator[tuple[str, str, str | None]]:
        """(name, how, receiver) of what a node says of functions by their names."""
        if isinstance(node, ast.Call):  # `getattr(module, "name")`, `patch("module.name")`
            texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            yield from ((text.rpartition(".")[2], "text", None) for text in texts)
        match node:
            case ast.Call(func=ast.Name(id=name) as func):
                self._called.add(id(func))
                yield name, "call", None
            case ast.Call(func=ast.Attribute(value=value, attr=name) as func):
                self._called.add(id(func))
                yield name, "call", _dotted(value)
            case ast.Name(id=name) if id(node) not in self._called:
                yield name, "other", None
            case ast.Attribute(value=value, attr=name) if id(node) not in self._called:
                yield name, "other", _dotted(value)
            case ast.ImportFrom(names=names):
                for each in names:
                    yield each.name, "import" if each.asname is None else "other", None
            case ast.arg(arg=name):
                yield name, "other", None


def _dotted(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            inner = _dotted(value)
            return "?" if inner == "?" else f"{inner}.{name}"
    return "?"


def stem(path: str) -> str:
    """The last part of the name of a module."""
    parts = path.removesuffix(".py").split("/")
    return parts[-2] if parts[-1] == "__init__" and len(parts) > 1 else parts[-1]
