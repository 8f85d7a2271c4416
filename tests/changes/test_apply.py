"""A change goes in as a whole, and comes out again."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from trees import CHANGES, git, snapshot

from unstate.changes import disk, journal
from unstate.changes.apply import apply, recover, undo
from unstate.changes.errors import (
    ApplyError,
    BusyError,
    ChangeError,
    DirtyTreeError,
    NothingToUndoError,
    ReadOnlyError,
    StaleError,
    UnsafePathError,
)
from unstate.model import FileChange


def refused(root: Path, error: type[ChangeError], *changes: FileChange, allow_dirty: bool = False) -> ChangeError:
    """Apply, see it refused, and see the tree untouched."""
    before = snapshot(root)
    with pytest.raises(error) as caught:
        apply(root, changes, allow_dirty=allow_dirty)
    assert snapshot(root) == before
    return caught.value


def test_all_of_it_and_nothing_else(tree: Path) -> None:
    apply(tree, CHANGES)
    after = snapshot(tree)
    assert after.pop("new/deep/backing.py")[0] == b"made\n"
    assert after == {
        "app.py": (b"one\r\nTWO", (tree / "app.py").stat().st_mode & 0o777),
        "pkg/run.py": (b"#!/usr/bin/env python\nnew\n", 0o750),
        "notes.txt": (b"not ours\n", (tree / "notes.txt").stat().st_mode & 0o777),
    }


def test_nothing_to_do_leaves_no_trace(tree: Path) -> None:
    apply(tree, [])
    apply(tree, [FileChange("app.py", b"one\r\ntwo", b"one\r\ntwo")])
    assert not (tree / ".unstate").exists()


def test_new_files_follow_the_umask(tree: Path) -> None:
    old = os.umask(0o027)
    try:
        apply(tree, [FileChange("a.py", None, b"")])
    finally:
        os.umask(old)
    assert (tree / "a.py").stat().st_mode & 0o777 == 0o640


def test_undo_restores_contents_modes_and_folders(tree: Path) -> None:
    (tree / "gone.py").chmod(0o600)
    before = snapshot(tree)
    apply(tree, CHANGES)
    assert set(undo(tree)) == {change.path for change in CHANGES}
    assert snapshot(tree) == before
    assert not (tree / "new").exists()
    with pytest.raises(NothingToUndoError):
        undo(tree)


def test_undo_goes_back_one_application_at_a_time(tree: Path) -> None:
    first = snapshot(tree)
    apply(tree, [FileChange("app.py", b"one\r\ntwo", b"2")])
    second = snapshot(tree)
    apply(tree, [FileChange("app.py", b"2", b"3")])
    undo(tree)
    assert snapshot(tree) == second
    undo(tree)
    assert snapshot(tree) == first


def test_undo_refuses_what_was_changed_since_and_takes_nothing_back(tree: Path) -> None:
    apply(tree, CHANGES)
    (tree / "app.py").write_bytes(b"mine\n")
    before = snapshot(tree)
    with pytest.raises(StaleError) as caught:
        undo(tree)
    assert caught.value.paths == ("app.py",)
    assert caught.value.exit_code == 4
    assert snapshot(tree) == before


def test_undo_keeps_a_folder_that_a_user_put_something_in(tree: Path) -> None:
    apply(tree, CHANGES)
    (tree / "new" / "mine.txt").write_bytes(b"mine")
    undo(tree)
    assert (tree / "new" / "mine.txt").read_bytes() == b"mine"
    assert not (tree / "new" / "deep").exists()


# --- stale


def test_every_stale_file_is_named(tree: Path) -> None:
    error = refused(
        tree,
        StaleError,
        FileChange("app.py", b"other", b"x"),
        FileChange("pkg/run.py", *(CHANGES[1].before, CHANGES[1].after)),
        FileChange("missing.py", b"was here", b"x"),
        FileChange("notes.txt", None, b"a new file where one is"),
    )
    assert error.paths == ("app.py", "missing.py", "notes.txt")
    assert error.exit_code == 4
    assert "missing.py" in str(error)


def test_a_file_saved_while_we_apply_is_kept(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = disk.replace

    def saving(source: Path, target: Path) -> None:
        if target.name == "app.py":
            (tree / "pkg" / "run.py").write_bytes(b"saved by an editor\n")
        original(source, target)

    monkeypatch.setattr(disk, "replace", saving)
    with pytest.raises(StaleError) as caught:
        apply(tree, CHANGES)
    assert caught.value.paths == ("pkg/run.py",)
    assert (tree / "app.py").read_bytes() == b"one\r\ntwo"
    assert (tree / "pkg" / "run.py").read_bytes() == b"saved by an editor\n"
    assert (tree / "gone.py").exists()
    assert not (tree / "new").exists()


# --- outside the root


@pytest.mark.parametrize(
    "path", ["../out.py", "/etc/out.py", "a/../../out.py", "", ".git/hooks/x", "pkg/.git/x", ".unstate/x"]
)
def test_paths_that_leave_the_source(tree: Path, path: str) -> None:
    refused(tree, UnsafePathError, FileChange(path, None, b"x"))
    assert not (tree.parent / "out.py").exists()


def test_a_link_to_a_file_outside(tree: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_bytes(b"theirs\n")
    (tree / "link.py").symlink_to(outside)
    error = refused(tree, UnsafePathError, FileChange("link.py", b"theirs\n", b"x"), CHANGES[0])
    assert "symbolic link" in str(error)
    assert outside.read_bytes() == b"theirs\n"


def test_a_link_to_a_folder_outside(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tree / "sub").symlink_to(tmp_path / "outside")
    refused(tree, UnsafePathError, FileChange("sub/new.py", None, b"x"))
    assert not list((tmp_path / "outside").iterdir())


def test_a_link_in_place_of_our_own_folder(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tree / ".unstate").symlink_to(tmp_path / "outside")
    refused(tree, UnsafePathError, CHANGES[0])
    assert not list((tmp_path / "outside").iterdir())


def test_links_that_lead_in_circles_or_nowhere(tree: Path) -> None:
    (tree / "loop.py").symlink_to("loop.py")
    (tree / "dangling.py").symlink_to("nothing.py")
    refused(tree, UnsafePathError, FileChange("loop.py", b"x", b"y"))
    refused(tree, StaleError, FileChange("dangling.py", None, b"y"))
    refused(tree, StaleError, FileChange("dangling.py", b"x", b"y"))
    assert not (tree / "nothing.py").exists()


def test_a_link_inside_the_root_is_written_through_and_stays_a_link(tree: Path) -> None:
    (tree / "link.py").symlink_to("pkg/run.py")
    apply(tree, [FileChange("link.py", CHANGES[1].before, b"new\n")])
    assert (tree / "link.py").is_symlink()
    assert (tree / "pkg" / "run.py").read_bytes() == b"new\n"
    assert not (tree / "pkg" / "run.py").is_symlink()
    undo(tree)
    assert (tree / "link.py").is_symlink()
    assert (tree / "pkg" / "run.py").read_bytes() == CHANGES[1].before


def test_one_file_under_two_names(tree: Path) -> None:
    (tree / "link.py").symlink_to("app.py")
    refused(tree, UnsafePathError, CHANGES[0], FileChange("link.py", b"one\r\ntwo", b"other"))


def test_the_root_itself_may_be_a_link(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tree)
    apply(tmp_path / "link", CHANGES)
    assert (tree / "app.py").read_bytes() == b"one\r\nTWO"


def test_what_is_not_a_plain_file(tree: Path) -> None:
    os.mkfifo(tree / "pipe.py")
    refused(tree, UnsafePathError, FileChange("pkg", None, b"x"))
    refused(tree, UnsafePathError, FileChange("app.py/inner.py", None, b"x"))
    with pytest.raises(UnsafePathError):
        apply(tree, [FileChange("pipe.py", b"", b"x")])


# --- read-only


def test_a_read_only_file(tree: Path) -> None:
    (tree / "pkg" / "run.py").chmod(0o444)
    error = refused(tree, ReadOnlyError, *CHANGES)
    assert error.paths == ("pkg/run.py",)
    assert "chmod u+w" in str(error)


def test_a_read_only_folder(tree: Path) -> None:
    (tree / "pkg").chmod(0o555)
    try:
        error = refused(tree, ReadOnlyError, *CHANGES)
        assert error.paths == ("pkg/run.py",)
        refused(tree, ReadOnlyError, FileChange("pkg/deep/new.py", None, b"x"))
    finally:
        (tree / "pkg").chmod(0o755)


# --- the disk refuses


@pytest.mark.parametrize("step", ["write", "replace", "make_folder", "sync"])
@pytest.mark.parametrize("call", range(9))
def test_a_disk_that_refuses_once(tree: Path, monkeypatch: pytest.MonkeyPatch, step: str, call: int) -> None:
    before = snapshot(tree)
    original, calls = getattr(disk, step), iter(range(10**6))

    def refusing(*arguments: object) -> None:
        if next(calls) == call:
            raise OSError(28, "No space left on device")
        original(*arguments)

    monkeypatch.setattr(disk, step, refusing)
    try:
        apply(tree, CHANGES)
    except (ApplyError, ReadOnlyError) as error:
        assert "No space left on device" in str(error)
    monkeypatch.undo()
    recover(tree)
    after = snapshot(tree)
    assert after == before or after["app.py"][0] == b"one\r\nTWO"
    if after == before:
        assert not (tree / "new").exists()
        apply(tree, CHANGES)
    undo(tree)
    assert snapshot(tree) == before


def test_what_a_crash_left_is_no_obstacle_once_the_journal_is_gone(tree: Path) -> None:
    (tree / "new" / "deep").mkdir(parents=True)
    for folder, position in [("", 0), ("pkg", 1), ("new/deep", 3)]:
        (tree / folder / f".unstate-000001-{position}.tmp").write_bytes(b"left\n")
    apply(tree, CHANGES)
    assert not list(tree.rglob("*.tmp"))
    assert (tree / "new" / "deep" / "backing.py").read_bytes() == b"made\n"


def test_interrupted_from_the_keyboard(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = snapshot(tree)
    original = disk.remove

    def interrupted(path: Path) -> None:
        if path.name == "gone.py":
            raise KeyboardInterrupt
        original(path)

    monkeypatch.setattr(disk, "remove", interrupted)
    with pytest.raises(KeyboardInterrupt):
        apply(tree, CHANGES)
    assert snapshot(tree) == before


def test_one_at_a_time(tree: Path) -> None:
    with journal.locked(tree):
        refused(tree, BusyError, *CHANGES)
    apply(tree, CHANGES)


# --- git


def test_the_journal_never_shows_in_git(repository: Path) -> None:
    apply(repository, [CHANGES[0]])
    assert git(repository, "status", "--porcelain") == " M app.py\n"
    assert not re.search(r"\.unstate", git(repository, "ls-files", "-co", "--exclude-standard"))


def test_uncommitted_changes_anywhere_under_the_root(repository: Path) -> None:
    (repository / "notes.txt").write_bytes(b"changed\n")
    error = refused(repository, DirtyTreeError, *CHANGES)
    assert error.paths == ("notes.txt",)
    assert "notes.txt" in str(error)
    assert "--allow-dirty" in str(error)
    apply(repository, CHANGES, allow_dirty=True)
    assert (repository / "app.py").read_bytes() == b"one\r\nTWO"


@pytest.mark.parametrize("staged", ["modified", "added", "removed", "renamed"])
def test_staged_changes(repository: Path, staged: str) -> None:
    match staged:
        case "modified":
            (repository / "notes.txt").write_bytes(b"changed\n")
        case "added":
            (repository / "more.txt").write_bytes(b"more\n")
        case "removed":
            (repository / "notes.txt").unlink()
        case "renamed":
            (repository / "notes.txt").rename(repository / "a b.txt")
    git(repository, "add", "-A")
    error = refused(repository, DirtyTreeError, *CHANGES)
    assert error.paths in {("notes.txt",), ("more.txt",), ("a b.txt",)}


def test_an_untracked_file_is_in_nobodys_way_unless_we_would_rewrite_it(repository: Path) -> None:
    (repository / "scratch.py").write_bytes(b"x\n")
    error = refused(repository, DirtyTreeError, FileChange("scratch.py", b"x\n", b"y\n"))
    assert error.paths == ("scratch.py",)
    apply(repository, [CHANGES[0]])


def test_an_ignored_file_cannot_be_taken_back_by_git(repository: Path) -> None:
    (repository / ".git" / "info" / "exclude").write_text("local.py\n")
    (repository / "local.py").write_bytes(b"x\n")
    refused(repository, DirtyTreeError, FileChange("local.py", b"x\n", b"y\n"))


def test_dirt_outside_the_scanned_folder_does_not_count(repository: Path) -> None:
    (repository / "notes.txt").write_bytes(b"changed\n")
    apply(repository / "pkg", [FileChange("run.py", CHANGES[1].before, CHANGES[1].after)])
    (repository / "pkg" / "run.py").write_bytes(b"again\n")
    error = refused(repository / "pkg", DirtyTreeError, FileChange("run.py", b"again\n", b"x"))
    assert error.paths == ("run.py",)


def test_a_path_with_glob_characters_is_itself(repository: Path) -> None:
    (repository / "[a].py").write_bytes(b"x\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "glob")
    apply(repository, [FileChange("[a].py", b"x\n", b"y\n")])
    assert (repository / "[a].py").read_bytes() == b"y\n"


def test_a_repository_that_git_will_not_read(repository: Path) -> None:
    (repository / ".git" / "HEAD").write_bytes(b"nonsense")
    error = refused(repository, DirtyTreeError, *CHANGES)
    assert "git could not tell" in str(error)


def test_the_repositorys_configuration_runs_nothing(repository: Path, tmp_path: Path) -> None:
    hook = tmp_path / "hook.sh"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    git(repository, "config", "core.fsmonitor", str(hook))
    apply(repository, CHANGES)
    assert not (tmp_path / "ran").exists()


def test_undo_works_on_the_dirty_tree_that_it_made(repository: Path) -> None:
    before = snapshot(repository)
    apply(repository, CHANGES)
    undo(repository)
    assert snapshot(repository) == before
    assert git(repository, "status", "--porcelain") == ""
