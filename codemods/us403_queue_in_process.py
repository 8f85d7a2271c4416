"""## What it finds
A `queue.Queue`, `asyncio.Queue`, deque or list that requests append to and a thread or task of the same process
empties.

## Why is this bad?
A request is answered with "accepted", and a deployment throws the work away. Load on one process cannot be taken by
another.

## Example
```python
import queue
import threading

from flask import Flask, request

app = Flask(__name__)
mails: queue.Queue[str] = queue.Queue()


def work():
    while True:
        print(mails.get())


threading.Thread(target=work, daemon=True).start()


@app.post("/mail")
def mail():
    mails.put(request.form["to"])
    return "accepted", 202
```

## Use instead
A task queue with a broker (Celery, RQ, arq, Dramatiq), whose workers acknowledge what they have done. A Redis list with
LMOVE into a list of work in progress is the smallest one.

## Fix safety
Never patched: who consumes, how often a task is tried, and what happens to one that fails are decisions about the app.

## References
- [The twelve-factor app: processes](https://12factor.net/processes)
- [Redis LMOVE: reliable queue](https://redis.io/docs/latest/commands/lmove/#pattern-reliable-queue)
- [Celery: first steps](https://docs.celeryq.dev/en/stable/getting-started/first-steps-with-celery.html)
"""

from unstate.codemods import Codemod
from unstate.model import Kind

CODEMOD = Codemod(
    code="US403",
    name="queue-in-process",
    kinds=(Kind.QUEUE,),
    summary="Work waits in a queue in the memory of one process.",
    breaks=("Work that was accepted is lost when the process ends, and only that process's own workers can do it."),
    instead="a task queue with a broker (Celery, RQ, arq), or a Redis list with LMOVE and acknowledgement",
    prefix="",
)
