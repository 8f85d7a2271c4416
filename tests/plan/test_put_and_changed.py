"""What is changed after it was put into a store is saved again; what cannot have been put there yet is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from unstate.config import Config
from unstate.plan import plan
from unstate.render import render
from unstate.scan import scan

APP = """
from contextlib import suppress
from flask import Flask

app = Flask(__name__)
seen: dict[str, list[float]] = {{}}


@app.post("/seen/<key>/<float:now>")
def note(key: str, now: float):
    times = [each for each in seen.get(key, []) if now - each < 60]
{body}
    return {{}}
"""
RETURNED = """
    if len(times) > 5:
        seen[key] = times
        return {}
    times.append(now)
    seen[key] = times
"""
GOES_ON = """
    if len(times) > 5:
        seen[key] = times
    times.append(now)
"""
RETURNED_WITHIN = """
    if len(times) > 5:
        seen[key] = times
        if now < 0:
            return {}
    times.append(now)
"""
ON_THE_WAY_OUT = """
    try:
        if len(times) > 5:
            seen[key] = times
            return {}
    finally:
        times.append(now)
"""
SUPPRESSED = """
    with suppress(ValueError):
        if len(times) > 5:
            seen[key] = times
            return {"at": float(key)}
    times.append(now)
"""


@pytest.mark.parametrize(
    ("body", "saved"),
    [(RETURNED, False), (GOES_ON, True), (RETURNED_WITHIN, True), (ON_THE_WAY_OUT, True), (SUPPRESSED, True)],
    ids=["returned", "goes on", "returned in a part of it", "finally", "suppressed"],
)
def test_a_change_behind_a_put(body: str, saved: bool, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP.format(body=body))
    found = plan(tmp_path, scan(tmp_path, Config()), Config())
    files = {each.path: each for each in render(tmp_path, found, {group.id for group in found.groups})}
    assert (b"save_entry(" in (files["app.py"].after or b"")) is saved
