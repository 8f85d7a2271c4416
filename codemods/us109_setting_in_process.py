"""## What it finds
A module global or an attribute of the app that a request sets (maintenance mode, the current model, a feature switch)
and that other requests read.

## Why is this bad?
The change reaches the one process that took the request. Which behaviour a user meets is then a matter of chance.

## Example
```python
from flask import Flask, request

app = Flask(__name__)
banner = ""


@app.post("/admin/banner")
def set_banner():
    global banner
    banner = request.form["text"]
    return "set"


@app.get("/")
def home():
    return banner
```

## Use instead
```python
from backing_services import redis_client
from flask import Flask, request

app = Flask(__name__)


@app.post("/admin/banner")
def set_banner():
    redis_client.set("setting", request.form["text"])
    return "set"


@app.get("/")
def home():
    text = redis_client.get("setting")
    return "" if text is None else text
```

## Fix safety
Every read becomes a round trip. The value that the source gives is the value as long as none has been set. A setting
now outlives a restart: that is the aim, and a change in what a deployment does.

## References
- [The twelve-factor app: processes](https://12factor.net/processes)
"""

from unstate.codemods import Codemod
from unstate.model import Kind

CODEMOD = Codemod(
    code="US109",
    name="setting-in-process",
    kinds=(Kind.SETTING,),
    summary=("A value that requests change, and that every process must see, is kept in the memory of one process."),
    breaks=(
        "A switch that an administrator turns in one process stays as it was in the others, and turns back at "
        "a restart."
    ),
    prefix="",
)
