"""Both forms in one file: what several services share stays as it was, until a service sets a variable.

Each function that touches a moved store keeps its body, for services that do not set the variable, and has the
rewritten one after it. Nothing else of the file changes, so that by default it does what it did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import libcst as cst

from unstate.rewrite import imports
from unstate.rewrite.names import Names, bound
from unstate.rewrite.source import Source

PREFIX = "state_prefix"  # the helper: what keys begin with, "" where the state stays in memory
MARK = "UNSTATE-STATE-PREFIX:"  # begins the keys in the rewritten form, and becomes `{state_prefix()}/`


class NotBothError(Exception):
    """The two forms cannot stand side by side. Its text says why."""


def both(
    source: Source, after: bytes, backing_module: str, imported: set[str], comments: Mapping[int, str]
) -> tuple[bytes, set[str]]:
    """The file with both forms, and the names that it imports from the backing-services module.

    `after`: the file rewritten outright, its keys marked; `imported`: what it imports from there; `comments`: by line,
    what to write behind the definition of a store, so that it is not found again. Raises NotBothError.
    """
    rewritten = cst.parse_module(after)
    names = Names(bound(source.tree, source.nodes, backing_module))
    merger = _Merger(backing_module, names.use(PREFIX))
    body = merger.statements(source.module.body, rewritten.body, "when its module is imported")
    names.imported |= imported
    merged = source.module.with_changes(body=body)
    marker = _Commented({id(node): comments[line] for line, node in _definitions(source, comments)})
    merged = imports.with_import(merged.visit(marker), backing_module, names)
    if marker.left:
        raise NotBothError("a store's definition has no room for a remark")
    if MARK in merged.code:
        raise NotBothError("a key is built in a way that takes no prefix")
    try:
        compile(merged.code, source.path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise NotBothError(f"both forms in one function would not compile: {error}") from None
    return merged.bytes, names.imported


class _Merger:
    def __init__(self, backing_module: str, helper: str) -> None:
        self.backing_module = backing_module
        self.helper = helper

    def statements(self, before: Sequence[cst.CSTNode], after: Sequence[cst.CSTNode], when: str) -> list[cst.CSTNode]:
        """The statements of a module or a class as they were, each function that differs with both of its bodies."""
        rest = [(_code(node), node) for node in after]
        merged: list[cst.CSTNode] = []
        for node in before:
            same = next((pair for pair in rest if pair[0] == _code(node)), None)
            if same is not None:
                rest.remove(same)
                merged.append(node)
                continue
            twin = next((pair for pair in rest if _called(pair[1]) == _called(node) != ""), None)
            if twin is not None:
                rest.remove(twin)
            merged.append(self._merged(node, twin[1] if twin else None, when))
        for _, node in rest:
            if not _is_import_of(node, self.backing_module):
                raise NotBothError(f"the store is used {when}")
        return merged

    def _merged(self, before: cst.CSTNode, after: cst.CSTNode | None, when: str) -> cst.CSTNode:
        match before, after:
            case cst.FunctionDef(), cst.FunctionDef():
                return self._function(before, after)
            case cst.ClassDef(), cst.ClassDef():
                if _head(before) != _head(after):
                    raise NotBothError(f"the head of class {before.name.value} changes")
                inner = self.statements(before.body.body, after.body.body, f"when class {before.name.value} is made")
                return before.with_changes(body=before.body.with_changes(body=inner))
            case cst.SimpleStatementLine(), None:
                return before  # the definition of the store, or an import that only it used
        raise NotBothError(f"the store is used {when}")

    def _function(self, before: cst.FunctionDef, after: cst.FunctionDef) -> cst.FunctionDef:
        if _head(before) != _head(after):
            raise NotBothError(f"the head of {before.name.value} changes")
        first, second = _lines(before), _lines(after)
        docstring = first[:1] if first and _is_docstring(first[0]) else []
        kept, moved = first[len(docstring) :], second[len(docstring) :]
        if not _ends(kept):
            kept = [*kept, cst.SimpleStatementLine([cst.Return()])]
        call = cst.Call(cst.Name(self.helper))
        test = cst.UnaryOperation(cst.Not(), call)
        memory = cst.If(test, cst.IndentedBlock(kept), leading_lines=_space(kept))
        kept[0] = _tight(kept[0])
        prefixed = [line.visit(_Prefixed(self.helper)) for line in moved]
        body = before.body if isinstance(before.body, cst.IndentedBlock) else cst.IndentedBlock([])
        return before.with_changes(body=body.with_changes(body=[*docstring, memory, *prefixed], footer=[]))


class _Commented(cst.CSTTransformer):
    """Puts remarks behind lines, each line given as the node that it is in the tree.

    They stand before a remark that is there. One about its type has to stand alone.
    """

    def __init__(self, comments: dict[int, str]) -> None:
        self.left = comments

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine:
        text = self.left.get(id(original_node))
        own = updated_node.trailing_whitespace.comment
        if text is None or (own is not None and own.value.lstrip("# ").startswith("type:")):
            return updated_node
        del self.left[id(original_node)]
        comment = cst.Comment(f"# {text}  {own.value}" if own is not None else f"# {text}")
        space = cst.SimpleWhitespace("  ")
        trailing = updated_node.trailing_whitespace.with_changes(whitespace=space, comment=comment)
        return updated_node.with_changes(trailing_whitespace=trailing)


class _Prefixed(cst.CSTTransformer):
    """Puts a call of the helper where keys are marked."""

    def __init__(self, helper: str) -> None:
        self.call = cst.FormattedStringExpression(cst.Call(cst.Name(helper)))

    def leave_FormattedStringText(
        self, original_node: cst.FormattedStringText, updated_node: cst.FormattedStringText
    ) -> cst.FormattedStringText | cst.FlattenSentinel[cst.BaseFormattedStringContent]:
        front, mark, rest = updated_node.value.partition(MARK)
        if not mark:
            return updated_node
        parts: list[cst.BaseFormattedStringContent] = [cst.FormattedStringText(front)] if front else []
        return cst.FlattenSentinel([*parts, self.call, cst.FormattedStringText(f"/{rest}")])

    def leave_SimpleString(self, original_node: cst.SimpleString, updated_node: cst.SimpleString) -> cst.BaseExpression:
        front, mark, rest = updated_node.raw_value.partition(MARK)
        if not mark or updated_node.prefix:
            return updated_node
        texts = [text.replace("{", "{{").replace("}", "}}") for text in (front, f"/{rest}")]
        parts = [*([cst.FormattedStringText(texts[0])] if front else []), self.call, cst.FormattedStringText(texts[1])]
        return cst.FormattedString(parts, start=f"f{updated_node.quote}", end=updated_node.quote)


def _definitions(source: Source, lines: Mapping[int, str]) -> list[tuple[int, cst.CSTNode]]:
    return [
        (line, node)
        for node in source.flow.nodes
        if isinstance(node, cst.SimpleStatementLine) and (line := source.line(node)) in lines
    ]


def _lines(function: cst.FunctionDef) -> list[cst.BaseStatement]:
    body = function.body
    if isinstance(body, cst.IndentedBlock):
        return list(body.body)
    return [cst.SimpleStatementLine([each for each in body.body if isinstance(each, cst.BaseSmallStatement)])]


def _ends(lines: Sequence[cst.BaseStatement]) -> bool:
    match lines[-1] if lines else None:
        case cst.SimpleStatementLine(body=[*_, cst.Return() | cst.Raise()]):
            return True
    return False


def _space(lines: Sequence[cst.BaseStatement]) -> Sequence[cst.EmptyLine]:
    """The blank lines before the first statement, its comments left to it."""
    leading = getattr(lines[0], "leading_lines", ())
    return [line for line in leading[:1] if line.comment is None]


def _tight(line: cst.BaseStatement) -> cst.BaseStatement:
    leading = list(getattr(line, "leading_lines", ()))
    while leading and leading[0].comment is None:
        leading.pop(0)
    return line.with_changes(leading_lines=leading)


def _is_docstring(line: cst.BaseStatement) -> bool:
    match line:
        case cst.SimpleStatementLine(body=[cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString())]):
            return True
    return False


def _is_import_of(node: cst.CSTNode, module: str) -> bool:
    match node:
        case cst.SimpleStatementLine(body=[cst.ImportFrom(module=cst.Name() | cst.Attribute() as name)]):
            return _code(name) == module
    return False


def _called(node: cst.CSTNode) -> str:
    return node.name.value if isinstance(node, cst.FunctionDef | cst.ClassDef) else ""


def _head(node: cst.FunctionDef | cst.ClassDef) -> str:
    """All of a function or class but its body and what stands before it."""
    return _code(node.with_changes(body=cst.SimpleStatementSuite([cst.Pass()]), leading_lines=[]))


def _code(node: cst.CSTNode) -> str:
    return cst.Module([]).code_for_node(node).strip()
