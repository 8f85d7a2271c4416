"""A Dask cluster. Each item runs in a process that its worker starts, so that no item costs the cluster a worker."""

from __future__ import annotations

import ipaddress
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic
from urllib.parse import urlsplit

from unstate.batch.engines.outcome import Attempt, Failure, Item, Outcome, Outcomes, Result
from unstate.batch.errors import BatchError
from unstate.children import Child, Folder
from unstate.workers import Cause

if TYPE_CHECKING:
    from distributed import Client, Future

_CONNECT = 15  # seconds to reach the scheduler
_GIVE_UP = 60.0  # seconds over an item's time after which its worker itself is taken for lost


@dataclass(frozen=True, slots=True)
class Guarded(Generic[Item, Result]):
    """A call in a process of its own, which may die or hang."""

    attempt: Attempt[Item, Result]
    timeout: float

    def __call__(self, keyed: tuple[str, Item]) -> Outcome[Result]:
        """The outcome of one item."""
        with Folder("item") as folder:
            given, answer = Path(folder, "given"), Path(folder, "answer")
            given.write_bytes(pickle.dumps((self.attempt, keyed)))
            child = Child(
                [sys.executable, "-m", "unstate.batch.engines.child", str(given), str(answer)], log=Path(folder, "log")
            )
            try:
                in_time = child.wait(self.timeout)
            finally:
                child.kill()
            if not in_time:
                return Outcome(keyed[0], failure=Failure(Cause.HUNG, f"it took longer than {self.timeout:g} s"))
            if not answer.is_file():
                reason = "the process that worked on it died"
                return Outcome(keyed[0], failure=Failure(Cause.KILLED, reason, child.output()))
            outcome: Outcome[Result] = pickle.loads(answer.read_bytes())
            return outcome


class Dask:
    """The workers of a scheduler, as many as there are."""

    def __init__(self, client: Client, timeout: float) -> None:
        self._client = client
        self._timeout = timeout
        self._futures: dict[str, str] = {}  # of Dask's keys, ours

    def map(self, function: Callable[[Item], Result], items: Mapping[str, Item]) -> Outcomes[Result]:
        """Outcomes as they come."""
        from distributed import as_completed

        call = Guarded(Attempt(function), self._timeout)
        futures: dict[str, tuple[str, Future]] = {}
        for key, item in items.items():
            future = self._client.submit(call, (key, item), pure=False, retries=0)
            futures[future.key] = (key, future)
        self._futures = {name: key for name, (key, _) in futures.items()}
        try:
            for future in as_completed([future for _, future in futures.values()], loop=self._client.loop):
                key, _ = futures.pop(future.key)
                yield _outcome(key, future)
        finally:
            self._client.cancel([future for _, future in futures.values()])
            self._futures = {}

    def running(self) -> tuple[str, ...]:
        """What the scheduler has given to workers."""
        processing = self._client.processing() if self._futures else {}
        return tuple(self._futures[name] for names in processing.values() for name in names if name in self._futures)


def _outcome(key: str, future: Future) -> Outcome[Result]:
    if future.status == "finished":
        outcome: Outcome[Result] = future.result()
        return outcome
    error = future.exception() if future.status == "error" else None
    if error is None or type(error).__name__ == "KilledWorker":
        return Outcome(key, failure=Failure(Cause.KILLED, f"its Dask worker was lost: {error or future.status}"))
    if isinstance(error, ImportError):
        reason = f"the worker has no unstate, or another one: {error}"
        return Outcome(key, failure=Failure(Cause.RAISED, reason))
    return Outcome(key, failure=Failure(Cause.RAISED, f"{type(error).__name__}: {error}"))


@contextmanager
def cluster(address: str, timeout: float, *, insecure: bool = False) -> Iterator[Dask]:
    """The cluster of a scheduler; `timeout` in seconds is for one item. Raises BatchError.

    A scheduler runs whatever whoever reaches it sends. One on another machine that asks for no certificate is refused,
    unless `insecure`.
    """
    check_address(address, insecure=insecure)
    try:
        from distributed import Client
    except ImportError:
        raise BatchError('--engine dask needs the extra "dask": pip install "unstate[dask]"') from None
    try:
        client = Client(address, timeout=_CONNECT, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise BatchError(f"no Dask scheduler answers at {address}: {error}") from None
    with client:
        yield Dask(client, timeout)


def check_address(address: str, *, insecure: bool) -> None:
    """Raises BatchError for the address of a scheduler that anybody could be or listen to, unless `insecure`."""
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    if not parts.hostname:
        raise BatchError(f"--scheduler {address}: write an address as tls://host:8786")
    if parts.scheme in ("tls", "wss", "ucx+tls") or _is_loopback(parts.hostname) or insecure:
        return
    raise BatchError(
        f"--scheduler {address}: another machine, and no TLS: whoever is in between could run code here and there. "
        "Use a tls:// address, or say --insecure-scheduler for a network that you trust."
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
