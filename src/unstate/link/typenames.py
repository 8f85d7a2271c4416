"""Type hints as annotations: what `Site.key_type` and `Site.value_type` say."""

from __future__ import annotations

import ast

from unstate.facts.values import Hint
from unstate.link import containers, typing
from unstate.link.annotations import element_annotation, outermost, split_parameters
from unstate.link.program import Program
from unstate.link.resolve import Resolver
from unstate.link.values import Bound, Class, Element, External, Function, Instance, Made, Slot, Typed, Value


class TypeNames:
    """Names the type of a value at a place."""

    def __init__(self, program: Program, resolver: Resolver) -> None:
        self._program = program
        self._resolver = resolver

    def of(self, path: str, frame: int, hint: Hint) -> str:
        """The type as an annotation; classes of the project by their qualified name; "" where it is unknown."""
        if not hint:
            return ""
        if hint[0] == "=":
            return hint[1]
        return self.name(self._resolver.of_hint(path, frame, hint))

    def name(self, value: Value, depth: int = 0) -> str:
        """The annotation of a resolved value."""
        if depth > 6:
            return ""
        if isinstance(value, Typed):
            return value.annotation
        if isinstance(value, Instance):
            return self._program.qualified(value.of)
        if isinstance(value, Made):
            known = typing.call_of(value.maker)
            if known:
                return known
            last = value.maker.rpartition(".")[2]
            return value.maker.removeprefix("builtins.") if last[:1].isupper() or last in typing.HANDLE_MAKERS else ""
        if isinstance(value, Class | Function):
            return "type" if isinstance(value, Class) else "Callable"
        if isinstance(value, Slot):
            return self._slot(value, depth)
        if isinstance(value, Element):
            return self._element(value.of, depth)
        if isinstance(value, Bound | External):
            return ""
        return ""

    def _slot(self, slot: Slot, depth: int) -> str:
        for path, frame, annotation, hint in self._resolver.assignments(slot):
            if annotation:
                held = self._resolver.annotated(path, frame, annotation)
                return annotation if isinstance(held, Typed) or held is None else self.name(held, depth + 1)
            if hint[:1] == ("=",) and hint[1] != "None":
                return hint[1]
        held = self._resolver.held(slot)
        return "" if held is None or held == slot else self.name(held, depth + 1)

    def _element(self, slot: Slot, depth: int) -> str:
        for path, frame, annotation, hint in self._resolver.assignments(slot):
            text = annotation or (hint[1] if hint[:1] == ("=",) else "")
            if containers.ANNOTATED.get(outermost(text).rpartition(".")[2]) and element_annotation(text):
                inner = element_annotation(text)
                held = self._resolver.annotated(path, frame, inner)
                return inner if isinstance(held, Typed) or held is None else self.name(held, depth + 1)
        return ""


def declared_alone(annotation: str) -> str:
    """The type that an annotation declares beside None; "" where there are several."""
    try:
        tree = ast.parse(annotation, mode="eval").body
    except SyntaxError:
        return ""
    match tree:
        case ast.Subscript(value=ast.Name(id="Optional") | ast.Attribute(attr="Optional"), slice=only):
            return ast.unparse(only)
        case ast.BinOp(left=one, op=ast.BitOr(), right=other):
            known = [each for each in (one, other) if not (isinstance(each, ast.Constant) and each.value is None)]
            return ast.unparse(known[0]) if len(known) == 1 else ""
    return annotation


def declared_types(annotation: str) -> tuple[str, str]:
    """Key and value type of a container's annotation, "" where it declares none."""
    if "[" not in annotation:
        return "", ""
    head = outermost(annotation)
    start = annotation.find(f"{head}[")
    if start < 0 or head.rpartition(".")[2] not in containers.ANNOTATED:
        return "", ""
    body = annotation[start + len(head) :]
    depth = 0
    for index, character in enumerate(body):
        depth += (character == "[") - (character == "]")
        if depth == 0:
            body = body[: index + 1]
            break
    parts = split_parameters(body[1:-1])
    return (parts[0], parts[-1]) if len(parts) > 1 else ("", element_annotation(body))
