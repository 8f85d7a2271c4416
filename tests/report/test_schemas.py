"""The published schemas are those of the types, and what we write is valid by them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from sample import PLAN, SCAN

from unstate.changes.decisions import Choice, Decisions
from unstate.changes.documents import encode
from unstate.model import Plan, Scan
from unstate.report import scan_json
from unstate.report.schemas import schemas

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"
WRITTEN = [
    ("scan-1", scan_json(SCAN)),
    ("scan-1", scan_json(Scan())),
    ("plan-1", encode(PLAN)),
    ("plan-1", encode(Plan())),
    (
        "decisions-1",
        encode(Decisions(groups=(Choice(id="a", accept=True, answers={"ttl": "7d"}, seen="x"), Choice(id="b")))),
    ),
]


def test_the_published_schemas_are_up_to_date() -> None:
    assert {
        path.name: path.read_bytes() for path in FOLDER.glob("*.schema.json") if path.name in schemas()
    } == schemas(), "write them with: python -m unstate.report.schemas docs/schemas"


@pytest.mark.parametrize(("name", "document"), WRITTEN)
def test_what_we_write_is_valid(name: str, document: bytes) -> None:
    schema = json.loads(schemas()[f"{name}.schema.json"])
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(document), schema, cls=jsonschema.Draft202012Validator)


def test_what_is_wrong_is_not() -> None:
    schema = json.loads(schemas()["decisions-1.schema.json"])
    for document in ({"groups": [{"accept": True}]}, {"groups": [], "more": 1}, {"schema": "unstate.plan/1"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document, schema)
