"""A rolling restart under load: lost state is told from requests that were cut off, and from what users share."""

from __future__ import annotations

import sys
from pathlib import Path

from unstate.verify import App, Backing, Outcome, Report, Scenario, verify
from unstate.verify.client import Http

# A right app: sessions, a counter for everybody and a list of everybody's notes, all in Redis.
RIGHT = """
import json, os, secrets
import redis
client = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
def app(environ, start_response):
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    cookie = environ.get("HTTP_COOKIE", "").removeprefix("id=")
    headers, status, body = [("Content-Type", "application/json")], "200 OK", {}
    if path == "/login":
        cookie = secrets.token_hex(8)
        client.set("user:" + cookie, "ann")
        headers.append(("Set-Cookie", "id=" + cookie))
        body = {"logins": client.incr("logins")}
    elif method == "POST":
        body = {"notes": client.rpush("notes", cookie)}
    else:
        user = client.get("user:" + cookie)
        status, body = ("200 OK" if user else "401 Unauthorized"), {"user": user, "notes": client.llen("notes")}
    start_response(status, headers)
    return [json.dumps(body).encode()]
"""
# A server that drops what it is doing when it is told to end.
CUTTING = """
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server
from app import app
class Server(ThreadingMixIn, WSGIServer):
    request_queue_size = 128
make_server("127.0.0.1", int(sys.argv[1]), app, Server).serve_forever()
"""


def drive(http: Http) -> None:
    http.post("/login")
    for _ in range(3):
        http.post("/notes")
        http.get("/me")


def rolled(folder: Path, text: str, backing: Backing, run: str = "app:app") -> Report:
    (folder / "app.py").write_text(text)
    (folder / "serve.py").write_text(CUTTING)
    return verify(App(folder, run), Scenario("notes", drive), backing, faults=["roll"])


def test_what_users_share_is_no_difference(tmp_path: Path, backing: Backing) -> None:
    report = rolled(tmp_path, RIGHT, backing)
    assert report.ok, report.text()
    assert "users at once" in report.text()


def test_requests_that_are_cut_off_are_no_lost_state(tmp_path: Path, backing: Backing) -> None:
    report = rolled(tmp_path, RIGHT, backing, f"{sys.executable} serve.py {{port}}")
    assert report.ok, report.text()


def test_a_request_that_was_cut_off_is_not_made_twice(tmp_path: Path, backing: Backing) -> None:
    text = RIGHT.replace(
        'user = client.get("user:" + cookie)',
        'user = client.get("user:" + cookie), client.incr("seen:" + cookie)\n        time.sleep(0.02)',
    ).replace("import json,", "import time, json,")
    report = rolled(tmp_path, text, backing, f"{sys.executable} serve.py {{port}}")
    assert report.ok, report.text()


def test_a_start_that_empties_what_others_use_is_caught(tmp_path: Path, backing: Backing) -> None:
    report = rolled(
        tmp_path, RIGHT.replace("def app", 'client.delete(*client.keys("user:*") or "x")\ndef app'), backing
    )
    assert report.outcome is Outcome.DIFFERS, report.text()
    difference = report.phases[-1].difference
    assert difference is not None
    assert difference.got is not None
    assert difference.got.status == 401


def test_state_written_when_a_process_ends_is_lost_with_the_one_that_is_killed(
    tmp_path: Path, backing: Backing
) -> None:
    local = RIGHT.replace('client.set("user:" + cookie, "ann")', 'users["user:" + cookie] = "ann"').replace(
        'client.get("user:" + cookie)', 'users.get("user:" + cookie) or client.get("user:" + cookie)'
    )
    text = f"import atexit\nusers = {{}}\natexit.register(lambda: users and client.mset(users))\n{local}"
    assert rolled(tmp_path, text, backing).outcome is Outcome.DIFFERS


def test_a_process_that_dies_by_itself_is_no_restart(tmp_path: Path, backing: Backing) -> None:
    text = RIGHT.replace(
        'elif method == "POST":', 'elif client.llen("notes") > 12: os._exit(1)\n    elif method == "POST":'
    )
    report = rolled(tmp_path, text, backing)
    assert report.outcome is Outcome.DIFFERS
    assert "no answer" in report.text()
