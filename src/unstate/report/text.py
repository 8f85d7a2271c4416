"""Findings and plans for a person at a terminal, or reading a log."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from unstate.changes import diff
from unstate.model import FileChange, Finding, Group, Plan, Scan, Verdict
from unstate.report import words
from unstate.report.paint import Paint
from unstate.report.words import count, visible

INDENT = "    "
_UNUSED = "US002"  # the rule about comments that silence nothing


def scan_text(scan: Scan, *, colour: bool = False, width: int | None = None) -> str:
    """A scan as a first look: what holds each service to one process, and why.

    `width` is the number of columns to wrap prose at; None leaves lines as long as they are.
    """
    paint = Paint(colour)
    lines = [paint(_headline(scan), "bold"), ""]
    services = _by_service(scan.findings)
    for service, findings in services.items():
        if len(services) > 1:
            lines += [paint(f"{visible(service)}  ({count(len(findings), 'store')})", "bold underline"), ""]
        for finding in findings:
            lines += [*_store(finding, paint, width), ""]
    unused = [each for each in scan.diagnostics if each.rule == _UNUSED]
    unread = [each for each in scan.diagnostics if each.rule != _UNUSED]
    for heading, diagnostics in (("Not read in full", unread), ("Comments that silence nothing", unused)):
        if diagnostics:
            lines.append(paint(heading, "bold"))
            lines += [f"  {visible(words.at(each))}  {visible(each.message)}" for each in diagnostics]
            lines.append("")
    if scan.findings:
        lines += [
            _verdicts(finding.limit for finding in scan.findings),
            "To see the changes: unstate migrate --dry-run",
        ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _headline(scan: Scan) -> str:
    if not scan.findings:
        return "Nothing found that holds this code to one process."
    stores, services = len(scan.findings), len(_by_service(scan.findings))
    held = "this service" if services == 1 else count(services, "service")
    return f"{count(stores, 'store')} {'holds' if stores == 1 else 'hold'} {held} to one process."


def _by_service(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    services: dict[str, list[Finding]] = {}
    for finding in sorted(
        findings, key=lambda each: (each.store.service, each.store.path, each.store.span.line, each.id)
    ):
        services.setdefault(finding.store.service, []).append(finding)
    return services


def _store(finding: Finding, paint: Paint, width: int | None) -> Iterator[str]:
    name, place = visible(finding.store.name), visible(words.place(finding))
    yield f"{paint(place, 'cyan')}  {paint(name, 'bold')}  ({words.what(finding)})"
    hedge = "" if finding.limit is Verdict.MANUAL else " at best"  # the plan looks closer
    yield f"{INDENT}{paint.verdict(finding.limit)}{hedge}: {MEANING[finding.limit]}. {paint(finding.rule, 'dim')}"
    for sentence in finding.evidence:
        yield from _wrapped(sentence, width)
    sites = words.used(finding)
    if sites:
        yield from _wrapped(f"Used in {count(len(sites), 'place')}: {words.places(sites)}", width)
    for sentence in finding.reasons:
        yield from _wrapped(sentence, width, mark="! ")
    for decision in finding.decisions:
        yield from _wrapped(
            f"{words.question(decision)} Unless you say otherwise: {decision.default}", width, mark="? "
        )


MEANING = {
    Verdict.EXACT: "a patch that behaves as the code does now",
    Verdict.REVIEW: "a patch, with differences to accept",
    Verdict.MANUAL: "no patch, for a reason that is given",
}


def _wrapped(text: str, width: int | None, mark: str = "") -> list[str]:
    first, rest = INDENT + mark, INDENT + " " * len(mark)
    text = visible(text)
    if width is None:
        return [first + text]
    return textwrap.wrap(
        text,
        max(width, 40),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _verdicts(verdicts: Iterator[Verdict]) -> str:
    counts = Counter(verdicts)
    return "At best " + ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict]) + "."


# --- a plan


def dry_run(
    plan: Plan,
    accepted: Collection[str],
    changes: Sequence[FileChange],
    *,
    colour: bool = False,
    width: int | None = None,
) -> bytes:
    """What `accepted` groups (ids) would change: the story of each group, and a diff that `git apply` takes.

    Stories are comments, which git skips. Groups that meet in a file are told together, and that file's diff, which
    holds the edits of all of them, follows. `changes` is the rendering of exactly the accepted groups.
    `width` is the number of columns to wrap stories at; None leaves lines as long as they are.
    """
    paint = Paint(colour)
    told = None if width is None else width - len("# ")
    taken = [group for group in plan.groups if group.id in accepted and group.verdict is not Verdict.MANUAL]
    left = [group for group in plan.groups if group not in taken]
    rest = {change.path: change for change in changes}
    parts = [_comment(paint, [_summary(taken, left)])]
    number = 0
    for groups, paths in _together(taken, rest):
        for group in groups:
            number += 1
            parts.append(_comment(paint, story(group, paint, number, len(taken), width=told)))
        parts += [_shown(paint, rest.pop(path)) for path in paths]
        parts.append(_comment(paint, []))
    if rest:
        parts.append(_comment(paint, ["Once, for all of the changes above"]))
        parts += [_shown(paint, rest[path]) for path in sorted(rest)]
        parts.append(_comment(paint, []))
    parts += [_comment(paint, story(group, paint, width=told)) for group in left]
    return b"".join(parts)


def story(group: Group, paint: Paint, number: int = 0, total: int = 0, *, width: int | None = None) -> Iterator[str]:
    """What a group is about, before its diff: verdict, name, place, why, differences, decisions, refusals."""
    finding = group.finding
    position = f"({number}/{total}) " if total else ""
    title = f"{paint(visible(finding.store.name), 'bold')}  {visible(words.place(finding))}  ({words.what(finding)})"
    yield f"{position}{paint.verdict(group.verdict)}  {title}"
    yield paint(f"  {visible(group.id)}", "dim")
    for line in _told(group):
        indent = line[: len(line) - len(line.lstrip(" -"))]
        rest = " " * len(indent)
        yield from (
            [line]
            if width is None
            else textwrap.wrap(
                line.removeprefix(indent),
                max(width, 40),
                initial_indent=indent,
                subsequent_indent=rest,
                break_long_words=False,
                break_on_hyphens=False,
            )
        )


def _told(group: Group) -> Iterator[str]:
    """The lines of a story below its head, indented."""
    finding = group.finding
    for sentence in finding.evidence:
        yield f"  {visible(sentence)}"
    if group.verdict is not Verdict.MANUAL:
        yield "  Behaves as before." if not group.differences else "  Behaves differently:"
    for sentence in group.differences:
        yield f"    - {visible(sentence)}"
    if group.verdict is Verdict.MANUAL:
        yield "  Left as it is:"
        yield from (f"    - {visible(reason)}" for reason in words.kept(group))
    for decision in group.decisions:
        chosen = words.answer(group, decision)
        origin = "by default" if chosen == decision.default else "as you said"
        yield f"  Decided {origin}: {visible(decision.name)} = {visible(chosen)}. {visible(words.question(decision))}"
        if decision.why:
            yield f"    {visible(decision.why)}"
    if group.requires:
        yield f"  Requires {words.listing(map(visible, group.requires))}."
    for other, ids in (("Only together with", group.needs), ("Not together with", group.conflicts)):
        if ids:
            yield f"  {other} {words.listing(map(visible, ids))}."


def _summary(taken: Sequence[Group], left: Sequence[Group]) -> str:
    changes = f"{count(len(taken), 'store')} to move" if taken else "Nothing to move"
    if not left:
        return f"{changes}."
    return f"{changes}, {len(left)} left as {'it is' if len(left) == 1 else 'they are'} (told at the end)."


def _together(groups: Sequence[Group], paths: Collection[str]) -> list[tuple[list[Group], list[str]]]:
    """Groups that share changed files, directly or through others, with those files; in order of first path."""
    clusters: list[tuple[list[Group], set[str]]] = []
    for group in groups:
        merged, files = [group], {path for path in group.files if path in paths}
        for cluster in [each for each in clusters if each[1] & files]:
            clusters.remove(cluster)
            merged, files = cluster[0] + merged, cluster[1] | files
        clusters.append((merged, files))
    order = {group.id: position for position, group in enumerate(groups)}
    told = [(sorted(merged, key=lambda group: order[group.id]), sorted(files)) for merged, files in clusters]
    return sorted(told, key=lambda each: order[each[0][0].id])


def _comment(paint: Paint, lines: Iterable[str]) -> bytes:
    """Lines that git skips, closed by an empty one."""
    mark = paint("#", "dim")
    return "".join(f"{mark} {line}".rstrip() + "\n" for line in [*lines, ""]).encode("utf-8", "backslashreplace")


def _shown(paint: Paint, change: FileChange) -> bytes:
    """A file's diff: its bytes, or, on a terminal, its text in colour with nothing in it that acts or hides."""
    if not paint.colour:
        return diff.file_diff(change)
    return paint.diff(diff_text(change)).encode("utf-8", "backslashreplace")


def diff_text(change: FileChange) -> str:
    """A file's diff for eyes: decoded as the file says, control and direction characters written out."""
    encoded = diff.file_diff(change)
    encoding = words.encoding(change.after if change.after is not None else change.before or b"")
    return words.visible_lines(encoded.decode(encoding, "backslashreplace"))
