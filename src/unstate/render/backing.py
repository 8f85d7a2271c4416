"""The generated backing-services module: what the accepted groups use, and what it held before."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from unstate.catalogue import helpers
from unstate.model import Backing, Client, FileChange, Framework, Group, SettingsStyle
from unstate.plan import switch_variable, ttl_constant
from unstate.render import commands
from unstate.render.templates import fill
from unstate.rewrite.both import PREFIX

TEMPLATE = "backing_services.py.j2"
WIDTH = 120


@dataclass(frozen=True, slots=True)
class Generated:
    """A generated module, the settings that it reads, and whose application object has to be given to it."""

    change: FileChange
    reads: frozenset[str]
    tied: Framework | None


def backing_services(
    root: Path,
    backing: Backing,
    names: Collection[str],
    groups: Sequence[Group],
    callers: Iterable[bytes] = (),
) -> Generated:
    """The module with the names that its service imports, those of an earlier migration included.

    `callers`: the sources that use it, from which the types of its clients follow.
    """
    file = root / backing.path
    before = file.read_bytes() if file.is_file() else None
    there, settings = _held(before)
    for group in groups:
        constant = ttl_constant(group.prefix)
        if group.ttl_seconds is not None and constant in names:
            settings[constant] = _timedelta(group.ttl_seconds)
    wanted = helpers.closure({*(name for name in names if name in helpers.NAMES), *there})
    own = _own(backing)
    made = {name for name in _WANTS if name in wanted and name not in own}
    tied = tie(backing, wanted, before)
    switch = switch_variable(backing.service) if PREFIX in wanted else ""
    values: dict[str, Any] = {
        "names": wanted,
        "settings": dict(sorted(settings.items())),
        "threaded": helpers.threaded(wanted),
        "backing": backing,
        "style": backing.settings.style.value,
        "reads": reads(backing, wanted),
        "own": {name: _imported(client) for name, client in own.items() if name in wanted},
        "like": dict.fromkeys(("redis", "async_redis"))
        | {client.kind: _imported(client) for client in reversed(backing.clients)},
        "made": made,
        "tied": tied,
        "switch": switch,
        "cached": [name for name, used in (("_redis", _REDIS), ("_made_s3", {"s3"})) if made & used],
        "protocols": (),
        "typevars": (),
        "type_of": {"": commands.REDIS, "async_": commands.ASYNC_REDIS},
        "extension": "{" + ", ".join(f'"{name}": {name}' for name in _CLIENTS if name in wanted) + "}",
        "on_app": [name for name in _WANTS if name in made and _stands(name, backing, before)],
        "dependencies": {name: each for name, each in helpers.DEPENDENCIES.items() if each in wanted},
        "client_types": _CLIENT_TYPES,
    }
    lines = {*helpers.imports(wanted), *_STYLE_IMPORTS[backing.settings.style], *(_TIE_IMPORTS[tied] if tied else ())}
    lines.update(("from datetime import timedelta",) if settings else ())
    if switch:  # Redis is imported where it is used
        lines = {line for line in lines if "redis" not in line}
    body = fill(root, TEMPLATE, imports="", **values)
    values |= _types(wanted, body, (*callers, before or b""))
    body = fill(root, TEMPLATE, imports="", **values)
    text = fill(root, TEMPLATE, imports=_import_block(_used({*lines, *_TYPE_IMPORTS}, body)), **values)
    change = FileChange(path=backing.path, before=before, after=_tidy(text).encode())
    return Generated(change=change, reads=values["reads"], tied=tied)


# What each client of the module wants of one of the app: its kind, and its replies.
_WANTS = {
    "redis_client": ("redis", "text"),
    "redis_bytes": ("redis", "bytes"),
    "async_redis_client": ("async_redis", "text"),
    "async_redis_bytes": ("async_redis", "bytes"),
    "s3": ("s3", ""),
}
_CLIENTS = ("redis_client", "redis_bytes", "s3")
_CLIENT_TYPES = {
    "redis_client": "RedisCommands[str]",
    "redis_bytes": "RedisCommands[bytes]",
    "async_redis_client": "AsyncRedisCommands[str]",
    "async_redis_bytes": "AsyncRedisCommands[bytes]",
    "s3": "S3Commands",
}
_REDIS = {"redis_client", "redis_bytes"}
_ASYNC_REDIS = {"async_redis_client", "async_redis_bytes"}
_STYLE_IMPORTS = {
    SettingsStyle.ENVIRON: ("import os",),
    SettingsStyle.PYDANTIC: (),
    SettingsStyle.DJANGO: ("from django.conf import settings",),
    SettingsStyle.FLASK: ("import os", "from collections.abc import Mapping", "from typing import Any"),
}
_LIFESPAN = (
    "import asyncio",
    "from collections.abc import AsyncIterator",
    "from contextlib import asynccontextmanager",
    "from typing import Any",
)
_TYPE_IMPORTS = (
    "import builtins",
    "from collections.abc import AsyncIterator",
    "from collections.abc import Iterator",
    "from datetime import timedelta",
    "from typing import Any",
    "from typing import Protocol",
    "from typing import TypeVar",
    "from typing import cast",
)
_TIE_IMPORTS = {
    Framework.FASTAPI: (*_LIFESPAN, "from fastapi import FastAPI"),
    Framework.STARLETTE: (*_LIFESPAN, "from starlette.applications import Starlette"),
    Framework.AIOHTTP: (*_LIFESPAN, "from aiohttp import web"),
    Framework.FLASK: ("from flask import Flask",),
}


def _types(names: Collection[str], body: str, callers: Iterable[bytes]) -> dict[str, Any]:
    """The protocols that the module's `body` speaks of, and the type variables that it needs."""
    asked = {each for source in (body.encode(), *callers) for each in commands.used(_tree(source))}
    found = tuple(
        commands.protocol(kind, {command for each, command in asked if each == kind})
        for kind in commands.PROTOCOLS
        if re.search(rf"\b{kind}\b", body)
    )
    typevars = [*(name for name in ("T", "V", "D") if name in names), *sorted({each.reply for each in found} - {""})]
    return {"protocols": found, "typevars": typevars}


