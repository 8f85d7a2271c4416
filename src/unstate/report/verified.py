"""What `unstate verify` found, as its JSON says it, read back to be shown beside a plan."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from unstate.changes import documents
from unstate.model import Value
from unstate.report.words import visible_lines

SCHEMA = "unstate.verify/1"
SHOWN = 1500  # characters of a body; an answer may be a whole page


class AnswerEntry(Value, frozen=True):
    """One answer. `status` is 0 where none came, with the reason in `failure`."""

    request: str
    status: int
    content_type: str
    body: str
    process: str
    failure: str
    output: str

    @property
    def shown(self) -> str:
        """Status, content type and body, for a person."""
        if not self.status:
            return visible_lines(self.failure)
        more = "…" if len(self.body) > SHOWN else ""
        return visible_lines(f"{self.status} {self.content_type}\n{self.body[:SHOWN]}{more}".rstrip())


class DifferenceEntry(Value, frozen=True):
    """The first step, from 1, whose answer is another one than the original's in one process."""

    step: int
    field: str
    note: str
    expected: AnswerEntry | None
    got: AnswerEntry | None


class PhaseEntry(Value, frozen=True):
    """One phase; `ok` says whether it came out as it has to, which for the phase `teeth` is to differ."""

    name: str
    meaning: str
    outcome: Literal["same", "differs", "differs as declared", "proves nothing"]
    ok: bool
    seconds: float
    notes: tuple[str, ...]
    difference: DifferenceEntry | None


class ChangedEntry(Value, frozen=True):
    """A store that requests change inside a process of the checked app."""

    name: str
    requests: tuple[str, ...]


class BesideEntry(Value, frozen=True):
    """Stores found by a scan and by a run of the original, by name."""

    both: tuple[str, ...]
    only_scan: tuple[str, ...]
    only_run: tuple[str, ...]


class Verified(Value, frozen=True, kw_only=True):
    """A whole check; `leftovers` and `beside` are null where nobody could look into a process."""

    schema: Literal["unstate.verify/1"] = "unstate.verify/1"
    outcome: Literal["same", "differs", "differs as declared", "proves nothing"]
    conclusion: str
    app: str
    scenario: str
    services: str
    shared: tuple[str, ...] = ()  # files that all processes had in common
    steps: int
    phases: tuple[PhaseEntry, ...]
    leftovers: tuple[ChangedEntry, ...] | None
    beside: BesideEntry | None


def load(path: Path) -> Verified:
    """The check in a file that `unstate verify --output-format json:FILE` wrote. Raises DocumentError."""
    return documents.load(path, Verified, SCHEMA)
