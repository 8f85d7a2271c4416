"""What is said where no rule of the catalogue fits: the operation itself, and what a person could change."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

_ORDERED = "what comes first or last depends on the order of entries, which the backing service does not keep"
_REASONS = {
    **dict.fromkeys(("popitem", "move_to_end", "next", "reversed"), _ORDERED),
    **dict.fromkeys(("sort", "reverse", "insert", "rotate"), "it moves entries that others may be reading"),
}
_ADVICE = {
    **dict.fromkeys(("popitem", "next"), "choose the entry by its key, or keep who came when in the entry"),
    "move_to_end": "let entries expire instead of pushing the oldest out",
    "sort": "sort where it is read: `sorted(...)`",
}
_WIDTH = 60


def unfit(path: Sequence[cst.CSTNode], name: str) -> tuple[str, str]:
    """(reason, advice) for a reference, told as the nodes from the module to it."""
    around = _operation(path)
    code = " ".join(cst.Module([]).code_for_node(around).split())
    shown = code if len(code) <= _WIDTH else f"{code[: _WIDTH - 3]}..."
    match around:
        case cst.Return() | cst.Yield():
            reason = f"`{shown}` hands the whole of `{name}` out: what is done to it there cannot be followed"
            return reason, "give a copy (`dict(...)`), or functions that do what its readers want"
        case cst.Assign() | cst.AnnAssign() | cst.NamedExpr():
            reason = f"`{shown}` gives `{name}` another name, which may mean something else later"
            return reason, "use the store by its own name"
        case (
            cst.Subscript(slice=[cst.SubscriptElement(slice=cst.Index(value=cst.Tuple()))])
            | cst.Subscript(slice=[_, _, *_])
        ):
            return f"`{shown}` has a key of several parts, whose text does not tell them apart", "make one text of them"
    used = _called(around)
    if used in _REASONS:
        return f"`{shown}`: {_REASONS[used]}", _ADVICE.get(used, "")
    if isinstance(around, cst.Call) and used not in ("", name.rpartition(".")[2]):
        passed = any(arg.value is path[-1] for arg in around.args)
        if passed:
            reason = f"`{shown}` hands `{name}` to `{used}`, which may keep it or change it"
            return reason, "hand over a copy (`dict(...)`) where it is only read"
        return f"no rule of the catalogue fits `{shown}`", ""
    return f"no rule of the catalogue fits `{shown}`", ""


def _operation(path: Sequence[cst.CSTNode]) -> cst.CSTNode:
    """The expression or statement that does something with the reference."""
    node = path[-1]
    for parent in reversed(path[:-1]):
        match parent:
            case cst.Attribute(value=value) if value is node:
                node = parent
            case cst.Call(func=func) if func is node:
                return parent
            case cst.Arg():
                continue
            case cst.Call():
                return parent if node is path[-1] or _called(parent) in _REASONS else node
            case cst.Subscript(value=value):
                return parent if value is node else node
            case cst.Return() | cst.Yield() | cst.NamedExpr() | cst.Assign() | cst.AnnAssign() if node is path[-1]:
                return parent
            case cst.Comparison() | cst.ComparisonTarget() | cst.BooleanOperation() | cst.UnaryOperation():
                return parent if isinstance(parent, cst.Comparison) and node is path[-1] else node
            case _:
                return node
    return node


def _called(node: cst.CSTNode) -> str:
    match node:
        case cst.Call(func=cst.Name(value=name)) | cst.Call(func=cst.Attribute(attr=cst.Name(value=name))):
            return name
    return ""
