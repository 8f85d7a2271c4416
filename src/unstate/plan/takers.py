"""Functions that FastAPI alone calls, by the names of their parameters: they may take one more from `Depends`.

A handler counts, and a dependency, where no code of the tree calls it or hands it on: who calls it by hand would have
to give the new parameter.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from unstate.plan.mentions import FunctionNode, Mention, Mentions, stem
from unstate.plan.names import assigned, dotted, imported
from unstate.plan.sources import Sources
from unstate.plan.versions import newest
from unstate.project import is_aside

_MAKERS = {"fastapi.FastAPI", "fastapi.applications.FastAPI", "fastapi.APIRouter", "fastapi.routing.APIRouter"}
_ROUTES = frozenset("get post put delete patch options head trace api_route websocket".split())
_ANNOTATED = (0, 95)  # the first FastAPI that reads `Annotated`


def takers(service: str, sources: Sources) -> tuple[str, ...]:
    """ "path:name" of the functions of a service that may take clients as parameters, in order."""
    version, _ = newest("fastapi", service, sources)
    if version is not None and version < _ANNOTATED:
        return ()
    trees = dict(_trees(service, sources))
    routers = {(stem(path), name) for path, tree in trees.items() for name in _made(tree)}
    mentions = Mentions(sources, ".")  # who calls a function may stand beside its service
    found = []
    for path, tree in trees.items():
        here = _made(tree) | {name for name, origin in _origins(tree).items() if origin in routers}
        found += [
            f"{path}:{node.name}"
            for node in _functions(tree)
            if _fits(node)
            and (_is_handler(node, here) or _is_dependency(node, mentions))
            and _is_alone(path, node.name, mentions, sources)
        ]
    return tuple(sorted(found))


def _trees(service: str, sources: Sources) -> Iterator[tuple[str, ast.Module]]:
    for path in sources.python_files(service):
        if not is_aside(path) and b"fastapi" in sources.read(path):
            try:
                yield path, sources.source(path, service).tree
            except (SyntaxError, ValueError):
                continue


def _made(tree: ast.Module) -> set[str]:
    """The names that stand for an application or a router of FastAPI wherever the file binds them."""
    names = imported(tree)
    pairs = [pair for node in ast.walk(tree) if isinstance(node, ast.stmt) and (pair := assigned(node))]
    made: dict[str, bool] = {}
    for target, value in pairs:
        if isinstance(target, ast.Name):
            fits = isinstance(value, ast.Call) and dotted(value.func, names) in _MAKERS
            made[target.id] = fits and made.get(target.id, True)
    return {name for name, fits in made.items() if fits}


def _origins(tree: ast.Module) -> dict[str, tuple[str, str]]:
    """Imported name -> (last part of its module's name, its name there)."""
    return {
        each.asname or each.name: ((node.module or "").rpartition(".")[2], each.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for each in node.names
    }


def _functions(tree: ast.Module) -> list[FunctionNode]:
    """The functions of a file that are no methods, of those that share a name none."""
    found: list[FunctionNode] = []
    bound: list[str] = []
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                found.append(node)
                bound.append(node.name)
            case ast.ClassDef():
                bound += [node.name, *(each.name for each in node.body if isinstance(each, FunctionNode))]
    return [node for node in found if bound.count(node.name) == 1]


def _fits(node: FunctionNode) -> bool:
    """Whether one more parameter has a place, and FastAPI calls the function by the names of all of them."""
    given = node.args
    return not (given.posonlyargs or given.vararg or given.kwarg)


def _is_handler(node: FunctionNode, routers: set[str]) -> bool:
    """Whether routes are all that decorates a function: another decorator may call it by other arguments."""
    return bool(node.decorator_list) and all(_is_route(each, routers) for each in node.decorator_list)


def _is_route(decorator: ast.expr, routers: set[str]) -> bool:
    match decorator:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)):
            return name in routers and method in _ROUTES
    return False


def _is_dependency(node: FunctionNode, mentions: Mentions) -> bool:
    return not node.decorator_list and any(each.how == "depended" for each in mentions.by_name.get(node.name, ()))


def _is_alone(path: str, name: str, mentions: Mentions, sources: Sources) -> bool:
    """Whether the tree says a function's name only where it is imported, and where something depends on it."""
    said = mentions.by_name.get(name, [])
    if any(each.how == "text" for each in said) or mentions.may_be_unread(name):
        return False
    if any(each.how == "depended" and b"fastapi" not in sources.read(each.path) for each in said):
        return False  # another library's `Depends`, which knows nothing of ours
    homes, holders = {stem(path)}, {path}
    while taken := [each for each in said if each.how == "import" and each.path not in holders and _from(each, homes)]:
        holders.update(each.path for each in taken)
        homes.update(stem(each.path) for each in taken)  # a package may hand it on
    holders |= mentions.starred
    return not any(
        each.how not in ("import", "depended")
        and (each.path in holders if each.receiver is None else _reached(path, each, homes, sources))
        for each in said
    )


def _from(mention: Mention, homes: set[str]) -> bool:
    return not mention.receiver or mention.receiver.rpartition(".")[2] in homes


def _reached(path: str, mention: Mention, homes: set[str], sources: Sources) -> bool:
    """Whether what a name is an attribute of is the module of the function, under its own name or another."""
    assert mention.receiver is not None
    if mention.path == path:  # where the name of its module is that of an object: `app` in app.py
        return False
    last = mention.receiver.rpartition(".")[2]
    tree = ast.parse(sources.read(mention.path))
    if mention.how != "other" and _origins(tree).get(last, ("", ""))[0] == stem(path):
        return False  # such an object, imported
    return not last or last in homes or _renamed(tree).get(last, "") in homes


def _renamed(tree: ast.Module) -> Mapping[str, str]:
    """Name of an import -> last part of what is imported under it."""
    return {
        each.asname: each.name.rpartition(".")[2]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for each in node.names
        if each.asname
    }
