"""What follows a plan: the tree, the tests, the branches and the pull requests. The user's checkout stays as it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from campaigns import Told, campaign, changed, planned
from small import TEST, commit, git, repository, service, with_library

from unstate.batch import sending
from unstate.batch.engines import Pool, Serial
from unstate.batch.errors import BatchError
from unstate.batch.journal import State, Step
from unstate.batch.model import Estate
from unstate.batch.run import Tally
from unstate.batch.testing import Compared, Result
from unstate.batch.work import Level
from unstate.changes.errors import DirtyTreeError


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    made = repository(tmp_path / "repo", "alpha", "beta", "plain")
    planned(tmp_path / "campaign", made)
    return made


def branched(tmp_path: Path, estate: Estate, *, replace: bool = False) -> Tally:
    with campaign(tmp_path / "campaign", estate) as made:
        return sending.make_branches(made, made.units(), Told(), replace=replace)


def endings(tmp_path: Path, estate: Estate) -> dict[str, str]:
    with campaign(tmp_path / "campaign", estate) as made:
        records = {name: made.journal.record(Step.BRANCH, name) for name in made.journal.records(Step.BRANCH)}
    return {name: record.result.decode() for name, record in records.items() if record is not None}


# Branches


def test_a_branch_holds_one_commit_with_the_patch(tmp_path: Path, estate: Estate) -> None:
    root = Path(estate.root)
    before = (git(root, "status", "--porcelain"), git(root, "rev-parse", "HEAD"), (root / ".git/index").read_bytes())
    tally = branched(tmp_path, estate)
    assert sorted(tally.done) == ["alpha", "beta"]
    after = (git(root, "status", "--porcelain"), git(root, "rev-parse", "HEAD"), (root / ".git/index").read_bytes())
    assert after == before
    assert git(root, "for-each-ref", "--format=%(refname)") == "\n".join(
        ["refs/heads/main", "refs/heads/unstate/alpha", "refs/heads/unstate/beta"]
    )
    assert git(root, "rev-list", "--count", "main..unstate/alpha") == "1"
    patch = (tmp_path / "campaign/services/alpha/change.patch").read_text()
    git(root, "checkout", "--quiet", "-b", "by-hand")
    subprocess.run(["git", "-C", str(root), "apply", "--index"], input=patch, text=True, check=True)
    assert git(root, "write-tree") == git(root, "rev-parse", "unstate/alpha^{tree}")
    message = git(root, "log", "-1", "--format=%B", "unstate/alpha")
    assert message.startswith("alpha: move 1 store to Redis\n")
    assert "\nUnstate-Change: " in message


def test_branches_are_made_once(tmp_path: Path, estate: Estate) -> None:
    branched(tmp_path, estate)
    tip = git(Path(estate.root), "rev-parse", "unstate/alpha")
    branched(tmp_path, estate)
    assert git(Path(estate.root), "rev-parse", "unstate/alpha") == tip
    assert endings(tmp_path, estate) == {"alpha": "there already", "beta": "there already"}


@pytest.mark.parametrize("replace", [False, True])
def test_an_earlier_branch_of_ours_is_replaced_on_request(tmp_path: Path, estate: Estate, replace: bool) -> None:
    root = Path(estate.root)
    branched(tmp_path, estate)
    tip = git(root, "rev-parse", "unstate/alpha")
    (root / "services/alpha/app.py").write_text((root / "services/alpha/app.py").read_text() + "\n\nX = 1\n")
    commit(root)
    planned(tmp_path / "campaign", estate)
    branched(tmp_path, estate, replace=replace)
    assert endings(tmp_path, estate)["alpha"] == ("replaced" if replace else "skipped")
    assert (git(root, "rev-parse", "unstate/alpha") != tip) is replace
    if replace:
        assert "X = 1" in git(root, "show", "unstate/alpha:services/alpha/app.py")


@pytest.mark.parametrize("how", ["one more commit", "amended", "not ours", "checked out"])
def test_somebodys_branch_is_left_alone(tmp_path: Path, estate: Estate, how: str) -> None:
    root = Path(estate.root)
    if how != "not ours":
        branched(tmp_path, estate)
    git(root, "checkout", "--quiet", *(["-b"] if how == "not ours" else []), "unstate/alpha")
    if how != "checked out":
        (root / "services/alpha/more.py").write_text("y = 2\n")
        git(root, "add", "-A")
        git(root, "commit", "--quiet", *(["--amend", "--no-edit"] if how == "amended" else ["-m", "Mine"]))
        git(root, "checkout", "--quiet", "main")
    tip = git(root, "rev-parse", "unstate/alpha")
    if how == "checked out":
        git(root, "checkout", "--quiet", "--detach", "main")
        (root / "services/alpha/app.py").write_text((root / "services/alpha/app.py").read_text() + "\n\nX = 1\n")
        commit(root)
        planned(tmp_path / "campaign", estate)
        git(root, "checkout", "--quiet", "unstate/alpha")
        with campaign(tmp_path / "campaign", estate) as made:
            settings = msgspec.structs.replace(made.settings, commit=git(root, "rev-parse", "HEAD@{1}"))
            made.settings = settings
            tally = sending.make_branches(made, made.units(), Told(), replace=True)
    else:
        tally = branched(tmp_path, estate, replace=True)
    assert "left as it is" in tally.failures["alpha"].reason
    assert "beta" in tally.done
    assert git(root, "rev-parse", "unstate/alpha") == tip


def test_a_plan_made_from_uncommitted_files_gives_no_branch(tmp_path: Path, estate: Estate) -> None:
    root = Path(estate.root)
    app = root / "services/alpha/app.py"
    app.write_text(app.read_text() + "\n\nX = 1\n")
    planned(tmp_path / "campaign", estate)
    tally = branched(tmp_path, estate)
    assert "commit your changes" in tally.failures["alpha"].reason
    assert tally.done == ["beta"]
    assert git(root, "for-each-ref", "--format=%(refname)", "refs/unstate") == ""


def test_line_ends_that_git_converts_are_converted(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    estate = repository(root, "alpha")
    (root / ".gitattributes").write_text("*.py text eol=crlf\n")
    app = root / "services/alpha/app.py"
    app.write_bytes(app.read_bytes().replace(b"\n", b"\r\n"))
    commit(root)
    assert git(root, "status", "--porcelain") == ""
    planned(tmp_path / "campaign", estate)
    branched(tmp_path, estate)
    blob = subprocess.run(
        ["git", "-C", str(root), "cat-file", "blob", "unstate/alpha:services/alpha/app.py"], capture_output=True
    ).stdout
    assert b"redis_client" in blob
    assert b"\r" not in blob


def test_a_file_keeps_its_mode(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    estate = repository(root, "alpha")
    (root / "services/alpha/app.py").chmod(0o755)
    commit(root)
    planned(tmp_path / "campaign", estate)
    branched(tmp_path, estate)
    assert git(root, "ls-tree", "unstate/alpha", "services/alpha/app.py").startswith("100755")


def test_without_git_there_is_no_branch(tmp_path: Path) -> None:
    estate = repository(tmp_path / "repo", "alpha")
    (tmp_path / "repo/.git").rename(tmp_path / "was-git")
    planned(tmp_path / "campaign", estate)
    with pytest.raises(BatchError, match="not the top of a git repository"):
        branched(tmp_path, estate)


# The tree


def applied(tmp_path: Path, estate: Estate, level: Level = Level.REVIEW, *, allow_dirty: bool = False) -> Tally:
    with campaign(tmp_path / "campaign", estate) as made:
        return sending.apply_plans(made, made.units(), Told(), level, allow_dirty=allow_dirty)


def test_applying_writes_what_the_branches_hold(tmp_path: Path, estate: Estate) -> None:
    root = Path(estate.root)
    branched(tmp_path, estate)
    assert sorted(applied(tmp_path, estate).done) == ["alpha", "beta"]
    git(root, "add", "-A")
    for name in ("alpha", "beta"):
        git(root, "diff", "--cached", "--exit-code", f"unstate/{name}", "--", f"services/{name}")
    again = applied(tmp_path, estate)
    assert again.done == []
    assert sorted(again.unchanged) == ["alpha", "beta"]


def test_what_is_only_reviewable_is_not_written_unasked(tmp_path: Path, estate: Estate) -> None:
    applied(tmp_path, estate, Level.EXACT)
    assert git(Path(estate.root), "status", "--porcelain", "--", "services") == ""


def test_uncommitted_work_stops_it(tmp_path: Path, estate: Estate) -> None:
    (Path(estate.root) / "services/plain/app.py").write_text("x = 1\n")
    with pytest.raises(DirtyTreeError, match="plain/app"):
        applied(tmp_path, estate)
    assert sorted(applied(tmp_path, estate, allow_dirty=True).done) == ["alpha", "beta"]


def test_a_service_that_changed_since_is_refused_and_the_others_written(tmp_path: Path, estate: Estate) -> None:
    root = Path(estate.root)
    (root / "services/alpha/app.py").write_text("x = 1\n")
    commit(root)
    tally = applied(tmp_path, estate)
    assert "plan again" in tally.failures["alpha"].reason
    assert tally.done == ["beta"]
    assert (root / "services/alpha/app.py").read_text() == "x = 1\n"


# Tests


def with_tests(root: Path, estate: Estate, **sources: str) -> Estate:
    """The estate with services that have tests of these sources."""
    added = []
    for name, source in sources.items():
        made = service(root, name)
        (root / made.root / "test_app.py").write_text(source)
        added.append(
            msgspec.structs.replace(made, test_command=(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"))
        )
    commit(root)
    return changed(estate, services=tuple(sorted([*estate.services, *added], key=lambda each: each.root)))


FAILING = "def test_old():\n    assert False\n"
SLOW = """\
import pathlib
import time


