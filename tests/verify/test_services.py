"""Backing services: which ones, for loopback alone, and never somebody's data."""

from __future__ import annotations

import pytest

from unstate.verify import Backing, CannotVerifyError, backing_services


def test_they_work_and_are_emptied(backing: Backing) -> None:
    backing.redis().set("a", 1)
    backing.s3().put_object(Bucket=backing.bucket, Key="a/b", Body=b"x")
    backing.flush()
    assert backing.redis().dbsize() == 0
    assert backing.s3().list_objects_v2(Bucket=backing.bucket)["KeyCount"] == 0


def test_a_missing_bucket_is_an_error_as_in_s3(backing: Backing) -> None:
    with pytest.raises(backing.s3().exceptions.NoSuchBucket):
        backing.s3().put_object(Bucket="never-made", Key="a", Body=b"x")


def test_moto_is_the_light_one(monkeypatch: pytest.MonkeyPatch, backing: Backing) -> None:
    monkeypatch.setenv("REDIS_URL", backing.redis_url)
    backing.flush()
    with backing_services(s3="moto") as light:
        light.s3().put_object(Bucket=light.bucket, Key="a", Body=b"x")
        light.flush()
        assert light.s3().list_objects_v2(Bucket=light.bucket)["KeyCount"] == 0
        assert light.redis_url == backing.redis_url


def test_what_the_environment_names_is_taken(monkeypatch: pytest.MonkeyPatch, backing: Backing) -> None:
    backing.flush()
    for name, value in backing.env.items():
        monkeypatch.setenv(name, value)
    with backing_services("env") as borrowed:
        assert borrowed.env == backing.env
    assert backing.redis().ping()


def test_a_redis_that_holds_data_is_left_alone(monkeypatch: pytest.MonkeyPatch, backing: Backing) -> None:
    for name, value in backing.env.items():
        monkeypatch.setenv(name, value)
    backing.flush()
    backing.redis().set("precious", 1)
    with pytest.raises(CannotVerifyError, match="holds 1 keys"), backing_services():
        pytest.fail("never reached")
    assert backing.redis().get("precious") == b"1"
    backing.flush()


def test_a_bucket_that_holds_data_is_left_alone(monkeypatch: pytest.MonkeyPatch, backing: Backing) -> None:
    backing.flush()
    for name, value in backing.env.items():
        monkeypatch.setenv(name, value)
    backing.s3().put_object(Bucket=backing.bucket, Key="precious", Body=b"x")
    with pytest.raises(CannotVerifyError, match="not empty"), backing_services():
        pytest.fail("never reached")
    assert backing.s3().get_object(Bucket=backing.bucket, Key="precious")["Body"].read() == b"x"
    backing.flush()


def test_another_machine_is_never_touched_by_itself(monkeypatch: pytest.MonkeyPatch, backing: Backing) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://production.example:6379/0")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", backing.s3_endpoint)
    for name, value in backing.credentials.items():
        monkeypatch.setenv(name, value)
    backing.flush()
    with backing_services() as own:
        assert own.redis_url.startswith("redis://127.0.0.1:")


def test_what_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch, backing: Backing) -> None:
    for name, value in backing.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    with (
        pytest.raises(CannotVerifyError, match=r"REDIS_URL=redis://127\.0\.0\.1:1/0 does not answer"),
        backing_services(),
    ):
        pytest.fail("never reached")
