"""The values that flow through the pipeline: frozen, serialisable, without behaviour beyond their own reading.

Lines are 1-based, columns 0-based in code points; paths are relative to the scanned root, with `/`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of everything that is passed between steps."""


class Verdict(StrEnum):
    """How far a change group can be trusted."""

    EXACT = "exact"  # shown equal to the original by a proof that runs in the test suite
    REVIEW = "review"  # complete patch, with named differences that a person accepts
    MANUAL = "manual"  # found and explained, no patch


class Kind(StrEnum):
    """What a store is for."""

    SESSION = "session"
    TOKEN = "token"  # one-time codes, OAuth state, nonces, reset and API tokens
    CONVERSATION = "conversation"
    JOB_STATUS = "job_status"
    COUNTER = "counter"
    RATE_LIMIT = "rate_limit"
    CACHE = "cache"
    RECORD = "record"  # domain data with no other home
    SETTING = "setting"  # a value that requests change and every process must see
    UPLOAD = "upload"  # bytes received, kept in memory
    FILE_STORE = "file_store"  # files on local disk that outlive a request
    FILE_DATABASE = "file_database"  # JSON, CSV, pickle, sqlite used as a database
    CONNECTION_REGISTRY = "connection_registry"  # live handles: sockets, tasks, clients, models
    LOCK = "lock"
    QUEUE = "queue"
    SCHEDULER = "scheduler"
    SECRET = "secret"  # identity made anew by each process


class Shape(StrEnum):
    """What one entry of a store (or a store without keys) holds."""

    STR = "str"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    BYTES = "bytes"
    RECORD = "record"  # dict of JSON values, to any depth
    MODEL = "model"  # dataclass, pydantic model, named tuple
    LIST = "list"
    SET = "set"
    BUFFER = "buffer"  # io.BytesIO
    ARRAY = "array"  # numpy.ndarray
    FILE = "file"
    OBJECT = "object"  # anything without a codec
    UNKNOWN = "unknown"


class Layout(StrEnum):
    """How the backing service holds a store. One layout a store: mixing them is WRONGTYPE."""

    STRING = "string"  # one Redis string per entry: per-key operations, expiry
    HASH = "hash"  # one Redis hash per store: len, iteration and clear stay atomic
    LIST = "list"
    SET = "set"
    COUNTER = "counter"  # one Redis string holding an integer
    S3 = "s3"  # one S3 object per entry


class Scope(StrEnum):
    """Where a store lives."""

    MODULE = "module global"
    CLASS = "class attribute"
    INSTANCE = "instance attribute"
    APP = "app attribute"
    CLOSURE = "closure variable"
    DEFAULT = "default argument"
    FUNCTION = "function attribute"
    FOLDER = "folder"


class Op(StrEnum):
    """What a site does with its store. `x` is the store, `k` a key, `v` a value."""

    DEFINE = "define"  # x = {} and annotations of it
    IMPORT = "import"  # from m import x
    GLOBAL = "global"  # global x, nonlocal x
    GETITEM = "getitem"
    SETITEM = "setitem"
    AUGITEM = "augitem"  # x[k] += v
    DELITEM = "delitem"
    CONTAINS = "contains"
    GET = "get"
    POP = "pop"
    SETDEFAULT = "setdefault"
    UPDATE = "update"
    ADD = "add"  # add, append, extend, insert, appendleft
    REMOVE = "remove"  # remove, discard, popleft, popitem
    CLEAR = "clear"
    LEN = "len"
    BOOL = "bool"
    ITER = "iter"  # for, keys, values, items, comprehensions, list(x), sorted(x)
    REBIND = "rebind"  # x = other, x += n on a scalar
    READ = "read"  # a scalar is read
    NESTED_WRITE = "nested write"  # x[k]["f"] = v, x[k].attr = v, x[k].append(v)
    ALIAS = "alias"  # y = x, y = x[k] with y written to
    PASS = "pass"  # x is handed to another function
    RETURN = "return"  # x is handed out
    CALL = "call"  # any other method of x
    # files
    WRITE = "write"
    APPEND = "append"
    OPEN = "open"
    EXISTS = "exists"
    STAT = "stat"
    LIST = "list"
    DELETE = "delete"
    RENAME = "rename"
    SERVE = "serve"
    PATH = "path"  # a path is formed or handed on
    STORED = "stored"  # a storage of the framework is made, or asked where on disk a file lies


# The context of an operation on a file that may as well lie outside of the folder.
ELSEWHERE = "elsewhere"
# The context of a folder's definition that names a file in it which stays on local disk: "without app*.db".
WITHOUT = "without "
# The context of an operation that throws everything away because the process ends.
ENDING = "the end of the process"


