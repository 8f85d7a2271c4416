"""Text files of a project that are read to be added to."""

from __future__ import annotations

from pathlib import Path


def text_of(root: Path, path: str) -> str | None:
    """A file's text, newlines as they are; None where it is none in UTF-8, or stands outside of the root."""
    try:
        file = (root / path).resolve()
        return file.read_bytes().decode() if file.is_relative_to(root.resolve()) else None
    except (OSError, RuntimeError, UnicodeDecodeError):
        return None