def test_slow():
    mark = pathlib.Path('{mark}')
    if not mark.exists():
        time.sleep(600)
"""
READS_STORE = "import app\n\n\ndef test_store():\n    assert hasattr(app, '{name}_sessions')\n"


@pytest.mark.parametrize("engine", [Serial(), Pool(2, 120)], ids=["serial", "pool"])
def test_failures_of_before_are_told_apart(tmp_path: Path, engine: Serial | Pool) -> None:
    root = tmp_path / "repo"
    estate = with_tests(
        root,
        repository(root, "plain"),
        passes=TEST,
        fails=FAILING,
        breaks=READS_STORE.format(name="breaks"),
        both=FAILING + READS_STORE.format(name="both"),
    )
    planned(tmp_path / "campaign", estate)
    with campaign(tmp_path / "campaign", estate) as made:
        tally = sending.run_tests(made, made.units(), engine, Told(), 60)
        assert not tally.failures
        kept = {name: made.journal.record(Step.TEST, name) for name in tally.done}
        tested = {name: msgspec.msgpack.decode(record.result, type=Compared) for name, record in kept.items() if record}
        again = sending.run_tests(made, made.units(), engine, Told(), 60)
        bodies_of = {name: (tmp_path / f"campaign/services/{name}/pull-request.md").read_text() for name in tested}
    assert {name: each.result for name, each in tested.items()} == {
        "passes": Result.PASSED,
        "fails": Result.SAME,
        "breaks": Result.BROKEN,
        "both": Result.BROKEN,
    }
    assert tested["both"].broken == ("test_app::test_store",)
    assert tested["both"].failing_before == ("test_app::test_old",)
    assert "has no attribute" in tested["breaks"].output or "hasattr" in tested["breaks"].output
    assert again.done == []
    assert "pass before and after the change" in bodies_of["passes"]
    assert "failed before too: `test_app::test_old`" in bodies_of["both"]
    assert git(root, "worktree", "list").count("\n") == 0
    assert git(root, "config", "--list", "--local").count("sparse") == 0


def test_tests_that_take_too_long_are_a_failure(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    estate = with_tests(root, repository(root, "plain"), slow=SLOW.format(mark=tmp_path / "mark"))
    planned(tmp_path / "campaign", estate)
    with campaign(tmp_path / "campaign", estate) as made:
        tally = sending.run_tests(made, made.units(), Serial(), Told(), 3)
        assert "took longer than 3 s" in tally.failures["slow"].reason
        assert list(sending.run_tests(made, made.units(), Serial(), Told(), 3).failures) == ["slow"]
        (reached,) = made.journal.records(Step.TEST).values()
        (tmp_path / "mark").touch()
        again = sending.run_tests(made, made.units(), Serial(), Told(), 120, again=True)
    assert reached.state is State.FAILED
    assert again.done == ["slow"]


# Pull requests

HITS = """
hits = {}


