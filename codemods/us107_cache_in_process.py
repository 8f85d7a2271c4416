"""## What it finds
A container of results that requests fill and that is *invalidated* or changed by other requests. A pure memo, whose
result depends on its arguments alone, is a legal cache of one process and is left alone.

## Why is this bad?
An update clears the cache of the process that handled it. The others answer with the old value until they are
restarted.

## Example
```python
from flask import Flask, request

app = Flask(__name__)
page_cache = {}


@app.get("/pages/<name>")
def show(name: str):
    if name not in page_cache:
        page_cache[name] = name.title()
    return page_cache[name]


@app.post("/pages/<name>")
def edit(name: str):
    page_cache[name] = request.form["text"]
    return "saved"
```

## Use instead
```python
from backing_services import redis_client
from flask import Flask, request

app = Flask(__name__)


@app.get("/pages/<name>")
def show(name: str):
    page = redis_client.get(f"cache:{name}")
    if page is None:
        page = name.title()
        redis_client.set(f"cache:{name}", page)
    return page


@app.post("/pages/<name>")
def edit(name: str):
    redis_client.set(f"cache:{name}", request.form["text"])
    return "saved"
```

## Fix safety
Entries stay until they are deleted, as before, unless the code or you give an expiry. A size limit (`maxsize`) is not
carried over: Redis has a limit for the whole server, not for a store. Values that cannot be written as text or JSON
have no patch.

## References
- [The twelve-factor app: processes](https://12factor.net/processes)
- [Redis key eviction](https://redis.io/docs/latest/develop/reference/eviction/)
"""

from unstate.codemods import Codemod
from unstate.model import Kind

CODEMOD = Codemod(
    code="US107",
    name="cache-in-process",
    kinds=(Kind.CACHE,),
    summary=(
        "A cache that requests fill, and that must agree between processes, is kept in the memory of one process."
    ),
    breaks=(
        "What one process throws out or renews stays old in the others, so answers go back and forth between "
        "two truths."
    ),
    prefix="",
)
