"""Entries in the app's own settings: written as the others, in an order that does not show the steps."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable

import pytest

from unstate.model import App, Framework, Settings, SettingsStyle
from unstate.render.settings import with_entries
from unstate.render.wire import wired

PYDANTIC = Settings(style=SettingsStyle.PYDANTIC, path="c.py", holder="S", upper=False)
DJANGO = Settings(style=SettingsStyle.DJANGO, path="c.py")
FLASK = Settings(style=SettingsStyle.FLASK, path="c.py", holder="Config")
ALL = ("REDIS_URL", "UPLOAD_BUCKET", "AWS_ENDPOINT_URL_S3")
BYTES: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda source: source,
    "crlf": lambda source: source.replace(b"\n", b"\r\n"),
    "bom": lambda source: b"\xef\xbb\xbf" + source,
    "latin-1": lambda source: b"# -*- coding: latin-1 -*-\n# caf\xe9\n" + source,
    "tabs": lambda source: source.replace(b"    ", b"\t"),
    "form feed": lambda source: source.replace(b"\n\n", b"\n\x0c\n"),
    "no final newline": lambda source: source.rstrip(b"\n"),
}

CASES = {
    "fields of pydantic": (
        PYDANTIC,
        'class S(BaseSettings):\n    a: str = ""\n\n    class Config:\n        env_file = ".env"\n',
        'class S(BaseSettings):\n    a: str = ""\n    redis_url: str = ""\n\n'
        '    class Config:\n        env_file = ".env"\n',
    ),
    "fields in capitals": (
        Settings(style=SettingsStyle.PYDANTIC, path="c.py", holder="S"),
        'class S(BaseSettings):\n    A: str = ""\n    model_config = D()\n',
        'class S(BaseSettings):\n    A: str = ""\n    REDIS_URL: str = ""\n    model_config = D()\n',
    ),
    "quotes as the app has them": (
        FLASK,
        "import os\n\n\nclass Config:\n    KEY = 'a'\n",
        "import os\n\n\nclass Config:\n    KEY = 'a'\n    REDIS_URL = os.environ.get('REDIS_URL', '')\n",
    ),
    "a field that is there": (PYDANTIC, "class S(B):\n    redis_url: RedisDsn\n", None),
    "a class without fields": (
        PYDANTIC,
        'class S(B):\n    """Doc."""\n',
        'class S(B):\n    """Doc."""\n    redis_url: str = ""\n',
    ),
    "a class that is gone": (PYDANTIC, "class T(B):\n    a: int\n", None),
    "Django": (
        DJANGO,
        '"""Doc."""\nimport os\n\nDEBUG = True\n',
        '"""Doc."""\nimport os\n\nDEBUG = True\n\n# Where the state of this app lives\n'
        'REDIS_URL = os.environ.get("REDIS_URL", "")\n',
    ),
    "Django without os": (
        DJANGO,
        '"""Doc."""\nfrom __future__ import annotations\n\nfrom pathlib import Path\n\nX = Path()\n',
        '"""Doc."""\nfrom __future__ import annotations\n\nimport os\nfrom pathlib import Path\n\nX = Path()\n\n'
        '# Where the state of this app lives\nREDIS_URL = os.environ.get("REDIS_URL", "")\n',
    ),
    "Django with environ": (
        DJANGO,
        "import environ\nenv = environ.Env()\nDEBUG = env()\n",
        "import environ\nenv = environ.Env()\nDEBUG = env()\n\n# Where the state of this app lives\n"
        'REDIS_URL = env("REDIS_URL", default="")\n',
    ),
    "Django with decouple": (
        DJANGO,
        "from decouple import config\nKEY = config()\n",
        "from decouple import config\nKEY = config()\n\n# Where the state of this app lives\n"
        'REDIS_URL = config("REDIS_URL", default="")\n',
    ),
    "Django that has it": (DJANGO, "REDIS_URL = 'redis://x'\n", None),
    "keys of Flask": (
        FLASK,
        "import os\n\n\nclass Config:\n    KEY = (\n        1\n    )\n\n    def f(self): ...\n",
        'import os\n\n\nclass Config:\n    KEY = (\n        1\n    )\n    REDIS_URL = os.environ.get("REDIS_URL", "")\n'
        "\n    def f(self): ...\n",
    ),
    "Flask without an import": (
        FLASK,
        "class Config:\n    KEY = 1\n",
        'import os\n\nclass Config:\n    KEY = 1\n    REDIS_URL = os.environ.get("REDIS_URL", "")\n',
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_entry(name: str) -> None:
    settings, before, after = CASES[name]
    assert with_entries(before.encode(), settings, {"REDIS_URL"}).decode() == (before if after is None else after)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[2] is not None])
@pytest.mark.parametrize("variant", BYTES)
def test_any_order_of_steps_in_any_bytes(name: str, variant: str) -> None:
    settings, text, _ = CASES[name]
    before = BYTES[variant](text.encode())
    at_once = with_entries(before, settings, ALL)
    ast.parse(at_once)
    assert at_once.endswith(b"\n") == before.endswith(b"\n")
    assert (b"\r\n" in before) == (b"\r\n" in at_once)
    assert b"\r\n" not in before or at_once.count(b"\n") == at_once.count(b"\r\n")
    kept = iter(lines_of(at_once))
    assert all(line in kept for line in lines_of(before))
    for order in itertools.permutations(ALL):
        content = before
        for each in order:
            content = with_entries(content, settings, {each})
        assert content == at_once, order
    assert with_entries(at_once, settings, ALL) == at_once


def lines_of(content: bytes) -> list[bytes]:
    return content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")


def test_newlines_of_old_macs_are_left() -> None:
    before = b"class Config:\r    KEY = 1\r"
    assert with_entries(before, FLASK, ALL) == before


APP = App(framework=Framework.FASTAPI, path="app.py", name="app")
HEAD = "from fastapi import FastAPI\n"
IMPORT = HEAD + "from shop.backing_services import init_app\n"
WIRED = {
    "a global": (HEAD + "\napp = FastAPI()\nx = 1\n", IMPORT + "\napp = FastAPI()\ninit_app(app)\nx = 1\n"),
    "over lines": (
        HEAD + "app = FastAPI(\n    title='x',\n)\n",
        IMPORT + "app = FastAPI(\n    title='x',\n)\ninit_app(app)\n",
    ),
    "in a function": (
        HEAD + "def make():\n    app = FastAPI()\n    return app\n",
        IMPORT + "def make():\n    app = FastAPI()\n    init_app(app)\n    return app\n",
    ),
    "a name that is taken": (
        HEAD + "from db import init_app\napp = FastAPI()\ninit_app(app)\n",
        HEAD
        + "from db import init_app\nfrom shop.backing_services import init_app as backing_init_app\napp = FastAPI()\n"
        "backing_init_app(app)\ninit_app(app)\n",
    ),
    "done before": (IMPORT + "app = FastAPI()\nx = 1\ninit_app(app)\n", None),
    "two on a line": (HEAD + "app = FastAPI(); x = 1\n", None),
    "gone": (HEAD + "other = FastAPI()\n", None),
}


@pytest.mark.parametrize("name", WIRED)
@pytest.mark.parametrize("variant", BYTES)
def test_the_application_is_given_to_the_module(name: str, variant: str) -> None:
    before, after = WIRED[name]
    expected = before if after is None else after
    assert wired(BYTES[variant](before.encode()), APP, "shop.backing_services") == BYTES[variant](expected.encode())
