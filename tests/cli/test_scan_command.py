"""`unstate scan`: streams, exit codes, formats, selection, baseline; and what it makes of bad input."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from running import Run

APP = """\
from flask import Flask, request

app = Flask(__name__)
sessions = {}
visits = {}


@app.post("/login")
def login():
    token: str = request.form["token"]
    sessions[token] = request.form["user"]
    visits[token] = visits.get(token, 0) + 1
    return sessions.get(token)
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "app.py").write_text(APP)
    return folder


def stores(text: str) -> list[dict[str, Any]]:
    document = json.loads(text)
    assert document["schema"] == "unstate.scan/1"
    return document["stores"]


def names(text: str) -> set[str]:
    return {store["name"] for store in stores(text)}


def test_findings_go_to_stdout_and_answer_1(run: Run, app: Path) -> None:
    result = run("scan", app)
    assert result.code == 1
    assert "app.py:4" in result.out
    assert "sessions" in result.out
    assert result.err == ""


def test_json_has_the_documented_words(run: Run, app: Path) -> None:
    result = run("scan", app, "--output-format", "json")
    assert (result.code, result.err) == (1, "")
    assert names(result.out) == {"sessions", "visits"}
    words = {"id", "rule", "kind", "shape", "name", "path", "line", "scope", "verdict", "sites", "evidence", "reasons"}
    for store in stores(result.out):
        assert words | {"decisions"} <= set(store)
        assert store["path"] == "app.py"
        assert {"path", "line", "op"} <= set(store["sites"][0])


def test_two_scans_give_the_same_bytes(run: Run, app: Path) -> None:
    first, second = (run("scan", app, "--output-format", "json") for _ in range(2))
    assert first.raw == second.raw


def test_several_formats_at_once_to_stdout_and_a_file(run: Run, app: Path, tmp_path: Path) -> None:
    result = run("scan", app, "--output-format", "text", "--output-format", "json:report.json")
    assert "app.py:4" in result.out
    assert names((tmp_path / "report.json").read_text()) == {"sessions", "visits"}


def test_annotations_name_files_from_the_working_folder(run: Run, app: Path, tmp_path: Path) -> None:
    (app / "broken.py").write_text("x = (\n")
    path = (app / "app.py").relative_to(tmp_path).as_posix()
    broken = (app / "broken.py").relative_to(tmp_path).as_posix()
    github = run("scan", app, "--output-format", "github")
    assert f"file={path},line=4" in github.out
    assert f"file={broken},line=1" in github.out
    sarif = json.loads(run("scan", app, "--output-format", "sarif").out)["runs"][0]
    places = [each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in sarif["results"]]
    assert set(places) == {path}
    assert "file=app.py,line=4" in run("scan", ".", "--output-format", "github", cwd=app).out
    outside = run("scan", app, "--output-format", "github", cwd=Path(app.anchor) / "usr")
    assert "file=app.py,line=4" in outside.out


def test_exit_zero(run: Run, app: Path) -> None:
    assert run("scan", app, "--exit-zero").code == 0
    assert run("scan", "nowhere", "--exit-zero").code == 2


def test_a_file_means_the_stores_that_it_defines(run: Run, app: Path) -> None:
    (app / "other.py").write_text(APP.replace("sessions", "logins"))
    result = run("scan", app / "app.py", "--output-format", "json")
    assert names(result.out) == {"sessions", "visits"}


def test_selection_from_the_command_line_and_the_settings(run: Run, app: Path) -> None:
    everything = {store["rule"] for store in stores(run("scan", app, "--output-format", "json").out)}
    assert len(everything) == 2
    rule = min(everything)
    only = run("scan", app, "--output-format", "json", "--select", rule)
    assert {store["rule"] for store in stores(only.out)} == {rule}
    (app / "pyproject.toml").write_text(f'[tool.unstate]\nignore = ["{rule}"]\n')
    rest = run("scan", app, "--output-format", "json")
    assert {store["rule"] for store in stores(rest.out)} == everything - {rule}
    nothing = run("scan", app, "--ignore", ",".join(everything))
    assert nothing.code == 0


