"""Scenarios that are written down as steps: TOML or YAML files, and whatever else becomes steps.

[[step]]
request = "POST /login"
json = { user = "ann" }
capture = { token = "body.token" }

[[step]]
request = "GET /me"
headers = { X-Token = "{token}" }
"""

from __future__ import annotations

import base64
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec

from unstate.config import nearest
from unstate.verify.answers import Answer
from unstate.verify.client import Http
from unstate.verify.errors import CannotVerifyError
from unstate.verify.scenario import Scenario

PLACEHOLDER = re.compile(r"\{(\w+)\}")
VALUE = re.compile(r"[\w~+=-]+(?:\.[\w~+=-]+)*")  # what stands after a text: an id, a token, a signed cookie
PATH_PART = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One request. At most one of `json`, `form`, `body` and `body_base64`.

    `capture` names values of the answer for later steps, each from `body.field[0].field` of a JSON body, `header:NAME`,
    `cookie:NAME`, or `after:TEXT`, what stands behind TEXT in the body. `user` tells several users' cookies apart.
    """

    request: str
    headers: dict[str, str] = {}
    query: dict[str, str | int] = {}
    json: Any = msgspec.UNSET
    form: dict[str, str | int] = {}
    body: str = ""
    body_base64: str = ""
    capture: dict[str, str] = {}
    user: str = ""
    optional: tuple[str, ...] = ()  # captures that may fail: the recorded value stands in
    recorded: dict[str, str] = {}


class StepError(Exception):
    """A step cannot be made: what it needs never came."""


def scenario_of(steps: Sequence[Step], name: str) -> Scenario:
    """The steps as a scenario."""

    def drive(http: Http) -> None:
        users = {"": http}
        values: dict[str, str] = {}
        for number, step in enumerate(steps, 1):
            client = users.get(step.user) or users.setdefault(step.user, http.session())
            answer = _make(client, step, values)
            for key, source in step.capture.items():
                value = captured(answer, client, source)
                if value is None and key not in step.optional:
                    raise StepError(f"step {number} captures {key!r} from {source}, and its answer has none")
                values[key] = step.recorded.get(key, "") if value is None else value

    return Scenario(name, drive)


def _make(client: Http, step: Step, values: Mapping[str, str]) -> Answer:
    def fill(text: str) -> str:
        return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)

    method, _, path = step.request.partition(" ")
    headers = {key: fill(value) for key, value in step.headers.items()}
    for cookie in filter(None, headers.pop("Cookie", "").split("; ")):
        client.cookies.set(*cookie.split("=", 1))
    options: dict[str, Any] = {"headers": headers}
    if step.query:
        options["params"] = {key: fill(str(value)) for key, value in step.query.items()}
    if step.json is not msgspec.UNSET:
        options["json"] = _filled(step.json, fill)
    elif step.form:
        options["content"] = urlencode({key: fill(str(value)) for key, value in step.form.items()})
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    elif step.body:
        options["content"] = fill(step.body).encode()
    elif step.body_base64:
        options["content"] = base64.b64decode(step.body_base64)
    return client.request(method, fill(path.strip()), **options)


def _filled(value: Any, fill: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return fill(value)
    if isinstance(value, list):
        return [_filled(item, fill) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, fill) for key, item in value.items()}
    return value


def captured(answer: Answer, client: Http, source: str) -> str | None:
    """The value that `source` names in an answer, None where there is none."""
    kind, colon, rest = source.partition(":")
    if colon and kind == "header":
        return answer.headers.get(rest.lower())
    if colon and kind == "cookie":
        return client.cookies.get(rest)
    if colon and kind == "after":
        at = answer.text.find(rest)
        found = VALUE.match(answer.text, at + len(rest)) if at >= 0 else None
        return found[0] if found else None
    try:
        value = answer.json()
        for name, index in PATH_PART.findall(source.removeprefix("body")):
            value = value[int(index)] if index else value[name]
    except (ValueError, LookupError, TypeError):
        return None
    return str(value) if isinstance(value, str | int | float) else None


def load_steps(path: Path) -> Scenario:
    """The scenario in a TOML or YAML file. Raises `CannotVerifyError` naming the step and the nearest right word."""
    text = path.read_text(encoding="utf-8")
    try:
        data = _yaml(text) if path.suffix in {".yaml", ".yml"} else tomllib.loads(text)
    except ValueError as error:
        raise CannotVerifyError(f"{path}: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get("step"), list) or len(data) > 1:
        others = ", ".join(map(repr, data)) if isinstance(data, dict) and data else "nothing"
        raise CannotVerifyError(f"{path}: a scenario is a list of [[step]] tables; here is {others}")
    steps = [_step(raw, number, path, text) for number, raw in enumerate(data["step"], 1)]
    _check_placeholders(steps, path, text)
    return scenario_of(steps, path.name)


def _yaml(text: str) -> Any:
    try:
        import yaml  # type: ignore[import-untyped,unused-ignore]
    except ImportError as error:
        raise CannotVerifyError("a YAML scenario needs PyYAML: pip install pyyaml, or write it as TOML") from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _step(raw: Any, number: int, path: Path, text: str) -> Step:
    known = [name for name in Step.__struct_fields__ if name not in {"optional", "recorded"}]
    place = _place(path, text, number)
    if not isinstance(raw, dict):
        raise CannotVerifyError(f"{place}: a step is a table with the keys {', '.join(known)}")
    for key in raw:
        if key not in known:
            raise CannotVerifyError(f"{_place(path, text, number, key)}: unknown key {key!r}; {nearest(key, known)}")
    try:
        step = msgspec.convert(raw, Step)
    except msgspec.ValidationError as error:
        raise CannotVerifyError(f"{place}: {error}") from error
    if not re.fullmatch(r"[A-Z]+ /\S*", step.request):
        raise CannotVerifyError(
            f"{_place(path, text, number, 'request')}: request is {step.request!r}; write METHOD /PATH, like "
            '"POST /login"'
        )
    if sum(map(bool, (step.json is not msgspec.UNSET, step.form, step.body, step.body_base64))) > 1:
        raise CannotVerifyError(f"{place}: a request has one body: json, form, body or body_base64")
    for source in step.capture.values():
        if not re.match(r"body[.\[]|(header|cookie|after):.", source):
            raise CannotVerifyError(
                f"{_place(path, text, number, 'capture')}: cannot capture from {source!r}; write body.FIELD, "
                "header:NAME, cookie:NAME or after:TEXT"
            )
    return step


def _check_placeholders(steps: Sequence[Step], path: Path, text: str) -> None:
    """A name in braces in a path or a header that no step before has captured is a typing error."""
    names: list[str] = []
    for number, step in enumerate(steps, 1):
        for used in PLACEHOLDER.findall(" ".join([step.request, *step.headers.values()])):
            if used not in names:
                advice = nearest(used, names) if names else "nothing is captured before"
                raise CannotVerifyError(f"{_place(path, text, number)}: no step before captures {used!r}; {advice}")
        names += step.capture


def _place(path: Path, text: str, number: int, key: str = "") -> str:
    """`file:line: step N`, the line of the step, or of its key."""
    starts = [found.start() for found in re.finditer(r"^(\[\[step\]\]|\s*- )", text, re.MULTILINE)]
    if number > len(starts):
        return f"{path}: step {number}"
    start, end = starts[number - 1], [*starts, len(text)][number]
    found = re.search(rf"^[\s-]*[\"']?{re.escape(key)}\b", text[start:end], re.MULTILINE) if key else None
    at = start + (found.end() if found else 0)
    return f"{path}:{text.count(chr(10), 0, at) + 1}: step {number}"
