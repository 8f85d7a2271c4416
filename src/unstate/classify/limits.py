"""How far a rewrite of a store may go, and why no further."""

from __future__ import annotations

from unstate.classify import memos, twins, waiting
from unstate.classify.contents import Contents
from unstate.classify.subject import Subject
from unstate.facts.values import BY_NAME, LOCK, UNPACKED
from unstate.link import containers
from unstate.link.candidates import Touch
from unstate.model import Kind, Op, Shape, Verdict

HANDLES = {
    Kind.CONNECTION_REGISTRY: "holds live objects of this process, which cannot leave it; what can move is their state"
    " (in Redis) and the messages to them (by publish and subscribe)",
    Kind.LOCK: "excludes nothing outside this process; a Redis lock with an owner and an expiry does",
    Kind.QUEUE: "is a queue in memory; a Redis list or stream with a blocking read takes its place",
    Kind.SCHEDULER: "holds a scheduler, which every process would run; one worker of its own should",
}
_MANY = 3  # reasons of one sort that are told


def limit(subject: Subject, contents: Contents, kind: Kind, shape: Shape) -> tuple[Verdict, tuple[str, ...]]:
    """The best verdict that a plan may reach, with the reasons why it is below exact."""
    manual = _manual(subject, contents, kind, shape)
    if manual:
        return Verdict.MANUAL, tuple(manual)
    review = _review(subject, kind, shape)
    return (Verdict.REVIEW if review else Verdict.EXACT), tuple(review)


def _manual(subject: Subject, contents: Contents, kind: Kind, shape: Shape) -> list[str]:
    here = _place(subject)
    for path in {subject.candidate.path, *(touch.path for touch in subject.candidate.touches)}:
        if subject.program.facts[path].is_python2:
            return [f"{path}:1: a Python 2 file, in which no change is made"]
    if contents.handle is not None:
        return [f"{here}: {subject.name} {HANDLES[contents.handle]}"]
    if subject.candidate.definition.flags & UNPACKED:
        return [f"{here}: one of several that a single statement defines; give it a statement of its own first"]
    if subject.candidate.constructor in containers.NAMESPACES:
        return [f"{here}: its attributes are the entries; make it a dict, or give each a name of its own"]
    named = next((touch for touch in subject.candidate.touches if touch.ref.flags & BY_NAME), None)
    if named is not None:
        return [f"{_at(named)}: named by a text (`setattr`, `globals`); write it as a name or an attribute first"]
    if subject.is_bound_from_outside():
        return [f"{here}: bound on the class from outside of its body; define it there first"]
    awaited = next(waiting.waited_for(subject), None)
    if awaited:
        return [
            f"{_at(awaited)}: a condition of this process is waited for here, and no other process can wake it; a"
            " message (publish and subscribe) or a blocking read of a Redis list can"
        ]
    twin = twins.redis_twin(subject)
    if twin:
        return [f"{here}: {twin} does the same over a shared service already; switch to it"]
    if subject.owner is not None and subject.is_each_objects_own():
        owner = subject.program.frame(subject.owner).name
        if another := subject.lifetimes.another(subject.owner):
            return [
                f"{another}: makes another {owner}, and each has its own; keep what belongs to one under a key that"
                " tells them apart"
            ]
    if shape is Shape.OBJECT:
        names = ", ".join(sorted(subject.program.frame(found).name for found in contents.classes))
        if names:
            return [f"{here}: holds {names}, which change through their own methods and have no codec"]
        made = f"what `{contents.foreign}` gives" if contents.foreign else "objects"
        return [f"{here}: holds {made}, for which there is no codec; keep it as text or JSON"]
    return []


def _review(subject: Subject, kind: Kind, shape: Shape) -> list[str]:
    candidate = subject.candidate
    reasons = []
    handed = [touch for touch in candidate.touches if touch.op in (Op.PASS, Op.RETURN, Op.ALIAS, Op.CALL)]
    reasons += [f"{_at(touch)}: the store or an entry is handed on ({touch.op})" for touch in handed[:_MANY]]
    through = [touch for touch in candidate.others if touch.op in containers.WRITES]
    reasons += [f"{_at(touch)}: an entry is changed through {touch.through}" for touch in through[:_MANY]]
    locked = [touch for touch in candidate.touches if touch.ref.flags & LOCK]
    reasons += [f"{_at(touch)}: stands under a lock of this process" for touch in locked[:1]]
    clocks = [touch for touch in candidate.touches if touch.op in containers.FILLS and memos.is_clock(subject, touch)]
    if clocks:
        reasons.append(f"{_at(clocks[0])}: keeps a time, which is compared with the clocks of other machines")
    if candidate.constructor not in _ORDINARY:
        reasons.append(f"{_place(subject)}: {candidate.constructor} does more than the plain container")
    if shape not in _PLAIN:
        what = "what an entry is cannot be told; it is" if shape is Shape.UNKNOWN else f"an entry is a {shape},"
        reasons.append(f"{_place(subject)}: {what} kept as a copy: who changes it must write it back")
    if kind is Kind.CACHE:
        reasons.append(f"{_place(subject)}: a cache may be meant for one process; moved, all processes see its entries")
    if subject.is_each_objects_own():
        reasons.append(f"{_place(subject)}: each object has its own entries; moved, all objects share them")
    if candidate.flavour == containers.LIST and any(touch.op in _TAKES for touch in candidate.touches):
        reasons.append(f"{_place(subject)}: entries are taken out in turn; with several processes each is taken by one")
    return reasons


_TAKES = frozenset({Op.POP, Op.REMOVE})
_ORDINARY = frozenset({"dict", "list", "set", "collections.defaultdict", "collections.deque", "collections.Counter"})
_ORDINARY |= containers.IMMUTABLE
# What these do more is known, and said where a patch is planned: entries expire, or are pushed out by newer ones.
_ORDINARY |= {maker for maker in containers.MAKERS if maker.startswith(("cachetools.", "expiringdict."))}
_PLAIN = frozenset({Shape.STR, Shape.INT, Shape.FLOAT, Shape.BOOL, Shape.BYTES, Shape.RECORD})
_PLAIN |= {Shape.BUFFER, Shape.ARRAY}  # of which a plan says what differs


def _place(subject: Subject) -> str:
    return f"{subject.candidate.path}:{subject.candidate.definition.line}"


def _at(touch: Touch) -> str:
    return f"{touch.path}:{touch.ref.line}"
