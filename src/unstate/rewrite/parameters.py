"""Parameters more for functions, set as those that they have."""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

_WIDTH = 88
_NONE = cst.SimpleWhitespace("")


class Parameters(cst.CSTTransformer):
    """Gives functions, by name, the parameters {name: type}: behind those of their own that have no default."""

    def __init__(self, given: Mapping[str, Mapping[str, str]]) -> None:
        super().__init__()
        self.given = given
        self._depth = 0

    def visit_IndentedBlock(self, node: cst.IndentedBlock) -> None:
        self._depth += 1

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        self._depth -= 1
        return updated_node

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        given = self.given.get(original_node.name.value)
        if not given:
            return updated_node
        for name, type_ in sorted(given.items()):
            updated_node = _with(updated_node, cst.Param(cst.Name(name), cst.Annotation(cst.Name(type_))))
        return _folded(updated_node, self._depth)


def _with(function: cst.FunctionDef, new: cst.Param) -> cst.FunctionDef:
    own = list(function.params.params)
    place = next((position for position, each in enumerate(own) if each.default is not None), len(own))
    before = function.whitespace_before_params
    apart = before if _is_broken(before) else cst.SimpleWhitespace(" ")
    if place < len(own) or isinstance(function.params.star_arg, cst.ParamStar):
        new = new.with_changes(comma=cst.Comma(whitespace_after=apart))
    elif own:
        own[-1], new = _followed(own[-1], new, apart)
    own.insert(place, new)
    return function.with_changes(params=function.params.with_changes(params=own))


def _followed(last: cst.Param, new: cst.Param, apart: cst.BaseParenthesizableWhitespace) -> tuple[cst.Param, cst.Param]:
    """The last parameter and one behind it; a comment stays beside the one it stands at."""
    comma = last.comma
    end = comma.whitespace_after if isinstance(comma, cst.Comma) else last.whitespace_after_param
    if isinstance(end, cst.ParenthesizedWhitespace) and isinstance(apart, cst.ParenthesizedWhitespace):
        apart = apart.with_changes(first_line=end.first_line, empty_lines=[])
        end = end.with_changes(first_line=cst.TrailingWhitespace())
    if isinstance(comma, cst.Comma):
        new = new.with_changes(comma=comma.with_changes(whitespace_after=end))
    else:
        new = new.with_changes(whitespace_after_param=end)
    before = last.with_changes(comma=cst.Comma(whitespace_after=apart))
    return (before if isinstance(comma, cst.Comma) else before.with_changes(whitespace_after_param=_NONE)), new


def _folded(function: cst.FunctionDef, depth: int) -> cst.FunctionDef:
    """A parameter a line, where all stood on one and it has become too long."""
    if _is_broken(function.whitespace_before_params):
        return function
    bare = function.with_changes(
        body=cst.SimpleStatementSuite([cst.Pass()]), decorators=[], leading_lines=[], lines_after_decorators=[]
    )
    head = cst.Module([]).code_for_node(bare).strip().removesuffix("pass").strip()
    if "\n" in head or 4 * depth + len(head) <= _WIDTH:
        return function
    inner = cst.ParenthesizedWhitespace(indent=True, last_line=cst.SimpleWhitespace("    "))
    outer = cst.ParenthesizedWhitespace(indent=True)
    parts = function.params
    rows: list[cst.Param | cst.ParamStar] = [
        *parts.params,
        *([parts.star_arg] if isinstance(parts.star_arg, cst.ParamStar) else []),
        *parts.kwonly_params,
    ]
    commas = [cst.Comma(whitespace_after=inner)] * (len(rows) - 1) + [cst.Comma(whitespace_after=outer)]
    done = [row.with_changes(comma=comma) for row, comma in zip(rows, commas, strict=True)]
    count = len(parts.params)
    star = {"star_arg": done[count]} if isinstance(parts.star_arg, cst.ParamStar) else {}
    params = parts.with_changes(params=done[:count], kwonly_params=done[count + len(star) :], **star)
    return function.with_changes(whitespace_before_params=inner, params=params)


def _is_broken(space: cst.BaseParenthesizableWhitespace) -> bool:
    return isinstance(space, cst.ParenthesizedWhitespace)
