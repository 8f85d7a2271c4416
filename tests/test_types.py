"""Apps that `mypy --strict` takes are taken after their migration too, with the module that was generated for them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parent / "fixtures"
STRICT = (
    "aiohttp_cleanup",
    "async_helpers",
    "clients_as_parameters",
    "deque_of_recent_events",
    "fastapi_app",
    "flask_app",
    "flask_config_and_own_client",
    "own_async_client",
    "own_client_of_the_app",
    "service_object",
    "settings_of_pydantic",
)


def complaints(folder: Path, cache: Path) -> str:
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.py") if path.name != "drive.py")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(cache), *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("name", STRICT)
def test_a_typed_app_stays_typed(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    cache = tmp_path_factory.getbasetemp() / "mypy"  # one for all cases
    assert complaints(FIXTURES / name / "before", cache) == ""
    assert complaints(FIXTURES / name / "after", cache) == ""
