"""Processes that start from a parent with the app's libraries: quicker, and in nothing else different."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from unstate.verify import App, Backing, CannotVerifyError, Scenario, verify
from unstate.verify.answers import Answer
from unstate.verify.client import Http, send
from unstate.verify.machines import Fleet
from unstate.verify.warm import imported, nursery

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs pidfd_open")

APP = """
import os, sys, tempfile
import flask
seen = []
def look():
    seen.append(1)
    return {
        "parent": os.getppid(),
        "seen": len(seen),
        "here": os.getcwd(),
        "temporary": tempfile.gettempdir(),
        "hash": hash("some text"),
        "file": __file__,
        "setting": os.environ["SETTING"],
        "session": os.getsid(0) == os.getpid(),
    }
def leave():
    os._exit(7)
"""


def looked(folder: Path, count: int) -> list[dict[str, object]]:
    """What each of several processes sees when it is asked twice."""
    answers: list[dict[str, object]] = []
    with Fleet(App(folder, module="app", env={"SETTING": "x"}), {}) as fleet:
        for machine in fleet.boot(count):

            def route(step: int, request: object, machine: object = machine) -> Answer:
                return send(machine, request)  # type: ignore[arg-type]

            Scenario("", lambda http: answers.append(http.call("look"))).run(route)
    return answers


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "app.py").write_text(APP)
    return tmp_path / "app"


def test_a_forked_process_is_one_of_its_own(app: Path) -> None:
    answers = looked(app, 4)
    parents = {nursery(sys.executable, app, (".",), {}) for _ in range(3)}
    assert len({answer["parent"] for answer in answers}) == len(parents) == 3
    assert os.getpid() not in {answer["parent"] for answer in answers}
    assert len({answer["hash"] for answer in answers}) == 3
    assert [answer["seen"] for answer in answers] == [1, 1, 1, 1]
    assert len({answer["here"] for answer in answers}) == 4
    assert len({answer["temporary"] for answer in answers}) == 4
    assert all(str(answer["file"]).startswith(str(answer["here"])) for answer in answers)
    assert {(answer["setting"], answer["session"]) for answer in answers} == {("x", True)}


def test_how_it_ended_is_known(app: Path) -> None:
    with Fleet(App(app, module="app"), {}) as fleet:
        first, second = fleet.boot(2)
        assert first.child.returncode is None
        Scenario("", lambda http: http.call("leave")).run(lambda step, request: send(first, request))
        assert first.child.wait(10)
        assert first.child.returncode == 7
        second.child.kill()
        assert second.child.returncode == -signal.SIGKILL


def test_a_parent_that_is_gone_is_no_harm(app: Path) -> None:
    looked(app, 1)
    for _ in range(3):
        parent = nursery(sys.executable, app, (".",), {})
        assert parent is not None
        parent._child.kill()
    (answer,) = looked(app, 1)
    assert answer["parent"] == os.getpid()


def test_what_does_not_start_says_why(app: Path, backing: Backing) -> None:
    (app / "app.py").write_text("import flask\nraise RuntimeError('not today')\n")

    def drive(http: Http) -> None:
        http.call("look")

    with pytest.raises(CannotVerifyError, match=r"(?s)does not start:.*RuntimeError: not today"):
        verify(App(app, module="app"), Scenario("", drive), backing)


@pytest.mark.parametrize(
    ("text", "modules"),
    [
        ("import os\n", ()),
        ("from flask import Flask\n", ("flask", "redis", "redis.asyncio")),
        ("def f():\n    import redis\n", ("redis", "redis.asyncio")),
        ("import redis, flask\nfrom shop import flask\n", ("redis", "redis.asyncio")),
        ("from gevent import monkey\nimport flask\n", None),
        ("import boto3\n", ()),  # a module of the app's own, see below
    ],
)
def test_what_may_be_there_before_the_app(text: str, modules: tuple[str, ...] | None, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(text)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "boto3.py").touch()
    assert imported(tmp_path, (".", "src")) == modules


def test_an_app_with_settings_for_its_interpreter_starts_by_itself(app: Path) -> None:
    assert nursery(sys.executable, app, (".",), {"PYTHONHASHSEED": "0"}) is None
