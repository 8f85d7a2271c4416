"""Every folder of tests/fixtures is a case: before/, what is said of it, after/, and how its users drive it.

    before/        the input (a link, where it is one of the examples)
    findings.txt   what is found and said, a store a paragraph
    after/         what `--write --accept review` makes of it; absent where nothing may change
    drive.py       requests that the original in one process and the result over three dying processes answer alike

A new case needs no code. `UNSTATE_UPDATE=1 pytest tests/test_fixtures.py` writes findings.txt and after/ for a person
to read before they are committed.
"""

from __future__ import annotations

import ast
import os
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from unstate.changes.apply import apply
from unstate.config import load
from unstate.model import Group, Plan, Verdict
from unstate.plan import Sources, plan
from unstate.render import render
from unstate.scan import scan
from unstate.verify import Backing, Fault, backing_services, check_case

FIXTURES = Path(__file__).parent / "fixtures"
CASES = sorted(folder.name for folder in FIXTURES.iterdir() if folder.is_dir())
DRIVEN = [name for name in CASES if (FIXTURES / name / "drive.py").exists()]
UPDATE = bool(os.environ.get("UNSTATE_UPDATE"))
NOT_OURS = shutil.ignore_patterns("drive.py", "__pycache__", ".unstate")


@pytest.fixture(scope="session")
def backing() -> Iterator[Backing]:
    with backing_services() as services:
        yield services


@pytest.fixture
def work(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of a case's input that may be written to."""
    target = tmp_path / "app"
    shutil.copytree(FIXTURES / request.node.callspec.params["name"] / "before", target, ignore=NOT_OURS)
    return target


def planned(root: Path) -> Plan:
    config = load(root)
    return plan(root, scan(root, config), config)


def migrate(root: Path) -> Plan:
    """Write all that may be written; the plan that was followed."""
    config, sources = load(root), Sources(root)
    made = plan(root, scan(root, config), config, sources=sources)
    accepted = [group.id for group in made.groups if group.verdict is not Verdict.MANUAL]
    apply(root, render(root, made, accepted, sources))
    return made


def said(made: Plan) -> str:
    """What a plan says, for people to read in a diff."""
    lines = [paragraph for group in made.groups for paragraph in _said_of(group)]
    lines += [f"{found.path}:{found.line}: {found.rule} {found.message}" for found in made.diagnostics]
    return "\n".join(lines) + "\n" if lines else "nothing\n"


def _said_of(group: Group) -> Iterator[str]:
    finding = group.finding
    place = f"{finding.store.path}:{finding.store.span.line}"
    yield f"{place} {finding.store.name}: {group.verdict} {finding.rule} {finding.kind} of {finding.shape}"
    if group.layout is not None:
        yield f"    {group.layout} {group.codec} {group.prefix} {group.ttl_seconds or 'no expiry'}"
    yield from (f"    differs: {text}" for text in group.differences)
    yield from (f"    refused: {refusal.path}:{refusal.line}: {refusal.reason}" for refusal in group.refusals)


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and not NOT_OURS("", [path.name]))
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode("utf-8", "surrogateescape")
        for path in sorted(files)
        if ".unstate" not in path.parts and "__pycache__" not in path.parts
    }


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_and_made_and_a_second_run_plans_nothing_more(name: str, work: Path) -> None:
    case = FIXTURES / name
    before = contents(work)
    made = migrate(work)
    after = contents(work)
    if UPDATE:
        (case / "findings.txt").write_text(said(made))
        shutil.rmtree(case / "after", ignore_errors=True)
        if after != before:
            shutil.copytree(work, case / "after", ignore=NOT_OURS)
    assert said(made) == (case / "findings.txt").read_text()
    assert after == (contents(case / "after") if (case / "after").is_dir() else before)
    moved = {group.id for group in made.groups if group.verdict is not Verdict.MANUAL}
    for path, text in after.items():
        if path.endswith(".py"):
            ast.parse(text, path)
    again = planned(work)
    assert [group.id for group in again.groups if group.verdict is not Verdict.MANUAL] == []
    assert moved.isdisjoint(group.id for group in again.groups)
    assert not any("backing_services" in group.finding.store.module for group in again.groups)


@pytest.mark.parametrize("name", DRIVEN)
def test_the_result_answers_as_the_original_while_processes_die(name: str, backing: Backing) -> None:
    case = FIXTURES / name
    declared = planned(case / "before").groups
    # Plans do not say yet what requests do to each other that meet in Django's storage, which a burst finds.
    silent = any(group.finding.store.constructor == "storage" for group in declared)
    faults: tuple[Fault, ...] = ("kill", "fresh") if silent else ("kill", "fresh", "burst")
    report = check_case(case, backing=backing, faults=faults, declared=declared)
    assert report.ok, textwrap.indent(report.text(), "    ")
