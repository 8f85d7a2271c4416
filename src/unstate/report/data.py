"""Findings for programs: JSON in the fixed words of `unstate.scan/1`, and the same one store a line."""

from __future__ import annotations

from typing import Literal

from unstate.changes.documents import compact, encode
from unstate.model import Decision, Finding, Kind, Op, Scan, Scope, Shape, Value, Verdict


class SiteEntry(Value, frozen=True):
    """One place that touches a store."""

    path: str
    line: int
    op: Op


class StoreEntry(Value, frozen=True):
    """One store. `path` is relative to the scanned root, with `/`; `line` is where it is defined; `verdict` is the best
    that a patch for it may reach."""

    id: str
    rule: str
    kind: Kind
    shape: Shape
    name: str
    path: str
    line: int
    scope: Scope
    verdict: Verdict
    sites: tuple[SiteEntry, ...]
    evidence: tuple[str, ...]
    reasons: tuple[str, ...]
    decisions: tuple[Decision, ...]
    service: str
    module: str


class DiagnosticEntry(Value, frozen=True):
    """Something that kept a file, or a part of it, from being read."""

    path: str
    line: int
    message: str
    rule: str


class ScanEntry(Value, frozen=True, kw_only=True):
    """A whole scan."""

    schema: Literal["unstate.scan/1"] = "unstate.scan/1"
    stores: tuple[StoreEntry, ...]
    diagnostics: tuple[DiagnosticEntry, ...]


def scan_json(scan: Scan) -> bytes:
    """The scan as one JSON object."""
    return encode(_entry(scan))


def scan_jsonl(scan: Scan) -> bytes:
    """The scan one JSON object a line: `{"store": …}` for each store, then `{"diagnostic": …}` for each of those."""
    entry = _entry(scan)
    lines = [{"store": store} for store in entry.stores] + [{"diagnostic": each} for each in entry.diagnostics]
    return b"".join(compact(line) + b"\n" for line in lines)


def _entry(scan: Scan) -> ScanEntry:
    return ScanEntry(
        stores=tuple(_store(finding) for finding in scan.findings),
        diagnostics=tuple(
            DiagnosticEntry(path=each.path, line=each.line, message=each.message, rule=each.rule)
            for each in scan.diagnostics
        ),
    )


def _store(finding: Finding) -> StoreEntry:
    store = finding.store
    return StoreEntry(
        id=finding.id,
        rule=finding.rule,
        kind=finding.kind,
        shape=finding.shape,
        name=store.name,
        path=store.path,
        line=store.span.line,
        scope=store.scope,
        verdict=finding.limit,
        sites=tuple(SiteEntry(path=site.path, line=site.line, op=site.op) for site in store.sites),
        evidence=finding.evidence,
        reasons=finding.reasons,
        decisions=finding.decisions,
        service=store.service,
        module=store.module,
    )
