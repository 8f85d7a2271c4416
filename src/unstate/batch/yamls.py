"""YAML with the lines of its keys, read and never executed; templates as far as they are YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INLINE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")
_MERGE = "tag:yaml.org,2002:merge"


class Table(dict[str, Any]):
    """A mapping that knows the line of each of its keys, 1-based."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}


def documents(text: str) -> list[Any]:
    """The documents of a file: Table, list, str, int, float, bool or None, nested. What is no YAML gives none."""
    found: list[Any] = []
    # Documents before a broken one are kept.
    with suppress(yaml.YAMLError, ValueError, RecursionError):
        found.extend(_Values().value(node) for node in yaml.compose_all(_plain(text), Loader=_LOADER))
    return found


def tables(value: Any) -> Iterator[Table]:
    """Every mapping within a value, the outermost first, each once."""
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, Table):
            yield each
        if isinstance(each, dict | list):
            waiting.extend(each.values() if isinstance(each, dict) else each)


def at(value: Any, *steps: str) -> Any:
    """What stands under some keys, None where there is no such thing."""
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def line_of(value: Any, *steps: str) -> int:
    """The line of the last of some keys; 0 where there is none."""
    holder = at(value, *steps[:-1])
    return holder.lines.get(steps[-1], 0) if isinstance(holder, Table) else 0


def texts(value: Any) -> list[str]:
    """A list of texts, or one text, as a list of texts."""
    values = value if isinstance(value, list) else [value]
    return [word(each) for each in values if isinstance(each, str | int | float)]


def word(value: Any) -> str:
    """A text or number as text, "" for anything else."""
    return str(value) if isinstance(value, str | int | float) else ""


def _plain(text: str) -> str:
    """The text without a template's actions: a line that is nothing else goes, others have a placeholder for each."""
    if "{{" not in text and "{%" not in text:
        return text
    lines = []
    for line in text.split("\n"):
        alone = not _INLINE.sub("", line).strip()
        lines.append("" if alone else _INLINE.sub("_", line))
    return "\n".join(lines)


class _Values:
    """Values of one document's nodes. A node that is used often is made once, one that holds itself is cut."""

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}
        self._scalars = _LOADER("")

    def value(self, node: Any) -> Any:
        if id(node) in self._made:
            return self._made[id(node)]
        if isinstance(node, yaml.MappingNode):
            table = self._made[id(node)] = Table()
            for key, inner in node.value:
                self._put(table, key, inner)
            return table
        if isinstance(node, yaml.SequenceNode):
            values: list[Any] = []
            self._made[id(node)] = values
            values += [self.value(inner) for inner in node.value]
            return values
        return self._scalar(node)

    def _put(self, table: Table, key: Any, inner: Any) -> None:
        if key.tag == _MERGE:
            merged = self.value(inner)
            for each in merged if isinstance(merged, list) else [merged]:
                if isinstance(each, Table):
                    for name in each.keys() - table.keys():
                        table[name], table.lines[name] = each[name], each.lines.get(name, 0)
        elif isinstance(key, yaml.ScalarNode):
            table[str(key.value)] = self.value(inner)
            table.lines[str(key.value)] = key.start_mark.line + 1

    def _scalar(self, node: Any) -> Any:
        match node.tag.rpartition(":")[2]:
            case "int" | "float" | "bool" | "null":
                try:
                    return self._scalars.construct_object(node)
                except (yaml.YAMLError, ValueError):
                    return node.value
        return node.value
