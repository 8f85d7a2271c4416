"""Scenarios from files: steps, recordings, and what a person may get wrong in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from unstate.verify import App, Backing, CannotVerifyError, Outcome, verify
from unstate.verify.answers import Answer
from unstate.verify.har import Exchange, correlated
from unstate.verify.sources import generated, load_scenario

STEPS = """
[[step]]
request = "POST /sign-in"
json = { user = "ann" }
capture = { token = "body.token" }

[[step]]
request = "POST /drafts"
headers = { X-Token = "{token}" }
body = "hello"
capture = { draft = "body.draft_id" }

[[step]]
request = "GET /drafts/{draft}"

[[step]]
request = "POST /drafts/{draft}/publish"
headers = { X-Token = "{token}" }
"""
YAML_STEPS = """
step:
  - request: POST /sign-in
    json: {user: ann}
    capture: {token: body.token}
  - request: POST /drafts
    headers: {X-Token: "{token}"}
    body: hello
    capture: {draft: "body.draft_id"}
  - request: GET /drafts/{draft}
  - request: POST /drafts/{draft}/publish
    headers: {X-Token: "{token}"}
"""


def check(path: Path, examples: Path, migrated: Path, backing: Backing) -> Outcome:
    scenario, _ = load_scenario(str(path))
    original = App(examples / "fastapi_app", "main:app")
    return verify(
        App(migrated / "fastapi_app", "main:app"), scenario, backing, original=original, processes=2, faults=["rotate"]
    ).outcome


def test_steps(tmp_path: Path, examples: Path, migrated: Path, backing: Backing) -> None:
    (tmp_path / "flow.toml").write_text(STEPS)
    assert check(tmp_path / "flow.toml", examples, migrated, backing) is Outcome.SAME


def test_steps_in_yaml_are_the_same_requests(tmp_path: Path) -> None:
    def asked(name: str, text: str) -> list[tuple[str, str, str | None, bytes]]:
        (tmp_path / name).write_text(text)
        requests = []

        def route(step: int, request: httpx.Request) -> Answer:
            requests.append((request.method, str(request.url), request.headers.get("x-token"), request.content))
            return Answer("", 200, "application/json", b'{"token": "t1", "draft_id": "d2"}')

        load_scenario(str(tmp_path / name))[0].run(route)
        return requests

    in_toml = asked("flow.toml", STEPS)
    assert in_toml[-1] == ("POST", "http://127.0.0.1/drafts/d2/publish", "t1", b"")
    assert asked("flow.yaml", YAML_STEPS) == in_toml


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'capture = { draft = "',
            'captur = { draft = "',
            r'flow.toml:11: step 2: unknown key \'captur\'; did you mean "capture"',
        ),
        (
            "{draft}/publish",
            "{drfat}/publish",
            r'flow.toml:16: step 4: no step before captures \'drfat\'; did you mean "draft"',
        ),
        ('"GET /drafts', '"/drafts', r"flow.toml:14: step 3: request is '/drafts/\{draft\}'; write METHOD /PATH"),
        ('"body.token"', '"token"', r"flow.toml:5: step 1: cannot capture from 'token'; write body.FIELD"),
        ('body = "hello"', "body = 3", r"flow.toml:7: step 2: Expected `str`, got `int`"),
        ('body = "hello"', 'body = "x"\njson = 1', r"flow.toml:7: step 2: a request has one body"),
        ("[[step]]", "[[steps]]", r"a list of \[\[step\]\] tables; here is 'steps'"),
        ("[[step]]", "[[step]", r"flow.toml: Expected ']]'"),
    ],
)
def test_a_typing_error_is_named_with_its_line(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert old in STEPS
    (tmp_path / "flow.toml").write_text(STEPS.replace(old, new))
    with pytest.raises(CannotVerifyError, match=message):
        load_scenario(str(tmp_path / "flow.toml"))


def test_a_capture_that_finds_nothing_says_so(tmp_path: Path, examples: Path, migrated: Path, backing: Backing) -> None:
    (tmp_path / "flow.toml").write_text(STEPS.replace("body.token", "body.tokn"))
    with pytest.raises(CannotVerifyError, match=r"step 1 captures 'token' from body\.tokn"):
        check(tmp_path / "flow.toml", examples, migrated, backing)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.har", "{}", "no HAR file: KeyError: 'log'"),
        ("x.har", "not json", "no HAR file"),
        ("x.har", '{"log": {"entries": []}}', "no request"),
        ("x.txt", "", "not a scenario"),
    ],
)
def test_a_file_that_is_no_scenario(name: str, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(CannotVerifyError, match=message):
        load_scenario(str(tmp_path / name))


def test_a_missing_file_names_the_kinds() -> None:
    with pytest.raises(CannotVerifyError, match=r"no such file; a scenario is a \.py file"):
        load_scenario("nowhere.toml")


def entry(method: str, path: str, answer: Any, **extra: Any) -> dict[str, Any]:
    """One entry as a browser writes it."""
    request: dict[str, Any] = {
        "method": method,
        "url": f"http://localhost:8000{path}",
        "headers": [{"name": ":authority", "value": "x"}, {"name": "Accept", "value": "*/*"}],
        "cookies": [],
    }
    if "json" in extra:
        request["headers"].append({"name": "Content-Type", "value": "application/json"})
        request["postData"] = {"mimeType": "application/json", "text": json.dumps(extra["json"])}
    if "token" in extra:
        request["headers"].append({"name": "X-Token", "value": extra["token"]})
    content = {"mimeType": "application/json", "text": json.dumps(answer)}
    return {
        "_resourceType": extra.get("kind", "fetch"),
        "startedDateTime": extra.get("at", "2024"),
        "request": request,
        "response": {"status": 200, "headers": [], "cookies": [], "content": content},
    }


def test_a_recording_is_correlated_by_itself(tmp_path: Path, examples: Path, migrated: Path, backing: Backing) -> None:
    token, draft = "0123456789abcdef0123", "fedcba9876543210"
    entries = [
        entry("POST", "/sign-in", {"token": token}, json={"user": "ann"}, at="1"),
        entry("POST", "/drafts", {"draft_id": draft}, json="text", token=token, at="2"),
        entry("GET", "/static/logo.png", {}, kind="image", at="3"),
        entry("GET", f"/drafts/{draft}", {}, at="4"),
        entry("POST", f"/drafts/{draft}/publish", {}, token=token, at="5"),
    ]
    elsewhere = entry("GET", "/collect", {}, at="3")
    elsewhere["request"]["url"] = "https://statistics.example/collect"
    (tmp_path / "browser.har").write_text(json.dumps({"log": {"entries": [*entries[::-1], elsewhere]}}))
    assert check(tmp_path / "browser.har", examples, migrated, backing) is Outcome.SAME


def test_a_browsers_recording(examples: Path, migrated: Path, backing: Backing) -> None:
    """Chromium, 9 requests of a page to the Flask example; the ids and tokens in it are those of that hour."""
    scenario, _ = load_scenario(str(Path(__file__).with_name("browser.har")))
    original = App(examples / "flask_app", "app:app")
    report = verify(
        App(migrated / "flask_app", "app:app"), scenario, backing, original=original, processes=2, faults=["rotate"]
    )
    assert report.ok, report.text()
    assert report.steps == 9


def exchange(path: str, answer: str, kind: str = "application/json", body: str = "", **extra: Any) -> Exchange:
    return Exchange("POST", path, {}, body, answer_type=kind, answer=answer, **extra)


def test_values_are_found_where_they_stood() -> None:
    steps = correlated(
        [
            exchange(
                "/form", '<input name="csrf" value="a1b2c3d4e5">', "text/html", answer_cookies={"sid": "s3cr3t-99"}
            ),
            exchange("/send", '{"order": {"id": 7, "name": "plain words"}}', body="csrf=a1b2c3d4e5&x=s3cr3t-99"),
            exchange("/orders/7?page=7", "{}", body="7 plain words"),
        ]
    )
    assert set(steps[0].capture.values()) == {'after:nput name="csrf" value="', "cookie:sid"}
    assert "a1b2c3d4e5" not in steps[1].body
    assert "s3cr3t-99" not in steps[1].body
    assert list(steps[1].capture.values()) == ["body.order.id"]
    name = next(iter(steps[1].capture))
    assert steps[2].request == f"POST /orders/{{{name}}}?page={{{name}}}"
    assert steps[2].body == "7 plain words"


def test_what_the_client_said_first_is_not_taken_from_an_answer() -> None:
    steps = correlated([exchange("/a", '{"user": "ann-2024"}', body="ann-2024"), exchange("/b/ann-2024", "{}")])
    assert steps[1].request == "POST /b/ann-2024"
    assert steps[0].capture == {}


def test_a_schema_becomes_a_scenario(examples: Path, migrated: Path, backing: Backing) -> None:
    pytest.importorskip("schemathesis")
    original = App(examples / "fastapi_app", "main:app")
    scenario = generated("openapi:/openapi.json", original, backing)
    result = App(migrated / "fastapi_app", "main:app")
    report = verify(result, scenario, backing, original=original, processes=2, faults=["rotate"])
    assert report.ok, report.text()
    assert report.steps > 10
