"""The files by which other tools run unstate do what they say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from unstate.resources import shipped

REPOSITORY = Path(__file__).parents[1]
UNSTATE = Path(sys.executable).parent / "unstate"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return shutil.copytree(shipped("examples") / "first", tmp_path / "app")


# --- the GitHub action


def action() -> dict[str, Any]:
    return yaml.safe_load((REPOSITORY / "action.yml").read_text())


@dataclass
class Scanned:
    """What the action's scan left behind."""

    code: int
    annotations: list[str]
    said: str
    summary: str


def scan_step(app: Path, **inputs: str) -> Scanned:
    """Run the action's last step as a runner does, with its inputs' defaults and `inputs`."""
    step = action()["runs"]["steps"][-1]
    values = {name: each["default"] for name, each in action()["inputs"].items()} | inputs
    variables = {
        name: values[text.removeprefix("${{ inputs.").removesuffix(" }}")] for name, text in step["env"].items()
    }
    temporary = app.parent / "runner"
    (temporary / "unstate" / "bin").mkdir(parents=True)
    (temporary / "unstate" / "bin" / "unstate").symlink_to(UNSTATE)
    summary = temporary / "summary.md"
    environment = {**os.environ, **variables, "RUNNER_TEMP": str(temporary), "GITHUB_STEP_SUMMARY": str(summary)}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    done = subprocess.run(command, cwd=app, env=environment, capture_output=True, text=True)
    told = summary.read_text() if summary.exists() else ""
    return Scanned(done.returncode, done.stdout.splitlines(), done.stderr, told)


def test_the_action_marks_what_it_finds_and_fails(app: Path) -> None:
    found = scan_step(app)
    assert found.code == 1
    assert [line.partition(",")[0] for line in found.annotations] == ["::warning file=app.py"] * 2
    assert "| `user_sessions` | `app.py:1` |" in found.summary


def test_the_action_passes_where_nothing_is_found(app: Path) -> None:
    (app / "app.py").write_text("LIMIT = 3\n")
    found = scan_step(app)
    assert (found.code, found.annotations) == (0, [])
    assert "Nothing found" in found.summary


def test_the_action_may_only_tell(app: Path) -> None:
    found = scan_step(app, fail="false", sarif="out.sarif")
    assert found.code == 0
    assert len(json.loads((app / "out.sarif").read_bytes())["runs"][0]["results"]) == 2


def test_the_action_knows_a_baseline(app: Path) -> None:
    subprocess.run([UNSTATE, "scan", ".", "--exit-zero", "--output-format", "json:base.json"], cwd=app, check=True)
    found = scan_step(app, baseline="base.json")
    assert (found.code, found.annotations) == (0, [])


def test_a_wrong_setting_fails_the_action_with_its_line(app: Path) -> None:
    (app / "pyproject.toml").write_text("[tool.unstate]\nignroe = []\n")
    found = scan_step(app, fail="false")
    assert (found.code, found.summary) == (2, "")
    assert 'pyproject.toml:2: unknown key "ignroe"' in found.said


def test_inputs_are_no_part_of_the_script(app: Path) -> None:
    found = scan_step(app, sarif='a"; touch forged; echo "')
    assert found.code == 1
    assert not (app / "forged").exists()
    for step in action()["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


# --- the pre-commit hook


def test_the_hook_stops_a_commit_that_adds_state(app: Path) -> None:
    (hook,) = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())
    assert (hook["language"], hook["pass_filenames"]) == ("python", False)
    program, *arguments = hook["entry"].split()
    assert program == UNSTATE.name
    command = [UNSTATE, *arguments, *hook["args"]]
    assert subprocess.run(command, cwd=app, capture_output=True).returncode == 1
    (app / "app.py").write_text("LIMIT = 3\n")
    assert subprocess.run(command, cwd=app, capture_output=True).returncode == 0
