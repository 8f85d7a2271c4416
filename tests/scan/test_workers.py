"""Workers that die, hang or raise cost their own item; none is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from unstate import scan as scanning
from unstate import workers
from unstate.config import Config

# Workers import what they run by its name, so it stands in a module of its own.
WORK = """\
import os, signal, sys, time
from unstate.scan import read_chunk as read_for_real

def work(item):
    if item == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if item == "exit":
        os._exit(3)
    if item == "hang":
        time.sleep(600)
    if item == "raise":
        raise ValueError("no such thing")
    return item.upper()

def hang_and_tell(folder):
    open(os.path.join(folder, str(os.getpid())), "w").close()
    time.sleep(600)

def read_chunk(chunk):
    for path in chunk.paths:
        if path.startswith("killer"):
            os.kill(os.getpid(), signal.SIGKILL)
        if path.startswith("hanger"):
            time.sleep(600)
    return read_for_real(chunk)
"""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "work_of_workers.py").write_text(WORK)
    monkeypatch.syspath_prepend(tmp_path / "code")
    import work_of_workers

    yield work_of_workers
    sys.modules.pop("work_of_workers", None)


def outcomes(work: ModuleType, items: list[str], timeout: float = 60) -> dict[str, str]:
    """By item, its result or its failure; every item has one outcome."""
    found = list(workers.supervised(work.work, items, 2, timeout))
    assert sorted(outcome.item for outcome in found) == sorted(items)
    return {outcome.item: outcome.result or outcome.failure for outcome in found}


def test_every_item_has_its_result(work: ModuleType) -> None:
    assert outcomes(work, ["a", "b", "c", "d", "e"]) == {"a": "A", "b": "B", "c": "C", "d": "D", "e": "E"}


def test_an_error_is_told(work: ModuleType) -> None:
    assert outcomes(work, ["a", "raise", "b"]) == {"a": "A", "raise": "ValueError: no such thing", "b": "B"}


def test_dead_workers_cost_their_items_only(work: ModuleType) -> None:
    found = outcomes(work, ["a", "die", "b", "exit", "c"])
    died = "the process that worked on it died"
    assert found == {"a": "A", "die": died, "b": "B", "exit": died, "c": "C"}


def test_a_hanging_worker_costs_its_item_only(work: ModuleType) -> None:
    found = outcomes(work, ["a", "hang", "b"], timeout=3)
    assert found == {"a": "A", "hang": "it took longer than 3 s", "b": "B"}


def test_files_that_kill_or_hang_their_reader_are_told_and_the_rest_is_found(
    tmp_path: Path, work: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    monkeypatch.setattr(scanning, "_SERIAL", 0)
    monkeypatch.setattr(scanning, "_CHUNK", 1)
    monkeypatch.setattr(scanning, "_PATIENCE", 3)
    monkeypatch.setattr(scanning, "read_chunk", work.read_chunk)
    source = "from flask import Flask\n\napp = Flask(__name__)\nsessions = {}\n\n\n@app.post('/')\ndef login(token):\n"
    source += "    sessions[token] = True\n    return sessions.get(token)\n"
    for name in ("app", "killer", "hanger", "later"):
        (root / f"{name}.py").write_text(source)
    result = scanning.scan(root, Config())
    assert {found.store.path for found in result.findings} == {"app.py", "later.py"}
    assert [(found.path, found.rule) for found in result.diagnostics] == [
        ("hanger.py", "US001"),
        ("killer.py", "US001"),
    ]
    assert "longer than 3 s" in result.diagnostics[0].message
    assert "died" in result.diagnostics[1].message


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_the_scan(tmp_path: Path, work: ModuleType, blow: signal.Signals) -> None:
    told = tmp_path / "told"
    told.mkdir()
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import work_of_workers as w; from unstate import workers\n"
        "list(workers.supervised(w.hang_and_tell, [sys.argv[2]] * 2, 2, 600))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "code"), str(told)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True) as parent:
        pids = _until(lambda: {int(path.name) for path in told.iterdir()}, 2)
        if blow == signal.SIGINT:
            os.killpg(parent.pid, blow)  # as a terminal does it
        else:
            parent.send_signal(blow)
        assert parent.stderr is not None
        errors = parent.stderr.read().decode()  # held open by the workers too: it ends when they have
    assert errors.count("Traceback") == (blow == signal.SIGINT)
    assert [pid for pid in pids if _is_alive(pid)] == []


def _until(look: Callable[[], set[int]], count: int) -> set[int]:
    while len(found := look()) < count:
        time.sleep(0.02)
    return found


def _is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and that nobody has asked for does not."""
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return bool(done.stdout.strip()) and not done.stdout.startswith("Z")
