"""Where a scenario comes from: by the looks of what the user names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unstate.verify.errors import CannotVerifyError
from unstate.verify.machines import App
from unstate.verify.openapi import explore
from unstate.verify.scenario import Scenario, load_drive
from unstate.verify.services import Backing

KINDS = "a .py file with drive(http), a .toml or .yaml list of steps, a .har recording, or openapi:/openapi.json"


def load_scenario(source: str) -> tuple[Scenario, dict[str, Any]]:
    """The scenario in a file, and the names that a drive.py sets beside it."""
    path = Path(source)
    if not path.is_file():
        raise CannotVerifyError(f"{source}: no such file; a scenario is {KINDS}")
    if path.suffix == ".py":
        return load_drive(path)
    if path.suffix in {".toml", ".yaml", ".yml"}:
        from unstate.verify.steps import load_steps

        return load_steps(path), {}
    if path.suffix == ".har":
        from unstate.verify.har import load_har

        return load_har(path), {}
    raise CannotVerifyError(f"{source}: not a scenario; write {KINDS}")


def generated(source: str, app: App, backing: Backing) -> Scenario:
    """The scenario that `openapi:PATH` stands for: requests made up from the schema that the app serves there."""
    return explore(app, backing, source.removeprefix("openapi:"))
