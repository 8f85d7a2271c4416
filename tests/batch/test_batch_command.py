"""`unstate batch` as a user runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from campaigns import plans
from monorepo import Monorepo
from small import commit, git, repository, with_library


def batch(*arguments: str | Path, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run `unstate batch`."""
    command = [sys.executable, "-m", "unstate", "batch", *map(str, arguments)]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # services run their tests by `python`
    environment = {**os.environ, "PATH": path, "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, input=given, timeout=300)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository of two services with state, one without, and one that uses a library with state."""
    made = tmp_path / "repo"
    with_library(made, repository(made, "alpha", "beta", "plain"), "gamma")
    for folder in sorted((made / "services").iterdir()):
        (folder / "Dockerfile").write_text('FROM python:3.11\nCMD ["gunicorn", "app:app"]\n')
    (made / "services/gamma/requirements.txt").write_text("flask\ncommon @ file:../../libs/common\n")
    commit(made)
    return made


def test_a_campaign_from_plan_to_branches(root: Path) -> None:
    done = batch("plan", root)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "alpha: 1 store: 1 to move" in done.stderr
    folder = root / ".unstate/batch"
    summary = json.loads((folder / "summary.json").read_text())
    assert [unit["name"] for unit in summary["units"] if unit["branch"]] == ["common", "alpha", "beta"]
    assert git(root, "status", "--porcelain") == ""
    assert "0 services done, 5 unchanged" in batch("plan", root).stderr
    branches = batch("branch", root)
    assert branches.stdout.splitlines() == [f"unstate/{name}: made" for name in ("common", "alpha", "beta")]
    shown = batch("pr", root, "--only", "alpha").stdout.splitlines()
    assert [line.split()[0] for line in shown] == ["git", "gh"]
    status = batch("status", root)
    assert status.returncode == 0
    assert status.stdout.splitlines()[0].split() == [
        "service",
        "stores",
        "to",
        "move",
        *"plan apply test branch pr".split(),
    ]
    assert batch("apply", root, "--accept", "review").returncode == 0
    assert "redis_client" in (root / "services/alpha/app.py").read_text()


def test_one_decision_for_many_is_recorded_and_planned(root: Path) -> None:
    batch("plan", root)
    done = batch("review", root, "--kind", "session", "--set", "ttl=2h")
    assert done.returncode == 0, done.stderr
    assert "This is about 2 stores in 2 services." in done.stderr
    assert "2 services done, 3 unchanged" in done.stderr
    decisions = json.loads((root / ".unstate/batch/decisions.json").read_text())
    assert decisions["rules"][0]["answers"] == {"ttl": "2h"}
    for name in ("alpha", "beta"):
        assert "hours=2)" in (root / f".unstate/batch/services/{name}/change.patch").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--kind", "sessions", "--take"), 'did you mean "session"?'),
        (("--set", "tttl=2h", "--kind", "session"), 'did you mean "ttl"?'),
        (("--set", "ttl", "--kind", "session"), "write a question and its answer"),
        (("--store", "nobody*", "--leave"), "no store of this campaign is meant by that"),
        (("--store", "alpha*"), "say what to decide"),
    ],
)
def test_a_decision_about_nothing_is_refused(root: Path, arguments: tuple[str, ...], words: str) -> None:
    batch("plan", root)
    done = batch("review", root, *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert not (root / ".unstate/batch/decisions.json").exists()


def test_a_person_goes_through_the_services(root: Path) -> None:
    batch("plan", root)
    done = batch("review", root, "--only", "alpha", "--only", "beta", given="n\nw\ny\nw\n")
    assert done.returncode == 0, done.stderr
    folder = root / ".unstate/batch/services"
    assert not (folder / "alpha/change.patch").exists()
    assert (folder / "beta/change.patch").exists()
    assert "alpha_sessions" in done.stdout


def test_parts_are_put_together(root: Path, tmp_path: Path) -> None:
    batch("plan", root, "--campaign", tmp_path / "whole")
    for number in (1, 2):
        batch("plan", root, "--shard", f"{number}/2", "--campaign", tmp_path / f"part-{number}")
    lacking = batch("merge", tmp_path / "part-1", "--root", root, "--campaign", tmp_path / "merged")
    assert lacking.returncode == 2
    assert "missing: part 2/2" in lacking.stderr
    parts = (tmp_path / "part-1", tmp_path / "part-2")
    done = batch("merge", *parts, "--root", root, "--campaign", tmp_path / "merged")
    assert done.returncode == 0, done.stderr
    assert "1 service done, 4 unchanged" in done.stderr
    assert plans(tmp_path / "merged") == plans(tmp_path / "whole")
    assert (tmp_path / "merged/summary.md").read_text() == (tmp_path / "whole/summary.md").read_text()


def test_a_failure_is_listed_last_and_retried(root: Path) -> None:
    (root / "services/beta/pyproject.toml").write_text("[tool.unstate]\nnonsense = 1\n")
    done = batch("plan", root)
    assert done.returncode == 3
    lines = done.stderr.splitlines()
    assert lines[-1].startswith("`unstate batch retry`")
    assert lines[-2].startswith("unstate: beta: plan failed: ")
    assert "pyproject.toml:2" in lines[-2]
    assert batch("status", root).returncode == 3
    assert "## Failed" in (root / ".unstate/batch/summary.md").read_text()
    (root / "services/beta/pyproject.toml").unlink()
    (root / "services/beta/app.py").write_text((root / "services/beta/app.py").read_text() + "\n\nX = 1\n")
    commit(root)
    assert batch("retry", root).returncode == 0
    assert batch("status", root).returncode == 0
    assert batch("branch", root, "--only", "beta").stdout == "unstate/beta: made\n"
    assert git(root, "rev-parse", "unstate/beta^") == git(root, "rev-parse", "HEAD")


def test_tests_that_a_change_breaks_are_named(root: Path) -> None:
    for name, wanted in (("alpha", "'alpha_sessions'"), ("beta", "'app'")):
        (root / f"services/{name}/tests").mkdir()
        (root / f"services/{name}/tests/test_app.py").write_text(
            f"import app\n\n\ndef test_it():\n    assert hasattr(app, {wanted})\n"
        )
    commit(root)
    batch("plan", root, "--only", "alpha", "--only", "beta")
    done = batch("test", root)
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines() == [
        "alpha: tests fail with the change, and did not without it",
        "beta: tests pass before and after the change",
    ]
    assert re.search(r"^unstate: alpha: python -m pytest.*test_app::test_it$", done.stderr, re.MULTILINE)
    assert "fails now, and did not before" in (root / ".unstate/batch/services/alpha/pull-request.md").read_text()


def test_more_failures_than_allowed_end_it(root: Path) -> None:
    for name in ("alpha", "beta"):
        (root / f"services/{name}/pyproject.toml").write_text("[tool.unstate]\nnonsense = 1\n")
    done = batch("plan", root, "--engine", "serial", "--max-failures", "0")
    assert done.returncode == 2
    assert "1 failed, " in done.stderr
    assert "not begun" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("status", "."), "holds no campaign"),
        (("plan", "nowhere"), "no such folder"),
        (("plan", ".", "--engine", "dask"), "go together"),
        (("plan", ".", "--engine", "dask", "--scheduler", "tcp://10.0.0.1:8786"), "no TLS"),
        (("plan", ".", "--shard", "3"), "which part of how many"),
    ],
)
def test_what_cannot_be_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = batch(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_the_list_says_why(tmp_path: Path) -> None:
    made = tmp_path / "repo"
    Monorepo(made, services=3, seed=1).write()
    done = batch("list", made, "--output-format", "json", "--stores")
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)
    assert all(service["why"] for service in listed["services"])
    assert set(listed["stores"]) == {service["name"] for service in listed["services"]}
