"""The gates on bytes only save work: what is found is the same without them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from unstate import facts, gate
from unstate.config import Config
from unstate.facts import files
from unstate.facts.values import FileFacts
from unstate.link.program import Program
from unstate.model import Scan
from unstate.project import Modules
from unstate.scan import scan

CASES = sorted(case for case in (Path(__file__).parents[1] / "fixtures").iterdir() if (case / "before").is_dir())


def loads_a_framework(path: str, source: bytes) -> str:
    """The answer of the gate, from a parsed file."""
    read = facts.read(path, source)
    web = isinstance(read, FileFacts) and Program({path: read}, Modules([path])).web
    return "flask" if web else ""


def is_touching(source: bytes) -> bool:
    return True


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_scan_without_gates_finds_the_same(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gated = scan(case / "before", Config())
    monkeypatch.setattr(gate, "frameworks_in", loads_a_framework)
    monkeypatch.setattr(files, "may_touch", is_touching)
    assert scan(case / "before", Config()) == gated


@pytest.mark.parametrize(
    ("held", "opened"),
    [
        (lambda path, source: "", None),
        (None, lambda source: False),
    ],
    ids=["which files are web", "which files touch files"],
)
def test_the_gates_are_what_decides(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    held: Callable[[str, bytes], str] | None,
    opened: Callable[[bytes], bool] | None,
) -> None:
    """The test above would see a gate that is closed for too many."""
    (tmp_path / "setup.py").write_text("")
    (tmp_path / "app.py").write_text(
        "import os\nfrom flask import Flask, request\napp = Flask(__name__)\n"
        "@app.post('/x')\ndef view():\n    file = request.files['f']\n"
        "    file.save(os.path.join('uploads', file.filename))\n    return ''\n"
    )

    def found() -> Scan:
        return scan(tmp_path, Config())

    assert found().findings
    if held is not None:
        monkeypatch.setattr(gate, "frameworks_in", held)
    if opened is not None:
        monkeypatch.setattr(files, "may_touch", opened)
    assert not found().findings
