"""Dicts of a module whose entries may be stores of their own: `state = {"files": {}, "uploads": 0}`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from unstate.facts import hints
from unstate.facts.values import Ref

_MAKERS = frozenset("dict list set defaultdict OrderedDict Counter deque".split())
_MAPPINGS = frozenset("dict Dict MutableMapping".split())


def entries(target: ast.Name, holder: ast.Assign | ast.AnnAssign, source: Callable[[ast.expr], str]) -> Iterator[Ref]:
    """Each entry as what binds it; none unless every one has a constant name and begins empty, or is one plain value.

    A name that looks like a constant of the code (`KEY`) is none, as a subscript by that constant looks the same.
    """
    made = holder.value
    if not isinstance(made, ast.Dict) or not any(_is_container(value) for value in made.values):
        return
    if not all(_is_name(key) and (_is_container(value) or _is_plain(value)) for key, value in _pairs(made)):
        return
    declared = _declared(holder)
    for key, value in _pairs(made):
        assert isinstance(key, ast.Constant)
        end = (key.end_lineno or key.lineno, key.end_col_offset or 0)
        yield Ref(
            0,
            (target.id, f"[{key.value!r}]"),
            "target",
            (*end, *end),
            key.lineno,
            key.col_offset,
            value=hints.hint(value),
            annotation=declared if _is_container(value) else "",
            source=source(value),
            statement=(key.lineno, key.col_offset, value.end_lineno or value.lineno, value.end_col_offset or 0),
        )


def _pairs(made: ast.Dict) -> list[tuple[ast.expr | None, ast.expr]]:
    return list(zip(made.keys, made.values, strict=True))


def _is_name(key: ast.expr | None) -> bool:
    if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
        return False
    return hints.subscript_step(ast.Name(key.value)) == "[]"


def _is_container(value: ast.expr) -> bool:
    match value:
        case ast.Dict(keys=[]) | ast.List(elts=[]):
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=given):
            return name in _MAKERS and (not given or name in ("defaultdict", "deque"))
    return False


def _is_plain(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and isinstance(value.value, bool | int | float | str | None)


def _declared(holder: ast.Assign | ast.AnnAssign) -> str:
    """What each entry is declared to be: "dict[str, bytes]" of `dict[str, dict[str, bytes]]`, "" where it is not."""
    match getattr(holder, "annotation", None):
        case ast.Subscript(
            value=ast.Name(id=name) | ast.Attribute(attr=name),
            slice=ast.Tuple(elts=[_, ast.Subscript(value=ast.Name() | ast.Attribute()) as inner]),
        ) if name in _MAPPINGS:
            return hints.annotation(inner)
    return ""
