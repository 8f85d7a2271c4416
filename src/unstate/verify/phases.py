"""The phases of a check: each runs the scenario over processes that live and die in its own way."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import httpx

from unstate.verify.answers import Answer, Run
from unstate.verify.client import send
from unstate.verify.machines import App, Fleet, Machine
from unstate.verify.mask import Mask
from unstate.verify.report import Outcome, PhaseResult
from unstate.verify.scenario import Scenario
from unstate.verify.services import Backing


def turn(machines: Sequence[Machine], step: int) -> Machine:
    """Whose turn it is. Each round begins one further on: what a scenario does every third step meets every process."""
    count = len(machines)
    return machines[(step + step // count) % count]


class Phases:
    """The phases over one scenario and one set of backing services, emptied before each run."""

    def __init__(self, scenario: Scenario, backing: Backing, processes: int) -> None:
        self.scenario = scenario
        self.backing = backing
        self.processes = processes

    def single(self, app: App) -> Run:
        """One process from first to last."""
        self.backing.flush()
        with Fleet(app, self.backing.env) as fleet:
            (machine,) = fleet.boot(1)
            run = self.scenario.run(lambda step, request: send(machine, request))
            fleet.shared.require()
            return run

    def in_turn(self, app: App) -> Run:
        """Each step on the next of several processes."""
        self.backing.flush()
        with Fleet(app, self.backing.env) as fleet:
            machines = fleet.boot(self.processes)
            return self.scenario.run(lambda step, request: send(turn(machines, step), request))

    def killed_half_way(self, app: App, steps: int) -> Run:
        """Each step on the next of several processes; half-way each gets SIGKILL, and another takes its place."""
        self.backing.flush()
        with Fleet(app, self.backing.env) as fleet:
            first = fleet.boot(self.processes)
            second = [fleet.start() for _ in first]

            def route(step: int, request: httpx.Request) -> Answer:
                if step >= steps // 2:
                    while first:
                        fleet.kill(first.pop())
                        second[len(first)].wait_ready()
                machines = first or second
                return send(turn(machines, step), request)

            return self.scenario.run(route)

    def fresh(self, app: App) -> Run:
        """Every step on a process that has never answered before; the one that answered last gets SIGKILL."""
        self.backing.flush()
        with Fleet(app, self.backing.env) as fleet:
            spares = [fleet.start() for _ in range(2)]
            serving: dict[int, Machine] = {}

            def route(step: int, request: httpx.Request) -> Answer:
                if step not in serving:
                    for past in list(serving):
                        fleet.kill(serving.pop(past))
                    serving[step] = spares.pop(0).wait_ready()
                    spares.append(fleet.start())
                return send(serving[step], request)

            return self.scenario.run(route)


def compared(
    name: str, meaning: str, mask: Mask, run: Callable[[], Run], again: Callable[[], Run], *, differs: bool = False
) -> PhaseResult:
    """The phase's result: its run against the original's. With `differs`, a difference is what it has to show.

    A difference counts only after another run of the original (`again`): what seldom differs by itself may have been
    the same in the first two.
    """
    start = time.monotonic()
    got = run()
    difference = mask.difference(got)
    if difference is not None:
        mask.widen(again())
        difference = mask.difference(got)
    outcome = Outcome.SAME if difference is None else Outcome.DIFFERS
    expected = Outcome.DIFFERS if differs else Outcome.SAME
    return PhaseResult(name, meaning, outcome, expected, difference, time.monotonic() - start)
