"""Operations on files: what each call does to which place on disk."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from unstate.facts.hints import path_of
from unstate.facts.values import Expression
from unstate.link.django_files import DjangoFiles, entry
from unstate.link.foldermap import Map
from unstate.link.partial import Partial
from unstate.link.places import Places, parse
from unstate.link.program import Program
from unstate.link.resolve import Resolver
from unstate.link.values import Class, External, Function, Made, Module, Slot
from unstate.model import Op
from unstate.project import is_aside

# Functions that take paths, by last name: argument index -> operation. -1 is what the method is called on.
_ARGUMENTS: dict[str, tuple[tuple[int, Op], ...]] = {
    **dict.fromkeys(("remove", "unlink", "rmtree", "rmdir", "removedirs"), ((0, Op.DELETE),)),
    **dict.fromkeys(("exists", "isfile", "isdir", "lexists"), ((0, Op.EXISTS),)),
    **dict.fromkeys(("stat", "getsize", "getmtime", "getctime"), ((0, Op.STAT),)),
    **dict.fromkeys(("listdir", "scandir", "walk", "glob", "iglob"), ((0, Op.LIST),)),
    **dict.fromkeys(("rename", "replace", "move"), ((0, Op.RENAME), (1, Op.WRITE))),
    **dict.fromkeys(("copy", "copy2", "copyfile", "copytree"), ((0, Op.READ), (1, Op.WRITE))),
    **dict.fromkeys(("imwrite", "imsave", "savez"), ((0, Op.WRITE),)),
    **dict.fromkeys(("imread", "read_csv", "read_excel", "read_parquet", "read_pickle", "read_json"), ((0, Op.READ),)),
    "make_archive": ((0, Op.WRITE), (2, Op.READ)),
    "unpack_archive": ((0, Op.READ), (1, Op.WRITE)),
    "send_file": ((0, Op.SERVE),),
    "FileResponse": ((0, Op.SERVE),),
    "send_from_directory": ((0, Op.SERVE),),
}
# Methods of a path.
_METHODS: dict[str, Op] = {
    **dict.fromkeys(("write_text", "write_bytes", "touch"), Op.WRITE),
    **dict.fromkeys(("read_text", "read_bytes"), Op.READ),
    **dict.fromkeys(("unlink", "rmdir", "rmtree"), Op.DELETE),
    **dict.fromkeys(("exists", "is_file", "is_dir"), Op.EXISTS),
    "stat": Op.STAT,
    **dict.fromkeys(("iterdir", "glob", "rglob", "walk"), Op.LIST),
}
# Methods of some other object that write to a path they are given.
_WRITERS = frozenset(
    (
        "save savefig export write_to_file to_csv to_excel to_parquet to_json to_pickle to_feather to_hdf"
        " extractall download_file"
    ).split()
)
_MODULES = frozenset(
    (
        "os path shutil glob aiofiles io gzip bz2 lzma codecs tarfile zipfile anyio joblib torch np numpy cv2 pd pandas"
        " pickle json yaml sqlite3 aiosqlite ospath osp Image plt imageio aioshutil aios wave sf soundfile fs"
    ).split()
)
_RUNNERS = frozenset({"to_thread", "run_in_threadpool", "run_sync"})
_TESTS = frozenset({Op.EXISTS, Op.DELETE})
_ROUTES = frozenset({"re_path", "path", "url"})  # of Django: `re_path(pattern, serve, {"document_root": ...})`
_SERVING = {"static_file": "root", "StaticFiles": "directory", "static": "document_root", "serve": "document_root"}


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that one call does to a file or folder."""

    path: str
    call: Expression
    op: Op
    places: Places
    function: int  # frame index of the named function around it, 0 at module level
    framework: bool = False  # the framework does it by itself: a model's field, a mounted folder
    key: Any = None  # the syntax tree of the path, to tell whether two calls name the same one
    storage: bool = False  # Django's storage does it


