"""Annotations as text: what they name outermost, and what is in their brackets."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Za-z_][\w.]*")
_WRAPPERS = frozenset("Optional Annotated ClassVar Final Type type Union Mapped Awaitable Depends None".split())


def outermost(annotation: str) -> str:
    """The first name of an annotation that is no wrapper: "Foo" for "Optional[Foo]", "dict" for "dict[str, Foo]"."""
    for match in _WORD.finditer(annotation):
        if match[0].rpartition(".")[2] not in _WRAPPERS:
            return match[0]
    return ""


def element_annotation(annotation: str) -> str:
    """The last parameter of a container's annotation: the value of a dict, the element of a list."""
    start = annotation.find("[")
    if start < 0 or not annotation.endswith("]"):
        return ""
    return split_parameters(annotation[start + 1 : -1])[-1]


def split_parameters(text: str) -> list[str]:
    """The comma-separated parts of an annotation's brackets, brackets within them kept."""
    parts, depth, start = [], 0, 0
    for index, character in enumerate(text):
        if character in "[(":
            depth += 1
        elif character in "])":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(text[start:index].strip())
            start = index + 1
    parts.append(text[start:].strip())
    return parts
