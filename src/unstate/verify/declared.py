"""Differences that the plan of the original names: what several requests at once may do to a store that is no longer
changed in one step.

A burst that differs is the plan's word come true only where nothing else can be the cause. So it counts as declared if
each store that the request changes is one that the plan moves, if one of them declares a race, and if every other one
is reached by a single command: what one command does, no process comes between.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from unstate.config import load
from unstate.model import Group, Layout, Verdict
from unstate.plan import plan
from unstate.plan.sources import MARK
from unstate.scan import scan
from unstate.verify.answers import Answer
from unstate.verify.client import send
from unstate.verify.errors import CannotVerifyError
from unstate.verify.leftovers import covers, steps_that_change
from unstate.verify.machines import App, Fleet
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


def planned(original: Path, result: Path) -> tuple[Group, ...]:
    """What the plan of the original says of each of its stores; nothing, if the result is not one of ours."""
    config = load(original)
    made = plan(original, scan(original, config), config)
    return made.groups if any(_generated(result / backing.path) for backing in made.backing) else ()


def _generated(file: Path) -> bool:
    return file.is_file() and file.read_bytes().startswith(MARK)


@dataclass(frozen=True)
class Declared:
    """Looks up what the plan declares: `groups` are those of `original`, whose result is `app`."""

    groups: Sequence[Group]
    original: App
    app: App
    scenario: Scenario
    backing: Backing

    def of_burst(self, step: int) -> str:
        """Which declared races explain that copies of the request of this step (from 0) answer otherwise; "" if none
        does, or if something else may be the cause too."""
        if not any(group.races for group in self.groups):
            return ""
        names = {name for name, steps in self._changed.items() if step in steps}
        groups = {name: self._group(name) for name in names}
        moved = [group for group in groups.values() if group is not None and group.verdict is not Verdict.MANUAL]
        racing = [group for group in moved if group.races]
        sure = [group for group in moved if not group.races]
        if not racing or len(moved) < len(groups) or any(group.layout is Layout.S3 for group in sure):
            return ""
        allowed = {group.prefix for group in racing}
        if any(key.partition(":")[0] not in allowed for key in self._changed_in_several_commands(step)):
            return ""
        return "; ".join(f"{group.finding.store.name}: {', '.join(group.races)}" for group in racing)

    @cached_property
    def _changed(self) -> dict[str, dict[int, str]]:
        """The stores that each step of the original changes; none, where nobody can look into its process."""
        try:
            return steps_that_change(self.original, self.scenario, self.backing)
        except CannotVerifyError:
            return {}

    def _group(self, name: str) -> Group | None:
        stores = ((group, group.finding.store) for group in self.groups)
        return next((group for group, store in stores if covers(f"{store.module}.{store.name}", name)), None)

    def _changed_in_several_commands(self, step: int) -> set[str]:
        """The keys that the result reaches more than once, and not only to look, when it makes this step alone."""
        heard: list[Any] = []
        self.backing.flush()
        with Fleet(self.app, self.backing.env) as fleet:
            (machine,) = fleet.boot(1)

            def route(at: int, request: httpx.Request) -> Answer:
                if at < step:
                    return send(machine, request)
                with self.backing.listening() as commands:
                    send(machine, request)
                heard.extend(commands)
                raise StopScenarioError

            self.scenario.run(route)
        return repeated(heard)


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
