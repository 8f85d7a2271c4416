"""Plans and decisions as files: written for people and programs alike, checked to the last key when read back."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import msgspec.inspect

from unstate.changes.errors import ChangeError
from unstate.config import nearest

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
        placed = PLACE.search(str(error))
        where = placed[1] if placed else "$"
        message = f"{where}: {PLACE.sub('', str(error))}{_hint(kind, where, str(error))}."
        raise DocumentError(f"{path}: {message}", [str(path)]) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DocumentError(
            f"{path}:{_line(content, str(error))}: not JSON: {_plain(str(error))}.", [str(path)]
        ) from None


def _hint(kind: type, place: str, message: str) -> str:
    """What would have been right where a key or a value is none that is known: "; did you mean ...?"."""
    wrong = re.match(r"(Object contains unknown field|Invalid enum value) [`'](.*?)[`']", message)
    at = msgspec.inspect.type_info(kind)
    for name, _ in re.findall(r"\.(\w+)|(\[[^]]*\])", place):
        at = next((inner for inner in _inside(at, name)), at)
    known = [each for one in _alternatives(at) for each in _known(one)]
    if wrong is None or not known:
        return ""
    return f"; {nearest(wrong[2], known)}" if "field" in wrong[1] else f"; known: {', '.join(known)}"


def _alternatives(of: msgspec.inspect.Type) -> tuple[msgspec.inspect.Type, ...]:
    return of.types if isinstance(of, msgspec.inspect.UnionType) else (of,)


def _inside(of: msgspec.inspect.Type, name: str) -> Iterator[msgspec.inspect.Type]:
    """The type of a field, or of the entries where `name` is "" and stands for any of them."""
    for each in _alternatives(of):
        if name and isinstance(each, msgspec.inspect.StructType):
            yield from (field.type for field in each.fields if field.encode_name == name)
        elif not name and isinstance(each, msgspec.inspect.VarTupleType | msgspec.inspect.ListType):
            yield each.item_type
        elif not name and isinstance(each, msgspec.inspect.DictType):
            yield each.value_type


def _known(of: msgspec.inspect.Type) -> list[str]:
    if isinstance(of, msgspec.inspect.StructType):
        return [field.encode_name for field in of.fields]
    if isinstance(of, msgspec.inspect.EnumType):
        return [str(member.value) for member in of.cls]
    return [str(value) for value in of.values] if isinstance(of, msgspec.inspect.LiteralType) else []


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
