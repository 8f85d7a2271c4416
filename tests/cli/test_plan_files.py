"""plan.json: made once, looked at, and followed as long as it is one of this tree."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from running import Run

from unstate.resources import shipped

SESSIONS, UPLOADS = "US101:.:app:user_sessions", "US201:.:app:upload_cache"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return shutil.copytree(shipped("examples") / "first", tmp_path / "first")


@pytest.fixture
def plan(run: Run, app: Path, tmp_path: Path) -> Path:
    done = run("migrate", str(app), "--save-plan", str(tmp_path / "plan.json"))
    assert (done.code, done.out) == (0, "")
    return tmp_path / "plan.json"


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_following_a_plan_is_planning_and_writing(run: Run, app: Path, plan: Path, tmp_path: Path) -> None:
    other = shutil.copytree(app, tmp_path / "other")
    assert run("migrate", str(app), "--plan", str(plan)).out == run("migrate", str(app)).out
    assert run("migrate", str(app), "--plan", str(plan), "--write", "--accept", "review").code == 0
    assert run("migrate", str(other), "--write", "--accept", "review").code == 0
    assert files(app) == files(other)


def test_a_plan_keeps_what_was_answered(run: Run, app: Path, tmp_path: Path) -> None:
    decisions = tmp_path / "decisions.json"
    choice = {"id": SESSIONS, "accept": True, "answers": {"ttl": "7d"}}
    decisions.write_text(json.dumps({"schema": "unstate.decisions/1", "groups": [choice]}))
    saved = tmp_path / "plan.json"
    run("migrate", str(app), "--decisions", str(decisions), "--save-plan", str(saved))
    assert "timedelta(weeks=1)" in run("migrate", str(app), "--plan", str(saved)).out
    choice["answers"] = {"ttl": "3h"}
    decisions.write_text(json.dumps({"schema": "unstate.decisions/1", "groups": [choice]}))
    for command in (["apply"], ["migrate", "--write"]):
        copy = shutil.copytree(app, tmp_path / command[0])
        done = run(*command, str(copy), "--plan", str(saved), "--decisions", str(decisions))
        assert done.code == 0, done.err
        assert "timedelta(hours=3)" in (copy / "backing_services.py").read_text()


def test_a_report_of_a_plan(run: Run, app: Path, plan: Path, tmp_path: Path) -> None:
    run("report", str(app), "--plan", str(plan), "--html", str(tmp_path / "one.html"))
    run("report", str(app), "--html", str(tmp_path / "two.html"))
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_a_file_that_changed_since_stops_it(run: Run, app: Path, plan: Path) -> None:
    (app / "app.py").write_bytes((app / "app.py").read_bytes() + b"# new\n")
    before = files(app)
    done = run("migrate", str(app), "--plan", str(plan), "--write")
    assert done.code == 4
    assert "plan.json was made:\n  app.py\n" in done.err
    assert files(app) == before


def test_a_plan_says_how_long_entries_live(run: Run, app: Path, plan: Path) -> None:
    done = run("migrate", str(app), "--plan", str(plan), "--ttl", "session=1h")
    assert done.code == 2
    assert "--decisions" in done.err


def drop(document: Any) -> None:
    del document["groups"][0]["finding"]["store"]["name"]


def escape(document: Any) -> None:
    document["base"][0][0] = "../outside.py"


def escape_by_module(document: Any) -> None:
    document["backing"][0]["path"] = "../../outside.py"


def escape_by_service(document: Any) -> None:
    document["backing"][0]["service"] = ".."


def escape_by_settings(document: Any) -> None:
    document["backing"][0]["settings"] = {"path": "/etc/passwd"}


def unknown_file(document: Any) -> None:
    document["groups"][0]["files"] = ["other.py"]


def unknown_service(document: Any) -> None:
    document["groups"][0]["finding"]["store"]["service"] = "admin"


def unknown_key(document: Any) -> None:
    document["groups"][1]["colour"] = "red"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (drop, "plan.json: $.groups[0].finding.store: Object missing required field `name`"),
        (unknown_key, "plan.json: $.groups[1]: Object contains unknown field `colour`"),
        (unknown_file, "plan.json: $.groups[0].files[0]: other.py is not among the files in $.base."),
        (unknown_service, "plan.json: $.groups[0].finding.store.service: no module in $.backing is of this service."),
        (escape, "'../outside.py' is not a path below the root."),
        (escape_by_module, "'../../outside.py' is not a path below the root."),
        (escape_by_service, "is not a path below the root."),
        (escape_by_settings, "'/etc/passwd' is not a path below the root."),
    ],
)
def test_what_is_no_plan_of_this_tree(run: Run, app: Path, plan: Path, spoil: Callable[[Any], None], said: str) -> None:
    document = json.loads(plan.read_bytes())
    spoil(document)
    plan.write_text(json.dumps(document))
    before = files(app)
    done = run("migrate", str(app), "--plan", str(plan), "--write")
    assert done.code == 2
    assert said in done.err
    assert files(app) == before
    assert not (app.parent / "outside.py").exists()
