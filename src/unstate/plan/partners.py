"""Stores whose entries hold parts of each other's: once both are moved, each has a copy of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from unstate.model import Group, Op, Refusal, Verdict
from unstate.rewrite import KEPT_ELSEWHERE

_KEEPS = (Op.SETITEM, Op.REBIND, Op.ADD)


def with_partners(groups: Sequence[Group], again: Callable[[Group, tuple[str, ...]], Group]) -> list[Group]:
    """The groups, those planned `again` that were refused only because another moved store keeps what is read of them.

    A part of an entry that goes on living in another dict of this process may be changed there. One that is put into a
    store which moves as well is written out in the same statement, so nothing changes it from then on: a patch is sound
    where it is accepted together with that store's.
    """
    moved = [group for group in groups if group.verdict is not Verdict.MANUAL]
    planned = []
    for group in groups:
        kept = [refusal for refusal in group.refusals if refusal.reason.endswith(KEPT_ELSEWHERE)]
        keepers = [_keepers(group, refusal, moved) for refusal in kept]
        if kept and all(keepers):
            tried = again(group, tuple(sorted({each for found in keepers for each in found})))
            group = tried if tried.verdict is not Verdict.MANUAL else group
        planned.append(group)
    return planned


def _keepers(group: Group, refusal: Refusal, moved: Sequence[Group]) -> list[str]:
    """The ids of groups one of whose stores is written to where a group was refused."""
    return [
        other.id
        for other in moved
        if other.finding.store.service == group.finding.store.service
        and any(
            site.op in _KEEPS and (site.path, site.line) == (refusal.path, refusal.line)
            for site in other.finding.store.sites
        )
    ]
