"""Plans as files: made once, read by people and programs, and followed only where nothing has changed since."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from unstate.changes import documents, journal
from unstate.changes.errors import StaleError, listed
from unstate.changes.paths import locate
from unstate.model import Plan

SCHEMA = "unstate.plan/1"


def save(path: Path, plan: Plan) -> None:
    """Write a plan. Raises DocumentError."""
    documents.save(path, plan)


def load(path: Path, root: Path) -> Plan:
    """The plan in a file, which must be one of the tree under `root` as it is now.

    Raises DocumentError for a file that is no plan, UnsafePathError where it names a path outside of `root`, and
    StaleError where a file that it was made from has changed.
    """
    plan = documents.load(path, Plan, SCHEMA)
    base = {name for name, _ in plan.base}
    for where, name in _paths(plan):
        locate(root, name)
        if name not in base and not where.startswith("$.backing"):
            raise documents.DocumentError(f"{path}: {where}: {name} is not among the files in $.base.", [str(path)])
    services = {each.service for each in plan.backing}
    for position, group in enumerate(plan.groups):
        if group.layout is not None and group.finding.store.service not in services:
            where = f"$.groups[{position}].finding.store.service"
            raise documents.DocumentError(f"{path}: {where}: no module in $.backing is of this service.", [str(path)])
    changed = [name for name, digest in plan.base if journal.digest(journal.read(locate(root, name))) != digest]
    if changed:
        raise StaleError(f"Changed since {path} was made:{listed(changed)}\nNothing was changed. Plan again.", changed)
    return plan


def _paths(plan: Plan) -> Iterator[tuple[str, str]]:
    """(place in the document, path) of every file that the plan would read or write."""
    yield from ((f"$.base[{position}]", name) for position, (name, _) in enumerate(plan.base))
    for position, group in enumerate(plan.groups):
        yield from ((f"$.groups[{position}].files[{n}]", name) for n, name in enumerate(group.files))
    for position, backing in enumerate(plan.backing):
        yield f"$.backing[{position}].path", backing.path
        if backing.service != ".":
            yield f"$.backing[{position}].service", f"{backing.service}/x"
        if backing.settings.path:
            yield f"$.backing[{position}].settings.path", backing.settings.path
        if backing.app:
            yield f"$.backing[{position}].app.path", backing.app.path