def test_a_baseline_holds_the_line(run: Run, app: Path) -> None:
    run("scan", app, "--exit-zero", "--output-format", "json:baseline.json")
    known = run("scan", app, "--baseline", "baseline.json")
    assert known.code == 0
    assert "2 known from the baseline" in known.err
    (app / "app.py").write_text("# moved down a line\n" + APP.replace("sessions", "logins"))
    changed = run("scan", app, "--baseline", "baseline.json", "--output-format", "json")
    assert changed.code == 1
    assert names(changed.out) == {"logins"}
    assert "No longer found" in changed.err
    assert ":sessions" in changed.err


def test_what_is_no_baseline_is_refused(run: Run, app: Path, tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text("[1, 2]")
    result = run("scan", app, "--baseline", "b.json")
    assert result.code == 2
    assert "b.json: not the output of" in result.err


def test_several_paths_are_done_in_turn(run: Run, app: Path, tmp_path: Path) -> None:
    clean = tmp_path / "clean"
    clean.mkdir()
    (clean / "app.py").write_text("LIMIT = 3\n")
    assert run("scan", clean).code == 0
    assert run("scan", clean, app).code == 1


def test_several_paths_are_one_result_that_says_which_is_which(run: Run, app: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "app.py").write_text(APP)
    run("scan", app, other, "--exit-zero", "--output-format", "json:both.json")
    known = json.loads((tmp_path / "both.json").read_bytes())["stores"]
    assert {store["path"] for store in known} == {f"{app.name}/app.py", "other/app.py"}
    assert len({store["id"] for store in known}) == len(known) == 4
    said = " ".join(text for store in known for text in store["evidence"])
    assert f"{app.name}/app.py:4" in said
    assert "other/app.py:4" in said
    text = run("scan", app, other).out
    assert "other  (2 stores)" in text
    assert "2 services" in text


def test_a_baseline_of_several_paths_tells_them_apart(run: Run, app: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "app.py").write_text("LIMIT = 3\n")
    run("scan", app, other, "--exit-zero", "--output-format", "json:b.json")
    assert run("scan", app, other, "--baseline", "b.json").code == 0
    (other / "app.py").write_text(APP)  # the same names as in the first
    assert run("scan", app, other, "--baseline", "b.json").code == 1


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("# unstate: ignore[US999]", "keeps nothing silent here, where US"),
        ("# unstate: ignore[US501] why", "keeps nothing silent here, where US"),
    ],
)
def test_a_comment_for_another_rule_says_which_is_found(run: Run, app: Path, comment: str, said: str) -> None:
    lines = APP.splitlines(keepends=True)
    (app / "app.py").write_text("".join([*lines[:3], lines[3].rstrip() + f"  {comment}\n", *lines[4:]]))
    result = run("scan", app)
    assert said in result.out
    assert "Comments that silence nothing" in result.out
    assert "Not read in full" not in result.out


# --- bad input


def test_a_missing_path(run: Run, app: Path) -> None:
    alone = run("scan", "nowhere")
    assert (alone.code, alone.out) == (2, "")
    assert "nowhere: no such file or folder" in alone.err
    among = run("scan", "nowhere", app)
    assert among.code == 3
    assert "app.py:4" in among.out


