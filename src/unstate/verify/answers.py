"""Answers of an app, and the runs they make up."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from unstate.verify.serve import decode


@dataclass(frozen=True)
class Answer:
    """What one request got. `status` is 0 where no answer came, with the reason in `failure`."""

    request: str  # "POST /login"
    status: int
    content_type: str = ""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()  # the values of Set-Cookie
    process: str = ""
    failure: str = ""
    output: str = ""  # the last lines that the process wrote, where it failed

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", errors="replace")

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)

    @property
    def value(self) -> Any:
        """What a called function returned."""
        return decode(self.json())

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return 0 < self.status < 400

    def show(self, limit: int = 300) -> str:
        """One line or a few for a person: status, content type, body."""
        if not self.status:
            return self.failure
        if _is_text(self.content_type) or not self.body:
            body = self.text
        else:
            body = f"{len(self.body)} bytes: {self.body[:40]!r}"
        location = f"\nLocation: {self.headers['location']}" if "location" in self.headers else ""
        kind = f" {self.content_type}" if self.content_type else ""
        return f"{self.status}{kind}{location}\n{body[:limit]}{'…' if len(body) > limit else ''}".rstrip()


@dataclass(frozen=True)
class Run:
    """One run of a scenario: its answers in order, and why it could not go on ("" where it could).

    `cut` is set where the phase ended it: only what it has is compared.
    """

    answers: tuple[Answer, ...]
    stopped: str = ""
    cut: bool = False


@dataclass(frozen=True)
class Difference:
    """The first place where a run differs from the original's. `step` counts from 1."""

    step: int
    field: str  # "status", "content-type", "body.user", ...
    expected: Answer | None
    got: Answer | None
    note: str = ""


def _is_text(content_type: str) -> bool:
    return content_type.startswith("text/") or any(
        word in content_type for word in ("json", "xml", "javascript", "form")
    )


def leaves(answer: Answer) -> dict[str, Any]:
    """The answer as (path, value) pairs; containers appear as their keys or their length."""
    kind = answer.content_type.split(";")[0].strip().lower()
    found: dict[str, Any] = {"status": answer.status, "content-type": kind}
    if answer.failure:
        found["failure"] = answer.failure
    if "location" in answer.headers:
        found["location"] = answer.headers["location"]
    body: Any = answer.body
    if "json" in kind:
        try:
            body = answer.json()
        except ValueError:
            body = answer.text
    elif _is_text(kind):
        body = answer.text
    found.update(_walk("body", body))
    return found


def _walk(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield path, ("object", tuple(sorted(value)))
        for key, item in value.items():
            yield from _walk(f"{path}.{key}", item)
    elif isinstance(value, list):
        yield path, ("array", len(value))
        for index, item in enumerate(value):
            yield from _walk(f"{path}[{index}]", item)
    else:
        yield path, value
