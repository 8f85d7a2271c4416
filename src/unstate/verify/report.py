"""What a check found, phase by phase, and its views: text, JSON, JUnit."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict, dataclass
from enum import StrEnum
from xml.etree import ElementTree

from unstate.verify.answers import Answer, Difference


class Outcome(StrEnum):
    """What a check, or one phase of it, came to."""

    SAME = "same"
    DIFFERS = "differs"
    DECLARED = "differs as declared"  # in what the plan of the original names, and in nothing else
    NOTHING = "proves nothing"


EXIT_CODES = {Outcome.SAME: 0, Outcome.DECLARED: 0, Outcome.DIFFERS: 1, Outcome.NOTHING: 2}


@dataclass(frozen=True)
class PhaseResult:
    """One phase. `expected` says which outcome is good: the original over several processes has to differ."""

    name: str
    meaning: str
    outcome: Outcome
    expected: Outcome = Outcome.SAME
    difference: Difference | None = None
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it came out as it has to."""
        return self.outcome is self.expected or (self.outcome is Outcome.DECLARED and self.expected is Outcome.SAME)


@dataclass(frozen=True)
class Changed:
    """A store that requests changed: `module.name`, and the requests that did, ids and numbers left out."""

    name: str
    requests: tuple[str, ...]


@dataclass(frozen=True)
class Beside:
    """A scan's findings and a run's changes, side by side; each a name."""

    both: tuple[str, ...]
    only_scan: tuple[str, ...]
    only_run: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """A whole check.

    `leftovers` are the stores that requests change inside a process of the checked app, None where nobody looked.
    `beside` compares such changes in the reference app with a scan of it. `shared` are the files that stand for a
    backing service.
    """

    app: str
    scenario: str
    services: str
    steps: int
    phases: tuple[PhaseResult, ...]
    leftovers: tuple[Changed, ...] | None = None
    beside: Beside | None = None
    shared: tuple[str, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """The first phase that did not come out as it has to decides."""
        failed = next((phase for phase in self.phases if not phase.ok), None)
        if failed is None:
            declared = any(phase.outcome is Outcome.DECLARED for phase in self.phases)
            return Outcome.DECLARED if declared else Outcome.SAME
        return (
            Outcome.DIFFERS
            if failed.expected is Outcome.SAME and failed.outcome is Outcome.DIFFERS
            else Outcome.NOTHING
        )

    @property
    def ok(self) -> bool:
        """Whether the same answers came in every phase, but for what the plan declares."""
        return self.outcome in (Outcome.SAME, Outcome.DECLARED)

    @property
    def exit_code(self) -> int:
        """0 the same answers, or others only as the plan declares; 1 others, 2 the check proves nothing."""
        return EXIT_CODES[self.outcome]

    def text(self) -> str:
        """For a terminal or a test's failure: a line a phase, the first difference with both answers, the verdict."""
        lines = [f"{self.app}: {self.steps} steps of {self.scenario}, on {self.services}"]
        if self.shared:
            lines.append(f"  {', '.join(self.shared)}: shared by all processes, as the service that it stands for")
        for phase in self.phases:
            mark = "ok  " if phase.ok else "FAIL"
            lines.append(f"  {mark} {phase.name:<10} {phase.meaning}  [{phase.outcome}, {phase.seconds:.1f} s]")
            lines += [f"         note: {note}" for note in phase.notes]
            if phase.difference is not None and (not phase.ok or phase.outcome is Outcome.DECLARED):
                lines.append(textwrap.indent(show(phase.difference), "         "))
        for changed in self.leftovers or ():
            lines.append(f"  note {changed.name} changes inside the process: {', '.join(changed.requests)}")
        if self.beside is not None:
            for title, names in (
                ("found by scan and run", self.beside.both),
                ("only by scan", self.beside.only_scan),
                ("only by run", self.beside.only_run),
            ):
                if names:
                    lines.append(f"  {title}: {', '.join(names)}")
        return "\n".join([*lines, f"{self.outcome}: {self._conclusion()}"])

    def _conclusion(self) -> str:
        if self.ok:
            but = ", but for what the plan declares" if self.outcome is Outcome.DECLARED else ""
            if self.leftovers:
                kept = f"{', and' if but else ', though'} requests change what a process keeps (see the notes)"
                return f"every phase gave the same answers{but}{kept}"
            return f"every phase gave the answers of one process that never dies{but}"
        if self.outcome is Outcome.NOTHING:
            return (
                "the scenario gives the same answers with several processes of the original, so it touches no state "
                "that they do not share; add steps that write and read it"
                if self.phases and self.phases[-1].name == "teeth"
                else "the original does not answer twice alike"
            )
        failed = next(phase for phase in self.phases if not phase.ok)
        place = f"step {failed.difference.step}" if failed.difference is not None else "its answers"
        return f"phase {failed.name}, {place}"

    def json(self) -> str:
        """One object; its keys are those of the values of this module."""
        return json.dumps(
            {
                "schema": "unstate.verify/1",
                "outcome": self.outcome,
                "conclusion": self._conclusion(),
                "app": self.app,
                "scenario": self.scenario,
                "services": self.services,
                "shared": list(self.shared),
                "steps": self.steps,
                "phases": [_phase(phase) for phase in self.phases],
                "leftovers": None if self.leftovers is None else [asdict(changed) for changed in self.leftovers],
                "beside": None if self.beside is None else asdict(self.beside),
            },
            indent=2,
        )

    def junit(self) -> str:
        """A test suite with a case a phase, as CI systems read it."""
        failures = sum(not phase.ok for phase in self.phases)
        suite = ElementTree.Element(
            "testsuite", name=f"unstate verify {self.app}", tests=str(len(self.phases)), failures=str(failures)
        )
        for phase in self.phases:
            case = ElementTree.SubElement(
                suite, "testcase", classname=f"unstate.verify.{self.app}", name=phase.name, time=f"{phase.seconds:.3f}"
            )
            if not phase.ok:
                failure = ElementTree.SubElement(case, "failure", message=f"{phase.meaning}: {phase.outcome}")
                failure.text = show(phase.difference) if phase.difference is not None else str(phase.outcome)
        ElementTree.indent(suite)
        return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)


