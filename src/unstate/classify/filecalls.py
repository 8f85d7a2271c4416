"""Whether a call works on files for sure, where the path that it is given cannot be followed."""

from __future__ import annotations

import ast
import re

from unstate.facts.hints import path_of
from unstate.link.places import parse
from unstate.link.program import Binding, Program
from unstate.link.resolve import Resolver
from unstate.link.values import External, Function, Module

# Functions whose path is a file for sure.
_CERTAIN = frozenset(
    (
        "open remove unlink exists isfile isdir getsize getmtime getctime listdir scandir walk rename replace move copy"
        " copyfile copy2 copytree send_file FileResponse send_from_directory rmtree stat"
    ).split()
)
_METHODS = frozenset("read_text read_bytes write_text write_bytes is_file iterdir unlink".split())
_OF_PATHS = frozenset("open exists is_dir stat rename replace glob rglob walk rmdir".split())
_MODULES = frozenset("os path shutil aiofiles anyio io codecs gzip ospath osp aios".split())
_KNOWN = re.compile(r"(os|posixpath|genericpath|shutil|io|aiofiles|flask|fastapi|starlette|builtins)\b")
_ANNOTATION = re.compile(r"\b(Path|PosixPath)\b")
_GIVING = frozenset("Path PosixPath joinpath with_suffix with_name with_stem resolve absolute expanduser".split())
_LISTING = frozenset("iterdir glob rglob".split())


class FileCalls:
    """Calls of one file."""

    def __init__(self, path: str, program: Program, resolver: Resolver) -> None:
        self.path = path
        self.program = program
        self.resolver = resolver

    def is_certain(self, node: ast.Call, name: str, operand: ast.expr, frame: int) -> bool:
        """Whether a call works on a file, whatever it is given, or is given a path."""
        if operand is not getattr(node.func, "value", None) and self._is_path(operand, frame):
            return True
        if not isinstance(node.func, ast.Attribute):
            return name in _CERTAIN and not self._is_own(name, frame)
        owner = node.func.value
        last = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
        if name in _METHODS or (name in _CERTAIN and last in _MODULES):
            return True
        return name in _OF_PATHS and self._is_path(owner, frame)

    def _is_own(self, name: str, frame: int) -> bool:
        """Whether a name is that of a function of the project, which is looked at where it stands."""
        return isinstance(self.resolver.resolve(self.path, frame, (name,)), Function)

    def is_plain(self, node: ast.Call, operand: ast.expr, frame: int) -> bool:
        """Whether what is called is known: a function on files of Python or of a framework, or a method of a path.

        So is whatever is given a path, and needs one.
        """
        if operand is not getattr(node.func, "value", None) and self._is_path(operand, frame):
            return True
        steps = path_of(node.func)
        value = self.resolver.resolve(self.path, frame, steps) if steps else None
        if isinstance(value, External):
            return bool(_KNOWN.match(value.name))
        if steps == ("open",):
            return value is None
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        if owner is None:
            return False
        of = self.resolver.resolve(self.path, frame, path_of(owner)) if path_of(owner) else None
        if isinstance(of, External | Module):
            return isinstance(of, External) and bool(_KNOWN.match(of.name))
        return self._is_path(owner, frame)

    def _is_path(self, node: ast.expr, frame: int, seen: frozenset[str] = frozenset()) -> bool:
        """Whether an expression is a `pathlib.Path`, as its making or its annotation says. `seen`: names looked at."""
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                called = self._called(node, frame)
                return name in _GIVING or (called is not None and self._gives_path(called))
            case ast.BinOp(op=ast.Div()):
                return True
            case ast.Attribute(value=inner, attr="parent"):
                return self._is_path(inner, frame, seen)
            case ast.BoolOp(values=values):
                return all(self._is_path(each, frame, seen) for each in values)
            case ast.IfExp(body=body, orelse=orelse):
                return self._is_path(body, frame, seen) and self._is_path(orelse, frame, seen)
            case ast.Name(id=name):
                found = self.program.lookup(self.path, frame, name)
                return name in seen or (
                    found is not None
                    and bool(found[1])
                    and all(self._binds_path(binding, frame, seen | {name}) for binding in found[1])
                )
        return False

    def _binds_path(self, binding: Binding, frame: int, seen: frozenset[str]) -> bool:
        if binding.parameter is not None:
            return bool(_ANNOTATION.search(binding.parameter.annotation))
        ref = binding.ref
        if ref is None:
            return False
        if ref.use == "loop":
            return ref.value[-2:] == ("()", "[]") and not _LISTING.isdisjoint(ref.value[-3:-2])
        if _ANNOTATION.search(ref.annotation):
            return True
        made = parse(ref.source) if ref.source else None
        return isinstance(made, ast.expr) and self._is_path(made, frame, seen)

    def _gives_path(self, function: Function) -> bool:
        return bool(_ANNOTATION.search(self.program.frame(function).annotation))

    def _called(self, node: ast.Call, frame: int) -> Function | None:
        """The function of the project that an expression calls."""
        steps = path_of(node.func)
        value = self.resolver.resolve(self.path, frame, steps) if steps else None
        return value if isinstance(value, Function) else None
