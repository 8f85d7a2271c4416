"""What the Python files of a repository say at a glance, by their bytes: what they import, and whether they serve."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from unstate import project
from unstate.batch.tree import Tree, folder_of, is_below
from unstate.link.frameworks import WEB, WEB_MODULES

_IMPORT = re.compile(rb"\n[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]*(\([^)]*\)|[^\n]*)|import[ \t]+([^\n#;]+))")
_NAME = re.compile(rb"(\w+)(?:\s+as\s+\w+)?")
# What makes an application or a server: with a manifest beside it, that is a service.
_MAKES = re.compile(
    rb"\b(Flask|FastAPI|Starlette|Quart|Sanic|Bottle|Litestar|APIFlask|Robyn|BlackSheep|falcon\.App|falcon\.asgi\.App"
    rb"|web\.Application|(?<![\w.])Application|grpc\.server|grpc\.aio\.server|aio\.server|AsyncServer"
    rb"|HTTPServer|ThreadingHTTPServer|websockets\.serve|WSGIServer|Celery|FastStream|SocketIO|Chalice)\("
    rb"|\bclass[ \t]+\w+\((?:tornado\.|aiohttp\.)?(web\.Application|Flask|FastAPI|Starlette)\)"
)
# Servers and helpers: a framework only where there is no other.
_SECOND = frozenset(
    (
        "uvicorn gunicorn hypercorn waitress gevent werkzeug webob wsgiref http.server socketserver rest_framework"
        " flask_socketio flask_restful flask_restx flask_smorest flask_appbuilder channels socketio"
    ).split()
)


class Glance(NamedTuple):
    """One file at a glance."""

    imports: frozenset[str]  # dotted names as they are written, names taken from a module included
    maker: str  # what makes an application or a server: "FastAPI", "" for none
    line: int  # where it does
    aside: bool  # a test, or another file that is never deployed
    runs: bool  # it may start its server itself


def glance(tree: Tree, path: str) -> Glance:
    """What one file imports absolutely, and whether it makes an application."""
    source = b"\n" + tree.bytes(path).removeprefix(b"\xef\xbb\xbf").replace(b"\r", b"")
    imports: set[str] = set()
    for module, names, plain in _IMPORT.findall(source):
        if plain:
            imports.update(part.split()[0].decode() for part in plain.split(b",") if part.split())
        elif not module.startswith(b"."):
            base = module.decode(errors="replace")
            imports.add(base)
            imports.update(f"{base}.{name.decode()}" for name in _NAME.findall(names.split(b"#")[0]))
    aside = project.is_aside(path)
    runs = not aside and b".run(" in source and b"workers" in source
    made = _MAKES.search(source) if _web(imports) and not aside else None
    if made is None:
        return Glance(frozenset(imports), "", 0, aside, runs)
    line = source.count(b"\n", 0, made.start())
    return Glance(frozenset(imports), (made[1] or made[2]).decode().rpartition(".")[2], line, aside, runs)


def frameworks(glances: Iterable[Glance], own: frozenset[str]) -> tuple[str, ...]:
    """The web frameworks of some files, `own` being names of the repository's own modules."""
    found = {name for each in glances for name in _web(each.imports)} - own
    return tuple(sorted(found - _SECOND or found))


def provided(tree: Tree, root: str, files: Iterable[str]) -> frozenset[str]:
    """The dotted names by which others can import some files of a part: its packages and single modules.

    A package without `__init__.py` is shared with other parts, so that the names below it count.
    """
    if f"{root}/__init__.py" in tree:  # a package within a distribution
        return frozenset({_package(tree, root)})
    found = set()
    for base in (root, *(join_name(root, name) for name in ("src", "lib", "python"))):
        for path in files if base in tree.folders else ():
            if is_below(path, base):
                found.add(_provided_by(tree, base, path if base == "." else path[len(base) + 1 :]))
    return frozenset(found - {"", "setup", "conftest"})


def _package(tree: Tree, folder: str) -> str:
    names: list[str] = []
    while f"{folder}/__init__.py" in tree:
        names.insert(0, folder.rpartition("/")[2])
        folder = folder_of(folder)
    return ".".join(names)


def join_name(folder: str, name: str) -> str:
    """A folder's subfolder, relative to the root."""
    return name if folder == "." else f"{folder}/{name}"


def _provided_by(tree: Tree, base: str, inner: str) -> str:
    *folders, name = inner.split("/")
    here = base
    for depth, folder in enumerate(folders, 1):
        here = join_name(here, folder)
        if not folder.isidentifier():
            return ""
        if f"{here}/__init__.py" in tree:
            return ".".join(folders[:depth])
    return ".".join([*folders, name.rpartition(".")[0]])


def _web(imports: Iterable[str]) -> set[str]:
    tops = {each.partition(".")[0] for each in imports}
    return (tops & WEB) | (set(imports) & WEB_MODULES)


def places(importer: str, module: str) -> Iterable[str]:
    """Folders and files that an absolute import may mean, seen from the importing file upwards."""
    inner = module.replace(".", "/")
    folder = folder_of(importer)
    while True:
        for start in (folder, join_name(folder, "src")):
            yield join_name(start, inner)
        if folder == ".":
            return
        folder = folder_of(folder)
