"""Times, identifiers and decimals travel by their declared type, and never as JSON that raises."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

from unstate.config import Config
from unstate.model import Group, Verdict
from unstate.plan import plan
from unstate.scan import scan

HEAD = """
{imports}
from flask import Flask, request
app = Flask(__name__)
{definition}

@app.post("/x/<key>")
def x(key: str):
"""


def group(root: Path, imports: str, definition: str, body: str) -> Group:
    """The group of the one store of an app."""
    source = (
        HEAD.format(imports=imports, definition=definition) + indent(body, "    ") + "\n    return str(len(store))\n"
    )
    (root / "app.py").write_text(source)
    return plan(root, scan(root, Config()), Config()).groups[0]


@pytest.mark.parametrize(
    ("imports", "kind", "value"),
    [
        ("from datetime import datetime", "datetime", "datetime.now()"),
        ("from datetime import date", "date", "date.today()"),
        ("from datetime import timedelta", "timedelta", "timedelta(hours=1)"),
        ("from uuid import UUID", "UUID", "UUID(key)"),
        ("from decimal import Decimal", "Decimal", "Decimal(key)"),
    ],
)
def test_a_declared_type_travels(imports: str, kind: str, value: str, tmp_path: Path) -> None:
    made = group(tmp_path, imports, f"store: dict[str, {kind}] = {{}}", f"store[key] = {value}")
    assert (made.verdict, made.codec, made.model) == (Verdict.REVIEW, "model", kind)
    assert "codec" not in [decision.name for decision in made.decisions]


@pytest.mark.parametrize(
    ("imports", "definition", "body"),
    [
        ("import datetime", "store: dict[str, datetime.datetime] = {}", "store[key] = datetime.datetime.now()"),
        ("from datetime import datetime", "store = {}", "store[key] = datetime.now()"),
        ("from uuid import uuid4", "store = {}", "store[key] = uuid4()"),
        ("from datetime import datetime as d", "store: dict[str, d] = {}", "store[key] = d.now()"),
        ("from decimal import Decimal", "store = {}", "store[key] = Decimal(key)"),
        ("from datetime import datetime", "store: dict[str, datetime | str] = {}", "store[key] = datetime.now()"),
    ],
)
def test_what_is_not_declared_so_stays(imports: str, definition: str, body: str, tmp_path: Path) -> None:
    assert group(tmp_path, imports, definition, body).verdict is Verdict.MANUAL


@pytest.mark.parametrize(
    ("imports", "body"),
    [
        ("from datetime import datetime", "store[key] = datetime.now().isoformat()"),
        ("from uuid import uuid4", "store[key] = uuid4().hex"),
        ("from uuid import uuid4", "store[key] = str(uuid4())"),
    ],
)
def test_their_texts_are_text(imports: str, body: str, tmp_path: Path) -> None:
    assert group(tmp_path, imports, "store = {}", body).verdict is not Verdict.MANUAL


ONE = """
{imports}
from flask import Flask, jsonify
app = Flask(__name__)
{definition}

@app.post("/x")
def put():
    global store
    made = make()
    store = (1.0, made)
    return ""

@app.get("/x")
def get():
    return jsonify(store[0] if store is not None else None)
"""


def one(root: Path, definition: str, imports: str = "from dataclasses import dataclass") -> Group:
    """The group of the one store of an app that keeps a single value."""
    (root / "app.py").write_text(ONE.format(imports=imports, definition=definition))
    return plan(root, scan(root, Config()), Config()).groups[0]


SEEN = """@dataclass
class Seen:
    door: str

def make():
    return Seen("red")

"""


@pytest.mark.parametrize(
    "declared", ["tuple[float, Seen] | None", "Optional[Tuple[float, Seen]]", "None | tuple[float, Seen]"]
)
def test_one_value_of_a_declared_tuple_travels_by_it(declared: str, tmp_path: Path) -> None:
    imports = "from dataclasses import dataclass\nfrom typing import Optional, Tuple"
    made = one(tmp_path, f"{SEEN}store: {declared} = None", imports)
    assert (made.codec, made.model.lower()) == ("model", "tuple[float, seen]")


def test_one_value_of_a_tuple_with_an_object_stays(tmp_path: Path) -> None:
    made = one(tmp_path, SEEN.replace("@dataclass", "") + "store: tuple[float, Seen] | None = None")
    assert made.verdict is Verdict.MANUAL
    assert "neither a dataclass nor a pydantic model" in str(made.refusals)


def test_one_value_of_a_declared_tuple_of_texts_is_json(tmp_path: Path) -> None:
    assert one(tmp_path, "def make():\n    return 'red'\n\nstore: tuple[float, str] | None = None").codec == "tuple"
