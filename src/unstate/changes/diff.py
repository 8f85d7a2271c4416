"""A unified diff that `git apply` takes, byte for byte.

Lines end at a line feed and nowhere else: a carriage return, a form feed or U+2028 is content. `difflib.unified_diff`
over `str.splitlines` gets most of these wrong, and leaves out the marker of a missing final newline.
"""

from __future__ import annotations

import hashlib
import os
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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
    """From `old` to `new`, as difflib has them: equal, replace, delete and insert, in order and without a gap.

    Lines that stand once on either side are matched first (patience diff), difflib does what lies between them. By
    itself it takes minutes for long files with many equal lines.
    """
    codes: list[Opcode] = []
    i = j = 0
    for start_old, start_new, length in [*_runs(_matches(old, new)), (len(old), len(new), 0)]:
        if i < start_old or j < start_new:
            tag = "replace" if i < start_old and j < start_new else "delete" if i < start_old else "insert"
            codes.append((tag, i, start_old, j, start_new))
        i, j = start_old + length, start_new + length
        if length:
            codes.append(("equal", start_old, i, start_new, j))
    return codes


def _runs(pairs: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    """Pairs of equal lines as (start in old, start in new, length)."""
    start_old = start_new = length = 0
    for i, j in pairs:
        if length and (i, j) == (start_old + length, start_new + length):
            length += 1
            continue
        if length:
            yield start_old, start_new, length
        start_old, start_new, length = i, j, 1
    if length:
        yield start_old, start_new, length


def _matches(old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """Pairs of positions of equal lines, increasing on both sides."""
    i = j = 0
    for next_i, next_j in [*_anchors(old, new), (len(old), len(new))]:
        yield from _between(old, new, i, next_i, j, next_j)
        if next_i < len(old):
            yield next_i, next_j
        i, j = next_i + 1, next_j + 1


def _between(
    old: Sequence[bytes], new: Sequence[bytes], i: int, end_i: int, j: int, end_j: int
) -> Iterator[tuple[int, int]]:
    """The same for a stretch of both sides. What its ends share is set aside first: it is most of it."""
    while i < end_i and j < end_j and old[i] == new[j]:
        yield i, j
        i, j = i + 1, j + 1
    tail = 0
    while tail < min(end_i - i, end_j - j) and old[end_i - 1 - tail] == new[end_j - 1 - tail]:
        tail += 1
    for block in SequenceMatcher(None, old[i : end_i - tail], new[j : end_j - tail]).get_matching_blocks():
        yield from ((i + block.a + k, j + block.b + k) for k in range(block.size))
    yield from ((end_i - k, end_j - k) for k in range(tail, 0, -1))


def _anchors(old: Sequence[bytes], new: Sequence[bytes]) -> list[tuple[int, int]]:
    """The longest run of lines, in order on both sides, each of which stands once in `old` and once in `new`."""
    once_old, once_new = _once(old), _once(new)
    pairs = [(i, once_new[line]) for line, i in once_old.items() if line in once_new]
    tops: list[int] = []  # of each pile, the position in `new`; a pile per length of run
    piles: list[tuple[tuple[int, int], int]] = []  # each pair with the index of the one before it, -1 for none
    last: list[int] = []  # of each pile, the index of its top in `piles`
    for pair in pairs:
        pile = bisect_left(tops, pair[1])
        piles.append((pair, last[pile - 1] if pile else -1))
        tops[pile : pile + 1] = [pair[1]]
        last[pile : pile + 1] = [len(piles) - 1]
    run, index = [], last[-1] if last else -1
    while index >= 0:
        pair, index = piles[index]
        run.append(pair)
    return run[::-1]


def _once(lines: Sequence[bytes]) -> dict[bytes, int]:
    """Lines that stand once, with their positions, in order."""
    counts = Counter(lines)
    return {line: position for position, line in enumerate(lines) if counts[line] == 1}


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
