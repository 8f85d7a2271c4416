"""Reviews as a person has them: at a terminal, over a pipe, and cut short."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from bench import IDS

DRIVE = [sys.executable, str(Path(__file__).parent / "drive.py")]
PROMPT = r"Take this change\? \[[^]]*\]"
DONE = r"Write\? \[[^]]*\]"
ENVIRONMENT = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
ENVIRONMENT.pop("NO_COLOR", None)


def piped(tmp_path: Path, answers: str, **environment: str) -> str:
    """A review that is given its answers all at once; what it said."""
    done = subprocess.run(
        [*DRIVE, str(tmp_path / "decisions.json")],
        input=answers.encode(),
        capture_output=True,
        check=True,
        timeout=30,
        env={**ENVIRONMENT, **environment},
    )
    assert not done.stderr
    return done.stdout.decode()


def accepted(tmp_path: Path) -> dict[str, bool | None]:
    document = json.loads((tmp_path / "decisions.json").read_bytes())
    names = {group: name for name, group in IDS.items()}
    return {names[choice["id"]]: choice["accept"] for choice in document["groups"]}


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[pexpect.spawn]:
    child = pexpect.spawn(
        DRIVE[0],
        [*DRIVE[1:], str(tmp_path / "decisions.json")],
        env=ENVIRONMENT,
        encoding="utf-8",
        timeout=20,
        echo=False,
    )
    yield child
    child.close(force=True)


# --- a terminal


def test_a_whole_review(terminal: pexpect.spawn, tmp_path: Path) -> None:
    terminal.expect(r"4 changes to decide on\. 1 store has no patch; unstate scan says why\.")
    terminal.expect(r"\(1/4\).*?review.*?sessions.*?app\.py:1")
    terminal.expect("sessions is written by a handler")
    terminal.expect(r"Decided by default: ttl = 24h\. How long may a session live\?")
    terminal.expect(r"\+sessions = redis\('session', ttl=24h\)")
    terminal.expect(r"backing_services\.py: new, 2 lines")
    terminal.expect(PROMPT)
    terminal.sendline("e")
    terminal.expect(r"ttl \[24h\]: ")
    terminal.sendline("soon")
    terminal.expect('Not taken: "soon" is no duration')
    terminal.expect(r"ttl \[24h\]: ")
    terminal.sendline("7d")
    terminal.expect(r"Decided as you said: ttl = 7d")
    terminal.expect(r"\+sessions = redis\('session', ttl=7d\)")
    terminal.expect(PROMPT)
    terminal.sendline("y")
    terminal.expect(r"\(2/4\).*?exact.*?hits")
    terminal.sendline("n")
    terminal.expect(r"\(3/4\).*?review.*?uploads")
    terminal.expect(r"Only together with US101:\.:app:blobs")
    terminal.expect(PROMPT)
    terminal.sendline("y")
    terminal.expect("Taken along: US101:.:app:blobs, which US101:.:app:uploads needs")
    terminal.expect(r"All decided: 3 taken, 1 left\. " + DONE)
    terminal.sendline("w")
    terminal.expect("ENDED write: US101:.:app:sessions US101:.:app:uploads US101:.:app:blobs")
    terminal.expect(pexpect.EOF)
    assert accepted(tmp_path) == {"sessions": True, "hits": False, "uploads": True, "blobs": True}


def test_colour_only_where_wanted(terminal: pexpect.spawn, tmp_path: Path) -> None:
    terminal.expect(PROMPT)
    assert "\x1b[" in terminal.before
    bare = pexpect.spawn(
        DRIVE[0],
        [*DRIVE[1:], str(tmp_path / "d.json")],
        env={**ENVIRONMENT, "NO_COLOR": "1"},
        encoding="utf-8",
        timeout=20,
    )
    bare.expect(PROMPT)
    assert "\x1b" not in bare.before
    bare.close(force=True)


@pytest.mark.parametrize("how", ["interrupt", "end of input", "hang-up", "kill"])
def test_however_it_ends_answers_are_kept(terminal: pexpect.spawn, tmp_path: Path, how: str) -> None:
    terminal.expect(PROMPT)
    terminal.sendline("y")
    terminal.expect(r"\(2/4\) Take")
    match how:
        case "interrupt":
            terminal.sendintr()
            terminal.expect("1 of 4 changes decided. Nothing was written; answers are kept.")
            terminal.expect("ENDED quit")
        case "end of input":
            terminal.sendeof()
            terminal.expect("ENDED quit")
        case "hang-up":
            terminal.kill(signal.SIGHUP)
            terminal.expect(pexpect.EOF)
        case "kill":
            terminal.kill(signal.SIGKILL)
            terminal.expect(pexpect.EOF)
    assert accepted(tmp_path) == {"sessions": True}
    text = piped(tmp_path, "q\n")
    assert "1 decided before." in text
    assert "(2/4) Take this change?" in text


# --- a pipe


def test_answers_from_a_pipe(tmp_path: Path) -> None:
    text = piped(tmp_path, "y\ny\nn\nn\nw\n")
    assert "\x1b" not in text
    assert text.endswith(f"ENDED write: {IDS['sessions']} {IDS['hits']}\n")


@pytest.mark.parametrize("answers", ["", "y", "y\n", "y\nn", "e\n", "/\n", "g\n"])
def test_a_pipe_that_ends_early(tmp_path: Path, answers: str) -> None:
    assert "ENDED quit" in piped(tmp_path, answers)


def test_a_pipe_that_says_nothing_is_not_waited_for(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    try:
        done = subprocess.run(
            [*DRIVE, str(tmp_path / "d.json")],
            stdin=reader,
            capture_output=True,
            check=True,
            timeout=30,
            env={**ENVIRONMENT, "PATIENCE": "0.2"},
        )
    finally:
        os.close(reader)
        os.close(writer)
    assert b"ENDED quit" in done.stdout


def test_no_input_at_all(tmp_path: Path) -> None:
    done = subprocess.run(
        [*DRIVE, str(tmp_path / "d.json")], stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=30
    )
    assert b"ENDED quit" in done.stdout


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ("a\nw\n", {"sessions": True, "hits": True, "uploads": True, "blobs": True}),
        ("y\nd\nq\n", {"sessions": True, "hits": False, "uploads": False, "blobs": False}),
        ("j\na\n", {"hits": True, "uploads": True, "blobs": True}),
        ("j\nj\nn\n", {"uploads": False}),
        ("k\nn\n", {"blobs": False}),
        ("k\nn\nk\ny\n", {"blobs": False}),
        ("g3\ny\n", {"uploads": True, "blobs": True}),
        ("g 2\ny\n", {"hits": True}),
        ("g\n4\ny\n", {"blobs": True}),
        ("g9\ng0\ngx\ny\n", {"sessions": True}),
        ("/blobs\ny\n", {"uploads": True, "blobs": True}),
        ("/\nhits\ny\n", {"hits": True}),
        ("/[\n/nothing\ny\n", {"sessions": True}),
        ("y\nu\nn\n", {"sessions": False}),
        ("u\ny\n", {"sessions": True}),
        ("a\nu\ny\n", {"sessions": True}),
        ("Y\n  n  \n", {"sessions": True, "hits": False}),
        ("x\n?\n\nhello\ny\n", {"sessions": True}),
        ("y\ng1\nn\n", {"sessions": False}),
        ("a\ng2\nn\nw\n", {"sessions": True, "hits": False, "uploads": True, "blobs": True}),
        ("y\ne\n7d\n", {"sessions": True}),
    ],
)
def test_keys(tmp_path: Path, answers: str, expected: dict[str, bool]) -> None:
    piped(tmp_path, answers)
    assert accepted(tmp_path) == expected


def test_help_names_every_key(tmp_path: Path) -> None:
    text = piped(tmp_path, "?\n")
    keys = re.search(r"Take this change\? \[(.*)\]", text)
    assert keys
    assert keys[1].split(",") == re.findall(r"(?:^|\] )(\S) - ", text, re.MULTILINE)


def test_a_change_without_questions_says_so(tmp_path: Path) -> None:
    text = piped(tmp_path, "j\ne\n")
    assert "This change has no questions." in text
    assert "(2/4) Take this change? [y,n,a,d,j," in text


def test_a_question_with_choices_insists(tmp_path: Path) -> None:
    text = piped(tmp_path, "g3\ne\nxml\nstr\n")
    assert "One of json, str; Enter keeps json." in text
    assert "Decided as you said: codec = str." in text


def test_enter_keeps_the_answer(tmp_path: Path) -> None:
    piped(tmp_path, "e\n7d\ne\n\ny\n")
    document = json.loads((tmp_path / "decisions.json").read_bytes())
    assert document["groups"][0]["answers"] == {"ttl": "7d"}


def test_p_shows_generated_files_in_full(tmp_path: Path) -> None:
    assert "+s3 = ..." not in piped(tmp_path, "q\n")
    assert "+s3 = ..." in piped(tmp_path, "p\n")


def test_the_list_marks_what_is_decided(tmp_path: Path) -> None:
    text = piped(tmp_path, "y\nn\ng\n\n")
    assert "+  1: sessions  app.py:1\n-  2: hits  app.py:1\n   3: uploads" in text


def test_source_is_shown_as_it_is_written(tmp_path: Path) -> None:
    text = piped(tmp_path, "g3\n")
    assert "-uploads = {}  # caf\xe9 [bold]\n" in text


def test_everything_decided_before(tmp_path: Path) -> None:
    piped(tmp_path, "a\nq\n")
    text = piped(tmp_path, "w\n")
    assert "4 decided before." in text
    assert "All decided: 4 taken, 0 left." in text
    assert "ENDED write" in text
