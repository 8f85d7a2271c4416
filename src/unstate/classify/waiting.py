"""What ties a store to one process in time: conditions that its threads wait for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from unstate.classify.subject import Subject
from unstate.facts.values import Path
from unstate.link.candidates import Touch
from unstate.link.values import Made, Slot

_CONDITION = re.compile(r"(threading|asyncio|anyio|trio|gevent\.lock|multiprocessing)\.Condition")
_WAITING = frozenset({"wait", "wait_for"})


def waited_for(subject: Subject) -> Iterator[Touch]:
    """Uses of a store between the entry of a condition and a wait for it: another process cannot wake who waits."""
    for touch in subject.candidate.touches:
        refs = subject.program.refs_in(touch.path, touch.function)
        waits = [ref for ref in refs if ref.path[-1:] == ("()",) and ref.path[-2:-1] and ref.path[-2] in _WAITING]
        if any(
            entry.use == "enter"
            and wait.path[:-2] == entry.path
            and entry.line <= touch.ref.line <= wait.line
            and _is_condition(subject, touch, entry.path)
            for wait in waits
            for entry in refs
        ):
            yield touch


def _is_condition(subject: Subject, touch: Touch, steps: Path) -> bool:
    value = subject.resolver.resolve(touch.path, touch.ref.frame, steps) if steps else None
    if isinstance(value, Slot):
        value = subject.resolver.settle(value)[1]
    return isinstance(value, Made) and _CONDITION.fullmatch(value.maker) is not None
