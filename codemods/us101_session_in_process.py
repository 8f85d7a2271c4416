"""## What it finds
A container that requests fill with who is logged in (token to user, session id to data) and that other requests read
to recognise them.

## Why is this bad?
Each process has its own copy. Behind two processes a login works on every second request only; a deployment, a crash
or a worker that is recycled ends every session. Nothing is ever deleted either, so the process grows until it is
restarted.

## Example
```python
from flask import Flask, request

app = Flask(__name__)
sessions = {}


@app.post("/login")
def login():
    token: str = request.form["token"]
    user: str = request.form["user"]
    sessions[token] = user
    return "ok"


@app.get("/me")
def me():
    token: str = request.args["token"]
    return sessions.get(token, "nobody")
```

## Use instead
```python
from datetime import timedelta

from backing_services import redis_client
from flask import Flask, request

app = Flask(__name__)
SESSION_TTL = timedelta(hours=24)


@app.post("/login")
def login():
    token: str = request.form["token"]
    user: str = request.form["user"]
    redis_client.set(f"session:{token}", user, ex=SESSION_TTL)
    return "ok"


@app.get("/me")
def me():
    token: str = request.args["token"]
    user = redis_client.get(f"session:{token}")
    return "nobody" if user is None else user
```

## Fix safety
Sessions get an expiry, which the dict did not have: 24 hours unless you decide otherwise (`ttl` in `[tool.unstate]`,
`--ttl session=12h`). The expiry is a decision that every dry run shows. Otherwise the patch is as safe as its verdict
says: `exact` where keys and values are shown to be of types that travel unchanged, `review` where a difference is
named.

## References
- [The twelve-factor app: processes](https://12factor.net/processes)
- [OWASP session management cheat sheet: expiration](https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html)
- [Redis SET](https://redis.io/docs/latest/commands/set/)
"""

from unstate.codemods import Codemod
from unstate.model import Kind

CODEMOD = Codemod(
    code="US101",
    name="session-in-process",
    kinds=(Kind.SESSION,),
    summary="Login sessions are kept in the memory of one process.",
    breaks=(
        "A user who logged in through one process is logged out when a second process answers, and everybody "
        "is logged out at each restart."
    ),
    prefix="session",
    ttl="24h",
)
