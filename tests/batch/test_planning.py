"""The plans of a campaign: the same from every engine and any number of parts, and made anew only where due."""

from __future__ import annotations

from pathlib import Path

import pytest
from campaigns import Told, campaign, changed, planned, plans
from monorepo import Monorepo
from small import commit, repository, with_library

from unstate.batch import planning
from unstate.batch.campaign import Choice, opened
from unstate.batch.decisions import Rule
from unstate.batch.discover import discover
from unstate.batch.engines import Pool, Serial
from unstate.batch.engines.dask import cluster
from unstate.batch.errors import BatchError
from unstate.batch.journal import State, Step
from unstate.model import Kind


def test_each_service_has_a_plan_a_patch_and_a_text(tmp_path: Path) -> None:
    estate = repository(tmp_path / "repo", "alpha", "plain")
    tally = planned(tmp_path / "campaign", estate)
    assert sorted(tally.done) == ["alpha", "plain"]
    files = plans(tmp_path / "campaign")
    made = ("change.patch", "plan.json", "pull-request.md")
    assert sorted(files) == [*(f"services/alpha/{file}" for file in made), "services/plain/plan.json"]
    patch = files["services/alpha/change.patch"].decode()
    assert "+++ b/services/alpha/app.py" in patch
    assert "+++ b/services/alpha/requirements.txt" in patch


def test_every_engine_gives_the_same_bytes(tmp_path: Path) -> None:
    truth = Monorepo(tmp_path / "repo", services=8, seed=3).write()
    estate = discover(tmp_path / "repo")
    assert len(estate.services) == len(truth.services)
    planned(tmp_path / "serial", estate, Serial())
    planned(tmp_path / "pool", estate, Pool(2, 120))
    assert plans(tmp_path / "serial") == plans(tmp_path / "pool")
    assert {path.split("/")[0] for path in plans(tmp_path / "serial")} == {"services", "libraries"}


def test_a_cluster_gives_the_same_bytes(tmp_path: Path, scheduler: str) -> None:
    root = tmp_path / "repo"
    estate = with_library(root, repository(root, "alpha", "beta", "plain"), "gamma")
    (root / "services/beta/broken.py").write_text("def broken(:\n")
    commit(root)
    planned(tmp_path / "serial", estate)
    with cluster(scheduler, 120) as engine, campaign(tmp_path / "dask", estate) as made:
        tally = planning.plan(made, engine, Told(), repository=str(root))
    assert sorted(tally.done) == ["alpha", "beta", "common", "gamma", "plain"]
    assert plans(tmp_path / "dask") == plans(tmp_path / "serial")


def test_a_cluster_does_not_plan_from_what_it_cannot_see(tmp_path: Path, scheduler: str) -> None:
    root = tmp_path / "repo"
    estate = repository(root, "alpha")
    (root / "services/alpha/app.py").write_text("x = 1\n")
    with (
        cluster(scheduler, 120) as engine,
        campaign(tmp_path / "campaign", estate) as made,
        pytest.raises(BatchError, match=r"services/alpha/app\.py.*; commit them"),
    ):
        planning.plan(made, engine, Told(), repository=str(root))


def test_workers_of_another_version_refuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    estate = repository(tmp_path / "repo", "alpha")
    monkeypatch.setattr(planning, "identity", lambda: "0.0.1 (another)")
    tally = planned(tmp_path / "campaign", estate)
    assert "the campaign 0.0.1 (another)" in tally.failures["alpha"].reason


def test_a_second_run_does_nothing(tmp_path: Path) -> None:
    estate = with_library(tmp_path / "repo", repository(tmp_path / "repo", "alpha"), "gamma")
    planned(tmp_path / "campaign", estate)
    before = plans(tmp_path / "campaign")
    tally = planned(tmp_path / "campaign", estate)
    assert tally.done == []
    assert sorted(tally.unchanged) == ["alpha", "common", "gamma"]
    assert plans(tmp_path / "campaign") == before


@pytest.mark.parametrize("committed", [False, True])
def test_only_what_changed_is_planned_again(tmp_path: Path, committed: bool) -> None:
    root = tmp_path / "repo"
    estate = repository(root, "alpha", "beta")
    planned(tmp_path / "campaign", estate)
    (root / "services/beta/app.py").write_text("x = 1\n")
    (root / "README.md").write_text("of no service\n")
    if committed:
        commit(root)
    assert planned(tmp_path / "campaign", estate).done == ["beta"]


