"""## What it finds
A scheduler (APScheduler, `schedule`, a `threading.Timer`, a loop with `sleep` in a thread or start-up task) that the
web process starts.

## Why is this bad?
The number of runs is the number of processes. With none running at the time, there is no run at all.

## Example
```python
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask

app = Flask(__name__)
scheduler = BackgroundScheduler()


@scheduler.scheduled_job("cron", hour=3)
def send_digest():
    print("digest sent")


scheduler.start()
```

## Use instead
One process that only schedules (Celery beat, a cron job, a Kubernetes CronJob), or a lock in Redis that one process
takes for each run.

## Fix safety
Never patched: where jobs run is a matter of deployment.

## References
- [The twelve-factor app: processes](https://12factor.net/processes)
- [Celery: periodic tasks](https://docs.celeryq.dev/en/stable/userguide/periodic-tasks.html)
- [APScheduler: sharing a job store](https://apscheduler.readthedocs.io/en/3.x/faq.html#how-do-i-share-a-single-job-store-among-one-or-more-worker-processes)
"""

from unstate.codemods import Codemod
from unstate.model import Kind

CODEMOD = Codemod(
    code="US404",
    name="scheduler-in-process",
    kinds=(Kind.SCHEDULER,),
    summary="A scheduler or a periodic thread runs inside the web process.",
    breaks="Every process runs every job, so each mail goes out as often as there are processes.",
    instead=(
        "one process of its own that schedules (Celery beat, cron), or a Redis lock that one process takes for each run"
    ),
)
