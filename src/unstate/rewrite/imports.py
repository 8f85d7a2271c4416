"""The import manager: brings names of the backing-services module in, and takes out imports that lost their use."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Sequence
from typing import TypeAlias, TypeVar

import libcst as cst

from unstate.rewrite.draft import Draft
from unstate.rewrite.names import Names, loaded, words
from unstate.rewrite.visiting import visit

_WIDTH = 88
Node = TypeVar("Node", cst.Import, cst.ImportFrom)
Line: TypeAlias = cst.SimpleStatementLine | cst.BaseCompoundStatement


def with_import(
    module: cst.Module,
    source: str,
    names: Names,
    gone: Collection[str] = (),
) -> cst.Module:
    """`from source import ...` for all that the rewrite uses: merged into one there is, or after the imports.

    What is `gone` is not imported any more.
    """
    if not names.imported and not gone:
        return module
    body = list(module.body)
    for position, line in enumerate(body):
        statement = _from_import(line, source)
        if statement is not None and not isinstance(statement.names, cst.ImportStar):
            there = {each.evaluated_name: each.evaluated_alias for each in statement.names}
            there = {name: alias for name, alias in there.items() if name not in gone}
            wanted = there | {name: _asname(name, names) for name in names.imported}
            plain = statement.with_changes(names=_aliases(wanted), lpar=None, rpar=None)
            body[position] = line.with_changes(body=[_folded(plain, module.default_indent)])
            return module.with_changes(body=body)
    aliases = _aliases({name: _asname(name, names) for name in names.imported})
    new = cst.SimpleStatementLine([_folded(cst.ImportFrom(_dotted(source), aliases), module.default_indent)])
    position = _behind_paths(body, {names.alias(name) for name in names.imported})
    if position == 0:
        return _at_the_top(module, new)
    if _is_docstring(body[position - 1]):
        new = new.with_changes(leading_lines=[cst.EmptyLine(indent=False)])
    # Behind all imports, sorted or not: stores that are taken one by one must come to the same file as all at once, and
    # with a store its own import may go, next to which ours would have stood.
    return module.with_changes(body=[*body[:position], new, *body[position:]])


def without_gap(module: cst.Module, source: str, before: cst.Module) -> cst.Module:
    """An import from `source` that was there before does not come to stand apart by blank lines that an import above it
    left: stores that are taken one by one come to the same file as all at once."""
    earlier = next((_leading(line) for line in before.body if _from_import(line, source) is not None), ())
    body = list(module.body)
    for position, line in enumerate(body):
        leading = _leading(line)
        if _from_import(line, source) is None or len(leading) <= len(earlier):
            continue
        if not any(each.comment for each in leading):
            body[position] = line.with_changes(leading_lines=earlier)
        return module.with_changes(body=body)
    return module


def with_any(module: cst.Module) -> cst.Module:
    """`from typing import Any`: in the import from there that the file has, else beside the standard library's."""
    body = list(module.body)
    end = _after_imports(body)
    standard = 0
    for position, line in enumerate(body[:end]):
        statement = _from_import(line, "typing")
        if statement is not None and not isinstance(statement.names, cst.ImportStar):
            there = {alias.evaluated_name: alias.evaluated_alias for alias in statement.names}
            plain = statement.with_changes(names=_aliases(there | {"Any": None}), lpar=None, rpar=None)
            body[position] = line.with_changes(body=[_folded(plain, module.default_indent)])
            return module.with_changes(body=body)
        if _module(line).partition(".")[0] in sys.stdlib_module_names:
            standard = position + 1
    new = cst.SimpleStatementLine([cst.ImportFrom(_dotted("typing"), _aliases({"Any": None}))])
    if not standard:
        standard = next((place for place, line in enumerate(body[:end]) if _module(line)), end)
        first = body[standard] if standard < len(body) else None
        if isinstance(first, cst.SimpleStatementLine):
            new = new.with_changes(leading_lines=first.leading_lines)
            body[standard] = first.with_changes(leading_lines=[cst.EmptyLine(indent=False)])
        return module.with_changes(body=[*body[:standard], new, *body[standard:]])
    if _module(body[standard - 1]) == "__future__":
        new = new.with_changes(leading_lines=[cst.EmptyLine(indent=False)])
        return module.with_changes(body=[*body[:standard], new, *body[standard:]])
    return module.with_changes(body=_sorted_in(body, standard, new))


