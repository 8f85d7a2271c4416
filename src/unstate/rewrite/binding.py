"""A store as the rewriter sees it: its references in the code, and how the backing service holds it."""

from __future__ import annotations

from dataclasses import dataclass, field

from unstate.model import Accessor, Layout, Op, Refusal, Site


@dataclass(frozen=True, slots=True)
class Binding:
    """One accepted store. The same binding serves every file of the service."""

    id: str  # the change group's id
    name: str  # the store's own name, for messages: "user_sessions"
    layout: Layout
    container: str  # as in catalogue.rule.Rule.container
    codec: str  # as in catalogue.rule.Rule.codecs
    key_type: str  # "str", "int", "tuple", or "" where unproven: taken as text
    prefix: str  # namespace in the backing service, without its separator
    sites: tuple[Site, ...]
    ttl: str = ""  # name of the constant that holds the expiry, "" for none
    safe_keys: bool = False  # keys are made by the app itself and fit an S3 key as they are
    model: str = ""  # how the model class of the values is written where it is defined, for codec "model"
    awaited: frozenset[str] = frozenset()  # functions that become asynchronous with it, by name
    accessors: tuple[Accessor, ...] = ()  # functions that hand out entries: their callers write changes back
    key_field: str = ""  # the attribute of each value that is its key, "" where no such one is known
    partners: frozenset[str] = frozenset()  # the last parts of the names of stores that move with it
    changers: frozenset[str] = frozenset()  # functions that change entries in place: "name", "Class.name"
    size: str = ""  # the bound of a bounded deque, a literal or a name of the module that defines it
    presigned: bool = False  # clients fetch files from S3 itself, by URLs that are signed for them
    seeded: bool = False  # its definition holds entries, which the first process writes
    steady: bool = False  # a list that is only ever appended to: an entry stays at its place
    holds_records: bool = False  # every value is a dict
    zero: str = ""  # the definition's literal, for containers without keys

    @property
    def rebound(self) -> bool:
        """Whether the store is bound anew somewhere, so that an older name for it may mean what it was before."""
        return any(site.op is Op.REBIND for site in self.sites)

    def in_file(self, path: str) -> tuple[Site, ...]:
        """The sites of this store in one file."""
        return tuple(site for site in self.sites if site.path == path)


@dataclass(slots=True)
class Rewritten:
    """What became of one file. `after` is None where a refusal stands."""

    path: str
    after: bytes | None = None
    refusals: dict[str, list[Refusal]] = field(default_factory=dict)  # by binding id
    accessors: dict[str, set[Accessor]] = field(default_factory=dict)  # by binding id, those that would save a refusal
    changing: dict[str, set[str]] = field(default_factory=dict)  # by binding id, functions that change entries in place
    held: set[str] = field(default_factory=set)  # binding ids of those of whose entries names are held
    differences: dict[str, set[str]] = field(default_factory=dict)  # by binding id, from `review` rules
    rules: dict[str, set[str]] = field(default_factory=dict)  # by binding id, ids of the rules used
    blocking: dict[str, set[str]] = field(default_factory=dict)  # by binding id, functions that call a blocking client
    names: set[str] = field(default_factory=set)  # what the file imports from the backing-services module
