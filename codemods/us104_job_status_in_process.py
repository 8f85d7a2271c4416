"""## What it finds
A container in which a task or a background thread notes how far it is, and which a request reads to answer "done?".

## Why is this bad?
With two processes every second poll says "unknown job". The user sees a failure although the work is going on, and
starts it again. When the process restarts, jobs that were running stay "running" for nobody.

## Example
```python
import uuid

from flask import Flask

app = Flask(__name__)
jobs = {}


@app.post("/jobs")
def start():
    job_id = str(uuid.uuid4())
    jobs[job_id] = "queued"
    return job_id


@app.get("/jobs/<job_id>")
def status(job_id: str):
    return jobs.get(job_id, "unknown")
```

## Use instead
```python
import uuid

from backing_services import redis_client
from flask import Flask

app = Flask(__name__)


@app.post("/jobs")
def start():
    job_id = str(uuid.uuid4())
    redis_client.set(f"job:{job_id}", "queued")
    return job_id


@app.get("/jobs/<job_id>")
def status(job_id: str):
    state = redis_client.get(f"job:{job_id}")
    return "unknown" if state is None else state
```

## Fix safety
Records that a job changes field by field are written back at each change; two writers at once are a decision. The job
itself still runs in the process that started it: if that process dies, its status stays where it was. A task queue
removes that too.

## References
- [The twelve-factor app: processes](https://12factor.net/processes)
- [Celery: keeping results](https://docs.celeryq.dev/en/stable/userguide/tasks.html#result-backends)
"""

from unstate.codemods import Codemod
from unstate.model import Kind

CODEMOD = Codemod(
    code="US104",
    name="job-status-in-process",
    kinds=(Kind.JOB_STATUS,),
    summary="The state of background jobs is kept in the memory of one process.",
    breaks=(
        "A client that polls reaches a process that has never heard of its job, and a restart forgets every "
        "job that was running."
    ),
    prefix="",
)
