"""The change group of a folder on local disk: its files become objects named by their path."""

from __future__ import annotations

from collections.abc import Mapping

from unstate.model import Finding, Group, Layout, Verdict
from unstate.plan.decide import AnswerError
from unstate.rewrite import FOLDER

COPYING = ("files that are there already have to be copied into the bucket once",)


def planned(finding: Finding, answers: Mapping[str, str], requires: tuple[str, ...]) -> Group:
    """The group, before its patch was tried. Raises AnswerError."""
    for name in answers:
        raise AnswerError(f"{finding.id}: decision {name} is not asked for this store")
    return Group(
        id=finding.id,
        finding=finding,
        verdict=Verdict.REVIEW,
        layout=Layout.S3,
        container=FOLDER,
        codec="file",
        files=tuple(sorted({site.path for site in finding.store.sites})),
        requires=requires,
    )
