"""The decision `serving = presigned`: clients are sent on to S3, which answers with the same content, type and name."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from unstate.changes.apply import apply
from unstate.config import load
from unstate.model import Verdict
from unstate.plan import plan
from unstate.render import render
from unstate.scan import scan

FIXTURES = Path(__file__).parents[1] / "fixtures"
FLASK = """
client = __import__("app").app.test_client()
import io
client.post("/files", data={"file": (io.BytesIO(CONTENT), "cat.png")})
answers = [client.get("/files/cat.png"), client.get("/files/dog.png")]
print(json.dumps([[each.status_code, each.headers.get("Location", "")] for each in answers]))
"""
FASTAPI = """
from starlette.testclient import TestClient
client = TestClient(__import__("main").app, follow_redirects=False)
client.post("/documents/cat.png", files={"file": ("cat.png", CONTENT)})
paths = ["/documents/cat.png", "/documents/dog.png", "/raw/cat.png", "/raw/dog.png"]
answers = [client.get(path) for path in paths]
print(json.dumps([[each.status_code, each.headers.get("Location", "")] for each in answers]))
"""
DJANGO = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "site_.settings"
import django; django.setup()
from django.test import Client
from django.core.files.uploadedfile import SimpleUploadedFile
client = Client()
made = client.post("/papers/one.png", {"file": SimpleUploadedFile("one.png", CONTENT, "image/png")}).json()
answers = [client.get("/media/papers/one.png"), client.get("/media/papers/two.png")]
print(json.dumps([[200, made["url"]], *([each.status_code, each.headers.get("Location", "")] for each in answers)]))
"""
CONTENT = b"\x89PNG" + bytes(range(256))


def migrated(case: str, target: Path) -> list[str]:
    """A copy of a case's input, migrated with the decision; what differs."""
    shutil.copytree(FIXTURES / case / "before", target)
    config = load(target)
    found = scan(target, config)
    answers = {each.id: {"serving": "presigned"} for each in plan(target, found, config).groups}
    made = plan(target, found, config, answers)
    assert [group.verdict for group in made.groups] == [Verdict.REVIEW]
    apply(target, render(target, made, [group.id for group in made.groups]))
    return list(made.groups[0].differences)


def answers(target: Path, script: str) -> list[tuple[int, str]]:
    """(status, address) of what a script asks of the app."""
    head = f"import json\nCONTENT = {CONTENT!r}\n"
    done = subprocess.run(
        [sys.executable, "-c", head + script], cwd=target, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return [(status, address) for status, address in json.loads(done.stdout.splitlines()[-1])]


def fetched(address: str) -> tuple[bytes, str]:
    import httpx

    answer = httpx.get(address)
    assert answer.status_code == 200, answer.text
    return answer.content, answer.headers["content-type"]


def test_flask(tmp_path: Path, environment: dict[str, str]) -> None:
    differences = migrated("files_flask", tmp_path / "app")
    assert any("sent on to S3" in text for text in differences)
    found, missing = answers(tmp_path / "app", FLASK)
    assert found[0] == 302
    assert fetched(found[1]) == (CONTENT, "image/png")
    assert missing[0] == 404


def test_fastapi(tmp_path: Path, environment: dict[str, str]) -> None:
    migrated("files_fastapi", tmp_path / "app")
    found, missing, mounted, not_mounted = answers(tmp_path / "app", FASTAPI)
    assert found[0] == mounted[0] == 302
    assert fetched(found[1]) == (CONTENT, "application/octet-stream")  # as the app says
    assert fetched(mounted[1]) == (CONTENT, "image/png")
    assert missing[0] == not_mounted[0] == 404


def test_django(tmp_path: Path, environment: dict[str, str]) -> None:
    differences = migrated("django_uploads", tmp_path / "app")
    assert any("valid for an hour" in text for text in differences)
    made, found, missing = answers(tmp_path / "app", DJANGO)
    assert fetched(made[1])[0] == CONTENT
    assert found[0] == 302
    assert fetched(found[1]) == (CONTENT, "image/png")
    assert missing[0] == 404
