"""Every way to run an app: each counts its requests in memory, so each has to differ between one process and three."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from unstate.verify import App, Backing, CannotVerifyError, Outcome, Scenario, verify
from unstate.verify.client import Http

WSGI = """
hits = []
def app(environ, start_response):
    hits.append(1)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(len(hits)).encode()]
def make(name="", *, start=0):
    hits.extend([1] * start)
    return app
"""
ASGI = """
hits = []
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            event = (await receive())["type"]
            await send({"type": event + ".complete"})
            if event == "lifespan.shutdown":
                return
    hits.append(1)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": str(len(hits)).encode()})
"""
AIOHTTP = """
from aiohttp import web
hits = []
async def hit(request):
    hits.append(1)
    return web.Response(text=str(len(hits)))
def make():
    app = web.Application()
    app.add_routes([web.get("/", hit)])
    return app
"""
TORNADO = """
import tornado.web
hits = []
class Hit(tornado.web.RequestHandler):
    def get(self):
        hits.append(1)
        self.write(str(len(hits)))
def make():
    return tornado.web.Application([("/", Hit)])
"""
DJANGO_URLS = """
from django.http import HttpResponse
from django.urls import path
hits = []
def hit(request):
    hits.append(1)
    return HttpResponse(str(len(hits)), content_type="text/plain")
urlpatterns = [path("", hit)]
"""
DJANGO_SETTINGS = "SECRET_KEY = 'x'\nROOT_URLCONF = 'site_urls'\nDEBUG = True\nALLOWED_HOSTS = []\n"
MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_settings")\n'
COMMAND = """
import sys
from wsgiref.simple_server import make_server
from app import app
make_server("127.0.0.1", int(sys.argv[1]), app).serve_forever()
"""


def visit(http: Http) -> None:
    for _ in range(3):
        http.get("/")


VISIT = Scenario("visits", visit)


@pytest.mark.parametrize(
    ("run", "files"),
    [
        ("app:app", {"app.py": WSGI}),
        ("app:make()", {"app.py": WSGI}),
        ("app:make('a name', start=0)", {"app.py": WSGI}),
        ("shop.app:app", {"src/shop/__init__.py": "", "src/shop/app.py": WSGI}),
        ("app:app", {"app.py": ASGI}),
        ("app:make()", {"app.py": AIOHTTP}),
        ("app:make()", {"app.py": TORNADO}),
        ("manage.py", {"manage.py": MANAGE, "site_settings.py": DJANGO_SETTINGS, "site_urls.py": DJANGO_URLS}),
        (f"{sys.executable} serve.py {{port}}", {"app.py": WSGI, "serve.py": COMMAND}),
    ],
    ids=["wsgi", "factory", "arguments", "src layout", "asgi", "aiohttp", "tornado", "django", "command"],
)
def test_a_counter_in_memory_is_seen(run: str, files: dict[str, str], tmp_path: Path, backing: Backing) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    report = verify(App(tmp_path, run), VISIT, backing, faults=["rotate"])
    assert report.outcome is Outcome.DIFFERS, report.text()
    difference = report.phases[-1].difference
    assert difference is not None
    assert difference.expected is not None
    assert difference.got is not None
    assert (difference.step, difference.expected.text, difference.got.text) == (2, "2", "1")


@pytest.mark.parametrize("run", ["app:make(os.environ)", "app:make(", "app:make() + 1"])
def test_a_factory_is_called_with_literals(run: str, tmp_path: Path, backing: Backing) -> None:
    (tmp_path / "app.py").write_text(WSGI)
    with pytest.raises(CannotVerifyError, match=r"is called with literals|has no \{port\}"):
        verify(App(tmp_path, run), VISIT, backing)


def test_each_process_has_its_own_folder_and_temporary_folder(tmp_path: Path, backing: Backing) -> None:
    (tmp_path / "app.py").write_text(
        "import os, tempfile\n"
        "def put():\n"
        "    open('here', 'w').close()\n"
        "    open(os.path.join(tempfile.gettempdir(), 'there'), 'w').close()\n"
        "def look():\n"
        "    return [os.path.exists('here'), os.path.exists(os.path.join(tempfile.gettempdir(), 'there'))]\n"
    )

    def drive(http: Http) -> None:
        http.call("put")
        http.call("look")

    report = verify(App(tmp_path, module="app"), Scenario("files", drive), backing, faults=["rotate"])
    assert report.outcome is Outcome.DIFFERS
    difference = report.phases[-1].difference
    assert difference is not None
    assert difference.got is not None
    assert difference.got.json() == [False, False]
    assert not (tmp_path / "here").exists()


def test_an_app_imported_from_its_own_place_is_refused(tmp_path: Path, backing: Backing) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "app.py").write_text(WSGI)
    app = App(tmp_path, "app:app", env={"PYTHONPATH": str(tmp_path / "elsewhere")})
    with pytest.raises(CannotVerifyError, match="not from the copy"):
        verify(app, VISIT, backing, faults=["rotate"])


def test_what_is_installed_below_the_app_is_no_part_of_it(tmp_path: Path, backing: Backing) -> None:
    packages = tmp_path / ".venv" / "lib" / "python3" / "site-packages"
    packages.mkdir(parents=True)
    (tmp_path / ".venv" / "pyvenv.cfg").touch()
    (packages / "library.py").write_text("seen = []\n")
    (tmp_path / "app.py").write_text("import library\ndef hit():\n    library.seen.append(1)\n    return 1\n")
    app = App(tmp_path, module="app", env={"PYTHONPATH": str(packages)})
    report = verify(app, Scenario("hits", lambda http: http.call("hit")), backing, faults=["rotate"])
    assert report.ok, report.text()


def test_a_command_with_a_port_of_its_own_is_told_so(tmp_path: Path, backing: Backing) -> None:
    (tmp_path / "serve.py").write_text(
        "import socket\ns = socket.create_server(('127.0.0.1', 0))\nsocket.create_server(s.getsockname())\n"
    )
    with pytest.raises(CannotVerifyError, match=r"Address already in use[\s\S]*\{port\}"):
        verify(App(tmp_path, f"{sys.executable} serve.py # {{port}}"), VISIT, backing, faults=["rotate"])


def test_an_app_that_dies_while_it_answers_is_a_difference_and_no_crash(tmp_path: Path, backing: Backing) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    for folder, text in ((before, WSGI), (after, WSGI.replace("hits.append(1)", "import os; os._exit(1)"))):
        folder.mkdir()
        (folder / "app.py").write_text(text)
    report = verify(App(after, "app:app"), VISIT, backing, original=App(before, "app:app"), faults=["rotate"])
    assert report.outcome is Outcome.DIFFERS
    assert "no answer: RemoteProtocolError" in report.text()


def test_a_command_that_listens_and_never_answers_is_refused(tmp_path: Path, backing: Backing) -> None:
    # As a server does that opens its port before it imports the app, and the import fails.
    (tmp_path / "serve.py").write_text(
        "import socket, sys\n"
        "listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
        "listener.accept()\n"
        "listener.accept()\n"
        "sys.exit('ImportError: no module named shop')\n"
    )
    app = App(tmp_path, f"{sys.executable} serve.py {{port}}")
    with pytest.raises(CannotVerifyError, match=r"(?s)the app answers no request in one process.*ImportError: no"):
        verify(app, Scenario("twice", lambda http: [http.get("/"), http.get("/")]), backing)
