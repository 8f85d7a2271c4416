"""What a campaign costs: services a minute by workers, overhead an item by engine, memory, and beside `unstate scan`.

    pytest tests/bench/test_batch_speed.py -s

Small by default. The sizes that the figures in docs/batch.md come from:

    UNSTATE_BENCH_SERVICES=300 UNSTATE_BENCH_FILES=100000 pytest tests/bench/test_batch_speed.py -s
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from monorepo import Monorepo

from unstate.batch.discover import discover
from unstate.batch.engines import Engine, Pool, Serial
from unstate.batch.engines.dask import cluster

SERVICES = int(os.environ.get("UNSTATE_BENCH_SERVICES", "12"))
FILES = int(os.environ.get("UNSTATE_BENCH_FILES", "600"))
MEMORY = 2_000_000_000  # bytes that all processes together may take
LIMIT = 1.3  # times `unstate scan` of a service alone
ITEMS = 40


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("bench") / "monorepo"
    Monorepo(made, services=SERVICES, files=FILES, seed=7).write()
    return made


def test_overhead_of_an_item() -> None:
    with _local_cluster() as dask:
        engines: dict[str, Engine] = {"serial": Serial(), "pool of 2": Pool(2, 60), "dask, 2 workers": dask}
        print()
        for name, engine in engines.items():
            list(engine.map(str.upper, {"warm": "up"}))
            begun = time.perf_counter()
            outcomes = list(engine.map(str.upper, {str(number): "x" for number in range(ITEMS)}))
            each = (time.perf_counter() - begun) / ITEMS
            print(f"{name:<16} {each * 1000:8.1f} ms an item")
            assert all(outcome.value == "X" for outcome in outcomes)


def test_services_by_workers_and_memory(root: Path, tmp_path: Path) -> None:
    services = len(discover(root).services)
    print(f"\n{services} services, {FILES} files, {os.cpu_count()} cores")
    for jobs in (1, 2):
        seconds, peak = _measured("plan", root, "--campaign", tmp_path / f"campaign-{jobs}", "--jobs", jobs)
        print(
            f"{jobs} workers: {seconds:7.1f} s, {services / seconds * 60:6.0f} services a minute, {peak / 1e6:5.0f} MB"
        )
        assert peak < MEMORY
    seconds, _ = _measured("plan", root, "--campaign", tmp_path / "campaign-2", "--jobs", 2)
    print(f"again:     {seconds:7.1f} s, nothing having changed")


def test_a_service_costs_little_more_than_its_scan(root: Path, tmp_path: Path) -> None:
    services = [service.root for service in discover(root).services][:12]
    begun = time.perf_counter()
    for service in services:
        subprocess.run(
            [sys.executable, "-m", "unstate", "scan", "--exit-zero", str(root / service)],
            check=True,
            capture_output=True,
            env={**os.environ, "UNSTATE_CACHE": str(tmp_path / "cache")},
        )
    alone = (time.perf_counter() - begun) / len(services)
    only = [option for service in services for option in ("--only", service)]
    seconds, _ = _measured("plan", root, "--campaign", tmp_path / "campaign", "--engine", "serial", *only)
    each = seconds / len(services)
    print(f"\nscan alone {alone:6.3f} s; in a campaign, with plan and patch, {each:6.3f} s: {each / alone:.2f} times")
    assert each < LIMIT * alone


def _measured(*arguments: str | Path | int) -> tuple[float, int]:
    """Seconds that `unstate batch` took, and the most memory in bytes that it and its processes had at one time."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "unstate", "batch", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    peaks = [0]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            peaks.append(_memory(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, told = process.communicate()
    done.set()
    watcher.join()
    assert process.returncode in (0, 3), told.decode()
    return time.perf_counter() - begun, max(peaks)


def _memory(session: int) -> int:
    """Bytes of memory of all processes of a session; what they share counts once."""
    total = 0
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if int((entry / "stat").read_text().rpartition(")")[2].split()[3]) == session:
                lines = (entry / "smaps_rollup").read_text().splitlines()
                total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024
        except (OSError, ValueError, StopIteration, IndexError):
            continue
    return total


@contextmanager
def _local_cluster() -> Iterator[Engine]:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as local,
        cluster(local.scheduler_address, 60) as engine,
    ):
        yield engine
