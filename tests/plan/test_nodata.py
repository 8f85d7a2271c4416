"""Values that JSON refuses keep a store where it is, where what makes them shows that they are such."""

from __future__ import annotations

from pathlib import Path

import pytest

from unstate.model import Verdict

from .test_readable import migrated

HEAD = """
import datetime as clock
import uuid
from datetime import datetime
from typing import TypedDict
from flask import Flask
from widgets import Button

app = Flask(__name__)
kept = {}


class Row(TypedDict):
    name: str


@app.get("/<key>")
def view(key):
    try:
        found = make(key)
    except ValueError as error:
        found = None
        kept["e"] = []
    %s
    return str(kept.get(key))
"""
NO_DATA = (
    "kept[key] = {'at': datetime.now()}",
    "kept[key] = (clock.datetime.now(), key)",
    "kept[key] = [uuid.uuid4()]",
    "kept[key] = Button(key)",
    "button = Button(key)\n    kept[key] = button",
    "kept[key] = {'in': {'deep': [set()]}}",
)
DATA = (
    "kept[key] = {'at': datetime.now().isoformat()}",
    "kept[key] = [str(uuid.uuid4())]",
    "kept[key] = Row(name=key)",
    "kept[key] = {'found': found}",
    "when = datetime.now()\n    when = key\n    kept[key] = when",
    "for button in [key]:\n        kept[key] = {'b': button}",
)


@pytest.mark.parametrize("body", NO_DATA)
def test_what_is_no_json_stays(body: str, tmp_path: Path) -> None:
    made, _ = migrated(tmp_path, {"app.py": HEAD % body})
    assert [group.verdict for group in made.groups] == [Verdict.MANUAL]


@pytest.mark.parametrize("body", DATA)
def test_what_may_be_json_moves(body: str, tmp_path: Path) -> None:
    made, _ = migrated(tmp_path, {"app.py": HEAD % body})
    assert [group.verdict for group in made.groups] == [Verdict.REVIEW], made.groups[0].refusals


def test_what_an_except_clause_caught_stays(tmp_path: Path) -> None:
    text = (HEAD % "pass").replace('kept["e"] = []', "kept[key] = {'why': error}")
    made, _ = migrated(tmp_path, {"app.py": text})
    assert "`error` is put into `kept` here" in made.groups[0].refusals[0].reason
