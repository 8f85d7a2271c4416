"""Local names of a store: `scores = request.app.state.scores`, and every use of `scores` after it.

Such a name stands for the store where it is bound once, in a function, and the store itself is never bound anew: then
it is the same object wherever it is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import libcst as cst

Path = Sequence[cst.CSTNode]


def local_name(path: Path) -> tuple[Path, list[Path]] | None:
    """The name that a reference is given by the assignment it stands in, and the uses of that name.

    Each is told as the nodes from the module to it. None where the reference is given no name, or one that may mean
    something else.
    """
    match path[-2:]:
        case [cst.Assign(targets=[cst.AssignTarget(target=cst.Name() as target)], value=value), reference]:
            pass
        case [cst.AnnAssign(target=cst.Name() as target, value=value), reference]:
            pass
        case _:
            return None
    place = next((n for n in range(len(path) - 1, 0, -1) if isinstance(path[n], cst.FunctionDef)), None)
    if value is not reference or place is None or any(isinstance(node, cst.ClassDef) for node in path[place:]):
        return None
    function = path[place]
    assert isinstance(function, cst.FunctionDef)
    found = list(_named(path[: place + 1], target.value))
    if not _is_plain(function, target, found):
        return None
    bound = next(each for each in found if each[-1] is target)
    return bound, [each for each in found if each[-1] is not target]


def _is_plain(function: cst.FunctionDef, target: cst.Name, found: Iterable[Path]) -> bool:
    """Whether a name is bound by `target` alone, and read everywhere else."""
    if any(parameter.name.value == target.value for parameter in _parameters(function)):
        return False
    return all(each[-1] is target or _reads(each) for each in found)


def _parameters(function: cst.FunctionDef) -> Iterable[cst.Param]:
    parameters = function.params
    yield from (*parameters.params, *parameters.posonly_params, *parameters.kwonly_params)
    yield from (each for each in (parameters.star_arg, parameters.star_kwarg) if isinstance(each, cst.Param))


def _reads(path: Path) -> bool:
    """Whether a name is read where it stands, and not bound, deleted or declared."""
    child = path[-1]
    for node in reversed(path[:-1]):
        match node:
            case cst.AssignTarget() | cst.Del() | cst.Param() | cst.NameItem() | cst.ImportAlias() | cst.AsName():
                return False
            case cst.AugAssign(target=target) | cst.AnnAssign(target=target) | cst.NamedExpr(target=target):
                return target is not child
            case cst.For(target=target) | cst.CompFor(target=target):
                return target is not child
            case cst.FunctionDef(name=name) | cst.ClassDef(name=name) if name is child:
                return False
            case cst.Tuple() | cst.List() | cst.Element() | cst.StarredElement():
                child = node  # may be a part of a target
            case _:
                return True
    return True


def _named(path: Path, name: str) -> Iterable[Path]:
    """Names of that text below the last node of a path; those of attributes and keywords are not names."""
    node = path[-1]
    for child in node.children:
        match node:
            case cst.Attribute(attr=attr) if child is attr:
                continue
            case cst.Arg(keyword=keyword) if child is keyword:
                continue
        here = [*path, child]
        if isinstance(child, cst.Name) and child.value == name:
            yield here
        yield from _named(here, name)
