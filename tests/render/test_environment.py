"""`.env.example` says what the generated module reads, whatever it said before."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from unstate.changes.apply import apply
from unstate.render.environment import HEADING, env_example

REDIS = b'setting("REDIS_URL")\nos.environ.get("REDIS_RETRIES", "0")\n'
S3 = b'setting("UPLOAD_BUCKET")\nos.environ.get("AWS_ENDPOINT_URL_S3")\n'
URL, BUCKET = "REDIS_URL=redis://localhost:6379/0\n", "UPLOAD_BUCKET=uploads\n"
ENDPOINT = "# AWS_ENDPOINT_URL_S3=http://localhost:8333\n"
CASES = [
    (None, f"{HEADING}\n{URL}{BUCKET}{ENDPOINT}"),
    ("", f"{HEADING}\n{URL}{BUCKET}{ENDPOINT}"),
    ("DEBUG=1\n", f"DEBUG=1\n\n{HEADING}\n{URL}{BUCKET}{ENDPOINT}"),
    ("DEBUG=1\r\n", f"DEBUG=1\n\n{HEADING}\n{URL}{BUCKET}{ENDPOINT}".replace("\n", "\r\n")),
    ("A=1\nB=2", f"A=1\nB=2\n\n{HEADING}\n{URL}{BUCKET}{ENDPOINT}".removesuffix("\n")),
    ("A=1\nexport REDIS_URL=redis://cache\nB=2\n", f"A=1\nexport REDIS_URL=redis://cache\n{BUCKET}{ENDPOINT}B=2\n"),
    ("UPLOAD_BUCKET=files\nB=2\n", f"{URL}UPLOAD_BUCKET=files\n{ENDPOINT}B=2\n"),
    ("# REDIS_URL=\nUPLOAD_BUCKET=\nAWS_ENDPOINT_URL_S3=\n", "# REDIS_URL=\nUPLOAD_BUCKET=\nAWS_ENDPOINT_URL_S3=\n"),
]


def write(root: Path, module: bytes, service: str = ".") -> None:
    change = env_example(root, service, module)
    apply(root, [change] if change else [])


@pytest.mark.parametrize(("before", "after"), CASES)
@pytest.mark.parametrize("steps", [[REDIS + S3], *map(list, itertools.permutations([REDIS, S3]))])
def test_what_it_says_does_not_depend_on_the_steps(
    tmp_path: Path, before: str | None, after: str, steps: list[bytes]
) -> None:
    if before is not None:
        (tmp_path / ".env.example").write_bytes(before.encode())
    for module in steps:
        write(tmp_path, module)
    assert (tmp_path / ".env.example").read_bytes().decode() == after
    assert env_example(tmp_path, ".", REDIS + S3) is None


@pytest.mark.parametrize("name", [".env.sample", ".env.template", "env.example"])
def test_the_file_that_is_there_is_added_to(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("A=1\n")
    write(tmp_path, REDIS)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [name]


def test_it_stands_at_the_root_of_the_service(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    write(tmp_path, S3, "web")
    assert (tmp_path / "web" / ".env.example").read_text() == f"{HEADING}\n{BUCKET}{ENDPOINT}"


def test_a_real_environment_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("REDIS_URL=redis://secret\n")
    write(tmp_path, REDIS)
    assert (tmp_path / ".env").read_text() == "REDIS_URL=redis://secret\n"


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_one_that_cannot_be_read_or_leads_elsewhere_is_left(tmp_path: Path, content: bytes | None) -> None:
    root = tmp_path / "app"
    root.mkdir()
    if content is None:
        (tmp_path / "outside").write_text("A=1\n")
        (root / ".env.example").symlink_to(tmp_path / "outside")
    else:
        (root / ".env.example").write_bytes(content)
    assert env_example(root, ".", REDIS) is None


def test_a_folder_of_that_name_is_left(tmp_path: Path) -> None:
    (tmp_path / ".env.example").mkdir()
    assert env_example(tmp_path, ".", REDIS) is None


def test_a_template_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "env.example.j2").write_text(
        "{% if 'REDIS_URL' in reads %}\nREDIS_URL=redis://db\n{% endif %}\n"
    )
    write(tmp_path, REDIS + S3)
    assert (tmp_path / ".env.example").read_text() == f"{HEADING}\nREDIS_URL=redis://db\n"
