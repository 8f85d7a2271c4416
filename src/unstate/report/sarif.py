"""Findings as SARIF 2.1.0, for code scanning services and editors: one result a store, its sites as related places."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from unstate import __version__, codemods
from unstate.changes.documents import encode
from unstate.codemods import Codemod
from unstate.model import Diagnostic, Finding, Scan, Site, Span
from unstate.report import words

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "%SRCROOT%"
RELATED = 100  # of a store's sites at most; services drop a result with too many


def scan_sarif(scan: Scan) -> bytes:
    """The scan as one SARIF run. URIs are relative to what the scan's paths are, named %SRCROOT%."""
    known = codemods.load()
    used = sorted({finding.rule for finding in scan.findings} | {each.rule for each in scan.diagnostics})
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "unstate",
                "version": __version__,
                "rules": [_rule(code, known.get(code)) for code in used],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "Where unstate was started."}}},
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [_notification(each, used) for each in scan.diagnostics],
            }
        ],
        "results": [_result(finding, used) for finding in scan.findings],
    }
    return encode({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(code: str, codemod: Codemod | None) -> dict[str, Any]:
    if codemod is None:
        return {"id": code}
    return {
        "id": code,
        "name": codemod.name,
        "shortDescription": {"text": codemod.summary},
        "fullDescription": {"text": codemod.breaks or codemod.summary},
        "help": {"text": codemod.documentation, "markdown": codemod.documentation},
        "defaultConfiguration": {"level": "warning"},
    }


def _result(finding: Finding, used: Sequence[str]) -> dict[str, Any]:
    store = finding.store
    where = {"fullyQualifiedName": f"{store.module}.{store.name}", "kind": "variable"}
    return {
        "ruleId": finding.rule,
        "ruleIndex": used.index(finding.rule),
        "level": "warning",
        "message": {"text": _message(finding)},
        "locations": [{**_location(store.path, store.span), "logicalLocations": [where]}],
        "relatedLocations": [_related(number, site) for number, site in enumerate(words.used(finding)[:RELATED])],
        "partialFingerprints": {"unstateStore/v1": hashlib.sha256(finding.id.encode()).hexdigest()},
        "properties": {
            "kind": finding.kind.value,
            "shape": finding.shape.value,
            "verdict": finding.limit.value,
            "store": finding.id,
        },
    }


def _message(finding: Finding) -> str:
    return " ".join([f"{finding.store.name} keeps {words.what(finding)}.", *finding.evidence, *finding.reasons])


def _related(number: int, site: Site) -> dict[str, Any]:
    said = f"{site.op.value} in {site.function}" if site.function else f"{site.op.value} at module level"
    return {"id": number, **_location(site.path, site.span), "message": {"text": said}}


def _location(path: str, span: Span) -> dict[str, Any]:
    region = {
        "startLine": span.line,
        "startColumn": span.column + 1,
        "endLine": span.end_line,
        "endColumn": span.end_column + 1,  # SARIF counts from 1, and ends after the last character
    }
    return {"physicalLocation": {"artifactLocation": _artifact(path), "region": region}}


def _artifact(path: str) -> dict[str, str]:
    return {"uri": quote(path, errors="surrogateescape"), "uriBaseId": ROOT}


def _notification(diagnostic: Diagnostic, used: Sequence[str]) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": _artifact(diagnostic.path)}
    if diagnostic.line:
        place["region"] = {"startLine": diagnostic.line}
    return {
        "level": "warning",
        "message": {"text": diagnostic.message},
        "locations": [{"physicalLocation": place}],
        "associatedRule": {"id": diagnostic.rule, "index": used.index(diagnostic.rule)},
    }