class Span(Value, frozen=True):
    """A stretch of source: the whole expression or statement, `end_column` exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


class Site(Value, frozen=True):
    """One place that touches a store. `span` is the reference (`x`, `self._x`, `m.x`), not the operation around it."""

    path: str
    span: Span
    op: Op
    function: str = ""  # qualified name of the enclosing function, "" at module level
    asynchronous: bool = False  # the innermost enclosing function is `async def`
    key_type: str = ""  # as an annotation ("str", "int", "tuple[str, int]"), "" where unknown or no key
    value_type: str = ""  # of the value written, as an annotation, "" where unknown or nothing is written
    reachable: bool = False  # a request, message or task can reach it
    contexts: tuple[
        str, ...
    ] = ()  # of "loop", "lock", "try", "lambda", "comprehension", "import time", ELSEWHERE, ENDING

    @property
    def line(self) -> int:
        """The line of the reference."""
        return self.span.line


class Decision(Value, frozen=True):
    """A question that the code cannot answer, with a default; `choices` empty means free text."""

    name: str  # "ttl", "key_prefix", "codec", "missing_key", "concurrency", "serving", "object_key"
    question: str
    default: str
    choices: tuple[str, ...] = ()
    why: str = ""  # why the default is what it is


class Store(Value, frozen=True):
    """One piece of process-local state, linked over the whole service."""

    service: str  # root of the service relative to the scanned root, "." for the root itself
    module: str  # dotted name as the service imports it
    name: str  # qualified name within the module: "sessions", "Manager._sessions", "app.state.sessions"
    path: str
    span: Span  # the statement that defines it
    scope: Scope
    constructor: str  # resolved name of what makes it: "dict", "list", "collections.deque", "int", "NoneType", ...
    definition: str  # source of the defining value: "{}", "TTLCache(maxsize=100, ttl=60)"
    key_types: tuple[str, ...] = ()  # distinct key types seen or declared; "" stands for an unknown one
    value_types: tuple[str, ...] = ()  # distinct value types seen or declared; "" stands for an unknown one
    sites: tuple[Site, ...] = ()  # in order of path and place, definition and imports included


class Finding(Value, frozen=True):
    """A store that holds its service to one process, with the reason."""

    id: str  # "US101:service:module:name"; no line numbers, so that decisions and baselines outlive edits
    rule: str
    kind: Kind
    shape: Shape
    store: Store
    limit: Verdict = Verdict.EXACT  # the best verdict that a plan may reach
    evidence: tuple[str, ...] = ()  # definition, path from a handler to a write, what a second process breaks
    reasons: tuple[str, ...] = ()  # why `limit` is below exact: "src/app.py:12: holds a websocket; ..."
    decisions: tuple[Decision, ...] = ()
    holds: tuple[str, ...] = ()  # "module:name" of the folders whose files' paths it keeps
    ttl: str = ""  # expiry found in the code ("3600s", "PERMANENT_SESSION_LIFETIME"), "" where none


class Diagnostic(Value, frozen=True):
    """Something that kept a file (or a part of it) from being read or changed."""

    path: str
    line: int
    message: str
    rule: str = "US001"


class Scan(Value, frozen=True):
    """Everything that was found under one root."""

    root: str = "."
    findings: tuple[Finding, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


class Refusal(Value, frozen=True):
    """Why a site cannot be rewritten, and what a person could change so that it can."""

    path: str
    line: int
    reason: str
    advice: str = ""


class Accessor(Value, frozen=True):
    """A function that gives the entry of a store under one of its arguments: `def find(k): return x[k]`."""

    name: str
    parameter: str  # "" for one that gives an entry whose key is told by the entry alone
    place: int  # of that argument in a call
    owner: str = ""  # the class that it is a method of, "" for a function of a module


class Group(Value, frozen=True):
    """All edits of one store in all files: accepted or rejected as one."""

    id: str  # the finding's id
    finding: Finding
    verdict: Verdict
    layout: Layout | None = None  # None where the verdict is manual
    container: str = ""  # what the store is made of, in the catalogue's words: "dict", "list", "scalar", ...
    codec: str = ""  # "str", "int", "json", "bytes", ...
    model: str = ""  # the class by whose fields values travel, for codec "model"
    key_type: str = ""  # "str", "int", "" where it is taken as text
    safe_keys: bool = False  # the app makes the keys itself, so that they fit an S3 key as they are
    prefix: str = ""  # namespace of the keys
    settings: str = ""  # of Django's storage: the file whose settings name it
    switch: str = ""  # of a shared library: the variable by which a service moves the store, and begins its keys
    ttl_seconds: int | None = None
    differences: tuple[str, ...] = ()  # what behaves differently, each a sentence
    refusals: tuple[Refusal, ...] = ()
    decisions: tuple[Decision, ...] = ()  # open questions, each with the default that the patch uses
    answers: tuple[tuple[str, str], ...] = ()  # (decision name, answer) that differ from the defaults
    accessors: tuple[Accessor, ...] = ()  # functions that hand out entries, whose callers write their changes back
    steady: bool = False  # a list that is only ever appended to, so that entries stay at their places
    key_field: str = ""  # the field of each entry that is its key, "" where no such field is known
    changers: tuple[str, ...] = ()  # functions that change entries in place, behind which names of them are read again
    awaited: tuple[str, ...] = ()  # functions that become asynchronous, their callers with them
    files: tuple[str, ...] = ()  # paths the patch touches, generated ones not included
    requires: tuple[str, ...] = ()  # distributions the result needs: "redis>=6", "boto3>=1.34"
    needs: tuple[str, ...] = ()  # ids of groups that must be accepted with this one
    conflicts: tuple[str, ...] = ()  # ids of groups that cannot be accepted together with this one

    @property
    def uses(self) -> frozenset[str]:
        """The services that hold it then: "redis", "s3", both for records whose bytes lie apart, none if it stays."""
        if self.layout is None:
            return frozenset()
        if self.codec == "apart":
            return frozenset({"redis", "s3"})
        return frozenset({"s3" if self.layout is Layout.S3 else "redis"})

    @property
    def races(self) -> tuple[str, ...]:
        """Those differences that say what several requests at the same time may do to each other."""
        return tuple(text for text in self.differences if text.endswith((TAKEN_TWICE, COMES_BETWEEN, LATER_WINS)))


# What is said of a store whose operations are not one step any more.
TAKEN_TWICE = "two requests that take or delete one entry at the same time may both find it"
COMES_BETWEEN = "another process may act between reading and writing"
LATER_WINS = (
    "an entry is read, changed and written back: of two processes that change one field at the same time, the later "
    "one wins"
)


class SettingsStyle(StrEnum):
    """Where an app keeps its settings."""

    ENVIRON = "environ"  # variables of the environment, read where they are used
    PYDANTIC = "pydantic"  # fields of a BaseSettings class
    DJANGO = "django"  # names of the settings module
    FLASK = "flask"  # keys of app.config, filled from a class


class Settings(Value, frozen=True):
    """An app's settings, which the generated module reads and entries are added to."""

    style: SettingsStyle = SettingsStyle.ENVIRON
    path: str = ""  # the file that entries are added to, "" for none
    holder: str = ""  # the class in it that holds them, "" for the module itself
    module: str = ""  # what the generated module reads them from, as the service imports it ...
    name: str = ""  # ... and how it is called there: "settings", "get_settings()"
    upper: bool = True  # entries are written REDIS_URL, not redis_url


