"""A small repository of several services, and the estate that it is."""

from __future__ import annotations

import subprocess
from pathlib import Path

from unstate.batch.model import Estate, Library, Service

APP = """\
from flask import Flask, request

app = Flask(__name__)
{name}_sessions = {{}}


@app.post("/login")
def login():
    token = request.form["token"]
    {name}_sessions[token] = request.form["user"]
    return token


@app.get("/who")
def who():
    return {name}_sessions.get(request.args["token"], "")
"""
PLAIN = """\
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "nothing is kept here"
"""
TEST = """\
from app import app


def test_nobody():
    assert app is not None
"""
LIBRARY = """\
seen = {}


def remember(key, value):
    seen[key] = value


def recall(key):
    return seen.get(key, "")
"""
USER = """\
from flask import Flask, request

from common.memory import recall, remember

app = Flask(__name__)


@app.post("/set")
def put():
    remember(request.form["key"], request.form["value"])
    return "ok"


@app.get("/get")
def get():
    return recall(request.args["key"])
"""


def git(root: Path, *arguments: str) -> str:
    """Run git in the repository."""
    who = ["-c", "user.name=A Person", "-c", "user.email=person@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(root), *who, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.rstrip("\n")


def commit(root: Path, message: str = "Work") -> str:
    """Commit all there is."""
    git(root, "add", "-A")
    git(root, "commit", "--quiet", "--message", message)
    return git(root, "rev-parse", "HEAD")


def service(root: Path, name: str, source: str | None = None) -> Service:
    """Add a service with one store, or with another source."""
    folder = root / "services" / name
    folder.mkdir(parents=True)
    (folder / "app.py").write_text(APP.format(name=name.replace("-", "_")) if source is None else source)
    (folder / "requirements.txt").write_text("flask\n")
    return Service(name=name, root=f"services/{name}", frameworks=("flask",))


def repository(root: Path, *names: str) -> Estate:
    """A git repository at `root` with a service a name; "plain…" keeps nothing."""
    root.mkdir(parents=True, exist_ok=True)
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "config", "user.name", "A Person")
    git(root, "config", "user.email", "person@example.com")
    services = tuple(service(root, name, PLAIN if name.startswith("plain") else None) for name in sorted(names))
    commit(root)
    return Estate(root=str(root), services=services)


def with_library(root: Path, estate: Estate, *users: str) -> Estate:
    """Add a library that keeps state, and services that use it."""
    folder = root / "libs" / "common"
    (folder / "common").mkdir(parents=True)
    (folder / "common" / "__init__.py").write_text("")
    (folder / "common" / "memory.py").write_text(LIBRARY)
    (folder / "pyproject.toml").write_text('[project]\nname = "common"\nversion = "1"\n')
    added = []
    for name in users:
        made = service(root, name, USER)
        added.append(Service(name=made.name, root=made.root, frameworks=("flask",), libraries=("libs/common",)))
    commit(root)
    return Estate(
        root=estate.root,
        services=tuple(sorted([*estate.services, *added], key=lambda each: each.root)),
        libraries=(Library(name="common", root="libs/common", used_by=tuple(sorted(users))),),
    )
