"""Where on disk an expression points: a root and the steps below it, through names, functions and files.

A root is what cannot be followed further: the project's folder, the working folder, an absolute path, a setting, a
name whose value is unknown, a temporary file. In a step a NUL stands for any text: `thumb-NUL.png`. Names for folders
that are met on the way are remembered: they are what people call a location.
"""

from __future__ import annotations

import ast
import itertools
import re
from dataclasses import dataclass
from typing import Any

import msgspec

from unstate.facts.values import Ref

ANY = "\0"  # in a step: any text
_WILD = re.compile(r"\0+|\*+")
PROJECT, APPLICATION, WORKING, ABSOLUTE, TEMPORARY, SCRATCH, NAME, UNKNOWN = (
    "project",
    "application",
    "working",
    "absolute",
    "temporary",  # a file or folder of its own, made by tempfile
    "scratch",  # below the system's folder for temporary files
    "name",
    "unknown",
)

BROAD = frozenset({PROJECT, APPLICATION, WORKING, ABSOLUTE, SCRATCH})  # too much to be one place


class Place(msgspec.Struct, frozen=True):
    """A file or folder: `root` and its detail, and the steps below it."""

    root: str
    detail: Any = ""
    steps: tuple[str, ...] = ()

    def below(self, *steps: str) -> Place:
        """A place further down; ".." goes up."""
        found = list(self.steps)
        for step in steps:
            if step == ".." and found:
                found.pop()
            else:
                found.append(step)
        return Place(self.root, self.detail, tuple(found[:8]))

    @property
    def up(self) -> Place:
        """The folder around it."""
        return Place(self.root, self.detail, self.steps[:-1])

    @property
    def base(self) -> tuple[str, Any]:
        """Where it starts from."""
        return self.root, self.detail

    @property
    def constant(self) -> tuple[str, ...]:
        """The steps before the first that is not constant."""
        return tuple(itertools.takewhile(lambda step: ANY not in step, self.steps))

    def meets(self, other: Place) -> bool:
        """Whether the two may be, or contain, the same file."""
        if self.base != other.base:
            return False
        short, long = sorted((self.steps, other.steps), key=len)
        pairs = list(zip(short, long, strict=False))
        if len(short) < len(long) and short[-1:] == (ANY,) and any(one == ANY and ANY not in two for one, two in pairs):
            return False  # a name that is not known is no folder of a fixed name
        return all(_may_equal(one, two) for one, two in pairs)


def is_below(place: Place, folder: Place) -> bool:
    """Whether a place is a folder, or lies in it."""
    return place.base == folder.base and place.steps[: len(folder.steps)] == folder.steps


@dataclass(frozen=True, slots=True)
class Name:
    """What people call a place: a constant, an attribute, a key of the configuration."""

    name: str
    path: str
    ref: Ref | None


Places = tuple[Place, ...]
Scope = dict[str, Places]  # what the parameters of a function mean in one call of it


_PARSED: dict[str, Any] = {}


def parse(source: str) -> Any:
    """An expression's tree, None where the text was cut off."""
    if source not in _PARSED:
        if len(_PARSED) > 20_000:
            _PARSED.clear()
        try:
            _PARSED[source] = ast.parse(f"({source}\n)", mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            _PARSED[source] = None
    return _PARSED[source]


def of_text(text: str) -> Place:
    """The place that a text names."""
    if text.startswith("/"):
        return (
            Place(SCRATCH, "", steps_in(text)[1:]) if text.startswith("/tmp") else Place(ABSOLUTE, "", steps_in(text))
        )
    return Place(WORKING, "", steps_in(text))


def steps_in(text: str) -> tuple[str, ...]:
    """The steps of a path given as text."""
    return tuple(step for step in _WILD.sub(ANY, text).split("/") if step not in ("", "."))


def _may_equal(one: str, two: str) -> bool:
    """Whether two steps, each with or without unknown parts, may be the same name."""
    if one == two or ANY in (one, two):
        return True
    if ANY not in one and ANY not in two:
        return False
    start, other_start = one.partition(ANY)[0], two.partition(ANY)[0]
    end, other_end = one.rpartition(ANY)[2], two.rpartition(ANY)[2]
    if ANY not in one or ANY not in two:
        plain, start, end = (one, other_start, other_end) if ANY not in one else (two, start, end)
        return plain.startswith(start) and plain.endswith(end)
    return (start.startswith(other_start) or other_start.startswith(start)) and (
        end.endswith(other_end) or other_end.endswith(end)
    )


def glued(place: Place, text: str) -> Place:
    """A place with text put right behind its last step."""
    if not text:
        return place
    if not place.steps or text.startswith(ANY):  # `FOLDER + name`: the folder's text ends with a slash
        return place.below(text)
    return place.up.below(f"{place.steps[-1]}{text}")


_FOLDER_WORDS = ("dir", "folder", "path", "root", "directory", "location", "storage", "dest", "file", "upload")


def names_folder(name: str) -> bool:
    """Whether a name says that it is a folder or a file."""
    lower = name.lower()
    return any(word in lower for word in _FOLDER_WORDS)
