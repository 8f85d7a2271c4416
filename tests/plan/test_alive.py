"""What goes with one process stays with it: handles that it counts, times of its clock, what it empties as it stops."""

from __future__ import annotations

from pathlib import Path

import pytest

from unstate.model import Verdict

from .test_readable import migrated

HEAD = """
import atexit
import signal
import time
from contextlib import contextmanager
from flask import Flask

app = Flask(__name__)
"""
COUNTS = {
    "taken off in finally": """
active = 0

@app.get("/")
def view() -> str:
    global active
    active += 1
    try:
        return str(active)
    finally:
        active -= 1
""",
    "taken off by who is called in finally": """
slots: dict[str, int] = {}

def take(team: str) -> bool:
    running = slots.get(team, 0)
    if running > 3:
        return False
    slots[team] = running + 1
    return True

def give(team: str) -> None:
    running = slots.get(team, 0)
    slots[team] = running - 1

@app.get("/<team>")
def view(team: str) -> str:
    take(team)
    try:
        return team
    finally:
        give(team)
""",
    "taken off at disconnect": """
users: dict[str, int] = {}

@app.get("/in/<room>")
def on_connect(room: str) -> str:
    users[room] = users.get(room, 0) + 1
    return room

@app.get("/out/<room>")
def on_disconnect(room: str) -> str:
    users[room] = users.get(room, 0) - 1
    return room
""",
    "behind the yield of a context manager": """
running = 0

@contextmanager
def counted():
    global running
    running += 1
    yield
    running -= 1

@app.get("/")
def view() -> str:
    with counted():
        return str(running)
""",
}
NO_COUNTS = {
    "a stock": """
stock: dict[str, int] = {}

@app.get("/add/<item>")
def add(item: str) -> str:
    stock[item] = stock.get(item, 0) + 1
    return item

@app.get("/buy/<item>")
def buy(item: str) -> str:
    stock[item] = stock.get(item, 0) - 1
    return item
""",
    "only ever more": """
done: dict[str, int] = {}

@app.get("/<item>")
def view(item: str) -> str:
    try:
        return item
    finally:
        done[item] = done.get(item, 0) + 1
""",
}
CLOCKS = {
    "at once": "seen[key] = time.monotonic()",
    "by a name": "now = time.monotonic()\n    seen[key] = now + 60",
    "the other clock": "seen[key] = time.perf_counter()",
}
NO_CLOCKS = {
    "how long it took": "begun = time.monotonic()\n    seen[key] = time.monotonic() - begun",
    "the time of day": "seen[key] = time.time()",
}


@pytest.mark.parametrize("case", COUNTS)
def test_a_number_of_what_is_alive_in_a_process_stays(case: str, tmp_path: Path) -> None:
    made, files = migrated(tmp_path, {"app.py": HEAD + COUNTS[case]})
    (group,) = made.groups
    assert group.verdict is Verdict.MANUAL
    assert "counts what is alive in this process" in group.refusals[0].reason
    assert files["app.py"] == HEAD + COUNTS[case]


@pytest.mark.parametrize("case", NO_COUNTS)
def test_any_other_number_moves(case: str, tmp_path: Path) -> None:
    made, _ = migrated(tmp_path, {"app.py": HEAD + NO_COUNTS[case]})
    assert [group.verdict is Verdict.MANUAL for group in made.groups] == [False]


def _seen(body: str) -> str:
    return f"""{HEAD}
seen: dict[str, float] = {{}}

@app.get("/<key>")
def view(key: str) -> str:
    {body}
    return str(seen[key])
"""


@pytest.mark.parametrize("case", CLOCKS)
def test_a_time_of_one_machines_clock_is_named(case: str, tmp_path: Path) -> None:
    made, _ = migrated(tmp_path, {"app.py": _seen(CLOCKS[case])})
    (group,) = made.groups
    assert any(": keeps a time of `" in text for text in group.differences)


@pytest.mark.parametrize("case", NO_CLOCKS)
def test_any_other_time_moves(case: str, tmp_path: Path) -> None:
    made, _ = migrated(tmp_path, {"app.py": _seen(NO_CLOCKS[case])})
    assert not any(": keeps a time of `" in text for group in made.groups for text in group.differences)


SESSIONS = """
sessions: dict[str, str] = {}

@app.post("/<key>")
def login(key: str) -> str:
    sessions[key] = "in"
    return key

def end(*_: object) -> None:
    sessions.clear()
"""


