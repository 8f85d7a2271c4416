"""The JSON Schemas of what unstate writes and reads, made from the types themselves.

`python -m unstate.report.schemas docs/schemas` writes them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from unstate.changes.decisions import Decisions
from unstate.changes.documents import encode
from unstate.model import Plan
from unstate.report.data import ScanEntry
from unstate.report.verified import Verified

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DOCUMENTS: dict[str, tuple[type[msgspec.Struct], str]] = {
    "scan-1": (ScanEntry, "What unstate scan found"),
    "plan-1": (Plan, "What unstate migrate would change"),
    "decisions-1": (Decisions, "What a person has decided about a plan"),
    "verify-1": (Verified, "What unstate verify found"),
}


def schemas() -> dict[str, bytes]:
    """File name -> schema."""
    return {f"{name}.schema.json": encode(schema(*DOCUMENTS[name])) for name in sorted(DOCUMENTS)}


def schema(kind: type[msgspec.Struct], title: str) -> dict[str, Any]:
    """The schema of one document."""
    return {"$schema": DIALECT, "title": title, **msgspec.json.schema(kind)}


def main(folder: Path) -> None:
    """Write every schema into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in schemas().items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