def _sorted_in(body: list[Line], end: int, new: cst.SimpleStatementLine) -> list[Line]:
    """The statements with an import among those of its group, which ends there: in its place where they are sorted,
    else behind."""
    start = end
    while start and isinstance(body[start - 1], cst.SimpleStatementLine) and _module(body[start - 1]):
        start -= 1
        if _leading(body[start]):
            break
    orders = [_order(line) for line in body[start:end]]
    place = next((place for place, order in enumerate(orders, start) if order > _order(new)), end)
    if place == end or orders != sorted(orders) or any(line.comment for line in _leading(body[place])):
        return [*body[:end], new, *body[end:]]
    if place == start:  # it comes first, and is set apart as that was
        first = body[start]
        assert isinstance(first, cst.SimpleStatementLine)
        new = new.with_changes(leading_lines=first.leading_lines)
        body[start] = first.with_changes(leading_lines=[])
    return [*body[:place], new, *body[place:]]


def _order(line: cst.CSTNode) -> tuple[int, str]:
    """How import sorters order the lines of a group: whole modules first, relative ones last."""
    match line:
        case cst.SimpleStatementLine(body=[cst.ImportFrom(relative=[])]):
            return 1, _module(line).lower()
        case cst.SimpleStatementLine(body=[cst.ImportFrom()]):
            return 2, ""
    return 0, _module(line).lower()


def _module(line: cst.CSTNode) -> str:
    """The module that a line imports, or imports from; "." for a relative one, "" for any other line."""
    match line:
        case cst.SimpleStatementLine(body=[cst.ImportFrom(relative=[_, *_])]):
            return "."
        case cst.SimpleStatementLine(body=[cst.ImportFrom(module=cst.BaseExpression() as module)]):
            return cst.Module([]).code_for_node(module)
        case cst.SimpleStatementLine(body=[cst.Import(names=[first, *_])]):
            return first.evaluated_name
    return ""


def _is_docstring(node: cst.CSTNode) -> bool:
    match node:
        case cst.SimpleStatementLine(body=[cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString())]):
            return True
    return False


def _at_the_top(module: cst.Module, new: cst.SimpleStatementLine) -> cst.Module:
    """The first line of the file; what follows stands apart from it."""
    body = list(module.body)
    if body and not any(line.comment is None for line in _leading(body[0])):
        body[0] = body[0].with_changes(leading_lines=[cst.EmptyLine(indent=False), *_leading(body[0])])
    return module.with_changes(body=[new, *body])


def _leading(node: cst.CSTNode) -> Sequence[cst.EmptyLine]:
    return getattr(node, "leading_lines", ())


def _from_import(line: cst.CSTNode, source: str) -> cst.ImportFrom | None:
    match line:
        case cst.SimpleStatementLine(body=[cst.ImportFrom(module=module, relative=[]) as statement]) if (
            module is not None
        ):
            return statement if cst.Module([]).code_for_node(module) == source else None
    return None


def _asname(name: str, names: Names) -> str | None:
    alias = names.alias(name)
    return None if alias == name else alias


def _aliases(wanted: dict[str, str | None]) -> list[cst.ImportAlias]:
    """In the order that import sorters keep: constants, classes, then the rest."""
    ordered = sorted(wanted, key=lambda name: (not name.isupper(), not name[:1].isupper(), name))
    return [
        cst.ImportAlias(cst.Name(name), cst.AsName(cst.Name(alias)) if (alias := wanted[name]) else None)
        for name in ordered
    ]


def _folded(statement: cst.ImportFrom, step: str) -> cst.ImportFrom:
    """One name a line where one line would be too long for most."""
    code = cst.Module([]).code_for_node(statement)
    if len(code) <= _WIDTH or isinstance(statement.names, cst.ImportStar):
        return statement
    inner = cst.ParenthesizedWhitespace(indent=True, last_line=cst.SimpleWhitespace(step))
    outer = cst.ParenthesizedWhitespace(indent=True)
    names = [alias.with_changes(comma=cst.Comma(whitespace_after=inner)) for alias in statement.names]
    names[-1] = names[-1].with_changes(comma=cst.Comma(whitespace_after=outer))
    return statement.with_changes(names=names, lpar=cst.LeftParen(whitespace_after=inner), rpar=cst.RightParen())


