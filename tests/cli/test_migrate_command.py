"""`unstate migrate`: what is shown, what is written and when; and what it makes of bad input."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from running import Result, Run

from unstate.resources import shipped

APP = """\
from flask import Flask, request

app = Flask(__name__)
sessions: dict[str, str] = {}


@app.post("/login")
def login():
    token: str = request.form["token"]
    user: str = request.form["user"]
    sessions[token] = user
    return "ok"


@app.get("/me")
def me():
    token: str = request.args["token"]
    return sessions.get(token, "nobody")
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "app.py").write_text(APP)
    return folder


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "init.defaultBranch=main", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def committed(folder: Path) -> Path:
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "base")
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    """Every file that a user sees, with its content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not {".git", ".unstate"} & set(path.relative_to(folder).parts)
    }


def assert_refused(result: Result, code: int, *words: str) -> None:
    assert result.code == code, result.err
    for word in words:
        assert word in result.err
    assert "Traceback" not in result.err


# --- the dry run


def test_a_dry_run_is_the_default_and_writes_nothing(run: Run, app: Path) -> None:
    before = tree(app)
    shown = run("migrate", app)
    assert shown.code == 0
    assert run("migrate", "--dry-run", app).raw == shown.raw
    assert tree(app) == before
    assert not (app / ".unstate").exists()
    assert "diff --git a/app.py b/app.py" in shown.out
    assert 'redis_client.set(f"session:{token}", user, ex=SESSION_TTL)' in shown.out
    assert "redis>=" in shown.err


def test_git_takes_the_diff(run: Run, app: Path, tmp_path: Path) -> None:
    patch = tmp_path / "change.patch"
    patch.write_bytes(run("migrate", app).raw)
    committed(app)
    git(app, "apply", "--check", str(patch))
    git(app, "apply", str(patch))
    assert "redis_client" in (app / "app.py").read_text()


def test_the_patch_file_holds_the_diff_alone(run: Run, app: Path, tmp_path: Path) -> None:
    result = run("migrate", app, "--output", "change.patch")
    assert (result.code, result.out) == (0, "")
    assert (tmp_path / "change.patch").read_bytes().startswith(b"diff --git ")
    committed(app)
    git(app, "apply", str(tmp_path / "change.patch"))
    assert "redis_client" in (app / "app.py").read_text()


def test_every_group_is_headed_by_its_verdict(run: Run, app: Path) -> None:
    header = run("migrate", app).out.partition("diff --git")[0]
    assert any(verdict in header for verdict in ("exact", "review"))
    assert "sessions" in header
    assert "ttl = 24h" in header


@pytest.mark.parametrize("how", ["option", "settings"])
def test_an_expiry_is_decided_by_option_or_settings(run: Run, app: Path, how: str) -> None:
    if how == "settings":
        (app / "pyproject.toml").write_text('[tool.unstate.ttl]\nsession = "90m"\n')
    result = run("migrate", app, *(["--ttl", "session=90m"] if how == "option" else []))
    assert "SESSION_TTL = timedelta(minutes=90)" in result.out
    assert run("migrate", app, "--ttl", "session=none").out.count("SESSION_TTL") == 0


def test_only_names_the_stores(run: Run, app: Path) -> None:
    assert "diff --git" in run("migrate", app, "--only", "app.sess*").out


@pytest.mark.parametrize("mode", ["--dry-run", "--check", "--write"])
def test_a_pattern_that_names_no_store_is_told_which_there_are(run: Run, app: Path, mode: str) -> None:
    before = (app / "app.py").read_bytes()
    none = run("migrate", app, mode, "--only", "app.sess*", "--only", "app.sesions")
    assert (none.code, none.out) == (2, "")
    assert 'no store matches --only app.sesions: did you mean "app.sessions"?' in none.err
    assert (app / "app.py").read_bytes() == before
    assert "no store matches --only zzz*: known: app." in run("migrate", app, mode, "--only", "zzz*").err


def test_an_empty_argument_is_no_path(run: Run, app: Path) -> None:
    for arguments in (["scan", ""], ["migrate", "", "--write"], ["review", ""]):
        result = run(*arguments, cwd=app)
        assert (result.code, result.out) == (2, "")
        assert "an argument is empty" in result.err


# --- check and write


def test_check_tells_by_its_exit_code(run: Run, app: Path, tmp_path: Path) -> None:
    before = tree(app)
    pending = run("migrate", app, "--check")
    assert (pending.code, pending.out) == (1, "")
    assert "app.py:4" in pending.err
    assert tree(app) == before
    clean = tmp_path / "clean"
    clean.mkdir()
    (clean / "app.py").write_text("LIMIT = 3\n")
    assert run("migrate", clean, "--check").code == 0


def test_write_writes_and_a_second_run_plans_nothing(run: Run, app: Path) -> None:
    shown = run("migrate", app)
    written = run("migrate", app, "--write", "--accept", "review")
    assert written.code == 0
    assert "changed app.py\n" in written.out
    assert "diff --git a/app.py" in shown.out
    after = tree(app)
    assert b"redis_client" in after["app.py"]
    again = run("migrate", app, "--write", "--accept", "review")
    assert (again.code, again.out) == (0, "")
    assert tree(app) == after
    assert run("migrate", app, "--check").code == 0


def test_undo_takes_it_back(run: Run, app: Path) -> None:
    before = tree(app)
    run("migrate", app, "--write", "--accept", "review")
    assert tree(app) != before
    undone = run("undo", app)
    assert undone.code == 0
    assert undone.out == "removed .env.example\nrestored app.py\nremoved backing_services.py\n"
    assert tree(app) == before


def test_write_alone_takes_what_is_exact(run: Run, app: Path) -> None:
    exact = "exact" in run("migrate", app, "--accept", "exact").out.partition("diff --git")[0].split("left")[0]
    run("migrate", app, "--write")
    assert (b"redis_client" in tree(app)["app.py"]) == exact


# --- decisions


def session_group(run: Run, app: Path) -> str:
    return next(line for line in run("migrate", app).out.split() if line.startswith("US101:"))


def decisions(folder: Path, **choice: object) -> Path:
    file = folder / "decisions.json"
    file.write_text(json.dumps({"schema": "unstate.decisions/1", "groups": [choice]}))
    return file


def test_decisions_take_leave_and_answer(run: Run, app: Path, tmp_path: Path) -> None:
    group = session_group(run, app)
    left = run("migrate", app, "--decisions", decisions(tmp_path, id=group, accept=False))
    assert "diff --git" not in left.out
    answered = run("migrate", app, "--decisions", decisions(tmp_path, id=group, answers={"ttl": "2h"}))
    assert "SESSION_TTL = timedelta(hours=2)" in answered.out
    assert "as you said: ttl = 2h" in answered.out
    run("migrate", app, "--write", "--decisions", decisions(tmp_path, id=group, accept=True))
    assert b"redis_client" in tree(app)["app.py"]


def test_an_answer_that_is_none_is_refused(run: Run, app: Path, tmp_path: Path) -> None:
    group = session_group(run, app)
    wrong = run("migrate", app, "--decisions", decisions(tmp_path, id=group, answers={"ttl": "soon"}))
    assert_refused(wrong, 2, group, '"soon" is no duration')


def test_a_decision_about_another_diff_is_stale(run: Run, app: Path, tmp_path: Path) -> None:
    file = decisions(tmp_path, id=session_group(run, app), accept=True, seen="0" * 64)
    before = tree(app)
    shown = run("migrate", app, "--decisions", file)
    assert shown.code == 0
    assert "is not the one that was decided on" in shown.err
    assert_refused(run("migrate", app, "--write", "--decisions", file), 4, "Nothing was changed")
    assert tree(app) == before


def interactively(app: Path, keys: str) -> Result:
    command = [sys.executable, "-m", "unstate", "migrate", "--interactive", str(app)]
    done = subprocess.run(command, input=keys, capture_output=True, text=True, timeout=120)
    return Result(done.returncode, done.stdout, done.stderr, done.stdout.encode())


def test_a_review_writes_what_was_taken(run: Run, app: Path) -> None:
    result = interactively(app, "y\nw\n")
    assert result.code == 0
    assert "changed app.py" in result.out
    assert b"redis_client" in tree(app)["app.py"]
    assert "Nothing to decide" in interactively(app, "").out


def test_a_review_that_is_left_keeps_its_answers_and_writes_nothing(run: Run, app: Path) -> None:
    before = tree(app)
    left = interactively(app, "y\nq\n")
    assert left.code == 0
    assert "Nothing was written. Your answers are in " in left.err
    assert tree(app) == before
    assert "1 decided before" in interactively(app, "w\n").out
    assert tree(app) != before


# --- bad input


def test_a_missing_path_among_others(run: Run, app: Path) -> None:
    before = tree(app)
    assert_refused(run("migrate", "nowhere"), 2, "nowhere: no such file or folder")
    both = run("migrate", "nowhere", app)
    assert_refused(both, 3, "nowhere: no such file or folder")
    assert "diff --git" in both.out
    assert tree(app) == before


def test_a_folder_without_python(run: Run, tmp_path: Path) -> None:
    result = run("migrate", tmp_path)
    assert result.code == 0
    assert "no Python files here" in result.err
    assert "diff --git" not in result.out


def test_a_broken_file_does_not_stop_the_others(run: Run, app: Path) -> None:
    (app / "broken.py").write_bytes(b"def f(:\n")
    (app / "latin.py").write_bytes(b"x = '\xe9'\n")
    result = run("migrate", app, "--write", "--accept", "review")
    assert result.code == 0
    assert "broken.py:1" in result.err
    assert "latin.py" in result.err
    assert b"redis_client" in tree(app)["app.py"]
    assert tree(app)["broken.py"] == b"def f(:\n"


def test_a_file_keeps_its_encoding_and_newlines(run: Run, app: Path) -> None:
    source = ("# coding: latin-1\n# caf\xe9\n" + APP).replace("\n", "\r\n").encode("latin-1")
    (app / "app.py").write_bytes(source)
    assert run("migrate", app, "--write", "--accept", "review").code == 0
    after = tree(app)["app.py"]
    assert after.startswith(b"# coding: latin-1\r\n# caf\xe9\r\n")
    assert b"redis_client" in after
    assert after.count(b"\n") == after.count(b"\r\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write what is read-only")
def test_a_read_only_folder(run: Run, app: Path) -> None:
    app.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        before = tree(app)
        assert_refused(run("migrate", app, "--write", "--accept", "review"), 2, "app.py")
        assert tree(app) == before
    finally:
        app.chmod(stat.S_IRWXU)


def test_a_read_only_file_is_not_replaced(run: Run, app: Path) -> None:
    (app / "app.py").chmod(stat.S_IRUSR)
    before = tree(app)
    assert_refused(run("migrate", app, "--write", "--accept", "review"), 2, "app.py")
    assert tree(app) == before


def test_an_unknown_setting(run: Run, app: Path) -> None:
    (app / "pyproject.toml").write_text("[tool.unstate]\nignroe = []\n")
    before = tree(app)
    assert_refused(run("migrate", app, "--write"), 2, 'pyproject.toml:2: unknown key "ignroe"', 'mean "ignore"')
    assert tree(app) == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{% if %}", "backing_services.py.j2:2: Expected an expression"),
        ("{{ no_such_thing.x }}", "backing_services.py.j2:2: 'no_such_thing' is undefined"),
        ("{{ 1 // 0 }}", "backing_services.py.j2:2: "),
        ("{% include 'gone.j2' %}", "backing_services.py.j2: 'gone.j2'"),
        ("x = {", "backing_services.py.j2: what it gives is not Python: line 2"),
        ("x = 1", "what it gives does not define SESSION_TTL, "),
    ],
)
def test_a_template_of_the_project_with_an_error(run: Run, app: Path, text: str, words: str) -> None:
    (app / "templates").mkdir()
    (app / "templates" / "backing_services.py.j2").write_text(f"# ours\n{text}\n")
    before = tree(app)
    for mode in ("--dry-run", "--write"):
        result = run("migrate", app, mode, "--accept", "review")
        assert_refused(result, 2, words)
        assert "diff --git" not in result.out
    assert tree(app) == before


def test_a_dirty_git_tree_is_refused_unless_asked(run: Run, app: Path) -> None:
    committed(app)
    (app / "app.py").write_text(APP + "# edited\n")
    before = tree(app)
    assert_refused(run("migrate", app, "--write", "--accept", "review"), 2, "app.py", "--allow-dirty")
    assert tree(app) == before
    assert run("migrate", app, "--write", "--accept", "review", "--allow-dirty").code == 0
    assert b"redis_client" in tree(app)["app.py"]


def test_one_path_that_fails_leaves_the_other_written(run: Run, app: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "app.py").write_text(APP)
    (other / "app.py").chmod(stat.S_IRUSR)
    result = run("migrate", other, app, "--write", "--accept", "review")
    assert_refused(result, 3, "app.py")
    assert b"redis_client" in tree(app)["app.py"]
    assert tree(other) == {"app.py": APP.encode()}


def test_decisions_that_are_none(run: Run, app: Path, tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text('{"schema": "unstate.decisions/1", "groups": [{"id": "a", "acept": true}]}')
    assert_refused(run("migrate", app, "--decisions", "d.json"), 2, "d.json", "acept")
    (tmp_path / "d.json").write_text('{"schema": "unstate.decisions/1", "groups": [{"id": "a", "accept": true}]}')
    gone = run("migrate", app, "--decisions", "d.json")
    assert gone.code == 0
    assert "a was decided on, but is not in this plan" in gone.err


def test_what_the_app_has_and_is_not_used_is_told(run: Run, app: Path) -> None:
    (app / "extensions.py").write_text("import redis\n\ncache = redis.Redis()\nqueue = redis.Redis(db=1)\n")
    done = run("migrate", str(app))
    assert "Redis client is not used, because it has several: extensions.py (cache), extensions.py (queue)." in done.err


def test_the_application_object_is_left_alone_where_the_settings_say_so(run: Run, tmp_path: Path) -> None:
    app = shutil.copytree(shipped("examples") / "fastapi_app", tmp_path / "shop")
    assert "+init_app(app)\n" in run("migrate", app).out
    (app / "pyproject.toml").write_text('[tool.unstate]\ninjection = "module"\n')
    alone = run("migrate", app)
    assert alone.code == 0
    assert "init_app" not in alone.out
