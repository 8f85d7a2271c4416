"""What is known of files from the last scan: one sqlite3 file a scanned root, in the user's cache folder.

A row is good while path, size and time of change are; the content's hash tells files apart that were only touched. The
findings of a service are kept too, under a fingerprint of all its files. Losing the index costs time, nothing else.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from unstate.facts.values import FileFacts, Suppression
from unstate.model import Diagnostic, Finding

_SCHEMA = """
    drop table if exists stamp; drop table if exists files; drop table if exists services;
    create table stamp (text text);
    create table files (
        path text primary key, size integer, changed integer, hash text, web integer, facts blob
    ) without rowid;
    create table services (root text primary key, fingerprint text, result blob) without rowid;
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


_results = msgspec.msgpack.Decoder(ServiceResult)
_kept = msgspec.msgpack.Decoder(_Kept)
_encode = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class Row:
    """One file as it was: size in bytes, time of change in ns, hash of its content, whether it loads a framework."""

    size: int
    changed: int
    hash: str
    web: bool


class Index:
    """Rows of one root. Every method works without a database too, and then knows nothing: `Index(None)`."""

    def __init__(self, root: Path | None) -> None:
        self._connection = _open(root) if root is not None else None

    def rows(self) -> dict[str, Row]:
        """Every known file."""
        return {
            path: Row(size, changed, content, bool(web))
            for path, size, changed, content, web in self._read("select path, size, changed, hash, web from files")
        }

    def facts(self, paths: Iterable[str]) -> dict[str, FileFacts | Diagnostic]:
        """Facts of files whose rows are good."""
        found: dict[str, FileFacts | Diagnostic] = {}
        for path in paths:
            for (blob,) in self._read("select facts from files where path = ? and facts is not null", path):
                try:
                    kept = _kept.decode(blob)
                except (msgspec.DecodeError, msgspec.ValidationError):
                    continue
                known = kept.facts or kept.problem
                if known is not None:
                    found[path] = known
        return found

    def result(self, service: str) -> tuple[str, ServiceResult] | None:
        """The last result of a service with the fingerprint of the files that it is for."""
        for known, blob in self._read("select fingerprint, result from services where root = ?", service):
            try:
                return known, _results.decode(blob)
            except (msgspec.DecodeError, msgspec.ValidationError):
                return None
        return None

    def keep_rows(self, rows: dict[str, Row], gone: Iterable[str]) -> None:
        """Files that were read anew (their facts are no longer known), and files that are no more."""
        statement = "insert or replace into files values (?, ?, ?, ?, ?, null)"
        self._write(statement, [(path, row.size, row.changed, row.hash, row.web) for path, row in rows.items()])
        self._write("delete from files where path = ?", [(path,) for path in gone])

    def keep_facts(self, facts: dict[str, FileFacts | Diagnostic]) -> None:
        """Facts of files whose rows are kept."""
        rows = [
            (_encode(_Kept(found) if isinstance(found, FileFacts) else _Kept(problem=found)), path)
            for path, found in facts.items()
        ]
        self._write("update files set facts = ? where path = ?", rows)

    def keep_result(self, service: str, fingerprint: str, result: ServiceResult) -> None:
        """The result of a service."""
        self._write("insert or replace into services values (?, ?, ?)", [(service, fingerprint, _encode(result))])

    def close(self) -> None:
        """Writes what is kept."""
        if self._connection is not None:
            try:
                self._connection.commit()
                self._connection.close()
            except sqlite3.Error:
                pass
            self._connection = None

    def _read(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        if self._connection is None:
            return []
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error:
            self._connection = None
            return []

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        if self._connection is not None and rows:
            try:
                self._connection.executemany(statement, rows)
            except sqlite3.Error:
                self._connection = None


def content_hash(source: bytes) -> str:
    """The hash by which contents are told apart."""
    return hashlib.blake2b(source, digest_size=16).hexdigest()


def cache_folder() -> Path:
    """Where indexes are kept: `UNSTATE_CACHE`, else a folder of the user's cache folder."""
    named = os.environ.get("UNSTATE_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "unstate"


def _open(root: Path) -> sqlite3.Connection | None:
    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.blake2b(os.fsencode(root.resolve()), digest_size=12).hexdigest()
        connection = sqlite3.connect(folder / f"{name}.sqlite3", timeout=5)
        connection.executescript("pragma journal_mode = wal; pragma synchronous = off;")
        stamp = _stamp()
        if not _is_stamped(connection, stamp):
            connection.executescript(_SCHEMA)
            connection.execute("insert into stamp values (?)", (stamp,))
    except (sqlite3.Error, OSError, RuntimeError):
        return None
    return connection


def _is_stamped(connection: sqlite3.Connection, stamp: str) -> bool:
    try:
        return connection.execute("select text from stamp").fetchall() == [(stamp,)]
    except sqlite3.Error:
        return False


def _stamp() -> str:
    """What an index depends on beside the files: this Python, and the code that reads and judges."""
    package = Path(__file__).parent
    code = [
        file.stat() for folder in (".", "facts", "link", "classify") for file in sorted((package / folder).glob("*.py"))
    ]
    sizes = " ".join(f"{status.st_size} {status.st_mtime_ns}" for status in code)
    return f"{sys.version_info.major}.{sys.version_info.minor} {content_hash(sizes.encode())}"