class Operations:
    """All operations of a program."""

    def __init__(self, program: Program, resolver: Resolver) -> None:
        self.program = program
        self.resolver = resolver
        self.map = Map(program, resolver)
        self.partial = Partial(self.map)
        self.django = DjangoFiles(program, resolver, self.map)
        self.found: list[Operation] = []
        for path, file in program.facts.items():
            if is_aside(path):
                continue
            for expression in file.expressions:
                if expression.sort == "call":
                    self.found += self._operations(path, expression)
            self.found += self._settings(path)
        for path, expression, op, by_itself in self.django.found():
            function = program.function_around(path, expression.frame)
            key = ast.Constant(expression.source)
            self.found.append(Operation(path, expression, op, self.django.places, function, by_itself, key, True))

    def _operations(self, path: str, call: Expression) -> Iterator[Operation]:
        node = parse(call.source)
        if type(node) is not ast.Call:
            return
        function = self.program.function_around(path, call.frame)
        for op, target in self.touched(path, call, node):
            places = self.map.places(path, call.frame, target)
            if places:
                yield Operation(path, call, op, places, function, call.name == "mkdtemp", target)

    def _settings(self, path: str) -> Iterator[Operation]:
        """Folders that a framework serves because a setting names them."""
        for ref in self.program.facts[path].refs:
            if ref.use == "target" and ref.path == ("STATICFILES_DIRS",) and ref.source:
                places = self.map.source(path, ref.frame, ref.source)
                call = Expression(ref.frame, "call", "STATICFILES_DIRS", ref.source, ref.statement, ref.flags)
                if places:
                    yield Operation(path, call, Op.SERVE, places, 0, True, ast.Constant(ref.source))

    def touched(self, path: str, call: Expression, node: ast.Call) -> Iterator[tuple[Op, Any]]:
        """Each operation of a call with the expression that names the path."""
        name = call.name
        owner = node.func.value if type(node.func) is ast.Attribute else None
        if owner is not None and self.django.is_storage(path, call.frame, owner):
            return  # it takes names, and no paths
        module = owner is None or self._is_module(path, call.frame, owner)
        if name == "mkdtemp":
            around = self.program.function_around(path, call.frame)
            if around and self.map.is_memoised(Function(path, around)):
                yield Op.WRITE, ast.Call(ast.Name(self.program.facts[path].frames[around].name), [], [])
        elif name == "open":
            yield from self._opened(node, owner, module)
        elif name in ("ZipFile", "TarFile", "GzipFile"):
            if node.args:
                yield _mode(node, 1), node.args[0]
        elif name in ("connect",):
            known = owner is not None and path_of(owner)[-1:] in (("sqlite3",), ("aiosqlite",))
            if known and node.args and ":memory:" not in call.source and "mode=memory" not in call.source:
                yield Op.WRITE, node.args[0]
        elif name == "file":
            if owner is None and node.args and self._is_response_file(path, call.frame):
                yield Op.SERVE, node.args[0]
        elif name in ("dump", "load"):
            # `joblib.dump(value, path)`; `json.dump` takes an open file, which `open` accounts for
            if path_of(owner)[-1:] in (("joblib",), ("torch",), ("np",), ("numpy",)):
                argument = node.args[1:2] if name == "dump" else node.args[:1]
                for found in argument:
                    yield (Op.WRITE if name == "dump" else Op.READ), found
        elif name == "write":
            # `archive.write(path, arcname)`, and not a file's own `write(text)`
            if (
                owner is not None
                and len(node.args) + len(node.keywords) > 1
                and self._is_archive(path, call.frame, owner)
            ):
                yield Op.READ, node.args[0] if node.args else _keyword(node, "filename")
        elif name in _SERVING:
            found = _keyword(node, _SERVING[name])
            if found is not None:
                yield Op.SERVE, found
        elif name in _ROUTES:
            for argument in (*node.args, _keyword(node, "kwargs")):
                root = entry(argument, "document_root")
                if root is not None:
                    yield Op.SERVE, root
        elif name == "add_static":
            for found in node.args[1:2]:
                yield Op.SERVE, found
        elif name in ("BackgroundTask", "add_task"):
            if len(node.args) > 1 and path_of(node.args[0])[-1:] in (("remove",), ("unlink",), ("rmtree",)):
                yield Op.DELETE, node.args[1]
        elif name in _RUNNERS:
            yield from self._run(node)
        elif name in _WRITERS and owner is not None:
            target = _keyword(node, "path") or _keyword(node, "dst") or _keyword(node, "out_f") or _first(node)
            if path_of(owner)[-1:] == ("torch",) and len(node.args) > 1:
                target = node.args[1]
            if name == "download_file" and len(node.args) > 2:
                target = node.args[2]
            if target is not None:
                yield Op.WRITE, target
        elif name in _METHODS and owner is not None and not module:
            # a storage's own `exists(path)` beside the path's `exists()`
            yield _METHODS[name], node.args[0] if node.args and _METHODS[name] in _TESTS else owner
        elif name in ("rename", "replace") and owner is not None and not module:
            if len(node.args) == 1:
                yield Op.RENAME, owner
                yield Op.WRITE, node.args[0]
        elif name in _ARGUMENTS and (module or name in ("move", "send_from_directory", "remove", "exists")):
            for index, op in _ARGUMENTS[name]:
                target = node.args[index] if index < len(node.args) else None
                if target is None and index == 0:
                    target = _keyword(node, "path") or _keyword(node, "directory") or _keyword(node, "path_or_file")
                if target is not None:
                    yield op, target

    def _run(self, node: ast.Call) -> Iterator[tuple[Op, Any]]:
        """What a thread does to the one path that a function is handed there: `asyncio.to_thread(os.remove, path)`."""
        steps = path_of(node.args[0]) if node.args else ()
        does = _ARGUMENTS.get(steps[-1], ()) if len(steps) > 1 and steps[-2] in _MODULES else ()
        if len(does) == 1 and does[0][0] == 0 and len(node.args) > 1:
            yield does[0][1], node.args[1]

    def _is_archive(self, path: str, frame: int, owner: Any) -> bool:
        """Whether a name holds a zip archive, as its making or its annotation says."""
        steps = path_of(owner)
        found = self.program.lookup(path, frame, steps[0]) if len(steps) == 1 else None
        return found is not None and any(
            "ZipFile" in binding.parameter.annotation
            if binding.parameter is not None
            else binding.ref is not None and "ZipFile" in (*binding.ref.value, *binding.ref.annotation.split("."))
            for binding in found[1]
        )

    def _is_response_file(self, path: str, frame: int) -> bool:
        value = self.resolver.resolve(path, frame, ("file",))
        return isinstance(value, External) and value.name.endswith("response.file")

    def _opened(self, node: ast.Call, owner: Any, module: bool) -> Iterator[tuple[Op, Any]]:
        if module:
            if node.args or _keyword(node, "file") is not None:
                yield _mode(node, 1), node.args[0] if node.args else _keyword(node, "file")
        else:
            yield _mode(node, 0), owner

    def _is_module(self, path: str, frame: int, owner: Any) -> bool:
        """Whether the owner of a called name is a module, not a path."""
        steps = path_of(owner)
        if not steps:
            return False
        value = self.resolver.resolve(path, frame, steps)
        if isinstance(value, External | Module):
            return True
        return value is None and steps[-1] in _MODULES and not isinstance(value, Slot | Made | Class | Function)


def _mode(node: ast.Call, index: int) -> Op:
    mode = node.args[index] if index < len(node.args) else _keyword(node, "mode")
    if mode is None:
        return Op.READ
    if type(mode) is ast.IfExp:
        mode = mode.body
    if type(mode) is not ast.Constant or type(mode.value) is not str:
        return Op.OPEN
    if "a" in mode.value:
        return Op.APPEND
    return Op.WRITE if not {"w", "x", "+"}.isdisjoint(mode.value) else Op.READ


def _keyword(node: ast.Call, name: str) -> Any:
    return next((keyword.value for keyword in node.keywords if keyword.arg == name), None)


def _first(node: ast.Call) -> Any:
    return node.args[0] if node.args else None
