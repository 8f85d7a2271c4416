"""A helper becomes asynchronous only where every call of it is known: one that is not awaited would always be true."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from unstate.config import Config
from unstate.model import Group
from unstate.plan import plan
from unstate.scan import scan

SESSIONS = """
sessions: dict[str, str] = {}


def remember(token: str, user: str) -> None:
    sessions[token] = user


def lookup(token: str) -> str | None:
    return sessions.get(token)
"""
LOGIN = """
from fastapi import FastAPI

from sessions import remember

app = FastAPI()


@app.post("/login/{user}")
async def login(user: str) -> None:
    remember(user, user)
"""


def planned(root: Path, app: str, **more: str) -> Group:
    for name, text in {"sessions": SESSIONS, "app": LOGIN + dedent(app), **more}.items():
        (root / f"{name}.py").write_text(dedent(text).lstrip())
    (group,) = plan(root, scan(root, Config()), Config()).groups
    return group


@pytest.mark.parametrize(
    "app",
    [
        "from sessions import lookup\n@app.get('/me')\nasync def me(token: str):\n    return lookup(token)",
        "import sessions\n@app.get('/me')\nasync def me(token: str) -> str | None:\n    return sessions.lookup(token)",
    ],
    ids=["by its name", "by its module"],
)
def test_a_helper_follows_its_callers(tmp_path: Path, app: str) -> None:
    assert planned(tmp_path, app).awaited == ("sessions:lookup", "sessions:remember")


@pytest.mark.parametrize(
    "app",
    [
        "import sessions as kept\n@app.get('/me')\nasync def me(token: str):\n    return kept.lookup(token)",
        "from sessions import lookup as find\n@app.get('/me')\nasync def me(token: str) -> str | None:\n"
        "    return find(token)",
        "from sessions import *\n@app.get('/me')\nasync def me(token: str):\n    return lookup(token)",
        "from elsewhere import lookup\n@app.get('/me')\nasync def me(token: str):\n    return lookup(token)",
        "import sessions\n@app.get('/me')\nasync def me(token: str) -> bool:\n"
        "    return any(sessions.lookup(each) for each in token)",
        "import sessions\n@app.get('/me')\nasync def me(token: str) -> list[str]:\n"
        "    return sorted(token, key=lambda each: sessions.lookup(each))",
        "import sessions\n@app.get('/me')\nasync def me(token: str) -> str | None:\n"
        "    return getattr(sessions, 'lookup')(token)",
        "import sessions\n@app.get('/me')\ndef me(token: str) -> str | None:\n    return sessions.lookup(token)",
        "import dns\n@app.get('/me')\nasync def me(token: str) -> str | None:\n    return dns.resolver.lookup(token)",
    ],
    ids=[
        "module under another name",
        "function under another name",
        "all names",
        "another function of that name",
        "generator",
        "lambda",
        "text",
        "synchronous handler",
        "method of something else",
    ],
)
def test_one_that_may_be_called_otherwise_stays(tmp_path: Path, app: str) -> None:
    assert "sessions:lookup" not in planned(tmp_path, app).awaited


REGISTRY = """
class Registry:
    def __init__(self) -> None:
        self.seen: dict[str, str] = {}

    def note(self, user: str) -> None:
        self.seen[user] = user


registry = Registry()
"""


@pytest.mark.parametrize(
    ("app", "becomes"),
    [
        (
            "from registry import registry\n@app.get('/a')\nasync def a(user: str) -> None:\n    registry.note(user)",
            True,
        ),
        (
            "from registry import registry\n@app.get('/a')\nasync def a(user: str) -> None:\n    registry.note(user)\n"
            "async def other(registry) -> None:\n    registry.note('x')",
            False,
        ),
        (
            "from registry import registry\nclass Own:\n    def note(self, user): pass\n"
            "@app.get('/a')\nasync def a(user: str) -> None:\n    registry.note(user)",
            False,
        ),
    ],
    ids=["the one object", "a parameter of that name", "another method of that name"],
)
def test_a_method_follows_the_calls_on_the_one_object(tmp_path: Path, app: str, becomes: bool) -> None:
    source = "from fastapi import FastAPI\napp = FastAPI()\n" + app
    (tmp_path / "registry.py").write_text(REGISTRY.lstrip())
    (tmp_path / "app.py").write_text(source)
    (group,) = plan(tmp_path, scan(tmp_path, Config()), Config()).groups
    assert (group.awaited == ("Registry.note",)) is becomes


@pytest.mark.parametrize(
    ("handler", "declared"),
    [
        ("if lookup(user) is None:\n        remember(user, user)", True),
        ("remember(user, user)\n    return lookup(user)", True),
        ("remember(user, user)", False),
        ("return [lookup(user), lookup(user)]", False),
    ],
    ids=["read, then written", "written, then read", "written alone", "read twice"],
)
def test_a_step_over_two_functions_is_told(tmp_path: Path, handler: str, declared: bool) -> None:
    (tmp_path / "app.py").write_text(
        f"from flask import Flask\napp = Flask(__name__)\n{SESSIONS}\n@app.post('/set/<user>')\n"
        f"def put(user: str):\n    remember(user, user)\n\n\n"
        f"@app.post('/do/<user>')\ndef do(user: str):\n    {handler}\n"
    )
    (group,) = plan(tmp_path, scan(tmp_path, Config()), Config()).groups
    assert bool(group.races) is declared
