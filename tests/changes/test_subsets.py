"""Any subset of the groups of the example apps is a change that holds, in whatever bytes the app is written."""

from __future__ import annotations

import contextlib
import functools
import itertools
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trees import Tree, snapshot

from unstate.changes import diff
from unstate.changes.apply import apply, undo
from unstate.changes.decisions import select
from unstate.config import Config
from unstate.model import FileChange, Plan, Verdict
from unstate.plan import plan
from unstate.render import render
from unstate.resources import shipped
from unstate.scan import scan

FIXTURES = Path(__file__).parents[1] / "fixtures"
EXAMPLES = {
    **{name: shipped("examples") / name for name in ("first", "flask_app", "fastapi_app")},
    # with settings, an application and clients of their own
    **{
        name: FIXTURES / name / "before"
        for name in (
            "flask_config_and_own_client",
            "settings_of_pydantic",
            "settings_of_django",
            "own_client_of_the_app",
            "aiohttp_cleanup",
            "files_with_metadata",
        )
    },
}
CODING = b"# -*- coding: latin-1 -*-\n# caf\xe9 \xdf\n"
VARIANTS: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda source: source,
    "crlf": lambda source: source.replace(b"\n", b"\r\n"),
    "bom": lambda source: b"\xef\xbb\xbf" + source,
    "latin-1": lambda source: CODING + source,
    "tabs": lambda source: source.replace(b"    ", b"\t"),
    "form feed": lambda source: source.replace(b"\n\n", b"\n\x0c\n"),
    "no final newline": lambda source: source.rstrip(b"\n"),
    "crlf, no final newline": lambda source: source.rstrip(b"\n").replace(b"\n", b"\r\n"),
}


@functools.cache
def laid_out(example: str, variant: str) -> tuple[Path, Plan]:
    """An example app in other bytes, and its plan."""
    root = Path(tempfile.mkdtemp(prefix=f"unstate-{example}-"))
    shutil.copytree(EXAMPLES[example], root, dirs_exist_ok=True)
    if example == "fastapi_app":  # with all that a change may add to
        (root / "Dockerfile").write_text("FROM python:3.12\n")
        (root / ".env.example").write_text("DEBUG=1\n")
        (root / "pyproject.toml").write_text(
            '[project]\nname = "shop"\ndependencies = [\n  "uvicorn",\n  "fastapi",\n]\n'
        )
    everywhere = [*root.rglob("requirements.txt")] if "crlf" in variant or "newline" in variant else []
    for path in [*root.rglob("*.py"), *everywhere]:
        path.write_bytes(VARIANTS[variant](path.read_bytes()))
    return root, planned(root)


def planned(root: Path) -> Plan:
    return plan(root, scan(root, Config()), Config())


def able(made: Plan) -> list[str]:
    return [group.id for group in made.groups if group.verdict is not Verdict.MANUAL]


@pytest.fixture(scope="module", autouse=True)
def clean_up() -> object:
    yield
    for example in EXAMPLES:
        for variant in VARIANTS:
            root, _ = laid_out(example, variant)
            shutil.rmtree(root, ignore_errors=True)
    laid_out.cache_clear()


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.data(), st.sampled_from(sorted(EXAMPLES)), st.sampled_from(sorted(VARIANTS)))
def test_any_subset(data: st.DataObject, example: str, variant: str) -> None:
    root, made = laid_out(example, variant)
    wanted = data.draw(st.lists(st.sampled_from(able(made) or ["none"]), unique=True), label="accepted")
    accepted = list(select(made, wanted).accepted)
    changes = render(root, made, accepted)
    assert render(root, made, data.draw(st.permutations(accepted), label="order")) == changes
    assert bool(changes) == bool(accepted)
    for change in changes:
        check(change, variant)
    with copied(root) as tree:
        base = snapshot(tree)
        git_applies(tree, changes)
        applied = snapshot(tree)
        assert able(planned(tree)) == [each for each in able(made) if each not in accepted]
        if accepted:
            lay_back(tree, base)
            apply(tree, changes)
            assert snapshot(tree) == applied
            undo(tree)
            assert snapshot(tree) == base


@pytest.mark.parametrize("example", EXAMPLES)
def test_applying_the_rest_later_is_applying_all_at_once(example: str) -> None:
    root, made = laid_out(example, "as it is")
    with copied(root) as tree:
        apply(tree, render(tree, made, able(made)))
        at_once = contents(tree)
    for first in itertools.chain.from_iterable(
        itertools.combinations(able(made), n) for n in range(1, len(able(made)))
    ):
        with copied(root) as tree:
            apply(tree, render(tree, made, select(made, first).accepted))
            rest = planned(tree)
            apply(tree, render(tree, rest, able(rest)))
            assert contents(tree) == at_once, first


@contextlib.contextmanager
def copied(root: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield shutil.copytree(root, Path(folder) / "tree")


def lay_back(tree: Path, base: Tree) -> None:
    for path in snapshot(tree).keys() - base.keys():
        (tree / path).unlink()
    for path, (content, _) in base.items():
        (tree / path).write_bytes(content)


def git_applies(root: Path, changes: tuple[FileChange, ...]) -> None:
    if changes:
        done = subprocess.run(
            ["git", "apply", "-"], cwd=root, input=diff.unified(changes), capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()


def contents(root: Path) -> dict[str, bytes]:
    return {path: content for path, (content, _) in snapshot(root).items()}


def check(change: FileChange, variant: str) -> None:
    """What holds for every changed file: a module compiles, and what was not edited is as it was."""
    assert change.after is not None
    if change.path.endswith(".py"):
        compile(change.after, change.path, "exec", dont_inherit=True)
    if change.before is None:
        return
    assert change.after.startswith(b"\xef\xbb\xbf") == change.before.startswith(b"\xef\xbb\xbf")
    assert change.after.endswith(b"\n") == change.before.endswith(b"\n")
    if b"\r\n" in change.before:
        assert change.after.count(b"\n") == change.after.count(b"\r\n")
    else:
        assert b"\r" not in change.after
    if variant == "latin-1" and change.path.endswith(".py"):
        assert change.after.startswith(CODING)
    assert change.after.count(b"\x0c") <= change.before.count(b"\x0c")  # one before a removed line goes with it
    if variant == "tabs":
        assert not re.search(rb"\n    (?!\w+,\n)", change.after)  # but for the lines of a wrapped import
