"""Values of declared types that JSON alone does not bring back: `deque[float]`, `tuple[float, Tree]`, `dict[int, Job]`.

They travel by their type. Where only the outer container is none of JSON's, that alone is named: a tuple of texts and
numbers comes back by `tuple`.
"""

from __future__ import annotations

import ast
import builtins

from unstate.model import Op, Store
from unstate.plan.models import PLAIN, bound_names, parts_of, why_not_part
from unstate.plan.sources import Sources

_JSON = frozenset("str int float bool None Any dict list Dict List Optional Union Literal".split())
_OUTER = {"Tuple": "tuple", "Deque": "deque", "Set": "set", "FrozenSet": "frozenset", "Dict": "dict", "List": "list"}
_CONTAINERS = frozenset({"tuple", "deque", "set", "frozenset", "dict", "list"})
# Types that have a text of their own, with the module of each.
_WRITTEN = {
    **dict.fromkeys(("datetime", "date", "time", "timedelta"), "datetime"),
    "UUID": "uuid",
    "Decimal": "decimal",
}
_OWN = _CONTAINERS - {"dict", "list"}  # whose values JSON takes for another type, or refuses


def type_of(store: Store, sources: Sources) -> tuple[str, str]:
    """(the type by which a store's values travel, why there is none); neither where JSON is enough."""
    known = [_parsed(text) for text in store.value_types if text]
    trees = [tree for tree in known if tree is not None]
    outer = {_outer(tree) for tree in trees}
    if any(_alternatives(tree) & _WRITTEN.keys() for tree in trees):
        return "", f"`{store.name}` holds `{ast.unparse(trees[0])}`: no text tells one from the other"
    if outer & _WRITTEN.keys():
        return _written(store, trees, outer, sources)
    if not trees or len(trees) != len(known) or len(outer) != 1 or not outer <= _CONTAINERS:
        return "", ""
    name = outer.pop()
    full = max(trees, key=lambda tree: len(ast.unparse(tree)))
    inner = [part for part in parts_of(full) if part not in _JSON][1 if name in _OWN else 0 :]
    if not inner and not (name == "dict" and _key(full) == "int"):
        if name not in _OWN:
            return "", ""
        full = ast.Name(name)
    text = ast.unparse(full)
    for part in inner:
        reason = (
            None if part in PLAIN or part in _OWN else why_not_part(part, store.service, sources, set(), store.path)
        )
        if reason is not None:
            return "", f"`{store.name}` holds `{text}`, and `{part}` in it: {reason}"
    if name == "deque" and any(b"maxlen" in sources.read(path) for path in _files(store)):
        return "", f"`{store.name}` holds deques with a bound, which does not travel with what they hold"
    for path in _files(store):
        names = bound_names(sources.source(path, store.service).tree)
        for part in parts_of(full):
            if part not in names and part not in dir(builtins) and part != "None":
                return "", f"`{part}`, of the values of `{store.name}`, is no name of {path}, which uses the store"
    return text, ""


def _written(store: Store, trees: list[ast.expr], outer: set[str], sources: Sources) -> tuple[str, str]:
    """As `type_of`, for times, identifiers and decimals: by the declared name, where it is one in every file."""
    name = next(iter(outer & _WRITTEN.keys()))
    why = f"`{store.name}` holds `{name}`, which is no JSON"
    if outer != {name} or not isinstance(trees[0], ast.Name):
        return "", f"{why}: declare it, as in `dict[str, {name}]`"
    for path in _files(store):
        if not _imports(sources.source(path, store.service).tree, _WRITTEN[name], name):
            return "", f"{why}: `{name}` is not imported by that name in {path}, which uses the store"
    return name, ""


def _imports(tree: ast.Module, module: str, name: str) -> bool:
    """Whether a file imports a name from a module, under no other name, and binds it in no other way."""
    bindings = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name]
    return not any(isinstance(node.ctx, ast.Store) for node in bindings) and any(
        isinstance(node, ast.ImportFrom)
        and node.module == module
        and any(alias.name == name and alias.asname in (None, name) for alias in node.names)
        for node in tree.body
    )


def unwritten(store: Store) -> str:
    """A type of the values, of a store that is no dict, which JSON does not hold; "" where there is none."""
    trees = [tree for text in store.value_types if text and (tree := _parsed(text)) is not None]
    return next((name for tree in trees if (name := _outer(tree)) in _WRITTEN), "")


def without_codec(store: Store, sources: Sources) -> str:
    """The declared type of a store's values that is a library's own, and no data; "" where there is none."""
    imported = _libraries(sources.source(store.path, store.service).tree, sources.local_modules(store.service))
    for text in store.value_types:
        match _parsed(text):
            case ast.Attribute(value=ast.Name(id=root)) if root in imported:
                return text
    return ""


def _libraries(tree: ast.Module, local: frozenset[str]) -> set[str]:
    """The names under which a module imports libraries whose types may be anything."""
    found = set()
    for node in tree.body:
        for alias in node.names if isinstance(node, ast.Import) else ():
            root = alias.name.partition(".")[0]
            if root not in local and root not in _DATA:
                found.add(alias.asname or root)
    return found


_DATA = frozenset("typing typing_extensions datetime uuid decimal collections enum".split())


def _files(store: Store) -> list[str]:
    """The files that read or write values."""
    return sorted({site.path for site in store.sites if site.op not in _KEYS_ALONE})


_KEYS_ALONE = frozenset({Op.IMPORT, Op.GLOBAL, Op.LEN, Op.BOOL, Op.CONTAINS, Op.DELITEM, Op.CLEAR})


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        return None


def _alternatives(tree: ast.expr) -> set[str]:
    """The types of a union; none of any other."""
    if isinstance(tree, ast.BinOp) or _outer(tree) in ("Optional", "Union"):
        return set(parts_of(tree))
    return set()


def _outer(tree: ast.expr) -> str:
    base = tree.value if isinstance(tree, ast.Subscript) else tree
    match base:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return _OUTER.get(name, name)
    return ""


def _key(tree: ast.expr) -> str:
    """The type of the keys of `dict[K, V]`."""
    match tree:
        case ast.Subscript(slice=ast.Tuple(elts=[ast.Name(id=name), _])):
            return name
    return ""
