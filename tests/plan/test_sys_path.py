"""A file that says itself where the modules of the app are: ours is found there, not before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from unstate.config import Config
from unstate.model import Verdict
from unstate.plan import plan
from unstate.render import render
from unstate.scan import scan

STATE = "seen: dict[str, int] = {}\n"
APP = """
from flask import Flask
from state import seen

app = Flask(__name__)


@app.get("/<key>")
def page(key: str):
    seen[key] = 1
    return {"all": len(seen)}
"""
CLEARING = """
def clear():
    state.seen.clear()


if __name__ == "__main__":
    print("found")
"""
PATH = "sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))\n"
BELOW = f'"""Clears."""\n\nimport os\nimport sys\n\n{PATH}\nimport state\n\n' + CLEARING
IN_A_BLOCK = f"import os\nimport sys\n\nif True:\n    {PATH}\nimport state\n\n" + CLEARING
TWICE = f"import os\nimport sys\n\n{PATH}{PATH}\nimport state\n\n" + CLEARING


@pytest.mark.parametrize("text", [BELOW, IN_A_BLOCK, TWICE], ids=["below", "in a block", "twice"])
def test_our_import_stands_behind_what_finds_it(text: str, tmp_path: Path) -> None:
    script = tmp_path / "tools" / "clear.py"
    script.parent.mkdir()
    for path, content in {tmp_path / "state.py": STATE, tmp_path / "app.py": APP, script: text}.items():
        path.write_text(content)
    made = plan(tmp_path, scan(tmp_path, Config()), Config())
    taken = [group.id for group in made.groups if group.verdict is not Verdict.MANUAL]
    for change in render(tmp_path, made, taken):
        (tmp_path / change.path).write_bytes(change.after or b"")
    assert "redis_client.delete" in script.read_text()
    done = subprocess.run([sys.executable, str(script)], cwd=script.parent, capture_output=True, text=True, check=False)
    assert done.stdout == "found\n", done.stderr
