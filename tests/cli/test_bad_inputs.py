"""Whatever is wrong with what unstate is given: what is wrong, where, and what would be right; never a traceback."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from running import Run

from unstate.resources import shipped

SESSIONS = "US101:.:app:user_sessions"


def choice(**words: object) -> str:
    return json.dumps({"schema": "unstate.decisions/1", "groups": [{"id": SESSIONS, **words}]})


# files beside the app or in it, the command line, and what is said
CASES: dict[str, tuple[dict[str, str], str, str]] = {
    "no such path": ({}, "scan nowhere", "nowhere: no such file or folder"),
    "a device": ({}, "scan /dev/null", "/dev/null: neither a file nor a folder"),
    "no such command": ({}, "frobnicate", "No such command 'frobnicate'"),
    "no path": ({}, "migrate", "Missing argument 'PATH'"),
    "no such format": ({}, "scan app --output-format yaml", 'unknown output format "yaml"; known: text, json,'),
    "a format into nowhere": ({}, "scan app --output-format json:no/x.json", "no/x.json: No such file or directory"),
    "no workers": ({}, "scan app --jobs 0", "'--jobs'"),
    "no baseline": ({}, "scan app --baseline app/app.py", "app.py: not the output of `unstate scan"),
    "no such rule": ({}, "scan app --select X", 'no rule begins with "X"; known: US001,'),
    "no such rule to explain": ({}, "explain US999", 'no rule "US999"; did you mean'),
    "an expiry without a time": (
        {},
        "migrate app --ttl session",
        'write the kind of store and a duration, as in "session',
    ),
    "an expiry of nothing": ({}, "migrate app --ttl sesion=1h", 'no kind of store; did you mean "session"?'),
    "an expiry of no length": ({}, "migrate app --ttl session=soon", '"soon" is no duration: write a whole number'),
    "two modes": ({}, "migrate app --write --check", "exclude each other"),
    "no such verdict": ({}, "migrate app --accept all", "'all' is not one of 'exact', 'review'"),
    "a patch into nowhere": ({}, "migrate app --output no/x.patch", "no/x.patch: No such file or directory"),
    "a plan into nowhere": ({}, "migrate app --save-plan no/x.json", "no/x.json cannot be written: No such file"),
    "two paths, one plan": ({}, "migrate app app2 --plan x.json", "a plan is one of one PATH"),
    "no plan there": ({}, "migrate app --plan x.json", "x.json: No such file or directory"),
    "source as a plan": ({}, "migrate app --plan app/app.py", "app.py:1: not JSON"),
    "no decisions there": ({}, "migrate app --decisions d.json", "d.json: No such file or directory"),
    "decisions cut short": ({"d.json": "{\n"}, "migrate app --decisions d.json", "d.json:2: not JSON"),
    "decisions of another kind": (
        {"d.json": "[]"},
        "migrate app --decisions d.json",
        "d.json: $.schema: nothing says what",
    ),
    "a decision that is none": (
        {"d.json": choice(accept="yes")},
        "apply app --decisions d.json",
        "d.json: $.groups[0].accept: Expected",
    ),
    "an answer that is none": (
        {"d.json": choice(accept=True, answers={"ttl": "soon"})},
        "apply app --decisions d.json",
        f'{SESSIONS}: decision ttl: "soon" is no duration',
    ),
    "an answer to no question": (
        {"d.json": choice(accept=True, answers={"colour": "red"})},
        "apply app --decisions d.json",
        "decision colour is not asked for this store; it asks: key_prefix, ttl",
    ),
    "nothing to write": ({}, "report app", "say what to write: --html FILE, --markdown FILE, or both"),
    "a page into nowhere": ({}, "report app --html no/x.html", "no/x.html: No such file or directory"),
    "a page into a folder": ({}, "report app --html app", "app: Is a directory"),
    "no check": ({"v.json": "{}"}, "report app --html x.html --verified v.json", "v.json: "),
    "nothing to take back": ({}, "undo app", "No application of unstate is recorded under app"),
    "nothing decided": ({}, "apply app", "nothing was decided yet; decide with `unstate review app`"),
    "no such setting": (
        {"app/pyproject.toml": "[tool.unstate]\nexcludes = []\n"},
        "scan app",
        ':2: unknown key "excludes"',
    ),
    "a setting of another kind": (
        {"app/pyproject.toml": '[tool.unstate]\nexclude = "x"\n'},
        "scan app",
        "pyproject.toml:2: exclude: expected a list, got a string",
    ),
    "settings that are no TOML": (
        {"app/pyproject.toml": "[tool.unstate\n"},
        "scan app",
        "pyproject.toml:1: not valid TOML",
    ),
    "a wrong override": (
        {"app/pyproject.toml": '[[tool.unstate.overrides]]\npath = ["x"]\n'},
        "config show app",
        'pyproject.toml:2: unknown key "path"; did you mean "paths"?',
    ),
    "no such injection": (
        {"app/pyproject.toml": '[tool.unstate]\ninjection = "modul"\n'},
        "migrate app",
        'pyproject.toml:2: "modul" is no injection; did you mean "module"?',
    ),
    "a broken template": (
        {"app/templates/backing_services.py.j2": "# ours\n{{ x \n"},
        "migrate app",
        "backing_services.py.j2:2: ",
    ),
    "a broken codemod": (
        {"app/codemods/ours.py": "from unstate import Codemod\n\nCODEMOD = 1\n"},
        "migrate app",
        "ours.py:1: no `CODEMOD = Codemod(...)`",
    ),
    "no scenario": ({}, "verify --scenario no.py", "no.py: no such file; a scenario is"),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_told_and_nothing_is_changed(run: Run, tmp_path: Path, name: str) -> None:
    files, command, said = CASES[name]
    app = shutil.copytree(shipped("examples") / "first", tmp_path / "app")
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    done = run(*command.split())
    assert (done.code, done.out) == (2, "")
    assert said in " ".join(done.err.replace("│", " ").split()), done.err
    assert "Traceback" not in done.err
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and ".unstate" not in path.parts}
    assert after == before
    assert (app / "app.py").exists()
