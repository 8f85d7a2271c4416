"""The gate before anything is parsed: which files load a web framework, and which trees are one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from unstate import project
from unstate.link import frameworks

_NAMES = b"|".join(
    sorted(name.encode() for name in frameworks.WEB | {n.replace(".", r"\.") for n in frameworks.WEB_MODULES})
)
_NAME = rb"(?:(?:%s)\b|(?:%s)\.[\w.]*\b(?:%s)\b)" % (
    _NAMES,
    b"|".join(name.encode() for name in sorted(frameworks.VENDORED)),
    _NAMES,
)
# Lines begin with "\n" and not "^": a literal is looked for ten times as fast.
_IMPORT = re.compile(rb"\n[ \t]*(?:from[ \t]|import[ \t](?:[\w. \t]+,)*)[ \t]*" + _NAME)
_NAMED = re.compile(rb"(?:\bfrom|\bimport|,)[ \t]*(%s)" % _NAME)
_STANDARD = re.compile(
    rb"\n[ \t]*from[ \t]+(?:http|six\.moves)[ \t]+import[ \t]*(?:\([^)]*|[^\n]*)"
    rb"\b(?:server|BaseHTTPServer|SocketServer|socketserver)\b"
)
_SERVING = {name.encode(): re.compile(rb"\b\w*(?:%s)" % words.encode()) for name, words in frameworks.SERVING.items()}


def frameworks_in(path: str, source: bytes) -> str:
    """The web frameworks that a file seems to load, judged by its bytes.

    Names of distributions, and dotted names of what nobody in the project can be called like.
    """
    if project.is_aside(path):
        return ""
    text = b"\n" + source.removeprefix(b"\xef\xbb\xbf")
    names = {name for found in _IMPORT.findall(text) for name in _NAMED.findall(found)}
    for name in names & _SERVING.keys():
        if path.endswith("_pb2_grpc.py") or not _SERVING[name].search(text):
            names.discard(name)
    if _STANDARD.search(text):
        names.add(b"http.server")
    return b" ".join(sorted(names)).decode()


def framework_sources(base: Path, services: Mapping[str, str]) -> set[str]:
    """The services, by their folder below `base`, that are a framework's own distribution: code of others runs in them.

    Such a one has the framework's package, and its manifest is named so. `services`: of every file, by path.
    """
    found: set[str] = set()
    for path, service in services.items():
        folder = path.removesuffix("/__init__.py")
        name = folder.rpartition("/")[2]
        if folder == path or name not in frameworks.DISTRIBUTIONS or service in found:
            continue
        root = "" if service == "." else f"{service}/"
        if folder in (f"{root}{name}", f"{root}src/{name}", f"{root}lib/{name}") and _is_named(
            base / service, frameworks.DISTRIBUTIONS[name]
        ):
            found.add(service)
    return found


def _is_named(folder: Path, name: str) -> bool:
    """Whether a manifest in a folder, or a wheel unpacked there, gives its distribution a name in any spelling."""
    spelled = re.sub(rb"[-_.]", b"[-_.]", name.encode())
    if re.fullmatch(spelled, project.unpacked(folder).encode(), re.IGNORECASE):
        return True
    named = re.compile(rb"""\bname\s*=\s*["']?%s["']?\s*[,\r\n#)]""" % spelled, re.IGNORECASE)
    for manifest in ("pyproject.toml", "setup.cfg", "setup.py"):
        try:
            if named.search((folder / manifest).read_bytes()):
                return True
        except OSError:
            continue
    return False
