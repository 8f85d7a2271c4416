"""Answers of an app, and when two runs of a scenario gave the same ones.

Some values differ by themselves: tokens, ids, times. Two runs of the original show which; those are not compared as
they are. A value that looks like an identifier is compared by where it comes back: what one answer gave and a later
one repeats must be repeated by the checked app too, and what was new must be new.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unstate.verify.serve import decode

TOKEN = re.compile(r"[\w-]+")
DAY = 86_400
CLOCK = re.compile(r"\d\d:\d\d:\d\d")


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
    """One run of a scenario: its answers in order, and why it stopped early ("" where it did not)."""

    answers: tuple[Answer, ...]
    stopped: str = ""


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


class _Ignored:
    """What stands for a value that is not compared."""


IGNORED = _Ignored()


@dataclass(frozen=True)
class _Identifier:
    """What stands for a value that is compared by where it comes back."""

    value: object


def is_time(value: object) -> bool:
    """Whether a value looks like the present: seconds or milliseconds since 1970, a date with a time, a clock."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        now = time.time()
        return abs(value - now) < DAY or abs(value / 1000 - now) < DAY
    return isinstance(value, str) and CLOCK.search(value) is not None and len(value) < 64


def _is_identifier(value: object) -> bool:
    if isinstance(value, str):
        return len(value) >= 8 and TOKEN.fullmatch(value) is not None
    return isinstance(value, int) and not isinstance(value, bool) and value >= 10**6


class Mask:
    """What two runs of the original tell apart: built from both, applied to any run."""

    def __init__(self, first: Run, second: Run) -> None:
        self.first = first
        self._loose: set[tuple[int, str]] = set()  # identifiers that turned out not to repeat in the same way
        pairs = zip(first.answers, second.answers, strict=False)
        self._fields = [_fields(leaves(a), leaves(b)) for a, b in pairs]
        self._settle(first, second)

    def _settle(self, first: Run, second: Run) -> None:
        """Drop identifiers whose repetitions differ between the two runs, until the runs agree."""
        while True:
            one, two = self._form(first), self._form(second)
            bad = {
                (step, place)
                for step, (a, b) in enumerate(zip(one, two, strict=False))
                for place in a.keys() & b.keys()
                if a[place] != b[place]
            }
            if not bad - self._loose:
                return
            self._loose |= bad

    @property
    def notes(self) -> list[str]:
        """Steps whose very status differs by itself: nothing can be said about them."""
        return [
            f"step {step} ({answer.request}): its {place} differs between two runs of the original in one process"
            for step, (answer, fields) in enumerate(zip(self.first.answers, self._fields, strict=False), 1)
            for place in ("status", "content-type")
            if fields.get(place) is IGNORED
        ]

    def difference(self, run: Run) -> Difference | None:
        """The first difference of a run from the original's, None where there is none."""
        expected, got = self._form(self.first), self._form(run)
        for step, (want, have) in enumerate(zip(expected, got, strict=False)):
            if want != have:
                places = [place for place in (*want, *have) if want.get(place) != have.get(place)]
                note = ""
                if isinstance(want.get(places[0]), str) and want[places[0]].startswith("<"):
                    note = "a value that the original gave before is another one here, or the other way round"
                return Difference(step + 1, places[0].split("#")[0], self.first.answers[step], run.answers[step], note)
        if run.stopped != self.first.stopped or len(expected) != len(got):
            step = len(got)
            last = run.answers[-1] if run.answers else None
            return Difference(step + 1, "", None, last, run.stopped or "the scenario took another way")
        return None

    def blank(self, step: int, answer: Answer) -> str:
        """One answer of a step with everything that differs by itself left out, to be counted."""
        return repr(sorted(self._parts(step, answer, names=None).items()))

    def _form(self, run: Run) -> list[dict[str, Any]]:
        names: dict[object, str] = {}
        return [self._parts(step, answer, names) for step, answer in enumerate(run.answers)]

    def _parts(self, step: int, answer: Answer, names: dict[object, str] | None) -> dict[str, Any]:
        if step >= len(self._fields):
            return leaves(answer)
        fields, found = self._fields[step], leaves(answer)
        hidden: list[str] = []
        parts: dict[str, Any] = {}
        for path, value in found.items():
            if any(
                path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("", ".", "[") for prefix in hidden
            ):
                continue
            rule = fields.get(path)
            if rule is IGNORED:
                hidden.append(path)
            elif isinstance(rule, _Template):
                for place, part in rule.parts(value):
                    parts[f"{path}#{place}"] = self._named(step, f"{path}#{place}", part, names)
            elif isinstance(rule, _Identifier):
                parts[path] = self._named(step, path, _Identifier(value), names)
            else:
                parts[path] = value
        return parts

    def _named(self, step: int, place: str, part: object, names: dict[object, str] | None) -> object:
        if part is IGNORED or (isinstance(part, _Identifier) and (names is None or (step, place) in self._loose)):
            return ""
        if isinstance(part, _Identifier) and names is not None:
            return names.setdefault(part.value, f"<{len(names) + 1}>")
        return part


@dataclass(frozen=True)
class _Template:
    """A text of which only some tokens differ: `gaps` stand between tokens, `tokens` says how each token counts."""

    gaps: tuple[str, ...]
    tokens: tuple[str | _Identifier | _Ignored, ...]

    def parts(self, value: object) -> Iterator[tuple[int, object]]:
        """The places of a text that has this form; a text that has not is one place, compared as a whole."""
        if not isinstance(value, str) or tuple(TOKEN.split(value)) != self.gaps:
            yield -1, value
            return
        for index, (token, rule) in enumerate(zip(TOKEN.findall(value), self.tokens, strict=True)):
            if rule is IGNORED:
                yield index, IGNORED
            else:
                yield index, _Identifier(token) if isinstance(rule, _Identifier) else token


def _fields(one: Mapping[str, Any], two: Mapping[str, Any]) -> dict[str, Any]:
    """How each field of a step is compared: IGNORED, an _Identifier, a _Template, or (absent) as it is."""
    rules: dict[str, Any] = {}
    for path in {**one, **two}:
        if path not in one or path not in two or (is_time(one[path]) and is_time(two[path])):
            rules[path] = IGNORED
            continue
        a, b = one[path], two[path]
        if a == b and type(a) is type(b):
            continue
        if type(a) is not type(b) or not isinstance(a, str | int):
            rules[path] = IGNORED
        elif _is_identifier(a) and _is_identifier(b):
            rules[path] = _Identifier(a)
        elif isinstance(a, str) and TOKEN.split(a) == TOKEN.split(b) and not is_time(a):
            rules[path] = _Template(tuple(TOKEN.split(a)), tuple(_tokens(TOKEN.findall(a), TOKEN.findall(b))))
        else:
            rules[path] = IGNORED
    return rules


def _tokens(one: Sequence[str], two: Sequence[str]) -> Iterator[str | _Identifier | _Ignored]:
    for a, b in zip(one, two, strict=True):
        if a == b:
            yield a
        else:
            yield _Identifier(a) if _is_identifier(a) and _is_identifier(b) else IGNORED
