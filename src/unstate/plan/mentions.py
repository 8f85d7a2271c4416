"""Where a service says the names of its functions, and of which function each of these places is.

Types are not known here, so that a place counts as one of a function only where nothing else can be meant, and as
untold wherever something else might.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from unstate.plan.sources import Sources
from unstate.rewrite.syntax import children

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
DEPENDING = frozenset({"Depends", "Security", "Provide"})  # a parameter's value comes from the function they name


@dataclass(frozen=True, slots=True)
class Mention:
    """One place where a name stands.

    `how`: "call", "import", "bound" (assigned in a function, a parameter), "text" (an argument of a call), "returned"
    (by the function around), "depends" (a parameter of that function does), "depended" (it stands in `Depends(...)`),
    "other".
    """

    path: str
    line: int
    how: str
    receiver: (
        str | None
    )  # of an attribute: "self", a dotted name, "?" for any other; of an import: its module; else None
    function: FunctionNode | None  # the innermost one around
    owner: str  # the class in whose body that function stands
    waits: bool  # whether an `await` may stand here, if that function is asynchronous


@dataclass(frozen=True, slots=True)
class Definition:
    """One `def`."""

    path: str
    node: FunctionNode
    owner: str  # the class in whose body it stands, "" for a function of a module
    nested: bool

    @property
    def key(self) -> str:
        """As the rewriter names it."""
        return f"{self.owner}.{self.node.name}" if self.owner else f"{stem(self.path)}:{self.node.name}"


class Mentions:
    """The names of one service; its files are read once, when first asked.

    `run_before` holds calls that are made for a function: of its decorators ("call"), and of what its parameters depend
    on ("depends"). `handed` counts the functions that are handed to a call, by their bare name and its.
    """

    def __init__(self, sources: Sources, service: str) -> None:
        self.sources = sources
        self.service = service
        self.definitions: dict[str, list[Definition]] = defaultdict(list)
        self.by_name: dict[str, list[Mention]] = defaultdict(list)
        self.run_before: dict[str, list[Mention]] = defaultdict(list)
        self.handed: Counter[tuple[str, str]] = Counter()
        self._instances: dict[str, set[str]] = defaultdict(set)  # class -> module-level names of its objects
        self._unread: list[bytes] = []
        self.starred: set[str] = set()  # files that import all names of a module
        self._called: set[int] = set()  # nodes that name what a call calls: they are told by the call
        for path in sources.python_files(service):
            self._read(path)

    def of(self, definition: Definition) -> list[Mention] | None:
        """Every mention of a function; None where one of them cannot be told from those of another thing."""
        name = definition.node.name
        namesakes = [each for each in self.definitions[name] if bool(each.owner) == bool(definition.owner)]
        if len(namesakes) != 1 or self.may_be_unread(name):
            return None
        found = []
        for mention in self.by_name.get(name, ()):
            whose = self.whose(definition, mention)
            if whose is None:
                return None
            if whose:
                found.append(mention)
        return found

    def may_be_unread(self, name: str) -> bool:
        """Whether a file that does not parse has the text of a name."""
        return any(name.encode() in content for content in self._unread)

    def whose(self, definition: Definition, mention: Mention) -> bool | None:
        """Whether a mention is one of the definition; None where that cannot be told."""
        if mention.how == "text":
            return None
        if mention.how == "import":
            return None if definition.owner or _last(mention.receiver) != stem(definition.path) else True
        if mention.receiver is None:
            return not definition.owner and self._knows(mention.path, definition)
        if not definition.owner:
            if mention.receiver in ("self", "cls"):
                return False
            # In the file itself the name of its module is that of an object: `app` in app.py.
            elsewhere = mention.path != definition.path
            return True if elsewhere and _last(mention.receiver) == stem(definition.path) else None
        if mention.receiver in ("self", "cls"):
            return True if (mention.owner, mention.path) == (definition.owner, definition.path) else None
        return True if self._is_instance(mention.path, mention.receiver, definition.owner) else None

    def _knows(self, path: str, definition: Definition) -> bool | None:
        """Whether a bare name in a file is the function: in its own file, or where it is imported by that name."""
        if path == definition.path:
            return True
        imported = [each for each in self.by_name[definition.node.name] if (each.path, each.how) == (path, "import")]
        return True if imported and path not in self.starred else None

    def _is_instance(self, path: str, receiver: str, owner: str) -> bool:
        """Whether a name stands for the one object of a class that a module makes, and for nothing else in the file."""
        first, last = receiver.partition(".")[0], _last(receiver)
        if last not in self._instances[owner]:
            return False
        return not any(each.path == path and each.how == "bound" for each in self.by_name.get(first, ()))

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
        self._visit(path, tree, None, "", nested=False, waits=True)

    def _visit(
        self, path: str, node: ast.AST, function: FunctionNode | None, owner: str, *, nested: bool, waits: bool
    ) -> None:
        for child in children(node):
            line = getattr(child, "lineno", 0)
            for name, how, receiver in self._said(child, path, inside=function is not None or not waits):
                self.by_name[name].append(Mention(path, line, how, receiver, function, owner, waits))
            if isinstance(child, ast.Call):
                given = (*child.args, *(each.value for each in child.keywords))
                self.handed.update((name, _name(child.func)) for each in given if (name := _name(each)))
            match child:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or nested
                    here = node.name if isinstance(node, ast.ClassDef) else ""
                    self.definitions[child.name].append(Definition(path, child, here, inside))
                    for before, how in _run_before(child):
                        receiver = _dotted(before.value) if isinstance(before, ast.Attribute) else None
                        mention = Mention(path, child.lineno, how, receiver, child, here, waits)
                        self.run_before[_name(before)].append(mention)
                    # Decorators and defaults are evaluated around the function, its body inside.
                    for part in (*child.decorator_list, child.args, *([child.returns] if child.returns else ())):
                        around = ast.Module([ast.Expr(part)], [])
                        self._visit(path, around, function, owner, nested=nested, waits=waits)
                    self._visit(path, ast.Module(child.body, []), child, here, nested=True, waits=True)
                case ast.Lambda() | ast.GeneratorExp():
                    self._visit(path, child, function, owner, nested=nested, waits=False)
                case _:
                    self._visit(path, child, function, owner, nested=nested, waits=waits)

    def _said(self, node: ast.AST, path: str, *, inside: bool) -> Iterator[tuple[str, str, str | None]]:
        """(name, how, receiver) of what a node says of names; `inside` a function or lambda, it may bind them."""
        if isinstance(node, ast.Call):  # `getattr(module, "name")`, `patch("module.name")`
            texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            yield from ((_last(text), "text", None) for text in texts)
            if _name(node.func) in DEPENDING:
                for given in node.args[:1]:
                    self._called.add(id(given))
                    receiver = _dotted(given.value) if isinstance(given, ast.Attribute) else None
                    yield _name(given), "depended", receiver
        match node:
            case ast.Call(func=ast.Name(id=name) as func):
                self._called.add(id(func))
                yield name, "call", None
            case ast.Call(func=ast.Attribute(value=value, attr=name) as func):
                self._called.add(id(func))
                yield name, "call", _dotted(value)
            case ast.Return(value=ast.Name(id=name) as value):
                self._called.add(id(value))
                yield name, "returned", None
            case ast.Name(id=name, ctx=context) if id(node) not in self._called:
                yield name, "bound" if inside and not isinstance(context, ast.Load) else "other", None
            case ast.Attribute(value=value, attr=name) if id(node) not in self._called:
                yield name, "other", _dotted(value)
            case ast.ImportFrom(module=module, names=names):
                for each in names:
                    if each.name == "*":
                        self.starred.add(path)
                    yield each.name, "import" if each.asname is None else "other", module or ""
            case ast.arg(arg=name):
                yield name, "bound", None


def _run_before(function: FunctionNode) -> Iterator[tuple[ast.expr, str]]:
    """What is called for a function before it, or around it: its decorators, and what its parameters depend on."""
    for decorator in function.decorator_list:
        yield decorator.func if isinstance(decorator, ast.Call) else decorator, "call"
    arguments = function.args
    annotations = [each.annotation for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    for part in (*arguments.defaults, *arguments.kw_defaults, *annotations):
        for node in ast.walk(part) if part is not None else ():
            if isinstance(node, ast.Call) and _name(node.func) in DEPENDING:
                yield from ((each, "depends") for each in node.args[:1])


def _name(node: ast.expr) -> str:
    """The bare name of a function that an expression names, "" for any other expression."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _dotted(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            inner = _dotted(value)
            return "?" if inner == "?" else f"{inner}.{name}"
    return "?"


def _last(dotted: str | None) -> str:
    return (dotted or "").rpartition(".")[2]


def stem(path: str) -> str:
    """The last part of the name of a module."""
    parts = path.removesuffix(".py").split("/")
    return parts[-2] if parts[-1] == "__init__" and len(parts) > 1 else parts[-1]
