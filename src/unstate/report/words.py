"""What every view says in the same words: numbers, kinds, places, and source text that is safe to show."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable

from unstate.model import Decision, Diagnostic, Finding, Group, Kind, Op, Refusal, Site

UNTOUCHED = (Op.DEFINE, Op.IMPORT, Op.GLOBAL)  # sites that name a store without using it
WHAT = {
    Kind.SESSION: "sessions",
    Kind.TOKEN: "tokens",
    Kind.CONVERSATION: "conversations",
    Kind.JOB_STATUS: "job statuses",
    Kind.COUNTER: "a counter",
    Kind.RATE_LIMIT: "rate limits",
    Kind.CACHE: "a cache",
    Kind.RECORD: "records",
    Kind.SETTING: "a setting",
    Kind.UPLOAD: "uploads",
    Kind.FILE_STORE: "files",
    Kind.FILE_DATABASE: "a file used as a database",
    Kind.CONNECTION_REGISTRY: "live connections",
    Kind.LOCK: "a lock",
    Kind.QUEUE: "a queue",
    Kind.SCHEDULER: "a scheduler",
    Kind.SECRET: "a secret made anew by each process",
}

# What a terminal would obey, XML refuse, or either show in another order than it stands: C0 and C1 but for the tab, the
# marks of right-to-left text (see "Trojan Source", CVE-2021-42574), and what is no character.
UNSHOWN = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def visible(text: str) -> str:
    """One line for a person's eyes: what would act on a terminal, end the line or hide is written out."""
    return UNSHOWN.sub(lambda match: ascii(match[0])[1:-1], text)


def visible_lines(text: str) -> str:
    """The same for text of several lines; a carriage return that ends a line is not worth showing."""
    return "\n".join(visible(line.removesuffix("\r")) for line in text.split("\n"))


def encoding(content: bytes) -> str:
    """The encoding of a Python file by its byte order mark or coding line; UTF-8 where those say nothing usable."""
    try:
        return tokenize.detect_encoding(io.BytesIO(content).readline)[0]
    except (SyntaxError, LookupError):
        return "utf-8"


def count(number: int, word: str, plural: str = "") -> str:
    """ "1 store", "2 stores"."""
    return f"{number} {word if number == 1 else plural or word + 's'}"


def listing(words: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    *rest, last = list(words) or [""]
    return f"{', '.join(rest)} and {last}" if rest else last


def what(finding: Finding) -> str:
    """What a store is, in a few words: "sessions in a module global"."""
    scope = finding.store.scope.value
    article = "an" if scope[0] in "aeiou" else "a"
    return f"{WHAT[finding.kind]} in {article} {scope}"


def place(finding: Finding) -> str:
    """Where a store is defined: "app.py:12"."""
    return f"{finding.store.path}:{finding.store.span.line}"


def used(finding: Finding) -> list[Site]:
    """The sites that use the store, in order of path and line."""
    sites = [site for site in finding.store.sites if site.op not in UNTOUCHED]
    return sorted(sites, key=lambda site: (site.path, site.span.line, site.span.column))


def places(sites: Iterable[Site | Refusal], limit: int = 6) -> str:
    """Sites by file: "app.py:40, 51; routes.py:10"; the tail is counted."""
    lines: dict[str, list[int]] = {}
    for site in sites:
        if site.line not in lines.setdefault(site.path, []):
            lines[site.path].append(site.line)
    left = limit
    parts = []
    for path, numbers in lines.items():
        if left > 0:
            parts.append(f"{path}:{', '.join(str(number) for number in numbers[:left])}")
        left -= len(numbers)
    return "; ".join(parts) + (f" and {-left} more" if left < 0 else "")


def answer(group: Group, decision: Decision) -> str:
    """What the patch does about a decision: the person's answer, or the default."""
    return dict(group.answers).get(decision.name, decision.default)


def question(decision: Decision) -> str:
    """A decision as a question with its choices: "How long may an entry live? (24h, 7d or none)"."""
    *rest, last = decision.choices or ("",)
    return f"{decision.question} ({', '.join(rest)} or {last})" if rest else decision.question


def at(diagnostic: Diagnostic) -> str:
    """Where a diagnostic is about: "app.py:12", or "app.py" as a whole."""
    return f"{diagnostic.path}:{diagnostic.line}" if diagnostic.line else diagnostic.path


def kept(group: Group) -> tuple[str, ...]:
    """Why a store stays as it is, and what a person could do: each reason once, with all of its places."""
    by_reason: dict[str, list[Refusal]] = {}
    for refused in group.refusals:
        advice = f"; {refused.advice}" if refused.advice else ""
        by_reason.setdefault(f"{refused.reason}{advice}", []).append(refused)
    return tuple(f"{places(each)}: {reason}" for reason, each in by_reason.items()) or group.finding.reasons
