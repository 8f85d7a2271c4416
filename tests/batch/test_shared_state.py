"""State that services share: by default nothing changes; a service that sets the variable has it in Redis, alone."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from campaigns import planned as campaign_planned
from campaigns import plans

from unstate.batch.discover import discover
from unstate.batch.listing import listing
from unstate.batch.units import library_units
from unstate.batch.work import Planned, settings
from unstate.cli.batching import found_in
from unstate.model import Group
from unstate.plan import plan
from unstate.render import render
from unstate.scan import scan
from unstate.verify.services import redis_server

APP = "from flask import Flask\n\nimport shop.state as state\n\napp = Flask(__name__)\n\n\n"
ROUTES = "".join(
    f'@app.get("/{name}/<key>/<value>")\ndef {name}(key: str, value: str):\n'
    f"    return str(state.{name}(key, value))\n\n\n"
    for name in ("put", "take", "size", "names", "count", "forget", "wipe")
)
STATE = '''\
"""What the shop remembers."""

notes: dict[str, str] = {}
visits: dict[str, int] = {}
basket: dict[str, str] = {}  # {in order}


def put(key: str, value: str) -> str:
    """Remember a value.

      Indented {text} of a docstring stays as it is.
    """
    notes[key] = value
    basket[key] = f"{{{value}}}"
    return f"kept {value}"


def take(key: str, value: str) -> str | None:
    # What was there, or nothing.
    return notes.get(key)


def size(key: str, value: str) -> int: return len(basket)


def names(key: str, value: str) -> list[str]:
    found = []
    for name in basket:
        found.append(name)
    return sorted(found)


def count(key: str, value: str) -> int:
    if key not in visits:
        visits[key] = 0
    visits[key] += 1
    return visits[key]


def forget(key: str, value: str) -> str:
    try:
        del notes[key]
    except KeyError:
        return "never seen"
    return """gone
  for good"""


def wipe(key: str, value: str) -> None:
    basket.clear()
'''
# Runs calls of the library and writes the answers; `redis` must not be there where state stays in memory.
CALLS = """\
import asyncio, inspect, json, os, sys
if "SHOP_STATE_PREFIX" not in os.environ:
    sys.modules["redis"] = None
from shop import state

async def call(name, key, value):
    answer = getattr(state, name)(key, value)
    return await answer if inspect.isawaitable(answer) else answer

async def main():
    return [await call(*each) for each in json.load(sys.stdin)]

print(json.dumps(asyncio.run(main())))
"""


def library(root: Path, state: str = STATE, app: str = APP + ROUTES, service: str = "") -> Path:
    """A repository with two services and the library that they share."""
    files = {
        "libs/shop/pyproject.toml": '[project]\nname = "shop"\nversion = "1"\n\n[build-system]\nrequires = ["x"]\n',
        "libs/shop/src/shop/__init__.py": "",
        "libs/shop/src/shop/state.py": state,
        **{
            f"services/{name}/{file}": text
            for name in ("orders", "users")
            for file, text in {"requirements.txt": "flask\n", "app.py": app + service}.items()
        },
    }
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def planned(root: Path) -> Planned:
    """The plan of the library, with every group taken."""
    estate = discover(root)
    unit = next(each for each in library_units(estate, {"libs/shop": {"orders", "users"}}))
    config = settings(root, unit, {})
    made = plan(root, scan(root, config, 1, unit.folders, unit.libraries), config)
    ids = tuple(group.id for group in made.groups if group.layout is not None)
    return Planned(plan=made, taken=ids, changes=render(root, made, ids))


def migrated(root: Path) -> Path:
    for change in planned(root).changes:
        (root / change.path).parent.mkdir(parents=True, exist_ok=True)
        (root / change.path).write_bytes(change.after or b"")
    return root


def answers(root: Path, calls: list[tuple[str, str, str]], **environ: str) -> list[object]:
    """What the library answers, in a process of its own."""
    plain = {name: value for name, value in os.environ.items() if name not in ("SHOP_STATE_PREFIX", "REDIS_URL")}
    done = subprocess.run(
        [sys.executable, "-c", CALLS],
        input=json.dumps(calls),
        capture_output=True,
        text=True,
        env={**plain, "PYTHONPATH": str(root / "libs/shop/src"), **environ},
    )
    assert done.returncode == 0, done.stderr
    found: list[object] = json.loads(done.stdout)
    return found


def some_calls(seed: int) -> list[tuple[str, str, str]]:
    pick = random.Random(seed)
    names = ["put", "put", "put", "take", "take", "size", "names", "count", "forget", "wipe"]
    keys = ["a", "b", "", "ä:{x}", "notes:*", "a b"]
    return [(pick.choice(names), pick.choice(keys), pick.choice(["1", "", "{}"])) for _ in range(60)]


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as (url, _):
        yield url


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The repository as it was, and as it becomes."""
    before = library(tmp_path_factory.mktemp("before"))
    return before, migrated(library(tmp_path_factory.mktemp("after")))


