"""What Django's own ways to files become: local storages, local paths of stored files, routes that serve a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import libcst as cst

from unstate.model import Op
from unstate.rewrite.fileforms import code, keyword, last_name

_ROUTES = frozenset({"re_path", "path", "url"})


@dataclass(frozen=True, slots=True)
class Edit:
    """`change` makes the new expression from the rewritten old one and the name of `helper`."""

    helper: str
    change: Callable[[cst.BaseExpression, str], cst.BaseExpression]


def served(node: cst.Call, ops: frozenset[Op], *, presigned: bool) -> Edit | str | None:
    """What a call that serves MEDIA_ROOT becomes, the reason why it cannot, None for one that is no such call."""
    name = last_name(node)
    if ops != {Op.SERVE}:
        return None
    view = "redirect_to_stored" if presigned else "serve_stored"
    if name == "static":
        if len(node.args) != 2 or keyword(node, "document_root") is None:
            return "`static` is given more than the URL and the folder"
        return Edit("presigned_static" if presigned else "stored_static", lambda new, helper: _call(helper, new, 1))
    if name == "serve":
        if len(node.args) != 3 or keyword(node, "document_root") is None:
            return "`serve` is given more than the request, the path and the folder"
        return Edit(view, lambda new, helper: _call(helper, new, 2))
    if name not in _ROUTES:
        return None
    place = next((index for index, arg in enumerate(node.args) if _is_serve(arg.value)), None)
    folder = next((index for index, arg in enumerate(node.args) if _names_folder_alone(arg.value)), None)
    if place is None or folder is None:
        return f"`{name}` serves the folder in a way that is not known"

    def change(new: cst.BaseExpression, helper: str) -> cst.BaseExpression:
        assert isinstance(new, cst.Call)
        args = [
            arg.with_changes(value=cst.Name(helper)) if index == place else arg
            for index, arg in enumerate(new.args)
            if index != folder
        ]
        if folder == len(new.args) - 1:  # the comma behind the last one stays as it was there
            args[-1] = args[-1].with_changes(comma=new.args[-1].comma)
        return new.with_changes(args=args)

    return Edit(view, change)


def stored(node: cst.BaseExpression, *, presigned: bool) -> Edit | str:
    """What a local storage becomes, or the question where on disk a stored file lies."""
    match node:
        case cst.Call(args=[_, *_]) if last_name(node) == "FileSystemStorage":
            if presigned:
                return "this storage has a folder of its own, for which no URLs are signed"
            return Edit("FolderStorage", _made_of)
        case cst.Call() if last_name(node) == "FileSystemStorage":
            return Edit(
                "PresignedStorage" if presigned else "MediaStorage",
                lambda new, helper: cst.Call(cst.Name(helper)),
            )
        case cst.Call(args=[_]) if last_name(node) == "path":
            return Edit("stored_path", lambda new, helper: _call(helper, new, 1))
        case cst.Attribute(attr=cst.Name(value="path")):
            return Edit("stored_path", _of_field)
    return "a use of Django's storage stands here that is not known"


def _made_of(new: cst.BaseExpression, helper: str) -> cst.BaseExpression:
    assert isinstance(new, cst.Call)
    return new.with_changes(func=cst.Name(helper))


def _of_field(new: cst.BaseExpression, helper: str) -> cst.BaseExpression:
    assert isinstance(new, cst.Attribute)
    return cst.Call(cst.Name(helper), [cst.Arg(new.value)])


def _call(helper: str, new: cst.BaseExpression, count: int) -> cst.BaseExpression:
    """A call of the helper with the first arguments of another call."""
    assert isinstance(new, cst.Call)
    args = list(new.args[:count])
    args[-1] = args[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return new.with_changes(func=cst.Name(helper), args=args)


def _is_serve(node: cst.BaseExpression) -> bool:
    return code(node).rpartition(".")[2] == "serve"


def _names_folder_alone(node: cst.BaseExpression) -> bool:
    """`{"document_root": ...}`"""
    match node:
        case cst.Dict(elements=[cst.DictElement(key=cst.SimpleString() as key)]):
            return key.evaluated_value == "document_root"
    return False
