"""## What it finds
A number, or a container of numbers, that requests increase: visits, statistics, next ids, sequence numbers.

## Why is this bad?
Two processes hand out the same "next id". Statistics depend on who answers. In threads, `n += 1` and a read after it
are two steps: two requests can see the same number.

## Example
```python
from flask import Flask

app = Flask(__name__)
visits = {}


@app.get("/<page>")
def visit(page: str):
    visits[page] = visits.get(page, 0) + 1
    return str(visits[page])
```

## Use instead
```python
from backing_services import redis_client
from flask import Flask

app = Flask(__name__)


@app.get("/<page>")
def visit(page: str):
    return str(redis_client.incrby(f"counter:{page}", 1))
```

## Fix safety
Increments become INCRBY, which is atomic and answers with the new value. Redis counts in 64 bits; Python does not
stop there. The count now outlives a restart, which is what is wanted, but the first number after a deployment is no
longer the first number ever.

## References
- [The twelve-factor app: processes](https://12factor.net/processes)
- [Redis INCRBY](https://redis.io/docs/latest/commands/incrby/)
- [Prometheus client: multiprocess mode](https://prometheus.github.io/client_python/multiprocess/), for metrics
"""

from unstate.codemods import Codemod
from unstate.model import Kind

CODEMOD = Codemod(
    code="US105",
    name="counter-in-process",
    kinds=(Kind.COUNTER,),
    summary="A counter is kept in the memory of one process.",
    breaks=(
        "Each process counts for itself, so every answer shows a part of the truth, ids are given twice, and "
        "a restart begins at the start."
    ),
    prefix="",
)
