"""The check itself: which phases, in which order, and when to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Literal, get_args

from unstate.model import Group
from unstate.verify.answers import Run
from unstate.verify.burst import burst
from unstate.verify.declared import Declared
from unstate.verify.errors import CannotVerifyError
from unstate.verify.machines import App
from unstate.verify.mask import Mask
from unstate.verify.phases import Phases, compared
from unstate.verify.report import Outcome, PhaseResult, Report
from unstate.verify.roll import roll
from unstate.verify.scenario import Scenario
from unstate.verify.services import Backing

Fault = Literal["rotate", "kill", "fresh", "burst", "roll"]
FAULTS: tuple[Fault, ...] = get_args(Fault)


def verify(
    app: App,
    scenario: Scenario,
    backing: Backing,
    *,
    original: App | None = None,
    processes: int = 3,
    faults: Sequence[Fault] = FAULTS,
    declared: Sequence[Group] = (),
) -> Report:
    """Whether `app` gives the answers of one process of `original` while its processes are many and die.

    Without `original` the app is compared with itself in one process. `declared` is what the plan of the original says
    of its stores: a race that it names is told, and does not fail the check. Phases end with the first that does not
    come out as it has to. Raises `CannotVerifyError` where the check cannot be made.
    """
    phases = Phases(scenario, backing, processes)
    reference = original or app
    results: list[PhaseResult] = []

    def report(steps: int) -> Report:
        return Report(app.name, scenario.name, backing.description, steps, tuple(results), shared=app.shared)

    start = time.monotonic()
    first = phases.single(reference)
    if first.stopped:
        raise CannotVerifyError(f"{first.stopped}, in one process of {'the original' if original else 'the app'}")
    if not first.answers:
        raise CannotVerifyError(f"{scenario.name} makes no request")
    _refuse_silence(first, "the original" if original else "the app")
    second = phases.single(reference)
    mask = Mask(first, second)
    again = mask.difference(second)
    results.append(
        PhaseResult(
            "baseline",
            f"{'the original' if original else 'the app'} in one process, twice",
            Outcome.SAME if again is None else Outcome.NOTHING,
            difference=again,
            seconds=time.monotonic() - start,
            notes=tuple(mask.notes),
        )
    )
    steps = len(first.answers)

    def add(result: PhaseResult) -> bool:
        results.append(result)
        return result.ok

    if again is not None:
        return report(steps)

    def another() -> Run:
        return phases.single(reference)

    if original is not None:
        meaning = f"the original over {processes} processes in turn has to differ"
        if not add(compared("teeth", meaning, mask, lambda: phases.in_turn(original), another, differs=True)):
            return report(steps)
        if not add(compared("single", "the result in one process", mask, lambda: phases.single(app), another)):
            return report(steps)
    named = Declared(declared, original, app, scenario, backing) if original is not None and declared else None
    for fault in faults:
        if not add(_faulty(fault, phases, reference, app, mask, named)):
            break
    return report(steps)


def _refuse_silence(run: Run, who: str) -> None:
    """A command may listen before its app fails to load: such silence is alike everywhere, and shows nothing."""
    if all(answer.failure for answer in run.answers):
        last = run.answers[-1]
        output = next((answer.output for answer in run.answers if answer.output), "")
        raise CannotVerifyError(f"{who} answers no request in one process: {last.failure}\n{output}".rstrip())


def _faulty(
    fault: Fault, phases: Phases, reference: App, app: App, mask: Mask, declared: Declared | None
) -> PhaseResult:
    several, steps = f"over {phases.processes} processes in turn", len(mask.first.answers)

    def turned(meaning: str, run: Callable[[], Run]) -> PhaseResult:
        return compared(fault, meaning, mask, run, lambda: phases.single(reference))

    match fault:
        case "rotate":
            return turned(several, lambda: phases.in_turn(app))
        case "kill":
            return turned(f"{several}, each killed half-way", lambda: phases.killed_half_way(app, steps))
        case "fresh":
            return turned("a fresh process for every step, the one before it killed", lambda: phases.fresh(app))
        case "burst":
            return burst(phases, reference, app, mask, declared)
        case "roll":
            return roll(phases, app)
