"""The phase in which the same request meets itself: bursts over all processes, with services that answer late."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import httpx

from unstate.verify.answers import Answer, Difference, Run
from unstate.verify.asked import asked
from unstate.verify.client import Route, send
from unstate.verify.declared import Declared
from unstate.verify.machines import App, Fleet, Machine
from unstate.verify.mask import Mask, Tally
from unstate.verify.phases import Phases, turn
from unstate.verify.proxy import Delays, delaying
from unstate.verify.report import Outcome, PhaseResult
from unstate.verify.scenario import StopScenarioError

SAFE = {"GET", "HEAD", "OPTIONS"}
COPIES = 6  # of one request at the same time
ROUNDS = 4  # of a burst; with these copies and delays the known races show in the first
DELAY = 0.04  # seconds, the most that a request to Redis or S3 waits


@dataclass(frozen=True)
class _Burst:
    """One request of the scenario, to be sent several times at once, and what the original says to it in a row."""

    step: int
    answers: tuple[Answer, ...]
    tally: Tally

    @property
    def uniform(self) -> bool:
        return len(self.tally.count(self.answers)[0]) == 1


def burst(phases: Phases, reference: App, app: App, mask: Mask, declared: Declared | None = None) -> PhaseResult:
    """Copies of one request on all processes at once: the answers, counted, are those of the original asked in a row.

    Requests that only read are left out where the original answers each copy alike. The services answer late, at
    random. A difference that `declared` explains is told, and so is one of a request that changes nothing but a
    database of the app's own, which processes share; the other requests still have their turn.
    """
    start = time.monotonic()

    def result(outcome: Outcome, difference: Difference | None, *notes: str) -> PhaseResult:
        return PhaseResult(
            "burst", meaning, outcome, difference=difference, seconds=time.monotonic() - start, notes=notes
        )

    meaning = f"{COPIES} times the same request at once, over {phases.processes} processes, services delayed"
    tried = 0
    told: dict[str, list[str]] = {}  # what is said of steps -> their places
    first: Difference | None = None
    with (
        delaying(phases.backing) as (delays, env),
        _Processes(app, env, phases.processes) as processes,
    ):
        for step in _different_steps(mask):
            each = _in_a_row(phases, reference, step)
            if each.uniform and mask.first.answers[step].request.split()[0] in SAFE:
                continue
            tried += 1
            expected = each.tally.count(each.answers)
            for _ in range(2 if each.uniform else ROUNDS):
                got = _at_once(phases, processes.machines(), step, delays)
                if each.tally.count(got) == expected:
                    continue
                difference = _burst_difference(each, got)
                place = f"{step + 1} ({each.answers[0].request})"
                if texts := declared.of_burst(step) if declared is not None and got else "":
                    told.setdefault(f"differs as declared: {texts}", []).append(place)
                    first = first or difference
                elif got and app.shared and asked(app, phases.scenario, phases.backing, step).only_looks:
                    text = f"differs by {', '.join(app.shared)}: it changes nothing in Redis or S3"
                    told.setdefault(text, []).append(place)
                else:
                    return result(Outcome.DIFFERS, difference)
                break
    notes = (
        f"{tried} of {len(mask.first.answers)} steps",
        *(f"step {', '.join(places)} {text}" for text, places in told.items()),
    )
    return result(Outcome.SAME if first is None else Outcome.DECLARED, first, *notes)


class _Processes:
    """Processes for one run after the other: the same ones, unless they share what only a new start empties."""

    def __init__(self, app: App, env: Mapping[str, str], count: int) -> None:
        self._app, self._env, self._count = app, env, count
        self._stack = ExitStack()
        self._machines: list[Machine] = []

    def __enter__(self) -> _Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def machines(self) -> list[Machine]:
        """Those of the next run."""
        if self._app.shared or not self._machines:
            self._stack.close()
            self._machines = self._stack.enter_context(Fleet(self._app, self._env)).boot(self._count)
        return self._machines


def _different_steps(mask: Mask) -> list[int]:
    """One step for each request that differs from the others by more than its identifiers and body."""
    seen: dict[tuple[object, ...], int] = {}
    for step, (a, b) in enumerate(zip(mask.first.answers, mask.second.answers, strict=False)):
        parts = zip(a.request.split("/"), b.request.split("/"), strict=False)
        seen.setdefault((a.status, *(x if x == y else "" for x, y in parts)), step)
    return sorted(seen.values())


def _in_a_row(phases: Phases, app: App, step: int) -> _Burst:
    runs = []
    with ExitStack() as stack:  # two fleets, started at the same time: they share nothing
        fleets = [stack.enter_context(Fleet(app, phases.backing.env)) for _ in range(2)]
        for machine in [fleet.start() for fleet in fleets]:
            phases.backing.flush()
            answers: list[Answer] = []
            phases.scenario.run(_repeated(machine.wait_ready(), step, answers))
            runs.append(Run(tuple(answers)))
    return _Burst(step, runs[0].answers, Mask(*runs).merged())


def _repeated(machine: Machine, step: int, into: list[Answer]) -> Route:
    """Up to `step` as usual, then that request several times, one after the other."""

    def route(at: int, request: httpx.Request) -> Answer:
        if at < step:
            return send(machine, request)
        into.extend(send(machine, request) for _ in range(COPIES))
        raise StopScenarioError

    return route


def _at_once(phases: Phases, machines: Sequence[Machine], step: int, delays: Delays) -> tuple[Answer, ...]:
    phases.backing.flush()
    answers: list[Answer] = []

    def route(at: int, request: httpx.Request) -> Answer:
        if at < step:
            return send(turn(machines, at), request)
        delays.up_to(DELAY)
        with ThreadPoolExecutor(COPIES) as pool:
            answers.extend(pool.map(lambda copy: send(machines[copy % len(machines)], request), range(COPIES)))
        delays.up_to(0)
        raise StopScenarioError

    phases.scenario.run(route)
    return tuple(answers)


def _burst_difference(burst: _Burst, got: Sequence[Answer]) -> Difference:
    """The counted answers, as two answers to be shown side by side."""
    request = burst.answers[0].request
    return Difference(
        burst.step + 1,
        "the answers, counted",
        Answer(request, 0, failure=_counted(burst.answers)),
        Answer(request, 0, failure=_counted(got), output=next((each.output for each in got if each.output), "")),
        "processes that met took the same value, or overwrote what another one had just written"
        if got
        else "the scenario never came to this step",
    )


def _counted(answers: Sequence[Answer]) -> str:
    """One line for each different answer, the most frequent first."""
    counts = Counter(answer.show(120).replace("\n", " ") for answer in answers)
    return "\n".join(f"{number} x {text}" for text, number in counts.most_common())
