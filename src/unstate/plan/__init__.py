"""From findings to change groups: how each store is held, what differs, what is asked, what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from unstate import codemods, workers
from unstate.config import Config
from unstate.model import Finding, Group, Plan, Scan
from unstate.plan.backing import backing_modules, depended, founded, retried
from unstate.plan.bindings import binding, ttl_constant
from unstate.plan.decide import AnswerError
from unstate.plan.folders import together
from unstate.plan.group import PYDANTIC, REDIS, S3, Planner
from unstate.plan.naming import prefixes
from unstate.plan.partners import with_partners
from unstate.plan.shared import remarks, switch_variable, switched
from unstate.plan.sources import Sources

__all__ = [
    "PYDANTIC",
    "REDIS",
    "S3",
    "AnswerError",
    "Sources",
    "binding",
    "plan",
    "remarks",
    "switch_variable",
    "ttl_constant",
]

_NO_ANSWERS: Mapping[str, Mapping[str, str]] = {}


@workers.no_collection()
def plan(
    root: Path,
    scan: Scan,
    config: Config,
    answers: Mapping[str, Mapping[str, str]] = _NO_ANSWERS,
    sources: Sources | None = None,
) -> Plan:
    """Plan every finding under `root`. The same tree, settings and answers give the same plan.

    `answers`: by group id, then by the decision's name. Raises AnswerError for one that a decision does not take.
    `sources`: the files of `root` as they were read before, with what was found out about them.
    """
    sources = sources or Sources(root)
    stores = [finding.store for finding in scan.findings]
    backing = backing_modules(stores, sources)
    known = codemods.load(root)
    names = prefixes(scan.findings, known, config, sources)
    planner = Planner(config, known, sources, {each.service: each for each in backing})

    def group_of(finding: Finding, needs: tuple[str, ...] = ()) -> Group:
        return planner.group(finding, names[finding.id], answers.get(finding.id, {}), needs)

    groups: list[Group] = together(
        with_partners(
            [group_of(finding) for finding in scan.findings], lambda group, needs: group_of(group.finding, needs)
        )
    )
    shared = {service.root for service in config.service if service.library}
    names_of_modules = {each.service: each.module for each in backing}
    groups = [
        switched(group, names_of_modules[group.finding.store.service], sources)
        if group.finding.store.service in shared
        else group
        for group in groups
    ]
    used: dict[str, set[str]] = {}
    for group in groups:
        if group.uses:
            used.setdefault(group.finding.store.service, set()).update(group.uses)
    modules = founded(
        (each for each in backing if each.service in used),
        stores,
        sources,
        used,
        tied=config.injection != "module",
    )
    if config.injection == "depends":
        modules = tuple(depended(each, groups, sources) for each in modules)
    by_service = {each.service: each for each in modules}
    groups = [
        retried(group, by_service[group.finding.store.service]) if group.layout is not None else group
        for group in groups
    ]
    touched = {path for group in groups for path in group.files}
    touched.update(path for each in modules for path in (each.settings.path, each.app.path if each.app else "") if path)
    return Plan(
        root=scan.root,
        base=tuple((path, sources.digest(path)) for path in sorted(touched)),
        groups=tuple(groups),
        backing=modules,
        diagnostics=scan.diagnostics,
    )
