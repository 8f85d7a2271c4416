"""The step `branch`: one commit a unit on a branch of its own, made by `git fast-import`; no checkout, no index.

A branch of ours holds one commit on its base, whose message names what the files become. One that holds anything else,
an amended commit among it, is somebody's work and is left alone.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from unstate.batch import git
from unstate.batch.bodies import TRAILER, change_id
from unstate.batch.errors import BatchError
from unstate.model import FileChange, Value

_NONE = "0" * 40
_PLAIN_FILES = (b"100644", b"100755")


class BranchJob(Value, frozen=True):
    """All that one branch is made from."""

    repository: str
    base: str  # a commit
    branch: str
    message: str
    changes: tuple[FileChange, ...]
    replace: bool = False


class Ending(StrEnum):
    """What became of a branch."""

    MADE = "made"
    SAME = "there already"
    REPLACED = "replaced"
    SKIPPED = "skipped"  # it has an earlier change of ours, and nobody asked to replace it


def make(job: BranchJob) -> Ending:
    """Make one branch. Raises BatchError, and leaves everything as it is then."""
    root = Path(job.repository)
    ref = f"refs/heads/{job.branch}"
    tip = _tip(root, ref)
    if tip:
        found = _our_change(root, tip, job.base)
        if not found:
            raise BatchError(
                f"branch {job.branch} holds commits that unstate did not make; it is left as it is. "
                f"Merge, rename or delete it."
            )
        if found == change_id(job.changes) and git.commit(root, f"{tip}^") == job.base:
            return Ending.SAME
        if not job.replace:
            return Ending.SKIPPED
        if _is_checked_out(root, ref):
            raise BatchError(f"branch {job.branch} is checked out; it is left as it is")
    entries = _entries(root, job.base, job.changes)
    made = _import(root, job, entries)
    git.run(root, "update-ref", "-m", "unstate batch branch", ref, made, tip or _NONE)
    return Ending.REPLACED if tip else Ending.MADE


def _tip(root: Path, ref: str) -> str:
    return git.text(root, "for-each-ref", "--format=%(objectname)", ref)


def _our_change(root: Path, tip: str, base: str) -> str:
    """The change that the branch's one commit names and makes, "" where it holds something else."""
    try:
        parents = git.text(root, "rev-list", "--parents", "-n", "1", tip).split()[1:]
        if len(parents) != 1:
            return ""
        git.run(root, "merge-base", "--is-ancestor", parents[0], base)
    except git.GitError:
        return ""
    named = git.text(root, "log", "-1", f"--format=%(trailers:key={TRAILER},valueonly)", tip).strip()
    return named if named and named == change_id(_made(root, parents[0], tip)) else ""


def _made(root: Path, before: str, after: str) -> list[FileChange]:
    """What the files become from one commit to the next."""
    paths = git.run(root, "diff-tree", "-r", "-z", "--name-only", "--no-renames", before, after).split(b"\0")
    names = sorted(os.fsdecode(path) for path in paths if path)
    contents = _contents(root, after, names)
    return [FileChange(path=name, before=None, after=contents.get(name)) for name in names]


def _contents(root: Path, commit: str, paths: Sequence[str]) -> dict[str, bytes]:
    """Files as git holds them at a commit; those it does not hold are left out."""
    found = {}
    for path, (_, name) in _listed(root, commit, paths).items():
        found[path] = git.run(root, "cat-file", "blob", name)
    return found


def _listed(root: Path, commit: str, paths: Sequence[str]) -> dict[str, tuple[bytes, str]]:
    """(mode, name of the blob) of files at a commit."""
    if not paths:
        return {}
    found = {}
    literal = [f":(literal){path}" for path in paths]
    for entry in git.run(root, "ls-tree", "-r", "-z", "--full-tree", commit, "--", *literal).split(b"\0"):
        if entry:
            head, _, path = entry.partition(b"\t")
            mode, _, name = head.split(b" ")
            found[os.fsdecode(path)] = (mode, name.decode())
    return found


class _Entry(Value, frozen=True):
    """One file of a commit: None for one that goes."""

    path: str
    mode: bytes = b"100644"
    content: bytes | None = None


def _entries(root: Path, base: str, changes: Sequence[FileChange]) -> list[_Entry]:
    """The files of the commit, as git is to hold them. Raises BatchError where the base is not that of the plan."""
    listed = _listed(root, base, [change.path for change in changes])
    contents = _contents(root, base, list(listed))
    entries = []
    for change in changes:
        mode, name = listed.get(change.path, (b"100644", ""))
        if mode not in _PLAIN_FILES:
            raise BatchError(
                f"{change.path} is a symbolic link or a submodule in {base[:12]}; unstate does not change those"
            )
        converts = False
        if contents.get(change.path) != change.before:
            converts = change.before is not None and _blob(root, change.path, change.before) == name
            if not converts:
                raise BatchError(
                    f"{change.path} is not in commit {base[:12]} as it was when this was planned; "
                    "commit your changes and plan again"
                )
        after = change.after
        if converts and after is not None:
            after = git.run(root, "cat-file", "blob", _blob(root, change.path, after, "-w"))
        entries.append(_Entry(path=change.path, mode=mode, content=after))
    return entries


def _blob(root: Path, path: str, content: bytes, *options: str) -> str:
    """git's name of a file's content, its line ends and filters applied."""
    return git.run(root, "hash-object", *options, f"--path={path}", "--stdin", given=content).decode().strip()


def _import(root: Path, job: BranchJob, entries: Sequence[_Entry]) -> str:
    """The commit, which no branch holds yet."""
    ref = f"refs/unstate/import-{os.getpid()}"
    who = git.run(root, "var", "GIT_COMMITTER_IDENT").strip()
    message = job.message.encode(errors="surrogateescape")
    stream = [
        b"commit " + ref.encode() + b"\nmark :1\nauthor " + who + b"\ncommitter " + who,
        b"\ndata %d\n%s\nfrom %s\n" % (len(message), message, job.base.encode()),
    ]
    for entry in entries:
        if entry.content is None:
            stream.append(b"D " + _quoted(entry.path) + b"\n")
        else:
            stream.append(b"M %s inline %s\ndata %d\n" % (entry.mode, _quoted(entry.path), len(entry.content)))
            stream.append(entry.content + b"\n")
    try:
        git.run(root, "fast-import", "--quiet", "--force", "--date-format=raw", given=b"".join(stream))
        return git.commit(root, ref)
    finally:
        git.run(root, "update-ref", "-d", ref)


def _quoted(path: str) -> bytes:
    raw = os.fsencode(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + raw + b'"'


def _is_checked_out(root: Path, ref: str) -> bool:
    return f"branch {ref}" in git.text(root, "worktree", "list", "--porcelain").splitlines()
