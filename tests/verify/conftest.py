from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from unstate.resources import shipped
from unstate.verify import Backing, backing_services

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def backing() -> Iterator[Backing]:
    """A Redis and a real S3 for the whole session; each phase empties them."""
    with backing_services() as services:
        yield services


@pytest.fixture(scope="session")
def examples() -> Path:
    return shipped("examples")


@pytest.fixture(scope="session")
def migrated() -> Path:
    """The example apps, moved to backing services by hand."""
    return HERE / "migrated"
