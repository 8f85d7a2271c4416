from __future__ import annotations

import os
import sys
import tempfile
import types
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import boto3
import pytest
import redis

from unstate.catalogue import helpers
from unstate.model import Backing
from unstate.render.backing import backing_services
from unstate.verify.services import redis_server, s3_server

from . import models
from .building import SERVICES, TTL
from .machine import Services

BUCKET = "proofs"


@pytest.fixture(scope="package")  # its environment must not reach other tests
def services() -> Iterator[Services]:
    """A Redis, an S3, and the generated module with everything in it, as the rewritten code imports it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        redis_server(Path(folder)) as (url, _),
        s3_server(Path(folder), "moto") as (endpoint, _),
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in {
            "REDIS_URL": url,
            "UPLOAD_BUCKET": BUCKET,
            "AWS_ENDPOINT_URL_S3": endpoint,
            "AWS_ACCESS_KEY_ID": "proof",
            "AWS_SECRET_ACCESS_KEY": "proof",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            patch.setitem(os.environ, name, value)
        patch.setitem(sys.modules, SERVICES, generated(Path(folder)))
        patch.setitem(sys.modules, "proof_models", models)
        s3 = boto3.client("s3", endpoint_url=endpoint)
        s3.create_bucket(Bucket=BUCKET)
        yield Services(redis.Redis.from_url(url), s3, BUCKET)


def generated(folder: Path) -> types.ModuleType:
    """The backing-services module with every helper."""
    change = backing_services(
        folder, Backing(service=".", path=f"{SERVICES}.py", module=SERVICES), helpers.NAMES, ()
    ).change
    assert change.after is not None
    module = types.ModuleType(SERVICES)
    module.__file__ = str(folder / f"{SERVICES}.py")
    exec(compile(change.after, f"{SERVICES}.py", "exec"), module.__dict__)
    setattr(module, TTL, timedelta(hours=3, seconds=-1))
    return module
