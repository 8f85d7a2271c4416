"""The diff against the one judge that counts: git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unstate.changes import diff
from unstate.model import FileChange

LINES = [b"one", b"two", b"three", b"four", b"five", b"six", b"seven", b"eight", b"nine", b"ten", b"eleven", b"twelve"]


def lines(*changed: tuple[int, bytes], end: bytes = b"\n", last: bool = True) -> bytes:
    """Twelve lines with some replaced, each with the given end."""
    content = list(LINES)
    for index, text in changed:
        content[index] = text
    return end.join(content) + (end if last else b"")


CASES: dict[str, tuple[bytes | None, bytes | None]] = {
    "one line": (lines(), lines((5, b"SIX"))),
    "two hunks": (lines(), lines((0, b"ONE"), (11, b"TWELVE"))),
    "hunks that touch": (lines(), lines((2, b"THREE"), (9, b"TEN"))),
    "crlf": (lines(end=b"\r\n"), lines((5, b"SIX"), end=b"\r\n")),
    "crlf to lf": (lines(end=b"\r\n"), lines()),
    "mixed newlines": (b"a\r\nb\nc\r\n", b"a\r\nB\nc\r\n"),
    "no final newline kept": (lines(last=False), lines((5, b"SIX"), last=False)),
    "no final newline on the changed line": (lines(last=False), lines((11, b"TWELVE"), last=False)),
    "final newline added": (lines(last=False), lines()),
    "final newline removed": (lines(), lines(last=False)),
    "form feed": (b"a\n\x0cb\nc\n", b"a\n\x0cB\nc\n"),
    "leading form feed": (b"\x0ca\nb\n", b"\x0ca\nB\n"),
    "vertical tab and separators": (b"a\x0bb\x1cc\x1dd\x1ee\n1\n", b"a\x0bb\x1cc\x1dd\x1ee\n2\n"),
    "line separators of Unicode": ("x = '\u2028\u2029\x85'\ny\n".encode(), "x = '\u2028\u2029\x85'\nz\n".encode()),
    "lone carriage return": (b"a\rb\nc\n", b"a\rB\nc\n"),
    "only carriage returns": (b"a\rb\rc", b"a\rB\rc"),
    "byte order mark": (b"\xef\xbb\xbfa\nb\n", b"\xef\xbb\xbfa\nB\n"),
    "latin-1": (
        "# coding: latin-1\ns = 'é'\nx\n".encode("latin-1"),
        "# coding: latin-1\ns = 'é'\ny\n".encode("latin-1"),
    ),
    "shift-jis": (
        "# coding: shift_jis\ns = '表'\nx\n".encode("shift_jis"),
        "# coding: shift_jis\ns = '表'\ny\n".encode("shift_jis"),
    ),
    "tabs and trailing blanks": (b"\tif x:\t\n\t\ty  \n", b"\tif x:\t\n\t\tz  \n"),
    "lines that look like a patch": (b"--- a/x\n+++ b/x\n@@ -1 +1 @@\nq\n", b"--- a/x\n+++ b/y\n@@ -1 +2 @@\nq\n"),
    "line that looks like a header": (b"diff --git a/x b/x\nq\n", b"diff --git a/x b/x\nr\n"),
    "everything goes": (lines(), b""),
    "from empty": (b"", lines()),
    "new file": (None, lines()),
    "new file without final newline": (None, b"x"),
    "new empty file": (None, b""),
    "removed file": (lines(), None),
    "removed empty file": (b"", None),
    "insert at start": (lines(), b"zero\n" + lines()),
    "insert at end": (lines(), lines() + b"thirteen\n"),
    "nul byte": (b"a\0b\nc\n", b"a\0b\nd\n"),
}

PATHS = [
    "app.py",
    "src/app.py",
    "with blank/and more.py",
    "é/ñ.py",
    'quote".py',
    "back\\slash.py",
    "tab\there.py",
    "line\nfeed.py",
    "a b/é.py",
    "-dash.py",
    "b/a/b.py",
]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


def roundtrip(root: Path, *changes: FileChange) -> bytes:
    """Lay the old files out, apply the diff with git, check the new ones, and clear away."""
    patch = diff.unified(changes)
    files = [(root / change.path, change) for change in changes]
    try:
        for file, change in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            if change.before is not None:
                file.write_bytes(change.before)
        for arguments in (["--check"], [], ["--reverse", "--check"]):
            done = subprocess.run(
                ["git", "apply", *arguments, "-"], cwd=root, input=patch, capture_output=True, check=False
            )
            assert done.returncode == 0, done.stderr.decode() + repr(patch)
        for file, change in files:
            assert (file.read_bytes() if file.exists() else None) == change.after
    finally:
        for file, _ in files:
            file.unlink(missing_ok=True)
    return patch


@pytest.mark.parametrize("name", CASES)
def test_git_takes_every_newline_and_encoding(repository: Path, name: str) -> None:
    before, after = CASES[name]
    patch = roundtrip(repository, FileChange("app.py", before, after))
    assert patch.startswith(b"diff --git a/app.py b/app.py\n")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("case", ["one line", "new file", "removed file", "new empty file"])
def test_paths_are_quoted_as_git_does(repository: Path, path: str, case: str) -> None:
    before, after = CASES[case]
    roundtrip(repository, FileChange(path, before, after))


def test_a_path_outside_utf8_survives(repository: Path) -> None:
    roundtrip(repository, FileChange("caf\udce9.py", b"a\n", b"b\n"))


def test_headers_are_those_git_writes(repository: Path) -> None:
    for path in PATHS:
        file = repository / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(CASES["two hunks"][0] or b"")
        subprocess.run(["git", "add", "--", path], cwd=repository, check=True)
        file.write_bytes(CASES["two hunks"][1] or b"")
        theirs = subprocess.run(
            ["git", "-c", "core.quotePath=true", "diff", "--no-ext-diff", "--no-color", "--abbrev=10", "--", path],
            cwd=repository, capture_output=True, check=True,
        ).stdout  # fmt: skip
        ours = diff.unified([FileChange(path, *CASES["two hunks"])])
        strip = [line for line in theirs.splitlines(keepends=True) if not line.startswith((b"index", b"@@"))]
        assert [line for line in ours.splitlines(keepends=True) if not line.startswith((b"index", b"@@"))] == strip
        index = next(line for line in theirs.splitlines() if line.startswith(b"index"))
        assert index.rpartition(b" ")[0] in ours
        subprocess.run(["git", "rm", "-qf", "--cached", "--", path], cwd=repository, check=True)
        file.unlink()


def test_several_files_in_order_of_path(repository: Path) -> None:
    first, second = FileChange("a.py", *CASES["crlf"]), FileChange("b.py", *CASES["new file"])
    third = FileChange("c.py", *CASES["removed file"])
    assert roundtrip(repository, third, first, second) == diff.unified([first, second, third])


def test_nothing_to_say() -> None:
    assert diff.unified([]) == b""
    assert diff.unified([FileChange("a.py", b"x\n", b"x\n"), FileChange("b.py", None, None)]) == b""


def test_three_lines_of_context_and_no_more() -> None:
    body = diff.unified([FileChange("a.py", *CASES["one line"])]).splitlines()
    assert body[4:] == [
        b"@@ -3,7 +3,7 @@",
        b" three",
        b" four",
        b" five",
        b"-six",
        b"+SIX",
        b" seven",
        b" eight",
        b" nine",
    ]


PIECE = st.sampled_from(
    [b"a\n", b"b\n", b"\n", b"c\r\n", b"\x0c\n", b"d\re\n", b"\xe2\x80\xa8\n", b"\xe9\n", b"tail", b"\\ No newline\n"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PIECE, max_size=24), st.lists(PIECE, max_size=24))
def test_any_two_contents(repository: Path, before: list[bytes], after: list[bytes]) -> None:
    old, new = b"".join(before), b"".join(after)
    if old != new:
        roundtrip(repository, FileChange("any.py", old, new))


def test_the_digest_forgets_where_a_change_stands() -> None:
    before, after = CASES["one line"]
    assert before is not None and after is not None
    here = diff.digest([FileChange("a.py", before, after)])
    assert diff.digest([FileChange("a.py", b"new first line\n" + before, b"new first line\n" + after)]) == here
    assert diff.digest([FileChange("b.py", before, after)]) != here
    assert diff.digest([FileChange("a.py", before, lines((5, b"Six")))]) != here
    assert diff.digest([]) != here


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECE, max_size=30), st.lists(PIECE, max_size=30))
def test_opcodes_lead_from_one_to_the_other(old: list[bytes], new: list[bytes]) -> None:
    rebuilt: list[bytes] = []
    i = j = 0
    for tag, i1, i2, j1, j2 in diff.opcodes(old, new):
        assert (i1, j1) == (i, j)
        assert {"equal": i2 - i1 == j2 - j1 > 0, "delete": j1 == j2, "insert": i1 == i2}.get(tag, i1 < i2 and j1 < j2)
        assert tag != "equal" or old[i1:i2] == new[j1:j2]
        rebuilt += old[i1:i2] if tag == "equal" else new[j1:j2]
        i, j = i2, j2
    assert (i, j) == (len(old), len(new))
    assert rebuilt == new


def test_a_long_file_with_many_equal_lines_takes_no_longer_than_its_length_says() -> None:
    """Lines looked at, not seconds: a line that stands once is never compared, and equal ones only near an edit."""
    looked_at = 0

    class Line(bytes):
        def __eq__(self, other: object) -> bool:
            nonlocal looked_at
            looked_at += 1
            return bytes.__eq__(self, other)

        __hash__ = bytes.__hash__

    old = [Line(b"\n" if i % 3 else b"line %d\n" % i) for i in range(9000)]
    new = [Line(b"changed\n") if i % 100 == 50 else line for i, line in enumerate(old)]
    assert sum(tag != "equal" for tag, *_ in diff.opcodes(old, new)) == 90
    assert looked_at < 10 * len(old)
