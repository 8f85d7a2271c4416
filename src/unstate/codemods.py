"""Codemods: what each rule finds, says and proposes, read from the files of codemods/.

A codemod file is Python that anyone can read and a type checker can check, but it is never run: a scanned project may
bring its own folder, and reading a project must not execute it. So `CODEMOD = Codemod(...)` holds literals only, and
the module's docstring is the rule's documentation.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import msgspec

from unstate import resources
from unstate.config import parse_duration
from unstate.model import Kind, Value

FOLDER = "codemods"


class CodemodError(Exception):
    """A codemod file that cannot be used. Its text names the file, the line and what is wrong."""


class Codemod(Value, frozen=True):
    """One rule: its name, what it is about, and the defaults of what it proposes.

    `summary` is one line that says what was found; `breaks` one sentence on what goes wrong with a second process;
    `instead` what a person moves to where no patch can be made. `prefix` is the default namespace of the keys, `ttl`
    the default expiry as a duration ("24h"), "" where entries stay until they are deleted.
    """

    code: str
    name: str
    summary: str
    kinds: tuple[Kind, ...] = ()
    breaks: str = ""
    instead: str = ""
    prefix: str = ""
    ttl: str = ""
    documentation: str = ""  # markdown; the file's docstring
    path: str = ""  # the file

    @property
    def ttl_seconds(self) -> int | None:
        """The default expiry in seconds, None where there is none."""
        return parse_duration(self.ttl) if self.ttl else None

    def markdown(self) -> str:
        """The rule's page: heading, summary and documentation."""
        return f"# {self.name} ({self.code})\n\n{self.summary}\n\n{self.documentation}\n"


def load(root: Path | None = None) -> dict[str, Codemod]:
    """Every codemod by its code, in order of code; those of `root`/codemods replace shipped ones of the same code.

    Raises CodemodError.
    """
    found: dict[str, Codemod] = {}
    for folder in reversed(resources.search_path(FOLDER, root)):
        here: dict[str, Codemod] = {}
        for path in sorted(folder.glob("*.py")):
            codemod = read(path)
            if codemod is None:
                continue
            if codemod.code in here:
                raise CodemodError(f"{path}: {codemod.code} is also the code of {here[codemod.code].path}")
            here[codemod.code] = codemod
        found |= here
    return dict(sorted(found.items()))


def read(path: Path) -> Codemod | None:
    """The codemod of one file; None for a file that does not name `CODEMOD`, which is no codemod of ours.

    Raises CodemodError.
    """
    try:
        source = path.read_bytes()
        if b"CODEMOD" not in source or b"unstate" not in source:
            return None
        tree = ast.parse(source)
    except SyntaxError as error:
        raise CodemodError(f"{path}:{error.lineno or 1}: syntax error: {error.msg}") from None
    except (OSError, ValueError) as error:
        raise CodemodError(f"{path}: cannot be read: {error}") from None
    call = _definition(tree)
    if call is None:
        raise CodemodError(f"{path}:1: no `CODEMOD = Codemod(...)` at the top level of the file")
    values: dict[str, Any] = {}
    for keyword in call.keywords:
        if keyword.arg is None or keyword.arg in ("documentation", "path"):
            raise CodemodError(f"{path}:{keyword.value.lineno}: Codemod takes no {keyword.arg or '**mapping'} here")
        values[keyword.arg] = _literal(path, keyword.value)
    if call.args:
        raise CodemodError(f"{path}:{call.args[0].lineno}: Codemod takes named arguments only")
    documentation = ast.get_docstring(tree)
    if not documentation:
        raise CodemodError(f"{path}:1: the docstring is missing; it is the rule's documentation")
    values |= {"documentation": documentation, "path": str(path)}
    try:
        codemod = msgspec.convert(values, Codemod, strict=True)
        if codemod.ttl:
            parse_duration(codemod.ttl)
    except ValueError as error:
        raise CodemodError(f"{path}:{_line(call, str(error))}: {error}") from None
    return codemod


def _definition(tree: ast.Module) -> ast.Call | None:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="CODEMOD")], value=ast.Call(func=ast.Name(id="Codemod")) as call):
                return call
    return None


def _literal(path: Path, node: ast.expr) -> Any:
    """The value of a literal in which `Kind.NAME` may stand."""
    match node:
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return [_literal(path, element) for element in elements]
        case ast.Attribute(value=ast.Name(id="Kind"), attr=name) if name in Kind.__members__:
            return Kind[name].value
        case ast.Constant(value=str() as text):
            return text
    raise CodemodError(f"{path}:{node.lineno}: `{ast.unparse(node)}` is no text, no Kind and no tuple of them")


def _line(call: ast.Call, message: str) -> int:
    """The line of the argument that a message is about."""
    return next(
        (
            k.value.lineno
            for k in call.keywords
            if f"$.{k.arg}" in message or (k.arg == "ttl" and "duration" in message)
        ),
        call.lineno,
    )
