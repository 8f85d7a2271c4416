"""The state probe: a digest of every object of the project that outlives a request. Loaded into the app's own process.

It needs the standard library alone. What it walks: module globals, class and instance attributes, closures, default
arguments, of modules that lie in the working copy, and the attributes of framework objects that those hold (an app's
`state`, its `config`, its `extensions`).
"""

from __future__ import annotations

import sys
import types
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

DEPTH = 6
ITEMS = 500  # of one container
# Attributes in which frameworks let an app keep things.
APP_ATTRIBUTES = ("state", "_state", "config", "extensions")
SCALARS = (str, bytes, bytearray, int, float, complex, bool, type(None))


def probe(root: Path) -> Callable[[], dict[str, str]]:
    """A function that takes a snapshot: qualified name of a store -> digest of what it holds."""
    base = str(root)

    def own(module_name: str | None) -> bool:
        file = getattr(sys.modules.get(module_name or ""), "__file__", None) or ""
        return file.startswith(base) and "site-packages" not in file

    def snapshot() -> dict[str, str]:
        found: dict[str, str] = {}
        seen: set[int] = set()
        # A module moves to the end when its import is done: who defines a store stands before who imports it.
        for name, module in list(sys.modules.items()):
            if isinstance(module, types.ModuleType) and own(name):
                for key, value in list(vars(module).items()):
                    if not key.startswith("__") and type(value) is not types.ModuleType:
                        found.update(_walk(value, f"{name}.{key}", own, seen))
        return found

    return snapshot


def _walk(value: object, name: str, own: Callable[[str | None], bool], seen: set[int]) -> Iterator[tuple[str, str]]:
    """(name of a store, digest) below a module global: one for each container or attribute, not for each item."""
    digests: dict[str, int] = {}
    todo: deque[tuple[Any, str, int]] = deque([(value, name, 0)])
    while todo:
        item, path, depth = todo.popleft()
        kind = type(item)  # never isinstance: a proxy of a framework answers it with an error outside of a request
        if issubclass(kind, SCALARS):
            digests[path] = hash((digests.get(path, 0), kind.__name__, bytes(item) if kind is bytearray else item))
            continue
        if id(item) in seen or depth > DEPTH:
            continue
        seen.add(id(item))
        if issubclass(kind, Mapping):
            digests[path] = hash((digests.get(path, 0), "mapping", len(item)))
            for key, inner in list(item.items())[:ITEMS]:
                digests[path] = hash((digests[path], repr(key)[:80]))
                todo.append((inner, path, depth + 1))
        elif issubclass(kind, list | tuple | set | frozenset | deque):
            digests[path] = hash((digests.get(path, 0), kind.__name__, len(item)))
            todo.extend((inner, path, depth + 1) for inner in list(item)[:ITEMS])
        elif issubclass(kind, types.FunctionType):
            if own(item.__module__):
                todo.extend(_held_by_function(item, path, depth))
        elif issubclass(kind, type):
            if own(item.__module__):
                todo.extend(_attributes(item, path, depth))
        elif own(kind.__module__):
            todo.extend(_attributes(item, path, depth))
        else:
            todo.extend(
                (value, f"{path}.{key}", depth + 1) for key, value in _dict(item).items() if key in APP_ATTRIBUTES
            )
    yield from ((path, format(digest & (2**64 - 1), "x")) for path, digest in digests.items())


def _dict(item: object) -> Mapping[str, Any]:
    try:
        return dict(object.__getattribute__(item, "__dict__"))
    except AttributeError:
        return {}


def _attributes(item: object, path: str, depth: int) -> Iterator[tuple[Any, str, int]]:
    held = _dict(item)
    for kind in type(item).__mro__:
        slots = vars(kind).get("__slots__", ())
        for slot in (slots,) if type(slots) is str else slots:
            try:
                held = {**held, slot: object.__getattribute__(item, slot)}
            except AttributeError:  # declared and not set
                continue
    yield from ((value, f"{path}.{key}", depth + 1) for key, value in held.items() if not key.startswith("__"))


def _held_by_function(function: types.FunctionType, path: str, depth: int) -> Iterator[tuple[Any, str, int]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield cell.cell_contents, f"{path}.<{name}>", depth + 1
        except ValueError:  # an empty cell
            continue
    if function.__defaults__:
        yield function.__defaults__, f"{path}.<defaults>", depth + 1
    if function.__kwdefaults__:
        yield function.__kwdefaults__, f"{path}.<defaults>", depth + 1
    yield from ((value, f"{path}.{key}", depth + 1) for key, value in vars(function).items() if key != "__wrapped__")