def test_every_store_is_switched(tmp_path: Path) -> None:
    groups = planned(library(tmp_path)).plan.groups
    assert sorted((group.finding.store.name, group.switch) for group in groups) == [
        ("basket", "SHOP_STATE_PREFIX"),
        ("notes", "SHOP_STATE_PREFIX"),
        ("visits", "SHOP_STATE_PREFIX"),
    ]


@pytest.mark.parametrize("seed", range(5))
def test_by_default_every_answer_is_what_it_was(repositories: tuple[Path, Path], seed: int) -> None:
    before, after = repositories
    assert answers(after, some_calls(seed)) == answers(before, some_calls(seed))


@pytest.mark.parametrize("seed", range(5))
def test_in_redis_every_answer_is_what_it_was(repositories: tuple[Path, Path], redis: str, seed: int) -> None:
    before, after = repositories
    found = answers(after, some_calls(seed), REDIS_URL=redis, SHOP_STATE_PREFIX=f"service-{seed}")
    assert found == answers(before, some_calls(seed))


def test_processes_of_one_service_share_and_services_do_not(repositories: tuple[Path, Path], redis: str) -> None:
    _, after = repositories
    look = [("take", "k", ""), ("names", "", "")]
    assert answers(after, [("put", "k", "v")], REDIS_URL=redis, SHOP_STATE_PREFIX="orders") == ["kept v"]
    assert answers(after, look, REDIS_URL=redis, SHOP_STATE_PREFIX="orders") == ["v", ["k"]]
    assert answers(after, look, REDIS_URL=redis, SHOP_STATE_PREFIX="users") == [None, []]
    answers(after, [("wipe", "", "")], REDIS_URL=redis, SHOP_STATE_PREFIX="users")
    assert answers(after, look, REDIS_URL=redis, SHOP_STATE_PREFIX="orders") == ["v", ["k"]]


@pytest.mark.parametrize("prefix", ["a:b", "a*", "a b", "{}"])
def test_a_prefix_that_could_reach_into_others_is_an_error(repositories: tuple[Path, Path], prefix: str) -> None:
    with pytest.raises(AssertionError, match="SHOP_STATE_PREFIX may hold"):
        answers(repositories[1], [("take", "a", "")], REDIS_URL="redis://localhost:1", SHOP_STATE_PREFIX=prefix)


def test_what_was_written_reads_well_and_is_written_once(repositories: tuple[Path, Path]) -> None:
    _, after = repositories
    path = "libs/shop/src/shop/state.py"
    text = (after / path).read_text()
    assert "basket: dict[str, str] = {}  # {in order}" not in text or "ignore" in text
    assert (
        '    """Remember a value.\n\n      Indented {text} of a docstring stays as it is.\n    """\n    if not' in text
    )
    assert "    if not state_prefix():\n        # What was there, or nothing.\n        return notes.get(key)\n" in text
    assert 'return redis_client.get(f"{state_prefix()}/shop.state:notes:{key}")' in text
    assert planned(after).changes == ()
    assert planned(after).plan.groups == ()


def test_the_generated_module_is_clean(repositories: tuple[Path, Path]) -> None:
    check_clean(repositories[1])


