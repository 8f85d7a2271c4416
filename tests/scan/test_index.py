"""What a scan keeps for the next one, and what becomes of it when the cache is stale, broken or missing."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from unstate import facts, gate
from unstate import scan as scanning
from unstate.config import Config
from unstate.facts.values import FileFacts
from unstate.link import entries
from unstate.link.program import Program
from unstate.link.resolve import Resolver
from unstate.model import Scan
from unstate.project import Modules

APP = """\
from flask import Flask, request
from shared import known

app = Flask(__name__)
sessions = {}


@app.post("/login")
def login():
    sessions[request.form["token"]] = request.form["user"]
    known[request.form["user"]] = True
    return sessions.get(request.form["other"], "")
"""
SHARED = "known = {}\n"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("UNSTATE_CACHE", str(folder))
    monkeypatch.setattr(scanning, "_WORTH_KEEPING", 1)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two services, and a library that one of them imports."""
    root = tmp_path / "root"
    for folder, source in {"one": APP, "two": APP.replace("from shared import known", "known = {}")}.items():
        (root / folder).mkdir(parents=True)
        (root / folder / "requirements.txt").write_text("flask\n")
        (root / folder / "app.py").write_text(source)
    (root / "shared.py").write_text(SHARED)
    (root / "newer.py").write_text("x = (\n")
    return root


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were parsed in this process, in order."""
    paths: list[str] = []
    read = facts.read

    def watched(path: str, source: bytes) -> object:
        paths.append(path)
        return read(path, source)

    monkeypatch.setattr(facts, "read", watched)
    return paths


def scanned(root: Path, jobs: int | None = None) -> Scan:
    return scanning.scan(root, Config(), jobs)


def stores(result: Scan) -> set[tuple[str, str]]:
    return {(found.store.path, found.store.name) for found in result.findings}


ALL = {("one/app.py", "sessions"), ("shared.py", "known"), ("two/app.py", "sessions"), ("two/app.py", "known")}


def test_nothing_is_parsed_again_when_nothing_has_changed(root: Path, parsed: list[str]) -> None:
    cold = scanned(root)
    assert stores(cold) == ALL
    assert sorted(parsed) == ["one/app.py", "shared.py", "two/app.py"]
    del parsed[:]
    assert msgspec.json.encode(scanned(root)) == msgspec.json.encode(cold)
    assert parsed == []


def test_only_a_changed_file_is_parsed_again(root: Path, parsed: list[str]) -> None:
    scanned(root)
    del parsed[:]
    (root / "two" / "app.py").write_text(APP.replace("sessions", "logins").replace("from shared import known", ""))
    assert stores(scanned(root)) == {("one/app.py", "sessions"), ("shared.py", "known"), ("two/app.py", "logins")}
    assert parsed == ["two/app.py"]


def test_a_change_of_the_same_size_in_the_same_second_is_seen(root: Path) -> None:
    scanned(root)
    path = root / "two" / "app.py"
    before = path.stat()
    path.write_text(path.read_text().replace("sessions", "tokensss"))
    assert path.stat().st_size == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert ("two/app.py", "tokensss") in stores(scanned(root))


def test_a_file_that_was_only_touched_is_read_once_more_and_not_parsed(
    root: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    scanned(root)
    os.utime(root / "one" / "app.py", ns=(1, 1))
    hashed: list[bytes] = []
    content_hash = scanning.content_hash
    monkeypatch.setattr(scanning, "content_hash", lambda source: hashed.append(source) or content_hash(source))
    del parsed[:]
    scanned(root)
    assert APP.encode() in hashed
    del hashed[:]
    assert stores(scanned(root)) == ALL
    assert APP.encode() not in hashed
    assert parsed == []


def test_a_changed_import_from_outside_the_service_counts(root: Path) -> None:
    scanned(root)
    (root / "shared.py").write_text("from collections import deque\n\nimport os\n\nknown = os.environ\n")
    assert ("shared.py", "known") not in stores(scanned(root))


def test_a_new_file_that_an_import_now_means_counts(root: Path) -> None:
    scanned(root)
    (root / "one" / "shared.py").write_text("# the nearer one\n\nknown = {}\n")
    assert stores(scanned(root)) == ALL - {("shared.py", "known")} | {("one/shared.py", "known")}


def test_a_deleted_file_is_forgotten(root: Path) -> None:
    scanned(root)
    (root / "one" / "app.py").unlink()
    assert stores(scanned(root)) == {("two/app.py", "sessions"), ("two/app.py", "known")}


def test_a_new_manifest_makes_a_service(root: Path) -> None:
    scanned(root)
    (root / "one" / "requirements.txt").unlink()
    services = {found.store.path: found.store.service for found in scanned(root).findings}
    assert services == {"one/app.py": ".", "shared.py": ".", "two/app.py": "two"}


def test_diagnostics_are_kept_too(root: Path) -> None:
    (root / "one" / "broken.py").write_text("x = 1\ny = (\n")
    cold = scanned(root)
    assert [(found.path, found.line) for found in cold.diagnostics] == [("one/broken.py", 2)]
    assert scanned(root).diagnostics == cold.diagnostics


def _garbage(file: Path) -> None:
    file.write_bytes(b"no database at all" * 500)


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5000])


def _torn(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    file.write_bytes(data)


def _other_values(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("update facts set read = x'00'")
        connection.execute("update services set result = x'ff00ff'")
    connection.close()


def _other_tables(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("drop table facts")
        connection.execute("drop table services")
    connection.close()


@pytest.mark.parametrize("damage", [_garbage, _empty, _cut, _torn, _other_values, _other_tables])
def test_a_broken_cache_costs_time_only(
    root: Path, cache: Path, parsed: list[str], damage: Callable[[Path], None]
) -> None:
    cold = scanned(root)
    (file,) = cache.glob("*.sqlite3")
    damage(file)
    (root / "one" / "app.py").write_text(APP + "\n")  # so that the service's result is not all that is asked for
    after = scanned(root)
    assert stores(after) == ALL
    assert after.diagnostics == cold.diagnostics


@pytest.mark.parametrize("damage", [_garbage, _empty, _torn])
def test_a_broken_cache_is_made_anew(
    root: Path, cache: Path, parsed: list[str], damage: Callable[[Path], None]
) -> None:
    scanned(root)
    (file,) = cache.glob("*.sqlite3")
    damage(file)
    scanned(root)
    scanned(root)
    del parsed[:]
    assert stores(scanned(root)) == ALL
    assert parsed == []


def test_a_cache_of_another_version_is_not_believed(root: Path, cache: Path, parsed: list[str]) -> None:
    scanned(root)
    (file,) = cache.glob("*.sqlite3")
    with sqlite3.connect(file) as connection:
        connection.execute("update stamp set text = '2.7 of old'")
    connection.close()
    del parsed[:]
    assert stores(scanned(root)) == ALL
    assert len(parsed) == 3


def test_a_cache_that_cannot_be_made_is_no_error(root: Path, cache: Path, parsed: list[str]) -> None:
    cache.write_text("a file where the folder would be")
    first = scanned(root)
    assert stores(first) == ALL
    assert scanned(root) == first
    assert len(parsed) == 6


def test_two_scans_at_once_do_not_wait_for_each_other(root: Path, cache: Path) -> None:
    scanned(root)
    (file,) = cache.glob("*.sqlite3")
    with sqlite3.connect(file) as other:
        other.execute("select count(*) from files").fetchall()
        assert stores(scanned(root)) == ALL
    other.close()


def test_nothing_is_written_into_the_tree(root: Path) -> None:
    before = sorted(root.rglob("*"))
    scanned(root)
    assert sorted(root.rglob("*")) == before


def test_small_trees_leave_no_cache(root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "_WORTH_KEEPING", 100)
    assert stores(scanned(root)) == ALL
    assert not cache.exists()


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_result_is_the_same_for_any_number_of_workers(
    root: Path, jobs: int, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "_WORTH_KEEPING", 100)
    for number in range(20):
        (root / "one" / f"part{number}.py").write_text(
            f"seen{number} = []\n\ndef add(x):\n    seen{number}.append(x)\n"
        )
    here = scanned(root)
    assert parsed
    del parsed[:]
    monkeypatch.setattr(scanning, "_SERIAL", 0)
    monkeypatch.setattr(scanning, "_CHUNK", 200)
    assert msgspec.json.encode(scanned(root, jobs)) == msgspec.json.encode(here)
    assert parsed == []  # all in workers


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import flask", "flask"),
        ("from flask import Flask", "flask"),
        ("\ufefffrom flask import Flask", "flask"),
        ("    from flask.views import View", "flask"),
        ("import os, flask", "flask"),
        ("import flask, bottle", "bottle flask"),
        ("import os as o, django.conf", "django"),
        ("x = 1\r\nimport flask\r\n", "flask"),
        ("import http.server", "http.server"),
        ("from http import server", "http.server"),
        ("from http import (\n    HTTPStatus,\n    server,\n)", "http.server"),
        ("from six.moves import BaseHTTPServer", "http.server"),
        ("from vendor.bottle import route", "vendor.bottle"),
        ("from aiohttp import web", "aiohttp"),
        ("import aiohttp.web_app", "aiohttp"),
        ("import aiohttp\n\napp = aiohttp.web.Application()", "aiohttp"),
        ("import grpc\n\nserver = grpc.aio.server()", "grpc"),
        ("import grpc\n\nclass Hello(hello.HelloServicer): ...", "grpc"),
        ("from websockets.sync.server import serve", "websockets"),
        ("import flasky", ""),
        ("from http import HTTPStatus", ""),
        ("import os  # flask", ""),
        ("flask = import_name", ""),
        ("from mine import flask", ""),
        ("from .web import page", ""),
        ("import aiohttp\n\nsession = aiohttp.ClientSession()", ""),
        ("import grpc\n\nchannel = grpc.insecure_channel(target)", ""),
        ("from websockets import connect", ""),
    ],
)
def test_which_web_frameworks_a_file_loads(source: str, names: str) -> None:
    assert gate.frameworks_in("app.py", source.encode()) == names


def test_a_generated_stub_serves_nothing() -> None:
    source = b"import grpc\n\nclass HelloServicer:\n    ...\n"
    assert gate.frameworks_in("hello_servicer.py", source) == "grpc"
    assert gate.frameworks_in("hello_pb2_grpc.py", source) == ""


def test_a_framework_that_loads_itself_is_no_service_and_an_app_of_a_tree_that_has_it_is(tmp_path: Path) -> None:
    for folder, manifest in {"flask": "setup.py", "shop": "requirements.txt"}.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / manifest).write_text("")
    (tmp_path / "flask" / "flask").mkdir()
    (tmp_path / "flask" / "flask" / "__init__.py").write_text("class Flask: ...\n")
    (tmp_path / "flask" / "flask" / "ext.py").write_text("from flask import Flask\n\n" + APP.partition("app = ")[2])
    (tmp_path / "shop" / "app.py").write_text(APP.replace("from shared import known", "known = {}"))
    (tmp_path / "setup.py").write_text("")
    assert stores(scanned(tmp_path)) == {("shop/app.py", "sessions"), ("shop/app.py", "known")}


@pytest.mark.parametrize(
    ("manifest", "text", "package", "found"),
    [
        ("pyproject.toml", '[project]\nname = "Celery"\n[build-system]\n', "celery", False),
        ("pyproject.toml", '[project]\nname = "celery"\n[build-system]\n', "src/celery", False),
        ("setup.py", "setup(name='celery', version='1')\n", "celery", False),
        ("setup.cfg", "[metadata]\nname = celery\n", "celery", False),
        ("celery-5.4.0.dist-info/METADATA", "Name: celery\n", "celery", False),
        ("celery_shop-5.4.0.dist-info/METADATA", "Name: celery-shop\n", "celery", True),
        ("setup.py", "setup(name='shop', version='1')\n", "celery", True),
        ("setup.py", "setup(name='celery', version='1')\n", "shop", True),
        ("setup.py", "setup(name='celery-shop', version='1')\n", "celery", True),
        ("setup.py", "setup(name='jupyterhub', version='1')\n", "jupyterhub", True),
        ("requirements.txt", "celery\n", "celery", True),
    ],
)
def test_the_source_of_a_framework_is_no_app(
    tmp_path: Path, manifest: str, text: str, package: str, found: bool
) -> None:
    (tmp_path / manifest).parent.mkdir(exist_ok=True)
    (tmp_path / manifest).write_text(text)
    (tmp_path / package).mkdir(parents=True)
    (tmp_path / package / "__init__.py").write_text("")
    (tmp_path / package / "app.py").write_text(APP.replace("from shared import known", "known = {}"))
    assert bool(stores(scanned(tmp_path))) is found


@pytest.mark.parametrize("installed", ["celery-5.4.0", "vine-5.1.0"])
def test_an_app_that_its_packages_are_installed_beside_is_one(tmp_path: Path, installed: str) -> None:
    """As `pip install --target .` leaves them, for a function in the cloud."""
    for folder in ("kombu-5.3.0.dist-info", f"{installed}.dist-info", "celery"):
        (tmp_path / folder).mkdir()
    (tmp_path / "celery" / "__init__.py").write_text("")
    (tmp_path / "app.py").write_text(APP.replace("from shared import known", "known = {}"))
    assert stores(scanned(tmp_path))


def test_an_app_beside_the_source_of_its_framework_takes_it_as_installed(tmp_path: Path) -> None:
    for path, text in {
        "setup.py": "setup(name='Flask')\n",
        "src/flask/__init__.py": "seen = {}\n\nclass Flask:\n    def post(self, path):\n        seen[path] = 1\n",
        "examples/shop/requirements.txt": "flask\n",
        "examples/shop/app.py": APP.replace("from shared import known", "known = {}"),
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert {path for path, _ in stores(scanned(tmp_path))} == {"examples/shop/app.py"}


@pytest.mark.parametrize(("path", "found"), [("examples/app.py", False), ("demo/app.py", False), ("shop/app.py", True)])
def test_the_examples_of_a_distribution_make_no_service_of_it(tmp_path: Path, path: str, found: bool) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "setup.py").write_text("setup(name='shop')\n")
    app = tmp_path / "parts" / path
    app.parent.mkdir()
    app.write_text(APP.replace("from shared import known", "known = {}"))
    assert bool(stores(scanned(tmp_path))) is found
    assert stores(scanned(app.parent))  # by itself it is an app


LIBRARY = "known = {}\n\nclass Patch:\n    seen = {}\n    def put(self, key):\n        self.seen[key] = 1\n"


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ("import flask\n", False),
        ("def patch():\n    import gevent\n", False),
        ("from flask import current_app\n\ndef put():\n    current_app.extensions['x'] = 1\n", False),
        ("from flask import Blueprint\n\nbp = Blueprint('b', __name__)\n", True),
        ("import celery\n\n@celery.shared_task\ndef work():\n    Patch().put('k')\n", True),
        ("from django.urls import path\n\nurlpatterns = [path('', Patch().put)]\n", True),
        ("import tornado.web\n\nclass Pages(tornado.web.RequestHandler):\n    pass\n", True),
        ("import grpc\n\nserver = grpc.server(None)\n", True),
        ("from wsgiref.simple_server import make_server\n\nmake_server('', 80, Patch().put)\n", True),
    ],
)  # fmt: skip
def test_a_distribution_serves_where_it_makes_an_application_a_server_or_a_route(
    tmp_path: Path, more: str, found: bool
) -> None:
    files = {"shop.py": LIBRARY + more}
    assert entries.serves(_program(files), Resolver(_program(files))) is found


def test_a_framework_that_is_only_named_in_a_text_is_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("")
    (tmp_path / "shop.py").write_text(f'"""\nimport flask\n"""\n{LIBRARY}')
    assert not stores(scanned(tmp_path))


def _program(files: dict[str, str]) -> Program:
    read = {path: facts.read(path, text.encode()) for path, text in files.items()}
    return Program({path: file for path, file in read.items() if isinstance(file, FileFacts)}, Modules(files))
