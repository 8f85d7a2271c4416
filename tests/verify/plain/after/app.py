import os

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
