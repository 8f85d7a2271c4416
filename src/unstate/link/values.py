"""What an expression can mean, as far as the linker follows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Module:
    """A file of the project; a folder without __init__.py ends with a slash."""

    path: str


@dataclass(frozen=True, slots=True)
class External:
    """Something of another distribution or of the standard library, by its dotted name."""

    name: str


@dataclass(frozen=True, slots=True)
class Made:
    """What a call of something external gave: an instance of `maker`, as far as one can tell."""

    maker: str


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the project."""

    path: str
    frame: int


@dataclass(frozen=True, slots=True)
class Function:
    """A function or method of the project."""

    path: str
    frame: int


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of a class of the project."""

    of: Class


@dataclass(frozen=True, slots=True)
class Typed:
    """A value whose type is known as an annotation only."""

    annotation: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A place that holds a value: sort is module, class, app, local, function.

    `path` and `frame` name the owner: for a module its file and 0, for a class or function its frame; an attribute of
    the app belongs to no file and has "" and 0.
    """

    sort: str
    path: str
    frame: int
    name: str


@dataclass(frozen=True, slots=True)
class Element:
    """One entry of what a slot holds."""

    of: Slot


@dataclass(frozen=True, slots=True)
class Bound:
    """A method of a container that gives one of its entries: `get`, `pop`, `setdefault`."""

    of: Slot


@dataclass(frozen=True, slots=True)
class App:
    """The application object of a framework."""


Value = Module | External | Made | Class | Function | Instance | Typed | Slot | Element | Bound | App | None
