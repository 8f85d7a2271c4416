"""How long a plan and its changes take for one large service, beside the scan that comes before.

Run with `pytest tests/bench/test_plan_speed.py -s`.
"""

from __future__ import annotations

from pathlib import Path
from time import process_time

import pytest

from unstate.config import Config
from unstate.model import Verdict
from unstate.plan import Sources, plan
from unstate.render import render
from unstate.scan import scan

FILES, STORES = 300, 60
LIMIT = 7.0  # times the cold scan; 5 on a machine that does nothing else

# A store, a helper that uses it, and handlers in another file; what a service is made of besides.
STATE = """
{name}: dict[str, {kind}] = {{}}


def keep_{name}(key: str, value: {kind}) -> None:
    {name}[key] = value


def drop_{name}(key: str) -> {kind} | None:
    return {name}.pop(key, None)
"""
VIEWS = """
from flask import Blueprint, abort, jsonify, request

from service.state.{name} import drop_{name}, keep_{name}, {name}

views_{name} = Blueprint("{name}", __name__)


@views_{name}.post("/{name}/<key>")
def put_{name}(key: str):
    value: {kind} = {read}
    keep_{name}(key, value)
    return jsonify(kept=key)


@views_{name}.get("/{name}/<key>")
def get_{name}(key: str):
    if key not in {name}:
        abort(404)
    return jsonify(value={name}[key])


@views_{name}.delete("/{name}/<key>")
def delete_{name}(key: str):
    return jsonify(dropped=drop_{name}(key))
"""
OTHER = """
import json
from dataclasses import dataclass

RULES = {{"a": 1, "b": 2}}


@dataclass
class Item{number}:
    name: str
    price: int

    def total(self, count: int) -> int:
        return self.price * count + RULES["a"]


def read_{number}(text: str) -> list[Item{number}]:
    items = []
    for each in json.loads(text):
        items.append(Item{number}(each["name"], int(each["price"])))
    return sorted(items, key=lambda item: item.name)
"""


@pytest.fixture
def service(tmp_path: Path) -> Path:
    package = tmp_path / "service"
    kinds = {"str": 'request.get_json()["value"]', "int": 'int(request.get_json()["value"])'}
    for folder in (package, package / "state", package / "views", package / "domain"):
        folder.mkdir()
        (folder / "__init__.py").touch()
    made = [(f"store{number}", list(kinds)[number % 2]) for number in range(STORES)]
    for name, kind in made:
        (package / "state" / f"{name}.py").write_text(STATE.format(name=name, kind=kind))
        (package / "views" / f"{name}.py").write_text(VIEWS.format(name=name, kind=kind, read=kinds[kind]))
    imports = "".join(f"from service.views.{name} import views_{name}\n" for name, _ in made)
    registered = "".join(f"app.register_blueprint(views_{name})\n" for name, _ in made)
    (tmp_path / "app.py").write_text(f"from flask import Flask\n{imports}\napp = Flask(__name__)\n{registered}")
    for number in range(FILES - 2 * STORES - 5):
        (package / "domain" / f"part{number}.py").write_text(OTHER.format(number=number))
    assert len(list(tmp_path.rglob("*.py"))) == FILES
    return tmp_path


def test_a_plan_costs_a_few_scans(service: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # nothing is known of the files yet
    times = {}
    start = process_time()
    found = scan(service, Config())
    times["scan"], start = process_time() - start, process_time()
    sources = Sources(service)
    made = plan(service, found, Config(), sources=sources)
    times["plan"], start = process_time() - start, process_time()
    changes = render(service, made, [group.id for group in made.groups], sources)
    times["render"] = process_time() - start
    assert len([group for group in made.groups if group.verdict is not Verdict.MANUAL]) == STORES
    for name, seconds in times.items():
        print(f"\n{name:<8} {seconds:6.2f} s", end="")
    ratio = (times["plan"] + times["render"]) / times["scan"]
    print(f"\n{FILES} files, {STORES} stores, {len(changes)} files changed: {ratio:.1f} times the cold scan")
    assert ratio < LIMIT
