"""Loopback TCP proxies that delay what goes to a server: they open the gaps in which two processes can meet."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

from unstate.verify.services import Backing


class DelayingProxy:
    """Forwards to `host`:`port`; while `seconds` is above 0, each request waits a random time up to it.

    `passed` counts the pieces of requests that were forwarded.
    """

    def __init__(self, host: str, port: int) -> None:
        self.seconds = 0.0
        self.passed = 0
        self._upstream = (host, port)
        self._random = random.Random(0)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections; those that are open end with their processes."""
        # shutdown wakes the thread that waits in accept(); close alone leaves it there
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._upstream)
            except OSError:
                return
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for source, target, delayed in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pump, args=(source, target, delayed), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, delayed: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if delayed:
                    self.passed += 1
                if delayed and self.seconds:
                    time.sleep(self._random.random() * self.seconds)
                target.sendall(data)
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.close()


class Delays:
    """The proxies before a check's backing services."""

    def __init__(self, redis: DelayingProxy, s3: DelayingProxy) -> None:
        self.redis = redis
        self.s3 = s3

    def up_to(self, seconds: float) -> None:
        """From now on each request waits a random time up to this."""
        self.redis.seconds = self.s3.seconds = seconds


@contextlib.contextmanager
def delaying(backing: Backing) -> Iterator[tuple[Delays, dict[str, str]]]:
    """Proxies before the backing services, and the environment that leads through them."""
    with contextlib.ExitStack() as stack:
        redis, redis_url = stack.enter_context(_before(backing.redis_url, 6379))
        s3, endpoint = stack.enter_context(_before(backing.s3_endpoint, 80))
        yield Delays(redis, s3), {**backing.env, "REDIS_URL": redis_url, "AWS_ENDPOINT_URL_S3": endpoint}


@contextlib.contextmanager
def _before(url: str, port: int) -> Iterator[tuple[DelayingProxy, str]]:
    parts = urlsplit(url)
    proxy = DelayingProxy(parts.hostname or "127.0.0.1", parts.port or port)
    login = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    try:
        yield proxy, urlunsplit(parts._replace(netloc=f"{login}127.0.0.1:{proxy.port}"))
    finally:
        proxy.close()
