"""Findings: which candidates are state, what they are for, and why that is a problem."""

from __future__ import annotations

from unstate.classify import bynames, cached, evidence, kinds, limits, secrets, silence
from unstate.classify.contents import Contents
from unstate.classify.subject import Subject
from unstate.link import containers
from unstate.link.annotations import outermost
from unstate.link.candidates import Candidate
from unstate.link.handles import Handles
from unstate.link.lifetime import Lifetimes
from unstate.link.program import Program
from unstate.link.reach import Reach
from unstate.link.resolve import Resolver
from unstate.link.stores import Candidates, site
from unstate.link.typenames import declared_alone, declared_types
from unstate.model import Finding, Op, Span, Store

RULES = {
    "session": "US101",
    "token": "US102",
    "conversation": "US103",
    "job_status": "US104",
    "counter": "US105",
    "rate_limit": "US106",
    "cache": "US107",
    "record": "US108",
    "setting": "US109",
    "upload": "US201",
    "file_store": "US202",
    "file_database": "US203",
    "connection_registry": "US401",
    "lock": "US402",
    "queue": "US403",
    "scheduler": "US404",
    "secret": "US501",
}


_KEYLESS = frozenset({Op.ITER, Op.LEN, Op.BOOL, Op.CLEAR})  # these take no key


def classify(
    program: Program, resolver: Resolver, candidates: Candidates, reach: Reach, lifetimes: Lifetimes
) -> list[Finding]:
    """The stores in memory of one program."""
    findings = []
    handles = Handles(program, resolver)
    for candidate in candidates.found.values():
        subject = Subject(program, resolver, candidates.types, reach, lifetimes, candidate)
        contents = Contents(subject, handles)
        if not silence.why(subject, contents):
            findings.append(_finding(subject, contents))
    findings += bynames.computed(program, resolver, reach)
    return [*findings, *secrets.per_process(program, candidates), *cached.kept_answers(program, reach)]


def in_order(findings: list[Finding]) -> list[Finding]:
    """Findings in order of path and place."""
    return sorted(
        findings, key=lambda found: (found.store.path, found.store.span.line, found.store.span.column, found.id)
    )


def _finding(subject: Subject, contents: Contents) -> Finding:
    store = _store(subject, subject.candidate)
    kind = kinds.kind(subject, contents)
    rule = RULES[kind]
    shape = kinds.shape(subject, contents)
    limit, reasons = limits.limit(subject, contents, kind, shape)
    return Finding(
        id=f"{rule}:{store.service}:{store.module}:{store.name}",
        rule=rule,
        kind=kind,
        shape=shape,
        store=store,
        limit=limit,
        evidence=evidence.sentences(subject, kind),
        reasons=reasons,
    )


def _store(subject: Subject, candidate: Candidate) -> Store:
    program = subject.program
    definition = candidate.definition
    line, column, end_line, end_column = definition.statement
    key, value = declared_types(candidate.annotation)
    if candidate.constructor in containers.IMMUTABLE and outermost(candidate.annotation) in ("tuple", "Tuple"):
        value = declared_alone(candidate.annotation)
    keys = [key] if key else []
    values = [value] if value else []
    for touch in candidate.typed:
        if touch.key_type not in keys and touch.rest and touch.op not in _KEYLESS:
            keys.append(touch.key_type)
        if touch.value and touch.value_type not in values:
            values.append(touch.value_type)
    return Store(
        service=".",
        module=program.module_name(candidate.slot.path or candidate.path),
        name=subject.name,
        path=candidate.path,
        span=Span(line=line, column=column, end_line=end_line, end_column=end_column),
        scope=candidate.scope,
        constructor=candidate.constructor,
        definition=definition.source,
        key_types=tuple(keys),
        value_types=tuple(values),
        sites=tuple(site(program, touch, subject.reached(touch)) for touch in candidate.touches),
    )
