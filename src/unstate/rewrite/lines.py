"""Lines without what was taken out of them, and the blank lines that set it apart."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst


def without_blank_head(block: cst.IndentedBlock) -> cst.IndentedBlock:
    """The block without the blank lines that stood behind its first statement, which is gone."""
    if not block.body:
        return block
    lines = list(getattr(block.body[0], "leading_lines", ()))
    while lines and lines[0].comment is None:
        del lines[0]
    return block.with_changes(body=[block.body[0].with_changes(leading_lines=lines), *block.body[1:]])


def without_names(statement: cst.Global | cst.Nonlocal, gone: set[str]) -> cst.CSTNode | cst.RemovalSentinel:
    """`global x, y` without the names of stores."""
    kept = [item for item in statement.names if item.name.value not in {name.split(".")[-1] for name in gone}]
    if not kept:
        return cst.RemoveFromParent()
    kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return statement.with_changes(names=kept)


def without_entries(made: cst.Dict, kept: Sequence[bool]) -> cst.Dict:
    """A dict literal with some of its entries; the last one ends as the last one did."""
    left = [entry for entry, keep in zip(made.elements, kept, strict=True) if keep]
    if not left or len(left) == len(made.elements):
        return made.with_changes(elements=left) if left else cst.Dict([])
    return made.with_changes(elements=[*left[:-1], left[-1].with_changes(comma=made.elements[-1].comma)])


def without_blank_tail(lines: list[cst.EmptyLine]) -> list[cst.EmptyLine]:
    """The lines up to the last comment: the blank lines after it are the next statement's own."""
    while lines and lines[-1].comment is None:
        lines = lines[:-1]
    return lines


def counted(loop: cst.For, place: cst.BaseExpression) -> cst.For:
    """A loop over a list that counts the places of its entries: `for place, each in enumerate(...)`."""
    target = cst.Tuple([cst.Element(place), cst.Element(loop.target)], lpar=[], rpar=[])
    return loop.with_changes(target=target, iter=cst.Call(cst.Name("enumerate"), [cst.Arg(loop.iter)]))


def width_of(text: str) -> int:
    """How long a line may be where the project does not say it: as long as the file has them, within reason."""
    return min(max((_WIDTH, *map(len, text.splitlines()))), _WIDEST)


_WIDTH, _WIDEST = 88, 120
