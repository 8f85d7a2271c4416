jobs: dict[str, str] = {}
blobs: dict[str, bytes] = {}


def begin(name: str) -> str:
    job_id = new_id()
    jobs[job_id] = name
    return job_id


def finish(job_id: str) -> str:
    return jobs.pop(job_id)


async def keep(data: bytes) -> int:
    blobs["last"] = data
    return len(data)


async def last() -> bytes | None:
    return blobs.get("last")
