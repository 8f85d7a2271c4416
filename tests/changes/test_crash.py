"""A process that dies at any step of an application, or of an undo, leaves the old tree or the new one.

The child runs the real code and ends without a word (os._exit) before a step, half-way through a write, or after it;
the parent then starts as the next run would.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from trees import CHANGES, Tree, snapshot

from unstate.changes import disk
from unstate.changes.apply import apply, recover, undo
from unstate.changes.errors import NothingToUndoError
from unstate.model import FileChange
from unstate.resources import shipped

STEPS = ("write", "own", "replace", "remove", "make_folder", "remove_folder", "remove_tree", "sync")
DIED = 77


def dying(work: Callable[[], object], step: int, when: str) -> bool:
    """Run `work` in a child that dies around its n-th step; whether it came that far."""
    child = os.fork()
    if child == 0:
        steps = iter(range(10**6))

        def around(original: Callable[..., None]) -> Callable[..., None]:
            def run(*arguments: object) -> None:
                here = next(steps) == step
                if here and when == "before":
                    os._exit(DIED)
                if here and when == "half-way" and original.__name__ == "write":
                    path, content = arguments[0], arguments[1]
                    assert isinstance(path, Path) and isinstance(content, bytes)
                    path.write_bytes(content[: len(content) // 2])
                    os._exit(DIED)
                original(*arguments)
                if here:
                    os._exit(DIED)

            return run

        for name in STEPS:
            setattr(disk, name, around(getattr(disk, name)))
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == DIED


def lay_out(tree: Path, content: Tree) -> None:
    """Make a tree be exactly `content`, and forget every journal."""
    disk.remove_tree(tree / ".unstate")
    for path in set(snapshot(tree)) - set(content):
        (tree / path).unlink()
    disk.remove_folder(tree / "new" / "deep")
    disk.remove_folder(tree / "new")
    for path, (data, mode) in content.items():
        (tree / path).write_bytes(data)
        (tree / path).chmod(mode)


def names(tree: Path) -> set[str]:
    return {
        path.relative_to(tree).as_posix() for path in tree.rglob("*") if ".unstate" not in path.relative_to(tree).parts
    }


@pytest.mark.parametrize("when", ["before", "half-way", "after"])
def test_a_crash_at_any_step_of_an_application(tree: Path, when: str) -> None:
    old, old_names = snapshot(tree), names(tree)
    apply(tree, CHANGES)
    new, new_names = snapshot(tree), names(tree)
    outcomes = []
    for step in range(200):
        lay_out(tree, old)
        if not dying(lambda: apply(tree, CHANGES), step, when):
            break
        recovery = recover(tree)
        after = snapshot(tree)
        assert (after, names(tree)) in [(old, old_names), (new, new_names)], (step, recovery)
        assert recover(tree) is None
        outcomes.append("new" if after == new else "old")
        if after == new:
            undo(tree)
            assert snapshot(tree) == old
        else:
            with pytest.raises(NothingToUndoError):
                undo(tree)
            apply(tree, CHANGES)
            assert snapshot(tree) == new
    assert len(outcomes) > 20
    assert outcomes == sorted(outcomes, reverse=True)  # old up to one step, new from there on
    assert set(outcomes) == {"old", "new"}


@pytest.mark.parametrize("when", ["before", "half-way", "after"])
def test_a_crash_at_any_step_of_an_undo(tree: Path, when: str) -> None:
    old, old_names = snapshot(tree), names(tree)
    apply(tree, CHANGES)
    new, new_names = snapshot(tree), names(tree)
    outcomes = []
    for step in range(200):
        lay_out(tree, old)
        apply(tree, CHANGES)
        if not dying(lambda: undo(tree), step, when):
            break
        recover(tree)
        after = snapshot(tree)
        assert (after, names(tree)) in [(old, old_names), (new, new_names)], step
        outcomes.append("old" if after == old else "new")
        if after == new:
            undo(tree)
            assert snapshot(tree) == old
        with pytest.raises(NothingToUndoError):
            undo(tree)
    assert outcomes == sorted(outcomes)
    assert set(outcomes) == {"old", "new"}


@pytest.mark.parametrize("cut", range(0, 60, 3))
def test_a_crash_during_recovery_is_recovered_from(tree: Path, cut: int) -> None:
    old = snapshot(tree)
    apply(tree, CHANGES)
    new = snapshot(tree)
    for step in range(60):
        lay_out(tree, old)
        if not dying(lambda: apply(tree, CHANGES), cut, "after"):
            pytest.skip("the application is shorter than that")
        if not dying(lambda: recover(tree), step, "before"):
            break
        recover(tree)
        assert snapshot(tree) in (old, new)
        assert recover(tree) is None


@pytest.mark.parametrize("victim", ["app.py", "pkg/run.py", "gone.py", "new/deep/backing.py"])
def test_what_a_user_changed_since_the_crash_is_never_overwritten(tree: Path, victim: str) -> None:
    old = snapshot(tree)
    apply(tree, CHANGES)
    new = snapshot(tree)
    seen = set()
    for step in range(200):
        lay_out(tree, old)
        if not dying(lambda: apply(tree, CHANGES), step, "after"):
            break
        (tree / victim).parent.mkdir(parents=True, exist_ok=True)
        (tree / victim).write_bytes(b"written by a user after the crash\n")
        recovery = recover(tree)
        after = snapshot(tree)
        assert after[victim][0] == b"written by a user after the crash\n"
        rest = {path: value for path, value in after.items() if path != victim}
        assert rest in [{path: value for path, value in side.items() if path != victim} for side in (old, new)]
        assert recover(tree) is None
        if recovery is not None:
            seen.add((recovery.outcome, recovery.kept))
    assert ("rolled back", (victim,)) in seen or ("completed", (victim,)) in seen


def test_the_command_line_recovers_before_it_reads(tmp_path: Path) -> None:
    tree = shutil.copytree(shipped("examples") / "first", tmp_path / "first")
    source = (tree / "app.py").read_bytes()
    change = FileChange("app.py", source, source.replace(b"user_sessions", b"renamed"))
    for step in range(100):
        assert dying(lambda: apply(tree, [change]), step, "after")
        if (tree / "app.py").read_bytes() != source:
            break
        disk.remove_tree(tree / ".unstate")
    done = subprocess.run(
        [sys.executable, "-m", "unstate", "migrate", str(tree)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "an application that had been cut off was completed: app.py" in done.stderr
    assert "renamed" in done.stdout
