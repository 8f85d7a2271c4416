"""A tree as text: printed once for what it says, where its nodes stand, and the text of each of its statements."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property

import libcst as cst
from libcst._nodes.internal import CodegenState
from libcst.metadata import CodePosition, CodeRange

_NEWLINE = re.compile(r"\r\n?|\n")
_NOTHING = nullcontext()


class Printed:
    """What a parsed module prints as."""

    def __init__(self, module: cst.Module) -> None:
        state = _Noting(module.default_indent, module.default_newline)
        module._codegen(state)
        self.text = "".join(state.tokens)
        self._tokens = [*state.tokens, *state.dropped]
        self._ranges = state.ranges
        self._statements = state.statements

    @cached_property
    def _boundaries(self) -> list[tuple[int, int]]:
        """The line and column before each token, and those behind the last."""
        line, column = 1, 0
        found = [(line, column)]
        for token in self._tokens:
            if "\n" in token or "\r" in token:
                segments = _NEWLINE.split(token)
                line, column = line + len(segments) - 1, len(segments[-1])
            else:
                column += len(token)
            found.append((line, column))
        return found

    def range(self, node: cst.CSTNode) -> CodeRange:
        """Where a node of the module stands. Raises KeyError for any other."""
        start, end = self._ranges[id(node)]
        return CodeRange(CodePosition(*self._boundaries[start]), CodePosition(*self._boundaries[end]))

    def place(self, node: cst.CSTNode) -> tuple[int, int, int, int] | None:
        """Line, column, end line and end column of a node, None where it has none."""
        found = self._ranges.get(id(node))
        return None if found is None else (*self._boundaries[found[0]], *self._boundaries[found[1]])

    def statement(self, node: cst.CSTNode) -> str | None:
        """The text of a statement that stands in the module's body, with what stands before it; None for any other."""
        found = self._statements.get(id(node))
        return None if found is None else "".join(self._tokens[found[0] : found[1]])


def text_of(module: cst.Module, before: Printed) -> str:
    """What a module prints as whose statements are in part those of `before`."""
    if not module.has_trailing_newline:
        return module.code
    state = _Printing(module.default_indent, module.default_newline)
    for node in (*module.header, *module.body, *module.footer):
        known = before.statement(node)
        if known is None:
            node._codegen(state)
        else:
            state.add_token(known)
    return "".join(state.tokens) or module.default_newline


class _Printing(CodegenState):
    """As libcst prints, without its note of where a node stands, which is most of what printing costs."""

    # A context manager that does nothing: libcst's own is a generator.
    def record_syntactic_position(  # type: ignore[override]
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> AbstractContextManager[None]:
        return _NOTHING


@dataclass
class _Noting(CodegenState):
    """Notes the first token of each node and the one behind it, as libcst's PositionProvider does lines and columns."""

    ranges: dict[int, tuple[int, int]] = field(default_factory=dict)
    statements: dict[int, tuple[int, int]] = field(default_factory=dict)  # those of the module's body, all of them
    dropped: list[str] = field(default_factory=list)
    _starts: list[int] = field(default_factory=list)

    def before_codegen(self, node: cst.CSTNode) -> None:
        self._starts.append(len(self.tokens))

    def after_codegen(self, node: cst.CSTNode) -> None:
        whole = self._starts.pop(), len(self.tokens)
        self.ranges.setdefault(id(node), whole)
        if len(self._starts) == 1:
            self.statements[id(node)] = whole

    def pop_trailing_newline(self) -> None:
        if self.tokens:
            self.dropped.append(self.tokens.pop())

    # A context manager that does nothing: libcst's own is a generator.
    def record_syntactic_position(  # type: ignore[override]
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> AbstractContextManager[None]:
        return _Span(self, node, start_node, end_node)


class _Span:
    """What a node is without the space around it."""

    __slots__ = ("_end_node", "_node", "_start", "_start_node", "_state")

    def __init__(
        self, state: _Noting, node: cst.CSTNode, start_node: cst.CSTNode | None, end_node: cst.CSTNode | None
    ) -> None:
        self._state, self._node, self._start_node, self._end_node = state, node, start_node, end_node

    def __enter__(self) -> None:
        self._start = len(self._state.tokens)

    def __exit__(self, *_: object) -> None:
        ranges, start, end = self._state.ranges, self._start, len(self._state.tokens)
        if self._start_node is not None:
            start = ranges[id(self._start_node)][0]
        if self._end_node is not None:
            end = ranges[id(self._end_node)][1]
        ranges[id(self._node)] = start, end
