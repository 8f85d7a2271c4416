"""Rewriting one file: the operations on accepted stores become calls to their backing services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import libcst as cst

from unstate.model import Refusal
from unstate.rewrite import check, folding, imports
from unstate.rewrite.binding import Binding, Rewritten
from unstate.rewrite.coroutines import Awaited
from unstate.rewrite.draft import Draft
from unstate.rewrite.files import FOLDER, FileEdits
from unstate.rewrite.flowwords import COMMON_METHODS, KEPT_ELSEWHERE
from unstate.rewrite.names import Names, bound, imports_any
from unstate.rewrite.parentheses import Unwrap
from unstate.rewrite.references import References
from unstate.rewrite.saves import Reload, Save
from unstate.rewrite.source import Source
from unstate.rewrite.transform import Transformer
from unstate.rewrite.unused import without_unused_locals
from unstate.rewrite.visiting import visited

__all__ = ["COMMON_METHODS", "FOLDER", "KEPT_ELSEWHERE", "Binding", "Rewritten", "Source", "rewrite_source"]


def rewrite_source(source: Source, bindings: Sequence[Binding], backing_module: str) -> Rewritten:
    """Rewrite one file for the bindings that have sites in it.

    `backing_module` is the dotted name of the generated module. The result has no content where a site was refused.
    Untouched statements keep their bytes.
    """
    outcome = Rewritten(source.path)
    if not source.survives:
        return _refused(outcome, bindings, 1, "the file does not survive a parse and print of libcst byte for byte")
    names = Names(bound(source.tree, source.nodes, backing_module), has_any=imports_any(source.tree))
    stores = [binding for binding in bindings if binding.container != FOLDER]
    folders = [binding for binding in bindings if binding.container == FOLDER]
    references = References(source, stores)
    for line, binding in references.missing:
        _refused(
            outcome,
            [binding],
            line,
            f"`{binding.name}` is reached here by a way that is not followed: a call that gives it, or another name",
        )
    awaited = frozenset[str]().union(*(binding.awaited for binding in bindings))

    def attempt(
        planned: Mapping[int, Sequence[Save]], reloads: Mapping[int, Sequence[Reload]]
    ) -> tuple[cst.Module, Transformer]:
        files = FileEdits(source, folders, names, outcome)
        transformer = Transformer(references, names, outcome, source, files, awaited, planned, reloads)
        changed = visited(source.module, transformer)
        transformer.follow_accessors(stores)
        transformer.finish(stores)
        files.finish(folders)
        return changed, transformer

    changed, transformer = attempt({}, {})
    planned = {} if outcome.refusals else transformer.saves.planned(references.within)
    reloads = {} if outcome.refusals else transformer.saves.reloads()
    if planned or reloads:  # once more, with what the first time has shown
        outcome, names = Rewritten(source.path), Names(names.taken, has_any=names.has_any)
        for save in (each for saves in planned.values() for each in saves):
            references.hold(source.flow.around(save.lifted or save.statement), save.binding)
        for reload in (each for at in reloads.values() for each in at):
            references.hold(source.flow.around(reload.statement), reload.binding)
        changed, _ = attempt(planned, reloads)
    if outcome.refusals:
        return outcome
    if awaited:
        changed = visited(changed, Awaited(awaited))
    changed = imports.without_gap(visited(changed, Unwrap(source)), backing_module, source.module)
    changed = imports.with_import(changed, backing_module, names)
    if names.wants_any and not names.has_any:
        changed = imports.with_any(changed)
    draft = folding.folded(imports.without_unused(without_unused_locals(Draft(changed, source))))
    for line, fault in check.faults(draft, names):
        _refused(outcome, bindings, line, fault)
    if not outcome.refusals:
        outcome.after = draft.text.encode(source.module.encoding)
        outcome.names = names.imported
    return outcome


def _refused(outcome: Rewritten, bindings: Sequence[Binding], line: int, reason: str) -> Rewritten:
    for binding in bindings:
        outcome.refusals.setdefault(binding.id, []).append(Refusal(path=outcome.path, line=line, reason=reason))
    return outcome
