"""`[tool.unstate]` of pyproject.toml: read once for a root, checked to the last key, frozen.

The nearest pyproject.toml with such a table, from the root upwards, is the one that counts. Without one every setting
has its default.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from unstate.model import Kind, Value

FILE = "pyproject.toml"
SECTION = ("tool", "unstate")

INJECTIONS = ("framework", "module", "depends")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"([1-9][0-9]*)([smhdw])")
_CODE = re.compile(r"[A-Z]+\d*")
_HEADER = re.compile(r"\s*\[(\[?)([^\[\]]+)\]")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")


class ConfigError(Exception):
    """A setting that cannot be used. Its text names the file, the line and what would be right."""


class Service(Value, frozen=True):
    """One service of a repository that holds several. `root` is relative to the file that names it.

    `test`: the command that runs its tests, in its root. `library`: it is no service, but code that services share.
    """

    name: str
    root: str = "."
    test: str = ""
    library: bool = False


class Override(Value, frozen=True):
    """Settings that differ below some paths; lists add to the general ones, mappings overlay them."""

    paths: tuple[str, ...]
    ignore: tuple[str, ...] = ()
    ttl: dict[str, str] = {}
    key_prefix: dict[str, str] = {}


class Config(Value, frozen=True):
    """The settings for one root.

    `exclude`: globs after .gitignore's fashion, relative to the root. `select`, `ignore`: rule codes or their
    beginnings; an empty `select` means every rule. `ttl`: kind of store -> duration ("24h", "none"). `key_prefix`:
    glob over store names -> prefix of the store's keys. `injection`: whether the generated clients are tied to the
    framework's application object ("framework"), stand in their module alone ("module"), or are parameters of FastAPI's
    handlers too ("depends"). `source`: the file these
    settings come from, "" for defaults.
    """

    exclude: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    ttl: dict[str, str] = {}
    key_prefix: dict[str, str] = {}
    service: tuple[Service, ...] = ()
    overrides: tuple[Override, ...] = ()
    injection: str = INJECTIONS[0]
    source: str = ""

    def selects(self, code: str, path: str = "") -> bool:
        """Whether findings of the rule `code` are wanted, at `path` (relative to the root) if one is given."""
        return code.startswith(self.select or ("",)) and not code.startswith(self.at(path).ignore or ("\0",))

    def with_ttl(self, ttl: Mapping[str, str]) -> Config:
        """These settings with expiries that come before every other one. Raises ValueError."""
        check_ttl(ttl)
        overrides = tuple(msgspec.structs.replace(each, ttl={**each.ttl, **ttl}) for each in self.overrides)
        return msgspec.structs.replace(self, ttl={**self.ttl, **ttl}, overrides=overrides)

    def at(self, path: str) -> Config:
        """The settings as they are for the file `path`, with every override that covers it laid on."""
        result = self
        for override in self.overrides:
            if path and _covers(override.paths, path):
                result = msgspec.structs.replace(
                    result,
                    ignore=(*result.ignore, *override.ignore),
                    ttl={**result.ttl, **override.ttl},
                    key_prefix={**result.key_prefix, **override.key_prefix},
                )
        return result


_TABLES: dict[str, type[msgspec.Struct]] = {"service": Service, "overrides": Override}


def load(start: Path) -> Config:
    """The settings for the root `start` (a folder): those of the nearest pyproject.toml that has `[tool.unstate]`.

    Raises ConfigError.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        path = folder / FILE
        if path.is_file():
            config = _read(path)
            if config is not None:
                return config
    return Config()


def parse_duration(text: str) -> int | None:
    """Seconds in "90s", "10m", "24h", "7d", "2w"; None for "none" (kept until deleted). Raises ValueError."""
    if text == "none":
        return None
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(
            f'"{text}" is no duration: write a whole number and a unit, as in "90s", "10m", "24h", "7d"; or "none"'
        )
    return int(match[1]) * _UNITS[match[2]]


def format_duration(seconds: int | None) -> str:
    """The shortest text that `parse_duration` reads back as `seconds`; hours are kept up to two days."""
    if seconds is None:
        return "none"
    for unit in "wdhm":
        size = _UNITS[unit]
        if seconds % size == 0 and (unit in "hm" or seconds > 2 * _UNITS["d"]):
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def check_ttl(ttl: Mapping[str, str]) -> None:
    """Raises ValueError where a key is no kind of store or a value no duration; the message names the key first."""
    for kind, duration in ttl.items():
        if kind not in {str(member) for member in Kind}:
            raise ValueError(f'"{kind}" is no kind of store; {nearest(kind, [str(member) for member in Kind])}')
        parse_duration(duration)


