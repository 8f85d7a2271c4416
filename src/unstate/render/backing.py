"""The generated backing-services module: what the accepted groups use, and what it held before."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Collection, Sequence
from datetime import timedelta
from pathlib import Path

from unstate.catalogue import helpers
from unstate.model import Backing, FileChange, Group
from unstate.plan import ttl_constant
from unstate.render.templates import fill

TEMPLATE = "backing_services.py.j2"


def backing_services(root: Path, backing: Backing, names: Collection[str], groups: Sequence[Group]) -> FileChange:
    """The module with the names that its service imports, those of an earlier migration included."""
    file = root / backing.path
    before = file.read_bytes() if file.is_file() else None
    there, settings = _held(before)
    for group in groups:
        constant = ttl_constant(group.prefix)
        if group.ttl_seconds is not None and constant in names:
            settings[constant] = _timedelta(group.ttl_seconds)
    wanted = helpers.closure({"setting", *(name for name in names if name in helpers.NAMES), *there})
    lines = [*helpers.imports(wanted), *(("from datetime import timedelta",) if settings else ())]
    text = fill(
        root,
        TEMPLATE,
        names=wanted,
        settings=dict(sorted(settings.items())),
        imports=_import_block(lines),
        threaded=helpers.threaded(wanted),
        uses_redis=any("redis" in name for name in wanted),
        uses_s3="s3" in wanted,
    )
    return FileChange(path=backing.path, before=before, after=_tidy(text).encode())


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
            inside = opens
        lines.append(line)
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines)).strip("\n") + "\n"


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
