"""Statements with what is put around them: entries read again, and written back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import libcst as cst

from unstate.rewrite import forms
from unstate.rewrite.functions import Function
from unstate.rewrite.match import Environment
from unstate.rewrite.names import Names
from unstate.rewrite.saves import Reload, Save

Left = cst.CSTNode | cst.RemovalSentinel | cst.FlattenSentinel[cst.CSTNode]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the statements are put; `lifted`: what was read in a statement, by the node that it was."""

    names: Names
    lifted: Mapping[int, cst.BaseExpression]
    asynchronous: bool
    within: Function


def surrounded(
    left: Left, saves: Sequence[Save], reloads: Sequence[Reload], place: Place
) -> cst.FlattenSentinel[cst.CSTNode]:
    """A statement that changes an entry, and behind it the calls that write the change back; one that may change what
    is held under a name, and the calls that read it again."""
    # A statement that changes an entry is never one that goes.
    middle = list(left.nodes) if isinstance(left, cst.FlattenSentinel) else [cast("cst.CSTNode", left)]
    after: list[cst.CSTNode] = []
    for save in saves:
        name = save.name
        if save.lifted is not None:
            name = place.names.fresh(name)
            target = cst.AssignTarget(cst.Name(name))
            named = cst.SimpleStatementLine([cst.Assign([target], place.lifted[id(save.lifted)])])
            _put_before(middle, [named])
        environment: Environment = {"k": save.key, "v": cst.Name(name)}
        after.extend(_filled(save.form, environment, save, place))
    again = [_again(each, place) for each in reloads if not each.before]
    _put_before(middle, [_again(each, place) for each in reloads if each.before])
    match middle[-1]:
        case cst.SimpleStatementLine(body=[cst.Return(value=value)]) if value is not None and after:
            name = place.names.fresh("_result")
            kept = cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(cst.Name(name))], value)])
            leave = cst.SimpleStatementLine([cst.Return(cst.Name(name))])
            kept = kept.with_changes(leading_lines=middle[-1].leading_lines)
            return cst.FlattenSentinel([*middle[:-1], kept, *after, leave])
    return cst.FlattenSentinel([*middle, *after, *again])


def _put_before(statements: list[cst.CSTNode], new: Sequence[cst.CSTNode]) -> None:
    """Put lines in front; comments and blank lines above stay above."""
    for line in reversed(new):
        first = statements[0]
        statements[0] = first.with_changes(leading_lines=())
        statements.insert(0, line.with_changes(leading_lines=getattr(first, "leading_lines", ())))


def _filled(form: str, environment: Environment, of: Save | Reload, place: Place) -> list[cst.CSTNode]:
    filled = forms.statements(
        form, environment, of.binding, place.names, asynchronous=place.asynchronous, within=place.within
    )
    return list(filled)


def _again(reload: Reload, place: Place) -> cst.CSTNode:
    environment: Environment = {"k": reload.key, "d": cst.Name(reload.name)}
    filled = forms.expression(reload.form, environment, reload.binding, place.names, asynchronous=place.asynchronous)
    return cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(cst.Name(reload.name))], filled)])
