"""The script that copies local files into the bucket: says first, goes on where it stopped, and compares."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from unstate.model import Backing
from unstate.render.backing import backing_services
from unstate.render.copying import NAMES, copy_script

from .conftest import BUCKET

BACKING = Backing(service=".", path="backing_services.py", module="backing_services")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    for change in (backing_services(tmp_path, BACKING, NAMES, ()).change, copy_script(tmp_path, BACKING)):
        assert change.after is not None
        (tmp_path / change.path).write_bytes(change.after)
    for name, content in {
        "a.txt": b"one",
        "sub/b.bin": bytes(6_000_000),
        "Grüße 100%.txt": b"",
        "c.txt": b"new",
    }.items():
        (tmp_path / "uploads" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "uploads" / name).write_bytes(content)
    return tmp_path


def run(app: Path, *arguments: str) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, "copy_files.py", *arguments], cwd=app, env={**os.environ}, capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout.splitlines()


def test_a_dry_run_then_what_is_missing_then_nothing(app: Path, environment: dict[str, str]) -> None:
    s3 = boto3.client("s3", endpoint_url=environment["AWS_ENDPOINT_URL_S3"])

    def objects() -> dict[str, int]:
        found = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {each["Key"]: each["Size"] for each in found if each["Key"].startswith("uploads/")}

    for key in objects():
        s3.delete_object(Bucket=BUCKET, Key=key)
    s3.put_object(Bucket=BUCKET, Key="uploads/c.txt", Body=b"of the app")
    code, said = run(app, "uploads")
    assert (code, said[-1]) == (1, "1 differs, 3 to copy")
    assert list(objects()) == ["uploads/c.txt"]
    s3.put_object(Bucket=BUCKET, Key="uploads/a.txt", Body=b"one")  # as if interrupted
    code, said = run(app, "--write", "uploads")
    assert (code, said[-1]) == (1, "2 copied, 1 differs, 1 there")
    assert objects() == {
        "uploads/Grüße 100%25.txt": 0,
        "uploads/a.txt": 3,
        "uploads/c.txt": 10,
        "uploads/sub/b.bin": 6_000_000,
    }
    assert s3.head_object(Bucket=BUCKET, Key="uploads/sub/b.bin")["ContentType"] == "application/octet-stream"
    assert run(app, "--write", "--overwrite", "uploads")[1][-1] == "1 copied, 3 there"
    assert run(app, "--write", "uploads") == (0, ["4 there"])
    assert s3.get_object(Bucket=BUCKET, Key="uploads/c.txt")["Body"].read() == b"new"


def test_a_folder_that_is_not_there_is_an_error(app: Path, environment: dict[str, str]) -> None:
    assert run(app, "nothing")[0] == 2


def test_a_script_of_the_projects_own_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "copy_files.py").write_text("print('mine')\n")
    assert copy_script(tmp_path, BACKING).path == "unstate_copy_files.py"
