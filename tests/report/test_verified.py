"""A check's result on the page: what `unstate verify` wrote is read back and shown as text, never as markup."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from test_command import app, unstate

from unstate.changes.documents import DocumentError
from unstate.model import Plan
from unstate.report.html import plan_html
from unstate.report.schemas import schemas
from unstate.report.verified import load
from unstate.verify import Outcome, PhaseResult, Report
from unstate.verify.answers import Answer, Difference
from unstate.verify.report import Beside, Changed

__all__ = ["app"]

EXPECTED = Answer("GET /me", 200, "application/json", b'{"user": "ann"}', process="process 1 (pid 7)")
GOT = Answer("GET /me", 401, "text/html", b"<script>alert(1)</script>\nlog in", process="process 3 (pid 9)")
BASELINE = PhaseResult("baseline", "the original in one process, twice", Outcome.SAME, notes=("step 2: a clock",))
TEETH = PhaseResult(
    "teeth", "the original has to differ", Outcome.DIFFERS, Outcome.DIFFERS, Difference(1, "status", EXPECTED, None)
)
ROTATE = PhaseResult(
    "rotate",
    "over 3 processes in turn",
    Outcome.DIFFERS,
    difference=Difference(3, "status", EXPECTED, GOT, "as if new"),
)
DIFFERS = Report(
    *("app:app", "drive.py", "a Redis and an S3", 5, (BASELINE, TEETH, ROTATE)),
    leftovers=(Changed("app.tokens", ("POST /login",)),),
    beside=Beside(("app.users",), ("app.jobs",), ()),
    shared=("instance/data.db",),
)
SAME = Report("app:app", "drive.py", "a Redis and an S3", 5, (BASELINE, TEETH))
CUT = Report(
    *("serve {port}", "x.har", "a Redis", 2),
    (PhaseResult("rotate", "in turn", Outcome.DIFFERS, difference=Difference(2, "", None, None, "it stopped")),),
)


def page(report: Report, folder: Path) -> str:
    (folder / "v.json").write_text(report.json())
    return plan_html(Plan(), lambda group: (), title="shop", verified=load(folder / "v.json")).decode()


def test_the_first_difference_is_shown_with_both_answers(tmp_path: Path) -> None:
    text = page(DIFFERS, tmp_path)
    for shown in ("Shown by running it", "phase rotate, step 3", "a clock", "differs, as it has to", "as if new"):
        assert shown in text
    assert text.count("The first difference") == 1  # the original has to differ: that is no news
    assert "200 application/json\n{&#34;user&#34;: &#34;ann&#34;}" in text
    assert "401 text/html\n&lt;script&gt;alert(1)&lt;/script&gt;\nlog in" in text
    assert "process 3 (pid 9)" in text
    assert "all processes share <code>instance/data.db</code>" in text
    for name in ("app.tokens", "app.users", "app.jobs"):
        assert f"<code>{name}</code>" in text
    assert "only by running" not in text


def test_a_check_without_a_difference_shows_its_phases(tmp_path: Path) -> None:
    text = page(SAME, tmp_path)
    assert "the original in one process, twice" in text
    assert "The first difference" not in text
    assert "<pre>" not in text


def test_a_run_that_stopped_has_no_answers_to_show(tmp_path: Path) -> None:
    assert page(CUT, tmp_path).count("(no such step)") == 2


def test_without_a_check_the_page_says_nothing_of_one() -> None:
    assert "Shown by running it" not in plan_html(Plan(), lambda group: (), title="shop").decode()


@pytest.mark.parametrize("report", [DIFFERS, SAME, CUT])
def test_the_json_of_a_check_is_valid(report: Report) -> None:
    jsonschema.validate(json.loads(report.json()), json.loads(schemas()["verify-1.schema.json"]))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "v.json:1: not JSON"),
        ('{"schema": "unstate.plan/1"}', 'this is unstate.plan/1, where "unstate.verify/1" was wanted'),
        ('{"schema": "unstate.verify/1", "outcome": "fine"}', "$.outcome"),
    ],
)
def test_another_file_is_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text(text)
    with pytest.raises(DocumentError) as caught:
        load(tmp_path / "v.json")
    assert said in str(caught.value)


def test_the_command_puts_a_check_on_the_page(app: Path) -> None:
    (app / "v.json").write_text(DIFFERS.json())
    assert unstate(app, "report", ".", "--html", "o.html", "--verified", "v.json").returncode == 0
    assert "phase rotate, step 3" in (app / "o.html").read_text()
    for arguments, said in (
        (["--markdown", "o.md", "--verified", "v.json"], "add --html FILE"),
        (["--html", "p.html", "--verified", "no.json"], "no.json: No such file"),
    ):
        done = unstate(app, "report", ".", *arguments)
        assert (done.returncode, said in " ".join(done.stderr.split())) == (2, True), done.stderr
        assert not (app / "p.html").exists()