def test_a_folder_without_python(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x = {}")
    result = run("scan", tmp_path)
    assert result.code == 0
    assert "no Python files here" in result.err


def test_a_file_that_is_not_looked_at(run: Run, app: Path) -> None:
    (app / "notes.txt").write_text("x = {}")
    result = run("scan", app / "notes.txt")
    assert result.code == 0
    assert "notes.txt: not looked at: it is no Python file" in result.err
    assert "not looked at" not in run("scan", app / "app.py").err


def test_a_file_with_a_syntax_error_is_named_and_the_others_are_done(run: Run, app: Path) -> None:
    (app / "broken.py").write_text("x = {}\ndef f(:\n    pass\n")
    result = run("scan", app, "--output-format", "json")
    assert result.code == 1
    assert names(result.out) == {"sessions", "visits"}
    (diagnostic,) = json.loads(result.out)["diagnostics"]
    assert (diagnostic["path"], diagnostic["line"]) == ("broken.py", 2)
    assert "broken.py:2" in run("scan", app).out


def test_a_file_that_cannot_be_read_is_not_clean(run: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def f(:\n")
    assert run("scan", tmp_path).code == 1
    assert run("scan", tmp_path, "--ignore", "US001").code == 0


def test_other_encodings_are_read_as_they_say(run: Run, app: Path) -> None:
    (app / "latin.py").write_bytes(b"# coding: latin-1\n# caf\xe9\n" + APP.replace("sessions", "ligne").encode())
    (app / "bom.py").write_bytes(b"\xef\xbb\xbf" + APP.replace("sessions", "marked").encode())
    (app / "broken.py").write_bytes(b"# caf\xe9\n" + APP.replace("sessions", "lost").encode())
    (app / "unknown.py").write_bytes(b"# coding: klingon\n" + APP.replace("sessions", "lost").encode())
    result = run("scan", app, "--output-format", "json")
    assert {"sessions", "ligne", "marked"} <= names(result.out)
    assert "lost" not in names(result.out)
    assert {each["path"] for each in json.loads(result.out)["diagnostics"]} == {"broken.py", "unknown.py"}


def test_odd_files(run: Run, app: Path) -> None:
    (app / "empty.py").write_bytes(b"")
    (app / "nul.py").write_bytes(b"x = {}\0\n")
    (app / "dangling.py").symlink_to("gone.py")
    (app / "folder.py").mkdir()
    result = run("scan", app, "--output-format", "json")
    assert result.code == 1
    assert names(result.out) == {"sessions", "visits"}
    assert "Traceback" not in result.err


def test_an_unknown_setting_names_its_line(run: Run, app: Path) -> None:
    (app / "pyproject.toml").write_text('[project]\nname = "x"\n\n[tool.unstate]\nexcludes = []\n')
    result = run("scan", app)
    assert (result.code, result.out) == (2, "")
    assert 'pyproject.toml:5: unknown key "excludes"; did you mean "exclude"?' in result.err


def test_a_broken_codemod_of_the_project_names_its_line(run: Run, app: Path) -> None:
    (app / "codemods").mkdir()
    (app / "codemods" / "own.py").write_text("from unstate.codemods import Codemod\nCODEMOD = Codemod(\n")
    result = run("scan", app, "--select", "US1")
    assert (result.code, result.out) == (2, "")
    assert "own.py:2: syntax error" in result.err


# --- the terminal


def on_a_terminal(*arguments: str | Path, **environment: str) -> str:
    """What a person sees: stdout and stderr are a terminal of 80 columns."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "unstate", *map(str, arguments)],
        stdout=follower,
        stderr=follower,
        stdin=follower,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80", **environment},
    )
    os.close(follower)
    seen = b""
    while True:
        try:
            chunk = os.read(leader, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not chunk:
            break
        seen += chunk
    process.wait()
    os.close(leader)
    return seen.decode()


def test_colours_on_a_terminal_and_only_there(run: Run, app: Path) -> None:
    assert "\x1b[" in on_a_terminal("scan", app)
    assert "\x1b[" not in on_a_terminal("scan", app, NO_COLOR="1")
    assert "\x1b[" not in run("scan", app).out


def test_a_rule_is_set_for_reading_on_a_terminal() -> None:
    seen = on_a_terminal("explain", "US101")
    assert "## What it finds" not in seen
    assert "What it finds" in seen


def test_a_reader_that_has_seen_enough_is_no_error(app: Path) -> None:
    command = f"{sys.executable} -m unstate scan {app} --output-format json | head -c 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.stdout == "{1\n"
    assert done.stderr == ""


def test_the_number_of_processes_changes_nothing(run: Run, app: Path) -> None:
    assert run("scan", app, "--jobs", "1").out == run("scan", app, "-j", "3").out != ""


def test_no_processes_are_refused(run: Run, app: Path) -> None:
    result = run("scan", app, "--jobs", "0")
    assert result.code == 2
    assert "--jobs" in result.err
