"""Marks of what a process has done for itself: a folder that it watches, a module or a handler that it added.

Another process has all of this still to do, and so has this one after a restart: where the mark is shared, nobody does.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from unstate.model import Op, Refusal, Store
from unstate.plan.alive import Use, uses_of
from unstate.plan.sources import Sources

_MARKS = frozenset({Op.ADD, Op.SETITEM})
_TAKES = frozenset({Op.REMOVE, Op.DELITEM, Op.POP, Op.CLEAR})
_NO_USE = frozenset({Op.DEFINE, Op.IMPORT, Op.GLOBAL})
_INSTALLING = frozenset(
    "schedule add_handler addHandler add_listener add_event_handler add_watch add_url_rule include_router"
    " load_extension import_module".split()
)
_ADVICE = "leave it in the process"


def marks_own_work(store: Store, sources: Sources) -> list[Refusal]:
    """Why a store stays that is only asked whether something is done, where this is done to the process itself."""
    uses = list(uses_of(store, sources))
    done = {use.site.op for use in uses} - _NO_USE
    if Op.CONTAINS not in done or done - _MARKS - _TAKES - {Op.CONTAINS}:
        return []
    for use in uses:
        if use.site.op in _MARKS and use.function is not None:
            work = next(_done_here(use), None)
            if work is not None:
                reason = f"`{store.name}` marks here that this process did `{work}` for itself: shared, no other would"
                return [Refusal(path=use.site.path, line=use.site.line, reason=reason, advice=_ADVICE)]
    return []


def _done_here(use: Use) -> Iterator[str]:
    """What the function that sets the mark does to its process."""
    assert use.function is not None
    for node in ast.walk(use.function):
        match node:
            case ast.Assign(targets=[ast.Subscript(value=ast.Attribute(value=ast.Name(id="sys"), attr="modules"))]):
                yield "sys.modules[...] = ..."
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr=name) as called)) if name in _INSTALLING:
                yield ast.unparse(called)
