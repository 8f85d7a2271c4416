"""Findings and plans as markdown, for a pull request, a job summary or a wiki."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from unstate.model import Finding, Group, Plan, Scan, Verdict
from unstate.report import words
from unstate.report.rollout import rollout
from unstate.report.words import count, visible

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&@])")


def scan_markdown(scan: Scan) -> bytes:
    """A table of the stores, then each one's reasons, folded."""
    lines = ["## State held in the process", ""]
    if not scan.findings:
        lines += ["Nothing found that holds this code to one process.", ""]
    else:
        lines += ["| store | where | what | verdict |", "|---|---|---|---|"]
        lines += [_row(finding, finding.limit) for finding in scan.findings]
        lines.append("")
        for finding in scan.findings:
            lines += _folded(finding)
    if scan.diagnostics:
        lines += ["## Not read in full", ""]
        lines += [f"- {_code(words.at(each))}: {_prose(each.message)}" for each in scan.diagnostics]
        lines.append("")
    return _joined(lines)


def plan_markdown(plan: Plan, accepted: Collection[str], templates: Path | None = None) -> bytes:
    """What a pull request with the accepted groups (ids) changes, what to check, how it goes live, what stays behind.

    `templates`: a root whose own templates come first. Raises TemplateError for a broken one.
    """
    taken = [group for group in plan.groups if group.id in accepted]
    left = [group for group in plan.groups if group.id not in accepted]
    lines = [
        f"Moves {count(len(taken), 'store')} out of the process, which may then be restarted or multiplied at will.",
        "",
    ]
    if taken:
        lines += ["| store | where | what | verdict |", "|---|---|---|---|"]
        lines += [_row(group.finding, group.verdict) for group in taken]
        lines.append("")
    lines += _section("Behaves differently", (item for group in taken for item in _differences(group)))
    lines += _section("Decided", (item for group in taken for item in _decided(group)))
    lines += _section("Needs", sorted({_code(requirement) for group in taken for requirement in group.requires}))
    services = {group.finding.store.service for group in taken}
    lines += _section(
        "Not taken up", (_prose(note) for each in plan.backing if each.service in services for note in each.notes)
    )
    lines += [*rollout(taken, plan.backing, _code, templates).strip("\n").split("\n"), ""] if taken else []
    lines += _section("Left as it is", (item for group in left for item in _left(group)))
    return _joined(lines)


def _row(finding: Finding, verdict: Verdict) -> str:
    cells = (_code(finding.store.name), _code(words.place(finding)), words.what(finding), verdict.value)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _folded(finding: Finding) -> Iterator[str]:
    yield f"<details><summary><code>{_escaped_html(finding.store.name)}</code></summary>"
    yield ""
    yield from (f"- {_prose(sentence)}" for sentence in (*finding.evidence, *finding.reasons))
    yield f"- Used in {count(len(words.used(finding)), 'place')}: {_code(words.places(words.used(finding)))}"
    yield from (f"- {_prose(words.question(each))} Default: {_code(each.default)}" for each in finding.decisions)
    yield ""
    yield "</details>"
    yield ""


def _section(title: str, items: Iterable[str]) -> list[str]:
    lines = [f"- {item}" for item in items]
    return [f"### {title}", "", *lines, ""] if lines else []


def _differences(group: Group) -> Iterator[str]:
    yield from (f"{_code(group.finding.store.name)}: {_prose(sentence)}" for sentence in group.differences)


def _decided(group: Group) -> Iterator[str]:
    for decision in group.decisions:
        chosen = words.answer(group, decision)
        origin = "default" if chosen == decision.default else "answered"
        yield f"{_code(group.finding.store.name)}: {_prose(decision.question)} {_code(chosen)} ({origin})"


def _left(group: Group) -> Iterator[str]:
    told = " ".join(words.kept(group)) if group.verdict is Verdict.MANUAL else "not accepted."
    yield f"{_code(group.finding.store.name)} ({_code(words.place(group.finding))}): {_prose(told)}"


def _code(text: str) -> str:
    """A code span; its fence is longer than any run of backticks inside."""
    text = visible(text)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    pad = " " if text.startswith("`") or text.endswith("`") or not text else ""
    return f"{'`' * (longest + 1)}{pad}{text}{pad}{'`' * (longest + 1)}"


def _prose(text: str) -> str:
    """Text in which no character is markup, no name a mention and no word a link."""
    return SPECIAL.sub(r"\\\1", visible(text)).replace("://", ":\u200b//").replace("\\@", "@\u200b")


def _escaped_html(text: str) -> str:
    return visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _joined(lines: Iterable[str]) -> bytes:
    return ("\n".join(lines).rstrip("\n") + "\n").encode("utf-8", "backslashreplace")
