"""Where the shop's state lives."""

import os

import boto3
import redis

redis_client = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
s3 = boto3.client("s3")
UPLOAD_BUCKET = os.environ["UPLOAD_BUCKET"]
