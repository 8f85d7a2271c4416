"""`unstate review` and `unstate apply`: what was accepted is written, and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from running import Run

from unstate.resources import shipped

SESSIONS, UPLOADS = "US101:.:app:user_sessions", "US201:.:app:upload_cache"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return shutil.copytree(shipped("examples") / "first", tmp_path / "first")


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def reviewed(app: Path, keys: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "unstate", "review", str(app), *options]
    return subprocess.run(command, input=keys, capture_output=True, text=True, timeout=120)


def decided(folder: Path, *choices: dict[str, object]) -> Path:
    file = folder / "decisions.json"
    file.write_text(json.dumps({"schema": "unstate.decisions/1", "groups": choices}))
    return file


def test_apply_takes_what_a_review_kept(run: Run, app: Path) -> None:
    before = files(app)
    assert reviewed(app, "y\nn\nq\n").returncode == 0
    assert files(app) == before
    result = run("apply", app)
    assert result.code == 0
    assert f"{UPLOADS} (review)" in result.err
    after = files(app)["app.py"]
    assert b"redis_client" in after
    assert b"upload_cache = {}" in after


def test_a_review_writes_when_it_is_told_to(app: Path) -> None:
    result = reviewed(app, "y\nn\nw\n")
    assert "changed app.py" in result.stdout
    assert b"redis_client" in files(app)["app.py"]


def test_a_review_goes_on_from_the_file_that_is_named(app: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    reviewed(app, "n\nq\n", "--decisions", str(kept))
    assert [choice["accept"] for choice in json.loads(kept.read_bytes())["groups"]] == [False]
    assert "1 decided before" in reviewed(app, "q\n", "--decisions", str(kept)).stdout


def test_apply_is_migrate_with_the_same_decisions(run: Run, app: Path, tmp_path: Path) -> None:
    file = decided(tmp_path, {"id": SESSIONS, "accept": True, "answers": {"ttl": "2h"}})
    other = shutil.copytree(app, tmp_path / "other")
    assert run("apply", app, "--decisions", file).code == 0
    assert run("migrate", other, "--write", "--decisions", file).code == 0
    assert files(app) == files(other)
    assert b"timedelta(hours=2)" in files(app)["backing_services.py"]


def test_what_nobody_accepted_is_left(run: Run, app: Path, tmp_path: Path) -> None:
    (app / "more.py").write_text("hits = {}\n\ndef hit(name: str) -> None:\n    hits[name] = 1\n")
    before = files(app)
    result = run("apply", app, "--decisions", decided(tmp_path, {"id": SESSIONS, "answers": {"ttl": "2h"}}))
    assert (result.code, result.out) == (0, "")
    assert "nothing to change" in result.err
    assert files(app) == before


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        ({"id": SESSIONS, "accept": True, "seen": "0" * 64}, 4, "Nothing was changed"),
        ({"id": SESSIONS, "acept": True}, 2, "acept"),
        ({"id": SESSIONS, "accept": True, "answers": {"ttl": "soon"}}, 2, '"soon" is no duration'),
    ],
)
def test_decisions_that_cannot_be_followed(
    run: Run, app: Path, tmp_path: Path, content: dict[str, object], code: int, words: str
) -> None:
    before = files(app)
    result = run("apply", app, "--decisions", decided(tmp_path, content))
    assert (result.code, result.out) == (code, "")
    assert words in result.err
    assert files(app) == before


def test_apply_before_anything_was_decided(run: Run, app: Path) -> None:
    result = run("apply", app)
    assert (result.code, result.out) == (2, "")
    assert "nothing was decided yet; decide with `unstate review" in result.err
    assert not (app / ".unstate").exists()


def test_dependencies_are_part_of_the_change_and_the_rest_is_said(run: Run, app: Path, tmp_path: Path) -> None:
    (app / "pyproject.toml").write_text('[project]\nname = "shop"\ndependencies = []\n')
    (app / "uv.lock").write_text("version = 1\n")
    result = run("apply", app, "--decisions", decided(tmp_path, {"id": SESSIONS, "accept": True}))
    assert 'dependencies = ["redis>=5"]' in (app / "pyproject.toml").read_text()
    assert "changed pyproject.toml" in result.out
    assert "The result needs: redis>=5 (in pyproject.toml)\nuv.lock is not edited: run `uv lock`\n" in result.err
