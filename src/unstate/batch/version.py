"""Which unstate this is, down to its code: plans of two that differ must not be mixed."""

from __future__ import annotations

import hashlib
import sys
from functools import cache

from unstate import __version__, resources


@cache
def identity() -> str:
    """Version, Python, and a hash over everything that a plan comes from: code, codemods, templates."""
    state = hashlib.blake2b(digest_size=12)
    folders = (resources.PACKAGE, resources.shipped("codemods"), resources.shipped("templates"))
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file.suffix != ".pyc":
                state.update(f"{file.relative_to(folder).as_posix()}\0".encode() + file.read_bytes() + b"\0")
    return f"{__version__} (Python {sys.version_info.major}.{sys.version_info.minor}, code {state.hexdigest()})"
