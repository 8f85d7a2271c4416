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
from unstate.config import INJECTIONS, Config
from unstate.model import Kind, Plan
from unstate.report.data import ScanEntry
from unstate.report.verified import Verified

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DOCUMENTS: dict[str, tuple[type[msgspec.Struct], str]] = {
    "scan-1": (ScanEntry, "What unstate scan found"),
    "plan-1": (Plan, "What unstate migrate would change"),
    "decisions-1": (Decisions, "What a person has decided about a plan"),
    "verify-1": (Verified, "What unstate verify found"),
}
CODES = {"items": {"type": "string", "pattern": r"^[A-Z]+\d*$"}}
SHAPES: dict[str, dict[str, Any]] = {  # of settings, beyond their types
    "exclude": {"description": "Globs as in .gitignore, from the root; what they match is not looked at."},
    "select": {"description": "Rules to report, by code or its beginning; all of them if empty.", **CODES},
    "ignore": {"description": "Rules to leave out, by code or its beginning.", **CODES},
    "ttl": {
        "description": 'How long entries live, by kind of store: "12h", "7d", or "none".',
        "propertyNames": {"enum": [str(kind) for kind in Kind]},
        "additionalProperties": {"type": "string", "pattern": r"^([1-9][0-9]*[smhdw]|none)$"},
    },
    "key_prefix": {
        "description": "What a store's keys begin with, by the store's name (a glob).",
        "additionalProperties": {"type": "string", "pattern": r"^[^\s*?\[\]{}]+$"},
    },
    "service": {"description": "Services, where they are not recognised by themselves."},
    "overrides": {"description": "Settings that differ below some paths."},
    "injection": {
        "description": "Whether clients are tied to the framework's application, stand in their module alone, or are "
        "parameters of FastAPI's handlers too.",
        "enum": list(INJECTIONS),
    },
    "paths": {"description": "Globs as in .gitignore, from the root."},
}


def schemas() -> dict[str, bytes]:
    """File name -> schema."""
    documents = {name: schema(*DOCUMENTS[name]) for name in sorted(DOCUMENTS)}
    return {f"{name}.schema.json": encode(each) for name, each in {"settings-1": settings(), **documents}.items()}


def schema(kind: type[msgspec.Struct], title: str) -> dict[str, Any]:
    """The schema of one document."""
    return {"$schema": DIALECT, "title": title, **msgspec.json.schema(kind)}


def settings() -> dict[str, Any]:
    """The schema of the `[tool.unstate]` table, for editors and checkers of pyproject.toml."""
    result = schema(Config, "The settings of unstate, [tool.unstate] in pyproject.toml")
    tables = result["$defs"]
    del tables["Config"]["properties"]["source"]  # where they come from is no setting
    for table in tables.values():
        table.pop("description", None)
        for name, shape in SHAPES.items():
            if name in table["properties"]:
                table["properties"][name] |= shape
    return result


def main(folder: Path) -> None:
    """Write every schema into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in schemas().items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
