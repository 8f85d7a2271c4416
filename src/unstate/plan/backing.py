"""Where the generated backing-services module goes, and under which name the service imports it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

import msgspec

from unstate.model import Backing, Framework, Group, Layout, Op, Store, Verdict
from unstate.plan.own import find
from unstate.plan.sources import Sources
from unstate.plan.takers import takers
from unstate.plan.versions import newest
from unstate.project import is_aside, is_generated

STEM = "backing_services"
_TWICE = (
    "the app's own client sends a command again whose reply was lost (redis-py 6 and later, unless it is made with"
    " `retry=Retry(NoBackoff(), 0)`): a counter would count twice"
)

CLIENTS = ("redis_client", "redis_bytes", "async_redis_client", "async_redis_bytes", "s3")
_KEYED = (3, 9)  # the first aiohttp with AppKey
_ON_STATE = r"""\bstate(\.|\s*,\s*["']){}\b"""  # `app.state.s3`, `getattr(app.state, "s3")`
_NO_USE = frozenset({Op.DEFINE, Op.IMPORT, Op.GLOBAL})
_IMPORTED = "Clients that are used outside of functions which FastAPI alone calls stay imported everywhere"
_FEW = 3


def backing_modules(stores: Iterable[Store], sources: Sources) -> tuple[Backing, ...]:
    """One module a service: beside the code that uses it, in its package where it has one."""
    by_service: dict[str, list[Store]] = defaultdict(list)
    for store in stores:
        by_service[store.service].append(store)
    return tuple(
        _earlier(service, by_service.keys() - {service, "."}, sources) or _backing(sources.root, service, group)
        for service, group in sorted(by_service.items())
    )


def _earlier(service: str, others: Collection[str], sources: Sources) -> Backing | None:
    """The module of an earlier migration, by the name that the service imports it by; not that of another in it."""
    inner = tuple(f"{each}/" for each in others if not service.startswith(f"{each}/"))
    made = [
        path for path in sources.python_files(service) if path.endswith(f"{STEM}.py") and not path.startswith(inner)
    ]
    for path in sorted(made, key=lambda path: (path.count("/"), path)):
        if not is_generated(sources.read(path)):
            continue
        parts = PurePosixPath(path).with_suffix("").parts
        for module in (".".join(parts[-count:]) for count in range(len(parts), 0, -1)):
            if sources.mentions(service, f"from {module} import ".encode()):
                return Backing(service=service, path=path, module=module)
    return None


def _backing(root: Path, service: str, stores: list[Store]) -> Backing:
    base = import_root(stores)
    places = {
        PurePosixPath(site.path).relative_to(base)
        for store in stores
        if _root_of(store) in (base, None)
        for site in store.sites
        if _below(site.path, base)
    }
    # Tests and what no import leads to can import the package, as they do already; what ships has it within.
    within = {place for place in places if not is_aside(str(place)) and _is_module(place)} or places
    packages = {place.parts[0] if len(place.parts) > 1 else "" for place in within}
    package = packages.pop() if len(packages) == 1 else ""
    if package and not package.isidentifier():
        package = ""
    for candidate in (package, ""):  # one that is there from an earlier migration stays where it is
        path = (base / candidate / f"{STEM}.py").as_posix()
        if is_ours(root / path):
            return Backing(service=service, path=path, module=_dotted(candidate, STEM))
    stem = STEM
    while (root / base / package / f"{stem}.py").exists() and not is_ours(root / base / package / f"{stem}.py"):
        stem = f"unstate_{stem}"
    return Backing(service=service, path=(base / package / f"{stem}.py").as_posix(), module=_dotted(package, stem))


def founded(
    modules: Iterable[Backing],
    stores: Sequence[Store],
    sources: Sources,
    wanted: Mapping[str, Collection[str]],
    *,
    tied: bool,
) -> tuple[Backing, ...]:
    """The same modules with what they can stand on: the app's own clients, settings and, where they are to be `tied`
    to it, its application object. `wanted`: which clients ("redis", "s3") the state of a service needs."""
    services = sorted({store.service for store in stores})
    done = []
    for module in modules:
        base = import_root([store for store in stores if store.service == module.service])
        own = find(module.service, base, services, sources, tied=tied, wanted=wanted[module.service])
        app = own.app and msgspec.structs.replace(own.app, free=_free(own.app.framework, module, sources))
        done.append(
            msgspec.structs.replace(module, settings=own.settings, clients=own.clients, app=app, notes=own.notes)
        )
    return tuple(done)


def _free(framework: Framework, module: Backing, sources: Sources) -> tuple[str, ...]:
    """The clients that can stand on the application itself: those of whose names the app makes no use there."""
    if framework is Framework.AIOHTTP:
        version, _ = newest("aiohttp", module.service, sources)
        return CLIENTS if version is None or version >= _KEYED else ()
    if framework is Framework.FLASK:
        return CLIENTS  # in one entry of its extensions
    return tuple(
        name
        for name in CLIENTS
        if not sources.any_other(module.service, re.compile(_ON_STATE.format(name).encode()), (module.path,))
    )


def depended(module: Backing, groups: Iterable[Group], sources: Sources) -> Backing:
    """The same module with the functions of its service that may take its clients as parameters."""
    moved = [each for each in groups if each.finding.store.service == module.service and each.layout is not None]
    if any(each.switch for each in moved):  # of a library, which services share: each has an application of its own
        return module
    found = frozenset(takers(module.service, sources))
    if not found and (module.app is None or module.app.framework is not Framework.FASTAPI):
        return module
    sites = [
        site
        for each in moved
        for site in each.finding.store.sites
        if site.op not in _NO_USE and not is_aside(site.path)
    ]
    others = {
        f"{site.path}:{site.line} {site.function}".strip()
        for site in sites
        if not any(f"{site.path}:{name}" in found for name in site.function.split("."))
    }
    notes = module.notes
    if others:
        named = ", ".join(sorted(others)[:_FEW]) + (f" and {len(others) - _FEW} more" if len(others) > _FEW else "")
        notes = (*notes, f"{_IMPORTED}: {named}.")
    return msgspec.structs.replace(module, takers=tuple(sorted(found)), notes=notes)


def retried(group: Group, backing: Backing) -> Group:
    """The group with what its service's own client does that a generated one does not: it may apply a command twice."""
    replies = "bytes" if group.codec == "bytes" else "text"
    if group.layout is Layout.S3 or not any(client.retries and client.replies == replies for client in backing.clients):
        return group
    verdict = Verdict.REVIEW if group.verdict is Verdict.EXACT else group.verdict
    return msgspec.structs.replace(group, verdict=verdict, differences=(*group.differences, _TWICE))


def is_ours(path: Path) -> bool:
    """Whether the file was generated by unstate."""
    return path.is_file() and is_generated(path.read_bytes())


def import_root(stores: Sequence[Store]) -> PurePosixPath:
    """The folder that a service imports from: the one of most of its stores."""
    roots = Counter(root for store in stores if (root := _root_of(store)) is not None)
    if not roots:
        return PurePosixPath(stores[0].service)
    return min(roots, key=lambda root: (-roots[root], len(root.parts), root))


def astray(store: Store, backing: Backing) -> str:
    """Why a store's file cannot import the service's module, "" where it can."""
    root, name = _root_of(store), PurePosixPath(*backing.module.split(".")).with_suffix(".py")
    if root is None or (root / name).as_posix() == backing.path:
        return ""
    return (
        f"{store.path} imports from `{root}`, and the rest of the service from"
        f" `{backing.path.removesuffix(str(name)) or '.'}`; migrate `{root}` as a service of its own"
    )


def _root_of(store: Store) -> PurePosixPath | None:
    """The path of a store without what its module's name accounts for.

    None where the name is that of another file: an attribute that is defined outside of its class, a folder that
    several files name.
    """
    parts = list(PurePosixPath(store.path).with_suffix("").parts)
    names = store.module.split(".")
    if parts[-1:] == ["__init__"] and names[-1] != "__init__":
        parts.pop()
    return PurePosixPath(*parts[: -len(names)]) if parts[-len(names) :] == names else None


def _below(path: str, base: PurePosixPath) -> bool:
    return PurePosixPath(path).is_relative_to(base)


def _is_module(place: PurePosixPath) -> bool:
    return all(part.isidentifier() for part in place.with_suffix("").parts)


def _dotted(package: str, stem: str) -> str:
    return f"{package}.{stem}" if package else stem
