"""From accepted groups to whole new files: a function of the base and the set, never of the order of answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

from unstate import workers
from unstate.model import FileChange, Group, Plan
from unstate.plan import Sources, binding, remarks
from unstate.plan.storages import backend_of, django_version, with_storage
from unstate.render import copying
from unstate.render.backing import TEMPLATE, backing_services
from unstate.render.compose import overlays
from unstate.render.dependencies import Declared, declared
from unstate.render.environment import env_example
from unstate.render.parameters import parametrised
from unstate.render.settings import with_entries
from unstate.render.templates import check_module
from unstate.render.wire import INIT, wired
from unstate.rewrite import FOLDER, Source
from unstate.rewrite.both import NotBothError, both

__all__ = ["Declared", "RenderError", "dependencies", "render"]


class RenderError(Exception):
    """Accepted groups that cannot be rendered together, with the place."""


@workers.no_collection()
def render(root: Path, plan: Plan, accepted: Collection[str], sources: Sources | None = None) -> tuple[FileChange, ...]:
    """Every file that the accepted groups change or create, in order of path.

    `sources`: the files of `root` as the plan read them, with what it found out about them. Raises RenderError where
    groups that render alone do not together, TemplateError for a broken template.
    """
    sources = sources or Sources(root)
    groups = [group for group in plan.groups if group.id in accepted and group.layout is not None]
    by_path: dict[str, list[Group]] = defaultdict(list)
    for group in groups:
        for path in group.files:
            by_path[path].append(group)
    modules = {each.service: each for each in plan.backing}
    names: dict[str, set[str]] = defaultdict(set)
    contents: dict[str, bytes] = {}
    for path, touching in sorted(by_path.items()):
        service = touching[0].finding.store.service
        contents[path], used = _rewritten(sources, path, touching, modules[service].module)
        names[service] |= used
    changes: list[FileChange] = []
    made: dict[str, bytes] = {}
    for service, used in names.items():
        backing = modules[service]
        of_service = [group for group in groups if group.finding.store.service == service]
        for group in of_service:
            if group.settings:
                used = used | {backend_of(group, "").strip(".")}
                version, _ = django_version(service, sources)
                content = contents.get(group.settings) or sources.read(group.settings)
                backend = backend_of(group, backing.module)
                contents[group.settings] = with_storage(group.settings, content, backend, version)
        if any(group.container == FOLDER for group in of_service):
            used = used | copying.NAMES
            changes.append(copying.copy_script(root, backing))
        if backing.takers:
            touched = {path for group in of_service for path in group.files}
            others = {path: sources.read(path) for path in sources.python_files(service) if path not in contents}
            others.pop(backing.path, None)
            changed, brought = parametrised({path: contents[path] for path in touched}, others, backing, used)
            contents |= changed
            used = used | brought
        callers = [contents[path] for path in {path for group in of_service for path in group.files}]
        generated = backing_services(root, backing, used, of_service, callers)
        made[service] = generated.change.after or b""
        check_module(root, TEMPLATE, made[service], used | ({INIT} if generated.tied else set()))
        if backing.settings.path:
            content = contents.get(backing.settings.path) or sources.read(backing.settings.path)
            contents[backing.settings.path] = with_entries(content, backing.settings, generated.reads)
        if backing.app and generated.tied:
            content = contents.get(backing.app.path) or sources.read(backing.app.path)
            contents[backing.app.path] = wired(content, backing.app, backing.module)
        shared = any(group.switch for group in of_service)  # a library's variables are set in its services
        example = None if shared else env_example(root, service, made[service])
        changes += [generated.change, example] if example else [generated.change]
    changes += [FileChange(path=path, before=sources.read(path), after=after) for path, after in contents.items()]
    changes += [*dependencies(root, groups).changes, *overlays(root, made)]
    return tuple(
        sorted((change for change in changes if change.before != change.after), key=lambda change: change.path)
    )


def dependencies(root: Path, groups: Collection[Group]) -> Declared:
    """What becomes of the dependencies of accepted groups."""
    requires: dict[str, set[str]] = defaultdict(set)
    for group in groups:
        requires[group.finding.store.service].update(group.requires)
    return declared(root, requires)


def _rewritten(sources: Sources, path: str, groups: list[Group], module: str) -> tuple[bytes, set[str]]:
    outright = [group for group in groups if not group.switch]
    after, used = _replaced(sources, path, groups, module)
    if len(outright) == len(groups):
        return after, used
    base = sources.source(path, groups[0].finding.store.service)
    if outright:
        base = Source(_replaced(sources, path, outright, module)[0], path, base.exported)
    try:
        return both(base, after, module, used, remarks(groups, path))
    except NotBothError as error:
        raise RenderError(f"{path}: {error}; accept fewer groups at once") from None


def _replaced(sources: Sources, path: str, groups: list[Group], module: str) -> tuple[bytes, set[str]]:
    service = groups[0].finding.store.service
    outcome = sources.rewritten(path, service, [binding(group) for group in groups], module)
    if outcome.after is None:
        refusal = next(each for refusals in outcome.refusals.values() for each in refusals)
        raise RenderError(f"{refusal.path}:{refusal.line}: {refusal.reason}; accept fewer groups at once")
    return outcome.after, set(outcome.names)
