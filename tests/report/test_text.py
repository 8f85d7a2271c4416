"""What a person reads, and what git makes of it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import msgspec
import pytest
from sample import ACCEPTED, CHANGES, GROUPS, HITS, PLAN, SCAN, SESSIONS, lay_out

from unstate.changes import diff
from unstate.model import Decision, FileChange, Plan, Refusal, Scan
from unstate.report import dry_run, scan_text, words

ANSI = re.compile(r"\x1b\[[0-9;]*m")
HOSTILE = "x\x1b[2J[red]dict[str, int][/red]\r\n\u202egnp.exe\u2066\x9b31m"


def applied(root: Path, patch: bytes) -> None:
    """Let git apply a patch, first for show."""
    for arguments in (["--check"], []):
        done = subprocess.run(
            ["git", "apply", *arguments, "-"], cwd=root, input=patch, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()


def test_a_dry_run_is_a_patch_for_git(tmp_path: Path) -> None:
    lay_out(tmp_path)
    applied(tmp_path, dry_run(PLAN, ACCEPTED, CHANGES))
    for change in CHANGES:
        assert (tmp_path / change.path).read_bytes() == change.after


def test_it_is_the_plain_diff_once_the_comments_are_gone() -> None:
    lines = dry_run(PLAN, ACCEPTED, CHANGES).splitlines(keepends=True)
    rest = b"".join(line for line in lines if not line.startswith(b"#"))
    assert sorted(rest.split(b"diff --git ")) == sorted(diff.unified(CHANGES).split(b"diff --git "))


def test_patch_takes_it_too(tmp_path: Path) -> None:
    lay_out(tmp_path)
    done = subprocess.run(
        ["patch", "-p1", "--binary"],
        cwd=tmp_path,
        input=dry_run(PLAN, ACCEPTED, CHANGES),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "files" / "store.py").read_bytes() == CHANGES[1].after


def test_every_group_is_headed_by_its_story() -> None:
    text = dry_run(PLAN, ACCEPTED, CHANGES).decode()
    first = text[: text.index("diff --git")]
    assert "(1/3) review  sessions  app.py:2" in first
    assert "- A session ends 24 hours after it was written" in first
    assert "Decided by default: ttl = 24h. How long may a session live? (24h, 7d or none)" in first
    assert "(2/3) exact  hits" in first
    assert "Behaves as before." in first
    between = text[text.index("diff --git a/app.py") : text.index("diff --git a/files/store.py")]
    assert "(3/3) review  uploads" in between
    last = text[text.index("diff --git a/backing_services.py") :]
    assert "manual  Hub.sockets" in last
    assert "live.py:11: a websocket cannot be stored; publish to a channel" in last


def test_an_answer_is_told_as_such() -> None:
    group = msgspec.structs.replace(GROUPS[0], answers=(("ttl", "7d"),))
    text = dry_run(Plan(groups=(group,)), [group.id], CHANGES[:1]).decode()
    assert "Decided as you said: ttl = 7d." in text
    assert "by default" not in text


def test_groups_that_are_not_taken_are_told_without_a_number() -> None:
    text = dry_run(PLAN, [HITS.id], CHANGES[:1]).decode()
    assert "# 1 store to move, 3 left as they are" in text
    assert "(1/1) exact  hits" in text
    assert "\n# review  sessions" in text


def test_nothing_to_move() -> None:
    assert dry_run(Plan(), [], []) == b"# Nothing to move.\n#\n"


def test_source_is_bytes_whatever_its_encoding(tmp_path: Path) -> None:
    before = "# coding: latin-1\nx = {}  # caf\xe9 [bold]\x0c\n".encode("latin-1")
    after = "# coding: latin-1\nx = []  # caf\xe9 [bold]\x0c\n".encode("latin-1")
    (tmp_path / "app.py").write_bytes(before)
    patch = dry_run(PLAN, [HITS.id], [FileChange("app.py", before, after)])
    assert b"caf\xe9 [bold]\x0c" in patch
    applied(tmp_path, patch)
    assert (tmp_path / "app.py").read_bytes() == after
    assert "caf\xe9 [bold]\\x0c" in ANSI.sub(
        "", dry_run(PLAN, [HITS.id], [FileChange("app.py", before, after)], colour=True).decode()
    )


def test_hostile_words_can_neither_act_nor_forge_a_patch(tmp_path: Path) -> None:
    lay_out(tmp_path)
    forged = "\ndiff --git a/pwned b/pwned\nnew file mode 100755\n--- /dev/null\n+++ b/pwned\n@@ -0,0 +1 @@\n+x\n"
    finding = msgspec.structs.replace(SESSIONS, evidence=(HOSTILE, forged), reasons=(forged,))
    group = msgspec.structs.replace(
        GROUPS[0],
        finding=finding,
        differences=(forged,),
        requires=(forged,),
        needs=(forged,),
        decisions=(Decision("ttl", forged, forged),),
    )
    patch = dry_run(Plan(groups=(group,)), [group.id], CHANGES[:1])
    assert b"\x1b" not in patch
    applied(tmp_path, patch)
    assert not (tmp_path / "pwned").exists()
    text = scan_text(Scan(findings=(finding,)))
    assert "[red]dict[str, int][/red]" in text
    assert not words.UNSHOWN.search(text.replace("\n", ""))


def test_a_terminal_shows_what_would_hide() -> None:
    change = FileChange("app.py", b"a\n", "ok = 1 # \u202e\x1b[8m secret \x1b[0m\rok\r\n".encode())
    shown = ANSI.sub("", dry_run(PLAN, [HITS.id], [change], colour=True).decode())
    assert "+ok = 1 # \\u202e\\x1b[8m secret \\x1b[0m\\rok\n" in shown


def test_colour_changes_no_word() -> None:
    assert ANSI.sub("", scan_text(SCAN, colour=True)) == scan_text(SCAN)
    assert "\x1b[" in scan_text(SCAN, colour=True)
    assert "\x1b" not in scan_text(SCAN)
    plain = dry_run(PLAN, ACCEPTED, CHANGES).decode().replace("\r\n", "\n")
    assert ANSI.sub("", dry_run(PLAN, ACCEPTED, CHANGES, colour=True).decode()) == plain


def test_a_first_look() -> None:
    text = scan_text(SCAN, width=90)
    assert text.startswith(
        "4 stores hold this service to one process.\n\napp.py:2  sessions  (sessions in a module global)\n"
    )
    assert "At best 1 exact, 2 review, 1 manual.\n" in text
    assert "  legacy.py:3  invalid syntax" in text
    assert max(map(len, text.splitlines())) <= 90


def test_nothing_found() -> None:
    assert scan_text(Scan()) == "Nothing found that holds this code to one process.\n"
    assert "legacy.py:3" in scan_text(Scan(diagnostics=SCAN.diagnostics))


def test_services_are_kept_apart() -> None:
    moved = tuple(
        msgspec.structs.replace(finding, store=msgspec.structs.replace(finding.store, service=service))
        for finding, service in zip(SCAN.findings, ("b", "a", "b", "b"), strict=True)
    )
    text = scan_text(Scan(findings=moved))
    assert text.startswith("4 stores hold 2 services to one process.\n\na  (1 store)\n")
    assert text.index("hits") < text.index("b  (3 stores)") < text.index("Hub.sockets")


@pytest.mark.parametrize(
    ("lines", "limit", "said"),
    [([1, 2], 6, "a.py:1, 2"), ([1, 1, 2], 6, "a.py:1, 2"), ([1, 2, 3], 2, "a.py:1, 2 and 1 more")],
)
def test_places(lines: list[int], limit: int, said: str) -> None:
    sites = [
        msgspec.structs.replace(
            SESSIONS.store.sites[1], path="a.py", span=msgspec.structs.replace(SESSIONS.store.span, line=n)
        )
        for n in lines
    ]
    assert words.places(sites, limit) == said


def test_stories_are_wrapped_at_words_and_diffs_are_not() -> None:
    told = dry_run(PLAN, ACCEPTED, CHANGES, width=60).decode()
    whole = dry_run(PLAN, ACCEPTED, CHANGES).decode()
    assert [line for line in told.splitlines() if line[:1] != "#"] == [
        line for line in whole.splitlines() if line[:1] != "#"
    ]
    assert told.replace("#", " ").split() == whole.replace("#", " ").split()
    assert any(len(line) > 60 for line in whole.splitlines() if line.startswith("#   "))
    assert all(len(line) <= 60 for line in told.splitlines() if line.startswith("#   "))


def test_a_reason_is_told_once_with_all_of_its_places() -> None:
    group = next(each for each in PLAN.groups if each.refusals)
    told = [Refusal(path=path, line=line, reason="no rule fits", advice="see there") for path, line in PLACES]
    other = Refusal(path="app.py", line=3, reason="a socket stays")
    refused = msgspec.structs.replace(group, refusals=(*told[:2], other, *told[2:]))
    assert words.kept(refused) == (
        "app.py:1, 2, 4; b.py:1, 2, 3 and 1 more: no rule fits; see there",
        "app.py:3: a socket stays",
    )


PLACES = [("app.py", 1), ("app.py", 2), ("app.py", 4), ("b.py", 1), ("b.py", 2), ("b.py", 3), ("b.py", 4)]


def test_a_path_is_not_cut_at_its_hyphens() -> None:
    path = "a-very-long-path/of-many-words/with-hyphens.py"
    found = msgspec.structs.replace(SCAN.findings[0], evidence=(f"written by somebody or other ({path}:1)",))
    assert f"({path}:1)" in scan_text(Scan(findings=(found,)), width=60)
    group = msgspec.structs.replace(PLAN.groups[0], finding=found)
    told = dry_run(msgspec.structs.replace(PLAN, groups=(group,)), [], (), width=60).decode()
    assert f"({path}:1)" in told
