from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest

from unstate.verify.services import s3_server

BUCKET = "proofs"
CREDENTIALS = {
    "UPLOAD_BUCKET": BUCKET,
    "AWS_ACCESS_KEY_ID": "unstate",
    "AWS_SECRET_ACCESS_KEY": "unstate-verify",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@pytest.fixture(scope="session", params=["moto", "seaweedfs"])
def endpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An S3 server with an empty bucket."""
    with s3_server(tmp_path_factory.mktemp("s3"), request.param) as (address, _), pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        boto3.client("s3", endpoint_url=address).create_bucket(Bucket=BUCKET)
        yield address


@pytest.fixture
def environment(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The variables that the generated module reads, set."""
    variables = {**CREDENTIALS, "AWS_ENDPOINT_URL_S3": endpoint}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables
