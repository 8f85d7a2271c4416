"""Entries in the app's own settings, written as the others there are; every other byte stays as it was."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence

from unstate.model import Settings, SettingsStyle
from unstate.plan import names as named
from unstate.render.texts import indent_of, insert

ORDER = ("REDIS_URL", "UPLOAD_BUCKET", "AWS_ENDPOINT_URL_S3")
HEADING = b"# Where the state of this app lives"


def with_entries(content: bytes, settings: Settings, wanted: Collection[str]) -> bytes:
    """A settings file with an entry for each wanted name that it lacks, beside ours that it has.

    So the order in which they came does not show. The file stays as it is where no entry can be put into it.
    """
    for name in ORDER:
        if name in wanted:
            content = _with_entry(content, settings, name)
    return content


def _with_entry(content: bytes, settings: Settings, name: str) -> bytes:
    tree = ast.parse(content)
    body = _body(tree, settings.holder)
    written = [_written(each, settings) for each in ORDER]
    there = {bound: statement for statement in body for bound in _bound(statement)}
    spelled = _written(name, settings)
    if not body or spelled in there or b"\r" in content.replace(b"\r\n", b""):
        return content
    position = written.index(spelled)
    earlier = [there[each] for each in written[:position] if each in there]
    later = [there[each] for each in written[position + 1 :] if each in there]
    line, needs_os = _entry(tree, settings, name)
    if content.count(b"'") > content.count(b'"'):
        line = line.replace(b'"', b"'")
    indent = indent_of(content, body[0].lineno)
    if earlier:
        content = insert(content, earlier[-1].end_lineno or 0, [indent + line])
    elif later:
        content = insert(content, later[0].lineno - 1, [indent + line])
    elif settings.holder:
        content = insert(content, _last_of_its_kind(body).end_lineno or 0, [indent + line])
    else:
        content = insert(content, content.rstrip(b"\r\n").count(b"\n") + 1, [b"", HEADING, line])
    return _with_os(content, tree) if needs_os else content


def _body(tree: ast.Module, holder: str) -> Sequence[ast.stmt]:
    if not holder:
        return tree.body
    return next((node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == holder), ())


def _bound(statement: ast.stmt) -> Iterator[str]:
    match named.assigned(statement) or (getattr(statement, "target", None), None):
        case ast.Name(id=name), _:
            yield name


def _written(name: str, settings: Settings) -> str:
    return name if settings.upper else name.lower()


def _entry(tree: ast.Module, settings: Settings, name: str) -> tuple[bytes, bool]:
    """The line, and whether it needs an import of os."""
    if settings.style is SettingsStyle.PYDANTIC:
        return f'{_written(name, settings)}: str = ""'.encode(), False
    names = named.imported(tree)
    readers = {each.id for each in ast.walk(tree) if isinstance(each, ast.Name)}
    if any(_is_env(statement, names) for statement in tree.body) and "env" in readers:
        return f'{name} = env("{name}", default="")'.encode(), False
    if names.get("config") == "decouple.config":
        return f'{name} = config("{name}", default="")'.encode(), False
    return f'{name} = os.environ.get("{name}", "")'.encode(), names.get("os") != "os"


def _is_env(statement: ast.stmt, names: dict[str, str]) -> bool:
    match named.assigned(statement):
        case ast.Name(id="env"), ast.Call(func=func):
            return named.dotted(func, names) == "environ.Env"
    return False


def _last_of_its_kind(body: Sequence[ast.stmt]) -> ast.stmt:
    """The last field of a class, else its last statement."""
    fields = [
        each for each in body if isinstance(each, ast.AnnAssign | ast.Assign) and "model_config" not in _bound(each)
    ]
    typed = [each for each in fields if isinstance(each, ast.AnnAssign)]
    return (typed or fields or list(body))[-1]


def _with_os(content: bytes, before: ast.Module) -> bytes:
    """`import os` in front of the first import; `before` says where that stands, since entries come after it."""
    for statement in before.body:
        match statement:
            case ast.ImportFrom(module="__future__"):
                continue
            case ast.Import() | ast.ImportFrom():
                return insert(content, statement.lineno - 1, [b"import os"])
            case ast.Expr(value=ast.Constant(value=str())) if statement is before.body[0]:
                continue
        return insert(content, statement.lineno - 1, [b"import os", b""])
    return content
