"""What an expression can mean, as far as the linker follows it."""

from __future__ import annotations

import msgspec


class _Value(msgspec.Struct, frozen=True, gc=False):
    """Values are keys, asked for all the time: a struct is compared and hashed without running Python code."""


class Module(_Value, frozen=True):
    """A file of the project; a folder without __init__.py ends with a slash."""

    path: str


class External(_Value, frozen=True):
    """Something of another distribution or of the standard library, by its dotted name."""

    name: str


class Made(_Value, frozen=True):
    """What a call of something external gave: an instance of `maker`, as far as one can tell."""

    maker: str


class Class(_Value, frozen=True):
    """A class of the project."""

    path: str
    frame: int


class Function(_Value, frozen=True):
    """A function or method of the project."""

    path: str
    frame: int


class Instance(_Value, frozen=True):
    """An object of a class of the project."""

    of: Class


class Typed(_Value, frozen=True):
    """A value whose type is known as an annotation only."""

    annotation: str


class Slot(_Value, frozen=True):
    """A place that holds a value: sort is module, class, app, local, function.

    `path` and `frame` name the owner: for a module its file and 0, for a class or function its frame; an attribute of
    the app belongs to no file and has "" and 0.
    """

    sort: str
    path: str
    frame: int
    name: str


class Element(_Value, frozen=True):
    """One entry of what a slot holds."""

    of: Slot


class Bound(_Value, frozen=True):
    """A method of a container that gives one of its entries: `get`, `pop`, `setdefault`."""

    of: Slot


class App(_Value, frozen=True):
    """The application object of a framework."""


Value = Module | External | Made | Class | Function | Instance | Typed | Slot | Element | Bound | App | None