def show(difference: Difference) -> str:
    """A difference for a person: the step, what differs, both answers side by side."""
    request = difference.got or difference.expected
    head = f"step {difference.step}" + (f": {request.request}" if request is not None else "")
    lines = [head + (f" differs in {difference.field}" if difference.field else "")]
    if difference.got is not None and difference.got.process:
        lines.append(f"answered by {difference.got.process}")
    if difference.note:
        lines.append(difference.note)
    if difference.expected is not None or difference.got is not None:
        lines += _columns(difference.expected, difference.got)
    if difference.got is not None and difference.got.output:
        lines += ["its output ended with:", textwrap.indent(difference.got.output, "  ")]
    return "\n".join(lines)


def _columns(expected: Answer | None, got: Answer | None, width: int = 52) -> list[str]:
    left = _wrapped("one process", expected, width)
    right = _wrapped("here", got, width)
    left += [""] * (len(right) - len(left))
    right += [""] * (len(left) - len(right))
    return [f"{a:<{width}} | {b}".rstrip() for a, b in zip(left, right, strict=True)]


def _wrapped(title: str, answer: Answer | None, width: int) -> list[str]:
    lines = [title, "-" * len(title)]
    for line in (answer.show() if answer is not None else "(no such step)").splitlines():
        lines += textwrap.wrap(line, width, break_on_hyphens=False, drop_whitespace=False) or [""]
    return lines


def _phase(phase: PhaseResult) -> dict[str, object]:
    return {
        "name": phase.name,
        "meaning": phase.meaning,
        "outcome": phase.outcome,
        "ok": phase.ok,
        "seconds": round(phase.seconds, 3),
        "notes": list(phase.notes),
        "difference": None if phase.difference is None else _difference(phase.difference),
    }


def _difference(difference: Difference) -> dict[str, object]:
    return {
        "step": difference.step,
        "field": difference.field,
        "note": difference.note,
        "expected": _answer(difference.expected),
        "got": _answer(difference.got),
    }


def _answer(answer: Answer | None) -> dict[str, object] | None:
    if answer is None:
        return None
    return {
        "request": answer.request,
        "status": answer.status,
        "content_type": answer.content_type,
        "body": answer.text,
        "process": answer.process,
        "failure": answer.failure,
        "output": answer.output,
    }
