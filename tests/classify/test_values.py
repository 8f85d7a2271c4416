"""What the values of a store are: text only where every write shows it, nothing of what no JSON holds."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

from unstate.config import Config
from unstate.model import Finding, Shape, Verdict
from unstate.plan import plan
from unstate.scan import scan

HEAD = """
import io, json, uuid
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Optional
import cv2
import numpy as np
from PIL import Image
from flask import Flask, request
app = Flask(__name__)
store{annotation} = {{}}

@app.post("/x/<key>")
def x(key: str):
"""


def found(root: Path, annotation: str, body: str) -> Finding:
    """The finding of `store`, of that annotation, in a handler of that body."""
    source = HEAD.format(annotation=annotation) + indent(body, "    ") + "\n    return f'{store[key]}'\n"
    (root / "app.py").write_text(source)
    return scan(root, Config()).findings[0]


@pytest.mark.parametrize(
    ("annotation", "body"),
    [
        (": dict[str, Image.Image]", "store[key] = request.image"),
        ("", "store[key] = datetime.now()"),
        ("", "store[key] = np.zeros(3)"),
        ("", "image = cv2.imread(key)\nstore[key] = image"),
        ("", "store[key] = Path(key)"),
    ],
)
def test_what_no_json_holds_stays(annotation: str, body: str, tmp_path: Path) -> None:
    finding = found(tmp_path, annotation, body)
    assert (finding.shape, finding.limit) == (Shape.OBJECT, Verdict.MANUAL)


@pytest.mark.parametrize(
    ("annotation", "body", "shape"),
    [
        (": dict[str, np.ndarray]", "store[key] = request.image", Shape.ARRAY),
        (": dict[str, io.BytesIO]", "store[key] = request.image", Shape.BUFFER),
        ("", "store[key] = io.BytesIO()", Shape.BUFFER),
        ("", "store[key] = io.BytesIO()\nif key:\n    store[key] = b''", Shape.UNKNOWN),
        (": dict[str, np.ndarray | None]", "store[key] = request.image", Shape.UNKNOWN),
    ],
)
def test_what_is_made_of_bytes_is_told(annotation: str, body: str, shape: Shape, tmp_path: Path) -> None:
    assert found(tmp_path, annotation, body).shape is shape


@pytest.mark.parametrize(
    ("annotation", "body"),
    [
        (": dict[str, str | None]", "store[key] = 'a'"),
        (": dict[str, Optional[str]]", "store[key] = 'a'"),
        (": dict[str, str]", "store[key] = None"),
        ("", "store[key] = 'a'\nif key:\n    store[key] = None"),
        ("", "store[key] = json.loads(request.data)\nif key:\n    store[key] = 'a'"),
        ("", "result = request.anything()\nstore[key] = result\nif key:\n    store[key] = 'a'"),
        (": dict[str, Any]", "store[key] = 'a'\nif key:\n    store[key] = 1"),
    ],
)
def test_what_may_be_no_text_travels_as_json(annotation: str, body: str, tmp_path: Path) -> None:
    assert found(tmp_path, annotation, body).shape is Shape.UNKNOWN
    made = plan(tmp_path, scan(tmp_path, Config()), Config())
    assert [group.codec for group in made.groups] == ["json"]


@pytest.mark.parametrize(
    ("annotation", "body"),
    [
        (": dict[str, str]", "store[key] = request.anything()"),
        ("", "store[key] = 'a'"),
        ("", "store[key] = 'a'\nif key:\n    user_name = request.anything()\n    store[key] = user_name"),
    ],
)
def test_text_stays_text(annotation: str, body: str, tmp_path: Path) -> None:
    assert found(tmp_path, annotation, body).shape is Shape.STR
