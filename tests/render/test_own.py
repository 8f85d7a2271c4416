"""What an app has already is found where there is one of it, and left with a note where that is not sure."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from unstate.model import Framework, SettingsStyle
from unstate.plan.own import Own, find
from unstate.plan.sources import Sources

REDIS = "import redis\n"


def found(root: Path, files: dict[str, str], service: str = ".", others: tuple[str, ...] = ()) -> Own:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return find(service, PurePosixPath(service), (service, *others), Sources(root))


TEXT = "decode_responses=True"
CLIENTS = {
    "a global": (REDIS + "client = redis.Redis(host='x')\n", "client", "bytes"),
    "a global that gives text": (REDIS + f"client = redis.Redis({TEXT})\n", "client", "text"),
    "from_url": (f"from redis import from_url\nclient = from_url('redis://x', {TEXT})\n", "client", "text"),
    "annotated": ("from redis import Redis as R\nclient: R = R.from_url('x')\n", "client", "bytes"),
    "an extension": (f"from flask_redis import FlaskRedis\nclient = FlaskRedis({TEXT})\n", "client", "text"),
    "over a pool": (
        REDIS + f"pool = redis.ConnectionPool.from_url('x', {TEXT})\nclient = redis.Redis(connection_pool=pool)\n",
        "client",
        "text",
    ),
    "a global and a function": (
        REDIS + "client = redis.Redis()\ndef get() -> redis.Redis:\n    return client\n",
        "client",
        "bytes",
    ),
    "a function that makes it once": (
        REDIS
        + "_c = None\ndef get():\n    global _c\n    if _c is None:\n"
        + f"        _c = redis.Redis({TEXT})\n    return _c\n",
        "get()",
        "text",
    ),
    "a function that is cached": (
        REDIS + f"import functools\n@functools.lru_cache(maxsize=1)\ndef get():\n    return redis.Redis({TEXT})\n",
        "get()",
        "text",
    ),
    "made at start-up": (
        REDIS
        + "client = None\n@asynccontextmanager\nasync def lifespan(app):\n    global client\n"
        + f"    client = redis.Redis({TEXT})\n    yield\n",
        "client",
        "text",
    ),
}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_is_used_itself(tmp_path: Path, name: str) -> None:
    text, reached, replies = CLIENTS[name]
    own = found(tmp_path, {"shop/ext.py": text, "app.py": "from shop.ext import *\n"})
    assert [(each.kind, each.module, each.name, each.replies, each.itself) for each in own.clients] == [
        ("redis", "shop.ext", reached, replies, True)
    ]
    assert len(own.notes) == 1
    assert f"is used where replies are {replies}: shop/ext.py ({reached})" in own.notes[0]
    assert "a second one connects as it does" in own.notes[0]


ON_THE_APP = {
    "in its own module": ("app.state.redis", "@app.on_event('startup')\ndef up():\n    app.state.redis = {}\n", ""),
    "in a lifespan elsewhere": (
        "app.state.redis",
        "",
        "async def lifespan(app):\n    app.state.redis = {}\n    yield\n",
    ),
    "as an item": ('app["redis"]', "", "async def up(app):\n    app['redis'] = await {}\n"),
}


@pytest.mark.parametrize("name", ON_THE_APP)
def test_a_client_of_the_application(tmp_path: Path, name: str) -> None:
    reached, here, there = ON_THE_APP[name]
    make = f"redis.Redis.from_url('x', {TEXT})"
    files = {
        "main.py": f"import redis.asyncio as redis\nfrom fastapi import FastAPI\napp = FastAPI()\n{here.format(make)}",
        "core/life.py": f"import redis.asyncio as redis\n{there.format(make)}",
    }
    own = found(tmp_path, files)
    assert [(each.kind, each.module, each.name, each.itself) for each in own.clients] == [
        ("async_redis", "main", reached, True)
    ]


def test_clients_of_text_and_of_bytes_are_both_used(tmp_path: Path) -> None:
    own = found(tmp_path, {"ext.py": REDIS + f"one = redis.Redis({TEXT})\ntwo = redis.Redis()\n"})
    assert [(each.name, each.replies, each.itself) for each in own.clients] == [
        ("one", "text", True),
        ("two", "bytes", True),
    ]


UNFIT = {
    "anew at each call": (REDIS + "def get():\n    return redis.Redis()\n", "get()", "each call makes a new one"),
    "by its type": (
        REDIS + "pool = make()\ndef get(db: int = 0) -> redis.Redis:\n    return pool()\n",
        "get()",
        "it cannot be told how it is made",
    ),
    "options": (REDIS + "client = redis.Redis(**options())\n", "client", "whether its replies are text"),
    "a choice": (REDIS + "client = redis.Redis(decode_responses=TEXT)\n", "client", "whether its replies are text"),
    "an address": (
        REDIS + "client = redis.from_url('redis://x?decode_responses=1')\n",
        "client",
        "whether its replies are text",
    ),
    "another encoding": (
        REDIS + f"client = redis.Redis({TEXT}, encoding='latin-1')\n",
        "client",
        "whether its replies are text",
    ),
    "many loops": (
        f"import redis.asyncio as redis\nclient = redis.Redis({TEXT})\n",
        "client",
        "it belongs to one event loop",
    ),
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_client_that_does_not_fit_is_one_to_connect_like(tmp_path: Path, name: str) -> None:
    text, reached, why = UNFIT[name]
    own = found(tmp_path, {"ext.py": text})
    assert [(each.name, each.itself) for each in own.clients] == [(reached, False)]
    assert len(own.notes) == 1
    assert why in own.notes[0] and "connects as it does" in own.notes[0]


S3 = {
    "a client": ("s3 = boto3.client('s3')\n", "s3"),
    "by keyword": ("s3 = boto3.client(service_name='s3', region_name='x')\n", "s3"),
    "a resource": ("s3 = boto3.resource('s3')\n", "s3.meta.client"),
    "of a session": ("session = boto3.Session()\ns3 = session.client('s3')\n", "s3"),
    "of a session at once": ("s3 = boto3.session.Session().client('s3')\n", "s3"),
}


@pytest.mark.parametrize("name", S3)
def test_an_s3_client_is_used_itself(tmp_path: Path, name: str) -> None:
    text, reached = S3[name]
    own = found(tmp_path, {"ext.py": "import boto3\n" + text})
    assert [(each.kind, each.name, each.itself) for each in own.clients] == [("s3", reached, True)]
    assert own.notes == (f"The app's own S3 client is used: ext.py ({reached}).",)


def test_every_kind_is_found_by_what_its_name_stands_for(tmp_path: Path) -> None:
    text = (
        "import boto3\nimport redis\nfrom redis import asyncio as aioredis\n"
        "one = redis.Redis()\ntwo = aioredis.from_url('x')\nthree = boto3.client('s3')\nfour = boto3.client('sqs')\n"
    )
    own = found(tmp_path, {"ext.py": text})
    assert [(each.kind, each.name) for each in own.clients] == [
        ("redis", "one"),
        ("async_redis", "two"),
        ("s3", "three"),
    ]


UNSURE = {
    "two of them": (REDIS + "a = redis.Redis()\nb = redis.Redis(db=1)\n", "it has several"),
    "made anew": (REDIS + "a = redis.Redis()\na = redis.Redis(db=1)\n", "it has several"),
    "under a condition": (
        REDIS + "try:\n    a = redis.Redis()\nexcept Exception:\n    a = None\n",
        "under a condition",
    ),
    "made by a function": (REDIS + "a = None\ndef up():\n    global a\n    a = redis.Redis()\n", "in a function"),
    "a function that may give none": (
        REDIS
        + "a = None\ndef get():\n    global a\n    a = redis.Redis()\n"
        + "    if not a.ping():\n        a = None\n    return a\n",
        "in a function",
    ),
    "a script": (REDIS + "a = redis.Redis()\nif __name__ == '__main__':\n    run()\n", "run as a script"),
    "with arguments": (REDIS + "def get(db):\n    return redis.Redis(db=db)\n", "takes arguments"),
    "of an instance": (
        REDIS + "class Box:\n    def __init__(self):\n        self.client = redis.Redis()\n",
        "held by an object",
    ),
    "of a class": (REDIS + "class Box:\n    client = redis.Redis()\n", "held by an object"),
    "of an application that a function makes": (
        REDIS + "from flask import Flask\ndef make():\n    app = Flask('x')\n    app.redis = redis.Redis()\n",
        "its application is made by a function",
    ),
}


@pytest.mark.parametrize("name", UNSURE)
def test_a_client_that_is_not_sure_is_told_and_left(tmp_path: Path, name: str) -> None:
    text, why = UNSURE[name]
    own = found(tmp_path, {"ext.py": text})
    assert own.clients == ()
    assert len(own.notes) == 1
    assert why in own.notes[0] and "ext.py" in own.notes[0]


def test_what_no_store_needs_is_not_spoken_of(tmp_path: Path) -> None:
    (tmp_path / "ext.py").write_text("import boto3\ns3 = boto3.client('s3')\n")
    assert find(".", PurePosixPath("."), ["."], Sources(tmp_path), wanted={"redis"}).notes == ()


NOTHING = {
    "a local one": {"ext.py": REDIS + "def ping():\n    client = redis.Redis()\n    return client.ping()\n"},
    "a generator": {"ext.py": REDIS + "def get():\n    yield redis.Redis()\n"},
    "a name that is another": {"ext.py": "from mine import redis\nclient = redis.Redis()\n"},
    "a test": {"tests/ext.py": REDIS + "client = redis.Redis()\n"},
    "a module that cannot be imported": {"my-tools/ext.py": REDIS + "client = redis.Redis()\n"},
    "what does not parse": {"ext.py": REDIS + "client = redis.Redis(\n"},
    "ours": {"backing_services.py": "# Generated by unstate\n" + REDIS + "client = redis.Redis()\n"},
    "another service's": {"admin/ext.py": REDIS + "client = redis.Redis()\n"},
    "sentinels": {"ext.py": "from redis.sentinel import Sentinel\nclient = Sentinel([]).master_for('x')\n"},
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_is_no_client_is_not_spoken_of(tmp_path: Path, name: str) -> None:
    own = found(tmp_path, NOTHING[name], others=("admin",))
    assert (own.clients, own.notes) == ((), ())


SETTINGS_CLASS = "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    a: str = ''\n"
FLASK = "from flask import Flask\napp = Flask(__name__)\napp.config.from_object('config.Config')\n"
SETTINGS = {
    "nothing": ({"app.py": "x = 1\n"}, (SettingsStyle.ENVIRON, "", "", "")),
    "an instance": ({"c.py": SETTINGS_CLASS + "s = S()\n"}, (SettingsStyle.PYDANTIC, "c.py", "c", "s")),
    "an instance elsewhere": (
        {"c.py": SETTINGS_CLASS, "d.py": "from c import S  # of BaseSettings\nsettings = S()\n"},
        (SettingsStyle.PYDANTIC, "c.py", "d", "settings"),
    ),
    "a function": (
        {"c.py": SETTINGS_CLASS + "def get() -> S:\n    return S()\n"},
        (SettingsStyle.PYDANTIC, "c.py", "c", "get()"),
    ),
    "both": (
        {"c.py": SETTINGS_CLASS + "s = S()\ndef get() -> S:\n    return S()\n"},
        (SettingsStyle.PYDANTIC, "c.py", "c", "s"),
    ),
    "an instance with arguments": (
        {"c.py": SETTINGS_CLASS + "s = S(_env_file='.env')\n"},
        (SettingsStyle.PYDANTIC, "c.py", "c", "s"),
    ),
    "of pydantic 1": (
        {"c.py": SETTINGS_CLASS.replace("pydantic_settings", "pydantic") + "s = S()\n"},
        (SettingsStyle.PYDANTIC, "c.py", "c", "s"),
    ),
    "Django": ({"site/settings.py": "INSTALLED_APPS = []\n"}, (SettingsStyle.DJANGO, "site/settings.py", "", "")),
    "Flask": (
        {"app.py": FLASK, "config.py": "# Flask\nclass Config:\n    KEY = 'x'\nclass Dev(Config):\n    KEY = 'y'\n"},
        (SettingsStyle.FLASK, "config.py", "", ""),
    ),
    "Flask without a class": ({"app.py": FLASK}, (SettingsStyle.FLASK, "", "", "")),
    "Flask without settings": ({"app.py": FLASK.replace("app.config", "#")}, (SettingsStyle.ENVIRON, "", "", "")),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings(tmp_path: Path, name: str) -> None:
    files, expected = SETTINGS[name]
    own = found(tmp_path, files)
    settings = own.settings
    assert (settings.style, settings.path, settings.module, settings.name) == expected
    assert own.notes == ()


LEFT = {
    "a prefix": {
        "c.py": SETTINGS_CLASS + "    model_config = {}\n    class Config:\n        env_prefix = 'X_'\ns = S()\n"
    },
    "a prefix in the configuration": {
        "c.py": SETTINGS_CLASS + "    model_config = SettingsConfigDict(env_prefix='X_')\ns = S()\n"
    },
    "two classes": {"c.py": SETTINGS_CLASS + "s = S()\n", "d.py": SETTINGS_CLASS + "s = S()\n"},
    "no instance": {"c.py": SETTINGS_CLASS},
    "two instances": {"c.py": SETTINGS_CLASS + "s = S()\nt = S()\n"},
    "a Django project beside another app": {
        "dev/settings.py": "INSTALLED_APPS = []\n",
        "app.py": "from fastapi import FastAPI\napp = FastAPI()\n",
    },
    "several settings modules": {"a.py": "INSTALLED_APPS = []\n", "b.py": "INSTALLED_APPS = []\n"},
}


@pytest.mark.parametrize("name", LEFT)
def test_settings_that_are_not_sure_are_read_from_the_environment(tmp_path: Path, name: str) -> None:
    own = found(tmp_path, LEFT[name])
    assert own.settings.style is SettingsStyle.ENVIRON
    assert len(own.notes) == 1
    assert own.notes[0].startswith("Settings are read from the environment, because")


@pytest.mark.parametrize(
    ("text", "framework"),
    [
        ("from fastapi import FastAPI\napp = FastAPI()\n", Framework.FASTAPI),
        ("import fastapi as f\ndef make():\n    app = f.FastAPI()\n    return app\n", Framework.FASTAPI),
        ("from starlette.applications import Starlette\napp: Starlette = Starlette()\n", Framework.STARLETTE),
        ("from aiohttp import web\napp = web.Application()\n", Framework.AIOHTTP),
        ("from flask import Flask\nif True:\n    app = Flask('x')\n", Framework.FLASK),
        ("from mine import FastAPI\napp = FastAPI()\n", None),
        ("from fastapi import FastAPI\napp = FastAPI()\nadmin = FastAPI()\n", None),
        ("from fastapi import FastAPI\ndef make():\n    return FastAPI()\n", None),
    ],
)
def test_the_application_object(tmp_path: Path, text: str, framework: Framework | None) -> None:
    app = found(tmp_path, {"main.py": text}).app
    assert (app.framework if app else None) is framework
    assert app is None or (app.path, app.name) == ("main.py", "app")
