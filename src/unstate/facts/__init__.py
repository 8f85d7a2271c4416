"""Facts of one file: `read(path, source)` gives what the linker needs, or the reason why there is nothing."""

from __future__ import annotations

import ast
import contextlib
import io
import re
import sys
import tokenize
import warnings

from unstate.facts import files
from unstate.facts.columns import in_code_points
from unstate.facts.needed import needed
from unstate.facts.values import FileFacts, Suppression
from unstate.facts.walk import Walk
from unstate.model import Diagnostic
from unstate.project import is_generated

_SUPPRESSION = re.compile(r"#\s*unstate:\s*ignore(?:\[([\w\s,*]*)\])?[ \t]*:?[ \t]*(.*)")


def read(path: str, source: bytes) -> FileFacts | Diagnostic:
    """Facts of the file `path` (relative to the scanned root), or a diagnostic where it cannot be read.

    A Python 2 file is read through its own parser; its facts say so. What unstate has generated has none: it is a
    library to the app, which holds no state and keeps none on disk.
    """
    if is_generated(source):
        source = b""
    try:
        try:
            return _facts(path, decode(source), source)
        except SyntaxError as error:
            return _other_python(path, source, error)
    except (ValueError, UnicodeDecodeError, LookupError) as error:
        return Diagnostic(path=path, line=1, message=f"cannot be read: {error}")
    except (RecursionError, MemoryError):
        return Diagnostic(path=path, line=1, message="cannot be read: nested too deeply")


def _facts(path: str, text: str, source: bytes, is_python2: bool = False) -> FileFacts:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text if is_python2 else source, filename=path)
    walk = Walk(tree, text, files.may_touch(source))
    frames = walk.frames
    facts = FileFacts(
        path,
        frames,
        tuple(sorted(walk.imports, key=lambda found: found.span)),
        tuple(sorted(needed(walk.refs, frames, walk.imports), key=lambda ref: (ref.line, ref.column, ref.ends))),
        suppressions(text),
        text.count("\n") + 1,
        tuple(sorted(walk.expressions, key=lambda found: found.span)),
        is_python2,
        tuple(walk.entries),
    )
    return facts if source.isascii() else in_code_points(facts, text)


def _other_python(path: str, source: bytes, error: SyntaxError) -> FileFacts | Diagnostic:
    """A file that this Python cannot parse: an older or a newer one, or none."""
    from unstate.facts import python2

    line = error.lineno or 1
    try:
        text = decode(source)
    except SyntaxError:  # an unknown coding cookie
        return Diagnostic(path=path, line=line, message=f"cannot be read: {error.msg}")
    if python2.looks_like(text):
        try:
            return _facts(path, python2.translate(text, path), source, is_python2=True)
        except python2.UnreadableError as problem:
            told = Diagnostic(path=path, line=line, message=str(problem), rule="US003")
        except SyntaxError as left:
            message = f"a Python 2 file that could not be turned into Python 3: {left.msg}"
            told = Diagnostic(path=path, line=left.lineno or line, message=message, rule="US003")
        if python2.looks_like("\n".join(text.split("\n")[line - 1 : line])):
            return told  # else what this Python minds is no mark of Python 2: the file is newer, or broken
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    message = f"cannot be parsed by Python {running}: {error.msg}; nothing in this file was looked at"
    return Diagnostic(path=path, line=line, message=message)


def decode(source: bytes) -> str:
    """Source as text, by its BOM or coding cookie. Raises SyntaxError, UnicodeDecodeError, LookupError."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    return source.decode(encoding)


def suppressions(text: str) -> tuple[Suppression, ...]:
    """Every comment `# unstate: ignore[RULE] why` of a file."""
    if "unstate:" not in text:
        return ()
    found = []
    with contextlib.suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            match = _SUPPRESSION.match(token.string) if token.type == tokenize.COMMENT else None
            if match:
                rules = tuple(rule.strip() for rule in (match[1] or "").split(",") if rule.strip())
                found.append(Suppression(token.start[0], rules, match[2].strip()))
    return tuple(found)