def check_clean(root: Path) -> None:
    path = str(root / "libs/shop/src/shop/backing_services.py")
    ruff = [sys.executable, "-m", "ruff"]
    rules = ["--isolated", "--select", "E,F,W,I,B,UP,SIM,RUF", "--line-length", "120"]
    for command in (
        [*ruff, "check", *rules, path],
        [*ruff, "format", "--isolated", "--line-length", "120", "--diff", path],
        [sys.executable, "-m", "mypy", "--strict", path],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


ASYNC_STATE = """\
notes: dict[str, str] = {}
visits: dict[str, int] = {}


async def put(key: str, value: str) -> str:
    notes[key] = value
    return f"kept {value}"


async def take(key: str, value: str) -> str | None:
    return notes.get(key)


async def count(key: str, value: str) -> int:
    visits[key] = visits.get(key, 0) + 1
    return visits[key]


async def names(key: str, value: str) -> list[str]:
    return [name async for name in each()]


async def each():
    for name in ("a", "b"):
        if name in notes:
            yield name
"""
ASYNC_APP = "from fastapi import FastAPI\n\nimport shop.state as state\n\napp = FastAPI()\n\n\n" + "".join(
    f'@app.get("/{name}/{{key}}/{{value}}")\nasync def {name}(key: str, value: str):\n'
    f"    return await state.{name}(key, value)\n\n\n"
    for name in ("put", "take", "count", "names")
)


def test_asynchronous_code_is_switched_too(tmp_path: Path, redis: str) -> None:
    before = library(tmp_path / "before", ASYNC_STATE, ASYNC_APP)
    after = library(tmp_path / "after", ASYNC_STATE, ASYNC_APP)
    assert {group.switch for group in planned(after).plan.groups} == {"SHOP_STATE_PREFIX"}
    check_clean(migrated(after))
    pick = random.Random(1)
    calls = [(pick.choice(["put", "take", "count", "names"]), pick.choice("ab"), "v") for _ in range(40)]
    expected = answers(before, calls)
    assert answers(after, calls) == expected
    assert answers(after, calls, REDIS_URL=redis, SHOP_STATE_PREFIX="async") == expected
    assert answers(after, [("take", "a", "")], REDIS_URL=redis, SHOP_STATE_PREFIX="async") == ["v"]
    assert answers(after, [("take", "a", "")], REDIS_URL=redis, SHOP_STATE_PREFIX="other") == [None]


def one(groups: tuple[Group, ...]) -> Group:
    assert len(groups) == 1
    return groups[0]


NOT_ALONE: dict[str, tuple[str, str, str]] = {
    "a service reaches in": (
        "notes: dict[str, str] = {}\n\n\ndef put(key: str, value: str) -> None:\n    notes[key] = value\n",
        '@app.get("/x/<key>")\ndef x(key: str):\n    return state.notes.get(key) or ""\n',
        "services/orders/app.py uses it directly",
    ),
    "it is filled at import": (
        'notes: dict[str, str] = {}\nnotes["first"] = "1"\n\n\n'
        "def put(key: str, value: str) -> None:\n    notes[key] = value\n",
        "",
        "the store is used when its module is imported",
    ),
    "its definition has a remark on its type": (
        "notes: dict[str, str] = {}  # type: ignore\n\n\ndef put(key: str, value: str):\n    notes[key] = value\n",
        "",
        "a store's definition has no room for a remark",
    ),
}


@pytest.mark.parametrize("case", NOT_ALONE)
def test_what_cannot_be_switched_moves_everywhere_and_says_so(tmp_path: Path, case: str) -> None:
    state, service, reason = NOT_ALONE[case]
    route = (
        '@app.get("/put/<key>/<value>")\ndef put(key: str, value: str):\n    state.put(key, value)\n    return ""\n\n\n'
    )
    group = one(planned(library(tmp_path, state, APP + route, service)).plan.groups)
    assert group.switch == ""
    if service:
        assert [path for path in group.files if path.startswith("services/")] == [
            "services/orders/app.py",
            "services/users/app.py",
        ]
    if group.layout is not None:
        assert group.verdict == "review"
        assert any(reason in each and "every service" in each for each in group.differences)
    else:
        assert group.refusals


OWN = """\
hits: dict[str, int] = {}


@app.get("/hit/<key>")
def hit(key: str):
    hits[key] = hits.get(key, 0) + 1
    return str(hits[key])
"""


def test_the_change_of_each_service_says_how_it_is_switched(tmp_path: Path) -> None:
    root = library(tmp_path / "repo", service=OWN)
    assert not campaign_planned(tmp_path / "campaign", discover(root)).failures
    made = plans(tmp_path / "campaign")
    for name in ("orders", "users"):
        body = made[f"services/{name}/pull-request.md"].decode()
        assert f"`SHOP_STATE_PREFIX={name}`: `notes`, `visits`, `basket`" in body
        assert b"libs/" not in made[f"services/{name}/change.patch"]
    body = made["libraries/shop/pull-request.md"].decode()
    assert "When this goes live nothing moves" in body
    assert "$SHOP_STATE_PREFIX/shop.state:notes" in body
    assert b"services/" not in made["libraries/shop/change.patch"]


def test_the_list_shows_the_stores_of_a_service_and_counts_those_of_libraries(tmp_path: Path) -> None:
    estate = discover(library(tmp_path, service=OWN))
    text = listing(estate, found_in(estate))
    orders = text.split("\n\n")[0]
    assert orders.startswith("orders  services/orders  flask")
    assert ": hits (counter)\n" in orders
    assert orders.endswith("3 stores in libs/shop")
