"""Records that hold contents of files: JSON has no bytes, and Redis is no place for uploads."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from unstate.model import Group, Op, Refusal, Store
from unstate.plan.sources import Sources

_GIVES_BYTES = frozenset("get_data getvalue tobytes b64decode read_bytes body".split())
_ADVICE = "keep the bytes in a dict of their own, by the same key: they become S3 objects, and the record goes to Redis"


def blob_in(store: Store, sources: Sources) -> Refusal | None:
    """Where a record with the content of a file is put into a store; None where none is seen."""
    places = {
        (site.path, site.span.line, site.span.column) for site in store.sites if site.op in (Op.SETITEM, Op.DEFINE)
    }
    for path in sorted({path for path, _, _ in places}):
        tree = sources.source(path, store.service).tree
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
            for target, record in _written(function):
                if (path, target.value.lineno, target.value.col_offset) not in places:
                    continue
                for key, value in zip(record.keys, record.values, strict=True):
                    if key is not None and _is_content(value, function):
                        text = f"a record of `{store.name}` holds bytes under {ast.unparse(key)}, which is no JSON"
                        return Refusal(path=path, line=value.lineno, reason=text, advice=_ADVICE)
    return None


def waits_for_bytes(store: Store) -> Refusal:
    """Why records cannot be held with their bytes apart, where asynchronous code uses them."""
    first = next((site for site in store.sites if site.asynchronous), store.sites[0])
    text = (
        f"asynchronous code uses `{store.name}`, and would wait for the bytes of its records with a client that blocks"
    )
    return Refusal(path=first.path, line=first.span.line, reason=text, advice=_ADVICE)


def left_behind(group: Group) -> tuple[str, ...]:
    """What stays in the bucket of records whose bytes lie apart."""
    if group.codec != "apart":
        return ()
    gone = "the bytes of a record that is deleted or replaced stay in the bucket, under `bytes/`"
    if group.ttl_seconds is None:
        return (f"{gone}: its records do not expire, so no lifecycle rule may delete what lies there",)
    return (
        f"{gone}, and so do those of one that expired: set a lifecycle rule for that prefix that keeps objects for at"
        " least as long as the records of this app live; bytes that go first cannot be read any more",
    )


def _written(function: ast.AST) -> Iterator[tuple[ast.Subscript, ast.Dict]]:
    """`x[k] = {...}`"""
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Subscript() as target], value=ast.Dict() as record):
                yield target, record


def _is_content(value: ast.expr, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a value is bytes for sure, by itself or by the one assignment to its name."""
    match value:
        case ast.Name(id=name):
            bound = [
                node.value
                for node in ast.walk(function)
                if isinstance(node, ast.Assign) and any(getattr(each, "id", "") == name for each in node.targets)
            ]
            return len(bound) == 1 and not isinstance(bound[0], ast.Name) and _is_content(bound[0], function)
        case ast.Await(value=inner):
            return _is_content(inner, function)
        case ast.Constant(value=bytes()):
            return True
        case ast.Call(func=ast.Attribute(attr="read", value=owner)):
            return _is_upload(owner, function)
        case ast.Call(func=ast.Attribute(attr=attr)):
            return attr in _GIVES_BYTES and not any(each.arg == "as_text" for each in value.keywords)
    return False


def _is_upload(owner: ast.expr, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether what is read is a file that a client sent with a form."""
    text = ast.unparse(owner)
    if ".files[" in text or ".files.get(" in text or text.endswith((".file", ".stream")):
        return True
    if not isinstance(owner, ast.Name):
        return False
    arguments = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    if any(each.arg == owner.id and "UploadFile" in ast.unparse(each.annotation or owner) for each in arguments):
        return True
    return any(
        ".files[" in ast.unparse(node.value) or ".files.get(" in ast.unparse(node.value)
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and any(getattr(each, "id", "") == owner.id for each in node.targets)
    )
