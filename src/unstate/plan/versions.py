"""Which version of a library a project asks for, as its lists of dependencies say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from unstate.plan.sources import Sources

_LISTS = ("requirements.txt", "requirements.in", "pyproject.toml", "Pipfile", "setup.py", "setup.cfg")
_FOLDERS = ("requirements",)
_PINNED = r"""(?i)(?<![\w-]){}(?:\[[\w,\s-]*\])?["']?\s*(?:=\s*["']\s*)?(?:==|~=|\^|<=?)\s*(\d+)(?:\.(\d+))?"""


def newest(library: str, service: str, sources: Sources) -> tuple[tuple[int, int] | None, str]:
    """(major, minor) of the newest version that the project's lists let in, and which says so; None where none does."""
    pinned = re.compile(_PINNED.format(re.escape(library)))
    for folder in (PurePosixPath(service), *PurePosixPath(service).parents):
        for name in _lists(folder, sources):
            found = pinned.search((sources.root / name).read_text(encoding="utf-8", errors="replace"))
            if found:
                return (int(found[1]), int(found[2] or 0)), name
    return None, ""


def _lists(folder: PurePosixPath, sources: Sources) -> Iterator[str]:
    for name in _LISTS:
        if (sources.root / folder / name).is_file():
            yield (folder / name).as_posix()
    for name in _FOLDERS:
        for file in sorted((sources.root / folder / name).glob("*.txt")):
            yield (folder / name / file.name).as_posix()
