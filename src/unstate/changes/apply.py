"""Put a change into the tree: all of it or nothing, whatever happens half-way.

    check      every file is still what the change was made from; nothing leads out of the root; nothing is read-only
    stage      old contents and the journal go to .unstate/, new contents to a temporary file beside each target
    replace    each target by its temporary file, with one last look at what is there
    finish     the journal says `applied`, and `undo` can take it back

Each step is on the disk before the next begins. A crash before `replace` is rolled back, one during it completed, by
`recover`, which never overwrites what a user has changed since.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from stat import S_IMODE

import msgspec

from unstate.changes import disk, journal
from unstate.changes.dirty import check_clean
from unstate.changes.errors import ApplyError, NothingToUndoError, StaleError, UnsafePathError, listed
from unstate.changes.journal import Entry, Journal, State
from unstate.changes.paths import check_writable, locate, missing_folders
from unstate.model import FileChange, Value

PLAN_AGAIN = "Plan again: the change was made from other contents."


class Recovery(Value, frozen=True):
    """What became of an application that had been cut off."""

    outcome: str  # "rolled back" or "completed"
    paths: tuple[str, ...]  # what the application was about
    kept: tuple[str, ...] = ()  # changed by a user since, and left as they are


def apply(root: Path, changes: Sequence[FileChange], *, allow_dirty: bool = False) -> None:
    """Write all `changes` under `root`, or none.

    Raises StaleError where a file is not what the change was made from, DirtyTreeError where git has uncommitted
    work (unless `allow_dirty`), UnsafePathError, ReadOnlyError, BusyError, and ApplyError where the disk refused.
    """
    changes = [change for change in changes if change.before != change.after]
    if not changes:
        return
    recover(root)
    _check(root, changes)
    if not allow_dirty:
        check_clean(root, changes)
    with journal.locked(root):
        _recover(root)
        _run(root, changes, modes={}, undoes="")


def undo(root: Path) -> tuple[str, ...]:
    """Take the last application under `root` back; its paths.

    Raises NothingToUndoError, and StaleError where a file was changed since: then nothing is taken back.
    """
    recover(root)
    if not _undoable(root):
        raise NothingToUndoError(f"No application of unstate is recorded under {root}: nothing to take back.")
    with journal.locked(root):
        _recover(root)
        folder, record = _undoable(root)[-1]
        current = {entry.path: journal.read(root / entry.path) for entry in record.entries}
        changed = [entry.path for entry in record.entries if journal.digest(current[entry.path]) != entry.after]
        if changed:
            raise StaleError(f"Changed since unstate wrote them:{listed(changed)}\nNothing was taken back.", changed)
        changes = [
            FileChange(
                path=entry.path,
                before=current[entry.path],
                after=None if entry.before is None else (folder / str(position)).read_bytes(),
            )
            for position, entry in enumerate(record.entries)
        ]
        _check(root, changes)
        _run(root, changes, modes={entry.path: entry.mode for entry in record.entries}, undoes=folder.name)
    return tuple(change.path for change in changes)


def recover(root: Path) -> Recovery | None:
    """Bring an application that was cut off to an end. Called at every start; None where there is nothing to do.

    A file that is neither the old nor the new content is a user's: it stays, and the other files are taken to the
    state that most of them are in already. The journal with both contents then stays in `.unstate/` for reference.
    """
    if all(_settled(folder) for folder in journal.applications(root)):
        return None
    with journal.locked(root):
        return _recover(root)


def _settled(folder: Path) -> bool:
    record = journal.load(folder)
    return record is not None and (
        record.state is State.SET_ASIDE or (record.state is State.APPLIED and not record.undoes)
    )


def _undoable(root: Path) -> list[tuple[Path, Journal]]:
    records = [(folder, journal.load(folder)) for folder in journal.applications(root)]
    return [(folder, record) for folder, record in records if record is not None and record.state is State.APPLIED]


def _check(root: Path, changes: Sequence[FileChange]) -> dict[str, Path]:
    """The real file behind each path, after every check that needs no writing."""
    targets = {change.path: locate(root, change.path) for change in changes}
    if len(set(targets.values())) < len(changes):
        paths = sorted(targets)
        raise UnsafePathError(
            f"One file under several names, in one change:{listed(paths)}\nNothing was changed.", paths
        )
    stale = [change.path for change in changes if not _is_base(root, change, targets[change.path])]
    if stale:
        raise StaleError(f"Changed since the plan was made:{listed(stale)}\nNothing was changed. {PLAN_AGAIN}", stale)
    for change in changes:
        if change.after is None and (root / change.path).is_symlink():
            raise UnsafePathError(f"{change.path} is a symbolic link; unstate does not remove those.", [change.path])
        check_writable(change.path, targets[change.path])
    return targets


def _is_base(root: Path, change: FileChange, target: Path) -> bool:
    if change.before is None and (root / change.path).is_symlink():
        return False  # a link to nothing is not a free name
    return journal.read(target) == change.before


def _run(root: Path, changes: Sequence[FileChange], *, modes: Mapping[str, int | None], undoes: str) -> None:
    """Stage, replace, finish. Whatever goes wrong before the end is taken back."""
    folder = None
    try:
        targets = _check(root, changes)
        folder = journal.new_folder(root)
        record = _stage(root, folder, changes, targets, modes, undoes)
        record = _enter(folder, record, State.APPLYING)
        for entry in record.entries:
            _put(root, entry)
        _sync_folders(root, record)
        record = _enter(folder, record, State.APPLIED)
        _finish(root, folder, record)
    except BaseException as error:
        taken_back = folder is None or _back_out(root, folder, error)
        if isinstance(error, OSError):
            outcome = "What had been written was taken back." if taken_back else "The change is in place nevertheless."
            raise ApplyError(f"{error}. {outcome}") from error
        raise


def _back_out(root: Path, folder: Path, cause: BaseException) -> bool:
    """Roll back after a failure, unless the application had come to its end by then."""
    try:
        record = journal.load(folder)
        if record is not None and record.state is State.APPLIED:
            return False
        _roll_back(root, folder, record)
    except OSError as error:
        message = f"{cause}. Taking back what had been written failed as well ({error}); the next run of unstate under"
        raise ApplyError(f"{message} {root} will bring it to an end.") from cause
    return True


def _stage(
    root: Path,
    folder: Path,
    changes: Sequence[FileChange],
    targets: Mapping[str, Path],
    modes: Mapping[str, int | None],
    undoes: str,
) -> Journal:
    """Everything that can fail for want of space or permission, before a single target is touched."""
    base = root.resolve()
    entries, folders = [], dict.fromkeys(path for change in changes for path in missing_folders(targets[change.path]))
    for position, change in enumerate(changes):
        target = targets[change.path]
        mode = S_IMODE(target.stat().st_mode) if change.before is not None else modes.get(change.path)
        temporary = target.with_name(f".unstate-{folder.name}-{position}.tmp")
        entries.append(
            Entry(
                path=target.relative_to(base).as_posix(),
                before=journal.digest(change.before),
                after=journal.digest(change.after),
                mode=mode,
                temporary=temporary.relative_to(base).as_posix(),
            )
        )
        if change.before is not None:
            disk.write(folder / str(position), change.before, mode)
    made = tuple(path.relative_to(base).as_posix() for path in folders)
    record = Journal(state=State.STAGING, entries=tuple(entries), folders=made, undoes=undoes)
    journal.save(folder, record)
    disk.sync(folder.parent)
    for path in folders:
        disk.make_folder(path)
        disk.sync(path.parent)
    for change, entry in zip(changes, entries, strict=True):
        if change.after is not None:
            temporary = base / entry.temporary
            disk.remove(temporary)  # left by a crash whose journal somebody has deleted
            disk.write(temporary, change.after, entry.mode)
            if change.before is not None:
                disk.own(temporary, base / entry.path)
    _sync_folders(root, record)
    return record


def _put(root: Path, entry: Entry) -> None:
    """Replace one target, after a last look: the first check does not see an editor that saves meanwhile."""
    target = root / entry.path
    if journal.digest(journal.read(target)) != entry.before:
        raise StaleError(f"{entry.path} was changed just now. Nothing is changed. {PLAN_AGAIN}", [entry.path])
    if entry.after is None:
        disk.remove(target)
    else:
        disk.replace(root / entry.temporary, target)


def _enter(folder: Path, record: Journal, state: State) -> Journal:
    record = msgspec.structs.replace(record, state=state)
    journal.save(folder, record)
    return record


def _finish(root: Path, folder: Path, record: Journal) -> None:
    """After an undo, nothing is left of either application. Safe to repeat."""
    if not record.undoes:
        return
    undone = folder.with_name(record.undoes)
    original = journal.load(undone)
    if original is not None:
        for path in reversed(original.folders):
            disk.remove_folder(root / path)
    disk.remove_tree(undone)
    disk.remove_tree(folder)


def _recover(root: Path) -> Recovery | None:
    recovery = None
    for folder in journal.applications(root):
        record = journal.load(folder)
        if record is None or record.state in (State.STAGING, State.ROLLING_BACK):
            recovery = _roll_back(root, folder, record) or recovery
        elif record.state is State.APPLYING:
            recovery = _resume(root, folder, record)
        elif record.state is State.APPLIED:
            _finish(root, folder, record)
    return recovery


def _resume(root: Path, folder: Path, record: Journal) -> Recovery:
    """Complete an application whose targets were being replaced, if that is still possible; else roll it back."""
    found = {entry.path: journal.digest(journal.read(root / entry.path)) for entry in record.entries}
    foreign = [entry for entry in record.entries if found[entry.path] not in (entry.before, entry.after)]
    waiting = [entry for entry in record.entries if found[entry.path] == entry.before]
    ready = all(
        entry.after is None or journal.digest(journal.read(root / entry.temporary)) == entry.after for entry in waiting
    )
    if not ready or (foreign and waiting):
        return _roll_back(root, folder, record) or Recovery(outcome="rolled back", paths=())
    for entry in waiting:
        _put(root, entry)
    _clear_temporaries(root, record)
    _sync_folders(root, record)
    paths, kept = tuple(entry.path for entry in record.entries), tuple(entry.path for entry in foreign)
    _finish(root, folder, _enter(folder, record, State.SET_ASIDE if foreign else State.APPLIED))
    return Recovery(outcome="completed", paths=paths, kept=kept)


def _roll_back(root: Path, folder: Path, record: Journal | None) -> Recovery | None:
    """Bring every file back to the old content, but for those that a user has changed since."""
    if record is None:  # cut off before the journal: nothing but our own folder was written
        disk.remove_tree(folder)
        return None
    kept = []
    if record.state is not State.STAGING:  # before that no target was touched: what looks like our work is a user's
        with contextlib.suppress(OSError):  # a full disk must not keep us from taking things back
            record = _enter(folder, record, State.ROLLING_BACK)
        kept = [
            entry.path for position, entry in enumerate(record.entries) if not _put_back(root, folder, position, entry)
        ]
    _clear_temporaries(root, record)
    for path in reversed(record.folders):
        disk.remove_folder(root / path)
    _sync_folders(root, record)
    if kept:
        _enter(folder, record, State.SET_ASIDE)
    else:
        disk.remove(folder / journal.JOURNAL)  # from here on there is nothing to resume
        disk.remove_tree(folder)
    return Recovery(outcome="rolled back", paths=tuple(entry.path for entry in record.entries), kept=tuple(kept))


def _put_back(root: Path, folder: Path, position: int, entry: Entry) -> bool:
    """Undo one replacement; False where a user has changed the file since."""
    found = journal.digest(journal.read(root / entry.path))
    if found == entry.before:
        return True
    if found != entry.after:
        return False
    if entry.before is None:
        disk.remove(root / entry.path)
    else:
        disk.replace(folder / str(position), root / entry.path)  # a move: needs no space on a full disk
    return True


def _clear_temporaries(root: Path, record: Journal) -> None:
    for entry in record.entries:
        disk.remove(root / entry.temporary)


def _sync_folders(root: Path, record: Journal) -> None:
    for folder in dict.fromkeys((root / entry.path).parent for entry in record.entries):
        if folder.is_dir():
            disk.sync(folder)
