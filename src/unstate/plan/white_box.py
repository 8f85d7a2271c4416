"""The tests that look into a store past the app: what they ask for is not there once it has moved.

Where a test's use of a store is linked, it is rewritten with the others. Left are those that nothing links: an
attribute of an object that came from elsewhere, a name that is patched by a text, a file that is opened where the app
wrote it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from libcst import ParserSyntaxError

from unstate.model import Scope, Store
from unstate.plan.sources import Sources
from unstate.project import is_aside

_PATCHING = frozenset("setattr delattr object setitem dict".split())  # of monkeypatch, of unittest.mock.patch
_LOOKING = frozenset(
    "exists is_file is_dir stat iterdir listdir glob rglob open read_text read_bytes write_text write_bytes".split()
)


def looking_inside(store: Store, sources: Sources) -> list[str]:
    """A sentence for each test file that looks where the store was, with the lines."""
    found = []
    for path, tree in _tests(store, sources):
        rewritten = {site.span.line for site in store.sites if site.path == path}
        lines = sorted(set(_looks(store, tree)) - rewritten)
        if lines:
            where = "the local folder" if store.scope is Scope.FOLDER else f"`{store.name}`"
            found.append(
                f"{path}, {_listed(lines)}: tests look into {where}, which is there no more; "
                "they have to ask through the app"
            )
        if store.scope is Scope.INSTANCE and (made := sorted(_makes(store, tree))):
            found.append(
                f"{path}, {_listed(made)}: tests make objects of their own, which find "
                f"the entries of all others in `{store.name}`; they have to empty it first"
            )
    return found


def _listed(lines: list[int]) -> str:
    at = ", ".join(str(line) for line in lines[:5]) + (" and more" if len(lines) > 5 else "")
    return f"line{'s' if len(lines) > 1 else ''} {at}"


def _makes(store: Store, tree: ast.Module) -> set[int]:
    """Where a test makes an object of the class that has the store."""
    owner = store.name.rpartition(".")[0].rpartition(".")[2]
    return {node.lineno for node in ast.walk(tree) if isinstance(node, ast.Call) and owner and _called(node) == owner}


def _tests(store: Store, sources: Sources) -> Iterator[tuple[str, ast.Module]]:
    """The test files that name something of the store."""
    words = [word.encode() for word in _words(store)]
    for path in sources.python_files(store.service):
        if is_aside(path) and path != store.path and any(word in sources.read(path) for word in words):
            try:
                yield path, sources.source(path, store.service).tree
            except (SyntaxError, ValueError, RecursionError, ParserSyntaxError):
                continue


def _words(store: Store) -> Iterable[str]:
    if store.scope is Scope.FOLDER:
        return {*_users(store), store.name}
    owner, _, name = store.name.rpartition(".")
    return (name, owner.rpartition(".")[2]) if store.scope is Scope.INSTANCE else (name,)


def _users(store: Store) -> set[str]:
    """The functions, by bare name, that work on the folder's files."""
    return {site.function.rpartition(".")[2] for site in store.sites if not is_aside(site.path)} - {""}


def _looks(store: Store, tree: ast.Module) -> Iterator[int]:
    yield from _name_looks(store, tree)
    if store.scope is Scope.FOLDER:
        yield from _folder_looks(_users(store), tree)


def _folder_looks(users: set[str], tree: ast.Module) -> Iterator[int]:
    """Where a test that calls one of these functions itself looks at files, or lays them out for it."""
    for test in ast.walk(tree):
        if not isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        calls = [node for node in ast.walk(test) if isinstance(node, ast.Call)]
        if any(_called(call) in users for call in calls):
            yield from (call.lineno for call in calls if _called(call) in _LOOKING)


def _name_looks(store: Store, tree: ast.Module) -> Iterator[int]:
    owner, _, name = store.name.rpartition(".")
    stem = PurePosixPath(store.path).stem
    known = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | {
        part for node in ast.walk(tree) if isinstance(node, ast.alias) for part in node.name.split(".")
    }
    related = owner.rpartition(".")[2] in known or stem in _modules(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and owner and related and node.attr == name:
            yield node.lineno
        elif isinstance(node, ast.Call) and (text := _patched(node)):
            whole = text == f"{store.module}.{store.name}" or text.endswith(f".{stem}.{store.name}")
            if whole or (text == name and related and _called(node) in _PATCHING):
                yield node.lineno


def _modules(tree: ast.Module) -> set[str]:
    """The last parts of the modules that a file imports, and of what it imports from them."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=module, names=names):
                found.update({(module or "").rpartition(".")[2], *(alias.name for alias in names)})
            case ast.Import(names=names):
                found.update(alias.name.rpartition(".")[2] for alias in names)
    return found


def _patched(call: ast.Call) -> str:
    """The text by which a call says what it patches: `patch("app.sessions", ...)`, `setattr(app, "sessions", ...)`."""
    texts = [each.value for each in call.args[:2] if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return texts[0] if texts else ""


def _called(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))
