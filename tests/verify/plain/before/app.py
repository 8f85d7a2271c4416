import time

jobs: dict[str, str] = {}
blobs: dict[str, bytes] = {}
counts: dict[str, int] = {}
owners: dict[str, str] = {}
carts: dict[str, dict[str, int]] = {}
grants: dict[tuple[str, str], str] = {}
codes: dict[str, tuple[str, float]] = {}


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


def hit(page: str) -> int:
    counts[page] = counts.get(page, 0) + 1
    return counts[page]


def claim(room: str, who: str) -> bool:
    if room in owners:
        return False
    owners[room] = who
    return True


def add_to_cart(cart_id: str, item: str, number: int) -> str:
    cart = carts.setdefault(cart_id, {})
    cart[item] = cart.get(item, 0) + number
    if cart[item] > 10:
        return "a lot"
    cart["lines"] = len(cart)
    return "added"


def cart_of(cart_id: str) -> dict[str, int]:
    return dict(carts.get(cart_id, {}))


def grant(user: str, thing: str, right: str) -> None:
    grants[user, thing] = right


def right_of(user: str, thing: str) -> str | None:
    return grants.get((user, thing))


def send_code(user: str) -> None:
    codes[user] = ("1234", time.time() + 30)


def check_code(user: str, code: str) -> bool:
    known, until = codes.get(user, ("", 0.0))
    return known == code and time.time() < until
