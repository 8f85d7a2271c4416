"""Text files of a project that are read to be added to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_BOM = b"\xef\xbb\xbf"


def text_of(root: Path, path: str) -> str | None:
    """A file's text, newlines as they are; None where it is none in UTF-8, or stands outside of the root."""
    try:
        file = (root / path).resolve()
        return file.read_bytes().decode() if file.is_relative_to(root.resolve()) else None
    except (OSError, RuntimeError, UnicodeDecodeError):
        return None


def insert(content: bytes, number: int, lines: Sequence[bytes]) -> bytes:
    """A source with `lines` after its line `number`, as Python counts them; 0 puts them first."""
    bom = _BOM if content.startswith(_BOM) else b""
    newline = b"\r\n" if b"\r\n" in content else b"\n"
    *whole, last = content.removeprefix(bom).split(b"\n")
    there = [*(line + b"\n" for line in whole), *([last] if last else [])]
    before, behind = there[:number], there[number:]
    if before and not before[-1].endswith(b"\n"):  # a file without a newline at its end stays one
        return bom + b"".join(before) + newline + newline.join(lines)
    return bom + b"".join([*before, *(line + newline for line in lines), *behind])


def indent_of(content: bytes, number: int) -> bytes:
    """What a line begins with."""
    line = content.split(b"\n")[number - 1].removeprefix(_BOM)
    return line[: len(line) - len(line.lstrip(b" \t"))]
