"""What else a patch changes: a module that nobody imports any more does not run."""

from __future__ import annotations

from pathlib import Path

import pytest

from unstate.config import Config
from unstate.plan import plan
from unstate.scan import scan

APP = """
from flask import Flask
from store import revoked

app = Flask(__name__)


@app.post("/logout/<token>")
def logout(token: str):
    revoked.add(token)
    return {}
"""


@pytest.mark.parametrize(
    ("store", "runs"),
    [
        ("revoked: set[str] = set()\n", False),
        ('"""Tokens."""\nfrom typing import Any\n\nrevoked: set[str] = set()\nothers = [dict(), {}]\n', False),
        ("revoked: set[str] = set()\nprint('loaded')\n", True),
        ("import time\nrevoked: set[str] = set()\nstarted = time.time()\n", True),
        ("revoked: set[str] = set()\nfound = list(open('names.txt'))\n", True),
    ],
    ids=["only the store", "containers", "a call", "the clock", "a list of something"],
)
def test_a_module_that_is_imported_no_more(store: str, runs: bool, tmp_path: Path) -> None:
    (tmp_path / "store.py").write_text(store)
    (tmp_path / "app.py").write_text(APP)
    groups = plan(tmp_path, scan(tmp_path, Config()), Config()).groups
    (found,) = [group for group in groups if group.finding.store.name == "revoked"]
    assert any("runs code when it is imported" in text for text in found.differences) is runs


FOLDER = """
from pathlib import Path
from flask import Flask, request

app = Flask(__name__)


class Folders:
    def __init__(self, root: Path) -> None:
        self.root = {value}


folders = Folders(Path("/srv/files"))


@app.post("/<name>")
def upload(name: str):
    (folders.root / name).write_bytes(request.data)
    return {{}}


@app.get("/<name>")
def download(name: str):
    return load(folders.root / name)


@app.get("/about")
def about():
    return load(Path("about.txt"))


def load(path: Path):
    return path.read_bytes()
"""


@pytest.mark.parametrize(("value", "late"), [("root", True), ('Path("/srv/files")', False)], ids=["handed in", "own"])
def test_a_folder_whose_path_was_there_before(value: str, late: bool, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(FOLDER.format(value=value))
    groups = plan(tmp_path, scan(tmp_path, Config()), Config()).groups
    (found,) = [group for group in groups if group.finding.store.scope == "folder"]
    assert found.layout is not None
    assert any("`root` comes from a caller" in text for text in found.differences) is late