def _dotted(name: str) -> cst.Name | cst.Attribute:
    node = cst.parse_expression(name)
    assert isinstance(node, cst.Name | cst.Attribute)
    return node


def _after_imports(body: Sequence[cst.CSTNode]) -> int:
    """Where the block of imports at the top of the file ends, its docstring included."""
    end = 0
    for position, line in enumerate(body):
        match line:
            case cst.SimpleStatementLine(body=[cst.Import() | cst.ImportFrom()]):
                end = position + 1
            case cst.SimpleStatementLine(body=[cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString())]) if (
                position == 0
            ):
                end = 1
            case cst.Try() | cst.If() if any(isinstance(inner, cst.Import | cst.ImportFrom) for inner in _inner(line)):
                pass  # a guarded import: the block goes on, but ours does not go into it
            case _:
                break
    return end


def _behind_paths(body: Sequence[cst.CSTNode], used: Collection[str]) -> int:
    """Where an import of a module of the app finds it: behind the imports, and behind what says where to look for them.

    A file that adds to `sys.path`, as tests and scripts do, imports what it adds the path for below. `used`: the names
    that are imported, none of which may be asked for before.
    """
    end = found = _after_imports(body)
    for position, line in enumerate(body[end:], end):
        if isinstance(line, cst.FunctionDef | cst.ClassDef):
            break
        code = cst.Module([]).code_for_node(line)
        if _SETS_PATH.search(code):
            found = position + 1 + _after_imports(body[position + 1 :])
        elif any(re.search(rf"\b{name}\b", code) for name in used):
            break
    return found


_SETS_PATH = re.compile(r"\bsys\.path\.(?:insert|append|extend)\(|\bsite\.addsitedir\(|\bsys\.path(?:\[.*\])? = ")


def _inner(node: cst.CSTNode) -> list[cst.CSTNode]:
    return [small for child in node.children for line in child.children for small in line.children]


def without_unused(draft: Draft) -> Draft:
    """Take out imports whose last use the rewrite took away. Names that others import from the file stay."""
    source = draft.source
    gone = loaded(source.nodes) - loaded(draft.nodes) - source.exported
    gone = gone - words(draft.nodes) if gone else gone
    if not gone:
        return draft
    remover, body = _Remover(gone), []
    carried: Sequence[cst.EmptyLine] = ()
    for line in draft.module.body:
        new = visit(line, remover)
        assert isinstance(new, cst.SimpleStatementLine | cst.BaseCompoundStatement)
        if isinstance(new, cst.SimpleStatementLine) and not new.body:
            carried = carried or new.leading_lines  # the blank line that set its group apart
            continue
        body.append(new.with_changes(leading_lines=carried) if carried and not new.leading_lines else new)
        carried = ()
    return draft.but(draft.module.with_changes(body=body))


class _Remover(cst.CSTTransformer):
    """Removes import aliases that bind one of the names."""

    def __init__(self, gone: frozenset[str]) -> None:
        self.gone = gone

    def on_visit(self, node: cst.CSTNode) -> bool:
        return not isinstance(node, cst.BaseExpression | cst.BaseSmallStatement)

    def leave_ImportFrom(
        self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom
    ) -> cst.ImportFrom | cst.RemovalSentinel:
        if isinstance(updated_node.names, cst.ImportStar):
            return updated_node
        return _kept(updated_node, updated_node.names, self.gone)

    def leave_Import(self, original_node: cst.Import, updated_node: cst.Import) -> cst.Import | cst.RemovalSentinel:
        return _kept(updated_node, updated_node.names, self.gone)


def _kept(node: Node, aliases: Sequence[cst.ImportAlias], gone: frozenset[str]) -> Node | cst.RemovalSentinel:
    kept = [alias for alias in aliases if _binds(alias) not in gone]
    if len(kept) == len(aliases):
        return node
    if not kept:
        return cst.RemoveFromParent()
    kept[-1] = kept[-1].with_changes(comma=aliases[-1].comma)
    return node.with_changes(names=kept)


def _binds(alias: cst.ImportAlias) -> str:
    return alias.evaluated_alias or alias.evaluated_name.partition(".")[0]