@app.get("/hit")
def hit():
    hits["n"] = hits.get("n", 0) + 1
    return str(hits["n"])
"""


def test_the_commands_name_the_branch_and_the_text(tmp_path: Path, estate: Estate) -> None:
    with campaign(tmp_path / "campaign", estate) as made:
        unit = next(each for each in made.units() if each.name == "alpha")
        plan = made.planned("alpha")
        assert plan is not None
        push, create = sending.commands(made, unit, plan, "origin")
    assert push[-1] == "unstate/alpha:unstate/alpha"
    assert create[create.index("--title") + 1] == "alpha: move 1 store to Redis"
    assert Path(create[create.index("--body-file") + 1]).read_text().startswith("# alpha: move 1 store to Redis\n")


def test_a_pull_request_is_opened_once(tmp_path: Path, estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(estate.root)
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path / "remote")], check=True)
    git(root, "remote", "add", "origin", str(tmp_path / "remote"))
    tools = tmp_path / "tools"
    tools.mkdir()
    # A gh that keeps a file a request, and knows a branch's by its name.
    (tools / "gh").write_text(
        "#!/bin/sh\n"
        f'cd "{tools}"\n'
        'if [ "$2" = view ]; then cat "$(echo "$3" | tr / _)" 2>/dev/null; exit; fi\n'
        'name=$(echo "$4" | tr / _); echo "https://example.com/$name" | tee "$name"; echo made >> log\n'
    )
    (tools / "gh").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)  # before the real one, where there is one
    branched(tmp_path, estate)
    for _ in range(2):
        with campaign(tmp_path / "campaign", estate) as made:
            tally = sending.open_requests(made, made.units(), Told(), "origin")
            assert sorted(tally.done) == ["alpha", "beta"]
            record = made.journal.record(Step.PR, "alpha")
            assert record is not None
            assert record.result == b"https://example.com/unstate_alpha"
    assert (tools / "log").read_text() == "made\nmade\n"
    assert git(tmp_path / "remote", "rev-parse", "unstate/alpha") == git(root, "rev-parse", "unstate/alpha")


def test_the_text_names_the_library_that_goes_first(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    estate = with_library(root, repository(root, "plain"), "gamma")
    app = root / "services/gamma/app.py"
    app.write_text(app.read_text() + HITS)
    commit(root)
    planned(tmp_path / "campaign", estate)
    text = (tmp_path / "campaign/services/gamma/pull-request.md").read_text()
    assert "### In shared libraries" in text
    assert "`seen` (libs/common/common/memory.py:1): branch `unstate/common`" in text
    assert "- gamma" in (tmp_path / "campaign/libraries/common/pull-request.md").read_text()
