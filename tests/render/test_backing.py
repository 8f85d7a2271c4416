"""Every module that can be generated is one that linters, formatters and type checkers take, and that can be imported.

Helpers are read from the catalogue's table: a new one is checked as soon as it is there.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import itertools
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from unstate.catalogue import helpers
from unstate.model import App, Backing, Client, Framework, Settings, SettingsStyle
from unstate.plan.backing import CLIENTS
from unstate.render.backing import backing_services

SYNC, ASYNC = {"redis_client", "redis_bytes"}, {"async_redis_client", "async_redis_bytes"}
S3 = {"s3", "upload_bucket"}
STYLES = {
    "environ": Settings(),
    "pydantic": Settings(
        style=SettingsStyle.PYDANTIC, path="config.py", holder="S", module="config", name="get()", upper=False
    ),
    "django": Settings(style=SettingsStyle.DJANGO, path="settings.py"),
    "flask": Settings(style=SettingsStyle.FLASK),
}
OWN = (
    Client(kind="redis", module="shop.extensions", name="redis", replies="text", itself=True),
    Client(kind="async_redis", module="shop.main", name="app.state.redis", replies="bytes", itself=True),
    Client(kind="s3", module="shop.files", name="get_s3()", itself=True),
)
LIKE = tuple(msgspec.structs.replace(client, itself=client.kind == "s3") for client in OWN)
# Packages that have no types of their own; apps say the same in their settings.
SETTINGS = """[tool.mypy]
strict = true
[[tool.mypy.overrides]]
module = ["aiofiles.*", "boto3.*", "botocore.*", "django.*", "storages.*", "config.*", "shop.*"]
ignore_missing_imports = true
[tool.ruff]
line-length = 120
target-version = "py311"
[tool.ruff.lint]
select = ["E", "F", "W", "I", "B", "C4", "UP", "SIM", "RUF", "RET", "PERF"]
ignore = ["SIM105"]
"""


def variants() -> Iterator[tuple[str, frozenset[str], Backing]]:
    """(name, names in use, what the module stands on)."""
    for name in sorted(helpers.NAMES):
        yield f"only_{name.lower()}", frozenset({name}), Backing(service=".", path="", module="")
    yield "every", helpers.NAMES, Backing(service=".", path="", module="")
    clients = [{}, SYNC, ASYNC, S3, SYNC | ASYNC, SYNC | S3, ASYNC | S3, SYNC | ASYNC | S3, helpers.NAMES]
    apps = [None, *(App(framework=each, path="app.py", name="app") for each in Framework)]
    for (count, names), (style, settings), app, own in itertools.product(
        enumerate(clients), STYLES.items(), apps, ((), OWN, LIKE)
    ):
        if (style == "flask") > (app is not None and app.framework is Framework.FLASK):
            continue  # keys of app.config are read where there is an app
        backing = Backing(service=".", path="", module="", settings=settings, clients=own, app=app)
        clients_are = "own" if own is OWN else "like" if own else "new"
        called = f"{style}_{app.framework.value if app else 'module'}_{count}_{clients_are}"
        yield called, frozenset(names), backing


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every variant as a module."""
    folder = tmp_path_factory.mktemp("modules")
    (folder / "pyproject.toml").write_text(SETTINGS)
    for name, names, backing in variants():
        content = backing_services(folder, backing, names, ()).change.after
        assert content is not None
        (folder / f"{name}.py").write_bytes(content)
    return folder


