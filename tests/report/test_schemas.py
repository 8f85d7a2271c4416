"""The published schemas are those of the types, and what we write is valid by them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from sample import PLAN, SCAN

from unstate.changes.decisions import Choice, Decisions
from unstate.changes.documents import encode
from unstate.config import ConfigError, load
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


SETTINGS = [
    ("", True),
    ('ttl = { session = "12h", token = "none" }', True),
    ('select = ["US1", "US202"]\nexclude = ["a/**"]', True),
    ('key_prefix = { "cart*" = "cart" }', True),
    ('service = [{ name = "web", root = "web" }]', True),
    ('overrides = [{ paths = ["a"], ttl = { session = "1h" } }]', True),
    ('ttl = { sesion = "12h" }', False),
    ('ttl = { session = "12 hours" }', False),
    ('ttl = { session = "0s" }', False),
    ('select = ["us1"]', False),
    ('select = "US1"', False),
    ('key_prefix = { "cart" = "a b" }', False),
    ('source = "x"', False),
    ("exclud = []", False),
    ("service = [{ root = '.' }]", False),
    ("overrides = [{ ignore = ['US1'] }]", False),
    ("overrides = [{ paths = ['a'], select = ['US1'] }]", False),
]


@pytest.mark.parametrize(("text", "right"), SETTINGS)
def test_the_schema_of_the_settings_says_what_unstate_says(text: str, right: bool, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.unstate]\n{text}\n")
    schema = json.loads(schemas()["settings-1.schema.json"])
    jsonschema.Draft202012Validator.check_schema(schema)
    table = tomllib.loads((tmp_path / "pyproject.toml").read_text())["tool"]["unstate"]
    assert jsonschema.Draft202012Validator(schema).is_valid(table) == right
    if right:
        load(tmp_path)
    else:
        with pytest.raises(ConfigError):
            load(tmp_path)


def test_what_is_wrong_is_not() -> None:
    schema = json.loads(schemas()["decisions-1.schema.json"])
    for document in ({"groups": [{"accept": True}]}, {"groups": [], "more": 1}, {"schema": "unstate.plan/1"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document, schema)
