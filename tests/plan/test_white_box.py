"""Tests of the app that look into a store past the app are named: nothing rewrites them."""

from __future__ import annotations

from pathlib import Path

import pytest

from unstate.config import Config
from unstate.plan import plan
from unstate.scan import scan

STATE = """
class State:
    def __init__(self):
        self.clients: dict[str, str] = {}


state = State()
names: dict[str, str] = {}
"""
APP = """
from flask import Flask
from state import names, state

app = Flask(__name__)


@app.post("/join/<key>")
def join(key: str):
    state.clients[key] = "here"
    names[key] = "there"
    return {}
"""
FROM_A_FIXTURE = "from state import State\n\n\ndef test_join(made: State):\n    assert made().clients == {}\n"
BY_TEXT = "def test_join(monkeypatch):\n    monkeypatch.setattr('state.names', {})\n"
BY_NAME = "import state\n\n\ndef test_join(monkeypatch):\n    monkeypatch.setattr(state, 'names', {})\n"
LINKED = "from state import names\n\n\ndef test_join():\n    names.clear()\n"
ANOTHER = "def test_page(page):\n    assert page.clients == 2\n    page.open('names')\n"
A_WORD = "from state import state\n\n\ndef test_page(call):\n    call('names', 'clients')\n"


@pytest.mark.parametrize(
    ("store", "test", "line"),
    [
        ("State.clients", FROM_A_FIXTURE, 5),
        ("names", BY_TEXT, 2),
        ("names", BY_NAME, 5),
        ("names", LINKED, 0),
        ("State.clients", ANOTHER, 0),
        ("names", ANOTHER, 0),
        ("names", A_WORD, 0),
        ("State.clients", A_WORD, 0),
    ],
    ids=[
        "attribute",
        "text",
        "name",
        "linked",
        "another's",
        "another's text",
        "word of a global",
        "word of an attribute",
    ],
)
def test_a_test_that_looks_into_a_dict(store: str, test: str, line: int, tmp_path: Path) -> None:
    assert _named(tmp_path, store, test, {"state.py": STATE, "app.py": APP}) == (
        [f"tests/test_app.py, line {line}: tests look into `{store}`"] if line else []
    )


UPLOADS = """
from pathlib import Path
from flask import Flask, request

app = Flask(__name__)
FOLDER = Path("/srv/uploads")


def keep(name: str, data: bytes):
    (FOLDER / name).write_bytes(data)


@app.post("/files/<name>")
def upload(name: str):
    keep(name, request.data)
    return {}


@app.get("/files/<name>")
def download(name: str):
    return (FOLDER / name).read_bytes()
"""


@pytest.mark.parametrize(
    ("test", "line"),
    [
        (
            "from app import keep\n\n\ndef test_keep(at):\n    keep('a', b'')\n    assert (at / 'a').exists()\n",
            6,
        ),
        ("def test_upload(client):\n    assert client.post('/files/a').status_code == 200\n", 0),
        ("from app import keep\n\n\ndef test_keep():\n    keep('a', b'')\n\n\ndef test_b(t):\n    t.exists()\n", 0),
        ("def test_upload(client, monkeypatch, tmp_path):\n    monkeypatch.setattr('app.FOLDER', tmp_path)\n", 2),
    ],
    ids=["looks", "asks", "another test looks", "has another folder"],
)
def test_a_test_that_looks_into_a_folder(test: str, line: int, tmp_path: Path) -> None:
    assert _named(tmp_path, "FOLDER", test, {"app.py": UPLOADS}) == (
        [f"tests/test_app.py, line {line}: tests look into the local folder"] if line else []
    )


def _named(root: Path, store: str, test: str, files: dict[str, str]) -> list[str]:
    """What the plan says of tests for a store, as far as the first comma of the sentence's second half."""
    (root / "tests").mkdir()
    for path, text in (files | {"tests/test_app.py": test}).items():
        (root / path).write_text(text)
    groups = plan(root, scan(root, Config()), Config()).groups
    (found,) = [group for group in groups if group.finding.store.name == store]
    assert not found.refusals
    return [text.partition(", which")[0] for text in found.differences if "tests look into" in text]


OF_UNKNOWN = """
from state import State


def count(state):
    return len(state.clients)
"""
OF_ANOTHER = """
class Page:
    def __init__(self):
        self.clients = []


def count(page):
    return len(page.clients)
"""
TOLD = """
from state import State


def count(state: State):
    return len(state.clients)
"""
OF_NO_RELATION = """
def count(response):
    return len(response.clients)
"""
A_METHOD = "from state import State\n\n\ndef count(made):\n    return made.clients()\n"
OF_A_MODULE = "import page\n\n\ndef count():\n    return page.clients\n"


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        (OF_UNKNOWN, True),
        (OF_ANOTHER, False),
        (TOLD, False),
        (OF_A_MODULE, False),
        (OF_NO_RELATION, False),
        (A_METHOD, False),
    ],
    ids=["unknown", "another's", "told", "a module's", "no relation", "a method"],
)
def test_an_attribute_that_the_app_reads_of_an_object_it_cannot_tell(text: str, refused: bool, tmp_path: Path) -> None:
    for path, content in {"state.py": STATE, "app.py": APP, "counting.py": text}.items():
        (tmp_path / path).write_text(content)
    group = next(
        each
        for each in plan(tmp_path, scan(tmp_path, Config()), Config()).groups
        if each.finding.store.name == "State.clients"
    )
    assert [(each.path, each.line) for each in group.refusals] == ([("counting.py", 6)] if refused else [])


@pytest.mark.parametrize(
    ("test", "told"),
    [
        ("from state import State\n\n\ndef test_new():\n    assert State().size() == 0\n", True),
        ("from state import state\n\n\ndef test_one():\n    assert state.size() == 0\n", False),
        ("def test_other(Statement):\n    assert Statement().size() == 0\n", False),
    ],
)
def test_a_test_that_makes_its_own_object_is_named(test: str, told: bool, tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    own = STATE.replace(
        "\n\n\nstate =", "\n\n    def size(self) -> int:\n        return len(self.clients)\n\n\nstate ="
    )
    for name, source in {"app.py": APP, "state.py": own, "tests/test_app.py": test}.items():
        (tmp_path / name).write_text(source)
    made = plan(tmp_path, scan(tmp_path, Config()), Config())
    group = next(each for each in made.groups if each.finding.store.name == "State.clients")
    assert group.differences, group.refusals
    named = [text for text in group.differences if "make objects of their own" in text]
    assert [text.partition(": ")[0] for text in named] == (["tests/test_app.py, line 5"] if told else [])
