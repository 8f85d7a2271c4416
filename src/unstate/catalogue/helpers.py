"""The names that generated code may import from the backing-services module, and what each of them needs.

The functions themselves stand in templates/backing_services.py.j2, which renders those that are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ASYNC = "async_"


@dataclass(frozen=True, slots=True)
class Helper:
    """One function of the generated module."""

    name: str
    needs: tuple[str, ...] = ()  # clients and other helpers
    remote: bool = False  # it talks to a backing service: `async_<name>` is its twin, which is awaited
    threaded: bool = False  # the twin runs the function itself in a thread: boto3 has no asynchronous client


def _text(name: str, *needs: str) -> Helper:
    return Helper(name, ("redis_client", *needs), remote=True)


def _object(name: str, *needs: str) -> Helper:
    return Helper(name, ("s3", "upload_bucket", *needs), remote=True, threaded=True)


CLIENTS = ("redis_client", "redis_bytes")

HELPERS = (
    # reading replies
    Helper("found"),
    Helper("optional"),
    Helper("dumps"),
    Helper("loads"),
    # one string per entry
    _text("set_default"),
    _text("set_all"),
    _text("increment"),
    _text("increment_or_create"),
    _text("append_text"),
    _text("change", "found"),
    _text("stored_keys"),
    _text("any_entry"),
    _text("delete_all"),
    _text("entries", "stored_keys"),
    # one hash per store
    _text("pop_field"),
    _text("set_default_field"),
    _text("increment_field"),
    _text("append_to_field"),
    _text("change_field", "found"),
    _text("set_fields"),
    _text("replace_fields"),
    _text("fields"),
    # a number
    _text("increment_from"),
    # objects
    Helper("upload_bucket"),
    Helper("object_key"),
    Helper("key_of_object"),
    _object("put_object"),
    _object("read_object"),
    _object("object_exists"),
    _object("delete_object", "object_exists"),
    _object("take_object", "read_object"),
    _object("default_object", "read_object"),
    _object("stored_objects", "key_of_object"),
    _object("delete_objects"),
)

_BY_NAME = {helper.name: helper for helper in HELPERS}
REMOTE = frozenset(helper.name for helper in HELPERS if helper.remote)
NAMES = frozenset(
    {"s3", *CLIENTS, *(ASYNC + name for name in CLIENTS), *_BY_NAME, *(ASYNC + name for name in REMOTE)}
)  # what may be imported, settings apart


def is_remote(name: str) -> bool:
    """Whether a helper talks to a backing service, so that asynchronous code awaits its twin."""
    return name in REMOTE


def closure(names: Iterable[str]) -> set[str]:
    """`names` and everything that they need. Raises KeyError for a name that the module does not have."""
    wanted: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in wanted:
            wanted.add(name)
            pending.extend(_needs(name))
    return wanted


def _needs(name: str) -> tuple[str, ...]:
    if name == "s3" or name.removeprefix(ASYNC) in CLIENTS:
        return ()
    if name in _BY_NAME:
        return _BY_NAME[name].needs
    helper = _BY_NAME[name.removeprefix(ASYNC)]
    if helper.threaded:
        return (helper.name,)
    return tuple(ASYNC + need if need in CLIENTS or need in REMOTE else need for need in helper.needs)
