"""Where this service's state lives."""

import os

import redis.asyncio

redis_client = redis.asyncio.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
redis_bytes = redis.asyncio.Redis.from_url(os.environ["REDIS_URL"])
