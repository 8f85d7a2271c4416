"""What generated code costs when it runs, beside what an expert writes by hand for the same app on the same Redis.

Run with `pytest tests/bench/test_request_speed.py -s`. The expert's apps are those of tests/verify/migrated. How many
requests a process can answer is judged by its processor time, which a busy machine does not change, and by the commands
that Redis gets, each a round trip.
"""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from unstate.verify import App, Backing, backing_services
from unstate.verify.machines import Fleet

TESTS = Path(__file__).parents[1]
BATCH, ROUNDS = 200, 8
# Of the expert's requests in a second of processor time. The goal is 0.95; asynchronous code stays just below, because
# its pool waits for a connection where the expert's has no bound: 20 microseconds a command.
LEAST = 0.9


@pytest.fixture(scope="module")
def backing() -> Iterator[Backing]:
    with backing_services() as services:
        yield services


def ask(port: int, method: str, path: str, body: object = None, **headers: str) -> dict[str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    text = None if body is None else json.dumps(body)
    connection.request(method, path, text, {"Content-Type": "application/json", **headers})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    assert answer.status == 200, content
    found: dict[str, str] = json.loads(content)
    return found


def flask_user(port: int) -> int:
    """One visit: the number of requests."""
    token = ask(port, "POST", "/login", {"user": "ann"})["token"]
    for _ in range(3):
        ask(port, "GET", "/whoami", **{"X-Token": token})
    ask(port, "POST", "/logout", **{"X-Token": token})
    return 5


def fastapi_user(port: int) -> int:
    """One visit: the number of requests."""
    token = ask(port, "POST", "/sign-in", {"user": "ann"})["token"]
    for _ in range(3):
        ask(port, "GET", "/visits")
    ask(port, "DELETE", f"/sign-in/{token}")
    return 5


def processor_seconds(pid: int) -> float:
    """What a process and its threads, those that have ended included, have used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads processor time in /proc")
@pytest.mark.parametrize(
    ("name", "run", "visit"), [("flask_app", "app:app", flask_user), ("fastapi_app", "main:app", fastapi_user)]
)
def test_generated_code_is_as_quick_as_an_experts(name: str, run: str, visit: object, backing: Backing) -> None:
    assert callable(visit)
    roots = {"expert": TESTS / "verify" / "migrated" / name, "generated": TESTS / "fixtures" / name / "after"}
    best = dict.fromkeys(roots, 0.0)
    commands = dict.fromkeys(roots, 0)
    with Fleet(App(roots["expert"], run), backing.env) as one, Fleet(App(roots["generated"], run), backing.env) as two:
        machines = {"expert": one.boot(1)[0], "generated": two.boot(1)[0]}
        for who, machine in machines.items():
            visit(machine.port)
            with backing.listening() as heard:
                visit(machine.port)
            commands[who] = len(heard)
        before = {who: processor_seconds(machine.child.pid) for who, machine in machines.items()}
        for _ in range(ROUNDS):  # in turn, so that whatever else runs disturbs both
            for who, machine in machines.items():
                start, done = time.perf_counter(), 0
                while done < BATCH:
                    done += visit(machine.port)
                best[who] = max(best[who], done / (time.perf_counter() - start))
        used = {who: processor_seconds(machine.child.pid) - before[who] for who, machine in machines.items()}
    for who, rate in best.items():
        print(f"\n{name} {who:<10} {rate:6.0f} requests/s at best", end=", ")
        print(f"{used[who] / BATCH / ROUNDS * 1000:.2f} ms of processor time a request", end=", ")
        print(f"{commands[who]} commands to Redis a visit", end="")
    ratio = used["expert"] / used["generated"]
    print(f"\n{name} ratio {ratio:.2f}")
    assert commands["generated"] <= commands["expert"]
    assert ratio >= LEAST
