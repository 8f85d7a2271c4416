"""Which files say what a service depends on, what is added to them, and what is left to a command.

The nearest folder with such a file, from the service's root up to the scanned one, is the one that counts. What a
resolver wrote (lock files, compiled requirements, hashes) is never edited: it would cease to be that.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from unstate.model import FileChange
from unstate.render import declare
from unstate.render.texts import text_of

PYPROJECT = "pyproject.toml"
# Where a person lists what a service needs, in files that pip reads; the first that is there counts.
LISTS = (
    "requirements.in",
    "requirements.txt",
    "requirements/base.in",
    "requirements/base.txt",
    "requirements/prod.txt",
)
LOCKS = {"uv.lock": "uv lock", "poetry.lock": "poetry lock", "pdm.lock": "pdm lock", "requirements.txt": ""}


@dataclass(frozen=True, slots=True)
class Declared:
    """What became of new dependencies. `advice`: what is left to a person, a sentence each."""

    files: tuple[str, ...] = ()  # that ask for them, or do so after `changes`
    changes: tuple[FileChange, ...] = ()
    advice: tuple[str, ...] = ()


def declared(root: Path, requires: Mapping[str, Collection[str]]) -> Declared:
    """Add what each service (its root) `requires` (as in "redis>=5") to the files that list its dependencies."""
    needs: dict[PurePosixPath, set[str]] = defaultdict(set)
    for service, wanted in requires.items():
        places = (PurePosixPath(service), *PurePosixPath(service).parents)
        folder = next((each for each in places if _in(root, each, declare.OURS)), None)
        if folder is not None and wanted:
            needs[folder].update(wanted)
    return _joined([_in(root, folder, sorted(needs[folder])) or Declared() for folder in sorted(needs)])


def _in(root: Path, folder: PurePosixPath, needs: Sequence[str]) -> Declared | None:
    """What becomes of `needs` in the files of one folder; None where none of them lists dependencies."""
    found = [each for each in (_project(root, folder, needs), _list(root, folder, needs)) if each is not None]
    if found:
        return _joined([*found, *_locked(root, folder, changed=any(each.changes for each in found))])
    if other := _other(root / folder, needs):
        return Declared(advice=(f"{(folder / other[0]).as_posix()} is not edited: {other[1]}",))
    return None


def _joined(parts: Sequence[Declared]) -> Declared:
    return Declared(
        tuple(file for part in parts for file in part.files),
        tuple(change for part in parts for change in part.changes),
        tuple(sentence for part in parts for sentence in part.advice),
    )


def _project(root: Path, folder: PurePosixPath, needs: Sequence[str]) -> Declared | None:
    path = (folder / PYPROJECT).as_posix()
    text = text_of(root, path)
    if text is None:
        return None
    try:
        entries = declare.project_entries(tomllib.loads(text))
    except tomllib.TOMLDecodeError:
        return None
    if entries is None or (not entries and _listed(root, folder)):  # a project that keeps its list elsewhere
        return None
    missing = _missing(entries, needs)
    advice = tuple(_too_old(path, entries, needs))
    try:
        after = declare.in_pyproject(text, missing) if missing else text
    except declare.CannotDeclareError as error:
        return Declared(advice=(*advice, f"{path} is not edited: {error}; add {', '.join(missing)} by hand"))
    return _outcome(path, text, after, advice)


def _list(root: Path, folder: PurePosixPath, needs: Sequence[str]) -> Declared | None:
    path = _listed(root, folder)
    if not path:
        return None
    text = text_of(root, path)
    if text is None:
        reason = "it is not UTF-8, or leads out of the scanned folder"
        return Declared(advice=(f"{path} is not edited: {reason}; add {', '.join(needs)} by hand",))
    entries = _entries(root, path, text)
    missing = _missing(entries, needs)
    advice = tuple(_too_old(path, entries, needs))
    if not missing:
        return Declared(files=(path,), advice=advice)
    if declare.is_compiled(text):
        command = f"add {', '.join(missing)} to what it is made from, and make it anew"
        return Declared(advice=(*advice, f"{path} is not edited, because a tool wrote it: {command}"))
    return _outcome(path, text, declare.in_requirements(text, missing), advice)


def _listed(root: Path, folder: PurePosixPath) -> str:
    """The file that pip reads, as a path from the root; "" where there is none."""
    return next(((folder / name).as_posix() for name in LISTS if (root / folder / name).is_file()), "")


def _locked(root: Path, folder: PurePosixPath, *, changed: bool) -> Iterator[Declared]:
    """The commands that bring what was locked up to date."""
    if not changed:
        return
    for lock, command in LOCKS.items():
        if command and (root / folder / lock).is_file():
            yield Declared(advice=(f"{(folder / lock).as_posix()} is not edited: run `{command}`",))
        elif not command and (text := text_of(root, (folder / lock).as_posix())) and declare.is_compiled(text):
            source = _listed(root, folder)
            made = f"pip-compile {PurePosixPath(source).name if source.endswith('.in') else PYPROJECT}"
            yield Declared(advice=(f"{(folder / lock).as_posix()} is not edited: make it anew, as by `{made}`",))


def _other(folder: Path, needs: Sequence[str]) -> tuple[str, str] | None:
    """A file that is not edited, and what to do instead."""
    if (folder / "Pipfile").is_file():
        return "Pipfile", "run `pipenv install " + " ".join(f'"{need}"' for need in needs) + "`"
    for name in ("setup.cfg", "setup.py"):
        if b"install_requires" in _bytes(folder / name):
            return name, f"add {', '.join(needs)} to install_requires"
    return None


def _outcome(path: str, before: str, after: str, advice: tuple[str, ...]) -> Declared:
    changes = (FileChange(path=path, before=before.encode(), after=after.encode()),) if after != before else ()
    return Declared((path,), changes, advice)


def _entries(root: Path, path: str, text: str, seen: frozenset[str] = frozenset()) -> list[str]:
    """The lines of a requirements file and of those that it takes in with `-r`."""
    lines = text.splitlines()
    for line in list(lines):
        option, _, name = line.strip().partition(" ")
        if option in ("-r", "--requirement"):
            other = (PurePosixPath(path).parent / name.strip()).as_posix()
            if other not in seen and ".." not in PurePosixPath(other).parts and (taken := text_of(root, other)):
                lines += _entries(root, other, taken, seen | {path, other})
    return lines


def _missing(entries: Sequence[str], needs: Sequence[str]) -> list[str]:
    names = {declare.name_of(entry) for entry in entries}
    return [need for need in needs if declare.name_of(need) not in names]


def _too_old(path: str, entries: Sequence[str], needs: Sequence[str]) -> Iterator[str]:
    for entry in entries:
        for need in needs:
            if declare.name_of(entry) == declare.name_of(need) and declare.shuts_out(entry, need):
                yield f"{path} keeps {entry.strip()}, but the result needs {need}"


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
