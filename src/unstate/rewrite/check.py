"""What must hold of every output: it compiles, no name is undefined or unused, every asynchronous call is awaited."""

from __future__ import annotations

import ast

from unstate.catalogue import helpers
from unstate.rewrite.draft import Draft
from unstate.rewrite.forms import CLIENTS
from unstate.rewrite.names import Names, loaded, unresolved


def faults(draft: Draft, names: Names) -> list[tuple[int, str]]:
    """(line, what is wrong) for a rewritten file; a fault is a fault of ours, and the file is refused for it."""
    source = draft.source
    try:
        compile(draft.tree, source.path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        return [(getattr(error, "lineno", 1) or 1, f"the rewritten file would not compile: {error}")]
    undefined = sorted(unresolved(draft.text, source.path) - source.unresolved)
    found = [(1, f"`{name}` would be undefined") for name in undefined]
    read = loaded(draft.nodes)
    found += [
        (1, f"`{name}` would be imported and not used")
        for name in sorted(names.imported)
        if names.alias(name) not in read
    ]
    awaited = {id(node.value) for node in draft.nodes if isinstance(node, ast.Await)}
    found += [
        (node.lineno, "an asynchronous call would not be awaited")
        for node in draft.nodes
        if isinstance(node, ast.Call) and _must_be_awaited(node, names) and id(node) not in awaited
    ]
    return found


def _must_be_awaited(call: ast.Call, names: Names) -> bool:
    match call.func:
        case ast.Attribute(value=ast.Name(id=client), attr=method):
            return client in {names.alias(c) for c in CLIENTS.values()} and method not in (
                "pipeline",
                "register_script",
            )
        case ast.Name(id=name):
            return name.removeprefix("backing_").removeprefix("async_") in helpers.REMOTE and "async_" in name
    return False
