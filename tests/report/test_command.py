"""`unstate report` as it is typed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from unstate.resources import shipped


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return shutil.copytree(shipped("examples") / "first", tmp_path / "first")


def unstate(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "unstate", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_page_and_a_text(app: Path) -> None:
    before = {path: path.read_bytes() for path in app.rglob("*.py")}
    done = unstate(app, "report", ".", "--html", "out.html", "--markdown", "out.md")
    assert (done.returncode, done.stdout) == (0, "")
    assert 'data-id="US101:.:app:user_sessions"' in (app / "out.html").read_text()
    assert "Moves 2 stores out of the process" in (app / "out.md").read_text()
    assert {path: path.read_bytes() for path in app.rglob("*.py")} == before


def test_decisions_show_in_both(app: Path) -> None:
    rejected = {"id": "US201:.:app:upload_cache", "accept": False}
    (app / "d.json").write_text(json.dumps({"schema": "unstate.decisions/1", "groups": [rejected]}))
    assert (
        unstate(app, "report", ".", "--html", "o.html", "--markdown", "o.md", "--decisions", "d.json").returncode == 0
    )
    assert "Moves 1 store out of the process" in (app / "o.md").read_text()
    assert (app / "o.html").read_text().count('value="false" checked') == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["."], "--html FILE"),
        ([".", "--html", "no/such/folder.html"], "no/such/folder.html: No such file or directory"),
        (["nowhere", "--html", "o.html"], "nowhere: no such file or folder"),
        ([".", "--html", "o.html", "--decisions", "none.json"], "none.json: No such file or directory"),
    ],
)
def test_what_cannot_be_done_says_why(app: Path, arguments: list[str], said: str) -> None:
    done = unstate(app, "report", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (app / "o.html").exists()


def test_a_template_of_the_projects_own(app: Path) -> None:
    (app / "templates").mkdir()
    (app / "templates" / "report.html.j2").write_text("{{ title }} & {{ views|length }}\n")
    assert unstate(app, "report", ".", "--html", "o.html").returncode == 0
    assert (app / "o.html").read_text() == "first & 2\n"
    (app / "templates" / "report.html.j2").write_text("a\n{{ nothing.at_all }}\n")
    done = unstate(app, "report", ".", "--html", "o.html")
    assert done.returncode == 2
    assert "report.html.j2:2" in done.stderr
    assert "'nothing' is undefined" in done.stderr


def test_a_broken_template_of_the_project_is_named(app: Path) -> None:
    (app / "templates").mkdir()
    (app / "templates" / "rollout.md.j2").write_text("\n{{ nothing }}\n")
    done = unstate(app, "report", ".", "--markdown", "o.md")
    assert (done.returncode, done.stdout) == (2, "")
    assert "templates/rollout.md.j2:2: 'nothing' is undefined" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (app / "o.md").exists()


def test_what_the_app_has_and_is_not_used_is_in_both(app: Path) -> None:
    (app / "ext.py").write_text("import redis\n\ncache = redis.Redis()\nqueue = redis.Redis(db=1)\n")
    unstate(app, "report", ".", "--html", "out.html", "--markdown", "out.md")
    said = "Redis client is not used, because it has several: ext.py (cache), ext.py (queue)."
    assert said in (app / "out.html").read_text()
    assert "### Not taken up" in (app / "out.md").read_text()
