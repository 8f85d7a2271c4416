"""What one request of an app asks of its backing services."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from unstate.verify.answers import Answer
from unstate.verify.client import send
from unstate.verify.machines import App, Fleet
from unstate.verify.proxy import delaying
from unstate.verify.scenario import Scenario, StopScenarioError
from unstate.verify.services import Backing

# Commands that only look, and those that have no key.
_LOOKS = frozenset(
    "EXISTS GET GETRANGE HEXISTS HGET HGETALL HKEYS HLEN HMGET HVALS LINDEX LLEN LRANGE MGET PTTL SCARD SISMEMBER "
    "SMEMBERS STRLEN TTL TYPE ZCARD ZRANGE ZSCORE".split()
)
_NO_KEY = frozenset("AUTH CLIENT COMMAND DISCARD ECHO EXEC HELLO INFO MULTI PING SCAN SCRIPT SELECT UNWATCH".split())
_SCRIPTS = frozenset("EVAL EVALSHA EVAL_RO EVALSHA_RO FCALL".split())
_SEVERAL_KEYS = frozenset("DEL EXISTS MGET TOUCH UNLINK WATCH".split())


@dataclass(frozen=True)
class Asked:
    """The commands that Redis got, as MONITOR tells them, and whether S3 got any request."""

    commands: tuple[Any, ...]
    s3: bool

    @property
    def only_looks(self) -> bool:
        """Whether nothing that a backing service holds can have changed."""
        words = {each["command"].split(" ", 1)[0].upper() for each in self.commands}
        return not self.s3 and words <= _LOOKS | _NO_KEY


def asked(app: App, scenario: Scenario, backing: Backing, step: int) -> Asked:
    """What the request of this step (from 0) asks, when one process makes it alone."""
    heard: list[Any] = []
    of_s3 = 0
    backing.flush()
    with delaying(backing) as (proxies, env), Fleet(app, env) as fleet:
        (machine,) = fleet.boot(1)

        def route(at: int, request: httpx.Request) -> Answer:
            nonlocal of_s3
            if at < step:
                return send(machine, request)
            before = proxies.s3.passed
            with backing.listening() as commands:
                send(machine, request)
            heard.extend(commands)
            of_s3 = proxies.s3.passed - before
            raise StopScenarioError

        scenario.run(route)
    return Asked(tuple(heard), of_s3 > 0)


def repeated(commands: Sequence[Any]) -> set[str]:
    """Of commands as MONITOR tells them: the keys that are reached by several and changed by one of them.

    What a script does is one command; so is a transaction, with what it watches.
    """
    times: Counter[str] = Counter()
    changed: set[str] = set()
    watched: defaultdict[str, set[str]] = defaultdict(set)
    open_ones: dict[str, set[str]] = {}
    for each in commands:
        client = f"{each['client_address']}:{each['client_port']}"
        words = each["command"].split(" ")
        word = words[0].upper()
        if each["client_type"] == "lua":
            continue
        if word == "MULTI":
            open_ones[client] = set()
        elif word in ("EXEC", "DISCARD", "UNWATCH"):
            times.update(open_ones.pop(client, ()))
            watched.pop(client, None)
        elif word == "WATCH":
            watched[client].update(words[1:])
        else:
            for key in _keys(word, words):
                if word not in _LOOKS:
                    changed.add(key)
                if client in open_ones:
                    open_ones[client].add(key)
                elif key not in watched[client]:
                    times[key] += 1
    return {key for key, number in times.items() if number > 1 and key in changed}


def _keys(word: str, words: Sequence[str]) -> Iterator[str]:
    if word in _NO_KEY or len(words) < 2:
        return
    if word in _SCRIPTS:
        yield from words[3 : 3 + int(words[2])] if len(words) > 2 and words[2].isdigit() else ()
    elif word in ("MSET", "MSETNX"):
        yield from words[1::2]
    else:
        yield from words[1:] if word in _SEVERAL_KEYS else words[1:2]