def nearest(word: str, known: list[str]) -> str:
    """A hint for a reader who wrote `word` where one of `known` was wanted."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f'did you mean "{close[0]}"?' if close else "known: " + ", ".join(known)


def _covers(globs: tuple[str, ...], path: str) -> bool:
    import pathspec

    return pathspec.PathSpec.from_lines("gitignore", globs).match_file(path)


def _read(path: Path) -> Config | None:
    """The table of one file, None if it has none."""
    try:
        text = path.read_bytes().decode()
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8, which TOML asks for: {error.reason} at byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at line (\d+), column \d+\)", str(error))
        line = place[1] if place else str(text.count("\n") + 1)
        raise ConfigError(f"{path}:{line}: not valid TOML: {str(error).split(' (at ')[0]}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    table: Any = document
    for step in SECTION:
        if not isinstance(table, dict) or step not in table:
            return None
        table = table[step]
    where = _Places(path, text)
    if not isinstance(table, dict):
        raise where.error(SECTION, "[tool.unstate] must be a table")
    _check_keys(table, Config, SECTION, where)
    try:
        config = msgspec.convert(table, Config, strict=True)
    except msgspec.ValidationError as error:
        message, _, pointer = str(error).partition(" - at `")
        steps = _steps(pointer.rstrip("`"), table)
        key = ".".join(step for step in steps if isinstance(step, str))
        raise where.error((*SECTION, *steps), f"{key}: {_plain(message)}" if key else _plain(message)) from None
    _check_values(config, where)
    return msgspec.structs.replace(config, source=str(path))


def _check_keys(
    table: Mapping[str, Any], struct: type[msgspec.Struct], at: tuple[str | int, ...], where: _Places
) -> None:
    known = [name for name in struct.__struct_fields__ if name != "source"]
    for key, value in table.items():
        if key not in known:
            raise where.error((*at, key), f'unknown key "{key}"; {nearest(key, known)}')
        if key in _TABLES and isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, dict):
                    _check_keys(item, _TABLES[key], (*at, key, index), where)


def _check_values(config: Config, where: _Places) -> None:
    def settings() -> Iterator[tuple[tuple[str | int, ...], Config | Override]]:
        yield SECTION, config
        for index, override in enumerate(config.overrides):
            yield (*SECTION, "overrides", index), override

    for at, part in settings():
        for kind, duration in part.ttl.items():
            try:
                check_ttl({kind: duration})
            except ValueError as error:
                raise where.error((*at, "ttl", kind), str(error)) from None
        for key in ("select", "ignore"):
            for code in getattr(part, key, ()):
                if not _CODE.fullmatch(code):
                    raise where.error(
                        (*at, key), f'{key}: "{code}" is no rule code; write one as "US101", or its beginning as "US1"'
                    )
        for pattern, prefix in part.key_prefix.items():
            if not prefix or any(character.isspace() or character in "*?[]{}" for character in prefix):
                raise where.error(
                    (*at, "key_prefix", pattern),
                    f'key_prefix: "{prefix}" is no prefix; it may hold no space and none of * ? [ ] {{ }}',
                )
    if config.injection not in INJECTIONS:
        raise where.error(
            (*SECTION, "injection"),
            f'"{config.injection}" is no injection; {nearest(config.injection, list(INJECTIONS))}',
        )
    for index, service in enumerate(config.service):
        if Path(service.root).is_absolute() or ".." in Path(service.root).parts:
            raise where.error((*SECTION, "service", index, "root"), f'root "{service.root}" must lie below this file')


def _steps(pointer: str, table: Any) -> list[str | int]:
    """`$.service[0].name` as ["service", 0, "name"]. `[...]` stands for an entry: the first that is no text."""
    steps: list[str | int] = []
    for name, index in re.findall(r"\.(\w+)|\[(\d+|\.\.\.)\]", pointer):
        step = name or (int(index) if index != "..." else "")
        if step == "" and isinstance(table, dict):
            step = next((key for key, value in table.items() if not isinstance(value, str)), "")
        if step == "":
            break
        steps.append(step)
        table = table[step] if isinstance(step, int) or step in table else {}
    return steps


def _plain(message: str) -> str:
    """msgspec's words in those of TOML."""
    words = {
        "`array`": "a list",
        "`str`": "a string",
        "`object`": "a table",
        "`int`": "a number",
        "`float`": "a number",
        "`bool`": "true or false",
    }
    for theirs, ours in words.items():
        message = message.replace(theirs, ours)
    return message[:1].lower() + message[1:]


class _Places:
    """Where the keys of a TOML text stand: parsers do not tell, so the lines are read again for headers and keys."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.lines: dict[tuple[str | int, ...], int] = {}
        table: tuple[str | int, ...] = ()
        seen: dict[tuple[str | int, ...], int] = {}
        for number, line in enumerate(text.split("\n"), 1):
            if header := _HEADER.match(line):
                table = _split(header[2])
                if header[1]:
                    index = seen.get(table, -1) + 1
                    seen[table] = index
                    table = (*table, index)
                self.lines.setdefault(table, number)
            elif key := _KEY.match(line):
                self.lines.setdefault((*table, *_split(key[1])), number)

    def error(self, at: tuple[str | int, ...], message: str) -> ConfigError:
        """The error `message` at the line of `at`, or of the nearest thing around it."""
        for end in range(len(at), 0, -1):
            if at[:end] in self.lines:
                return ConfigError(f"{self.path}:{self.lines[at[:end]]}: {message}")
        return ConfigError(f"{self.path}: {message}")


def _split(dotted: str) -> tuple[str, ...]:
    parts = re.findall(r""""([^"]*)"|'([^']*)'|([\w-]+)""", dotted)
    return tuple(next(filter(None, part), "") for part in parts)
