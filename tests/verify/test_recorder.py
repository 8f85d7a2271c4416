"""An app's own tests as the scenario: the plugin listens to the test clients of each framework."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from unstate.verify import App, Backing, verify
from unstate.verify.sources import load_scenario

FLASK = """
from app import app

def test_login():
    client = app.test_client()
    assert client.get("/whoami").status_code == 401
    token = client.post("/login", json={"user": "ann"}).get_json()["token"]
    assert client.get("/whoami", headers={"X-Token": token}).get_json()["user"] == "ann"
    uploaded = client.post("/uploads", data=b"\\x00\\xff", headers={"X-Token": token}).get_json()["upload_id"]
    assert client.get(f"/uploads/{uploaded}").data == b"\\x00\\xff"
"""
FASTAPI = """
import asyncio
import httpx
from fastapi.testclient import TestClient
from main import app

def test_sign_in():
    client = TestClient(app)
    token = client.post("/sign-in", json={"user": "ann"}).json()["token"]
    draft = client.post("/drafts", content=b"hello", headers={"X-Token": token}).json()["draft_id"]
    assert client.get(f"/drafts/{draft}").text == "hello"

def test_visits():
    async def visit():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            assert (await client.get("/visits")).status_code == 200
    asyncio.run(visit())
"""


def record(folder: Path, test: str, *also: str) -> Path:
    (folder / "test_app.py").write_text(test)
    file = folder / "flows.har"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "unstate.verify.recorder", f"--unstate-record={file}", *also]
    command += ["-p", "no:cacheprovider", "--rootdir", str(folder), "test_app.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "requests recorded in" in done.stdout
    return file


@pytest.mark.parametrize(
    ("name", "run", "test"), [("flask_app", "app:app", FLASK), ("fastapi_app", "main:app", FASTAPI)]
)
def test_recorded_tests_are_a_scenario(
    name: str, run: str, test: str, tmp_path: Path, examples: Path, migrated: Path, backing: Backing
) -> None:
    for file in (examples / name).glob("*.py"):
        (tmp_path / file.name).write_text(file.read_text())
    scenario, _ = load_scenario(str(record(tmp_path, test)))
    original = App(examples / name, run)
    right = verify(App(migrated / name, run), scenario, backing, original=original, faults=["rotate"])
    assert right.ok, right.text()


def test_a_django_client_is_heard(tmp_path: Path) -> None:
    (tmp_path / "urls.py").write_text(
        "from django.http import HttpResponse, JsonResponse\n"
        "from django.urls import path\n"
        "def login(request):\n"
        "    response = JsonResponse({'hello': request.POST['user']})\n"
        "    response.set_cookie('sid', 'abc123')\n"
        "    return response\n"
        "urlpatterns = [path('login', login), path('me', lambda r: HttpResponse(r.COOKIES['sid']))]\n"
    )
    test = (
        "import django\nfrom django.conf import settings\n"
        "settings.configure(ROOT_URLCONF='urls', SECRET_KEY='x', ALLOWED_HOSTS=['*'])\ndjango.setup()\n"
        "from django.test import Client\n"
        "def test_it():\n"
        "    client = Client()\n"
        "    assert client.post('/login?next=%2Fme', {'user': 'ann'}).json() == {'hello': 'ann'}\n"
        "    assert client.get('/me').content == b'abc123'\n"
    )
    first, second = json.loads(record(tmp_path, test).read_text())["log"]["entries"]
    assert first["request"]["url"] == "http://localhost/login?next=%2Fme"
    assert "ann" in first["request"]["postData"]["text"]
    assert any(header["name"] == "Set-Cookie" for header in first["response"]["headers"])
    assert second["request"]["cookies"] == [{"name": "sid", "value": "abc123"}]
    assert first["_user"] == second["_user"]


def test_without_the_option_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "test_app.py").write_text("def test_it():\n    pass\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "unstate.verify.recorder", "-p", "no:cacheprovider"]
    subprocess.run([*command, "--rootdir", str(tmp_path)], cwd=tmp_path, check=True, capture_output=True)
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".har"] == []
