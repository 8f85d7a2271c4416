"""The folder of a campaign: what was asked for, what was decided, what was done, and what is shown of it.

campaign.json    the settings of the campaign, and the repository as it was found
decisions.json   what was decided, for many stores at once or for one
journal.sqlite   the outcome of each step for each service
services/NAME/   plan.json, change.patch and pull-request.md of a service; libraries/NAME/ those of a shared library
summary.*        all of it in short, as markdown, JSON and a page
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Literal

import msgspec

from unstate.batch import decisions, git
from unstate.batch.decisions import BatchDecisions
from unstate.batch.errors import BatchError
from unstate.batch.journal import Journal, Record, State, Step
from unstate.batch.model import Estate
from unstate.batch.units import Unit, library_units, select, service_units, shard
from unstate.batch.version import identity
from unstate.batch.work import Level, Planned
from unstate.changes import documents
from unstate.changes.disk import remove_folder
from unstate.changes.errors import ChangeError
from unstate.changes.journal import home
from unstate.model import Value

FILE = "campaign.json"
SCHEMA = "unstate.campaign/1"
PLAN, PATCH, BODY = "plan.json", "change.patch", "pull-request.md"


class Choice(Value, frozen=True):
    """Which units of the repository are meant: globs over names and roots, owners, and a part of what is left."""

    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    shard: str = ""


class Settings(Value, frozen=True):
    """What a campaign is about."""

    root: str  # of the repository, absolute
    identity: str  # of the unstate that made the plans
    estate: Estate
    commit: str = ""  # of the repository when it was planned, "" outside git
    choice: Choice = Choice()
    level: Level = Level.REVIEW
    lifetimes: dict[str, str] = {}
    schema: Literal["unstate.campaign/1"] = "unstate.campaign/1"


class Campaign:
    """One campaign. What it writes, others may read at any time: no file is ever half there."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.settings = settings
        self.root = Path(settings.root)
        self.journal = Journal(folder)
        self.decisions = decisions.load(folder)

    def services(self) -> tuple[Unit, ...]:
        """The services that the campaign is about."""
        choice = self.settings.choice
        units = select(service_units(self.settings.estate), choice.only, choice.exclude, choice.owners)
        return shard(units, choice.shard)

    def libraries(self) -> tuple[Unit, ...]:
        """The shared libraries in which its services keep state; none in a part of a campaign."""
        if self.settings.choice.shard:
            return ()
        touching: dict[str, set[str]] = {}
        for unit in self.services():
            for root in self.shared(unit.name):
                touching.setdefault(root, set()).add(unit.name)
        return tuple(unit for unit in library_units(self.settings.estate, touching) if unit.root in touching)

    def units(self) -> tuple[Unit, ...]:
        """All units, shared libraries first: their change goes live before those of their users."""
        return (*self.libraries(), *self.services())

    def planned(self, unit: str) -> Planned | None:
        """The last plan of a unit, None where it failed or was not made."""
        record = self.journal.record(Step.PLAN, unit)
        if record is None or record.state is not State.DONE:
            return None
        return msgspec.msgpack.decode(record.result, type=Planned)

    def shared(self, unit: str) -> tuple[str, ...]:
        """Roots of the libraries in which a service keeps state, as its last plan found."""
        return tuple(filter(None, self.journal.noted(f"shared {unit}").split("\n")))

    def keep_shared(self, unit: Unit, planned: Planned) -> None:
        """Note the libraries in which a service keeps state."""
        inner = {unit.library_of(finding.store.path) for finding in planned.shared}
        self.journal.note(f"shared {unit.name}", "\n".join(sorted(inner)))

    def place(self, unit: Unit) -> Path:
        """The folder of a unit within the campaign."""
        return self.folder / ("libraries" if unit.is_library else "services") / unit.slug

    def write(self, unit: Unit, files: Mapping[str, bytes]) -> None:
        """Write files of a unit, each in one go; an empty one is removed. Raises OSError."""
        place = self.place(unit)
        place.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            if content:
                write(place / name, content)
            else:
                (place / name).unlink(missing_ok=True)

    def renew(self) -> None:
        """Before a plan is made: what is planned from here on is planned from the commit that is there now."""
        commit = git.commit(self.root) if git.is_repository(self.root) else ""
        renewed = msgspec.structs.replace(self.settings, commit=commit, identity=identity())
        if renewed != self.settings:
            documents.save(self.folder / FILE, renewed)
            self.settings = renewed

    def tidy(self) -> None:
        """Take away what is shown of services that are no more, and of libraries in which no state is left."""
        units = (*service_units(self.settings.estate), *self.libraries())
        known = {self.place(unit) for unit in units}
        for place in (*self.folder.glob("services/*"), *self.folder.glob("libraries/*")):
            if place not in known:
                for name in (PLAN, PATCH, BODY):
                    (place / name).unlink(missing_ok=True)
                remove_folder(place)

    def decide(self, made: BatchDecisions) -> None:
        """Keep what was decided. Raises DocumentError."""
        decisions.save(self.folder, made)
        self.decisions = made

    def close(self) -> None:
        """Gives the journal free."""
        self.journal.close()


def write(path: Path, content: bytes) -> None:
    """Write a file in one go, and not at all where it has that content already. Raises OSError."""
    if path.is_file() and path.read_bytes() == content:
        return
    draft = path.with_name(f".{path.name}.tmp")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def default_folder(root: Path) -> Path:
    """Where the campaign of a repository is kept unless it is told: out of git's sight. Made if it is missing."""
    folder = home(root) / "batch"
    folder.mkdir(exist_ok=True)
    return folder


@contextmanager
def opened(folder: Path, *, to_look: bool = False) -> Iterator[Campaign]:
    """The campaign in a folder; `to_look` where nothing is done with it, so that another may be at work.

    Raises BatchError where there is none, or somebody works on it.
    """
    if not (folder / FILE).is_file():
        raise BatchError(f"{folder} holds no campaign; begin with `unstate batch plan`")
    campaign = Campaign(folder, _settings(folder))
    try:
        with nullcontext() if to_look else _locked(folder):
            yield campaign
    finally:
        campaign.close()


@contextmanager
def begun(folder: Path, settings: Settings) -> Iterator[Campaign]:
    """The campaign in a folder with new settings: what it has done so far stays. Raises BatchError, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / FILE).is_file():
        earlier = _settings(folder).root
        if earlier != settings.root:
            raise BatchError(f"{folder} is the campaign of {earlier}; name another folder with --campaign")
    with _locked(folder):
        campaign = Campaign(folder, settings)
        try:
            documents.save(folder / FILE, settings)
            yield campaign
        finally:
            campaign.close()


def _settings(folder: Path) -> Settings:
    try:
        return documents.load(folder / FILE, Settings, SCHEMA)
    except ChangeError as error:
        raise BatchError(f"{error} Plan anew, in another folder.") from None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One command at a time. The lock goes with the process, however that ends."""
    with (folder / "lock").open("wb") as stream:
        if sys.platform != "win32":
            import fcntl

            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BatchError(f"another unstate works on {folder}; try again when it is done") from None
        yield


def failed(records: Mapping[str, Record]) -> dict[str, Record]:
    """Those of some records that did not end well."""
    return {unit: record for unit, record in records.items() if record.state is not State.DONE}
