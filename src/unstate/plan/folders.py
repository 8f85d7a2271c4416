"""The change group of a folder on local disk: its files become objects named by their path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from unstate.model import Decision, Finding, Group, Layout, Op, Refusal, Verdict
from unstate.plan.decide import check
from unstate.plan.storages import STORAGE
from unstate.rewrite import FOLDER

COPYING = (
    "files that are there already have to be copied into the bucket once: `python copy_files.py FOLDER` says which, and"
    " does it with `--write`",
)


SENT_ON = (
    "clients are sent on to S3, by a URL that is valid for an hour: whoever has it can read the file, and of the"
    " headers that the app set only the type and the name of the file are kept",
)
_SERVING = Decision(
    name="serving",
    question="How do clients get the files: through the app, or from S3 by a URL that is signed for them?",
    default="app",
    choices=("app", "presigned"),
    why="through the app the URL stays the same, and so does who may read the file",
)


def planned(finding: Finding, answers: Mapping[str, str], requires: tuple[str, ...]) -> Group:
    """The group, before its patch was tried. Raises AnswerError."""
    served = finding.store.constructor == STORAGE or any(site.op is Op.SERVE for site in finding.store.sites)
    known = {each.name: each for each in ((_SERVING,) if served else ())}
    for name, answer in answers.items():
        check(finding, known, name, answer)
    return Group(
        id=finding.id,
        finding=finding,
        verdict=Verdict.REVIEW,
        layout=Layout.S3,
        container=FOLDER,
        codec="file",
        files=tuple(sorted({site.path for site in finding.store.sites})),
        requires=requires,
        decisions=tuple(known.values()),
        answers=tuple((name, answer) for name, answer in sorted(answers.items()) if answer != known[name].default),
    )


def untold(group: Group, generated: str) -> Refusal | None:
    """Why helpers of an earlier migration cannot be taught to look at paths: its folders never told them theirs.

    `generated` is the text of the service's generated module, "" where there is none yet.
    """
    site = next((site for site in group.finding.store.sites if site.op is Op.DEFINE), None)
    if site is None or "def file_key(" not in generated or "def stored_folder(" in generated:
        return None
    return Refusal(
        path=site.path,
        line=site.line,
        reason="files that moved earlier are not told from local ones by their path, those of this folder have to be",
        advice="move all folders of the app at once: take the earlier change back, and run again",
    )


def together(groups: Sequence[Group]) -> list[Group]:
    """Stores that keep the paths of files move with the files or not at all, and the files with them."""
    folders = {
        (group.finding.store.service, f"{group.finding.store.module}:{group.finding.store.name}"): group
        for group in groups
        if group.finding.store.constructor in (FOLDER, STORAGE)
    }
    partners: dict[str, set[str]] = {group.id: set() for group in groups}
    for group in groups:
        for held in group.finding.holds:
            other = folders.get((group.finding.store.service, held))
            if other is not None:
                partners[group.id].add(other.id)
                partners[other.id].add(group.id)
    by_id = {group.id: group for group in groups}
    waiting = [group.id for group in groups if group.verdict is Verdict.MANUAL]
    for id_ in waiting:
        for partner in sorted(partners[id_]):
            group = by_id[partner]
            if group.verdict is not Verdict.MANUAL:
                by_id[partner] = Group(
                    id=partner, finding=group.finding, verdict=Verdict.MANUAL, refusals=(_left(group, by_id[id_]),)
                )
                waiting.append(partner)
    return [
        replace(group, needs=tuple(sorted({*group.needs, *partners[group.id]})))
        if group.verdict is not Verdict.MANUAL
        else group
        for group in (by_id[each.id] for each in groups)
    ]


def _left(group: Group, other: Group) -> Refusal:
    mine, theirs = group.finding.store, other.finding.store
    keeps = "it keeps paths of" if theirs.constructor in (FOLDER, STORAGE) else "its paths are kept by"
    if {mine.constructor, theirs.constructor} <= {FOLDER, STORAGE}:
        keeps = "one operation works on its files and on those of"
    return Refusal(
        path=mine.path,
        line=mine.span.line,
        reason=f"{keeps} `{theirs.name}`, which stays here ({theirs.path}:{theirs.span.line}): both move, or neither",
    )


def sent_on(group: Group) -> tuple[str, ...]:
    """What differs where clients fetch files from S3 itself; Django's storage says so itself."""
    return SENT_ON if dict(group.answers).get("serving") == "presigned" and not group.settings else ()
