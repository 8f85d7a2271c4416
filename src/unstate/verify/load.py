"""The phases in which requests meet: bursts of the same request, and a rolling restart under load."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from unstate.verify.answers import Answer, Difference, Run
from unstate.verify.client import Route, send
from unstate.verify.machines import App, Fleet, Machine
from unstate.verify.mask import Mask, Tally
from unstate.verify.phases import Phases, turn
from unstate.verify.proxy import DelayingProxy, delaying
from unstate.verify.report import Outcome, PhaseResult
from unstate.verify.scenario import StopScenarioError

SAFE = {"GET", "HEAD", "OPTIONS"}
COPIES = 6  # of one request at the same time
ROUNDS = 8  # of a burst; with these copies and delays the known races show in the first
DELAY = 0.04  # seconds, the most that a request to Redis waits
REFUSED = "no answer: ConnectError"
TRIES = 3  # of a rolling restart that cuts off requests
IN_FLIGHT = 0.005  # seconds after which a request has reached its process, and most are not answered yet


@dataclass(frozen=True)
class _Burst:
    """One request of the scenario, to be sent several times at once, and what the original says to it in a row."""

    step: int
    answers: tuple[Answer, ...]
    tally: Tally

    @property
    def uniform(self) -> bool:
        return len(self.tally.count(self.answers)[0]) == 1


def burst(phases: Phases, reference: App, app: App, mask: Mask) -> PhaseResult:
    """Copies of one request on all processes at once: the answers, counted, are those of the original asked in a row.

    Requests that only read are left out where the original answers each copy alike. Redis answers late, at random.
    """
    start = time.monotonic()
    meaning = f"{COPIES} times the same request at once, over {phases.processes} processes, Redis delayed"
    tried = 0
    with (
        delaying(phases.backing.redis_url) as (proxy, url),
        Fleet(app, {**phases.backing.env, "REDIS_URL": url}) as fleet,
    ):
        machines = fleet.boot(phases.processes)
        for step in _different_steps(mask):
            each = _in_a_row(phases, reference, step)
            if each.uniform and mask.first.answers[step].request.split()[0] in SAFE:
                continue
            tried += 1
            expected = each.tally.count(each.answers)
            for _ in range(2 if each.uniform else ROUNDS):
                got = _at_once(phases, machines, step, proxy)
                if each.tally.count(got) != expected:
                    difference, seconds = _burst_difference(each, got), time.monotonic() - start
                    return PhaseResult("burst", meaning, Outcome.DIFFERS, difference=difference, seconds=seconds)
    notes = (f"{tried} of {len(mask.first.answers)} steps",)
    return PhaseResult("burst", meaning, Outcome.SAME, seconds=time.monotonic() - start, notes=notes)


def _different_steps(mask: Mask) -> list[int]:
    """One step for each request that differs from the others by more than its identifiers and body."""
    seen: dict[tuple[object, ...], int] = {}
    for step, (a, b) in enumerate(zip(mask.first.answers, mask.second.answers, strict=False)):
        parts = zip(a.request.split("/"), b.request.split("/"), strict=False)
        seen.setdefault((a.status, *(x if x == y else "" for x, y in parts)), step)
    return sorted(seen.values())


def _in_a_row(phases: Phases, app: App, step: int) -> _Burst:
    runs = []
    with Fleet(app, phases.backing.env) as fleet:
        for machine in fleet.boot(2):
            phases.backing.flush()
            answers: list[Answer] = []
            phases.scenario.run(_repeated(machine, step, answers))
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


def _at_once(phases: Phases, machines: Sequence[Machine], step: int, proxy: DelayingProxy) -> tuple[Answer, ...]:
    phases.backing.flush()
    answers: list[Answer] = []

    def route(at: int, request: httpx.Request) -> Answer:
        if at < step:
            return send(turn(machines, at), request)
        proxy.seconds = DELAY
        with ThreadPoolExecutor(COPIES) as pool:
            answers.extend(pool.map(lambda copy: send(machines[copy % len(machines)], request), range(COPIES)))
        proxy.seconds = 0.0
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
        Answer(request, 0, failure=_counted(got)),
        "processes that met took the same value, or overwrote what another one had just written"
        if got
        else "the scenario never came to this step",
    )


def _counted(answers: Sequence[Answer]) -> str:
    """One line for each different answer, the most frequent first."""
    counts = Counter(answer.show(120).replace("\n", " ") for answer in answers)
    return "\n".join(f"{number} x {text}" for text, number in counts.most_common())


def roll(phases: Phases, reference: App, app: App, mask: Mask) -> PhaseResult:
    """Processes are told to end while they answer, one after the other, and replaced, as a deployment does it.

    A request that gets no answer from a process that was told to end was cut off in flight: that is no lost state, and
    the scenario begins anew. What is answered has to be what the original answered.
    """
    start = time.monotonic()
    meaning = f"over {phases.processes} processes in turn, each told to end while it answers"
    cuts = 0
    while cuts < TRIES:
        run = _rolling(phases, app, len(mask.first.answers))
        if not run.cut:
            difference = mask.difference(run)
            if difference is not None:
                mask.widen(phases.single(reference))
                difference = mask.difference(run)
            outcome = Outcome.SAME if difference is None else Outcome.DIFFERS
            notes = (f"{cuts} times a request was cut off in flight",) if cuts else ()
            return PhaseResult(
                "roll", meaning, outcome, difference=difference, seconds=time.monotonic() - start, notes=notes
            )
        cuts += 1
    note = f"SIGTERM cut off requests in flight in each of {cuts} tries: the server does not finish what it has begun"
    return PhaseResult("roll", meaning, Outcome.SAME, seconds=time.monotonic() - start, notes=(note,))


def _rolling(phases: Phases, app: App, steps: int) -> Run:
    phases.backing.flush()
    with Fleet(app, phases.backing.env) as fleet, ThreadPoolExecutor(1) as pool:
        machines = fleet.boot(phases.processes)
        spares = [fleet.start()]
        every = max(1, steps // (2 * phases.processes))

        def route(step: int, request: httpx.Request) -> Answer:
            machine = turn(machines, step)
            if step % every:
                return send(machine, request)
            future = pool.submit(send, machine, request)
            time.sleep(IN_FLIGHT)
            machine.child.signal(signal.SIGTERM)
            answer = future.result()
            machines[machines.index(machine)] = spares.pop().wait_ready()
            fleet.stop(machine)
            spares.append(fleet.start())
            if answer.failure.startswith(REFUSED):  # nobody took it, so another one may
                return send(turn(machines, step + 1), request)
            if not answer.status:
                raise StopScenarioError
            return answer

        return phases.scenario.run(route)