@pytest.mark.parametrize("tool", ["ruff check", "ruff format --check --diff", "mypy"])
def test_every_subset_is_clean(modules: Path, tool: str) -> None:
    command = [
        sys.executable,
        "-m",
        *tool.split(),
        *(["."] if "ruff" in tool else sorted(map(str, modules.glob("*.py")))),
    ]
    done = subprocess.run(command, cwd=modules, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_every_subset_can_be_imported_without_a_setting(modules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("REDIS_URL", "UPLOAD_BUCKET", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(variable, raising=False)
    for path in sorted(modules.glob("*.py")):
        loaded(path)


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"generated_{path.stem}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


REPLIES = {"HELLO": b"%1\r\n$5\r\nproto\r\n:3\r\n", "PING": b"+PONG\r\n"}


class Deaf:
    """A Redis that carries every command out and loses the reply to INCRBY."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.listener.getsockname()[1]}/3"
        self.seen: list[str] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            while head := lines.readline():
                words = [self._word(lines) for _ in range(int(head[1:]))]
                self.seen.append(words[0])
                if words[0] == "INCRBY":
                    return
                connection.sendall(REPLIES.get(words[0], b"+OK\r\n"))

    @staticmethod
    def _word(lines: Any) -> str:
        size = int(lines.readline()[1:])
        return str(lines.read(size + 2)[:-2].decode())


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deaf]:
    server = Deaf()
    monkeypatch.setenv("REDIS_URL", server.url)
    yield server
    server.listener.close()


def made(folder: Path, names: set[str], **stands_on: Any) -> ModuleType:
    content = backing_services(folder, Backing(service=".", path="", module="", **stands_on), names, ()).change.after
    (folder / "made.py").write_bytes(content or b"")
    return loaded(folder / "made.py")


@pytest.fixture
def shop(deaf: Deaf, monkeypatch: pytest.MonkeyPatch) -> tuple[Client, ...]:
    """An app with clients of its own, which send a command three times and reply in bytes."""
    import redis.asyncio

    module = ModuleType("shop_of_clients")
    module.__dict__["client"] = redis.Redis.from_url(deaf.url, retry=redis.retry.Retry(redis.backoff.NoBackoff(), 3))
    retry = redis.asyncio.retry.Retry(redis.backoff.NoBackoff(), 3)
    module.__dict__["get"] = lambda: redis.asyncio.Redis.from_url(deaf.url, retry=retry)
    monkeypatch.setitem(sys.modules, "shop_of_clients", module)
    return (
        Client(kind="redis", module="shop_of_clients", name="client"),
        Client(kind="async_redis", module="shop_of_clients", name="get()"),
    )


@pytest.mark.parametrize("whose", ["new", "own"])
def test_a_command_whose_reply_was_lost_is_not_sent_again(
    tmp_path: Path, deaf: Deaf, shop: tuple[Client, ...], whose: str
) -> None:
    from redis import ConnectionError

    module = made(tmp_path, {"redis_client", "async_redis_client"}, clients=shop if whose == "own" else ())
    with pytest.raises(ConnectionError):
        module.redis_client.incrby("hits", 1)
    assert deaf.seen.count("INCRBY") == 1

    async def count() -> None:
        await module.async_redis_client.incrby("hits", 1)

    with pytest.raises(ConnectionError):
        asyncio.run(count())
    assert deaf.seen.count("INCRBY") == 2


def test_the_apps_own_connection_is_taken_over_with_replies_as_text(tmp_path: Path, shop: tuple[Client, ...]) -> None:
    module = made(tmp_path, {"redis_client", "redis_bytes", "async_redis_client"}, clients=shop)
    text, raw = module.redis_client.connection_pool, module.redis_bytes.connection_pool
    assert (text.connection_kwargs["db"], raw.connection_kwargs["db"]) == (3, 3)
    assert text.connection_kwargs["decode_responses"] is True
    assert raw.connection_kwargs["decode_responses"] is False

    async def options() -> dict[str, Any]:
        found: dict[str, Any] = module.async_redis_client.connection_pool.connection_kwargs
        return found

    found = asyncio.run(options())
    assert (found["db"], found["decode_responses"]) == (3, True)


def test_the_apps_own_s3_client_is_the_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = ModuleType("files_of_app")
    own.__dict__["s3"] = object()
    monkeypatch.setitem(sys.modules, "files_of_app", own)
    module = made(tmp_path, {"s3"}, clients=(Client(kind="s3", module="files_of_app", name="s3", itself=True),))
    assert module._own_s3() is own.__dict__["s3"]


@pytest.mark.parametrize("asked", ["redis_client", "redis_bytes"])
def test_the_apps_own_client_is_the_client_where_its_replies_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deaf: Deaf, asked: str
) -> None:
    import redis

    app = ModuleType("main_of_app")
    app.__dict__["app"] = type("App", (), {"extensions": {}})
    monkeypatch.setitem(sys.modules, "main_of_app", app)
    replies: Any = {"redis_client": "text", "redis_bytes": "bytes"}[asked]
    own = Client(kind="redis", module="main_of_app", name='app.extensions["redis"]', replies=replies, itself=True)
    module = made(tmp_path, {"redis_client", "redis_bytes"}, clients=(own,))
    app.__dict__["app"].extensions["redis"] = client = redis.Redis.from_url(
        deaf.url, decode_responses=replies == "text"
    )
    other = {"redis_client", "redis_bytes"} - {asked}
    assert getattr(module, asked).connection_pool is client.connection_pool
    assert getattr(module, *other).connection_pool is not client.connection_pool
    assert getattr(module, *other).connection_pool.connection_kwargs["db"] == 3


def test_the_apps_own_clients_are_not_closed(tmp_path: Path) -> None:
    own = Client(kind="async_redis", module="shop", name="redis", replies="text", itself=True)
    change = backing_services(
        tmp_path, Backing(service=".", path="", module="", clients=(own,), app=app_of(Framework.FASTAPI)), ASYNC, ()
    )
    assert change.tied is Framework.FASTAPI  # the one of bytes is made, and closed
    alone = backing_services(
        tmp_path,
        Backing(service=".", path="", module="", clients=(own,), app=app_of(Framework.FASTAPI)),
        {"async_redis_client"},
        (),
    )
    assert alone.tied is None


def test_threads_that_come_first_get_one_s3_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With two, what the one raises is none of the other's `exceptions`, and a missing object is an error."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    module = made(tmp_path, {"s3"})
    together = threading.Barrier(8)
    found: list[object] = []

    def come() -> None:
        together.wait()
        found.append(module.s3.exceptions.NoSuchKey)

    threads = [threading.Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [module.s3.exceptions.NoSuchKey] * 8


def test_a_client_that_is_dropped_leaves_connections_in_use_alone(tmp_path: Path, deaf: Deaf) -> None:
    """Of threads that come first each makes a client and one is kept; another's pipeline may be under way."""
    module = made(tmp_path, {"redis_client"})
    client = module._redis.__wrapped__(True)
    pool = client.connection_pool
    connection = pool.get_connection()
    connection.send_command("PING")
    del client
    gc.collect()
    assert connection.read_response() == "PONG"
    pool.release(connection)


def test_every_event_loop_has_a_client_of_its_own(tmp_path: Path, deaf: Deaf) -> None:
    module = made(tmp_path, {"async_redis_client"})

    async def ping() -> bool:
        return bool(await module.async_redis_client.ping())

    assert [asyncio.run(ping()) for _ in range(2)] == [True, True]


def app_of(framework: Framework) -> App:
    return App(framework=framework, path="app.py", name="app", free=CLIENTS)


@pytest.mark.parametrize("framework", [Framework.FASTAPI, Framework.STARLETTE])
def test_a_lifespan_closes_the_clients_last(tmp_path: Path, deaf: Deaf, framework: Framework) -> None:
    from contextlib import asynccontextmanager

    from fastapi import FastAPI
    from starlette.applications import Starlette

    module = made(tmp_path, {"async_redis_client"}, app=app_of(framework))
    told: list[object] = []

    @asynccontextmanager
    async def own(app: Starlette) -> Any:
        told.append("up")
        yield {"said": "hello"}
        told.append(await module.async_redis_client.ping())

    app = (FastAPI if framework is Framework.FASTAPI else Starlette)(lifespan=own)
    module.init_app(app)
    assert app.state.async_redis_client is module.async_redis_client

    async def run() -> None:
        async with app.router.lifespan_context(app) as state:
            assert state == {"said": "hello"}
            await module.async_redis_client.ping()
            assert len(module._loops) == 1
        assert len(module._loops) == 0

    asyncio.run(run())
    assert told == ["up", True]


def test_aiohttp_closes_the_clients_last(tmp_path: Path, deaf: Deaf) -> None:
    from aiohttp import web

    module = made(tmp_path, {"async_redis_client"}, app=app_of(Framework.AIOHTTP))
    told: list[object] = []

    async def run() -> None:
        app = web.Application()
        module.init_app(app)
        assert app[module.ASYNC_REDIS_CLIENT] is module.async_redis_client

        async def own(app: web.Application) -> Any:
            yield
            told.append(await module.async_redis_client.ping())

        app.cleanup_ctx.append(own)
        runner = web.AppRunner(app)
        await runner.setup()
        await module.async_redis_client.ping()
        await runner.cleanup()
        assert len(module._loops) == 0

    asyncio.run(run())
    assert told == [True]


def test_flask_settings_are_read_late_and_an_app_more_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flask import Flask

    monkeypatch.setenv("REDIS_URL", "redis://environment:1/0")
    module = made(tmp_path, {"redis_client"}, app=app_of(Framework.FLASK), settings=STYLES["flask"])
    hosts = []
    for url in ("redis://first:1/0", "redis://second:1/0", ""):
        app = Flask("shop")
        module.init_app(app)
        app.config["REDIS_URL"] = url  # after the extension was set up
        hosts.append(app.extensions["backing_services"]["redis_client"].connection_pool.connection_kwargs["host"])
    assert hosts == ["first", "second", "environment"]


@pytest.mark.parametrize("style", sorted(STYLES))
def test_a_missing_setting_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, style: str) -> None:
    monkeypatch.delenv("UPLOAD_BUCKET", raising=False)
    holder = ModuleType("config")
    holder.__dict__["get"] = lambda: type("S", (), {"upload_bucket": None})
    monkeypatch.setitem(sys.modules, "config", holder)
    app = app_of(Framework.FLASK) if style == "flask" else None
    module = made(tmp_path, {"upload_bucket"}, settings=STYLES[style], app=app)
    if style == "django":
        from django.conf import settings

        if not settings.configured:
            settings.configure()
    with pytest.raises(module.MissingSetting, match="UPLOAD_BUCKET is not set"):
        module.upload_bucket()
