"""The step `test`: a service's own tests on its base and on its change, so that what failed before is told apart."""

from __future__ import annotations

import os
import re
import shlex
from enum import StrEnum
from pathlib import Path
from xml.etree import ElementTree

from unstate.batch import checkout
from unstate.batch.errors import BatchError
from unstate.batch.units import Unit
from unstate.children import Child, Folder
from unstate.model import FileChange, Value

# unittest's own lines; pytest writes a report that says more.
_UNITTEST = re.compile(r"^(?:FAIL|ERROR): (\S+ \([\w.]+\)|\S+)", re.MULTILINE)
_TAIL = 20  # lines of an output that are kept


class Result(StrEnum):
    """What the tests say about a change."""

    PASSED = "passed"
    SAME = "same failures"  # as without the change
    BROKEN = "broken"  # something fails that did not fail before
    FIXED = "passed, and failed before"


_WORDS = {
    Result.PASSED: "pass before and after the change",
    Result.SAME: "fail with the change as they failed without it",
    Result.BROKEN: "fail with the change, and did not without it",
    Result.FIXED: "pass with the change, and failed without it",
}


class Trial(Value, frozen=True):
    """All that a worker has to be told. `command` is run in the unit's root; `timeout` in seconds is for one run."""

    repository: str
    commit: str
    unit: Unit
    changes: tuple[FileChange, ...]
    command: tuple[str, ...]
    timeout: float


class Compared(Value, frozen=True):
    """What came of it. Test names are those of pytest or unittest, none where the runner is another."""

    result: Result
    command: str
    broken: tuple[str, ...] = ()  # fail with the change only
    failing_before: tuple[str, ...] = ()
    output: str = ""  # the end of what the run with the change printed, where it failed

    @property
    def words(self) -> str:
        """The result as the end of a sentence about tests."""
        if self.result is Result.SAME and not self.failing_before:
            return "fail with and without the change, and name no test"
        return _WORDS[self.result]


class _Run(Value, frozen=True):
    code: int
    failing: frozenset[str]
    output: str


def compare(job: Trial) -> Compared:
    """Run the tests twice. Raises BatchError where they cannot be run, or take too long."""
    with checkout.of(job.repository, job.commit, job.unit.folders) as root, Folder("tests") as reports:
        before = _run(root, job, Path(reports) / "before")
        for change in job.changes:
            _put(root, change)
        after = _run(root, job, Path(reports) / "after")
    broken = sorted(after.failing - before.failing)
    if after.code == 0:
        result = Result.PASSED if before.code == 0 else Result.FIXED
    elif before.code == 0 or broken:
        result = Result.BROKEN
    else:
        result = Result.SAME
    return Compared(
        result=result,
        command=shlex.join(job.command),
        broken=tuple(broken),
        failing_before=tuple(sorted(before.failing)),
        output=after.output if after.code else "",
    )


def _run(root: Path, job: Trial, scratch: Path) -> _Run:
    scratch.mkdir()
    report = scratch / "report.xml"
    options = f"{os.environ.get('PYTEST_ADDOPTS', '')} --junitxml={shlex.quote(str(report))}".strip()
    child = Child(
        job.command,
        log=scratch / "log",
        cwd=root / job.unit.root,
        env={**os.environ, "PYTEST_ADDOPTS": options, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    try:
        if not child.wait(job.timeout):
            raise BatchError(f"`{shlex.join(job.command)}` took longer than {job.timeout:g} s\n{child.output(_TAIL)}")
        code = child.returncode or 0
    finally:
        child.kill()
    whole = (scratch / "log").read_text(encoding="utf-8", errors="replace")
    return _Run(code=code, failing=_failing(report, whole), output=child.output(_TAIL))


def _failing(report: Path, output: str) -> frozenset[str]:
    if not report.is_file():
        return frozenset(_UNITTEST.findall(output))
    try:
        cases = ElementTree.parse(report).iter("testcase")
        return frozenset(
            "::".join(filter(None, (case.get("classname"), case.get("name"))))
            for case in cases
            if case.find("failure") is not None or case.find("error") is not None
        )
    except ElementTree.ParseError:
        return frozenset()


def _put(root: Path, change: FileChange) -> None:
    path = root / change.path
    if change.after is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(change.after)
