import json
import os
from urllib.parse import quote

import redis
import redis.asyncio

client = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
async_client = redis.asyncio.Redis.from_url(os.environ["REDIS_URL"])


def begin(name: str) -> str:
    job_id = new_id()
    client.set(f"job:{job_id}", name)
    return job_id


def finish(job_id: str) -> str:
    name = client.getdel(f"job:{job_id}")
    if name is None:
        raise KeyError(job_id)
    return name


async def keep(data: bytes) -> int:
    await async_client.set("blob:last", data)
    return len(data)


async def last() -> bytes | None:
    return await async_client.get("blob:last")


def hit(page: str) -> int:
    return client.incrby(f"count:{page}", 1)


def claim(room: str, who: str) -> bool:
    return bool(client.set(f"owner:{room}", who, nx=True))


def add_to_cart(cart_id: str, item: str, number: int) -> str:
    with client.lock(f"cart:{cart_id}:lock", timeout=10):
        cart = json.loads(client.get(f"cart:{cart_id}") or "{}")
        cart[item] = cart.get(item, 0) + number
        if cart[item] > 10:
            client.set(f"cart:{cart_id}", json.dumps(cart))
            return "a lot"
        cart["lines"] = len(cart)
        client.set(f"cart:{cart_id}", json.dumps(cart))
        return "added"


def cart_of(cart_id: str) -> dict[str, int]:
    return json.loads(client.get(f"cart:{cart_id}") or "{}")


def grant(user: str, thing: str, right: str) -> None:
    client.set(f"grant:{quote(user, safe='')}:{quote(thing, safe='')}", right)


def right_of(user: str, thing: str) -> str | None:
    return client.get(f"grant:{quote(user, safe='')}:{quote(thing, safe='')}")


def send_code(user: str) -> None:
    client.set(f"code:{user}", "1234", ex=30)


def check_code(user: str, code: str) -> bool:
    return client.get(f"code:{user}") == code
