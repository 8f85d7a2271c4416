"""The sentences of a finding: where it is defined, how a request gets to a write, what a second process breaks."""

from __future__ import annotations

from unstate.classify.subject import Subject
from unstate.link.candidates import Touch
from unstate.model import Kind

_LONG = 80
_BREAKS = {
    Kind.SESSION: "A second process does not know the sessions of the first: its users are logged out.",
    Kind.TOKEN: "A token issued by one process is unknown to the others, and all are lost on restart.",
    Kind.CONVERSATION: "The next message may reach a process that has never seen the conversation.",
    Kind.JOB_STATUS: "A request for the status may reach a process that has never heard of the job.",
    Kind.COUNTER: "Each process counts for itself, and a restart starts again.",
    Kind.RATE_LIMIT: "The limit is multiplied by the number of processes, and a restart forgives everybody.",
    Kind.CACHE: "Each process fills and invalidates its own copy: answers differ from process to process.",
    Kind.RECORD: "What one process stores, the others do not see, and a restart loses it.",
    Kind.SETTING: "A change reaches only the process that served the request.",
    Kind.UPLOAD: "The upload is in one process; the request that completes it may reach another.",
    Kind.FILE_STORE: "The files are on one machine; other instances do not see them, and a redeploy loses them.",
    Kind.FILE_DATABASE: "Each instance writes a file of its own.",
    Kind.CONNECTION_REGISTRY: "Only this process can reach these handles; a message for them may arrive at another.",
    Kind.LOCK: "It excludes nothing outside this process.",
    Kind.QUEUE: "What one process puts in, no other takes out, and a restart loses it.",
    Kind.SCHEDULER: "Every process runs every job.",
    Kind.SECRET: "Each process makes its own: what one signs, another rejects.",
}


def sentences(subject: Subject, kind: Kind) -> tuple[str, ...]:
    """Evidence of a finding."""
    candidate = subject.candidate
    found = [f"{candidate.path}:{candidate.definition.line}: {subject.name} = {_one_line(candidate.definition.source)}"]
    write = _first(subject)
    if write is not None:
        found.append(f"written by {way(subject, write)}")
    elif subject.started is not None:
        found.append(f"started when the program starts ({subject.started.path}:{subject.started.ref.line})")
    found.append(_BREAKS[kind])
    return tuple(found)


def _one_line(source: str) -> str:
    """A definition as it fits a sentence; where it goes on, the place says where to read it."""
    line = " ".join(source.split())
    return line if len(line) <= _LONG else f"{line[:_LONG]}..."


def way(subject: Subject, touch: Touch) -> str:
    """The path from a handler to a write: "login (app.py:12) -> save (store.py:30)"."""
    steps = subject.reach.way(touch.path, touch.function) or ()
    names = []
    for step in steps:
        frame = subject.program.frame(step)
        line = touch.ref.line if step is steps[-1] else frame.line
        names.append(f"{frame.qualname} ({step.path}:{line})")
    return " -> ".join(names)


def _first(subject: Subject) -> Touch | None:
    return min(
        subject.live_writes,
        key=lambda touch: (len(subject.reach.way(touch.path, touch.function) or ()), touch.path, touch.ref.line),
        default=None,
    )