def test_a_library_that_changes_is_planned_again_with_its_users(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    estate = with_library(root, repository(root, "alpha"), "gamma")
    planned(tmp_path / "campaign", estate)
    memory = root / "libs/common/common/memory.py"
    memory.write_text(memory.read_text() + "\n\nLIMIT = 10\n")
    assert sorted(planned(tmp_path / "campaign", estate).done) == ["common", "gamma"]


def test_what_is_no_more_is_no_longer_shown(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    estate = with_library(root, repository(root, "alpha", "beta"), "gamma")
    planned(tmp_path / "campaign", estate)
    (root / "libs/common/common/memory.py").write_text("def remember(key, value): ...\n\n\ndef recall(key): ...\n")
    planned(tmp_path / "campaign", changed(estate, services=estate.services[1:]))
    assert {path.partition("/")[2].partition("/")[0] for path in plans(tmp_path / "campaign")} == {"beta", "gamma"}


def test_outside_git_the_files_themselves_are_compared(tmp_path: Path) -> None:
    estate = repository(tmp_path / "repo", "alpha", "beta")
    (tmp_path / "repo" / ".git").rename(tmp_path / "was-git")
    assert len(planned(tmp_path / "campaign", estate).done) == 2
    (tmp_path / "repo/services/alpha/app.py").write_text("x = 1\n")
    assert planned(tmp_path / "campaign", estate).done == ["alpha"]


def test_a_decision_replans_the_services_that_it_is_about(tmp_path: Path) -> None:
    estate = repository(tmp_path / "repo", "alpha", "beta", "plain")
    planned(tmp_path / "campaign", estate)
    with campaign(tmp_path / "campaign", estate) as made:
        made.decide(made.decisions.with_rule(Rule(kind=Kind.SESSION, path="*/beta/*", answers={"ttl": "2h"})))
        tally = planning.plan(made, Serial(), Told())
    assert tally.done == ["beta"]
    assert b"hours=2)" in plans(tmp_path / "campaign")["services/beta/change.patch"]
    assert b"hours=24)" in plans(tmp_path / "campaign")["services/alpha/change.patch"]


def test_a_decision_to_leave_a_store_empties_its_patch(tmp_path: Path) -> None:
    estate = repository(tmp_path / "repo", "alpha", "beta")
    planned(tmp_path / "campaign", estate)
    with campaign(tmp_path / "campaign", estate) as made:
        made.decide(made.decisions.with_rule(Rule(store="alpha_*", accept=False)))
        planning.plan(made, Serial(), Told())
    files = plans(tmp_path / "campaign")
    assert "services/alpha/change.patch" not in files
    assert "services/alpha/pull-request.md" not in files
    assert "services/beta/change.patch" in files


def test_a_bad_answer_fails_the_services_it_is_about_until_it_is_mended(tmp_path: Path) -> None:
    estate = repository(tmp_path / "repo", "alpha", "plain")
    with campaign(tmp_path / "campaign", estate) as made:
        made.decide(made.decisions.with_rule(Rule(kind=Kind.SESSION, answers={"ttl": "soon"})))
        tally = planning.plan(made, Serial(), Told())
        assert list(tally.failures) == ["alpha"]
        assert "soon" in tally.failures["alpha"].reason
        made.decide(made.decisions.with_rule(Rule(kind=Kind.SESSION, answers={"ttl": "2h"})))
        assert planning.plan(made, Serial(), Told()).done == ["alpha"]


def test_the_folder_of_one_repository_is_not_taken_for_another(tmp_path: Path) -> None:
    planned(tmp_path / "campaign", repository(tmp_path / "one", "alpha"))
    with pytest.raises(BatchError, match="is the campaign of"):
        planned(tmp_path / "campaign", repository(tmp_path / "two", "alpha"))


def test_one_works_while_others_look(tmp_path: Path) -> None:
    estate = repository(tmp_path / "repo", "alpha")
    with campaign(tmp_path / "campaign", estate):
        with pytest.raises(BatchError, match="another unstate works on"), opened(tmp_path / "campaign"):
            pass
        with opened(tmp_path / "campaign", to_look=True) as seen:
            assert [unit.name for unit in seen.units()] == ["alpha"]


def test_parts_together_are_the_whole(tmp_path: Path) -> None:
    estate = repository(tmp_path / "repo", "alpha", "beta", "gamma", "plain")
    planned(tmp_path / "whole", estate)
    parts: dict[str, bytes] = {}
    for number in (1, 2, 3):
        planned(tmp_path / f"part-{number}", estate, choice=Choice(shard=f"{number}/3"))
        found = plans(tmp_path / f"part-{number}")
        assert not parts.keys() & found.keys()
        parts |= found
    assert parts == plans(tmp_path / "whole")


@pytest.mark.parametrize("wrong", ["0/2", "3/2", "a/b", "2"])
def test_a_part_that_cannot_be_is_refused(tmp_path: Path, wrong: str) -> None:
    estate = repository(tmp_path / "repo", "alpha")
    with pytest.raises(BatchError, match="which part of how many"):
        planned(tmp_path / "campaign", estate, choice=Choice(shard=wrong))


def test_a_service_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    estate = repository(root, "alpha", "beta", "gamma")
    (root / "services/beta/pyproject.toml").write_text("[tool.unstate]\nno_such_key = 1\n")
    tally = planned(tmp_path / "campaign", estate)
    assert sorted(tally.done) == ["alpha", "gamma"]
    assert "no_such_key" in tally.failures["beta"].reason
    with campaign(tmp_path / "campaign", estate) as made:
        record = made.journal.record(Step.PLAN, "beta")
        assert record is not None
        assert record.state is State.FAILED
        assert "ConfigError" in record.details
    assert planned(tmp_path / "campaign", estate).failures.keys() == {"beta"}
