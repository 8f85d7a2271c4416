"""Recorded traffic as a scenario: HAR files, as browsers export them and as our recorder writes them.

What an answer gave and a later request used (an id, a token, a form's hidden value, a cookie) is taken from the new
answer when the scenario is run again.
"""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from unstate.verify.errors import CannotVerifyError
from unstate.verify.scenario import Scenario
from unstate.verify.steps import VALUE, Step, scenario_of

# Of the connection, of the browser's cache, or made anew by our client.
DROPPED_HEADERS = {
    *("host", "connection", "content-length", "accept-encoding", "cookie", "if-none-match", "if-modified-since"),
    *("cache-control", "pragma", "upgrade-insecure-requests", "priority", "dnt", "te", "user-agent"),
}
ASSETS = {"image", "font", "stylesheet", "script", "media", "manifest", "websocket", "ping", "other"}
CONTEXT = 24  # characters before a value that find it again in a text


@dataclass
class Exchange:
    """One recorded request with its answer."""

    method: str
    path: str  # with its query
    headers: dict[str, str]
    body: str = ""
    body_base64: str = ""
    user: str = ""
    answer_type: str = ""
    answer: str = ""
    answer_headers: dict[str, str] = field(default_factory=dict)
    answer_cookies: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)  # sent


def load_har(path: Path) -> Scenario:
    """The scenario in a HAR file: requests to the app's own origin, without what a page merely shows."""
    try:
        entries = json.loads(path.read_bytes())["log"]["entries"]
        exchanges = [_exchange(entry) for entry in _own(entries)]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise CannotVerifyError(f"{path} is no HAR file: {type(error).__name__}: {error}") from error
    if not exchanges:
        raise CannotVerifyError(f"{path} holds no request to an app")
    return scenario_of(correlated(exchanges), path.name)


