"""The proof: a state machine that runs rewritten operations beside the originals and compares all that can be seen.

After every step the result, the exception with its arguments and the whole state of the store must be equal, types
included, for the synchronous and the asynchronous rewriting. Keys of other stores that lie close by must not change.
"""

from __future__ import annotations

import collections
import contextlib
import copy
import io
import os
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy
import redis
from cachetools import TTLCache
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from unstate.catalogue import sets
from unstate.catalogue.counters import TIES
from unstate.catalogue.objects import LISTING
from unstate.catalogue.table import ORDER
from unstate.model import Layout

from .building import STORE, Operation, call
from .shapes import Profile, Shape

UNORDERED = {ORDER, LISTING, sets.ORDER}  # differences that a rule may declare: its results are compared as multisets
PREFIXES = ("synchronous", "asynchronous")
# What fills a store.
WRITING = (
    *("x[k] = v", "x = v", "x[0] = v", "x += n", "x.append(v)", "x.add(v)", "x[k] += n"),
    *("x[k] = []", "x[k].append(v)", "x[k] = {}", "x[k][n] = v"),
)
ENOUGH = 5  # runs of one rule at least
HOUR = 3600
DEEP = int(os.environ.get("UNSTATE_PROOF_DEPTH", "1"))  # how many times the usual number of examples


@dataclass
class Services:
    """Clients for looking at what the operations left behind, past the generated module."""

    redis: redis.Redis
    s3: Any
    bucket: str


@dataclass
class Mismatch:
    """A counterexample: the operations that lead to it, and what differed in the last one."""

    steps: list[tuple[str, tuple[Any, ...]]]
    what: str

    def __str__(self) -> str:
        lines = [f"  {name}{arguments!r}" for name, arguments in self.steps]
        return "\n".join([*lines, f"  -> {self.what}"])


@dataclass
class Proof:
    """The outcome: `mismatch` is None where everything was equal; how often each rule was run."""

    mismatch: Mismatch | None
    runs: Counter[str] = field(default_factory=Counter)


def prove_all(shape: Shape, operations: Sequence[Operation], services: Services) -> Proof:
    """Run the machine until every operation had its turn. `runs` says how often."""
    if shape.codec == "apart":  # many rules: in long runs each has its turns soon
        examples, steps = 8, 50
    else:  # the light S3 server takes its time
        examples, steps = (6, 20) if shape.layout is Layout.S3 else (12, 50)
    proof = prove(shape, operations, services, examples, steps)
    rest = [operation for operation in operations if proof.runs[operation.rule.id] < ENOUGH]
    tries = len(rest)
    while rest and proof.mismatch is None:
        writing = [operation for operation in operations if operation.rule.pattern in WRITING]
        more = prove(shape, [*writing, *rest], services, tries, steps)
        proof = Proof(more.mismatch, proof.runs + more.runs)
        rest = [operation for operation in operations if proof.runs[operation.rule.id] < ENOUGH]
        tries *= 2  # the same tries would draw the same operations again
    return proof


def refute(shape: Shape, operations: Sequence[Operation], wrong: Operation, services: Services) -> Mismatch | None:
    """A counterexample to one operation, found among others that write; not shrunk."""
    writing = [operation for operation in operations if operation.rule.pattern in WRITING]
    return prove(shape, [*writing, wrong], services, 120, 12, shrink=False).mismatch


