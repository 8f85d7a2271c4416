"""## What it finds
A container of live handles: WebSockets, SSE queues, tasks, subprocesses, per-user clients, loaded models that requests
add.

## Why is this bad?
A socket belongs to the process that accepted it, and that is right. What is wrong is to take the registry for the list
of everybody: a broadcast from one process is silence in the others.

## Example
```python
from fastapi import FastAPI, WebSocket

app = FastAPI()
connections: dict[str, WebSocket] = {}


@app.websocket("/ws/{user}")
async def join(socket: WebSocket, user: str):
    await socket.accept()
    connections[user] = socket
    async for text in socket.iter_text():
        for other in connections.values():
            await other.send_text(text)
```

## Use instead
Keep the registry, as each process's own, and send through a channel that every process listens to: Redis publish and
subscribe, or the broker of the framework (Socket.IO's `message_queue`, Channels' `channel_layers`).

## Fix safety
Never patched: a live handle cannot be stored. The finding says where it is written and what moves instead.

## References
- [The twelve-factor app: processes](https://12factor.net/processes)
- [Redis pub/sub](https://redis.io/docs/latest/develop/pubsub/)
- [python-socketio: using a message queue](https://python-socketio.readthedocs.io/en/stable/server.html#using-a-message-queue)
"""

from unstate.codemods import Codemod
from unstate.model import Kind

CODEMOD = Codemod(
    code="US401",
    name="connection-registry",
    kinds=(Kind.CONNECTION_REGISTRY,),
    summary="Live connections, tasks or clients are registered in the memory of one process.",
    breaks="A message for a user reaches only those who are connected to the process that sends it.",
    instead=(
        "keep the handles where they are, and send messages through Redis publish and subscribe, which every "
        "process listens to"
    ),
)
