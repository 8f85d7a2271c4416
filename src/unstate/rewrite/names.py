"""The names that a rewrite brings into a file, and those that the file has."""

from __future__ import annotations

import ast
import builtins
import re
import symtable
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from unstate.rewrite.syntax import walk


@dataclass(slots=True)
class Names:
    """`taken` by the file itself; `imported` by the rewrite from the backing-services module."""

    taken: frozenset[str]
    imported: set[str] = field(default_factory=set)
    has_any: bool = False  # the file imports `Any` of `typing`
    wants_any: bool = False
    _defined: dict[int, set[str]] = field(default_factory=dict)  # functions of ours, by the function around them

    def fresh(self, wanted: str, apart: Collection[str] = ()) -> str:
        """A local name: `wanted` without its leading underscore, numbered where the file has it already."""
        base = wanted.lstrip("_")
        name, n = base, 2
        while name in self.taken or name in apart:
            name, n = f"{base}_{n}", n + 1
        return name

    def function(self, wanted: str, within: int) -> str:
        """A name for a function that is defined in another one, the number `within`: once there."""
        defined = self._defined.setdefault(within, set())
        name = self.fresh(wanted, defined)
        defined.add(name)
        return name

    def any(self) -> bool:
        """Whether `Any` may be written in the file, which imports it then."""
        may = self.has_any or "Any" not in self.taken
        self.wants_any |= may
        return may

    def use(self, name: str) -> str:
        """How the file calls `name` of the backing-services module: under another name where it has its own."""
        self.imported.add(name)
        return self.alias(name)

    def alias(self, name: str) -> str:
        """The name under which `name` is imported."""
        return f"backing_{name}" if name in self.taken else name


def bound(tree: ast.Module, nodes: Iterable[ast.AST], backing_module: str) -> frozenset[str]:
    """Every name that a file binds anywhere, except by importing it from the backing-services module.

    `nodes`: those of the tree.
    """
    return frozenset(_bound(tree, nodes, backing_module))


def _bound(tree: ast.Module, nodes: Iterable[ast.AST], backing_module: str) -> Iterator[str]:
    ours = {
        each.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == backing_module
        for each in node.names
    }
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.arg(annotation=ast.Name(id=kind)) if kind in ours:
                pass  # a client that an earlier migration made a parameter
            case ast.arg(arg=name):
                yield name
            case ast.ImportFrom(module=module, names=aliases) if module != backing_module:
                yield from (alias.asname or alias.name for alias in aliases)
            case ast.Import(names=aliases):
                yield from (alias.asname or alias.name.partition(".")[0] for alias in aliases)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                yield from names


def imports_any(tree: ast.Module) -> bool:
    """Whether the file has `from typing import Any` at its top."""
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module in ("typing", "typing_extensions")
        and any(alias.name == "Any" and alias.asname is None for alias in node.names)
        for node in tree.body
    )


def loaded(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Every name that a file reads."""
    return frozenset(node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))


_GENERIC = re.compile(r"[A-Z]|(list|dict|set|frozenset|tuple|type)$")  # what a subscript of makes a type
_NAMING_TYPES = frozenset({"cast", "TypeVar", "NewType", "ForwardRef"})


def words(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Every word in a string that may be a name: in an annotation, in a type, in `__all__`."""
    found: set[str] = set()
    for part in _naming(nodes):
        for node in walk(part):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.update(re.findall(r"\w+", node.value))
    return frozenset(found)


def _naming(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    for node in nodes:
        match node:
            case ast.arg(annotation=ast.expr() as part) | ast.AnnAssign(annotation=part):
                yield part
            case ast.FunctionDef(returns=ast.expr() as part) | ast.AsyncFunctionDef(returns=ast.expr() as part):
                yield part
            case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=part) if _GENERIC.match(name):
                yield part
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _NAMING_TYPES:
                yield node
            case ast.Assign(targets=[ast.Name(id="__all__")]) | ast.AugAssign(target=ast.Name(id="__all__")):
                yield node.value
            case ast.Call(func=ast.Attribute(value=ast.Name(id="__all__"))):
                yield node


def unresolved(source: str, path: str) -> frozenset[str]:
    """Names that are read as globals and bound nowhere in the file. Raises SyntaxError where it does not compile."""
    top = symtable.symtable(source, path, "exec")
    known = {
        symbol.get_name()
        for symbol in top.get_symbols()
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()
    }
    known.update(_declared(top))
    known.update(
        dir(builtins), ("__file__", "__name__", "__doc__", "__path__", "__spec__", "__builtins__", "__class__")
    )
    return frozenset(name for name in _globals(top) if name not in known)


def _globals(table: symtable.SymbolTable) -> Iterator[str]:
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (symbol.is_global() or table.get_type() == "module"):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _globals(child)


def _declared(table: symtable.SymbolTable) -> Iterator[str]:
    """Names that functions bind by `global`."""
    for child in table.get_children():
        yield from (symbol.get_name() for symbol in child.get_symbols() if symbol.is_declared_global())
        yield from _declared(child)
