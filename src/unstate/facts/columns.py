"""Columns of `ast` count bytes of UTF-8, the project's count code points: they differ on lines that are not ASCII."""

from __future__ import annotations

from msgspec.structs import replace

from unstate.facts.values import FileFacts, Ref


def in_code_points(facts: FileFacts, text: str) -> FileFacts:
    """The same facts with every column counted in code points."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    wide = {number: line.encode() for number, line in enumerate(lines, 1) if not line.isascii()}

    def column(line: int, offset: int) -> int:
        return len(wide[line][:offset].decode(errors="ignore")) if line in wide else offset

    def span(found: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        line, start, end_line, end = found
        return line, column(line, start), end_line, column(end_line, end)

    def ends(found: tuple[int, ...]) -> tuple[int, ...]:
        pairs = zip(found[::2], found[1::2], strict=True)
        return tuple(number for line, offset in pairs for number in (line, column(line, offset)))

    def placed(ref: Ref) -> Ref:
        return replace(ref, column=column(ref.line, ref.column), ends=ends(ref.ends), statement=span(ref.statement))

    return replace(
        facts,
        frames=tuple(
            replace(frame, parameters=tuple(replace(p, span=span(p.span)) for p in frame.parameters))
            for frame in facts.frames
        ),
        imports=tuple(replace(found, span=span(found.span)) for found in facts.imports),
        refs=tuple(map(placed, facts.refs)),
        expressions=tuple(replace(found, span=span(found.span)) for found in facts.expressions),
        entries=tuple(map(placed, facts.entries)),
    )
