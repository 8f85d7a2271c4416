"""Files of an app that stand for a backing service, a SQLite file above all: one for all its processes."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from unstate.verify.errors import CannotVerifyError


def check_shared(names: Sequence[str]) -> None:
    """Refuse what lies outside of the app's folder: it is nobody's copy, and a check must not write to it."""
    for name in names:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise CannotVerifyError(
                f"--shared {name}: name a file or folder below the app's folder, relative to it, like instance/data.db "
                "(a folder that is not there yet ends in /)"
            )


class Shared:
    """What the processes of one fleet share, as it is in the app's folder at first; it ends with `folder`."""

    def __init__(self, root: Path, names: Sequence[str], folder: Path) -> None:
        self._folder = folder
        self._names = names
        for name in names:
            source, target = root / name, folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
            elif source.exists():
                shutil.copy2(source, target)
            elif name.endswith("/"):
                target.mkdir(exist_ok=True)

    def __bool__(self) -> bool:
        return bool(self._names)

    def link(self, tree: Path) -> None:
        """Put links to what is shared into the working copy of one process."""
        for name in self._names:
            place = tree / name
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            else:
                place.unlink(missing_ok=True)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(self._folder / name)

    def require(self) -> None:
        """Refuse a name that no process has used: it is misspelt, or the app keeps its data elsewhere."""
        for name in self._names:
            if not (self._folder / name).exists():
                raise CannotVerifyError(
                    f"--shared {name}: it is not in the app's folder, and the app did not make it while the scenario "
                    "ran; paths are relative to the app's folder"
                )