class Client(Value, frozen=True):
    """A client that the app has already."""

    kind: Literal["redis", "async_redis", "s3"]
    module: str  # as the service imports it
    name: str  # how it is reached there: "redis_client", "get_redis()", "app.state.redis", 'app["redis"]'
    replies: Literal["", "text", "bytes"] = ""  # of a Redis client; "" where its settings do not show it
    itself: bool = False  # it is used as it is; else only its connection's settings are
    retries: bool = False  # used itself, it may send a command again whose reply was lost


class Framework(StrEnum):
    """Whose application object the generated clients are tied to."""

    FASTAPI = "fastapi"
    STARLETTE = "starlette"
    AIOHTTP = "aiohttp"
    FLASK = "flask"


class App(Value, frozen=True):
    """The one place where a service makes its application object."""

    framework: Framework
    path: str
    name: str  # what it is bound to
    free: tuple[str, ...] = ()  # clients of the generated module that can stand on it under their own names


class Backing(Value, frozen=True):
    """The generated backing-services module of a service, and what of the app it stands on."""

    service: str
    path: str
    module: str  # as the service imports it
    settings: Settings = Settings()
    clients: tuple[Client, ...] = ()
    app: App | None = None
    takers: tuple[str, ...] = ()  # "path:function" of those that may take clients as parameters, by `Depends`
    notes: tuple[str, ...] = ()  # what the app seems to have, and whether it is used; each a sentence


class Plan(Value, frozen=True):
    """Everything that unstate would change under one root."""

    schema: Literal["unstate.plan/1"] = "unstate.plan/1"
    root: str = "."
    base: tuple[tuple[str, str], ...] = ()  # (path, sha256 of the bytes that were read) of every touched file
    groups: tuple[Group, ...] = ()
    backing: tuple[Backing, ...] = ()  # one a service that has groups to apply
    diagnostics: tuple[Diagnostic, ...] = ()


class FileChange(Value, frozen=True):
    """One file's whole new content. `before` is None for a new file, `after` None for a removed one."""

    path: str
    before: bytes | None
    after: bytes | None
