"""Whatever dies, hangs or is full: the other services are done and reported once, nothing is left running."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from campaigns import Told, campaign, planned
from small import commit, repository

from unstate.batch import campaign as campaigns_of
from unstate.batch import planning
from unstate.batch.engines import Serial
from unstate.batch.errors import BatchError
from unstate.batch.journal import Journal, Record

NAMES = ("alpha", "beta", "delta", "gamma", "kappa")
# A parser that dies or hangs on what some file says, in every process that is started with it on its path.
PARSER = """\
import ast, os, signal, time

real = ast.parse

def parse(source, *arguments, **options):
    text = source if isinstance(source, bytes) else str(source).encode(errors="replace")
    if b"KILL THE PARSER" in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if b"HANG THE PARSER" in text and not os.path.exists(os.environ["MENDED"]):
        open(os.environ["REACHED"], "w").close()
        time.sleep(600)
    return real(source, *arguments, **options)

ast.parse = parse
"""


class Command:
    """`unstate batch` in processes that can be told from all others, by a mark in their environment."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.root = root
        self.campaign = root / ".unstate/batch"
        self.mark = uuid.uuid4().hex
        self.mended = folder / "mended"
        self.reached = folder / "reached"
        (folder / "path").mkdir()
        (folder / "path/sitecustomize.py").write_text(PARSER)
        path = [str(folder / "path"), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path),
            "TEST_MARK": self.mark,
            "MENDED": str(self.mended),
            "REACHED": str(self.reached),
        }

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start it."""
        return subprocess.Popen(
            [sys.executable, "-m", "unstate", "batch", *map(str, arguments)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str | Path) -> tuple[int, str]:
        """Run it to its end: exit code and standard error."""
        process = self.start(*arguments)
        _, told = process.communicate(timeout=300)
        return process.returncode, told

    def processes(self) -> list[int]:
        """Every process that is left of what was started here."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if self.mark.encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def wait_until_none_is_left(self) -> None:
        """Guards end a moment after those whom they guard."""
        _wait_for(lambda: not self.processes())


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    if sys.platform != "linux":
        pytest.skip("looks for processes in /proc")
    root = tmp_path / "repo"
    repository(root, *NAMES)
    for folder in sorted((root / "services").iterdir()):
        (folder / "Dockerfile").write_text('FROM python:3.11\nCMD ["gunicorn", "app:app"]\n')
    commit(root)
    made = Command(tmp_path, root)
    yield made
    for process in made.processes():
        os.kill(process, signal.SIGKILL)


def add(command: Command, service: str, text: str) -> None:
    """Put a text into a module of a service, for the parser to meet."""
    (command.root / f"services/{service}/trouble.py").write_text(f"import flask\n\n# {text}\nSTATE = {{}}\n")


def reported(told: str) -> list[str]:
    """Names of the services that had a line, in alphabetical order."""
    return sorted(re.findall(r"^\[\d+/\d+\] (\w+): ", told, re.MULTILINE))


def test_a_service_that_kills_the_parser_fails_alone(command: Command) -> None:
    add(command, "beta", "KILL THE PARSER")
    code, told = command.run("plan", command.root, "--jobs", "2")
    assert code == 3
    assert reported(told) == sorted(NAMES)
    assert "unstate: beta: plan killed: the process that worked on it died" in told
    assert sorted(path.name for path in (command.campaign / "services").iterdir()) == sorted({*NAMES} - {"beta"})
    command.wait_until_none_is_left()
    (command.root / "services/beta/trouble.py").unlink()
    code, told = command.run("retry", command.root)
    assert (code, reported(told)) == (0, ["beta"])


def test_a_service_that_hangs_fails_alone(command: Command) -> None:
    add(command, "beta", "HANG THE PARSER")
    code, told = command.run("plan", command.root, "--jobs", "2", "--timeout", "12")
    assert code == 3
    assert reported(told) == sorted(NAMES)
    assert "unstate: beta: plan hung: it took longer than 12 s" in told
    command.wait_until_none_is_left()
    command.mended.touch()
    code, told = command.run("retry", command.root)
    assert (code, reported(told)) == (0, ["beta"])


