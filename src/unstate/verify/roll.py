"""The phase of a deployment: several users at once, while processes are told to end, or killed, and replaced.

What users share (a counter, a list of everybody's uploads) differs between them even in one process. So the reference
is the same load on one process of the checked app, with nothing replaced: what differs there is not compared here.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import httpx

from unstate.verify.answers import Answer, Difference, Run
from unstate.verify.client import send
from unstate.verify.machines import App, Fleet, Machine
from unstate.verify.mask import Mask
from unstate.verify.phases import Phases
from unstate.verify.proxy import Delays, delaying
from unstate.verify.report import Outcome, PhaseResult
from unstate.verify.scenario import Scenario, StopScenarioError

USERS = 4  # at once, each with cookies of their own
PASSES = 2  # of the scenario that each user makes at least: what only the first user ever gets is seen to differ
DELAY = 0.01  # seconds, the most that a request to Redis or S3 waits: it keeps requests under way when a process ends
AGAIN = 3  # more runs of the reference before a difference counts: what seldom differs may have been the same so far
BETWEEN = 2 * USERS  # answers that a process gives before it is replaced
REFUSED = "no answer: ConnectError"


class Load:
    """Users who run the scenario over and over, on the processes that are there at the moment."""

    def __init__(self, scenario: Scenario, machines: Sequence[Machine]) -> None:
        self.runs: list[Run] = []
        self.cut = {signal.SIGTERM: 0, signal.SIGKILL: 0}  # requests under way that such an end left without an answer
        self.refused = 0  # those that such a process did not take, and another one did
        self._scenario = scenario
        self._machines = list(machines)
        self._ending: dict[str, signal.Signals] = {}
        self._changed = threading.Condition()
        self._answers = 0
        self._enough = self._aborted = False
        self._failure: Exception | None = None
        self._users = [threading.Thread(target=self._user, daemon=True) for _ in range(USERS)]

    def __enter__(self) -> Load:
        for user in self._users:
            user.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Every user ends the pass that they are at; after an exception, at the next request."""
        self._enough, self._aborted = True, kind is not None
        if kind is None:
            for user in self._users:
                user.join()
            if self._failure is not None:
                raise self._failure

    def replace(self, old: Machine, new: Machine, number: signal.Signals) -> None:
        """Let `old` answer for a while, then send it a signal and have `new` answer in its place."""
        self._wait(BETWEEN)
        with self._changed:
            self._ending[old.label] = number
        old.child.signal(number)
        with self._changed:
            self._machines[self._machines.index(old)] = new

    def _wait(self, answers: int) -> None:
        with self._changed:
            end = self._answers + answers
            self._changed.wait_for(lambda: self._answers >= end or not any(user.is_alive() for user in self._users))

    def _user(self) -> None:
        try:
            done = 0
            while not self._aborted and (done < PASSES or not self._enough):
                run = self._scenario.run(self._answer)
                self.runs.append(run)
                done += 1
        except Exception as error:  # handed on to the thread that waits
            self._failure = error
        with self._changed:
            self._changed.notify_all()

    def _answer(self, step: int, request: httpx.Request) -> Answer:
        tries = len(self._machines) + 1
        for attempt in range(tries):
            if self._aborted:
                break
            with self._changed:
                machine = self._machines[self._answers % len(self._machines)]
                self._answers += 1
                self._changed.notify_all()
            answer = send(machine, request)
            with self._changed:
                if answer.status not in (0, 503) or machine.label not in self._ending:
                    return answer
                refused = answer.status == 503 or answer.failure.startswith(REFUSED)
                self.refused += refused
                self.cut[self._ending[machine.label]] += not refused
            if not refused:  # it may have done its work, even a GET: to ask again would do it twice
                break
            if attempt:
                time.sleep(0.01)
        raise StopScenarioError


