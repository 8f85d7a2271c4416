"""What is known of files from the last scan: one sqlite3 file a scanned root, in the user's cache folder.

A row is good while path, size and time of change are; facts are good while the content's hash is. The findings of a
service are kept too, under a fingerprint of all its files. Losing the index costs time, nothing else: where it cannot
be kept, or is found broken, a temporary database does its work.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from unstate.facts.pool import Pool
from unstate.facts.values import FileFacts, Suppression
from unstate.model import Diagnostic, Finding

_TABLES = """
    drop table if exists stamp; drop table if exists files; drop table if exists facts; drop table if exists services;
    create table stamp (text text);
    create table files (path text primary key, size integer, changed integer, hash text, web text) without rowid;
    create table facts (path text primary key, hash text, read blob);
    create table services (root text primary key, fingerprint text, result blob);
"""


class ServiceResult(msgspec.Struct, frozen=True, array_like=True):
    """What linking one service gave, and what it was linked from."""

    imported: tuple[str, ...] = ()  # files of other parts of the tree that it imports
    findings: tuple[Finding, ...] = ()
    problems: tuple[Diagnostic, ...] = ()
    comments: dict[str, tuple[Suppression, ...]] = {}  # by path, of files that have any


class _Kept(msgspec.Struct, array_like=True):
    """What one file gave: facts, or the reason why there are none."""

    facts: FileFacts | None = None
    problem: Diagnostic | None = None


Read = FileFacts | Diagnostic

_results = msgspec.msgpack.Decoder(ServiceResult)
_kept = msgspec.msgpack.Decoder(_Kept)
_encode = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class Row:
    """One file as it was: size in bytes, time of change in ns, hash of its content, web frameworks that it loads."""

    size: int
    changed: int
    hash: str
    web: str  # their names with a space between


class Index:
    """What is known of one root. `Index(None)` keeps nothing for the next scan."""

    def __init__(self, root: Path | None) -> None:
        self._file = None if root is None else _file(root)
        self._connection = _open(self._file)

    def rows(self) -> dict[str, Row]:
        """Every known file."""
        return {
            path: Row(size, changed, content, web)
            for path, size, changed, content, web in self._ask("select path, size, changed, hash, web from files")
        }

    def keep_rows(self, rows: Mapping[str, Row], gone: Iterable[str]) -> None:
        """Files that were read anew, and files that are no more."""
        values = [(path, row.size, row.changed, row.hash, row.web) for path, row in rows.items()]
        self._tell("insert or replace into files values (?, ?, ?, ?, ?)", values)
        self._tell("delete from files where path = ?", [(path,) for path in gone])
        self._tell("delete from facts where path = ?", [(path,) for path in gone])

    def without_facts(self, hashes: Mapping[str, str]) -> list[str]:
        """Of files, given with the hashes of their contents, those whose facts are not known."""
        statement = "select 1 from facts where path = ? and hash = ?"
        return [wanted[0] for wanted in hashes.items() if not self._ask(statement, *wanted)]

    def facts(self, hashes: Mapping[str, str]) -> dict[str, Read]:
        """Facts of files, given with the hashes of their contents, where they are known."""
        found: dict[str, Read] = {}
        pool = Pool()
        for wanted in hashes.items():
            for (blob,) in self._ask("select read from facts where path = ? and hash = ?", *wanted):
                with suppress(msgspec.MsgspecError):
                    kept = _kept.decode(blob)
                    known = kept.facts or kept.problem
                    if kept.facts is not None:
                        pool.share(kept.facts)
                    if known is not None:
                        found[wanted[0]] = known
        return found

    def keep_facts(self, read: Mapping[str, tuple[str, bytes]]) -> None:
        """What was read from files by path: the hash of the content that was read, and what it gave, `encoded`."""
        values = [(path, content, blob) for path, (content, blob) in read.items()]
        self._tell("insert or replace into facts values (?, ?, ?)", values)

    def result(self, service: str) -> tuple[str, ServiceResult] | None:
        """The last result of a service with the fingerprint of the files that it is for."""
        for known, blob in self._ask("select fingerprint, result from services where root = ?", service):
            with suppress(msgspec.MsgspecError):
                return known, _results.decode(blob)
        return None

    def keep_result(self, service: str, fingerprint: str, result: ServiceResult) -> None:
        """The result of a service."""
        self._tell("insert or replace into services values (?, ?, ?)", [(service, fingerprint, _encode(result))])

    def close(self) -> None:
        """Gives the database free. What was kept is in it already."""
        self._connection.close()

    def _ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            self._give_up(error)
            return []

    def _tell(self, statement: str, values: Sequence[tuple[object, ...]]) -> None:
        if not values:
            return
        try:
            with self._connection:
                self._connection.executemany(statement, values)
        except sqlite3.Error as error:
            self._give_up(error)

    def _give_up(self, error: sqlite3.Error) -> None:
        """Goes on with a temporary database; one that is broken, and not only busy or full, is thrown away."""
        self._connection.close()
        if self._file is not None and type(error) is sqlite3.DatabaseError:
            _remove(self._file)
        self._file = None
        self._connection = _open(None)


def encoded(read: Read) -> bytes:
    """What one file gave, as it is kept."""
    return _encode(_Kept(facts=read) if isinstance(read, FileFacts) else _Kept(problem=read))


def content_hash(source: bytes) -> str:
    """The hash by which contents are told apart."""
    return hashlib.blake2b(source, digest_size=16).hexdigest()


def cache_folder() -> Path:
    """Where indexes are kept: `UNSTATE_CACHE`, else a folder of the user's cache folder. Raises RuntimeError."""
    named = os.environ.get("UNSTATE_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "unstate"


def _file(root: Path) -> Path | None:
    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{hashlib.blake2b(os.fsencode(root.resolve()), digest_size=12).hexdigest()}.sqlite3"
    except (OSError, RuntimeError):  # no place, or no home
        return None


def _open(file: Path | None) -> sqlite3.Connection:
    """The database in a file, made anew where it is another version's or broken; else a temporary one."""
    if file is not None:
        for _ in range(2):
            try:
                return _prepared(file)
            except sqlite3.Error as error:
                if type(error) is not sqlite3.DatabaseError:
                    break
                _remove(file)
    return _prepared("")


def _prepared(file: Path | str) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=5)
    try:
        connection.executescript("pragma journal_mode = wal; pragma synchronous = off;")
        stamp = _stamp()
        if not _is_stamped(connection, stamp):
            connection.executescript(_TABLES)
            with connection:
                connection.execute("insert into stamp values (?)", (stamp,))
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _is_stamped(connection: sqlite3.Connection, stamp: str) -> bool:
    try:
        return connection.execute("select text from stamp").fetchall() == [(stamp,)]
    except sqlite3.OperationalError:  # no such table
        return False


def _remove(file: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        with suppress(OSError):
            file.with_name(file.name + suffix).unlink()


def _stamp() -> str:
    """What an index depends on beside the files: this Python, and the code that reads and judges."""
    package = Path(__file__).parent
    code = [file for folder in (".", "facts", "link", "classify") for file in sorted((package / folder).glob("*.py"))]
    known = content_hash(b"".join(file.read_bytes() for file in code))
    return f"{sys.version_info.major}.{sys.version_info.minor} {known}"
