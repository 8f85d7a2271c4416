from __future__ import annotations

from pathlib import Path

import pytest
from running import Result, Run, unstate


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The console script, in a folder of the test's own."""

    def in_folder(*arguments: str | Path, cwd: Path | None = None, **environment: str) -> Result:
        return unstate(*arguments, cwd=cwd or tmp_path, **environment)

    return in_folder
