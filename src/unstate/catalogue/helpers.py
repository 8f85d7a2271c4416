"""What the generated backing-services module can hold: names that forms use, and what each of them needs.

The code itself stands in templates/backing_services.py.j2, one block a name.
"""

from __future__ import annotations

from collections.abc import Iterable

from unstate.catalogue.djangohelpers import DJANGO
from unstate.catalogue.filehelpers import FILES
from unstate.catalogue.helper import Helper

_REDIS = ("import redis", "from redis.backoff import NoBackoff", "from redis.retry import Retry")
_CACHE = ("from functools import cache",)
_ASYNC_REDIS = (
    "import asyncio",
    "import redis.asyncio",
    "from redis.asyncio.retry import Retry as AsyncRetry",
    "from redis.backoff import NoBackoff",
    "from weakref import WeakKeyDictionary",
)
_S3 = (
    "import boto3",
    "from botocore.config import Config",
    "import os",
    "import threading",
    "from functools import cache",
)
_ERROR = ("from botocore.exceptions import ClientError",)
_ANY = ("from typing import Any",)
_CALLABLE = ("from collections.abc import Callable",)
_T = ("from typing import TypeVar",)
_DEPENDS = ("from fastapi import Depends", "from typing import Annotated")
# client -> the type by which a parameter of FastAPI asks for it
DEPENDENCIES = {
    "redis_client": "RedisDep",
    "redis_bytes": "RedisBytesDep",
    "async_redis_client": "AsyncRedisDep",
    "async_redis_bytes": "AsyncRedisBytesDep",
    "s3": "S3Dep",
}

_ALL = (
    Helper("MissingSetting"),
    Helper("setting", ("MissingSetting",), ("import os",)),
    Helper("state_prefix", (), ("import os", "import re")),
    Helper("Lazy", (), (*_ANY, *_CALLABLE)),
    Helper("redis_client", ("setting", "Lazy"), (*_REDIS, *_CACHE, *_ANY)),
    Helper("redis_bytes", ("setting", "Lazy"), (*_REDIS, *_CACHE, *_ANY)),
    Helper("async_redis_client", ("setting", "Lazy"), (*_ASYNC_REDIS, *_ANY)),
    Helper("async_redis_bytes", ("setting", "Lazy"), (*_ASYNC_REDIS, *_ANY)),
    Helper("s3", ("setting", "Lazy"), (*_S3, *_ANY)),
    *(Helper(dependency, (client,), _DEPENDS) for client, dependency in DEPENDENCIES.items()),
    Helper("upload_bucket", ("setting",)),
    Helper("T", (), _T),
    Helper("V", (), _T),
    Helper("D", (), _T),
    Helper("found", ("T",)),
    Helper("optional", ("T", "V", "D"), (*_ANY, *_CALLABLE, "from typing import overload")),
    Helper("dumps", (), ("import json", *_ANY)),
    Helper("loads", (), ("import json", *_ANY)),
    Helper("tuple_of", ("loads",), _ANY),
    Helper("fields_of", (), (*_ANY, *_CACHE, "from pydantic import TypeAdapter")),
    Helper("dump_model", ("fields_of",), _ANY),
    Helper("set_default", ("T",), _ANY, remote=True),
    Helper("set_or_delete", (), _ANY, remote=True),
    Helper("seed", (), _ANY, remote=True),
    Helper("set_all", (), (*_ANY, "from datetime import timedelta"), remote=True),
    Helper("scan_keys", (), _ANY, remote=True),
    Helper("scan_items", ("scan_keys", "T"), _ANY, remote=True),
    Helper("clear_keys", ("scan_keys",), _ANY, remote=True),
    Helper("increment", (), (*_ANY, "from datetime import timedelta"), remote=True),
    Helper("increment_existing", (), _ANY, remote=True),
    Helper("append_existing", (), _ANY, remote=True),
    Helper("replace_existing", ("found",), (*_ANY, *_CALLABLE), remote=True),
    Helper("increment_from", (), _ANY, remote=True),
    Helper("hash_pop", ("T",), _ANY, remote=True),
    Helper("hash_set_default", ("T",), _ANY, remote=True),
    Helper("hash_update", (), _ANY, remote=True),
    Helper("hash_replace", (), _ANY, remote=True),
    Helper("hash_increment_existing", (), _ANY, remote=True),
    Helper("hash_replace_existing", ("found",), (*_ANY, *_CALLABLE), remote=True),
    Helper("mutate", ("found", "dumps", "loads"), (*_ANY, *_CALLABLE), remote=True),
    Helper("hash_mutate", ("found", "dumps", "loads"), (*_ANY, *_CALLABLE), remote=True),
    Helper("hash_mutate_made", ("hash_set_default", "dumps", "loads"), (*_ANY, *_CALLABLE), remote=True),
    Helper("with_fields", ("dumps", "loads")),
    Helper("save_entry", ("with_fields",), _ANY, remote=True),
    Helper("list_save_entry", ("with_fields",), _ANY, remote=True),
    Helper("hash_save_entry", ("with_fields",), _ANY, remote=True),
    Helper("hash_count", (), (*_ANY, "from collections import Counter"), remote=True),
    Helper("popped", ("T",)),
    Helper("popped_end", ("T",)),
    Helper("placed", ("T",)),
    Helper("ordered_items", (), _ANY, remote=True),
    Helper("ordered_set", (), _ANY, remote=True),
    Helper("ordered_set_default", (), _ANY, remote=True),
    Helper("ordered_pop", (), _ANY, remote=True),
    Helper("ordered_pop_end", (), _ANY, remote=True),
    Helper("ordered_move", (), _ANY, remote=True),
    Helper("ordered_clear", (), _ANY, remote=True),
    Helper("list_drain", ("T",), _ANY, remote=True),
    Helper("push_bounded", (), _ANY, remote=True),
    Helper("push_bounded_left", (), _ANY, remote=True),
    Helper("object_key", (), ("from urllib.parse import quote",)),
    Helper("read_object", ("s3", "upload_bucket", "D"), (*_ANY, "from typing import overload"), remote=True),
    Helper("buffer_of", (), ("from io import BytesIO",)),
    Helper("array_bytes", (), (*_ANY, "from io import BytesIO", "import numpy")),
    Helper("array_of", (), (*_ANY, "from io import BytesIO", "import numpy")),
    Helper("parcel", ("dumps",), _ANY),
    Helper("unparcel", ("loads",), _ANY),
    Helper("Apart"),
    Helper("dump_apart", ("s3", "upload_bucket", "Apart", "dumps"), ("from hashlib import sha256", *_ANY)),
    Helper("joined", ("loads",), (*_ANY, *_CALLABLE)),
    Helper("load_apart", ("s3", "upload_bucket", "joined"), _ANY),
    Helper("hold_apart", ("Apart", "joined"), _ANY),
    Helper("write_object", ("s3", "upload_bucket"), remote=True),
    Helper("object_exists", ("s3", "upload_bucket"), _ERROR, remote=True),
    Helper("delete_object", ("s3", "upload_bucket", "object_exists"), remote=True),
    Helper(
        "take_object", ("s3", "upload_bucket", "read_object", "D"), (*_ANY, "from typing import overload"), remote=True
    ),
    Helper("object_names", ("s3", "upload_bucket"), ("from urllib.parse import unquote",), remote=True),
    Helper("delete_objects", ("s3", "upload_bucket"), (), remote=True),
    Helper("staging", ("s3", "upload_bucket", "object_exists"), (*_ANY, *_ERROR)),
    Helper(
        "start_upload",
        (
            "s3",
            "staging",
        ),
        remote=True,
    ),
    Helper(
        "begin_upload",
        (
            "s3",
            "staging",
        ),
        remote=True,
    ),
    Helper("append_part", ("s3", "staging", "part_numbers"), _ANY, remote=True),
    Helper(
        "write_part",
        (
            "s3",
            "staging",
        ),
        _ANY,
        remote=True,
    ),
    Helper("read_part", ("s3", "staging", "read_object"), _ANY, remote=True),
    Helper(
        "part_numbers",
        (
            "s3",
            "staging",
        ),
        _ANY,
        remote=True,
    ),
    Helper("read_parts", ("s3", "part_numbers", "read_object", "found"), _ANY, remote=True),
    Helper(
        "take_parts",
        (
            "s3",
            "read_parts",
        ),
        remote=True,
    ),
    *FILES,
    *DJANGO,
)
_BY_NAME = {helper.name: helper for helper in _ALL}
REMOTE = frozenset(helper.name for helper in _ALL if helper.remote)
NAMES = frozenset(_BY_NAME) | {f"async_{name}" for name in REMOTE}


