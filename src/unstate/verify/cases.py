"""Our own cases as scenarios: a folder with before/, after/ and drive.py, run with no code of its own.

`drive.py` says what to run and makes the requests:

    app = "app:app"            # or: module = "app", for a module without a web app
    def drive(http):
        token = http.post("/login", json={"user": "ann"}).json()["token"]
        http.get("/me", headers={"X-Token": token})

Optional names: `environ` (variables for the app), `provides` (names put into builtins, each an import string, for an
excerpt that leaves a function out).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unstate.model import Group
from unstate.verify.check import Fault, verify
from unstate.verify.errors import CannotVerifyError
from unstate.verify.machines import App
from unstate.verify.report import Report
from unstate.verify.scenario import load_drive
from unstate.verify.services import Backing


def check_case(
    folder: Path,
    after: Path | None = None,
    *,
    backing: Backing,
    faults: Sequence[Fault] = ("kill",),
    declared: Sequence[Group] = (),
) -> Report:
    """Whether the case's result answers over three dying processes as its original does in one.

    `folder` holds drive.py and before/, or is itself the original app; `after` is a result made elsewhere, in place of
    the folder's after/, and `declared` what the plan of the original says of its stores, see `verify`. The original has
    to differ over three processes, else the case proves nothing.
    """
    scenario, names = load_drive(folder / "drive.py")
    before = folder / "before" if (folder / "before").is_dir() else folder
    result = after or folder / "after"
    return verify(
        _app(result, names), scenario, backing, original=_app(before, names), faults=faults, declared=declared
    )


def _app(root: Path, names: dict[str, Any]) -> App:
    run, module = names.get("app", ""), names.get("module", "")
    if bool(run) == bool(module):
        raise CannotVerifyError(
            f'{names["__file__"]}: write app = "MODULE:APP" for a web app, or module = "MODULE" for a module whose '
            "functions are called"
        )
    return App(root, run, module, env=names.get("environ", {}), provides=names.get("provides", {}))
