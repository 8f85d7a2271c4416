"""The parts of a repository: which folders are services, which are libraries, and which file belongs to which."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from unstate.batch import code
from unstate.batch.tree import Tree, deepest, folder_of, is_below


@dataclass(slots=True)
class Part:
    """A folder (or one file) that is a part by itself. `why` is its evidence of being deployed, strongest first."""

    root: str
    name: str = ""  # as the settings or its manifest have it
    why: list[str] = field(default_factory=list)
    manifest: str = ""  # path of the first one
    is_library: bool = False  # the settings say so
    packaged: bool = False  # it can be installed, or a workspace names it
    declared: tuple[str, ...] = ()  # folders that its manifest depends on
    files: list[str] = field(default_factory=list)
    serving: list[str] = field(default_factory=list)  # those that are no tests
    uses: set[str] = field(default_factory=set)  # roots of the parts that it imports itself


class Parts:
    """Sorts the Python files of a repository into services, libraries and the rest."""

    def __init__(self, tree: Tree, parts: Iterable[Part]) -> None:
        self.tree = tree
        self.parts = {part.root: part for part in parts}
        self.glances = {path: code.glance(tree, path) for path in tree.python}
        self._provided: dict[str, frozenset[str]] = {}
        self.services: dict[str, Part] = {}
        self.libraries: dict[str, Part] = {}

    def sort(self) -> None:
        """Decides about every part: service, library, or no part of its own."""
        self._assign()
        self._join_only_code()
        names = self._names(self.parts)
        imported = {place for part in self.parts.values() for place in self._imported(part, names)}
        around = {place: root for place in imported if (root := deepest(place, set(self.parts))) is not None}
        used = {root for place, root in around.items() if root == place or self.parts[root].packaged}
        for root, part in self.parts.items():
            if part.is_library:
                self.libraries[root] = part
                continue
            maker = None if part.why or root in used else self._maker(part)
            if part.serving and maker is not None:
                made = self.glances[maker]
                article = "an" if made.maker[0] in "AEIO" else "a"
                part.why = [part.manifest, f"{maker}:{made.line} makes {article} {made.maker}"]
            if part.serving and part.why:
                self.services[root] = part
            elif (part.packaged and part.serving) or root in used:
                self.libraries[root] = part
        self.parts = {**self.services, **self.libraries}
        self._assign()
        self.services = {root: part for root, part in self.services.items() if part.serving}
        self._follow_imports()

    def orphans(self) -> tuple[str, ...]:
        """Files of no part."""
        mine = {path for part in self.parts.values() for path in part.files}
        return tuple(path for path in self.tree.python if path not in mine)

    def libraries_of(self, part: Part) -> tuple[str, ...]:
        """Roots of the other parts that a part uses, at any remove."""
        found: set[str] = set()
        waiting = list(part.uses)
        while waiting:
            root = waiting.pop()
            if root not in found and root != part.root:
                found.add(root)
                waiting += self.parts[root].uses
        return tuple(sorted(found))

    def frameworks(self, part: Part) -> tuple[str, ...]:
        """The web frameworks that a part imports."""
        own = frozenset(name.partition(".")[0] for name in self._provides(part))
        return code.frameworks((self.glances[path] for path in part.serving), own)

    def _assign(self) -> None:
        roots = set(self.parts)
        self._provided.clear()
        for part in self.parts.values():
            part.files, part.serving = [], []
        for path in self.tree.python:
            root = deepest(path, roots)
            if root is not None:
                self.parts[root].files.append(path)
                if not self.glances[path].aside:
                    self.parts[root].serving.append(path)

    def _join_only_code(self) -> None:
        """A folder that is deployed and has all its code in one deeper part, which is not deployed, is that service."""
        for root in sorted(self.parts, key=len, reverse=True):
            part = self.parts[root]
            if not part.why or part.serving:
                continue
            inner = [each for each in self.parts.values() if each is not part and is_below(each.root, root)]
            inner = [each for each in inner if each.serving]
            if len(inner) == 1 and not inner[0].why:
                del self.parts[inner[0].root]
                part.declared += inner[0].declared
                part.name = part.name or inner[0].name
                self._assign()

    def _maker(self, part: Part) -> str | None:
        """The first file of a part with a manifest that makes an application."""
        return next((path for path in part.serving if self.glances[path].maker), None) if part.manifest else None

    # Imports

    def _names(self, parts: Mapping[str, Part]) -> dict[str, str]:
        """Dotted name -> root of the part that provides it; a name that several provide is nobody's."""
        found: dict[str, set[str]] = defaultdict(set)
        for root, part in parts.items():
            for name in self._provides(part):
                found[name].add(root)
        return {name: roots.pop() for name, roots in found.items() if len(roots) == 1}

    def _provides(self, part: Part) -> frozenset[str]:
        if part.root not in self._provided:
            self._provided[part.root] = code.provided(self.tree, part.root, part.serving)
        return self._provided[part.root]

    def _imported(self, part: Part, names: Mapping[str, str]) -> set[str]:
        """What the imports of a part mean outside of it: roots of parts, and folders and files of no part.

        What is found from the importing file upwards comes before what is installed.
        """
        own = dict.fromkeys(self._provides(part), part.root)
        around = {name.rpartition(".")[0] for name in own}  # packages that it shares with other parts
        found: set[str] = set()
        seen: set[tuple[str, str]] = set()
        for path in part.serving:
            folder = folder_of(path)
            for dotted in self.glances[path].imports:
                top = dotted.partition(".")[0]
                if top in self._tops and dotted not in around and (folder, dotted) not in seen:
                    seen.add((folder, dotted))
                    found.add(_longest(dotted, own) or self._place(path, dotted) or _longest(dotted, names))
        return {place for place in found if place and not is_below(place, part.root)}

    def _follow_imports(self) -> None:
        """What each part uses; folders of no part that one imports become libraries."""
        names = self._names(self.libraries)
        waiting = list(self.parts.values())
        while waiting:
            part = waiting.pop()
            declared = {root for each in part.declared if (root := deepest(each, set(self.parts))) is not None}
            part.uses = declared - {part.root}
            for place in sorted(self._imported(part, names)):
                root = deepest(place, set(self.parts))
                if root is None:
                    root = place
                    made = self.parts[root] = self.libraries[root] = Part(root)
                    made.files = [path for path in self.tree.python if is_below(path, root)]
                    made.serving = [path for path in made.files if not self.glances[path].aside]
                    waiting.append(made)
                part.uses.add(root)
            part.uses.discard(part.root)

    @cached_property
    def _tops(self) -> frozenset[str]:
        """Every name that an import of something in this repository can begin with."""
        stems = {path.rpartition("/")[2].rpartition(".")[0] for path in self.tree.python}
        return frozenset(
            (stems | {folder.rpartition("/")[2] for folder in self.tree.folders}) - sys.stdlib_module_names
        )

    def _place(self, importer: str, dotted: str) -> str:
        """The package (or the module that stands alone) that an import means, "" for none in this repository."""
        top, *inner = dotted.split(".")
        for place in code.places(importer, top):
            if f"{place}.py" in self.tree:
                return f"{place}.py"
            if place in self.tree.folders and (found := self._package(place, inner)):
                return found
        return ""

    def _package(self, folder: str, inner: list[str]) -> str:
        """The package that a name below a folder means: it has modules, or it is all the name leads to."""
        while f"{folder}/__init__.py" not in self.tree:
            if not inner:
                return ""  # the folder of a distribution may bear a name that belongs to another one
            step = f"{folder}/{inner.pop(0)}"
            if f"{step}.py" in self.tree:
                return folder
            if step not in self.tree.folders:
                return ""
            folder = step
        return folder


def _longest(dotted: str, names: Mapping[str, str]) -> str:
    """The part that provides a name or the package around it, "" for none."""
    while dotted and dotted not in names:
        dotted = dotted.rpartition(".")[0]
    return names.get(dotted, "")
