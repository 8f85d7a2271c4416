"""What a unit's plan hangs on, in one short text: two units with the same one have the same plan."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from unstate.batch import git
from unstate.batch.units import Unit

_IGNORED = frozenset({".git", ".unstate", "__pycache__", "node_modules", ".venv", "venv"})
_SETTINGS = (".toml", ".cfg", ".txt", ".in", ".yaml", ".yml", "Dockerfile", "Procfile")  # what counts of folders above
_SHARED = ("codemods", "templates")  # a project's own, which count for every unit


class Fingerprints:
    """Content hashes of a whole repository, looked at once.

    Inside git the index knows them already, and only what differs from HEAD is read; elsewhere every file is.
    """

    def __init__(self, root: Path) -> None:
        self._by_folder: dict[str, list[tuple[str, str]]] = {}
        hashes = _git_hashes(root) if git.is_repository(root) else dict(_walked(root))
        for path, content in sorted(hashes.items()):
            folder = path.rpartition("/")[0] or "."
            self._by_folder.setdefault(folder, []).append((path, content))
        self._folders: dict[str, str] = {}

    def of(self, unit: Unit, *further: str) -> str:
        """The fingerprint of a unit's files, of the settings in the folders above, and of some further texts."""
        state = hashlib.blake2b(digest_size=16)
        for text in (repr(unit), *further):
            state.update(text.encode(errors="surrogateescape") + b"\0")
        above = {str(parent) for folder in unit.folders for parent in PurePosixPath(folder).parents}
        for folder in sorted(above - set(unit.folders)):
            for path, content in self._by_folder.get(folder, ()):
                if path.endswith(_SETTINGS):
                    state.update(os.fsencode(f"{path}\0{content}\0"))
        for folder in (*unit.folders, *_SHARED):
            state.update(f"{folder}\0{self._below(folder)}\0".encode(errors="surrogateescape"))
        return state.hexdigest()

    def _below(self, folder: str) -> str:
        """The hash of all that lies below a folder."""
        if folder not in self._folders:
            state = hashlib.blake2b(digest_size=16)
            for each in self._inner(folder):
                for path, content in self._by_folder[each]:
                    state.update(os.fsencode(f"{path}\0{content}\0"))
            self._folders[folder] = state.hexdigest()
        return self._folders[folder]

    def _inner(self, folder: str) -> Iterator[str]:
        prefix = "" if folder == "." else f"{folder}/"
        return (each for each in sorted(self._by_folder) if each == folder or each.startswith(prefix))


def _git_hashes(root: Path) -> dict[str, str]:
    hashes: dict[str, str] = {}
    for entry in git.run(root, "ls-tree", "-r", "-z", "HEAD").split(b"\0"):
        if entry:
            head, _, name = entry.partition(b"\t")
            hashes[os.fsdecode(name)] = head.decode()
    for path in git.changed(root):
        hashes.pop(path, None)
        hashes.update(_read(root, [path]))
    return hashes


def _walked(root: Path) -> Iterator[tuple[str, str]]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _IGNORED)
        here = Path(folder).relative_to(root)
        yield from _read(root, ((here / name).as_posix() for name in sorted(names))).items()


def _read(root: Path, paths: Iterable[str]) -> Mapping[str, str]:
    found = {}
    for path in paths:
        try:
            found[path] = hashlib.blake2b((root / path).read_bytes(), digest_size=16).hexdigest()
        except OSError:  # gone, or not for us to read: then a plan does not read it either
            continue
    return found
