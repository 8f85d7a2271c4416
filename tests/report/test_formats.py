"""What build servers, code scanning services and pull requests are given, by their own rules."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from markdown_it import MarkdownIt
from pydantic_sarif import model as sarif_model
from sample import ACCEPTED, HITS, PLAN, SCAN, SESSIONS

from unstate.model import Backing, Client, Diagnostic, Finding, Scan
from unstate.report import SCAN_FORMATS
from unstate.report.ci import scan_github, scan_junit
from unstate.report.markdown import plan_markdown, scan_markdown
from unstate.report.sarif import scan_sarif

NASTY = (
    "a\x00b\x1b[1m <script>alert(1)</script> | `x` [y](http://z) @octocat ]]> %0A::error::\n::error::forged\u2028\ufffe"
)


def nasty() -> Scan:
    store = msgspec.structs.replace(SESSIONS.store, name=NASTY, path="a b/%41,:é\n.py")
    finding = msgspec.structs.replace(SESSIONS, store=store, evidence=(NASTY,), reasons=(NASTY,))
    return Scan(findings=(finding,), diagnostics=(Diagnostic(path="a,b:\n.py", line=0, message=NASTY),))


@pytest.mark.parametrize("name", SCAN_FORMATS)
@pytest.mark.parametrize("scan", [SCAN, Scan(), nasty()], ids=["sample", "empty", "nasty"])
def test_every_format_takes_every_scan(name: str, scan: Scan) -> None:
    module, _, function = SCAN_FORMATS[name].partition(":")
    view = getattr(import_module(module), function)
    data = view(scan)
    assert data == view(scan)
    assert b"\x1b" not in data
    data.decode()


# --- SARIF


def sarif(scan: Scan) -> Any:
    data = scan_sarif(scan)
    sarif_model.StaticAnalysisResultsFormatSarifVersion210JsonSchema.model_validate_json(data)
    return json.loads(data)["runs"][0]


@pytest.mark.parametrize("scan", [SCAN, Scan(), nasty()], ids=["sample", "empty", "nasty"])
def test_sarif_is_valid(scan: Scan) -> None:
    assert len(sarif(scan)["results"]) == len(scan.findings)


def test_sarif_one_result_a_store_with_its_sites() -> None:
    run = sarif(SCAN)
    first = run["results"][0]
    assert run["tool"]["driver"]["rules"][first["ruleIndex"]]["id"] == first["ruleId"] == "US101"
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "app.py", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 11}
    assert [each["physicalLocation"]["region"]["startLine"] for each in first["relatedLocations"]] == [9, 13]
    assert first["relatedLocations"][0]["message"]["text"] == "setitem in login"
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert notes[0]["locations"][0]["physicalLocation"]["region"] == {"startLine": 3}


def test_sarif_fingerprints_outlive_edits() -> None:
    def moved(finding: Finding) -> Finding:
        span = msgspec.structs.replace(finding.store.span, line=77, end_line=77)
        store = msgspec.structs.replace(finding.store, span=span, sites=())
        return msgspec.structs.replace(finding, store=store, evidence=("other words",))

    here = [result["partialFingerprints"] for result in sarif(SCAN)["results"]]
    assert [
        result["partialFingerprints"] for result in sarif(Scan(findings=tuple(map(moved, SCAN.findings))))["results"]
    ] == here
    assert len({json.dumps(each) for each in here}) == 4


def test_sarif_paths_are_uris() -> None:
    location = sarif(nasty())["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location["uri"] == "a%20b/%2541%2C%3A%C3%A9%0A.py"


# --- GitHub


def test_github_annotations() -> None:
    lines = scan_github(SCAN).decode().splitlines()
    assert lines[0].startswith(
        "::warning file=app.py,line=2,endLine=2,title=US101 sessions%3A sessions in a module global::login"
    )
    assert "%0AA second process" in lines[0]
    assert lines[-1] == "::notice file=legacy.py,line=3,title=US001::invalid syntax: the file was not read"


def test_github_commands_cannot_be_forged() -> None:
    lines = scan_github(nasty()).decode().split("\n")
    assert [line.partition(" ")[0] for line in lines] == ["::warning", "::notice", ""]


# --- JUnit


def test_junit() -> None:
    root = ElementTree.fromstring(scan_junit(SCAN))
    assert root.attrib == {"name": "unstate", "failures": "4", "errors": "1", "tests": "5"}
    assert [case.get("name") for case in root.iter("testcase")][:2] == ["app.sessions", "app.hits"]
    failure = next(root.iter("failure"))
    assert failure.get("message") == "sessions in a module global"
    assert failure.text is not None and failure.text.startswith("app.py:2\nlogin writes")


def test_junit_that_passes() -> None:
    root = ElementTree.fromstring(scan_junit(Scan()))
    assert (root.get("tests"), root.get("failures")) == ("1", "0")
    assert not list(root.iter("failure"))


def test_junit_of_anything_parses() -> None:
    assert len(list(ElementTree.fromstring(scan_junit(nasty())).iter("failure"))) == 1


# --- markdown


def html(data: bytes) -> str:
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(data.decode())


def test_markdown_of_a_scan() -> None:
    text = html(scan_markdown(SCAN))
    assert text.count("<tr>") == 5
    assert "<td><code>sessions</code></td>" in text
    assert "<code>legacy.py:3</code>" in text
    assert "Nothing found" in html(scan_markdown(Scan()))


def test_markdown_of_a_plan() -> None:
    text = html(plan_markdown(PLAN, ACCEPTED))
    assert "Moves 3 stores out of the process" in text
    assert "A session ends 24 hours after it was written" in text
    assert "<code>24h</code> (default)" in text
    assert "<code>redis&gt;=6</code>" in text
    assert "a websocket cannot be stored; publish to a channel" in text
    assert "not accepted." in html(plan_markdown(PLAN, [HITS.id]))


def test_markdown_of_a_plan_says_how_it_goes_live() -> None:
    text = html(plan_markdown(PLAN, ACCEPTED))
    assert "Redis and the S3 bucket are there, and <code>REDIS_URL</code>, <code>UPLOAD_BUCKET</code> are set" in text
    assert "maxmemory-policy noeviction" in text
    assert "<li><code>sessions</code>: users log in again</li>" in text
    assert "<li><code>hits</code>: it starts anew</li>" in text
    assert html(plan_markdown(PLAN, [HITS.id])).count("S3") == 0
    assert "Rollout" not in html(plan_markdown(PLAN, []))


def test_a_client_of_the_apps_own_asks_for_no_variable_and_what_is_not_used_is_told() -> None:
    own = Client(kind="redis", module="ext", name="client")
    backing = Backing(service=".", path="b.py", module="b", clients=(own,), notes=("The S3 client is not used.",))
    text = html(plan_markdown(msgspec.structs.replace(PLAN, backing=(backing,)), [HITS.id]))
    assert "Redis is there." in text
    assert "REDIS_URL" not in text
    assert "<li>The S3 client is not used.</li>" in text


def test_a_project_has_its_own_words_for_a_rollout(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "rollout.md.j2").write_text("### Our way\n\n{{ variables|join }}\n")
    text = plan_markdown(PLAN, [HITS.id], tmp_path).decode()
    assert "### Our way\n\n`REDIS_URL`\n\n### Left as it is\n" in text


def test_markdown_has_no_markup_of_theirs() -> None:
    text = html(scan_markdown(nasty()))
    assert "<script" not in text
    assert "<a " not in text
    assert text.count("<tr>") == 2
    assert "@octocat" not in re.sub(r"<code>.*?</code>", "", text)