def prove(
    shape: Shape,
    operations: Sequence[Operation],
    services: Services,
    examples: int,
    steps: int,
    *,
    shrink: bool = True,
) -> Proof:
    """Run the machine. The same operations are tried in the same way each time, unless a deeper run is asked for."""
    runs: Counter[str] = Counter()
    trace: list[tuple[str, tuple[Any, ...]]] = []
    found: list[Mismatch] = []
    letters = shape.letters()
    reader = Reader(shape, services)
    definition = compile(f"{STORE} = {shape.definition}", "<definition>", "exec")

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.space: dict[str, Any] = dict(ORIGINAL_NAMES)
            exec(definition, self.space)
            self.originals = {operation.rule.id: operation.original(self.space) for operation in operations}
            trace.clear()
            reader.reset()

        @rule(data=st.data())
        def step(self, data: st.DataObject) -> None:
            operation = data.draw(st.sampled_from(operations))
            name = operation.rule.id
            arguments = tuple(data.draw(letters[letter]) for letter in operation.letters)
            trace.append((name, arguments))
            runs[name] += 1
            expected = call(self.originals[name], copy.deepcopy(arguments))
            results = [call(function, copy.deepcopy(arguments)) for function in operation.functions]
            for how, result in zip(PREFIXES, results, strict=True):
                if seen(result, operation.rule.difference) != seen(expected, operation.rule.difference):
                    self.fail(f"{how}: {result!r} instead of {expected!r}")
                try:
                    state, other = self.space[STORE], reader.state(how)
                except redis.ResponseError as error:  # the key holds something of another type
                    self.fail(f"{how}: the store cannot be read: {error}")
                if strict(state) != strict(other):
                    self.fail(f"{how}: the store is {other!r} instead of {state!r}")
            if shape.expires:
                clock.now += HOUR
                reader.pass_an_hour()
            if not reader.neighbours_untouched():
                self.fail("a key of another store was changed")

        def fail(self, what: str) -> None:
            found[:] = [Mismatch(list(trace), what)]
            raise AssertionError(what)

    profile = settings(
        max_examples=examples * DEEP,
        stateful_step_count=steps,
        derandomize=DEEP == 1,
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            run_state_machine_as_test(Machine, settings=profile)
        except AssertionError:
            if not found:
                raise
    return Proof(found[0] if found else None, runs)


class Reader:
    """The state of the two rewritten stores as the original would have it, and of stores that lie close by."""

    def __init__(self, shape: Shape, services: Services) -> None:
        self.shape = shape
        self.services = services
        self.neighbours = {f"{how}{end}".encode(): b"other" for how in PREFIXES for end in ("2:a", "X", "*")}

    def reset(self) -> None:
        """Empty the services, but for the neighbours."""
        self.services.redis.flushdb()
        self.services.redis.mset(self.neighbours)
        if self.shape.layout is Layout.S3:
            for key in self._objects(""):
                self.services.s3.delete_object(Bucket=self.services.bucket, Key=key)

    def pass_an_hour(self) -> None:
        """Let the entries be older."""
        for key in self.services.redis.keys("*"):
            left = self.services.redis.ttl(key)
            if left >= 0:
                self.services.redis.expire(key, left - HOUR)  # one that is overdue is deleted

    def neighbours_untouched(self) -> bool:
        """Whether the keys of other stores are as they were."""
        return self.services.redis.mget(list(self.neighbours)) == list(self.neighbours.values())

    def state(self, prefix: str) -> Any:
        """What the store under `prefix` holds."""
        client, shape = self.services.redis, self.shape
        match shape.layout:
            case Layout.STRING if shape.container in ("dict", "cache"):
                start = f"{prefix}:".encode()
                keys = [key for key in client.keys(f"{prefix}:*") if key.startswith(start)]
                raws = client.mget(keys) if keys else []
                return {shape.key(key[len(start) :]): shape.decode(raw) for key, raw in zip(keys, raws, strict=True)}
            case Layout.HASH if shape.container == "ordered":
                fields = client.zrange(f"{prefix}!order", 0, -1)
                if set(fields) != set(client.hkeys(prefix)):
                    return f"the order is one of other entries: {fields}"
                pairs = ((shape.key(field), shape.decode(client.hget(prefix, field))) for field in fields)
                return collections.OrderedDict(pairs)
            case Layout.HASH:
                return {shape.key(field): shape.decode(raw) for field, raw in client.hgetall(prefix).items()}
            case Layout.COUNTER | Layout.STRING:
                raw = client.get(prefix)
                start = eval(shape.definition)
                if raw is None:
                    return start
                return [shape.decode(raw)] if isinstance(start, list) else shape.decode(raw)
            case Layout.LIST:
                return [shape.decode(raw) for raw in client.lrange(prefix, 0, -1)]
            case Layout.SET:
                return {shape.decode(raw) for raw in client.smembers(prefix)}
            case Layout.S3 if shape.container != "dict":
                return self._uploads(f"{prefix}/")
            case Layout.S3:
                return {
                    unescaped(key.removeprefix(f"{prefix}/")): shape.decode(self._body(key))
                    for key in self._objects(f"{prefix}/")
                }

    def _uploads(self, prefix: str) -> dict[str, Any]:
        """Uploads that have begun, with their parts; what is there of others is shown as well."""
        found: dict[str, dict[Any, bytes]] = defaultdict(dict)
        for key in self._objects(prefix):
            name, _, number = key.removeprefix(prefix).partition("/")
            parts = found[unescaped(name)]
            if number:
                parts[int(number) if number.removeprefix("-").isdigit() else number] = self._body(key)
        if self.shape.container == "parts":
            return dict(found)
        return {name: [parts[number] for number in sorted(parts)] for name, parts in found.items()}

    def _objects(self, prefix: str) -> list[str]:
        pages = self.services.s3.get_paginator("list_objects_v2").paginate(Bucket=self.services.bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", ())]

    def _body(self, key: str) -> bytes:
        body: bytes = self.services.s3.get_object(Bucket=self.services.bucket, Key=key)["Body"].read()
        return body


def unescaped(name: str) -> str:
    """A key back from the name of its object."""
    from urllib.parse import unquote

    return "" if name == "%" else unquote(name)


def same(value: Any) -> Any:
    """The value, by a call."""
    return value


class Clock:
    """The time that the originals' caches see."""

    now = 0

    def __call__(self) -> int:
        return self.now


clock = Clock()
ORIGINAL_NAMES = {
    "TTLCache": TTLCache,
    "HOUR": HOUR,
    "clock": clock,
    "Profile": Profile,
    "same": same,
    "collections": collections,
    "Counter": Counter,
    "OrderedDict": collections.OrderedDict,
    "defaultdict": defaultdict,
    "deque": deque,
}


def seen(outcome: tuple[str, Any], difference: str) -> Any:
    """What of an outcome must be equal, where a rule declares that its order is another."""
    if outcome[0] == "TypeError" and "not supported between instances" in str(outcome[1]):
        return outcome[0]  # which of the two stood first depends on the order in which a sort met them
    if difference == TIES and outcome[0] == "ok":
        return [count for _, count in outcome[1]]  # which of those with equal counts come first is left open
    return strict(outcome, ordered=not any(each in difference for each in UNORDERED))


def strict(value: Any, *, ordered: bool = True) -> Any:
    """Something that is equal only for equal values of equal types: 1 is not True and not 1.0."""
    match value:
        case collections.OrderedDict():
            return "ordered", tuple((strict(key), strict(each)) for key, each in value.items())
        case dict() | TTLCache():
            return "dict", frozenset((strict(key), strict(each)) for key, each in value.items())
        case list() | tuple() | deque():
            parts = [strict(each, ordered=ordered) for each in value]
            name = "list" if isinstance(value, deque) else type(value).__name__
            return name, tuple(parts if ordered else sorted(parts, key=repr))
        case set() | frozenset():
            return "set", frozenset(map(strict, value))
        case float():
            return "float", repr(value)
        case io.BytesIO():
            return "BytesIO", value.tell(), value.getvalue()
        case numpy.ndarray():
            return "array", str(value.dtype), value.shape, value.tobytes()
        case Profile():
            return "Profile", strict(value.model_dump())
        case Exception():
            return repr(value)
    return type(value).__name__, value
