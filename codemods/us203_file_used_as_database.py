"""## What it finds
A file that requests read whole, change and write back, or a database file opened by the app itself.

## Why is this bad?
Read, change, write is not atomic: of two requests at once, one is lost. A crash while writing leaves half a file. On
several machines there are several databases.

## Example
```python
import json
from pathlib import Path

from flask import Flask, request

app = Flask(__name__)
DATABASE = Path("users.json")


@app.post("/users/<name>")
def save(name: str):
    users = json.loads(DATABASE.read_text())
    users[name] = request.form["email"]
    DATABASE.write_text(json.dumps(users))
    return "saved"


@app.get("/users/<name>")
def show(name: str):
    return json.loads(DATABASE.read_text())[name]
```

## Use instead
A database server that all processes reach, through the driver or the ORM that the app's framework favours. For plain
records by key, a Redis hash does as well:

```python
from backing_services import found, redis_client
from flask import Flask, request

app = Flask(__name__)


@app.post("/users/<name>")
def save(name: str):
    redis_client.hset("record", name, request.form["email"])
    return "saved"


@app.get("/users/<name>")
def show(name: str):
    return found(redis_client.hget("record", name), name)
```

## Fix safety
Found and explained, not patched: which database is right, and how today's file gets into it, is for a person.

## References
- [The twelve-factor app: processes](https://12factor.net/processes)
- [SQLite: appropriate uses](https://www.sqlite.org/whentouse.html)
"""

from unstate.codemods import Codemod
from unstate.model import Kind

CODEMOD = Codemod(
    code="US203",
    name="file-used-as-database",
    kinds=(Kind.FILE_DATABASE,),
    summary="A file on local disk (JSON, CSV, pickle, SQLite) is used as the database.",
    breaks="Two processes overwrite each other's changes, and a second machine has another file.",
    instead="a database server, or a Redis hash for plain records by key",
    prefix="",
)
