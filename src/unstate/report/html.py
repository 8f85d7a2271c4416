"""A plan as one web page that needs nothing else: evidence, diffs side by side, decisions to make and to download.

The page's policy lets nothing in but its own style and script, by their hashes; what it shows is never markup.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from markupsafe import Markup

from unstate.changes import diff
from unstate.changes.decisions import SCHEMA, Decisions, fingerprint
from unstate.model import FileChange, Group, Plan, Value, Verdict
from unstate.render.templates import fill
from unstate.report import words
from unstate.report.text import MEANING
from unstate.report.verified import Verified
from unstate.report.words import visible

POLICY = ("default-src 'none'", "base-uri 'none'", "form-action 'none'")
PAGE, STYLE, SCRIPT = "report.html.j2", "report.css", "report.js"


class Row(Value, frozen=True):
    """One line of a diff, side by side; a number of 0 leaves that side empty."""

    kind: str  # "same", "changed" or "gap" between hunks
    old_number: int = 0
    old: str = ""
    new_number: int = 0
    new: str = ""


class FileView(Value, frozen=True):
    """One file of a change."""

    path: str
    note: str  # "new file", "removed", or ""
    rows: tuple[Row, ...]
    generated: bool


class GroupView(Value, frozen=True):
    """What the page shows of one group. `number` is 0 for one without a patch."""

    group: Group
    number: int
    anchor: str
    files: tuple[FileView, ...]
    seen: str
    accept: bool | None
    answers: dict[str, str]
    reasons: tuple[str, ...]


def plan_html(
    plan: Plan,
    changes_of: Callable[[Group], Sequence[FileChange]],
    *,
    title: str,
    decisions: Decisions | None = None,
    templates: Path | None = None,
    verified: Verified | None = None,
) -> bytes:
    """The page for a plan. `changes_of` renders one group alone (with what it needs); `decisions` are those made so
    far; `templates` is a project whose own templates/ come first; `verified` is what a check of the result found.
    Raises TemplateError.
    """
    decided = decisions or Decisions()
    able = [group for group in plan.groups if group.verdict is not Verdict.MANUAL]
    views = [_view(group, number, changes_of(group), decided) for number, group in enumerate(able, 1)]
    left = [_view(group, 0, (), decided) for group in plan.groups if group.verdict is Verdict.MANUAL]
    style, script = fill(templates, STYLE), fill(templates, SCRIPT)
    counts = Counter(group.verdict for group in plan.groups)
    page = fill(
        templates,
        PAGE,
        title=visible(title),
        policy="; ".join([*POLICY, f"style-src {_hash(style)}", f"script-src {_hash(script)}"]),
        style=Markup(style),
        script=Markup(script),
        views=views,
        left=left,
        diagnostics=plan.diagnostics,
        counts=[(verdict.value, counts[verdict]) for verdict in Verdict if counts[verdict]],
        meaning={verdict.value: meaning for verdict, meaning in MEANING.items()},
        services=len({group.finding.store.service for group in plan.groups}),
        requires=sorted({requirement for group in able for requirement in group.requires}),
        notes=[note for each in plan.backing for note in each.notes],
        schema=SCHEMA,
        verified=verified,
        words=words,
        visible=visible,
    )
    return page.encode("utf-8", "backslashreplace")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _view(group: Group, number: int, changes: Sequence[FileChange], decided: Decisions) -> GroupView:
    choice = decided.of(group.id)
    return GroupView(
        group=group,
        number=number,
        anchor=f"change-{number}" if number else f"left-{hashlib.sha256(group.id.encode()).hexdigest()[:12]}",
        files=tuple(_file(group, change) for change in changes),
        seen=fingerprint(group, changes),
        accept=choice.accept,
        answers={decision.name: words.answer(group, decision) for decision in group.decisions},
        reasons=words.kept(group),
    )


def _file(group: Group, change: FileChange) -> FileView:
    note = "new file" if change.before is None else "removed" if change.after is None else ""
    generated = change.before is None and change.path not in group.files
    return FileView(path=visible(change.path), note=note, rows=tuple(rows(change)), generated=generated)


def rows(change: FileChange) -> Iterator[Row]:
    """A file's diff side by side, three lines of context around each change."""
    content = change.after if change.after is not None else change.before or b""
    encoding = words.encoding(content)
    old, new = diff.LINE.findall(change.before or b""), diff.LINE.findall(change.after or b"")
    for number, group in enumerate(diff.grouped(diff.opcodes(old, new))):
        if number:
            yield Row(kind="gap")
        for tag, i1, i2, j1, j2 in group:
            kind = "same" if tag == "equal" else "changed"
            for i, j in zip_longest(range(i1, i2), range(j1, j2)):
                yield Row(
                    kind=kind,
                    old_number=0 if i is None else i + 1,
                    old="" if i is None else _shown(old[i], encoding),
                    new_number=0 if j is None else j + 1,
                    new="" if j is None else _shown(new[j], encoding),
                )


def _shown(line: bytes, encoding: str) -> str:
    return words.visible_lines(line.removesuffix(b"\n").decode(encoding, "backslashreplace"))
