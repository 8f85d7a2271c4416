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
    others: dict[tuple[str, int], str] = {}  # of comments for another rule than the one that is found: that one
    left = []
    for finding in findings:
        beside = [found for found in comments.get(finding.store.path, ()) if _stands_at(found, finding)]
        covering = [found for found in beside if _names(found, finding)]
        used.update((finding.store.path, comment.line) for comment in covering)
        others.update(((finding.store.path, comment.line), finding.rule) for comment in beside)
        if not covering:
            left.append(finding)
    unused = [
        Diagnostic(
            path=path,
            line=comment.line,
            message=_message(comment, others.get((path, comment.line), "")),
            rule=UNUSED,
        )
        for path, of_file in comments.items()
        for comment in of_file
        if (path, comment.line) not in used and _is_selected(comment, path, config)
    ]
    return left, unused


def _stands_at(comment: Suppression, finding: Finding) -> bool:
    return finding.store.span.line <= comment.line <= finding.store.span.end_line


def _names(comment: Suppression, finding: Finding) -> bool:
    return not comment.rules or any(finding.rule.startswith(rule) for rule in comment.rules)


def _is_selected(comment: Suppression, path: str, config: Config) -> bool:
    return config.selects(UNUSED, path) and (
        not comment.rules or any(config.selects(rule, path) for rule in comment.rules)
    )


def _message(comment: Suppression, found: str) -> str:
    rules = f"[{', '.join(comment.rules)}]" if comment.rules else ""
    if found:
        return f"unused: `unstate: ignore{rules}` keeps nothing silent here, where {found} is found"
    return f"unused: nothing is found here that `unstate: ignore{rules}` could keep silent; remove the comment"
