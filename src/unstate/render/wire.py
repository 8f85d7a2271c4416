"""The line that ties the generated clients to the application: `init_app(app)`, below where the app is made."""

from __future__ import annotations

import ast

import libcst as cst

from unstate.model import App
from unstate.plan.names import blocks, imported
from unstate.plan.own import app_made
from unstate.render.texts import indent_of, insert
from unstate.rewrite.imports import with_import
from unstate.rewrite.names import Names, bound
from unstate.rewrite.syntax import walk

INIT = "init_app"


def wired(content: bytes, app: App, module: str) -> bytes:
    """The file of the application with the call; as it was where it has one, or where it is not as it was planned.

    `module` is the generated module as the service imports it.
    """
    tree = ast.parse(content)
    names = Names(bound(tree, walk(tree), module))
    called = f"{names.use(INIT)}({app.name})"
    stands_for = imported(tree)
    for _, body in blocks(tree):
        for position, statement in enumerate(body):
            if app_made(statement, stands_for) != (app.framework, app.name):
                continue
            following = body[position + 1 :]
            if any(isinstance(each, ast.Expr) and ast.unparse(each) == called for each in following):
                return content
            end = statement.end_lineno or statement.lineno
            if following and following[0].lineno == end:  # two statements on one line
                return content
            line = indent_of(content, statement.lineno) + called.encode()
            made = cst.parse_module(insert(content, end, [line]))
            return with_import(made, module, names).bytes
    return content
