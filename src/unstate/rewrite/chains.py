"""Nodes with what is around them: where a node stands, whether `await` may stand there, what closes a file."""

from __future__ import annotations

import re
from collections.abc import Sequence

import libcst as cst

from unstate.model import Site
from unstate.rewrite.fileforms import code, last_name
from unstate.rewrite.source import Place

Node = cst.CSTNode
_FORMING = frozenset("join joinpath Path str abspath realpath with_suffix with_name fspath safe_join resolve".split())
_FILES = re.compile(r"\.files\b")


def place(site: Site) -> Place:
    return site.span.line, site.span.column, site.span.end_line, site.span.end_column


def walk(node: Node) -> Sequence[Node]:
    found = [node]
    for each in found:
        found.extend(each.children)
    return found


def operands(node: cst.Call) -> list[tuple[int, cst.BaseExpression]]:
    found = [(index, arg.value) for index, arg in enumerate(node.args)]
    return [(-1, node.func.value), *found] if isinstance(node.func, cst.Attribute) else found


def how(chain: Sequence[Node]) -> str:
    """What decides whether `await` may stand: "async", "sync", "lambda", "generator", "module"."""
    for position in range(len(chain) - 1, -1, -1):
        match chain[position]:
            case cst.FunctionDef(asynchronous=asynchronous) if isinstance(chain[position + 1], cst.IndentedBlock):
                return "sync" if asynchronous is None else "async"
            case cst.Lambda() if is_asynchronous(chain):
                return "lambda"
            case cst.GeneratorExp() if is_asynchronous(chain):
                return "generator"
    return "module"


def is_asynchronous(chain: Sequence[Node]) -> bool:
    return any(isinstance(each, cst.FunctionDef) and each.asynchronous for each in chain)


def function(chain: Sequence[Node]) -> str:
    return next(each.name.value for each in reversed(chain) if isinstance(each, cst.FunctionDef))


def waits(node: Node) -> bool:
    """Whether a generator is left or entered in a statement: a copy must not be lent across that."""
    return any(isinstance(each, cst.Yield) for each in walk(node))


def is_true(node: cst.BaseExpression | None) -> bool:
    return isinstance(node, cst.Name) and node.value == "True"


def is_closed(chain: Sequence[Node]) -> bool:
    """`f = open(...)` with `f.close()` in the same function."""
    match chain[-2]:
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))]):
            around = next((each for each in reversed(chain) if isinstance(each, cst.FunctionDef)), chain[0])
            return f"{name}.close()" in code(around)
    return False


def is_upload(node: cst.Call, chain: Sequence[Node]) -> bool:
    """Whether `x.save(path)` saves what a client sent with a form: `x` comes from `request.files`, and nothing else."""
    if last_name(node) != "save" or len(node.args) != 1 or not isinstance(node.func, cst.Attribute):
        return False
    upload = code(node.func.value)
    if _FILES.search(upload):
        return True
    around = next((each for each in reversed(chain) if isinstance(each, cst.FunctionDef)), None)
    if around is None or not upload.isidentifier():
        return False
    text = code(around)
    bound = re.findall(
        rf"^\s*{upload}\s*(?::[^=\n]+)?=(?!=)\s*(.*)$|\bfor\s+{upload}\s+in\s+(.*?):", text, re.MULTILINE
    )
    given = re.search(rf"\b{upload}\s*:\s*(\w+\.)*FileStorage\b", text)
    return bool(given) or (bool(bound) and all(_FILES.search(one or two) for one, two in bound))


def is_pruned(chain: Sequence[Node]) -> bool:
    """Whether the loop over `os.walk(...)` changes the list of folders that it is given."""
    match chain[-2]:
        case cst.For(target=cst.Tuple(elements=[_, cst.Element(value=cst.Name(value=name)), *_]), body=body):
            return re.search(rf"\b{name}(\[|\.)", code(body)) is not None
    return False


def is_made(chain: Sequence[Node]) -> bool:
    """Whether the folder that a call removes is made by the code itself, so that it is always there."""
    call = chain[-1]
    if not isinstance(call, cst.Call) or not call.args:
        return False
    folder = call.args[0].value
    if isinstance(folder, cst.Call) and last_name(folder) not in _FORMING:
        return True  # a function gives it, and may make it
    function = next((each for each in reversed(chain) if isinstance(each, cst.FunctionDef)), None)
    text = code(function) if function is not None else ""
    return f"{code(folder)}.mkdir(" in text or f"makedirs({code(folder)}" in text
