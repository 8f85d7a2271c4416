"""Whether a store is one of two back ends already: a class beside it does the same over Redis or a database."""

from __future__ import annotations

from unstate.classify.subject import Subject
from unstate.link import frameworks
from unstate.link.values import Class


def redis_twin(subject: Subject) -> str:
    """A class with the same methods over a shared service, or what the owner's own methods use; "" for none."""
    owner = subject.owner
    if owner is None:
        return ""
    program = subject.program
    if program.frame(owner).parent < 0:
        return ""
    for other in subject.reach.shared:
        if other != owner and subject.reach.are_twins(owner, other):
            return program.qualified(other)
    return program.qualified(owner) if _falls_back(subject, owner) else ""


def _falls_back(subject: Subject, owner: Class) -> bool:
    """Whether the owner keeps a client of a shared service beside the store, so that the store is its fallback."""
    return any(frameworks.SHARED.search(name) for name in subject.resolver.attributes.get(owner, {}))
