"""Python 2 files: read by Bowler's parser, turned into Python 3 in memory, for their stores only.

Lines stay where they are; columns may not. Nothing is ever rewritten in such a file.
"""

from __future__ import annotations

import logging
import re

# Fixers that leave every statement on its line.
_FIXERS = (
    "print except exec raise throw repr ne numliterals has_key paren unicode basestring long funcattrs"
    " methodattrs sys_exc"
).split()
_SIGNS = re.compile(
    r"^[ \t]*(print[ \t]+[^(=\s,.\[]|print[ \t]*$|print[ \t]*>>|exec[ \t]+[^(=\s]|raise[ \t]+\w+[ \t]*,)"
    r"|^[ \t]*except[ \t]+[\w.()\t ,]+,[ \t]*\w+[ \t]*:|\bur['\"]|<>|`[^`\n]+`|\b0[0-7]+\b(?![.\w])|\b\d+[lL]\b",
    re.MULTILINE,
)


class UnreadableError(Exception):
    """The file is no Python 2 either, or its parser cannot be used here; the text says which."""


def looks_like(text: str) -> bool:
    """Whether a text that Python 3 cannot parse has the marks of Python 2."""
    return _SIGNS.search(text) is not None


def translate(text: str, path: str) -> str:
    """The text in Python 3, line by line. Raises UnreadableError."""
    try:
        from fissix.refactor import RefactoringTool
    except Exception as error:  # its import writes a cache of its grammar and fails where that cannot be made
        raise UnreadableError(f"a Python 2 file, and its parser cannot be loaded: {error}") from None
    logging.getLogger("RefactoringTool").setLevel(logging.CRITICAL)
    try:
        fixers = [f"fissix.fixes.fix_{name}" for name in _FIXERS]
        once = str(RefactoringTool(fixers).refactor_string(text if text.endswith("\n") else text + "\n", path))
        # Again, with `print` a function by now: what one fixer made is for another to see (0777L, 0777, 0o777).
        return str(RefactoringTool(fixers, {"print_function": True}).refactor_string(once, path))
    except Exception as error:
        raise UnreadableError(f"a Python 2 file that its parser cannot read: {error}") from None
