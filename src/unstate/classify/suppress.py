"""Findings that a comment in the code waves through, and comments that wave nothing through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from unstate.config import Config
from unstate.facts.values import Suppression
from unstate.model import Diagnostic, Finding

UNUSED = "US002"


def suppressed(
    findings: Iterable[Finding], comments: Mapping[str, Sequence[Suppression]], config: Config
) -> tuple[list[Finding], list[Diagnostic]]:
    """The findings that no `# unstate: ignore` covers, and a diagnostic for each such comment that covers none.

    `comments` are those of each file. A comment covers the store that its line defines. One for a rule that is not
    selected is left alone.
    """
    used: set[tuple[str, int]] = set()
    left = []
    for finding in findings:
        covering = [found for found in comments.get(finding.store.path, ()) if _covers(found, finding)]
        used.update((finding.store.path, comment.line) for comment in covering)
        if not covering:
            left.append(finding)
    unused = [
        Diagnostic(path=path, line=comment.line, message=_message(comment), rule=UNUSED)
        for path, of_file in comments.items()
        for comment in of_file
        if (path, comment.line) not in used and _is_selected(comment, path, config)
    ]
    return left, unused


def _covers(comment: Suppression, finding: Finding) -> bool:
    span = finding.store.span
    on_it = span.line <= comment.line <= span.end_line
    return on_it and (not comment.rules or any(finding.rule.startswith(rule) for rule in comment.rules))


def _is_selected(comment: Suppression, path: str, config: Config) -> bool:
    return config.selects(UNUSED, path) and (
        not comment.rules or any(config.selects(rule, path) for rule in comment.rules)
    )


def _message(comment: Suppression) -> str:
    rules = f"[{', '.join(comment.rules)}]" if comment.rules else ""
    return f"unused: nothing is found here that `unstate: ignore{rules}` could keep silent; remove the comment"