def test_a_worker_that_is_killed_from_outside_costs_nothing(command: Command) -> None:
    add(command, "beta", "HANG THE PARSER")
    process = command.start("plan", command.root, "--jobs", "2", "--timeout", "200")
    _wait_for(command.reached.exists)
    command.mended.touch()  # it hangs the first time only
    victims = [each for each in command.processes() if each != process.pid and _is_worker(each)]
    assert victims
    for each in victims:
        os.kill(each, signal.SIGKILL)
    _, told = process.communicate(timeout=300)
    assert process.returncode == 0, told
    assert reported(told) == sorted(NAMES)
    command.wait_until_none_is_left()


def test_an_interrupted_run_goes_on_from_there(command: Command) -> None:
    add(command, "kappa", "HANG THE PARSER")
    process = command.start("plan", command.root, "--jobs", "2", "--timeout", "200")
    _wait_for(command.reached.exists)
    _wait_for(lambda: len(list((command.campaign / "services").glob("*/plan.json"))) == len(NAMES) - 1)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    assert "the same command goes on from there" in told
    command.wait_until_none_is_left()
    command.mended.touch()
    code, told = command.run("plan", command.root)
    assert (code, reported(told)) == (0, ["kappa"])


def test_a_run_that_is_killed_leaves_nothing_running_and_goes_on(command: Command) -> None:
    add(command, "kappa", "HANG THE PARSER")
    process = command.start("plan", command.root, "--jobs", "2", "--timeout", "200")
    _wait_for(command.reached.exists)
    _wait_for(lambda: len(list((command.campaign / "services").glob("*/plan.json"))) == len(NAMES) - 1)
    process.kill()
    process.communicate(timeout=60)
    command.wait_until_none_is_left()
    command.mended.touch()
    code, told = command.run("plan", command.root)
    assert code == 0
    assert "kappa" in reported(told)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk that holds the journal and little more."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=240k", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root may mount a disk")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_fails_what_does_not_fit(command: Command, small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"\0" * 90_000)
    code, told = command.run("plan", command.root, "--campaign", small_disk / "campaign", "--engine", "serial")
    assert "Traceback" not in told
    assert code in (2, 3), told
    assert reported(told) == sorted(NAMES)
    assert "No space left" in told or "disk is full" in told
    command.wait_until_none_is_left()
    ballast.unlink()
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    code, told = command.run("retry", command.root, "--campaign", small_disk / "campaign")
    assert code == 0, told
    assert len(list((small_disk / "campaign/services").glob("*/change.patch"))) == len(NAMES)


def test_files_that_cannot_be_written_fail_their_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    estate = repository(tmp_path / "repo", "alpha", "beta")
    real = campaigns_of.write

    def full(path: Path, content: bytes) -> None:
        if "beta" in path.parts:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        real(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(campaigns_of, "write", full)
        tally = planned(tmp_path / "campaign", estate)
    assert tally.done == ["alpha"]
    assert "No space left on device" in tally.failures["beta"].reason
    with campaign(tmp_path / "campaign", estate) as made:
        assert planning.plan(made, Serial(), Told(), again=True).done == ["beta"]


def test_a_template_that_cannot_be_filled_fails_what_needs_it(tmp_path: Path) -> None:
    estate = repository(tmp_path / "repo", "alpha", "plain")
    (tmp_path / "repo/templates").mkdir()
    (tmp_path / "repo/templates/pull_request.md.j2").write_text("# {{ title }}\n{{ no_such_thing }}\n")
    tally = planned(tmp_path / "campaign", estate)
    assert tally.done == ["plain"]
    assert "pull_request.md.j2:2: 'no_such_thing' is undefined" in tally.failures["alpha"].reason


def test_a_journal_that_cannot_be_written_fails_its_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    estate = repository(tmp_path / "repo", "alpha", "beta")
    real = Journal.keep

    def full(self: Journal, record: Record) -> None:
        if record.unit == "beta":
            raise BatchError("journal.sqlite: database or disk is full")
        real(self, record)

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "keep", full)
        tally = planned(tmp_path / "campaign", estate)
    assert tally.done == ["alpha"]
    assert "disk is full" in tally.failures["beta"].reason
    assert planned(tmp_path / "campaign", estate).done == ["beta"]


def _is_worker(process: int) -> bool:
    """Whether it is one of multiprocessing's, and neither a guard nor its tracker of resources."""
    return b"spawn_main" in Path(f"/proc/{process}/cmdline").read_bytes()


def _wait_for(true: Callable[[], bool]) -> None:
    """Return once it is true."""
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)
