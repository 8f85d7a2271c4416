"""Keys that another process computes otherwise are told, and those that all compute alike are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from .test_readable import migrated

APP = """
import os
import secrets
import threading
import time
import uuid
from flask import Flask, session

app = Flask(__name__)
SALT = secrets.token_hex()
GIVEN = os.environ.get("SALT") or secrets.token_hex()
PREFIX = "user"


class Logins:
    kind = "login"

    def __init__(self, salt: str = "") -> None:
        self.salt = str(time.time_ns())
        self.given = salt
        self.last = uuid.uuid4().hex
        self.failed: dict[str, str] = {{}}

    def digest(self, login: str, salt: str) -> str:
        return login + salt

    def note(self, login: str) -> str:
        self.last = login
        {made}
        if self.failed.get(key) is None:
            self.failed[key] = login
        return "noted"


logins = Logins()


@app.post("/login/<name>")
def login(name: str) -> str:
    return logins.note(name)
"""


def told(root: Path, made: str) -> list[str]:
    """What is said of the keys of the store that is asked by the key."""
    groups = migrated(root, {"app.py": APP.format(made=made)})[0].groups
    group = next(each for each in groups if each.finding.store.name == "Logins.failed")
    assert group.differences, group.refusals
    return [text for text in group.differences if "the key is made with" in text]


@pytest.mark.parametrize(
    ("made", "part"),
    [
        ("key = f'{login}:{self.salt}'", "`self.salt`, which each process makes anew in line 19"),
        ("key = login + self.digest(login, str(self.salt))", "`self.salt`"),
        ("salted = self.salt\n        key = login + salted", "`self.salt`"),
        ("key = login + SALT", "`SALT`, which each process makes anew in line 10"),
        ("key = str(hash(login))", "`hash(...)`"),
        ("key = str(id(session))", "`id(...)`"),
        ("key = f'{os.getpid()}:{login}'", "`os.getpid(...)`"),
        ("key = f'{threading.get_ident()}'", "`threading.get_ident(...)`"),
    ],
)
def test_a_key_of_one_process_is_told(made: str, part: str, tmp_path: Path) -> None:
    (text,) = told(tmp_path, made)
    line = 29 + made.count("\n")
    assert text.startswith(f"app.py, lines {line + 1}, {line + 2}: the key is made with {part}")


@pytest.mark.parametrize(
    "made",
    [
        "key = login",
        "key = f'{PREFIX}:{login}'",
        "key = login + GIVEN",
        "key = login + self.given",
        "key = login + self.kind",
        "key = login + self.last",  # set with each call too
        "key = uuid.uuid4().hex",  # made for one request, and handed out
        "key = f'{login}:{int(time.time()) // 60}'",
        "salt = session['salt']\n        key = login + salt",
    ],
)
def test_a_key_that_all_processes_know_is_not(made: str, tmp_path: Path) -> None:
    assert told(tmp_path, made) == []
