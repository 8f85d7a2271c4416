"""`unstate verify` as a person uses it: exit codes, messages, and no process left however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from unstate.verify import Backing

RUN = "import typer; from unstate.cli.verify import verify; typer.run(verify)"
COUNTER = """
hits = []
def app(environ, start_response):
    hits.append(1)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(len(hits)).encode()]
"""
CONSTANT = COUNTER.replace("len(hits)", "1")
VISITS = 'app = "app:app"\ndef drive(http):\n    for _ in range(4):\n        http.get("/")\n'


@pytest.fixture
def project(tmp_path: Path, backing: Backing, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An app, and services for it that are there already, which is quicker than to start them each time."""
    backing.flush()
    for name, value in backing.env.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "app.py").write_text(COUNTER)
    (folder / "drive.py").write_text(VISITS)
    (tmp_path / "temporary").mkdir()
    return folder


def environment(project: Path, *, bare: bool = False) -> dict[str, str]:
    without: set[str] = {"REDIS_URL", "AWS_ENDPOINT_URL_S3", "UPLOAD_BUCKET"} if bare else set()
    env = {name: value for name, value in os.environ.items() if name not in without}
    return {**env, "TMPDIR": str(project.parent / "temporary"), "NO_COLOR": "1"}


def run(project: Path, *arguments: str, bare: bool = False) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", RUN, *arguments]
    return subprocess.run(
        command,
        cwd=project,
        env=environment(project, bare=bare),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def processes_of(project: Path) -> list[str]:
    """Command lines of the processes whose environment names this test's folder."""
    mark = str(project.parent).encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            if state != "Z" and mark in (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes():
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found


def left(project: Path) -> list[str]:
    """What is still there once the guard has had its time."""
    end = time.monotonic() + 20
    while (found := processes_of(project)) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def test_an_app_with_state_differs(project: Path) -> None:
    done = run(project, "--scenario", "drive.py", "--faults", "rotate", bare=True)
    assert done.returncode == 1, done.stderr
    assert "FAIL rotate" in done.stdout
    assert done.stderr == ""
    assert left(project) == []
    assert list((project.parent / "temporary").iterdir()) == []


def test_formats_and_files(project: Path) -> None:
    done = run(
        project,
        *("--scenario", "drive.py", "--faults", "rotate", "--output-format", "json"),
        "--output-format",
        "junit:r.xml",
    )
    report = json.loads(done.stdout)
    assert report["schema"] == "unstate.verify/1"
    assert report["outcome"] == "differs"
    assert report["beside"]["only_scan"] == []
    suite = ElementTree.parse(project / "r.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")


def test_another_revision_is_the_original(project: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=project, check=True, capture_output=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one process")
    (project / "app.py").write_text(CONSTANT)
    done = run(project, "--scenario", "drive.py", "--original", "git:HEAD", "--faults", "rotate")
    assert done.returncode == 1
    assert "FAIL single" in done.stdout
    done = run(project, "--scenario", "drive.py", "--original", "git:nowhere")
    assert (done.returncode, "git knows no 'nowhere'" in done.stderr) == (2, True)


def test_a_scenario_without_state_proves_nothing(project: Path) -> None:
    (project / "app.py").write_text(CONSTANT)
    done = run(project, "--scenario", "drive.py", "--original", ".")
    assert done.returncode == 2
    assert "proves nothing" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scenario", "nowhere.toml"], "nowhere.toml: no such file"),
        (["--scenario", "drive.py", "--faults", "rotat"], 'unknown fault "rotat"; did you mean "rotate"?'),
        (["--scenario", "drive.py", "--backing", "cloud"], "--backing is auto or env"),
        (["--scenario", "drive.py", "--backing", "env"], "REDIS_URL is not set"),
        (["--scenario", "drive.py", "--app", "app:ap"], "app has no 'ap'; it has app"),
        (["--scenario", "drive.py", "--app", "app"], "'app' is no import string"),
        (["--scenario", "drive.py", "--app", "gunicorn app:app"], "has no {port}"),
        (["--scenario", "drive.py", "--app", "no-such-program {port}"], "cannot start no-such-program"),
        (["--scenario", "drive.py", "--original", "git:HEAD"], "in no git repository"),
        (["--scenario", "drive.py", "--output-format", "jsn"], 'unknown output format "jsn"; did you mean "json"?'),
        (["--scenario", "drive.py", "elsewhere"], "elsewhere is no folder"),
    ],
)
def test_what_a_person_gets_wrong(arguments: list[str], message: str, project: Path) -> None:
    done = run(project, *arguments, bare="is not set" in message)
    assert done.returncode == 2, done.stdout
    assert message in done.stderr
    assert "Traceback (most recent call last)" not in done.stderr
    assert processes_of(project) == []


def test_an_app_that_does_not_boot_shows_why(project: Path) -> None:
    (project / "app.py").write_text("import nothing_like_this\n")
    done = run(project, "--scenario", "drive.py")
    assert done.returncode == 2
    assert "does not start" in done.stderr
    assert "No module named 'nothing_like_this'" in done.stderr
    assert left(project) == []


def started(project: Path) -> subprocess.Popen[str]:
    """A check that is in the middle of its scenario."""
    (project / "drive.py").write_text(
        'import time, pathlib\napp = "app:app"\ndef drive(http):\n    http.get("/")\n'
        f"    pathlib.Path({str(project / 'under-way')!r}).touch()\n    time.sleep(100)\n"
    )
    command = [sys.executable, "-c", RUN, "--scenario", "drive.py"]
    process = subprocess.Popen(
        command,
        cwd=project,
        env=environment(project, bare=True),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 60
    while not (project / "under-way").exists():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)
    assert len(processes_of(project)) >= 4  # the check, a Redis, an S3, the app
    return process


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_however_it_ends(number: signal.Signals, project: Path) -> None:
    process = started(project)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert left(project) == []
    assert list((project.parent / "temporary").iterdir()) == []
    if number is not signal.SIGKILL:
        assert process.returncode == 2
        assert errors.strip() == "unstate: stopped; every process that the check had started is ended"
