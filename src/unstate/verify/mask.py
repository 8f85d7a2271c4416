"""When two runs of a scenario gave the same answers.

Some values differ by themselves: tokens, ids, times. Two runs of the original show which; those are not compared as
they are. A value that looks like an identifier is compared by where it comes back: what one answer gave and a later
one repeats must be repeated by the checked app too, and what was new must be new.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unstate.verify.answers import Answer, Difference, Run, leaves

TOKEN = re.compile(r"[\w-]+")
DAY = 86_400
SHOWN = 3  # steps that a note names
CLOCK = re.compile(r"\d\d:\d\d:\d\d")


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
    """What runs of the original tell apart: built from two or more, applied to any run."""

    def __init__(self, first: Run, *others: Run) -> None:
        self.first = first
        self._runs = [first]
        self._loose: set[tuple[int, str]] = set()  # identifiers that turned out not to repeat in the same way
        self._fields: list[dict[str, Any]] = [{} for _ in first.answers]
        for other in others:
            self.widen(other)

    @property
    def second(self) -> Run:
        """The second run that it was built from."""
        return self._runs[1]

    def widen(self, other: Run) -> None:
        """Take one more run of the original into account."""
        self._runs.append(other)
        del self._fields[len(other.answers) :]
        for step, rules in enumerate(self._fields):
            _merge(rules, _fields(leaves(self.first.answers[step]), leaves(other.answers[step])))
        self._settle()

    def _settle(self) -> None:
        """Drop identifiers whose repetitions differ between the runs, until the runs agree."""
        while True:
            first, *others = (self._form(run) for run in self._runs)
            bad = {
                (step, place)
                for other in others
                for step, (a, b) in enumerate(zip(first, other, strict=False))
                for place in a.keys() & b.keys()
                if not _same(a[place], b[place])
            }
            if not bad - self._loose:
                return
            self._loose |= bad

    @property
    def notes(self) -> list[str]:
        """Steps whose very status differs by itself: nothing can be said about them."""
        found = []
        for place in ("status", "content-type"):
            steps = [step for step, fields in enumerate(self._fields, 1) if fields.get(place) is IGNORED]
            if steps:
                shown = [f"{step} ({self.first.answers[step - 1].request})" for step in steps[:SHOWN]]
                more = f" and {len(steps) - SHOWN} more" if len(steps) > SHOWN else ""
                found.append(f"the {place} of step {', '.join(shown)}{more} differs by itself in one process")
        return found

    def without_changing_forms(self) -> Mask:
        """This mask, with no body compared whose very form differs by itself: a longer list, other keys.

        Such an answer shows what users share, and all of it may differ.
        """
        for answer, fields in zip(self.first.answers, self._fields, strict=False):
            values = leaves(answer)
            if any(rule is IGNORED and isinstance(values.get(path), tuple) for path, rule in fields.items()):
                fields["body"] = IGNORED
        return self

    def difference(self, run: Run) -> Difference | None:
        """The first difference of a run from the original's, None where there is none."""
        expected, got = self._form(self.first), self._form(run)
        for step, (want, have) in enumerate(zip(expected, got, strict=False)):
            places = [place for place in {**want, **have} if not _same(want.get(place), have.get(place))]
            if places:
                note = ""
                if isinstance(want.get(places[0]), str) and want[places[0]].startswith("<"):
                    note = "a value that the original gave before is another one here, or the other way round"
                return Difference(step + 1, places[0].split("#")[0], self.first.answers[step], run.answers[step], note)
        if run.cut:
            return None
        if run.stopped != self.first.stopped or len(expected) != len(got):
            step = len(got)
            last = run.answers[-1] if run.answers else None
            return Difference(step + 1, "", None, last, run.stopped or "the scenario took another way")
        return None

    def merged(self) -> Tally:
        """For runs whose steps are one request over and over: how such answers are counted, whatever their order."""
        rules: dict[str, Any] = {}
        for step in self._fields:
            _merge(rules, step)
        return Tally(rules)

    def _form(self, run: Run) -> list[dict[str, Any]]:
        names: dict[object, str] = {}
        return [self._parts(step, answer, names) for step, answer in enumerate(run.answers)]

    def _parts(self, step: int, answer: Answer, names: dict[object, str]) -> dict[str, Any]:
        if step >= len(self._fields):
            return leaves(answer)
        return {
            place: self._named(step, place, part, names) for place, part in _parts(self._fields[step], leaves(answer))
        }

    def _named(self, step: int, place: str, part: object, names: dict[object, str]) -> object:
        if not isinstance(part, _Identifier):
            return part
        return "" if (step, place) in self._loose else names.setdefault(part.value, f"<{len(names) + 1}>")


@dataclass(frozen=True)
class Tally:
    """Counts answers to the same request, given at the same time: their multiset, and how many new values they hold."""

    rules: Mapping[str, Any]

    def count(self, answers: Sequence[Answer]) -> tuple[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...]]:
        """(answers with what differs by itself left out, each with its number), (place, distinct identifiers there)."""
        forms: Counter[str] = Counter()
        new: dict[str, set[object]] = {}
        for answer in answers:
            shown = []
            for place, part in _parts(self.rules, leaves(answer)):
                if isinstance(part, _Identifier):
                    new.setdefault(place, set()).add(part.value)
                else:
                    shown.append((place, part))
            forms[repr(shown)] += 1
        return tuple(sorted(forms.items())), tuple(sorted((place, len(values)) for place, values in new.items()))


def _parts(rules: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The comparable parts of an answer's fields: values as they are, or identifiers; what is ignored is left out."""
    hidden: list[str] = []
    for path, value in found.items():
        if any(path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("", ".", "[") for prefix in hidden):
            continue
        rule = rules.get(path)
        if rule is IGNORED:
            hidden.append(path)
        elif isinstance(rule, _Template):
            for place, part in rule.parts(value):
                if part is not IGNORED:
                    yield f"{path}#{place}", part
        else:
            yield path, _Identifier(value) if isinstance(rule, _Identifier) else value


def _same(a: object, b: object) -> bool:
    """Equal and of one type: true is not 1."""
    return a == b and type(a) is type(b)


def _merge(rules: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Add rules: where two speak of the same field, the one that compares less holds."""
    for path, rule in more.items():
        known = rules.setdefault(path, rule)
        if isinstance(known, _Template) and isinstance(rule, _Template) and known.gaps == rule.gaps:
            pairs = zip(known.tokens, rule.tokens, strict=True)
            rules[path] = _Template(known.gaps, tuple(_weaker(a, b) for a, b in pairs))
        elif type(known) is not type(rule) or isinstance(known, _Template):
            rules[path] = IGNORED


def _weaker(a: str | _Identifier | _Ignored, b: str | _Identifier | _Ignored) -> str | _Identifier | _Ignored:
    if IGNORED in (a, b):
        return IGNORED
    return a if isinstance(a, _Identifier) else b


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
        if _same(a, b):
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
