"""## What it finds
A container that maps a user or a conversation to a growing list of messages, which each request extends and reads.

## Why is this bad?
The second process starts a conversation of its own under the same id, so answers contradict each other, depending on
which process took the request. The container is also the classic leak: histories grow and are never removed.

## Example
```python
from flask import Flask, request

app = Flask(__name__)
histories = {}


@app.post("/say")
def say():
    user: str = request.form["user"]
    histories.setdefault(user, []).append(request.form["text"])
    return str(len(histories[user]))
```

## Use instead
```python
from backing_services import redis_client
from flask import Flask, request

app = Flask(__name__)


@app.post("/say")
def say():
    user: str = request.form["user"]
    return str(redis_client.rpush(f"conversation:{user}", request.form["text"]))
```

## Fix safety
A history that is changed through a name (`h = histories[user]; h.append(...)`) is written back where it changes, under
the policy that you choose for two writers at once. Where a history is handed to other code that changes it, there is no
patch: the change would be lost.

## References
- [The twelve-factor app: processes](https://12factor.net/processes)
- [Redis lists](https://redis.io/docs/latest/develop/data-types/lists/)
"""

from unstate.codemods import Codemod
from unstate.model import Kind

CODEMOD = Codemod(
    code="US103",
    name="conversation-in-process",
    kinds=(Kind.CONVERSATION,),
    summary="Conversations (chat histories, agent memories) are kept in the memory of one process.",
    breaks=(
        "A reply that lands on a second process is made without the history, and every conversation is "
        "forgotten at a restart."
    ),
    prefix="",
)
