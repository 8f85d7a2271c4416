"""Which synchronous functions can become asynchronous with all of their callers, so that none blocks an event loop.

A function can where every mention of its name in the service is known: its one definition, imports of it, and calls of
it from asynchronous functions, or from others that can become asynchronous themselves. Whatever else may refer to it (a
decorator, a second definition, a reference that is no call, a test, a call through an object that cannot be told) keeps
it as it is.
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
    receiver: str  # of a call: "" for a bare name, "self", a dotted name, "?" for any other expression
    function: _Function | None  # the innermost function around, None where that is a lambda, a generator or a module
    owner: str  # the class whose body that function stands in


@dataclass(frozen=True, slots=True)
class _Definition:
    path: str
    node: _Function
    owner: str
    nested: bool


class Coroutines:
    """Answers for one service; its files are read once, when first asked."""

    def __init__(self, sources: Sources, service: str) -> None:
        self.sources = sources
        self.service = service
        self._definitions: dict[str, list[_Definition]] = defaultdict(list)
        self._mentions: dict[str, list[_Mention]] = defaultdict(list)
        self._instances: dict[str, set[str]] = defaultdict(set)  # class -> module-level names of its objects
        self._unread: list[bytes] = []
        self._called: set[int] = set()  # nodes that name what a call calls: they are told by the call
        for path in sources.python_files(service):
            self._read(path)

    def made_from(self, names: Collection[str]) -> tuple[frozenset[str], frozenset[str]]:
        """(functions that become asynchronous, files that mention them) for those of `names` that can."""
        found: set[str] = set()
        for name in sorted(names):
            closure = self._closure(name, set())
            if closure is not None:
                found |= closure
        return frozenset(found), frozenset(each.path for name in found for each in self._mentions[name])

    def _closure(self, name: str, seen: set[str]) -> set[str] | None:
        """The function and those that must become asynchronous with it; None where one of them cannot."""
        if name in seen:
            return seen
        definition = self._convertible(name)
        if definition is None:
            return None
        seen = seen | {name}
        called = False
        for mention in self._mentions[name]:
            if mention.how == "import":
                continue
            if mention.how != "call" or mention.function is None or not self._is_call_of(definition, mention):
                return None
            called = True
            if isinstance(mention.function, ast.FunctionDef):
                further = self._closure(mention.function.name, seen)
                if further is None:
                    return None
                seen = further
        return seen if called else None

    def _convertible(self, name: str) -> _Definition | None:
        definitions = self._definitions.get(name, [])
        if len(definitions) != 1 or (name.startswith("__") and name.endswith("__")):
            return None
        (definition,) = definitions
        node = definition.node
        decorators = {ast.unparse(each) for each in node.decorator_list}
        if isinstance(node, ast.AsyncFunctionDef) or definition.nested or decorators - _PLAIN_DECORATORS:
            return None
        if any(isinstance(each, ast.Yield | ast.YieldFrom) for each in ast.walk(node)):
            return None
        return None if any(name.encode() in content for content in self._unread) else definition

    def _is_call_of(self, definition: _Definition, mention: _Mention) -> bool:
        """Whether a call by that name is one of the definition, and of nothing that has a method of that name."""
        if not definition.owner:
            return mention.receiver == "" or mention.receiver.rpartition(".")[2] == _stem(definition.path)
        if mention.receiver in ("self", "cls"):
            return mention.owner == definition.owner and mention.path == definition.path
        return mention.receiver.rpartition(".")[2] in self._instances[definition.owner]

    def _read(self, path: str) -> None:
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

    def _said(self, node: ast.AST) -> Iterator[tuple[str, str, str]]:
        """(name, how, receiver) of what a node says of functions by their names."""
        if isinstance(node, ast.Call):  # `getattr(module, "name")`, `patch("module.name")`
            texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            yield from ((text.rpartition(".")[2], "other", "") for text in texts)
        match node:
            case ast.Call(func=ast.Name(id=name) as func):
                self._called.add(id(func))
                yield name, "call", ""
            case ast.Call(func=ast.Attribute(value=value, attr=name) as func):
                self._called.add(id(func))
                yield name, "call", _dotted(value)
            case ast.Name(id=name) | ast.Attribute(attr=name) if id(node) not in self._called:
                yield name, "other", ""
            case ast.ImportFrom(names=names):
                for each in names:
                    yield each.name, "import" if each.asname is None else "other", ""
            case ast.arg(arg=name):
                yield name, "other", ""


def _dotted(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            inner = _dotted(value)
            return "?" if inner == "?" else f"{inner}.{name}"
    return "?"


def _stem(path: str) -> str:
    parts = path.removesuffix(".py").split("/")
    return parts[-2] if parts[-1] == "__init__" and len(parts) > 1 else parts[-1]