def roll(phases: Phases, app: App) -> PhaseResult:
    """Several users at once, while each process in turn gets SIGTERM, one of them SIGKILL, and is replaced.

    A request without an answer from a process that was ending was cut off in flight: that is no lost state, and its
    user begins anew; one that was never taken is asked elsewhere. What is answered is compared with the same load on
    one process.
    """
    start = time.monotonic()
    meaning = f"{USERS} users at once over {phases.processes} processes, each replaced while they ask, one by SIGKILL"
    with delaying(phases.backing) as (delays, env):
        reference = _at_rest(phases, app, env, delays)
        load = _rolling(phases, app, env, delays)
        difference = _Reference(reference).difference(load.runs)
        for _ in range(AGAIN):
            if difference is None:
                break
            # Of what users share, chance may have shown another part this time: what is lost is lost again.
            reference += _at_rest(phases, app, env, delays)
            difference = _Reference(reference).difference(load.runs)
            if difference is not None:
                load = _rolling(phases, app, env, delays)
                difference = _Reference(reference).difference(load.runs)
    notes = [f"{len(load.runs)} passes of the scenario", *_Reference(reference).notes]
    if load.cut[signal.SIGKILL]:
        notes.append(f"{load.cut[signal.SIGKILL]} requests were cut off in flight by SIGKILL")
    if load.cut[signal.SIGTERM]:
        number = load.cut[signal.SIGTERM]
        notes.append(f"{number} requests were cut off in flight by SIGTERM: the server does not finish what it began")
    if load.refused:
        notes.append(f"{load.refused} requests came to a process that took no more, and were asked elsewhere")
    outcome = Outcome.SAME if difference is None else Outcome.DIFFERS
    seconds = time.monotonic() - start
    return PhaseResult("roll", meaning, outcome, difference=difference, seconds=seconds, notes=tuple(notes))


def _at_rest(phases: Phases, app: App, env: dict[str, str], delays: Delays) -> list[Run]:
    phases.backing.flush()
    with Fleet(app, env) as fleet:
        machines = fleet.boot(1)
        delays.up_to(DELAY)
        with Load(phases.scenario, machines) as load:
            pass
        delays.up_to(0)
    return load.runs


def _rolling(phases: Phases, app: App, env: dict[str, str], delays: Delays) -> Load:
    phases.backing.flush()
    with Fleet(app, env) as fleet:
        machines = fleet.boot(phases.processes)
        delays.up_to(DELAY)
        with Load(phases.scenario, machines) as load:
            for machine in machines:
                number = signal.SIGKILL if machine is machines[-1] else signal.SIGTERM
                load.replace(machine, fleet.start().wait_ready(), number)
                fleet.stop(machine)
        delays.up_to(0)
    return load


class _Reference:
    """What the same load on one process shows to be always the same.

    Where even that cannot always make the whole scenario, only the steps that it always makes are compared.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self._steps = min(len(run.answers) for run in runs)
        self._whole = all(not run.stopped and len(run.answers) == self._steps for run in runs)
        self._mask = Mask(*map(self._shown, runs)).without_changing_forms()
        self._broken = next((found for run in runs if (found := _unanswered(run)) is not None), None)

    @property
    def notes(self) -> list[str]:
        """What cannot be said, for a report."""
        places = [f"{note} under load" for note in self._mask.notes]
        return places if self._whole else [*places, f"under load only the first {self._steps} steps are always made"]

    def difference(self, runs: Sequence[Run]) -> Difference | None:
        """The first difference of these runs from the reference."""
        if self._broken is not None:
            return self._broken
        return next((found for run in runs if (found := self._mask.difference(self._shown(run))) is not None), None)

    def _shown(self, run: Run) -> Run:
        return run if self._whole else replace(run, answers=run.answers[: self._steps], stopped="", cut=True)


def _unanswered(run: Run) -> Difference | None:
    """A request that got no answer though nobody ended its process: one process does not stand the load."""
    for step, answer in enumerate(run.answers, 1):
        if not answer.status:
            note = f"{USERS} users at once are too much for one process, before any is replaced"
            return Difference(step, "failure", None, answer, note)
    return None
