"""How long a person waits for `unstate --help`, beside the import of typer, which nothing built on it can undercut.

Run with `pytest tests/bench/test_start.py -s`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

RUNS = 25
LIMIT = 1.5  # times the import of typer


def test_help_costs_little_more_than_the_import_of_typer() -> None:
    script = shutil.which("unstate", path=Path(sys.executable).parent)
    assert script is not None
    # In turn, so that a busy machine slows both; the fastest run of each is the one that nothing disturbed.
    commands = {"import typer": [sys.executable, "-c", "import typer"], "unstate --help": [script, "--help"]}
    best = dict.fromkeys(commands, float("inf"))
    for _ in range(RUNS):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            best[name] = min(best[name], time.perf_counter() - start)
    ratio = best["unstate --help"] / best["import typer"]
    for name, seconds in best.items():
        print(f"\n{name:<16} {seconds * 1000:6.1f} ms", end="")
    print(f"\nratio            {ratio:6.2f}")
    assert ratio < LIMIT
