"""Whether a store is one of two back ends already: a class beside it does the same over Redis or a database."""

from __future__ import annotations

import re
from functools import cache

from unstate.classify.subject import Subject
from unstate.link.values import Class

_SHARED = re.compile(r"redis|valkey|memcache|dynamo", re.IGNORECASE)


@cache
def _is_shared(name: str) -> bool:
    return _SHARED.search(name) is not None


def redis_twin(subject: Subject) -> str:
    """A class with the same methods over a shared service, or what the owner's own methods use; "" for none."""
    owner = subject.owner
    if owner is None:
        return ""
    program = subject.program
    if program.frame(owner).parent < 0:
        return ""
    for name, classes in program.classes.items():
        if not _is_shared(name):
            continue
        for other in classes:
            if other != owner and subject.reach.are_twins(owner, other):
                return program.qualified(other)
    return program.qualified(owner) if _falls_back(subject, owner) else ""


def _falls_back(subject: Subject, owner: Class) -> bool:
    """Whether the owner keeps a client of a shared service beside the store, so that the store is its fallback."""
    return any(_SHARED.search(name) for name in subject.resolver.attributes.get(owner, {}))
