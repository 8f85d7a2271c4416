"""Findings for build servers: annotations of GitHub Actions, and JUnit XML."""

from __future__ import annotations

from xml.etree import ElementTree

from unstate.model import Diagnostic, Finding, Scan
from unstate.report import words
from unstate.report.words import visible


def scan_github(scan: Scan) -> bytes:
    """One workflow command a line: a warning for each store, a notice for each file that was not read in full."""
    lines = [_warning(finding) for finding in scan.findings] + [_notice(each) for each in scan.diagnostics]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")


def _warning(finding: Finding) -> str:
    span = finding.store.span
    title = f"{finding.rule} {finding.store.name}: {words.what(finding)}"
    text = "\n".join(visible(line) for line in (*finding.evidence, *finding.reasons)) or title
    place = f"file={_property(finding.store.path)},line={span.line},endLine={span.end_line}"
    return f"::warning {place},title={_property(title)}::{_data(text)}"


def _notice(diagnostic: Diagnostic) -> str:
    place = f"file={_property(diagnostic.path)}" + (f",line={diagnostic.line}" if diagnostic.line else "")
    return f"::notice {place},title={_property(diagnostic.rule)}::{_data(visible(diagnostic.message))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(visible(text)).replace(":", "%3A").replace(",", "%2C")


def scan_junit(scan: Scan) -> bytes:
    """A test suite a service: a failed test for each store; files that were not read in full are errors."""
    services: dict[str, list[Finding]] = {}
    for finding in scan.findings:
        services.setdefault(finding.store.service, []).append(finding)
    root = ElementTree.Element(
        "testsuites", name="unstate", failures=str(len(scan.findings)), errors=str(len(scan.diagnostics))
    )
    for service, findings in services.items():
        suite = _suite(root, f"unstate {service}", len(findings), failures=len(findings))
        for finding in findings:
            _failure(suite, finding)
    if scan.diagnostics:
        suite = _suite(root, "unstate: not read in full", len(scan.diagnostics), errors=len(scan.diagnostics))
        for each in scan.diagnostics:
            case = ElementTree.SubElement(suite, "testcase", classname=visible(each.path), name=words.at(each))
            ElementTree.SubElement(case, "error", message=visible(each.message), type=each.rule)
    if not services and not scan.diagnostics:
        suite = _suite(root, "unstate", 1)
        ElementTree.SubElement(suite, "testcase", classname="unstate", name="no state in the process")
    root.set("tests", str(sum(int(suite.get("tests", "0")) for suite in root)))
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _suite(root: ElementTree.Element, name: str, tests: int, failures: int = 0, errors: int = 0) -> ElementTree.Element:
    counts = {"tests": str(tests), "failures": str(failures), "errors": str(errors)}
    return ElementTree.SubElement(root, "testsuite", {"name": visible(name), **counts})


def _failure(suite: ElementTree.Element, finding: Finding) -> None:
    store = finding.store
    name = visible(f"{store.module}.{store.name}")
    case = ElementTree.SubElement(
        suite, "testcase", classname=finding.rule, name=name, file=visible(store.path), line=str(store.span.line)
    )
    failure = ElementTree.SubElement(case, "failure", message=words.what(finding), type=finding.rule)
    story = [words.place(finding), *finding.evidence, *finding.reasons]
    failure.text = "\n".join(visible(line) for line in story)