def _own(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries of the origin that got most requests, in the order in which they were sent."""
    requests = [entry for entry in entries if urlsplit(entry["request"]["url"]).scheme in {"http", "https"}]
    pages = [entry for entry in requests if entry.get("_resourceType") == "document"] or requests
    hosts = Counter(urlsplit(entry["request"]["url"]).netloc for entry in pages)
    host = hosts.most_common(1)[0][0] if hosts else ""
    own = [
        entry
        for entry in requests
        if urlsplit(entry["request"]["url"]).netloc == host and entry.get("_resourceType") not in ASSETS
    ]
    return sorted(own, key=lambda entry: entry.get("startedDateTime", ""))


def _exchange(entry: dict[str, Any]) -> Exchange:
    request, response = entry["request"], entry["response"]
    url = urlsplit(request["url"])
    post, content = request.get("postData") or {}, response.get("content") or {}
    headers = {
        header["name"]: header["value"]
        for header in request.get("headers", ())
        if header["name"].lower() not in DROPPED_HEADERS and not header["name"].lower().startswith((":", "sec-"))
    }
    answer = content.get("text", "")
    if content.get("encoding") == "base64":
        answer = base64.b64decode(answer).decode(errors="replace")
    encoded = post.get("encoding") == "base64"
    return Exchange(
        request["method"],
        url.path + (f"?{url.query}" if url.query else ""),
        headers,
        "" if encoded else _body(post),
        post["text"] if encoded else "",
        entry.get("_user", ""),
        content.get("mimeType", ""),
        answer,
        {header["name"].lower(): header["value"] for header in response.get("headers", ())},
        {cookie["name"]: cookie["value"] for cookie in _set_cookies(response)},
        {cookie["name"]: cookie["value"] for cookie in request.get("cookies", ())},
    )


def _body(post: Mapping[str, Any]) -> str:
    if post.get("text"):
        return str(post["text"])
    return "&".join(f"{param['name']}={param.get('value', '')}" for param in post.get("params", ()))


def _set_cookies(response: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    yield from response.get("cookies", ())
    for header in response.get("headers", ()):
        if header["name"].lower() == "set-cookie":
            for line in header["value"].split("\n"):
                name, _, value = line.split(";")[0].partition("=")
                yield {"name": name.strip(), "value": value}


@dataclass(frozen=True)
class _Given:
    """A value that an answer gave: where it stood."""

    value: str
    step: int
    source: str
    name: str
    short: bool = False  # a number, looked for as a whole part of a path alone


def correlated(exchanges: Sequence[Exchange]) -> list[Step]:
    """The exchanges as steps, with each value that an answer gave captured there and put in where it was used."""
    given: dict[str, _Given] = {}
    sent = ""
    uses: list[list[_Given]] = []
    captures: dict[int, list[_Given]] = {}
    steps: list[Step] = []
    cookies_given: set[str] = set()
    for number, exchange in enumerate(exchanges):
        known = sorted(given.values(), key=lambda item: len(item.value), reverse=True)
        request = [exchange.path, exchange.body, *exchange.headers.values()]
        used = [item for item in known if any(_replaced(text, item) != text for text in request)]
        uses.append(used)
        for item in used:
            captures.setdefault(item.step, []).append(item)
        headers = {name: _all_replaced(value, used) for name, value in exchange.headers.items()}
        kept = {name: value for name, value in exchange.cookies.items() if name not in cookies_given}
        if kept:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in kept.items())
        steps.append(
            Step(
                request=f"{exchange.method} {_all_replaced(exchange.path, used)}",
                headers=headers,
                body=_all_replaced(exchange.body, [item for item in used if not item.short]),
                body_base64=exchange.body_base64,
                user=exchange.user,
            )
        )
        sent += "\n".join(["", *request])
        cookies_given |= exchange.answer_cookies.keys()
        for value, source, short in _values(exchange):
            if value not in given and (short or value not in sent):
                given[value] = _Given(value, number, source, f"value{len(given) + 1}", short)
    return [_with_captures(step, captures.get(number, [])) for number, step in enumerate(steps)]


def _with_captures(step: Step, items: Sequence[_Given]) -> Step:
    unique = {item.name: item for item in items}
    return Step(
        request=step.request,
        headers=step.headers,
        body=step.body,
        body_base64=step.body_base64,
        user=step.user,
        capture={name: item.source for name, item in unique.items()},
        optional=tuple(unique),
        recorded={name: item.value for name, item in unique.items()},
    )


def _values(exchange: Exchange) -> Iterator[tuple[str, str, bool]]:
    """(value, capture source, short) of everything in an answer that a later request may repeat."""
    for name, value in exchange.answer_cookies.items():
        if _telling(value):
            yield value, f"cookie:{name}", False
    if "json" in exchange.answer_type:
        try:
            yield from _json_values("body", json.loads(exchange.answer), "")
            return
        except ValueError:
            pass
    for found in VALUE.finditer(exchange.answer):
        before = exchange.answer[max(0, found.start() - CONTEXT) : found.start()]
        if _telling(found[0]) and before and exchange.answer.find(before) == found.start() - len(before):
            yield found[0], f"after:{before}", False
    location = exchange.answer_headers.get("location", "")
    if location.startswith("/"):
        yield location, "header:location", False


def _json_values(path: str, value: Any, key: str) -> Iterator[tuple[str, str, bool]]:
    if isinstance(value, dict):
        for name, item in value.items():
            if not re.search(r"[.\[\]:]", name):
                yield from _json_values(f"{path}.{name}", item, name)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _json_values(f"{path}[{index}]", item, key)
    elif isinstance(value, str) and _telling(value):
        yield value, path, False
    elif isinstance(value, int) and not isinstance(value, bool) and key.lower().endswith("id"):
        yield str(value), path, True


def _telling(value: str) -> bool:
    """Whether a text is an identifier by its looks: long enough, and no plain word."""
    return len(value) >= 16 or (len(value) >= 6 and re.search(r"\d", value) is not None)


def _replaced(text: str, item: _Given) -> str:
    if item.short:
        return re.sub(rf"(?<=[/=]){re.escape(item.value)}(?=[/?&]|$)", f"{{{item.name}}}", text)
    return re.sub(rf"(?<![\w-]){re.escape(item.value)}(?![\w-])", f"{{{item.name}}}", text)


def _all_replaced(text: str, items: Sequence[_Given]) -> str:
    for item in items:
        text = _replaced(text, item)
    return text
