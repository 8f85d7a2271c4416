"""Rewriting one file: the operations on accepted stores become calls to their backing services."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import libcst as cst
from libcst.metadata import MetadataWrapper

from unstate.model import Refusal
from unstate.rewrite import check, imports
from unstate.rewrite.binding import Binding, Rewritten
from unstate.rewrite.flow import Flow
from unstate.rewrite.names import Names, bound
from unstate.rewrite.parentheses import Unwrap
from unstate.rewrite.references import References
from unstate.rewrite.transform import Transformer

__all__ = ["Binding", "Rewritten", "rewrite_source"]


def rewrite_source(
    source: bytes,
    path: str,
    bindings: Sequence[Binding],
    backing_module: str,
    exported: frozenset[str] = frozenset(),
) -> Rewritten:
    """Rewrite one file for the bindings that have sites in it.

    `backing_module` is the dotted name of the generated module; `exported` are names that other modules import from
    this one. The result has no content where a site was refused. Untouched statements keep their bytes.
    """
    outcome = Rewritten(path)
    module = cst.parse_module(source)
    if module.bytes != source:
        return _refused(outcome, bindings, 1, "the file does not survive a parse and print of libcst byte for byte")
    before = ast.parse(source)
    names = Names(bound(before, backing_module))
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    references = References(wrapper, path, bindings)
    for line, binding in references.missing:
        _refused(outcome, [binding], line, f"`{binding.name}` is used here in a way that could not be located")
    transformer = Transformer(references, names, outcome, Flow(wrapper.module, exported))
    changed = wrapper.module.visit(transformer)
    transformer.finish(bindings)
    if outcome.refusals:
        return outcome
    changed = imports.with_import(changed.visit(Unwrap()), backing_module, names)
    changed = imports.without_unused(changed, before, exported)
    for line, fault in check.faults(module.code, changed.code, path, names):
        _refused(outcome, bindings, line, fault)
    if not outcome.refusals:
        outcome.after = changed.bytes
        outcome.names = names.imported
    return outcome


def _refused(outcome: Rewritten, bindings: Sequence[Binding], line: int, reason: str) -> Rewritten:
    for binding in bindings:
        outcome.refusals.setdefault(binding.id, []).append(Refusal(path=outcome.path, line=line, reason=reason))
    return outcome
