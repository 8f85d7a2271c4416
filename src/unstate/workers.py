"""Work on many items in parallel, whatever dies: a killed or hanging worker costs the one item that did it.

`ProcessPoolExecutor` gives up every pending item when one of its workers is killed, so the items that were under way
are tried again one by one, each in a process of its own. Workers end with the process that started them, however that
ends, and leave Ctrl-C to it.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 2  # items a worker that are handed out before the first is done
_TICK = 0.5  # seconds between looks at the clock


class Cause(StrEnum):
    """Why an item has no result."""

    RAISED = "raised"  # the function raised
    KILLED = "killed"  # its process died
    HUNG = "hung"  # it took longer than it may


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Item, Result]):
    """What became of one item: a result, or in `failure` why there is none."""

    item: Item
    result: Result | None = None
    failure: str = ""
    cause: Cause | None = None


def cores() -> int:
    """Processors that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


@contextlib.contextmanager
def no_collection() -> Iterator[None]:
    """Spares the block the search for cycles: syntax trees and facts are many small objects and have none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def supervised(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int, timeout: float, ahead: int = _AHEAD
) -> Iterator[Outcome[Item, Result]]:
    """One outcome an item, in no fixed order.

    `function` and the items must be picklable. `timeout` in seconds is for one item; a worker that takes longer, or is
    killed, is replaced, and the items it may have had are tried alone. `ahead`: how many items a worker are handed out
    before the first is done; more than one is for short items.
    """
    todo = deque(items)
    pool = _pool(workers)
    running: dict[Future[Result], tuple[Item, float]] = {}
    try:
        while todo or running:
            suspects: list[Item] = []
            while todo and len(running) < workers * ahead:
                item = todo.popleft()
                try:
                    with _own_main():
                        running[pool.submit(function, item)] = (item, time.monotonic())
                except BrokenProcessPool:
                    suspects.append(item)
                    break
            done, _ = wait(running, timeout=_TICK, return_when=FIRST_COMPLETED)
            for future in done:
                item, _ = running.pop(future)
                error = future.exception()
                if isinstance(error, BrokenProcessPool):
                    suspects.append(item)
                elif error is not None:
                    yield Outcome(item, failure=f"{type(error).__name__}: {error}", cause=Cause.RAISED)
                else:
                    yield Outcome(item, future.result())
            if not done and running:
                oldest = min(begun for _, begun in running.values())
                if time.monotonic() - oldest > timeout * ahead:
                    _kill(pool)
            if suspects:
                suspects += [item for item, _ in running.values()]
                running.clear()
                pool.shutdown(wait=False, cancel_futures=True)
                pool = _pool(workers)
                for item in suspects:
                    yield _alone(function, item, timeout)
    except BaseException:  # Ctrl-C, or the caller wants no more
        _kill(pool)
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _alone(function: Callable[[Item], Result], item: Item, timeout: float) -> Outcome[Item, Result]:
    pool = _pool(1)
    try:
        with _own_main():
            pool.submit(callable, function).result()  # the time that a process takes to start is nobody's fault
            future = pool.submit(function, item)
        return Outcome(item, future.result(timeout=timeout))
    except BrokenProcessPool:
        return Outcome(item, failure="the process that worked on it died", cause=Cause.KILLED)
    except TimeoutError:
        _kill(pool)
        return Outcome(item, failure=f"it took longer than {timeout:g} s", cause=Cause.HUNG)
    except Exception as error:
        return Outcome(item, failure=f"{type(error).__name__}: {error}", cause=Cause.RAISED)
    except BaseException:
        _kill(pool)
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@contextlib.contextmanager
def _own_main() -> Iterator[None]:
    """Keeps a worker that starts here from running the caller's main module again, and from being interrupted."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    mask = getattr(signal, "pthread_sigmask", None)  # a new process inherits it; Windows has none
    before = mask(signal.SIG_BLOCK, {signal.SIGINT}) if mask else ()
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        if mask:
            mask(signal.SIG_SETMASK, before)


def _pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_end_with_parent)


def _end_with_parent() -> None:
    """A worker waits for work on a pipe that it holds open itself: it would never learn that nobody is left."""

    def watch() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _kill(pool: ProcessPoolExecutor) -> None:
    """Ends the pool's own workers; what they had is then reported as broken."""
    for process in list((getattr(pool, "_processes", None) or {}).values()):
        if process.is_alive():
            process.kill()
