"""## What it finds
A container of domain data that requests create, change, list and delete, with no database behind it.

## Why is this bad?
It is the database, and it lives as long as one process. Each process has another one.

## Example
```python
from flask import Flask, request

app = Flask(__name__)
notes = {}


@app.put("/notes/<name>")
def save(name: str):
    notes[name] = request.get_data(as_text=True)
    return "saved"


@app.get("/notes/<name>")
def show(name: str):
    return notes[name]
```

## Use instead
```python
from backing_services import found, redis_client
from flask import Flask, request

app = Flask(__name__)


@app.put("/notes/<name>")
def save(name: str):
    redis_client.set(f"record:{name}", request.get_data(as_text=True))
    return "saved"


@app.get("/notes/<name>")
def show(name: str):
    return found(redis_client.get(f"record:{name}"), name)
```

## Fix safety
A missing entry still raises KeyError. Redis keeps the data over restarts of the app; whether it keeps it over its own
restarts is a setting of yours (persistence). For data with relations or transactions a database is the better home, and
this patch is a step on the way.

## References
- [The twelve-factor app: processes](https://12factor.net/processes)
- [Redis persistence](https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/)
"""

from unstate.codemods import Codemod
from unstate.model import Kind

CODEMOD = Codemod(
    code="US108",
    name="record-in-process",
    kinds=(Kind.RECORD,),
    summary="The app's own data has no other home than the memory of one process.",
    breaks=(
        "What a user saved through one process is missing in the others, and is lost for good when the process ends."
    ),
    prefix="",
)
