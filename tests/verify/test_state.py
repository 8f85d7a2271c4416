"""The state probe: what requests change inside a process, by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from unstate.config import load
from unstate.scan import scan
from unstate.verify import App, Backing, CannotVerifyError, Scenario
from unstate.verify.client import Http
from unstate.verify.leftovers import beside, changed_state, covers
from unstate.verify.scenario import load_drive

APPS = [("flask_app", "app:app"), ("fastapi_app", "main:app")]


@pytest.mark.parametrize(("name", "run"), APPS)
def test_scan_and_run_find_the_same_stores(name: str, run: str, examples: Path, backing: Backing) -> None:
    scenario, _ = load_drive(examples / name / "drive.py")
    changed = changed_state(App(examples / name, run), scenario, backing)
    assert len(changed) >= 3
    found = beside(scan(examples / name, load(examples / name)).findings, changed)
    assert found.only_run == ()
    assert found.only_scan == ()
    assert set(found.both) == {each.name for each in changed}


@pytest.mark.parametrize(("name", "run"), APPS)
def test_a_right_migration_leaves_nothing(
    name: str, run: str, examples: Path, migrated: Path, backing: Backing
) -> None:
    scenario, _ = load_drive(examples / name / "drive.py")
    assert changed_state(App(migrated / name, run), scenario, backing) == ()


PLACES = """
import functools
from collections import OrderedDict, deque
import data
RULES = {"constant": [1, 2]}
class Manager:
    shared = {}
    def __init__(self): self.items = []
    def hit(self): self.items.append(1); self.shared[len(self.items)] = 1
manager = Manager()
def outer():
    count = 0
    def inner():
        nonlocal count
        count += 1
        return count
    return inner
counter = outer()
def defaulted(seen=[]):
    seen.append(1)
def tagged():
    tagged.calls = getattr(tagged, "calls", 0) + 1
recent = deque(maxlen=2)
number = 0
deep = {"a": {"b": {"c": 0}}}
def hit():
    global number
    number += 1
    manager.hit(); counter(); defaulted(); tagged(); recent.append(number); data.store["k"] = number
    deep["a"]["b"]["c"] += 1
def read():
    return [len(RULES), number, manager.items, deep["a"]]
"""


def test_every_place_of_state_has_its_name(tmp_path: Path, backing: Backing) -> None:
    (tmp_path / "app.py").write_text(PLACES)
    (tmp_path / "data.py").write_text("store = {}\n")
    app = App(tmp_path, module="app")
    changed = changed_state(app, Scenario("hits", lambda http: [http.call("hit") for _ in range(3)] and None), backing)
    assert {each.name for each in changed} == {
        "app.manager.items",
        "app.Manager.shared",
        "app.counter.<count>",
        "app.defaulted.<defaults>",
        "app.tagged.calls",
        "app.recent",
        "app.number",
        "app.deep",
        "data.store",
    }
    assert {request for each in changed for request in each.requests} == {"POST /hit"}
    assert (
        changed_state(app, Scenario("reads", lambda http: [http.call("read") for _ in range(3)] and None), backing)
        == ()
    )


def test_a_command_cannot_be_looked_into(tmp_path: Path, backing: Backing) -> None:
    def drive(http: Http) -> None:
        http.get("/")

    with pytest.raises(CannotVerifyError, match="needs an import string"):
        changed_state(App(tmp_path, "serve {port}"), Scenario("x", drive), backing)


def test_an_attribute_of_an_entry_belongs_to_its_store() -> None:
    assert covers("app.polls", "app.polls.votes")
    assert covers("shop.Carts._carts", "shop.carts._carts")
    assert not covers("app.polls", "app.pollsters")
    assert not covers("app.polls.votes", "app.polls")
