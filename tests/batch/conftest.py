"""A Dask cluster on this machine, for all tests that want one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

# Workers import what they run by its name, so it stands in a module of its own.
WORK = """\
import os, signal, time

class Unpicklable(Exception):
    def __init__(self, a, b):
        super().__init__(a)

def work(item):
    if item == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if item == "hang":
        time.sleep(600)
    if item == "raise":
        raise Unpicklable("no such thing", 2)
    if item.startswith("once "):
        try:
            os.open(item[5:], os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            return "SECOND"
        os.kill(os.getpid(), signal.SIGKILL)
    return item.upper()
"""


@pytest.fixture(scope="session")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("code")
    (folder / "work_of_engines.py").write_text(WORK)
    return folder


@pytest.fixture(scope="session")
def scheduler(code: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Dask scheduler with two workers, each a process under a nanny, as a cluster has them."""
    pytest.importorskip("distributed")
    folder = tmp_path_factory.mktemp("dask")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(code), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    with (folder / "log").open("wb") as log:
        served = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
            + ["--no-dashboard", "--scheduler-file", str(folder / "scheduler.json")],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        workers = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "distributed.cli.dask_worker",
                "--nworkers",
                "2",
                "--nthreads",
                "1",
                "--no-dashboard",
            ]
            + ["--host", "127.0.0.1", "--scheduler-file", str(folder / "scheduler.json")],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield _address(folder)
        finally:
            for process in (workers, served):
                os.killpg(process.pid, signal.SIGTERM)
            for process in (workers, served):
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)


def _address(folder: Path) -> str:
    for _ in range(600):
        try:
            return str(json.loads((folder / "scheduler.json").read_text())["address"])
        except (OSError, ValueError):
            time.sleep(0.1)
    raise AssertionError((folder / "log").read_text())
