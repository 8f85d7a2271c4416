"""Which services a repository holds, and why: evidence first, nothing guessed."""

from __future__ import annotations

import os
import shlex
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from unstate import config
from unstate.batch import containers, holds, tree
from unstate.batch.deployed import Count, Deployed, plain
from unstate.batch.kubernetes import kubernetes
from unstate.batch.manifests import manifests, members
from unstate.batch.model import Estate, Hold, Library, Service
from unstate.batch.owners import owners
from unstate.batch.parts import Part, Parts
from unstate.batch.tree import Tree, deepest, folder_of

# Files that a tool for deploying or serving puts at a service's root, and a word that has to be in them.
_MARKERS = {
    "manage.py": ("a Django project", b"django"),
    "host.json": ("an Azure Functions app", b""),
    "zappa_settings.json": ("an app that Zappa deploys", b""),
}


def discover(root: Path) -> Estate:
    """The services, libraries and files of no service below `root`, a folder.

    Raises ConfigError where the settings of the repository cannot be used.
    """
    return _Discovery(root).run()


class _Discovery:
    def __init__(self, root: Path) -> None:
        self.root = root
        settings = config.load(root)
        self.tree = Tree(root, settings)
        self.named = {place: each for each in settings.service if (place := self._place(settings, each)) is not None}
        self.deployed: dict[str, list[Deployed]] = defaultdict(list)  # by root of the part
        self.aliases: dict[str, set[str]] = defaultdict(set)  # a name as it is compared -> roots

    def run(self) -> Estate:
        """Evidence, then parts, then what is known of each."""
        parts = {part.root: part for part in self._with_evidence()}
        sorted_parts = Parts(self.tree, parts.values())
        sorted_parts.sort()
        services = [sorted_parts.services[root] for root in sorted(sorted_parts.services)]
        libraries = [sorted_parts.libraries[root] for root in sorted(sorted_parts.libraries)]
        names = self._names([each.root for each in (*services, *libraries)], parts)
        owner = owners(self.tree)
        found_holds = self._holds(sorted_parts)
        made = [self._service(each, sorted_parts, names, found_holds[each.root], owner(each.root)) for each in services]
        return Estate(
            root=str(self.root),
            services=tuple(made),
            libraries=tuple(
                Library(
                    name=names[each.root],
                    root=each.root,
                    used_by=tuple(sorted(service.name for service in made if each.root in service.libraries)),
                )
                for each in libraries
            ),
            orphans=sorted_parts.orphans(),
        )

    def _place(self, settings: config.Config, service: config.Service) -> str | None:
        """Where a service of the settings stands, seen from the root; None outside of it."""
        place = Path(settings.source).parent / service.root
        relative = os.path.relpath(place, self.root.resolve()).replace(os.sep, "/")
        return None if relative.startswith("..") else relative

    def _names(self, roots: list[str], parts: dict[str, Part]) -> dict[str, str]:
        """A name for each part, by root: the one of the settings, else its folder's, with as many folders as tell it
        apart."""

        def short(root: str, depth: int) -> str:
            if root in self.named and depth == 1:
                return self.named[root].name
            if root == ".":
                return parts[root].name or self.root.resolve().name
            bare = root.removesuffix("/src").removesuffix(".py")
            return "-".join(bare.split("/")[-depth:])

        depths = dict.fromkeys(roots, 1)
        while True:
            found = {root: short(root, depth) for root, depth in depths.items()}
            times = Counter(found.values())
            clashing = [root for root in roots if times[found[root]] > 1 and depths[root] <= root.count("/")]
            if not clashing:
                return _numbered(found)
            for root in clashing:
                depths[root] += 1

    # Evidence

    def _with_evidence(self) -> Iterable[Part]:
        parts: dict[str, Part] = {}

        def part(root: str) -> Part:
            return parts.setdefault(root, Part(root))

        for root, service in self.named.items():
            part(root).name = service.name
            if service.library:
                part(root).is_library = True
                continue
            part(root).why.append("pyproject.toml names it in [[tool.unstate.service]]")
        for root, manifest in manifests(self.tree).items():
            part(root).manifest = manifest.path
            part(root).name = part(root).name or manifest.name
            part(root).packaged, part(root).declared = manifest.packaged, manifest.parts
        workspace = {member.root: member.why for member in members(self.tree)}
        for root in workspace:
            part(root).packaged = True
        for each in self._located():
            self.deployed[each.root].append(each)
            part(each.root).why.append(f"{each.path}:{each.line}: {each.what}")
        for root in parts:
            self._alias(root, root.rpartition("/")[2], parts[root].name)
        for image, root in containers.skaffolds(self.tree):
            self._alias(root, image)
        for each in kubernetes(self.tree):
            roots = self._roots(each, parts)
            for root in roots:
                self.deployed[root].append(each)
                if each.runs:
                    parts[root].why.append(f"{each.path}:{each.line}: {each.what}")
        for root, why in workspace.items():
            if parts[root].why:
                parts[root].why.insert(root in self.named, why)
        return parts.values()

    def _located(self) -> Iterable[Deployed]:
        """Evidence that tells itself which folder it is about."""
        for path in containers.dockerfiles(self.tree):
            if (made := containers.dockerfile(self.tree, path)) is not None:
                yield made
        yield from containers.procfiles(self.tree)
        for each in containers.composes(self.tree):
            self._alias(each.root, *each.names)
            yield each
        for path in self.tree.files:
            what, word = _MARKERS.get(path.rpartition("/")[2], ("", b""))
            if what and word in self.tree.bytes(path) and not tree.is_test_folder(folder_of(path)):
                yield Deployed(path, 1, what, folder_of(path))
        yield from containers.app_engines(self.tree)

    def _alias(self, root: str, *names: str) -> None:
        for name in names:
            if plain(name):
                self.aliases[plain(name)].add(root)

    def _roots(self, each: Deployed, parts: dict[str, Part]) -> list[str]:
        """The parts that a manifest is about: by the first name that one part has, else by its place."""
        found = [next(iter(roots)) for name in each.names if len(roots := self.aliases.get(plain(name), ())) == 1]
        found = [root for root in found if root in parts]
        if found:
            return found[:1] if each.runs else list(dict.fromkeys(found))
        near = deepest(folder_of(each.path), {root for root in parts if root != "."})
        return [near] if near is not None else []

    # What is known of a service

    def _service(
        self, part: Part, parts: Parts, names: dict[str, str], found: list[Hold], owner: tuple[str, ...]
    ) -> Service:
        counts = [each.processes for each in self.deployed[part.root] if each.processes is not None]
        most = max(counts, key=lambda count: count.number, default=None)
        found = [*found, *_single(self.deployed[part.root])]
        return Service(
            name=names[part.root],
            root=part.root,
            why=tuple(dict.fromkeys(part.why)),
            frameworks=parts.frameworks(part),
            replicas=most.number if most else None,
            replicas_from=f"{most.path}:{most.line}" if most else None,
            holds=tuple(sorted(set(found), key=lambda hold: (hold.path, hold.line, hold.text))),
            libraries=parts.libraries_of(part),
            owners=owner,
            test_command=self._test_command(part),
        )

    def _holds(self, parts: Parts) -> dict[str, list[Hold]]:
        """What holds each service, by its root: of its manifests, and of the files that it has or that name it."""
        found: dict[str, list[Hold]] = defaultdict(list)
        for root, deployed in self.deployed.items():
            for each in deployed:
                found[root] += each.holds
        roots = set(parts.services)
        for path in self.tree.files:
            glance = parts.glances.get(path)
            held = list(self._in_file(path, glance is None or glance.runs))
            near = deepest(folder_of(path), roots) if held else None
            for hold in held:
                for root in [near] if near else self._named_in(path):
                    found[root].append(hold)
        return found

    def _in_file(self, path: str, runs: bool) -> Iterable[Hold]:
        name = path.rpartition("/")[2]
        if name.endswith(".py"):
            if not runs and not name.startswith("gunicorn"):
                return ()
            in_server_file = holds.in_server_file(path, self.tree.text(path))
            return (*in_server_file, *holds.in_code(path, self.tree.text(path)))
        if tree.is_test_folder(folder_of(path)):
            return ()
        if holds.is_server_file(path):
            return holds.in_server_file(path, self.tree.text(path))
        if (
            name.endswith(".sh")
            or name in ("Makefile", ".env", ".gitlab-ci.yml")
            or "cloudbuild" in name
            or ".github/workflows/" in f"/{path}"
        ):
            return holds.in_script(path, self.tree.text(path))
        return ()

    def _named_in(self, path: str) -> list[str]:
        """The services that a file outside of all of them names as a host, or as what it deploys."""
        names = holds.targets(self.tree.text(path))
        found = [self.aliases.get(plain(name), set()) for name in names]
        return list(dict.fromkeys(next(iter(roots)) for roots in found if len(roots) == 1))

    def _test_command(self, part: Part) -> tuple[str, ...] | None:
        named = self.named.get(part.root)
        if named is not None and named.test:
            return tuple(shlex.split(named.test))
        serving = set(part.serving)
        inside = [path for path in part.files if path not in serving]
        if not any(path.rpartition("/")[2].startswith("test") or "_test." in path for path in inside):
            return None
        if tree.join(part.root, "manage.py") in self.tree:
            return ("python", "manage.py", "test")
        return ("python", "-m", "pytest", "-q")


def _numbered(names: dict[str, str]) -> dict[str, str]:
    """The names by root, a number behind each that is still taken."""
    taken: set[str] = set()
    for root, name in names.items():
        wanted, number = name, 2
        while wanted in taken:
            wanted, number = f"{name}-{number}", number + 1
        taken.add(wanted)
        names[root] = wanted
    return names


def _single(deployed: Iterable[Deployed]) -> Iterable[Hold]:
    """The counts of workloads that no manifest gives more than one instance."""
    by_workload: dict[str, list[Count]] = defaultdict(list)
    for each in deployed:
        if each.processes is not None:
            by_workload[plain(each.workload)].append(each.processes)
    for counts in by_workload.values():
        if all(count.number <= 1 for count in counts):
            for count in counts:
                if count.number == 1:
                    yield Hold(path=count.path, line=count.line, text="replicas: 1", reason=holds.ONE_INSTANCE)
