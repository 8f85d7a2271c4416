"""## What it finds
A `threading` or `asyncio` lock, semaphore or event at module or app level that requests take around something that all
processes share.

## Why is this bad?
The lock still does its work among the threads of one process, which hides that it does none between two.

## Example
```python
import threading
from pathlib import Path

from flask import Flask

app = Flask(__name__)
report_lock = threading.Lock()


@app.post("/report")
def report():
    with report_lock:
        Path("/srv/shared/report.txt").write_text("...")
    return "done"
```

## Use instead
```python
from pathlib import Path

from backing_services import redis_client
from flask import Flask

app = Flask(__name__)


@app.post("/report")
def report():
    with redis_client.lock("lock:report", timeout=30):
        Path("/srv/shared/report.txt").write_text("...")
    return "done"
```

## Fix safety
A Redis lock is a lease: when its time is over, another may enter although the first is still at work, so the timeout
must be longer than the work. It is not re-entrant. A lock that guards only a store that moves is handled with that
store.

## References
- [The twelve-factor app: processes](https://12factor.net/processes)
- [Redis: distributed locks](https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/)
"""

from unstate.codemods import Codemod
from unstate.model import Kind

CODEMOD = Codemod(
    code="US402",
    name="lock-in-process",
    kinds=(Kind.LOCK,),
    summary="A lock guards shared state within one process only.",
    breaks="Two processes are in the guarded section at once, each with its own lock.",
    instead="a Redis lock with a timeout longer than the work, or one atomic command where that does",
    prefix="",
)
