"""The console script as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Result:
    """What a run of unstate left: exit code and both streams."""

    code: int
    out: str
    err: str
    raw: bytes


class Run(Protocol):
    """`run("scan", ".")` runs unstate in the test's folder, without a terminal."""

    def __call__(self, *arguments: str | Path, cwd: Path | None = None, **environment: str) -> Result:
        """Run it with these arguments, in `cwd`, with additions to the environment."""


def unstate(*arguments: str | Path, cwd: Path, **environment: str) -> Result:
    """Run `python -m unstate`."""
    done = subprocess.run(
        [sys.executable, "-m", "unstate", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
        timeout=120,
    )
    return Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(), done.stdout)
