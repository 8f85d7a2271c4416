"""What ties a store to one process or thread: conditions that are waited for, objects of one thread."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from unstate.config import Config
from unstate.model import Verdict
from unstate.scan import scan

HEAD = """
import asyncio, threading, time
from flask import Flask
app = Flask(__name__)
changed = threading.Condition()
jobs: dict[str, int] = {}
visits: dict[str, float] = {}
"""

WAITS = {
    "in a loop": """
        with changed:
            while jobs.get(name, 0):
                changed.wait(1)
    """,
    "for a predicate": """
        with changed:
            changed.wait_for(lambda: name not in jobs, timeout=1)
    """,
}
NO_WAITS = {
    "a condition that is only told": """
        with changed:
            jobs.pop(name, None)
            changed.notify_all()
    """,
    "after the wait": """
        with changed:
            changed.wait(1)
        jobs.pop(name, None)
    """,
    "an event of another sort": """
        done = threading.Event()
        with changed:
            jobs.pop(name, None)
        done.wait(1)
    """,
}


def reasons(root: Path, body: str) -> dict[str, tuple[Verdict, str]]:
    """By store: how far it may go and why no further, in an app with one handler that fills and one of that body."""
    filling = "@app.post('/fill/<name>')\ndef fill(name):\n    jobs[name] = 1\n    print(visits)\n    return ''\n"
    source = (
        f"{HEAD}{filling}@app.post('/x/<name>')\ndef x(name):\n"
        + indent(dedent(body), "    ")
        + "\n    return str(visits)\n"
    )
    (root / "app.py").write_text(source)
    return {each.store.name: (each.limit, "\n".join(each.reasons)) for each in scan(root, Config()).findings}


@pytest.mark.parametrize("case", WAITS)
def test_what_is_waited_for_is_no_rewrite(case: str, tmp_path: Path) -> None:
    limit, why = reasons(tmp_path, WAITS[case])["jobs"]
    assert limit is Verdict.MANUAL
    assert "no other process can wake it" in why


@pytest.mark.parametrize("case", NO_WAITS)
def test_what_is_not_waited_for_may_move(case: str, tmp_path: Path) -> None:
    limit, why = reasons(tmp_path, NO_WAITS[case])["jobs"]
    assert limit is not Verdict.MANUAL, why


@pytest.mark.parametrize("base", ["threading.local", "Local"])
def test_what_each_thread_has_of_its_own_is_silent(base: str, tmp_path: Path) -> None:
    source = f"""
    import threading
    from asgiref.local import Local
    from flask import Flask
    app = Flask(__name__)

    class Current({base}):
        def __init__(self):
            self.uid = 0
            self.hits = {{}}

    current = Current()

    @app.post("/<name>")
    def post(name):
        current.uid += 1
        current.hits[name] = current.uid
        return str(current.hits)
    """
    (tmp_path / "app.py").write_text(dedent(source))
    assert scan(tmp_path, Config()).findings == ()
    (tmp_path / "app.py").write_text(dedent(source).replace(f"Current({base})", "Current"))
    assert [each.store.name for each in scan(tmp_path, Config()).findings] == ["Current.uid", "Current.hits"]
