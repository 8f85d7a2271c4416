"""The units of work of a campaign: each service, and each library that services share."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from unstate.batch.errors import BatchError
from unstate.batch.model import Estate, Library, Service
from unstate.model import Value


class Unit(Value, frozen=True):
    """One service or shared library, with all that its plan is made from. Folders are relative to the repository."""

    name: str
    root: str
    folders: tuple[str, ...]  # what is read: its own root, and those of the libraries it uses (a library: of its users)
    apart: tuple[str, ...] = ()  # roots of other units within those folders, which are not read
    libraries: tuple[str, ...] = ()  # roots of the libraries among `folders`
    owners: tuple[str, ...] = ()
    test_command: tuple[str, ...] = ()
    users: tuple[str, ...] = ()  # of a library: names of the services that use it

    @property
    def is_library(self) -> bool:
        """Whether it is shared code, and no service."""
        return bool(self.users)

    @property
    def slug(self) -> str:
        """The name as the name of a folder or a branch; unique where the names are."""
        plain = re.sub(r"[^A-Za-z0-9_.-]+|\.\.+|^[.-]+|[.]lock$|\.$", "-", self.name)
        if plain == self.name:
            return plain
        return f"{plain}-{hashlib.sha256(self.name.encode(errors='surrogateescape')).hexdigest()[:6]}"

    def library_of(self, path: str) -> str:
        """The root of the library, among those it uses, that a file belongs to; "" where it is in none of them."""
        return deepest(path, self.libraries)

    def holds(self, path: str) -> bool:
        """Whether a file belongs to this unit, and not to one within it."""
        return deepest(path, {self.root, *self.folders, *self.apart, *self.libraries}) == self.root


def service_units(estate: Estate) -> tuple[Unit, ...]:
    """A unit a service, in order of root."""
    roots = _roots(estate)
    return tuple(_service(each, roots) for each in sorted(estate.services, key=lambda each: each.root))


def library_units(estate: Estate, touching: Mapping[str, Collection[str]]) -> tuple[Unit, ...]:
    """A unit a shared library. `touching`: by the library's root, the names of services that have stores in it."""
    roots = _roots(estate)
    by_name = {service.name: service for service in estate.services}
    used = [library for library in sorted(estate.libraries, key=lambda each: each.root) if library.used_by]
    users = {each.root: [by_name[name] for name in sorted(touching.get(each.root, ()))] for each in used}
    return tuple(_library(each, users[each.root], roots, by_name) for each in used)


def select(
    units: Iterable[Unit], only: Sequence[str] = (), exclude: Sequence[str] = (), owners: Sequence[str] = ()
) -> tuple[Unit, ...]:
    """The units whose name or root matches one of `only` and none of `exclude`, and that one of `owners` owns."""

    def matches(unit: Unit, globs: Sequence[str]) -> bool:
        return any(fnmatchcase(text, glob.rstrip("/") or "/") for glob in globs for text in (unit.name, unit.root))

    def owned(unit: Unit) -> bool:
        return any(fnmatchcase(owner, glob) or owner == f"@{glob}" for glob in owners for owner in unit.owners)

    return tuple(
        unit
        for unit in units
        if (not only or matches(unit, only)) and not matches(unit, exclude) and (not owners or owned(unit))
    )


def shard(units: Sequence[Unit], spec: str) -> tuple[Unit, ...]:
    """The part of the units that one of several machines does: "2/8" is the second of eight. "" is all of them.

    Raises BatchError.
    """
    if not spec:
        return tuple(units)
    match = re.fullmatch(r"(\d+)/(\d+)", spec)
    number, total = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= number <= total:
        raise BatchError(f'--shard {spec}: write which part of how many, as in "1/4" to "4/4"')
    return tuple(units[number - 1 :: total])


def _service(service: Service, roots: Collection[str]) -> Unit:
    folders = (service.root, *sorted(set(service.libraries) - {service.root}))
    return Unit(
        name=service.name,
        root=service.root,
        folders=folders,
        apart=_apart(folders, roots),
        libraries=folders[1:],
        owners=service.owners,
        test_command=service.test_command or (),
    )


def _library(library: Library, users: Sequence[Service], roots: Collection[str], taken: Collection[str]) -> Unit:
    others = {root for user in users for root in (user.root, *user.libraries)} - {library.root}
    folders = (library.root, *sorted(others))
    return Unit(
        name=f"{library.name} (library)" if library.name in taken else library.name,
        root=library.root,
        folders=folders,
        apart=_apart(folders, roots),
        libraries=tuple(root for root in folders if root not in {user.root for user in users}),
        users=library.used_by,
    )


def _roots(estate: Estate) -> set[str]:
    return {each.root for each in estate.services} | {each.root for each in estate.libraries}


def _apart(folders: Sequence[str], roots: Collection[str]) -> tuple[str, ...]:
    return tuple(
        sorted(root for root in roots if root not in folders and any(_is_below(root, folder) for folder in folders))
    )


def _is_below(path: str, folder: str) -> bool:
    return folder == "." or path == folder or path.startswith(f"{folder}/")


def deepest(path: str, roots: Collection[str]) -> str:
    """The root that a file belongs to, "" where it is in none of them."""
    return next((str(parent) for parent in PurePosixPath(path).parents if str(parent) in roots), "")