@pytest.mark.parametrize(
    "registered",
    [
        "atexit.register(end)\n",
        "signal.signal(signal.SIGTERM, end)\n",
        "def last() -> None:\n    end()\n\n\natexit.register(last)\n",
    ],
)
def test_what_one_process_empties_as_it_ends_stays_for_the_others(registered: str, tmp_path: Path) -> None:
    made, files = migrated(tmp_path, {"app.py": HEAD + SESSIONS + "\n\n" + registered})
    assert files["app.py"].count("def end(*_: object) -> None:\n    pass\n") == 1
    assert any("is not emptied any more when one process ends" in text for text in made.groups[0].differences)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("", ""),
        ('\n\n@app.delete("/")\ndef reset() -> str:\n    end()\n    return ""\n\n\natexit.register(end)\n', ""),
        ("\n\ndef stop() -> None:\n    sessions.clear()\n", "where `stop` is called because one process stops"),
    ],
)
def test_what_a_request_empties_too_is_emptied(more: str, said: str, tmp_path: Path) -> None:
    made, files = migrated(tmp_path, {"app.py": HEAD + SESSIONS + more})
    assert "def end(*_: object) -> None:\n    clear_keys(redis_client" in files["app.py"]
    assert any(said in text for text in made.groups[0].differences) == bool(said) or not said


def test_entries_of_a_process_that_is_killed_are_named(tmp_path: Path) -> None:
    text = """
online: dict[str, str] = {}

@app.get("/in/<name>")
def on_connect(name: str) -> str:
    online[name] = "here"
    return ",".join(sorted(online))

@app.get("/out/<name>")
def on_disconnect(name: str) -> str:
    online.pop(name, None)
    return name
"""
    made, _ = migrated(tmp_path, {"app.py": HEAD + text})
    assert any("that of a process which is killed stays" in each for each in made.groups[0].differences)


CLASS = """
class Box:
    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def keep(self, key: str) -> str:
        self.names[key] = key
        return ",".join(sorted(self.names))

"""
USED = """
@app.get("/<key>")
def view(key: str) -> str:
    return box.keep(key)
"""


@pytest.mark.parametrize(
    "more",
    [
        "box = Box()\nother = Box()\n" + USED,
        "box = Box()\n" + USED + "    " + "\n\n@app.post('/')\ndef anew() -> str:\n    return Box().keep('x')\n",
        "class Large(Box):\n    pass\n\n\nbox = Box()\nlarge = Large()\n" + USED,
        "def kind(name: str) -> type[Box]:\n    found = Box\n    return found\n\n\nbox = Box()\n" + USED,
        "Kind = Box\n\n\ndef more() -> Box:\n    return Kind()\n\n\nbox = Box()\n" + USED,
        "def kind(name: str) -> type[Box]:\n    return Box\n\n\nbox = Box()\n" + USED,
    ],
)
def test_what_each_of_several_objects_has_of_its_own_stays(more: str, tmp_path: Path) -> None:
    made, _ = migrated(tmp_path, {"app.py": HEAD + CLASS + more})
    (group,) = made.groups
    assert "makes another" in group.refusals[0].reason


@pytest.mark.parametrize(
    "more",
    [
        "box = Box()\n" + USED,
        "box: Box = Box()\n\n\ndef is_box(it: object) -> bool:\n    return isinstance(it, Box)\n" + USED,
        "box: Box = Box()\nKind = Box\n\n\ndef same(it: Kind) -> Kind:\n    return it\n" + USED,
        "if app.debug:\n    box = Box()\nelse:\n    box = Box()\n" + USED,
        "box = None\n\ndef get() -> Box:\n    global box\n    if box is None:\n        box = Box()\n    return box\n"
        + USED.replace("box.keep", "get().keep"),
    ],
)
def test_what_the_one_object_has_moves(more: str, tmp_path: Path) -> None:
    made, _ = migrated(tmp_path, {"app.py": HEAD + CLASS + more})
    assert [group.verdict is Verdict.MANUAL for group in made.groups] == [False]


def test_objects_that_tests_make_do_not_count(tmp_path: Path) -> None:
    fixture = "from app import Box\n\n\ndef box() -> Box:\n    return Box()\n\n\nother = Box()\n"
    made, _ = migrated(tmp_path, {"app.py": HEAD + CLASS + "box = Box()\n" + USED, "app_test/tools.py": fixture})
    assert [group.verdict is Verdict.MANUAL for group in made.groups] == [False]


@pytest.mark.parametrize(("maker", "said"), [("load()", True), ("{}", False), ("dict()", False)])
def test_what_a_function_fills_a_store_with_is_named(maker: str, said: bool, tmp_path: Path) -> None:
    start = "def load() -> dict[str, str]:\n    return {}\n\n\nnames: dict[str, str] = " + maker
    use = '\n\n@app.get("/<key>")\ndef view(key: str) -> str:\n    names[key] = key\n    return names[key]\n'
    made, _ = migrated(tmp_path, {"app.py": HEAD + start + use})
    assert any("it started with what `load` gives" in text for text in made.groups[0].differences) == said
