"""Python's own syntax tree, gone through: twice as fast as `ast.walk`, which much of a plan is."""

from __future__ import annotations

import ast

# Fields that hold no nodes, or only ones that say how a node is meant: `ast.Load()`, `ast.Add()`.
_WORDS = frozenset(
    "ctx op ops id attr arg asname module level conversion simple is_async kind type_comment type_ignores tag rest"
    " kwd_attrs".split()
)


class _Fields(dict[type[ast.AST], tuple[str, ...]]):
    """The fields of a class that hold nodes below it."""

    def __missing__(self, kind: type[ast.AST]) -> tuple[str, ...]:
        self[kind] = () if kind is ast.Constant else tuple(name for name in kind._fields if name not in _WORDS)
        return self[kind]


_FIELDS = _Fields()


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes right below a node, in their order; not those that only say how a name or an operator is meant."""
    found: list[ast.AST] = []
    for name in _FIELDS[type(node)]:
        value = getattr(node, name, None)
        if type(value) is list:
            found += [each for each in value if isinstance(each, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def walk(node: ast.AST) -> list[ast.AST]:
    """A node and all below it, those nearer to it first, as `ast.walk` gives them."""
    found = [node]
    for each in found:
        found += children(each)
    return found
