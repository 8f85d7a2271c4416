"""Files that cannot be read, or only in part: one diagnostic each, and the rest of the tree is done."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from unstate import scan as scanning
from unstate.config import Config
from unstate.facts.values import FileFacts
from unstate.model import Diagnostic, Scan
from unstate.workers import Outcome

APP = """\
from flask import Flask, request

app = Flask(__name__)
sessions = {}


@app.post("/login")
def login():
    sessions[request.form["token"]] = request.form["user"]
    return sessions.get(request.form["other"], "")
"""
TEXTS = {
    "null.py": (b"x = 1\0\n", "null bytes"),
    "nested.py": (b"x = " + b"(" * 5000 + b")" * 5000, "nested"),
    "chained.py": (b"x = a" + b".b" * 50_000, "nested too deeply"),
    "latin.py": (b"name = '\xe9'\n", "cannot be"),
    "newer.py": (b"type Pair[T] = tuple[T, T]\nmatch = lambda: (yield\n", "cannot be parsed by Python"),
    "cookie.py": (b"# coding: nonsense\nx = 1\n", "nonsense"),
    "wide.py": (APP.encode("utf-16"), "cannot be"),
    "older.py": (b"print 'hello'\n", "a Python 2 file"),
}


def _git(root: Path) -> None:
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", "-C", root, *command], check=True)


@pytest.fixture(params=["walked", "tracked"])
def root(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    (root / "app.py").write_text(APP)
    for name, (source, _) in TEXTS.items():
        (root / name).write_bytes(source)
    (root / "nowhere.py").symlink_to("gone.py")
    (root / "round.py").symlink_to("around.py")
    (root / "around.py").symlink_to("round.py")
    (root / "package").mkdir()
    (root / "package" / "up").symlink_to("..")
    (root / "folder.py").symlink_to("package")
    if request.param == "tracked":
        (root / "deleted.py").write_text("x = 1\n")
        _git(root)
        (root / "deleted.py").unlink()
    return root


def messages(result: Scan) -> dict[str, str]:
    """By path, its only diagnostic."""
    assert len({each.path for each in result.diagnostics}) == len(result.diagnostics)
    return {each.path: each.message for each in result.diagnostics}


def stores(result: Scan) -> set[tuple[str, str]]:
    return {(found.store.path, found.store.name) for found in result.findings}


def test_each_is_told_once_and_the_rest_is_found(root: Path) -> None:
    result = scanning.scan(root, Config())
    told = messages(result)
    assert told.keys() == {*TEXTS, "nowhere.py", "round.py", "around.py"}
    for name, (_, words) in TEXTS.items():
        assert words in told[name]
    assert "No such file" in told["nowhere.py"]
    assert "Too many levels" in told["round.py"]
    assert stores(result) == {("app.py", "sessions")}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    os.mkfifo(tmp_path / "pipe.py")
    result = scanning.scan(tmp_path, Config())
    assert messages(result) == {"pipe.py": "not looked at: it is no regular file"}
    assert stores(result) == {("app.py", "sessions")}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "secret.py").write_text(APP)
    (tmp_path / "secret.py").chmod(0)
    result = scanning.scan(tmp_path, Config())
    assert messages(result) == {"secret.py": "cannot be read: Permission denied"}
    assert stores(result) == {("app.py", "sessions")}


def test_a_file_that_vanishes_during_the_scan_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "brief.py").write_text("x = 1\n")
    look = scanning._Scanner._look_at_files

    def look_and_delete(scanner: scanning._Scanner) -> None:
        look(scanner)
        (tmp_path / "brief.py").unlink()

    monkeypatch.setattr(scanning._Scanner, "_look_at_files", look_and_delete)
    result = scanning.scan(tmp_path, Config())
    assert messages(result) == {"brief.py": "cannot be read: No such file or directory"}
    assert stores(result) == {("app.py", "sessions")}


def nobody_is_that_fast(function: object, items: list[Any], *limits: object) -> list[Outcome[Any, Any]]:
    return [Outcome(item, failure="took longer than 0 seconds") for item in items]


class TestWhatPasses:
    """What was so for one scan only is not believed by the next."""

    @pytest.fixture(autouse=True)
    def kept(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("UNSTATE_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(scanning, "_WORTH_KEEPING", 1)

    def test_a_file_that_changes_under_the_scan_and_back(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        root = tmp_path / "root"
        root.mkdir()
        app = root / "app.py"
        app.write_text(APP)
        os.utime(app, ns=(1, 1))
        look = scanning._Scanner._look_at_files

        def look_and_write(scanner: scanning._Scanner) -> None:
            look(scanner)
            app.write_text(APP.replace("sessions", "tokens"))

        with monkeypatch.context() as patch:
            patch.setattr(scanning._Scanner, "_look_at_files", look_and_write)
            scanning.scan(root, Config())
        app.write_text(APP)
        os.utime(app, ns=(1, 1))
        assert stores(scanning.scan(root, Config())) == {("app.py", "sessions")}

    def test_a_change_within_the_tick_of_a_clock(self, tmp_path: Path) -> None:
        root = tmp_path / "root"
        root.mkdir()
        app = root / "app.py"
        app.write_text(APP)
        scanning.scan(root, Config())
        before = app.stat().st_mtime_ns
        app.write_text(APP.replace("sessions", "tokensss"))
        os.utime(app, ns=(before, before))
        assert stores(scanning.scan(root, Config())) == {("app.py", "tokensss")}

    def test_a_reader_that_was_ended(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        root = tmp_path / "root"
        root.mkdir()
        (root / "app.py").write_text(APP)
        with monkeypatch.context() as patch:
            patch.setattr(scanning, "_SERIAL", 0)
            patch.setattr(scanning.workers, "supervised", nobody_is_that_fast)
            assert "took longer" in messages(scanning.scan(root, Config()))["app.py"]
        result = scanning.scan(root, Config())
        assert result.diagnostics == ()
        assert stores(result) == {("app.py", "sessions")}


def test_a_huge_file_is_read_by_a_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small tree is read in the scan's own process, which nobody could end if a file held it up."""
    here: list[str] = []
    read = scanning._read_file

    def watched(base: str, path: str) -> tuple[str, FileFacts | Diagnostic]:
        here.append(path)
        return read(base, path)

    monkeypatch.setattr(scanning, "_read_file", watched)
    (tmp_path / "app.py").write_text(APP + "\n" + "# nothing\n" * 100_000)
    assert stores(scanning.scan(tmp_path, Config())) == {("app.py", "sessions")}
    assert here == []
