"""A scenario made up from an app's OpenAPI schema: schemathesis makes the requests, and we replay them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from unstate.children import Folder
from unstate.verify.children import start
from unstate.verify.errors import CannotVerifyError
from unstate.verify.har import load_har
from unstate.verify.machines import App, Fleet
from unstate.verify.scenario import Scenario
from unstate.verify.services import Backing

SEED = "20240101"  # any: the same requests each time
SECONDS = 300


def explore(app: App, backing: Backing, schema_path: str) -> Scenario:
    """Requests that follow the schema and its links, made to one process of the app and recorded.

    Raises `CannotVerifyError` without schemathesis, or where the schema cannot be read.
    """
    if importlib.util.find_spec("schemathesis") is None:
        raise CannotVerifyError("openapi: needs schemathesis: pip install schemathesis")
    backing.flush()
    with Folder("openapi") as folder, Fleet(app, backing.env) as fleet:
        (machine,) = fleet.boot(1)
        har = Path(folder) / "recorded.har"
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"http://127.0.0.1:{machine.port}{schema_path}"),
            *("--phases", "examples,coverage,stateful", "--mode", "positive", "--max-examples", "5"),
            *("--seed", SEED, "--workers", "1", "--checks", "not_a_server_error", "--continue-on-failure"),
            *("--report", "har", "--report-har-path", str(har), "--output-sanitize", "false", "--no-color"),
        ]
        explorer = start(command, log=Path(folder) / "log", cwd=Path(folder))
        try:
            if not explorer.wait(SECONDS):
                raise CannotVerifyError(f"schemathesis took more than {SECONDS} s on {schema_path}")
        finally:
            explorer.kill()
        if not har.exists():
            raise CannotVerifyError(f"schemathesis made no request:\n{explorer.output(30)}")
        scenario = load_har(har)
    return Scenario(f"openapi:{schema_path}", scenario.drive)
