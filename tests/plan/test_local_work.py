"""A mark that this process did something to itself stays in it; one of what was done for all moves."""

from __future__ import annotations

from pathlib import Path

import pytest

from unstate.model import Verdict

from .test_readable import migrated

APP = """
import logging
import sys
import threading
from flask import Flask
from watching import Observer

app = Flask(__name__)
done: set[str] = set()
observer = Observer()
log = logging.getLogger()


def work(name: str) -> None:
    log.info(name)


@app.post("/<name>")
def view(name: str) -> str:
    if name not in done:
        done.add(name)
        {made}
    return {answer}
"""


def verdict(root: Path, made: str, answer: str = '"ok"') -> tuple[Verdict, str]:
    """How far the one store of the app goes, and why not further."""
    groups = migrated(root, {"app.py": APP.format(made=made, answer=answer)})[0].groups
    (group,) = (each for each in groups if each.finding.store.name == "done")
    return group.verdict, str(group.refusals)


@pytest.mark.parametrize(
    ("made", "work"),
    [
        ("observer.schedule(work, name)", "observer.schedule"),
        ("log.addHandler(logging.FileHandler(name))", "log.addHandler"),
        ("sys.modules[name] = threading", "sys.modules[...] = ..."),
        ("app.add_url_rule('/x/' + name, view_func=view)", "app.add_url_rule"),
    ],
)
def test_a_mark_of_what_a_process_did_to_itself_stays(made: str, work: str, tmp_path: Path) -> None:
    how, why = verdict(tmp_path, made)
    assert how is Verdict.MANUAL
    assert f"did `{work}` for itself" in why


@pytest.mark.parametrize(
    ("made", "answer"),
    [
        ("work(name)", '"ok"'),
        ("log.warning(name)", '"ok"'),
        ("threading.Thread(target=work, args=(name,)).start()", '"ok"'),
        ("observer.send(name)", '"ok"'),
        ("observer.schedule(work, name)", "str(len(done))"),  # told to users: it is more than a mark
    ],
)
def test_a_mark_of_what_is_done_for_all_moves(made: str, answer: str, tmp_path: Path) -> None:
    how, why = verdict(tmp_path, made, answer)
    assert how is not Verdict.MANUAL, why