def stands_on(names: Iterable[str], client: str) -> bool:
    """Whether any of those helpers takes a client from the module itself, whatever it is given."""
    known = closure(name for name in names if name in NAMES)
    return any(client in _needs(name) for name in known if name != DEPENDENCIES.get(client))


def is_remote(name: str) -> bool:
    """Whether a helper talks to a backing service, so that asynchronous code awaits its twin."""
    return name in REMOTE


def closure(names: Iterable[str]) -> frozenset[str]:
    """The names with all that they need."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(_needs(name))
    return frozenset(found)


def imports(names: Iterable[str]) -> tuple[str, ...]:
    """The import lines of those names, each once."""
    lines = {line for name in names for line in _helper(name).imports}
    if threaded(names):
        lines.update(("import asyncio", *_ANY))
    return tuple(sorted(lines))


def threaded(names: Iterable[str]) -> tuple[str, ...]:
    """Helpers over S3 whose twins are wanted: the client blocks, so the twin calls it in a thread."""
    twins = {name.removeprefix("async_") for name in names if name.startswith("async_")}
    return tuple(sorted(name for name in twins & REMOTE if "s3" in _helper(name).needs))


def _helper(name: str) -> Helper:
    return _BY_NAME.get(name) or _BY_NAME[name.removeprefix("async_")]


def _needs(name: str) -> Iterable[str]:
    """A twin needs the twins of what its original needs; a twin over S3 calls the original in a thread."""
    helper = _helper(name)
    if helper.name == name:
        return helper.needs
    if "s3" in helper.needs:
        return (helper.name,)
    return tuple(f"async_{need}" if need in REMOTE else need for need in helper.needs)
