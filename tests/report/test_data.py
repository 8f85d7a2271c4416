"""JSON in the words that were promised."""

from __future__ import annotations

import json

import msgspec
from sample import SCAN, SESSIONS

from unstate.model import Scan
from unstate.report import scan_json, scan_jsonl

STORE = [
    "id",
    "rule",
    "kind",
    "shape",
    "name",
    "path",
    "line",
    "scope",
    "verdict",
    "sites",
    "evidence",
    "reasons",
    "decisions",
]


def test_the_fixed_words() -> None:
    document = json.loads(scan_json(SCAN))
    assert document["schema"] == "unstate.scan/1"
    assert len(document["stores"]) == 4
    for store in document["stores"]:
        assert set(STORE) <= set(store)
        assert all(set(site) == {"path", "line", "op"} for site in store["sites"])
    first = document["stores"][0]
    assert first["id"] == "US101:.:app:sessions"
    assert (first["kind"], first["shape"], first["scope"], first["verdict"]) == (
        "session",
        "str",
        "module global",
        "review",
    )
    assert (first["path"], first["line"]) == ("app.py", 2)
    assert first["sites"][1] == {"path": "app.py", "line": 9, "op": "setitem"}
    assert first["decisions"][0]["name"] == "ttl"
    assert {"path": "legacy.py", "line": 3}.items() <= document["diagnostics"][0].items()
    assert "message" in document["diagnostics"][0]


def test_an_empty_scan() -> None:
    assert json.loads(scan_json(Scan())) == {"schema": "unstate.scan/1", "stores": [], "diagnostics": []}
    assert scan_jsonl(Scan()) == b""


def test_one_line_an_item() -> None:
    lines = [json.loads(line) for line in scan_jsonl(SCAN).splitlines()]
    assert [next(iter(line)) for line in lines] == ["store"] * 4 + ["diagnostic"]
    assert [line["store"] for line in lines[:4]] == json.loads(scan_json(SCAN))["stores"]


def test_a_file_name_that_is_no_unicode_is_shown_as_far_as_it_goes() -> None:
    store = msgspec.structs.replace(SESSIONS.store, path="caf\udce9.py")
    scan = Scan(findings=(msgspec.structs.replace(SESSIONS, store=store),))
    assert json.loads(scan_json(scan))["stores"][0]["path"] == "caf?.py"
    assert json.loads(scan_jsonl(scan))["store"]["path"] == "caf?.py"
