"""A unified diff that `git apply` takes, byte for byte.

Lines end at a line feed and nowhere else: a carriage return, a form feed or U+2028 is content. `difflib.unified_diff`
over `str.splitlines` gets most of these wrong, and leaves out the marker of a missing final newline.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from unstate.model import FileChange

CONTEXT = 3
LINE = re.compile(rb"[^\n]*\n|[^\n]+")
NO_NEWLINE = b"\n\\ No newline at end of file\n"
MODE = b"100644"
ESCAPES = {0x07: b"a", 0x08: b"b", 0x09: b"t", 0x0A: b"n", 0x0B: b"v", 0x0C: b"f", 0x0D: b"r", 0x22: b'"', 0x5C: b"\\"}

Opcode = tuple[str, int, int, int, int]


def unified(changes: Sequence[FileChange]) -> bytes:
    """The changes as one patch in git's format, in order of path; b"" where nothing differs.

    Content goes through untouched, whatever its encoding. New and removed files carry mode 100644.
    """
    return b"".join(file_diff(change) for change in sorted(changes, key=lambda change: change.path))


def file_diff(change: FileChange) -> bytes:
    """The diff of one file with its `diff --git` header; b"" where nothing differs."""
    before, after = change.before, change.after
    if before == after:
        return b""
    header = [b"diff --git " + _quoted(b"a/", change.path) + b" " + _quoted(b"b/", change.path) + b"\n"]
    if before is None:
        header.append(b"new file mode " + MODE + b"\n")
    elif after is None:
        header.append(b"deleted file mode " + MODE + b"\n")
    header.append(b"index " + _blob(before) + b".." + _blob(after) + b"\n")
    body = b"".join(hunks(before or b"", after or b""))
    if body:  # an empty file that appears or goes has no hunks, and then git wants no names either
        header.append(b"--- " + (b"/dev/null" if before is None else _named(b"a/", change.path)) + b"\n")
        header.append(b"+++ " + (b"/dev/null" if after is None else _named(b"b/", change.path)) + b"\n")
    return b"".join(header) + body


def hunks(before: bytes, after: bytes) -> Iterator[bytes]:
    """The hunks from `before` to `after`, each with its `@@` line and three lines of context."""
    old, new = LINE.findall(before), LINE.findall(after)
    for group in grouped(opcodes(old, new)):
        first, last = group[0], group[-1]
        lines = [b"@@ -" + _range(first[1], last[2]) + b" +" + _range(first[3], last[4]) + b" @@\n"]
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                lines += (_line(b" ", line) for line in old[i1:i2])
            else:
                lines += (_line(b"-", line) for line in old[i1:i2])
                lines += (_line(b"+", line) for line in new[j1:j2])
        yield b"".join(lines)


def opcodes(old: Sequence[bytes], new: Sequence[bytes]) -> list[Opcode]:
    """difflib's opcodes from `old` to `new`; what both share at start and end, most of a file, is set aside first."""
    limit = min(len(old), len(new))
    head = next((i for i in range(limit) if old[i] != new[i]), limit)
    tail = next((i for i in range(limit - head) if old[-1 - i] != new[-1 - i]), limit - head)
    middle = SequenceMatcher(None, old[head : len(old) - tail], new[head : len(new) - tail], autojunk=False)
    codes: list[Opcode] = [("equal", 0, head, 0, head)] if head else []
    codes += [(tag, i1 + head, i2 + head, j1 + head, j2 + head) for tag, i1, i2, j1, j2 in middle.get_opcodes()]
    if tail:
        codes.append(("equal", len(old) - tail, len(old), len(new) - tail, len(new)))
    return codes


def digest(changes: Sequence[FileChange]) -> str:
    """A fingerprint of what the changes take out and put in, wherever in their files that stands.

    Line numbers and context are left out, so that an edit elsewhere in a file does not ask a person to look again.
    """
    state = hashlib.sha256()
    for change in sorted(changes, key=lambda change: change.path):
        state.update(b"\0" + os.fsencode(change.path) + b"\0")
        old, new = LINE.findall(change.before or b""), LINE.findall(change.after or b"")
        for tag, i1, i2, j1, j2 in opcodes(old, new):
            if tag != "equal":
                state.update(b"".join(_line(b"-", line) for line in old[i1:i2]))
                state.update(b"".join(_line(b"+", line) for line in new[j1:j2]))
    return state.hexdigest()


def grouped(codes: Sequence[Opcode]) -> Iterator[list[Opcode]]:
    """Opcodes in hunks: long equal runs are cut to the context, and part one hunk from the next."""
    group: list[Opcode] = []
    for position, (tag, i1, i2, j1, j2) in enumerate(codes):
        if tag != "equal":
            group.append((tag, i1, i2, j1, j2))
            continue
        first, last = position == 0, position == len(codes) - 1
        if not first and (last or i2 - i1 > 2 * CONTEXT):
            group.append((tag, i1, min(i2, i1 + CONTEXT), j1, min(j2, j1 + CONTEXT)))
            yield group
            group = []
        if not last and (first or i2 - i1 > 2 * CONTEXT):
            group = [(tag, max(i1, i2 - CONTEXT), i2, max(j1, j2 - CONTEXT), j2)]
        elif not last:
            group.append((tag, i1, i2, j1, j2))
    if any(tag != "equal" for tag, *_ in group):
        yield group


def _range(start: int, stop: int) -> bytes:
    length = stop - start
    if length == 1:
        return b"%d" % (start + 1)
    return b"%d,%d" % (start + 1 if length else start, length)


def _line(mark: bytes, line: bytes) -> bytes:
    return mark + line if line.endswith(b"\n") else mark + line + NO_NEWLINE


def _blob(content: bytes | None) -> bytes:
    """git's name of the content, shortened: lets `git apply --3way` find the base."""
    if content is None:
        return b"0" * 10
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()[:10].encode()


def _quoted(prefix: bytes, path: str) -> bytes:
    """A path as git writes it in a header: quoted in C's manner where it holds more than plain ASCII."""
    raw = prefix + os.fsencode(path)
    if all(0x20 <= byte < 0x7F and byte not in ESCAPES for byte in raw):
        return raw
    return b'"' + b"".join(_escaped(byte) for byte in raw) + b'"'


def _escaped(byte: int) -> bytes:
    if byte in ESCAPES:
        return b"\\" + ESCAPES[byte]
    return bytes((byte,)) if 0x20 <= byte < 0x7F else b"\\%03o" % byte


def _named(prefix: bytes, path: str) -> bytes:
    """A path as it stands after `---` and `+++`: a tab ends one that holds a blank, or it would be cut there."""
    return _quoted(prefix, path) + (b"\t" if " " in path else b"")
