"""What a store is for, by its name: it decides how long entries live."""

from __future__ import annotations

from pathlib import Path

import pytest

from unstate.config import Config
from unstate.model import Kind, Verdict
from unstate.scan import scan


@pytest.mark.parametrize(
    "name", ["states", "_states", "state_dict", "oauth_states", "_oauth_states", "login_states", "csrf"]
)
def test_states_of_a_login_are_tokens(name: str, tmp_path: Path) -> None:
    assert kind_of(name, tmp_path) is Kind.TOKEN


@pytest.mark.parametrize("name", ["run_states", "_run_states", "game_states", "room_state", "user_states"])
def test_other_states_are_not(name: str, tmp_path: Path) -> None:
    assert kind_of(name, tmp_path) is not Kind.TOKEN


def kind_of(name: str, root: Path) -> Kind:
    """The kind of a dict of that name which a handler fills and reads."""
    (root / "app.py").write_text(
        f"from flask import Flask\napp = Flask(__name__)\n{name}: dict[str, str] = {{}}\n"
        f"@app.post('/<key>')\ndef x(key: str):\n    {name}[key] = 'a'\n    return {name}[key]\n".replace("\\\n", "\n")
    )
    (found,) = scan(root, Config()).findings
    return found.kind


def test_a_record_with_a_client_in_it_is_a_live_handle(tmp_path: Path) -> None:
    source = """
from time import time
from flask import Flask
from fastmcp import Client
app = Flask(__name__)
clients = {}
class Tool:
    def __init__(self, url):
        self.client = Client(url)
        clients[url] = {"client": self.client, "at": time()}
class Note:
    def __init__(self, url):
        self.text = url.upper()
        notes[url] = {"text": self.text, "at": time()}
notes = {}
@app.post("/<url>")
def x(url):
    Tool(url), Note(url)
    return str(clients[url]["at"] + notes[url]["at"])
"""
    (tmp_path / "app.py").write_text(source)
    found = {each.store.name: each for each in scan(tmp_path, Config()).findings}
    assert found["clients"].kind is Kind.CONNECTION_REGISTRY
    assert found["clients"].limit is Verdict.MANUAL
    assert found["notes"].kind is not Kind.CONNECTION_REGISTRY
