"""## What it finds
A container of short-lived secrets: OAuth `state`, e-mail codes, password-reset and invitation tokens, nonces,
idempotency keys that requests write and later requests look up, usually to remove them.

## Why is this bad?
The request that redeems a code reaches another process than the one that made it, and fails. Where the container
remembers what was *used*, it fails open: each process accepts the same code once. Looking up and deleting in two steps
lets two requests redeem one code even in one process with threads.

## Example
```python
import secrets

from flask import Flask, request

app = Flask(__name__)
oauth_states = {}


@app.get("/login")
def login():
    state = secrets.token_urlsafe(16)
    oauth_states[state] = request.args["next"]
    return state


@app.get("/callback")
def callback():
    state: str = request.args["state"]
    return oauth_states.pop(state, "/")
```

## Use instead
```python
import secrets
from datetime import timedelta

from backing_services import redis_client
from flask import Flask, request

app = Flask(__name__)
TOKEN_TTL = timedelta(minutes=10)


@app.get("/login")
def login():
    state = secrets.token_urlsafe(16)
    redis_client.set(f"token:{state}", request.args["next"], ex=TOKEN_TTL)
    return state


@app.get("/callback")
def callback():
    state: str = request.args["state"]
    target = redis_client.getdel(f"token:{state}")
    return "/" if target is None else target
```

## Fix safety
`pop` becomes GETDEL, one command, so that a code is redeemed once over all processes. Codes get an expiry of 10 minutes
unless you decide otherwise. A retry of GETDEL after a lost reply finds nothing, so the generated client does not retry.

## References
- [The twelve-factor app: processes](https://12factor.net/processes)
- [RFC 6749, section 10.12: cross-site request forgery](https://datatracker.ietf.org/doc/html/rfc6749#section-10.12)
- [Redis GETDEL](https://redis.io/docs/latest/commands/getdel/)
"""

from unstate.codemods import Codemod
from unstate.model import Kind

CODEMOD = Codemod(
    code="US102",
    name="token-in-process",
    kinds=(Kind.TOKEN,),
    summary="One-time codes, OAuth states, nonces or reset tokens are kept in the memory of one process.",
    breaks=(
        "A code that one process handed out is unknown to the process that is asked to redeem it, and a code "
        "that was used can be used again after a restart or in another process."
    ),
    prefix="token",
    ttl="10m",
)
