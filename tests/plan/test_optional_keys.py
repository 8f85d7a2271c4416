"""A key that may be None: a dict takes it as any other, a hash only as text."""

from __future__ import annotations

from pathlib import Path

import pytest

from unstate.config import Config
from unstate.model import Verdict
from unstate.plan import plan
from unstate.render import render
from unstate.scan import scan

APP = """
from typing import Optional, Union

from flask import Flask

app = Flask(__name__)
seen: dict[str, int] = {}


def knows(key: KIND) -> bool:
    CODE


@app.get("/<key>")
def page(key: str):
    seen[key] = 1
    return {"known": knows(key), "all": len(seen)}
"""


@pytest.mark.parametrize(
    ("kind", "code", "field"),
    [
        ("Optional[str]", "return key in seen", "str(key)"),
        ("str | None", "return bool(key) and key in seen", "str(key)"),
        ("'Union[str, None]'", "return key in seen", "str(key)"),
        ("str", "return key in seen", "key"),
        ("Optional[str]", "return key is not None and key in seen", "key"),
        ("Optional[str]", "key = key or 'none'\n    return key in seen", "key"),
    ],
)
def test_a_key_that_may_be_none_is_a_field_by_its_text(kind: str, code: str, field: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP.replace("KIND", kind).replace("CODE", code))
    made = plan(tmp_path, scan(tmp_path, Config()), Config())
    taken = [group.id for group in made.groups if group.verdict is not Verdict.MANUAL]
    told = [text for group in made.groups for text in group.differences if "taken as the text `None`" in text]
    assert bool(told) is (field == "str(key)")
    files = {change.path: (change.after or b"").decode() for change in render(tmp_path, made, taken)}
    assert f'redis_client.hexists("seen", {field})' in files["app.py"]
