"""The types of the generated clients: a protocol of the commands that the app uses, and what each of them gives.

redis-py's own types do not say whether replies are text or bytes, and differ from one version to the next; boto3 has
none. Commands that are not in these tables are there as well, without types.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from unstate.rewrite.syntax import walk

FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
REDIS, ASYNC_REDIS, S3 = "RedisCommands", "AsyncRedisCommands", "S3Commands"
PROTOCOLS = (REDIS, ASYNC_REDIS, S3)
_OF = {
    "redis_client": REDIS,
    "redis_bytes": REDIS,
    "async_redis_client": ASYNC_REDIS,
    "async_redis_bytes": ASYNC_REDIS,
    "s3": S3,
}
_VALUE = "str | bytes | float"
_KEY, _FIELD = "name: str", "name: str, key: str"
_REPLY, _VALUES = "Reply | None", f"name: str, *values: {_VALUE}"

# command -> what it takes and what it gives; asynchronous clients give it when it is awaited.
_COMMANDS = {
    "append": ("name: str, value: str | bytes", "int"),
    "delete": ("*names: str", "int"),
    "eval": (f"script: str, numkeys: int, *keys_and_args: {_VALUE}", "Any"),
    "exists": ("*names: str", "int"),
    "get": (_KEY, _REPLY),
    "getdel": (_KEY, _REPLY),
    "getex": ("name: str, ex: timedelta | None = None", _REPLY),
    "hdel": ("name: str, *keys: str", "int"),
    "hexists": (_FIELD, "bool"),
    "hget": (_FIELD, _REPLY),
    "hgetall": (_KEY, "dict[Reply, Reply]"),
    "hincrby": ("name: str, key: str, amount: int = 1", "int"),
    "hkeys": (_KEY, "list[Reply]"),
    "hlen": (_KEY, "int"),
    "hset": ("name: str, key: str | None = None, value: Any = None, mapping: Any = None", "int"),
    "hsetnx": (f"name: str, key: str, value: {_VALUE}", "int"),
    "hvals": (_KEY, "list[Reply]"),
    "incrby": ("name: str, amount: int = 1", "int"),
    "lindex": ("name: str, index: int", _REPLY),
    "llen": (_KEY, "int"),
    "lpop": (_KEY, _REPLY),
    "lpush": (_VALUES, "int"),
    "lrange": ("name: str, start: int, end: int", "list[Reply]"),
    "lset": (f"name: str, index: int, value: {_VALUE}", "bool"),
    "ltrim": ("name: str, start: int, end: int", "bool"),
    "mget": ("keys: list[str]", "list[Reply | None]"),
    "rpop": (_KEY, _REPLY),
    "rpush": (_VALUES, "int"),
    "sadd": (_VALUES, "int"),
    "scard": (_KEY, "int"),
    "set": (f"name: str, value: {_VALUE}, **options: Any", "Any"),
    "sismember": (f"name: str, value: {_VALUE}", "int"),
    "smembers": (_KEY, "set[Reply]"),
    "srem": (_VALUES, "int"),
    "unlink": ("*names: str", "int"),
}
# What is not awaited, also by asynchronous clients.
_PLAIN = {"pipeline": ("transaction: bool = True", "Any"), "scan_iter": ("match: str, count: int", "{}Iterator[Reply]")}
_OBJECT = "*, Bucket: str, Key: str, **options: Any"
_OBJECTS = {
    "delete_object": (_OBJECT, "dict[str, Any]"),
    "delete_objects": ("*, Bucket: str, Delete: Any", "dict[str, Any]"),
    "get_object": (_OBJECT, "dict[str, Any]"),
    "get_paginator": ("operation_name: str", "Any"),
    "head_object": (_OBJECT, "dict[str, Any]"),
    "put_object": (_OBJECT, "dict[str, Any]"),
}
_INVARIANT = re.compile(r"(?:list|dict|set)\[.*Reply")


@dataclass(frozen=True, slots=True)
class Commands:
    """A protocol of the generated module: its name, its type variable ("" for none), the heads of its methods."""

    name: str
    reply: str
    methods: tuple[str, ...]


def used(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(protocol, command) of all that a module asks of the generated clients, by their names or as a `client`."""
    kinds = dict(_OF)
    nodes = walk(tree)
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            kinds.update({each.asname: _OF[each.name] for each in node.names if each.asname and each.name in _OF})
        elif isinstance(node, ast.ClassDef) and node.name in PROTOCOLS:  # of a module that was generated before
            yield from ((node.name, each.name) for each in node.body if isinstance(each, FUNCTION))
        elif isinstance(node, FUNCTION) and any(each.arg == "client" for each in node.args.args):
            kind = ASYNC_REDIS if isinstance(node, ast.AsyncFunctionDef) else REDIS
            yield from ((kind, command) for name, command in _asked(walk(node)) if name == "client")
    yield from ((kinds[name], command) for name, command in _asked(nodes) if name in kinds)


def protocol(name: str, commands: Collection[str]) -> Commands:
    """The protocol of that name for those commands; those without a known type are left to its `__getattr__`."""
    if name == S3:
        heads = [f"def {command}(self, {given}) -> {gives}" for command, (given, gives) in _OBJECTS.items()]
    else:
        prefix, iterator = ("async ", "Async") if name == ASYNC_REDIS else ("", "")
        heads = [f"{prefix}def {command}(self, {given}) -> {gives}" for command, (given, gives) in _COMMANDS.items()]
        heads += [
            f"def {command}(self, {given}) -> {gives.format(iterator)}" for command, (given, gives) in _PLAIN.items()
        ]
    chosen = [head for head in heads if head.partition("(")[0].rpartition(" ")[2] in commands]
    if name == S3:
        return Commands(name, "", tuple(chosen))
    if any(" set(" in head for head in chosen):  # in the class, its name means that method
        chosen = [head.replace("-> set[", "-> builtins.set[") for head in chosen]
    reply = "Reply" if any(_INVARIANT.search(head) for head in chosen) else "Reply_co"
    return Commands(name, reply, tuple(re.sub(r"\bReply\b", reply, head) for head in chosen))


def _asked(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.value.id, node.attr
