"""Uploads in parts on real S3 servers: what several requests do at the same time, and what is left where S3 fails."""

from __future__ import annotations

import importlib.util
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from unstate.model import Backing
from unstate.render.backing import backing_services

NAMES = {"start_upload", "append_part", "write_part", "part_numbers", "read_parts", "take_parts", "store_new"}


@pytest.fixture
def services(tmp_path: Path, environment: dict[str, str]) -> ModuleType:
    """The generated module with what it has for uploads."""
    change = backing_services(tmp_path, Backing(service=".", path="", module="uploads_"), NAMES, ()).change
    assert change.after is not None
    (tmp_path / "uploads_.py").write_bytes(change.after)
    spec = importlib.util.spec_from_file_location("uploads_", tmp_path / "uploads_.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def key() -> str:
    return f"uploads/{uuid.uuid4().hex}"


def test_of_several_that_complete_at_once_one_gets_the_parts(services: ModuleType, key: str) -> None:
    services.start_upload(key)
    for number in (2, 0, 1):
        services.write_part(key, key, number, str(number).encode())
    with ThreadPoolExecutor(8) as pool:
        taken = [each for each in pool.map(lambda _: services.take_parts(key), range(8)) if each is not None]
    assert taken == [{0: b"0", 1: b"1", 2: b"2"}]
    assert list(taken[0]) == [0, 1, 2]
    assert left(services, key) == []


def test_no_chunk_is_lost_among_several_that_append_at_once(services: ModuleType, key: str) -> None:
    services.start_upload(key)
    sent = [str(number).encode() for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda content: services.append_part(key, key, content), sent))
    assert sorted(services.take_parts(key).values()) == sorted(sent)


def test_what_comes_after_the_end_is_no_part(services: ModuleType, key: str) -> None:
    with pytest.raises(KeyError, match="name"):
        services.append_part(key, "name", b"early")
    services.start_upload(key)
    services.append_part(key, "name", b"one")
    services.take_parts(key)
    with pytest.raises(KeyError, match="name"):
        services.write_part(key, "name", 1, b"late")
    assert left(services, key) == []


def test_parts_that_could_not_be_read_can_be_taken_later(
    services: ModuleType, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.start_upload(key)
    services.append_part(key, key, b"one")

    def cut(*_: Any) -> bytes:
        raise ConnectionError("the connection was cut")

    with monkeypatch.context() as patch:
        patch.setattr(services, "read_object", cut)
        with pytest.raises(ConnectionError):
            services.take_parts(key)
    assert services.take_parts(key) == {0: b"one"}


def test_an_upload_that_is_begun_anew_has_no_old_parts(services: ModuleType, key: str) -> None:
    services.start_upload(key)
    services.append_part(key, key, b"old")
    services.start_upload(key)
    services.append_part(key, key, b"new")
    assert services.take_parts(key) == {0: b"new"}


@pytest.mark.parametrize("size", [0, 3, 6 * 1024 * 1024])
def test_a_name_is_given_once(services: ModuleType, key: str, size: int) -> None:
    content = bytes(size)
    services.store_new(f"/{key}", [content], "text/plain")
    with pytest.raises(FileExistsError):
        services.store_new(f"/{key}", [b"other"], "text/plain")
    answer = services.s3.get_object(Bucket=services.upload_bucket(), Key=key)
    assert answer["Body"].read() == content
    assert answer["ContentType"] == "text/plain"


def test_a_file_whose_chunks_end_early_is_not_there(services: ModuleType, key: str) -> None:
    def chunks() -> Any:
        yield bytes(6 * 1024 * 1024)
        raise ConnectionError("the client went away")

    with pytest.raises(ConnectionError):
        services.store_new(f"/{key}", chunks(), "text/plain")
    assert left(services, key) == []
    uploads = services.s3.list_multipart_uploads(Bucket=services.upload_bucket()).get("Uploads", [])
    assert [each["Key"] for each in uploads if each["Key"] == key] == []


def left(services: ModuleType, key: str) -> list[str]:
    answer = services.s3.list_objects_v2(Bucket=services.upload_bucket(), Prefix=key)
    return [item["Key"] for item in answer.get("Contents", [])]
