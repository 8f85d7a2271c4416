"""Facts of one file: `read(path, source)` gives what the linker needs, or the reason why there is nothing."""

from __future__ import annotations

import ast
import re
import warnings

from unstate.facts import files
from unstate.facts.columns import in_code_points
from unstate.facts.values import FileFacts, Suppression
from unstate.facts.walk import Walk
from unstate.model import Diagnostic

VERSION = 3  # of the form and meaning of facts: a change makes cached ones worthless

_SUPPRESSION = re.compile(r"#\s*unstate:\s*ignore(?:\[([\w\s,*]*)\])?[ \t]*:?[ \t]*(.*)")


def read(path: str, source: bytes) -> FileFacts | Diagnostic:
    """Facts of the file `path` (relative to the scanned root), or a diagnostic where it cannot be parsed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source, filename=path)
        text = decode(source)
    except SyntaxError as error:
        return Diagnostic(path=path, line=error.lineno or 1, message=f"cannot be parsed: {error.msg}")
    except (ValueError, UnicodeDecodeError, LookupError) as error:
        return Diagnostic(path=path, line=1, message=f"cannot be parsed: {error}")
    except (RecursionError, MemoryError):
        return Diagnostic(path=path, line=1, message="cannot be parsed: nested too deeply")
    walk = Walk(tree, text, files.may_touch(source))
    refs = sorted(walk.refs, key=lambda ref: (ref.line, ref.column, ref.ends))
    facts = FileFacts(
        path,
        walk.frames,
        tuple(sorted(walk.imports, key=lambda found: found.span)),
        tuple(refs),
        suppressions(text),
        text.count("\n") + 1,
        tuple(sorted(walk.expressions, key=lambda found: found.span)),
    )
    return facts if source.isascii() else in_code_points(facts, text)


def decode(source: bytes) -> str:
    """Source as text, by its BOM or coding cookie. Raises SyntaxError, UnicodeDecodeError, LookupError."""
    import io
    import tokenize

    encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    return source.decode(encoding)


def suppressions(text: str) -> tuple[Suppression, ...]:
    """Every `# unstate: ignore[RULE] why` of a file."""
    if "unstate:" not in text:
        return ()
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        match = _SUPPRESSION.search(line)
        if match:
            rules = tuple(rule.strip() for rule in (match[1] or "").split(",") if rule.strip())
            found.append(Suppression(number, rules, match[2].strip()))
    return tuple(found)
