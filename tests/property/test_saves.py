"""Changes that are written back from a copy: what other processes change in other fields stays."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from .building import LOOP, SERVICES
from .machine import Services

FIELDS = [f"f{number}" for number in range(8)]
ROUNDS = 25


@pytest.fixture(params=["string", "hash"])
def stored(request: pytest.FixtureRequest, services: Services) -> Stored:
    services.redis.delete("saves", "saves:a")
    return Stored(services, request.param == "hash")


class Stored:
    """One entry, in either layout."""

    def __init__(self, services: Services, in_hash: bool) -> None:
        self.redis = services.redis
        self.in_hash = in_hash
        self.module: Any = sys.modules[SERVICES]

    def put(self, value: object) -> None:
        text = json.dumps(value)
        _ = self.redis.hset("saves", "a", text) if self.in_hash else self.redis.set("saves:a", text, ex=1000)

    def get(self) -> Any:
        raw: Any = self.redis.hget("saves", "a") if self.in_hash else self.redis.get("saves:a")
        return None if raw is None else json.loads(raw)

    def save(self, value: object, *fields: str) -> None:
        client, text = self.module.redis_client, json.dumps(value)
        if self.in_hash:
            self.module.hash_save_entry(client, "saves", "a", text, *fields)
        else:
            self.module.save_entry(client, "saves:a", text, *fields)

    async def save_async(self, value: object, *fields: str) -> None:
        client, text = self.module.async_redis_client, json.dumps(value)
        if self.in_hash:
            await self.module.async_hash_save_entry(client, "saves", "a", text, *fields)
        else:
            await self.module.async_save_entry(client, "saves:a", text, *fields)


def test_writers_of_different_fields_lose_nothing(stored: Stored) -> None:
    stored.put({})

    def write(name: str) -> None:
        for number in range(ROUNDS):
            value = stored.get()
            value[name] = number
            stored.save(value, name)

    with ThreadPoolExecutor(len(FIELDS)) as pool:
        list(pool.map(write, FIELDS))
    assert stored.get() == dict.fromkeys(FIELDS, ROUNDS - 1)


def test_a_field_that_was_taken_out_is_taken_out(stored: Stored) -> None:
    stored.put({"a": 1, "b": 2, "c": 3})
    stored.save({"a": 1, "c": 4}, "b")
    assert stored.get() == {"a": 1, "c": 3}


def test_an_entry_that_is_gone_stays_gone(stored: Stored) -> None:
    stored.save({"a": 1}, "a")
    stored.save({"a": 1})
    assert stored.get() is None


def test_without_a_field_the_whole_is_written(stored: Stored) -> None:
    stored.put({"a": 1, "b": 2})
    stored.save({"a": 3})
    assert stored.get() == {"a": 3}
    stored.put([1])
    stored.save([1, 2], "a")
    assert stored.get() == [1, 2]


def test_asynchronous_code_does_the_same(stored: Stored) -> None:
    stored.put({"a": 1, "b": 2})
    LOOP.run_until_complete(stored.save_async({"a": 5}, "a"))
    assert stored.get() == {"a": 5, "b": 2}


def test_expiry_stays(stored: Stored) -> None:
    stored.put({"a": 1})
    stored.save({"a": 2}, "a")
    assert stored.in_hash or 0 < int(stored.redis.ttl("saves:a")) <= 1000  # type: ignore[arg-type]


def test_writers_of_different_fields_of_an_entry_of_a_list_lose_nothing(services: Services) -> None:
    module: Any = sys.modules[SERVICES]
    services.redis.delete("saves")
    services.redis.rpush("saves", json.dumps({"other": 1}), json.dumps({}))

    def write(name: str) -> None:
        for number in range(ROUNDS):
            value = json.loads(services.redis.lindex("saves", 1) or b"")
            value[name] = number
            module.list_save_entry(module.redis_client, "saves", 1, json.dumps(value), name)

    with ThreadPoolExecutor(len(FIELDS)) as pool:
        list(pool.map(write, FIELDS))
    assert [json.loads(raw) for raw in services.redis.lrange("saves", 0, -1)] == [
        {"other": 1},
        dict.fromkeys(FIELDS, ROUNDS - 1),
    ]


def test_a_place_that_is_not_there_is_not_made(services: Services) -> None:
    module: Any = sys.modules[SERVICES]
    services.redis.delete("saves")
    module.list_save_entry(module.redis_client, "saves", 0, "{}")
    assert services.redis.exists("saves") == 0


def test_what_a_store_starts_with_is_written_once(services: Services) -> None:
    module: Any = sys.modules[SERVICES]
    services.redis.delete("seeds", "seeds!seeded")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: module.seed(module.redis_client, "seeds", "RPUSH", ["a", "b"]), range(8)))
    assert services.redis.lrange("seeds", 0, -1) == [b"a", b"b"]
    services.redis.delete("seeds")
    LOOP.run_until_complete(module.async_seed(module.async_redis_client, "seeds", "RPUSH", ["a", "b"]))
    assert services.redis.exists("seeds") == 0
