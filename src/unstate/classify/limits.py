"""How far a rewrite of a store may go, and why no further."""

from __future__ import annotations

from unstate.classify import kinds
from unstate.classify.subject import Subject
from unstate.model import Kind, Op, Verdict

_HANDLES = frozenset({Kind.CONNECTION_REGISTRY, Kind.LOCK, Kind.QUEUE, Kind.SCHEDULER})


def limit(subject: Subject, kind: Kind) -> tuple[Verdict, tuple[str, ...]]:
    """The best verdict that a plan may reach, with the reasons why it is below exact."""
    reasons = []
    candidate = subject.candidate
    place = f"{candidate.path}:{candidate.definition.line}"
    if kind in _HANDLES and kinds.handle_kind(subject) is not None:
        reasons.append(f"{place}: holds live handles of this process, which cannot leave it")
        return Verdict.MANUAL, tuple(reasons)
    shared = [touch for touch in candidate.touches if touch.op in (Op.PASS, Op.RETURN, Op.ALIAS, Op.CALL)]
    for touch in shared[:3]:
        reasons.append(f"{touch.path}:{touch.ref.line}: the store or one of its entries is handed on ({touch.op})")
    return (Verdict.REVIEW if reasons else Verdict.EXACT), tuple(reasons)
