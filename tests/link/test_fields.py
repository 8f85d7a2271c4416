"""State in the fields of one object: namespaces, attributes that are set by name or on the class, counters."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from unstate.config import Config
from unstate.model import Scope, Verdict
from unstate.scan import scan

HEAD = """
import types
from types import SimpleNamespace
from flask import Flask, request
import options
app = Flask(__name__)
"""
VIEW = """
@app.post("/x")
def view():
    {}
    return str({})
"""
THING = """
class Thing:
    total = 0
    seen = {}
    def hit(self, key):
        %s
@app.post("/x")
def view():
    thing = Thing()
    thing.hit(request.form["k"])
    return str(thing.total) + str(thing.seen)
"""
SERVICE = """
class Service:
    def __init__(self):
        self.total = 0
    def hit(self):
        self.total += 1
"""

FOUND = {
    "computed attribute of an object of a module": (
        "class Options:\n    pass\nkept = Options()"
        + VIEW.format('setattr(kept, request.form["n"], 1)', 'getattr(kept, "a")'),
        "kept.[*]",
    ),
    "computed attribute by the dict of an object": (
        "class Options:\n    pass\nkept = Options()"
        + VIEW.format('vars(kept)[request.form["n"]] = 1', 'kept.__dict__["a"]'),
        "kept.[*]",
    ),
    "computed name of a module": (
        "rooms = {}\nusers = {}" + VIEW.format('globals()[request.form["n"]]["k"] = 1', "(rooms, users)"),
        "globals()[*]",
    ),
    "name of a module as a text": (
        "rooms = {}" + VIEW.format('globals()["rooms"]["k"] = 1', "rooms"),
        "rooms",
    ),
    "number of a module as a text": (
        "hits = 0" + VIEW.format('globals()["hits"] = globals()["hits"] + 1', "hits"),
        "hits",
    ),
    "attribute that a module binds on a class": (
        "class Rooms:\n    def put(self, key):\n        type(self).known[key] = 1\nRooms.known = {}"
        + VIEW.format("Rooms().put('k')", "Rooms.known"),
        "Rooms.known",
    ),
    "number of a namespace": ("state = SimpleNamespace(n=0)" + VIEW.format("state.n += 1", "state.n"), "state"),
    "field of a namespace": (
        'state = types.SimpleNamespace(mode="a")' + VIEW.format('state.mode = request.form["m"]', "state.mode"),
        "state",
    ),
    "dict of a namespace": (
        "state = types.SimpleNamespace()\nstate.users = {}"
        + VIEW.format('state.users[request.form["k"]] = 1', "state.users"),
        "state",
    ),
    "namespace of an argument parser": (
        "import argparse\nstate = argparse.Namespace(n=0)" + VIEW.format("state.n += 1", "state.n"),
        "state",
    ),
    "type(self)": (THING % "type(self).total += 1", "Thing.total"),
    "self.__class__": (THING % "self.__class__.total += 1", "Thing.total"),
    "entry through type(self)": (THING % "type(self).seen[key] = 1", "Thing.seen"),
    "entry through self.__class__": (THING % "self.__class__.seen[key] = 1", "Thing.seen"),
    "setattr on a class": (
        "class Mode:\n    name = 'a'\n" + VIEW.format('setattr(Mode, "name", request.form["m"])', "Mode.name"),
        "Mode.name",
    ),
    "setattr on an object of a module": (
        "class Mode:\n    def __init__(self):\n        self.name = 'a'\nmode = Mode()\n"
        + VIEW.format('setattr(mode, "name", request.form["m"])', "mode.name"),
        "Mode.name",
    ),
    "setattr on a module": (VIEW.format('setattr(options, "mode", request.form["m"])', "options.mode"), "mode"),
    "counter of a service": (
        SERVICE + "service = Service()" + VIEW.format("service.hit()", "service.total"),
        "Service.total",
    ),
    "counter that the class body begins": (
        SERVICE.replace("    def __init__(self):\n        self.total = 0", "    total = 0")
        + "service = Service()"
        + VIEW.format("service.hit()", "service.total"),
        "Service.total",
    ),
    "counter that another request reads": (
        SERVICE
        + "service = Service()"
        + VIEW.format("service.hit()", "1")
        + "@app.get('/y')\ndef count():\n    return str(service.total)\n",
        "Service.total",
    ),
}

# Of these every object of the class has its own.
OWN = {
    "number of a dataclass": (
        "from dataclasses import dataclass\n@dataclass\nclass State:\n    n: int = 0\nstate = State()"
        + VIEW.format("state.n += 1", "state.n"),
        "State.n",
    ),
    "dict of a dataclass": (
        "from dataclasses import dataclass, field\n@dataclass\nclass State:\n"
        "    seen: dict = field(default_factory=dict)\nstate = State()"
        + VIEW.format('state.seen[request.form["k"]] = 1', "state.seen"),
        "State.seen",
    ),
    "dict of a pydantic model": (
        "from pydantic import BaseModel\nclass State(BaseModel):\n    seen: dict[str, int] = {}\nstate = State()"
        + VIEW.format('state.seen[request.form["k"]] = 1', "state.seen"),
        "State.seen",
    ),
    "dict of an object": (
        "class State:\n    def __init__(self):\n        self.seen = {}\nstate = State()"
        + VIEW.format('state.seen[request.form["k"]] = 1', "state.seen"),
        "State.seen",
    ),
}

SILENT = {
    "computed attribute of an object of a request": (
        "class Row:\n    pass\n" + VIEW.format('row = Row(); setattr(row, request.form["n"], 1)', "vars(row)")
    ),
    "computed attribute of what is handed over": (
        "class Row:\n    pass\ndef fill(row, names):\n    for name in names:\n        setattr(row, name, 1)\n"
        + VIEW.format("row = Row(); fill(row, request.form)", "vars(row)")
    ),
    "computed attributes at import": (
        "class Options:\n    pass\nkept = Options()\nfor name in ('a', 'b'):\n    setattr(kept, name, 1)\n"
        + VIEW.format("pass", "kept.a")
    ),
    "computed name that is read": "rooms = {}" + VIEW.format("pass", 'globals()[request.args["n"]]'),
    "computed name of a local": VIEW.format('locals()[request.args["n"]] = 1', "1"),
    "name as a text at import": "rooms = {}\nglobals()['rooms']['a'] = 1\n" + VIEW.format("pass", "rooms"),
    "dataclass in a store": (
        "from dataclasses import dataclass, field\n@dataclass\nclass Poll:\n    n: int = 0\n"
        "    seen: dict = field(default_factory=dict)\npolls = {'a': Poll()}"
        + VIEW.format("polls['a'].n += 1; polls['a'].seen['k'] = 1", "1")
    ),
    "pydantic model in a store": (
        "from pydantic import BaseModel\nclass Poll(BaseModel):\n    n: int = 0\n    seen: dict = {}\n"
        "polls = {'a': Poll()}" + VIEW.format("polls['a'].n += 1; polls['a'].seen['k'] = 1", "1")
    ),
    "dataclass of a request": (
        "from dataclasses import dataclass\n@dataclass\nclass State:\n    n: int = 0\n"
        + VIEW.format("state = State(); state.n += 1", "state.n")
    ),
    "dataclass that is set at import": (
        "from dataclasses import dataclass\n@dataclass\nclass State:\n    n: int = 0\nstate = State()\nstate.n = 3\n"
        + VIEW.format("pass", "state.n")
    ),
    "namespace that is read": 'state = SimpleNamespace(mode="a")' + VIEW.format("pass", "state.mode"),
    "namespace filled at import": 'state = SimpleNamespace()\nstate.mode = "b"' + VIEW.format("pass", "state.mode"),
    "namespace of a request": VIEW.format("state = SimpleNamespace(n=0); state.n += 1", "state.n"),
    "namespace filled by a function at import": (
        "state = SimpleNamespace(model=None)\ndef load():\n    state.model = object()\nload()"
        + VIEW.format("pass", "state.model")
    ),
    "object made when it is first asked for": (
        "import httpx\nstate = SimpleNamespace(db=None)\ndef db():\n    if state.db is None:\n"
        "        state.db = httpx.Client()\n    return state.db\n" + VIEW.format("db()", "1")
    ),
    "type(self) is read": THING % "print(type(self).total)",
    "number of an object": THING % "self.total += 1",
    "class of another object": THING % "print(type(key).total)",
    "setattr at import": 'setattr(options, "mode", "b")' + VIEW.format("pass", "options.mode"),
    "setattr on an object of a request": (
        "class Row:\n    def __init__(self):\n        self.name = ''\n"
        + VIEW.format("row = Row(); setattr(row, 'name', request.form['n'])", "row.name")
    ),
    "setattr on what a library gives": VIEW.format('setattr(request, "mode", "b")', "options.mode"),
    "counter of an object of a request": SERVICE + VIEW.format("service = Service(); service.hit()", "service.total"),
    "counter that nobody reads": SERVICE + "service = Service()" + VIEW.format("service.hit()", "1"),
    "counter of imports": SERVICE + "service = Service()\nservice.hit()" + VIEW.format("pass", "service.total"),
    "object that its constructor fills": (
        "class Table:\n    def __init__(self):\n        self.rows = {}\nclass Wide(Table):\n"
        "    def __init__(self):\n        super().__init__()\n        self.rows = {'k': 1}\n"
        "KNOWN = Wide()" + VIEW.format("wide = Wide()", "wide.rows")
    ),
}


def findings(root: Path, source: str) -> dict[str, tuple[Scope, Verdict]]:
    (root / "options.py").write_text('mode = "a"\n')
    (root / "app.py").write_text(HEAD + dedent(source))
    return {each.store.name: (each.store.scope, each.limit) for each in scan(root, Config()).findings}


@pytest.mark.parametrize(("source", "name"), FOUND.values(), ids=FOUND)
def test_what_requests_change_in_the_fields_of_one_object(tmp_path: Path, source: str, name: str) -> None:
    assert list(findings(tmp_path, source)) == [name]


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_what_only_looks_like_it(tmp_path: Path, source: str) -> None:
    assert findings(tmp_path, source).keys() <= {"polls"}  # its entries are its own


@pytest.mark.parametrize("name", [name for name in FOUND if "setattr" in name or "namespace" in name])
def test_what_is_not_written_as_an_assignment_is_no_change_of_ours(tmp_path: Path, name: str) -> None:
    ((_, limit),) = findings(tmp_path, FOUND[name][0]).values()
    assert limit is Verdict.MANUAL


@pytest.mark.parametrize(
    ("source", "name"), [*OWN.values(), *(FOUND[name] for name in FOUND if name.startswith("counter"))]
)
def test_what_each_object_has_for_itself_is_for_a_person_to_judge(tmp_path: Path, source: str, name: str) -> None:
    assert [(found, limit) for found, (_, limit) in findings(tmp_path, source).items()] == [(name, Verdict.REVIEW)]


def test_a_dict_of_the_class_is_shared_by_its_objects_already(tmp_path: Path) -> None:
    ((_, limit),) = findings(tmp_path, THING % 'type(self).seen[str(key)] = "v"').values()
    assert limit is Verdict.EXACT
