"""A local name of a store stands for it where it cannot mean anything else; elsewhere the store stays as it is."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from unstate.config import Config
from unstate.model import Verdict
from unstate.plan import plan
from unstate.render import render
from unstate.scan import scan

HEAD = """
from flask import Flask, jsonify

app = Flask(__name__)
scores: dict[str, int] = {}


@app.get("/add/<user>")
def add(user: str):
"""


def migrated(root: Path, body: str) -> str | None:
    """The file with the store moved, None where it stays."""
    (root / "app.py").write_text(HEAD.lstrip() + indent(dedent(body).strip("\n"), "    ") + "\n")
    made = plan(root, scan(root, Config()), Config())
    moved = [group.id for group in made.groups if group.verdict is not Verdict.MANUAL]
    changes = {change.path: change.after for change in render(root, made, moved)}
    after = changes.get("app.py")
    return None if after is None else after.decode()


@pytest.mark.parametrize(
    "body",
    [
        "known = scores\nknown[user] = 1\nreturn jsonify(known.get(user))",
        "known: dict[str, int] = scores\nknown[user] = 1\nreturn jsonify(known.get(user))",
        "known = scores\nif user not in known:\n    known[user] = 1\nreturn jsonify(len(known))",
        "scores[user] = 1\nknown = scores\nreturn jsonify([known[name] for name in sorted(known)])",
        "known = scores\nknown[user] = 1\nreturn known",
    ],
    ids=["plain", "annotated", "checked", "in a comprehension", "written out by the framework"],
)
def test_a_local_name_is_followed(tmp_path: Path, body: str) -> None:
    after = migrated(tmp_path, body)
    assert after is not None
    assert "known" not in after.replace("# known", "")


@pytest.mark.parametrize(
    "body",
    [
        "known = scores\nknown = {user: 1}\nscores[user] = 1\nreturn jsonify(known)",
        "known = {}\nif user:\n    known = scores\nknown[user] = 1\nreturn jsonify(known)",
        "def given():\n    known = scores\n    known[user] = 1\n    return known\napp.known = given()\nreturn ''",
        "known = scores\nknown[user] = 1\napp.known = known\nreturn ''",
        "known = scores\nfor known in [{}]:\n    pass\nscores[user] = 1\nreturn jsonify(known)",
        "known = other = scores\nknown[user] = 1\nreturn ''",
        "known = scores\nscores[user] = 1\nreturn jsonify([known for known in [1]], known)",
        "global scores\nknown = scores\nscores = {}\nknown[user] = 1\nreturn jsonify(known.get(user))",
        "known = scores\ndel known\nscores[user] = 1\nreturn ''",
        "known = scores\nscores[user] = 1\nreturn (lambda known: known)(known)",
    ],
    ids=[
        "bound twice",
        "bound in a branch",
        "given back",
        "kept",
        "loop",
        "two names",
        "comprehension's own",
        "store bound anew",
        "deleted",
        "lambda's own",
    ],
)
def test_a_name_that_may_mean_something_else_is_not(tmp_path: Path, body: str) -> None:
    assert migrated(tmp_path, body) is None


ENTRIES = """
from pathlib import Path

from flask import Flask, abort, send_file

app = Flask(__name__)
entries: dict[str, dict] = {}
FOLDER = Path("/srv/pictures")


@app.put("/<key>/<name>")
def put(key: str, name: str):
    entries[key] = {"name": name, "tags": []}
    return ""


@app.get("/<key>")
def get(key: str):
    entry = entries.get(key)
    if entry is None:
        abort(404)
    return shown(entry)


def shown(entry: dict):
    <use>
    return ""
"""


@pytest.mark.parametrize(
    ("use", "moves"),
    [
        ('path = FOLDER / entry["name"]\n    print(path.with_suffix(".png"))', True),
        ('tags = entry["tags"] + ["new"]\n    app.tags = tags', False),
        ('app.latest = entry["tags"]', False),
    ],
)
def test_a_path_that_is_made_of_an_entry_is_no_part_of_it(tmp_path: Path, use: str, moves: bool) -> None:
    (tmp_path / "app.py").write_text(ENTRIES.replace("<use>", use))
    groups = plan(tmp_path, scan(tmp_path, Config()), Config()).groups
    verdicts = [group.verdict for group in groups if group.finding.store.name == "entries"]
    assert verdicts == [Verdict.REVIEW if moves else Verdict.MANUAL]