def _tree(source: bytes) -> ast.AST:
    try:
        return ast.parse(source)
    except SyntaxError:  # what is wrong with it is said where it is checked
        return ast.Module(body=[], type_ignores=[])


def _own(backing: Backing) -> dict[str, Client]:
    """The clients of the module that are the app's own, each as it is."""
    there = {(client.kind, client.replies): client for client in backing.clients if client.itself}
    return {name: there[wanted] for name, wanted in _WANTS.items() if wanted in there}


def _imported(client: Client) -> dict[str, str]:
    """How a client is imported: the module, the name in it, and how it is reached from there."""
    found = re.match(r"\w+", client.name)
    first = found[0] if found else client.name
    return {"module": client.module, "first": first, "rest": client.name.removeprefix(first)}


def reads(backing: Backing, names: Collection[str]) -> frozenset[str]:
    """The settings that a module with those names reads."""
    there = {client.kind for client in backing.clients}
    needed = {_WANTS[name][0] for name in _WANTS if name in names} - there
    found = {"AWS_ENDPOINT_URL_S3" if kind == "s3" else "REDIS_URL" for kind in needed}
    if "upload_bucket" in names:
        found.add("UPLOAD_BUCKET")
    return frozenset(found)


def tie(backing: Backing, names: Collection[str], before: bytes | None) -> Framework | None:
    """Whose application object the module is tied to, where there is something to tie: clients that an event loop has
    to close, settings that an application holds. What an app calls already stays."""
    if before is not None and b"\ndef init_app(" in before:
        lines = before.decode().splitlines()
        return next((each for each, imports in _TIE_IMPORTS.items() if imports[-1] in lines), None)
    if backing.app is None:
        return None
    if backing.app.framework is Framework.FLASK:
        return Framework.FLASK if backing.settings.style is SettingsStyle.FLASK and reads(backing, names) else None
    return backing.app.framework if not (_ASYNC_REDIS & set(names)).issubset(_own(backing)) else None


def _stands(name: str, backing: Backing, before: bytes | None) -> bool:
    """Whether a client stands on the application: where its name is free there, or it has stood there before."""
    there = f"    app.state.{name} = {name}\n".encode() in (before or b"")
    return there or (backing.app is not None and name in backing.app.free)


def _used(lines: Collection[str], body: str) -> list[str]:
    """The import lines whose name the module reads; all of them where it does not parse."""
    try:
        read = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}
    except SyntaxError:
        return sorted(lines)
    return sorted(line for line in lines if line.rpartition(" ")[2].partition(".")[0] in read)


def _import_block(lines: Collection[str]) -> str:
    """Import lines as an import sorter writes them: the standard library first, one line a module."""
    plain = sorted(line for line in lines if line.startswith("import "))
    taken: dict[str, set[str]] = {}
    for line in lines:
        if line.startswith("from "):
            module, _, name = line.removeprefix("from ").partition(" import ")
            taken.setdefault(module, set()).add(name)
    chosen = [
        f"from {module} import {', '.join(sorted(found, key=_by_type))}" for module, found in sorted(taken.items())
    ]
    groups: list[list[str]] = [[], []]
    for line in [*plain, *chosen]:
        groups[line.split()[1].partition(".")[0] not in sys.stdlib_module_names].append(line)
    return "\n\n".join("\n".join(group) for group in groups if group)


def _by_type(name: str) -> tuple[bool, str]:
    return not name[:1].isupper(), name


def _tidy(text: str) -> str:
    """Two blank lines around functions and classes, as a formatter has them; one newline at the end."""
    lines: list[str] = []
    inside = False  # a function or a class
    for line in text.splitlines():
        if line and not line[0].isspace() and line[0] not in ")]}":
            opens = line.startswith(("@", "def ", "class ", "async def "))
            decorated = bool(lines) and lines[-1].startswith("@")
            if (opens or inside) and not decorated:
                while lines and not lines[-1]:
                    lines.pop()
                lines += ["", ""] if lines else []
            elif lines[-2:] == ["", ""]:  # a constant stands one line below the imports
                while lines[-2:] == ["", ""]:
                    lines.pop()
            inside = opens
        lines += _folded(line)
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines)).strip("\n") + "\n"


def _folded(line: str) -> list[str]:
    """A head of a function as a formatter folds it where it is too long."""
    match = re.fullmatch(r"((?:async )?def \w+\()(.*)(\) -> .*:)", line)
    return [match[1], f"    {match[2]}", match[3]] if match and len(line) > WIDTH else [line]


def _held(before: bytes | None) -> tuple[set[str], dict[str, str]]:
    """The helpers and the settings that a module generated earlier defines."""
    names: set[str] = set()
    settings: dict[str, str] = {}
    for node in ast.parse(before or b"").body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name.endswith("_TTL"):
                settings[name] = ast.unparse(value)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return names & helpers.NAMES, settings


def _timedelta(seconds: int) -> str:
    """The source of a duration as a person writes it: `timedelta(hours=24)`."""
    for unit, size in (("weeks", 604800), ("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds % size == 0 and (unit in ("hours", "minutes") or seconds > 2 * 86400):
            return f"timedelta({unit}={timedelta(seconds=seconds) // timedelta(seconds=size)})"
    return f"timedelta(seconds={seconds})"
