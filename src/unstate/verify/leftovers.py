"""What requests change inside one process of an app, by name: what a scan should find, and what a migration left."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import httpx

from unstate.model import Finding
from unstate.verify.answers import Answer
from unstate.verify.client import send
from unstate.verify.errors import CannotVerifyError
from unstate.verify.machines import App, Fleet
from unstate.verify.report import Beside, Changed
from unstate.verify.scenario import Scenario
from unstate.verify.serve import SNAPSHOT
from unstate.verify.services import Backing


def changed_state(app: App, scenario: Scenario, backing: Backing) -> tuple[Changed, ...]:
    """The stores in the app's own modules that the scenario's requests changed in one process, by name.

    A cache that may stay is among them. Raises `CannotVerifyError` for an app that has no probe: a command, an aiohttp
    or a Tornado app.
    """
    found: dict[str, set[str]] = {}
    for name, steps in steps_that_change(app, scenario, backing).items():
        found[name] = {_endpoint(request) for request in steps.values()}
    return tuple(Changed(name, tuple(sorted(requests))) for name, requests in sorted(found.items()))


def steps_that_change(app: App, scenario: Scenario, backing: Backing) -> dict[str, dict[int, str]]:
    """By name, the stores that `changed_state` finds, each with the steps (from 0) that changed it and their requests.

    Raises as `changed_state` does.
    """
    if app.is_command:
        raise CannotVerifyError("the state probe needs an import string: it looks into the process that serves the app")
    backing.flush()
    found: dict[str, dict[int, str]] = {}
    with Fleet(app, backing.env, probe=True) as fleet:
        (machine,) = fleet.boot(1)

        def snapshot() -> dict[str, str]:
            answer = send(machine, httpx.Request("GET", f"http://localhost{SNAPSHOT}"))
            try:
                return dict(json.loads(answer.body))
            except ValueError:
                raise CannotVerifyError("the state probe does not answer: it knows WSGI and ASGI apps") from None

        before = [snapshot()]

        def route(step: int, request: httpx.Request) -> Answer:
            answer = send(machine, request)
            after = snapshot()
            for name in before[0].keys() | after.keys():
                if before[0].get(name) != after.get(name):
                    found.setdefault(name, {})[step] = answer.request
            before[0] = after
            return answer

        scenario.run(route)
    return found


def _endpoint(request: str) -> str:
    """The request without what is different each time: "POST /uploads/…/complete"."""
    method, _, path = request.partition(" ")
    parts = path.split("?")[0].split("/")
    return f"{method} " + "/".join("…" if any(c.isdigit() for c in part) or len(part) > 24 else part for part in parts)


def beside(findings: Iterable[Finding], changes: Sequence[Changed]) -> Beside:
    """Which stores a scan and a run found, both or one of them."""
    scanned = {f"{finding.store.module}.{finding.store.name}" for finding in findings}
    run = {change.name for change in changes}
    covered = {name for name in run if any(covers(store, name) for store in scanned)}
    seen = {store for store in scanned if any(covers(store, name) for name in run)}
    return Beside(tuple(sorted(seen)), tuple(sorted(scanned - seen)), tuple(sorted(run - covered)))


def covers(store: str, name: str) -> bool:
    """Whether a store's qualified name and a changed object's are the same thing.

    A scan names the class (`shop.Carts._carts`), a run the instance that holds it (`shop.carts._carts`), and of an
    entry that is an object the attribute (`shop.polls.votes` for `shop.polls`).
    """
    return f"{name}.".startswith(f"{store}.") or (
        store.rsplit(".", 1)[-1] == name.rsplit(".", 1)[-1] and store.split(".")[0] == name.split(".")[0]
    )
