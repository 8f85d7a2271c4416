"""Plans and decisions as files: written for people and programs alike, checked to the last key when read back."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from unstate.changes.errors import ChangeError

Document = TypeVar("Document")
PLACE = re.compile(r" - at `(\$[^`]*)`$")


class DocumentError(ChangeError):
    """A file that is not what it should be. The text names the file, the place in it and what is wrong."""


def encode(value: Any) -> bytes:
    """JSON for people and programs: indented, with a final newline."""
    return msgspec.json.format(compact(value), indent=2) + b"\n"


def compact(value: Any) -> bytes:
    """JSON on one line, without a newline."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:  # a file name that is no Unicode; JSON has no way to say it
        return json.dumps(msgspec.to_builtins(value), ensure_ascii=False).encode("utf-8", "replace")


def load(path: Path, kind: type[Document], schema: str) -> Document:
    """A document of `kind`, whose `schema` key must say `schema`. Raises DocumentError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DocumentError(f"{path}: {error.strerror}.", [str(path)]) from error
    try:
        found = _schema(content)
        if found != schema:
            instead = f"this is {found}" if found else "nothing says what this is"
            raise DocumentError(f'{path}: $.schema: {instead}, where "{schema}" was wanted.', [str(path)])
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        place = PLACE.search(str(error))
        message = f"{place[1] if place else '$'}: {PLACE.sub('', str(error))}."
        raise DocumentError(f"{path}: {message}", [str(path)]) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DocumentError(
            f"{path}:{_line(content, str(error))}: not JSON: {_plain(str(error))}.", [str(path)]
        ) from None


def save(path: Path, value: Any) -> None:
    """Write a document in one go: whoever reads it sees the old one or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        draft.write_bytes(encode(value))
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise DocumentError(f"{path} cannot be written: {error.strerror}.", [str(path)]) from error


def _schema(content: bytes) -> str:
    document = msgspec.json.decode(content)
    found = document.get("schema", "") if isinstance(document, dict) else ""
    return found if isinstance(found, str) else ""


def _line(content: bytes, message: str) -> int:
    place = re.search(r"\(byte (\d+)\)", message)
    return content[: int(place[1]) if place else len(content)].count(b"\n") + 1


def _plain(message: str) -> str:
    return re.sub(r"^JSON is malformed: | \(byte \d+\)$", "", message)
