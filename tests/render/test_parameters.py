"""Clients as parameters of FastAPI's handlers: where they may be, and where they stay imported."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from unstate.config import Config
from unstate.model import Plan, Verdict
from unstate.plan import plan
from unstate.render import render
from unstate.scan import scan

HEAD = """
from fastapi import APIRouter, Depends, FastAPI, Request

app = FastAPI()
notes: dict[str, str] = {}

"""
PUT = """
@app.put("/{name}")
def put(name: str) -> None:
    notes[name] = "x"
"""


def made(root: Path, *, injection: str = "depends") -> tuple[Plan, dict[str, str]]:
    config = Config(injection=injection)
    plan_ = plan(root, scan(root, config), config)
    accepted = [group.id for group in plan_.groups if group.verdict is not Verdict.MANUAL]
    return plan_, {each.path: (each.after or b"").decode() for each in render(root, plan_, accepted)}


def app(root: Path, text: str, **others: str) -> str:
    """What becomes of an app of one file, with other files beside it."""
    (root / "app.py").write_text(HEAD + dedent(text))
    for name, content in others.items():
        (root / f"{name}.py").write_text(dedent(content))
    return made(root)[1]["app.py"]


TAKES = {
    "a parameter": ("name: str", "name: str, redis_client: RedisDep"),
    "none": ("", "redis_client: RedisDep"),
    "a default": ("name: str = 'a'", "redis_client: RedisDep, name: str = 'a'"),
    "some defaults": ("name: str, q: int = 1", "name: str, redis_client: RedisDep, q: int = 1"),
    "keyword-only": ("*, name: str", "redis_client: RedisDep, *, name: str"),
    "both": ("name: str, *, q: int = 1", "name: str, redis_client: RedisDep, *, q: int = 1"),
    "a trailing comma": ("name: str,", "name: str, redis_client: RedisDep,"),
    "one a line": ("\n    name: str,\n", "\n    name: str,\n    redis_client: RedisDep,\n"),
    "one a line, without the last comma": ("\n    name: str\n", "\n    name: str,\n    redis_client: RedisDep\n"),
    "a comment": (
        "\n    name: str,  # whose\n    q: int = 1,  # how\n",
        "\n    name: str,  # whose\n    redis_client: RedisDep,\n    q: int = 1,  # how\n",
    ),
    "a comment at the end": (
        "\n    name: str,  # whose\n",
        "\n    name: str,  # whose\n    redis_client: RedisDep,\n",
    ),
    "a comment at the end, without the last comma": (
        "\n    name: str  # whose\n",
        "\n    name: str,  # whose\n    redis_client: RedisDep\n",
    ),
    "too long": (
        "name: str, first_thing: int = 1, second_thing: int = 2, third_thing: int = 3",
        "\n    name: str,\n    redis_client: RedisDep,\n    first_thing: int = 1,\n    second_thing: int = 2,\n"
        "    third_thing: int = 3,\n",
    ),
}


@pytest.mark.parametrize("name", TAKES)
def test_a_handler_takes_the_client(tmp_path: Path, name: str) -> None:
    before, after = TAKES[name]
    text = app(tmp_path, f'@app.put("/{{name}}")\ndef put({before}) -> None:\n    notes["a"] = "x"\n')
    assert f"def put({after}) -> None:" in text
    assert "import RedisDep" in text
    compile(text, "app.py", "exec")


TAKERS = {
    "a router": """
        router = APIRouter()
        @router.post("/x")
        @router.put("/y")
        def put() -> None:
            notes["a"] = "x"
        """,
    "a function that makes the app": """
        def make() -> FastAPI:
            app = FastAPI()
            @app.put("/x")
            def put() -> None:
                notes["a"] = "x"
            return app
        """,
    "a dependency": """
        def put() -> None:
            notes["a"] = "x"
        @app.get("/x", dependencies=[Depends(put)])
        def show() -> None: ...
        """,
    "a closure": """
        @app.put("/x")
        def put() -> None:
            def later() -> None:
                notes["a"] = "x"
            later()
        """,
    "a socket": """
        @app.websocket("/x")
        def put(socket: Request) -> None:
            notes["a"] = "x"
        """,
}


@pytest.mark.parametrize("name", TAKERS)
def test_who_takes_it(tmp_path: Path, name: str) -> None:
    text = app(tmp_path, TAKERS[name])
    assert "redis_client: RedisDep" in text
    assert "import RedisDep" in text


KEPT = {
    "it is called": (PUT + "def other() -> None:\n    put('a')\n", {}),
    "it is handed on": (PUT + "app.add_api_route('/more', put)\n", {}),
    "it is named in a table": (PUT + "ALL = {'put': put}\n", {}),
    "a test calls it": (PUT, {"test_app": "from app import put\nput('a')\n"}),
    "a test calls it by its module": (PUT, {"test_app": "import app\napp.put('a')\n"}),
    "a test calls it by another name": (PUT, {"test_app": "from app import put as p\np('a')\n"}),
    "by another name of the module": (PUT, {"test_app": "import app as m\nm.put('a')\n"}),
    "through another module": (PUT, {"api": "from app import put\n", "test_app": "from api import put\nput('a')\n"}),
    "with all names of the module": (PUT, {"test_app": "from app import *\nput('a')\n"}),
    "by its text": (PUT, {"test_app": "import app\ngetattr(app, 'put')('a')\n"}),
    "a file that is no Python": (PUT, {"test_app": "from app import put\nput('a'\n"}),
    "any arguments": ('@app.put("/x")\ndef put(*args: str) -> None:\n    notes["a"] = "x"\n', {}),
    "any keywords": ('@app.put("/x")\ndef put(**more: str) -> None:\n    notes["a"] = "x"\n', {}),
    "positional only": ('@app.put("/x")\ndef put(name: str = "", /) -> None:\n    notes["a"] = "x"\n', {}),
    "another decorator": (
        'def twice(f):\n    return f\n@app.put("/x")\n@twice\ndef put() -> None:\n    notes["a"] = "x"\n',
        {},
    ),
    "a middleware": ('@app.middleware("http")\ndef put(request, call_next):\n    notes["a"] = "x"\n', {}),
    "no app of FastAPI": ('app = print\n@app.put("/x")\ndef put() -> None:\n    notes["a"] = "x"\n', {}),
    "a helper below": ("def store(name: str) -> None:\n    notes[name] = 'x'\n" + PUT, {}),
    "a helper elsewhere": (
        PUT,
        {
            "more": """
                from fastapi import APIRouter
                from app import notes
                router = APIRouter()
                @router.post("/more")
                def more() -> None:
                    keep()
                def keep() -> None:
                    notes["a"] = "x"
                """
        },
    ),
    "two of one name": (PUT + '@app.post("/{name}")\ndef put(name: str) -> None:\n    notes[name] = "y"\n', {}),
    "the client's name is taken": (PUT + "redis_client = 1\n", {}),
    "the type's name is taken": (PUT + "RedisDep = 1\n", {}),
    "another library depends on it as well": (
        """
        def put() -> None:
            notes["a"] = "x"
        @app.get("/x", dependencies=[Depends(put)])
        def show() -> None: ...
        """,
        {"tasks": "from faststream import Depends\nfrom app import put\nALL = [Depends(put)]\n"},
    ),
    "a method": (
        "class Views:\n    @app.put('/x')\n    def put(self) -> None:\n        notes['a'] = 'x'\n",
        {},
    ),
}


@pytest.mark.parametrize("name", KEPT)
def test_a_client_that_stays_imported(tmp_path: Path, name: str) -> None:
    text, others = KEPT[name]
    after = app(tmp_path, text, **others)
    assert "redis_client" in after
    assert ": RedisDep" not in after
    assert "import redis_client" in after or "redis_client as" in after


def test_a_note_says_why(tmp_path: Path) -> None:
    app(
        tmp_path,
        "def keep(name: str) -> None:\n    notes[name] = 'x'\n@app.put('/')\ndef put() -> None:\n    keep('a')\n",
    )
    notes = made(tmp_path)[0].backing[0].notes
    assert notes == (
        "Clients that are used outside of functions which FastAPI alone calls stay imported everywhere: app.py:8 keep.",
    )


def test_an_old_fastapi_knows_no_annotated(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("fastapi==0.94.1\n")
    assert ": RedisDep" not in app(tmp_path, PUT)


@pytest.mark.parametrize("injection", ["framework", "module"])
def test_nobody_asked(tmp_path: Path, injection: str) -> None:
    (tmp_path / "app.py").write_text(HEAD + PUT)
    files = made(tmp_path, injection=injection)[1]
    assert "import redis_client" in files["app.py"]
    assert "Depends" not in files["backing_services.py"]


def test_more_state_later(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(HEAD + PUT)
    for path, content in made(tmp_path)[1].items():
        (tmp_path / path).write_text(content)
    text = (tmp_path / "app.py").read_text() + '    tags[name] = "y"\n'
    text += '\n\n@app.post("/tags")\ndef tag() -> None:\n    tags["a"] = "x"\n'
    (tmp_path / "app.py").write_text(text.replace("app = FastAPI()", "app = FastAPI()\ntags: dict[str, str] = {}"))
    after = made(tmp_path)[1]["app.py"]
    assert after.count("redis_client: RedisDep") == 2
    assert "import RedisDep\n" in after
    assert "backing_redis" not in after


@pytest.fixture
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in ("app", "backing_services"):
        sys.modules.pop(name, None)


def test_an_override_counts_for_all_of_the_state(importable: Path) -> None:
    from importlib import import_module

    from fastapi.testclient import TestClient

    (importable / "app.py").write_text(
        HEAD + PUT + "@app.get('/{name}')\ndef get(name: str):\n    return notes.get(name)\n"
    )
    for path, content in made(importable)[1].items():
        (importable / path).write_text(content)
    held: dict[str, str] = {}

    class Fake:
        def set(self, key: str, value: str) -> None:
            held[key] = value

        def get(self, key: str) -> str | None:
            return held.get(key)

    for name in ("app", "backing_services"):  # those of a test before, in the same process
        sys.modules.pop(name, None)
    module = import_module("app")
    module.app.dependency_overrides[import_module("backing_services").get_redis_client] = Fake
    client = TestClient(module.app)
    assert client.put("/a").status_code == 200
    assert client.get("/a").json() == "x"
    assert held == {"notes:a": "x"}
    assert "redis_client" not in str(client.get("/openapi.json").json())
