"""## What it finds
A container of attempts or timestamps by client, user or address, which is compared with a limit to refuse requests.

## Why is this bad?
The limit is multiplied by the number of processes, and the number of processes changes under load, when the limit
matters most. Blocks against password guessing end at each restart.

## Example
```python
from flask import Flask, request

app = Flask(__name__)
attempts = {}


@app.post("/login")
def login():
    address: str = request.remote_addr or ""
    attempts[address] = attempts.get(address, 0) + 1
    if attempts[address] > 5:
        return "too many attempts", 429
    return "ok"
```

## Use instead
```python
from backing_services import redis_client
from flask import Flask, request

app = Flask(__name__)


@app.post("/login")
def login():
    address: str = request.remote_addr or ""
    if redis_client.incrby(f"rate:{address}", 1) > 5:
        return "too many attempts", 429
    return "ok"
```

## Fix safety
Counting and comparing must be one step, or the limit can be passed by parallel requests; a patch keeps them together or
is not made. If the app uses a limiter library (Flask-Limiter, slowapi), its storage setting is the right change.

## References
- [The twelve-factor app: processes](https://12factor.net/processes)
- [Redis: rate limiting with INCR](https://redis.io/docs/latest/commands/incr/#pattern-rate-limiter)
- [Flask-Limiter: storage](https://flask-limiter.readthedocs.io/en/stable/#configuring-a-storage-backend)
"""

from unstate.codemods import Codemod
from unstate.model import Kind

CODEMOD = Codemod(
    code="US106",
    name="rate-limit-in-process",
    kinds=(Kind.RATE_LIMIT,),
    summary="Rate limits or login attempts are counted in the memory of one process.",
    breaks="With n processes a client gets n times the limit, and a restart forgives everybody.",
    prefix="",
)
