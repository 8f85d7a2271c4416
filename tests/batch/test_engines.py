"""Every engine ends every item in one outcome, whatever dies; nothing is left running."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from unstate.batch.engines import Engine, Outcome, Pool, Serial
from unstate.batch.engines.dask import check_address, cluster
from unstate.batch.errors import BatchError
from unstate.workers import Cause


@pytest.fixture
def work(code: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(code)
    import work_of_engines

    yield work_of_engines
    sys.modules.pop("work_of_engines", None)


@pytest.fixture(params=["serial", "pool", "dask"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "dask":
        with cluster(request.getfixturevalue("scheduler"), 60) as found:
            yield found
    else:
        yield Serial() if request.param == "serial" else Pool(2, 60)


def outcomes(engine: Engine, function: Callable[[str], str], *items: str) -> dict[str, Outcome[str]]:
    found: dict[str, Outcome[str]] = {}
    for outcome in engine.map(function, {item: item for item in items}):
        assert outcome.key not in found
        found[outcome.key] = outcome
    return found


def test_every_item_has_its_result(engine: Engine, work: ModuleType) -> None:
    items = [f"item-{number}" for number in range(12)]
    found = outcomes(engine, work.work, *items)
    assert {key: outcome.value for key, outcome in found.items()} == {item: item.upper() for item in items}
    assert engine.running() == ()


def test_nothing_to_do_is_no_error(engine: Engine, work: ModuleType) -> None:
    assert outcomes(engine, work.work) == {}


def test_what_an_item_raises_is_its_failure_with_the_traceback(engine: Engine, work: ModuleType) -> None:
    found = outcomes(engine, work.work, "a", "raise", "b")
    assert (found["a"].value, found["b"].value) == ("A", "B")
    failure = found["raise"].failure
    assert failure is not None
    assert failure.cause is Cause.RAISED
    assert failure.reason == "Unpicklable: no such thing"
    assert 'raise Unpicklable("no such thing", 2)' in failure.details


@pytest.mark.parametrize("engine", ["pool", "dask"], indirect=True)
def test_a_worker_that_dies_costs_its_item(engine: Engine, work: ModuleType) -> None:
    found = outcomes(engine, work.work, "a", "die", "b", "c")
    failure = found.pop("die").failure
    assert failure is not None
    assert failure.cause is Cause.KILLED
    assert {key: outcome.value for key, outcome in found.items()} == {"a": "A", "b": "B", "c": "C"}


def test_a_worker_that_is_killed_from_outside_costs_nothing(work: ModuleType, tmp_path: Path) -> None:
    item = f"once {tmp_path / 'mark'}"
    found = outcomes(Pool(2, 60), work.work, "a", item, "b")
    assert found[item].value == "SECOND"
    assert found["a"].value == "A"


@pytest.mark.parametrize("name", ["pool", "dask"])
def test_an_item_that_hangs_is_given_up(name: str, request: pytest.FixtureRequest, work: ModuleType) -> None:
    if name == "pool":
        found = outcomes(Pool(2, 4), work.work, "a", "hang", "b")
    else:
        with cluster(request.getfixturevalue("scheduler"), 4) as engine:
            found = outcomes(engine, work.work, "a", "hang", "b")
    failure = found["hang"].failure
    assert failure is not None
    assert failure.cause is Cause.HUNG
    assert failure.reason == "it took longer than 4 s"
    assert (found["a"].value, found["b"].value) == ("A", "B")


# Schedulers


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:8786", "localhost:8786", "tcp://[::1]:8786", "tls://cluster.example.com:8786"]
)
def test_schedulers_that_can_be_trusted(address: str) -> None:
    check_address(address, insecure=False)


@pytest.mark.parametrize("address", ["tcp://10.0.0.1:8786", "cluster.example.com:8786", "tcp://0.0.0.0:8786"])
def test_schedulers_that_anybody_could_be_are_refused_unless_asked(address: str) -> None:
    with pytest.raises(BatchError, match="--insecure-scheduler"):
        check_address(address, insecure=False)
    check_address(address, insecure=True)


def test_no_scheduler_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("unstate.batch.engines.dask._CONNECT", 1)
    with pytest.raises(BatchError, match="no Dask scheduler answers"), cluster("tcp://127.0.0.1:1", 60):
        pass
