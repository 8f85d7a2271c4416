"""Campaigns for tests: begun without discovery, told about by a recorder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from unstate.batch import planning
from unstate.batch.campaign import Campaign, Choice, Settings, begun
from unstate.batch.engines import Engine, Serial
from unstate.batch.git import commit, is_repository
from unstate.batch.journal import Record, Step
from unstate.batch.model import Estate
from unstate.batch.run import Tally
from unstate.batch.version import identity


@dataclass
class Told:
    """A progress that remembers what it was told."""

    units: list[tuple[str, str]] = field(default_factory=list)

    def begin(self, step: Step, total: int, running: Callable[[], tuple[str, ...]]) -> None:
        """A step begins."""

    def unit(self, record: Record, said: str) -> None:
        """A unit is done."""
        self.units.append((record.unit, said))

    def end(self) -> None:
        """The step is over."""


@contextmanager
def campaign(folder: Path, estate: Estate, choice: Choice | None = None) -> Iterator[Campaign]:
    """A campaign over an estate, begun or gone on with."""
    root = Path(estate.root)
    settings = Settings(
        root=str(root.resolve()),
        identity=identity(),
        estate=estate,
        commit=commit(root) if is_repository(root) else "",
        choice=choice or Choice(),
    )
    with begun(folder, settings) as made:
        yield made


def planned(folder: Path, estate: Estate, engine: Engine | None = None, choice: Choice | None = None) -> Tally:
    """Begin a campaign, or go on with it, and plan."""
    with campaign(folder, estate, choice) as made:
        return planning.plan(made, engine or Serial(), Told())


def plans(folder: Path) -> dict[str, bytes]:
    """Every file that planning left for a unit, by its path in the campaign's folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for kind in ("services", "libraries")
        for path in sorted((folder / kind).rglob("*"))
        if path.is_file()
    }


def changed(estate: Estate, **values: object) -> Estate:
    """The estate with other values."""
    return msgspec.structs.replace(estate, **values)
