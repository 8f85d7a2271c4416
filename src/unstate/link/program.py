"""All files of one scan side by side: who binds which name in which scope, and where names come from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property

import msgspec

from unstate.facts.values import ANONYMOUS, CLASS, FUNCTION, TYPE_CHECKING, FileFacts, Frame, Import, Parameter, Ref
from unstate.link import frameworks
from unstate.link.values import Class, Function
from unstate.project import Modules, is_aside

_CREDITS = frozenset({"__author__", "__license__"})  # what a distribution says of itself
_BINDING_USES = frozenset({"target", "augment", "loop", "bind"})


class Binding(msgspec.Struct, frozen=True, gc=False):
    """One way in which a name gets its value: exactly one of the four is set."""

    ref: Ref | None = None
    imported: Import | None = None
    parameter: Parameter | None = None
    frame: int = -1  # of a def or class statement


class Program:
    """The facts of every file with the indices over them."""

    def __init__(self, facts: Mapping[str, FileFacts], modules: Modules) -> None:
        self.facts = facts
        self.modules = modules
        self.names: dict[str, list[dict[str, list[Binding]]]] = {}
        self.children: dict[str, list[list[int]]] = {}
        self.functions: dict[str, list[Function]] = defaultdict(list)  # by bare name
        self.classes: dict[str, list[Class]] = defaultdict(list)
        self.stars: dict[str, list[Import]] = {}
        self._by_function: dict[str, dict[int, list[Ref]]] = {}
        self._public_methods: dict[Class, frozenset[str]] = {}
        self.calls: dict[str, list[tuple[str, Ref]]] = defaultdict(list)  # by a function's or class's bare name
        for path, file in facts.items():
            self._index(path, file)
        known = self.functions.keys() | self.classes.keys()
        for path, file in facts.items():
            if is_aside(path):
                continue
            for ref in file.refs:
                for step in known.intersection(ref.path):
                    self.calls[step].append((path, ref))

    def frame(self, item: Class | Function) -> Frame:
        """The frame of a class or function."""
        return self.facts[item.path].frames[item.frame]

    def is_imported(self, path: str) -> bool:
        """Whether another file, tests aside, imports this one."""
        return path in self._imported

    @cached_property
    def _imported(self) -> set[str]:
        return {target for path, targets in self.imports.items() if not is_aside(path) for target in targets}

    @cached_property
    def imports(self) -> dict[str, set[str]]:
        """The files of the project that each file imports, packages on the way included."""
        return self._loads(lazily=True)

    def _loads(self, lazily: bool) -> dict[str, set[str]]:
        """What each file imports; `lazily` counts imports within functions too."""
        found: dict[str, set[str]] = {}
        for path, file in self.facts.items():
            targets: set[str] = set()
            for imported in file.imports:
                if imported.flags & TYPE_CHECKING or (not lazily and imported.frame):
                    continue
                targets.update(self.modules.targets(path, imported.level, imported.module, imported.name))
            found[path] = (targets & self.facts.keys()) - {path}
        return found

    def _is_web(self, path: str, found: Import) -> bool:
        """Whether an import loads a web framework: the distribution, or a vendored one; no namesake in the project."""
        if found.level:
            return False
        parts = found.module.split(".")
        if frameworks.WEB_MODULES.intersection((found.module, f"{found.module}.{found.name}")):
            return True
        if parts[0] in frameworks.WEB:
            return self.modules.absolute(path, parts[0]) is None
        return parts[0] in frameworks.VENDORED and not frameworks.WEB.isdisjoint(parts[1:])

    def is_copied(self, path: str) -> bool:
        """Whether a file is a framework of one file that was copied into the project, whatever folder it is in."""
        names = self.names[path][0]
        stem = path.rpartition("/")[2].removesuffix(".py")
        return stem in frameworks.WEB and "__version__" in names and not names.keys().isdisjoint(_CREDITS)

    @cached_property
    def web(self) -> frozenset[str]:
        """Files that import a web framework."""
        return frozenset(
            path
            for path, file in self.facts.items()
            if not is_aside(path) and any(self._is_web(path, found) for found in file.imports)
        )

    @cached_property
    def web_programs(self) -> frozenset[str]:
        """Files that import a web framework, or a file that does, whenever they are loaded."""
        importers: dict[str, set[str]] = defaultdict(set)
        for path, targets in self._loads(lazily=False).items():
            if not is_aside(path):
                for target in targets:
                    importers[target].add(path)
        return frozenset(_closure(self.web, importers))

    @cached_property
    def connected(self) -> frozenset[str]:
        """Files that run in a program with a web framework: its own, and all that these import."""
        return frozenset(_closure(self.web_programs, self.imports))

    def module_name(self, path: str) -> str:
        """The dotted name by which the service imports the file."""
        return self.modules.name(path)

    def qualified(self, item: Class | Function) -> str:
        """Module and qualified name."""
        return f"{self.module_name(item.path)}.{self.frame(item).qualname}"

    def lookup(self, path: str, frame: int, name: str) -> tuple[int, list[Binding]] | None:
        """The scope that binds a name as seen from `frame`, and the bindings; None for builtins and unknown names."""
        frames = self.facts[path].frames
        names = self.names[path]
        here = frame
        while here >= 0:
            scope = frames[here]
            if name in scope.globals:
                found = names[0].get(name)
                return (0, found or [])
            if scope.sort != CLASS or here == frame:
                bound = names[here].get(name)
                if bound is not None and name not in scope.nonlocals:
                    return here, bound
            here = scope.parent
        return None

    def function_around(self, path: str, frame: int) -> int:
        """Index of the innermost named function at or around `frame`, 0 for the module level."""
        frames = self.facts[path].frames
        while frame > 0 and frames[frame].sort != FUNCTION:
            if frames[frame].sort == CLASS:
                inside = frames[frame].parent
                frame = inside
                continue
            frame = frames[frame].parent
        return max(frame, 0)

    def class_around(self, path: str, frame: int) -> int | None:
        """The class whose method the innermost method at or around `frame` is."""
        frames = self.facts[path].frames
        while frame > 0:
            parent = frames[frame].parent
            if parent >= 0 and frames[parent].sort == CLASS and frames[frame].sort == FUNCTION:
                return parent
            frame = parent
        return None

    def public_methods(self, owner: Class) -> frozenset[str]:
        """Names of the methods in a class body that others may call."""
        known = self._public_methods.get(owner)
        if known is None:
            frames = self.facts[owner.path].frames
            known = self._public_methods[owner] = frozenset(
                frames[child].name
                for child in self.children[owner.path][owner.frame]
                if frames[child].sort == FUNCTION and not frames[child].name.startswith("_")
            )
        return known

    def refs_in(self, path: str, function: int) -> list[Ref]:
        """References in a named function, inner functions left out."""
        if path not in self._by_function:
            found: dict[int, list[Ref]] = defaultdict(list)
            for ref in self.facts[path].refs:
                found[self.function_around(path, ref.frame)].append(ref)
            self._by_function[path] = found
        return self._by_function[path].get(function, [])

    def method(self, owner: Class, name: str) -> Function | None:
        """A function defined in the class body itself."""
        for binding in self.names[owner.path][owner.frame].get(name, ()):
            if binding.frame >= 0 and self.facts[owner.path].frames[binding.frame].sort == FUNCTION:
                return Function(owner.path, binding.frame)
        return None

    def _index(self, path: str, file: FileFacts) -> None:
        frames = file.frames
        names: list[dict[str, list[Binding]]] = [{} for _ in frames]
        children: list[list[int]] = [[] for _ in frames]
        self.names[path] = names
        self.children[path] = children
        self.stars[path] = [found for found in file.imports if found.name == "*"]
        defined: dict[tuple[int, str, int], int] = {}
        for index, frame in enumerate(frames):
            if frame.parent >= 0:
                children[frame.parent].append(index)
            if frame.sort in (FUNCTION, CLASS):
                defined[(frame.parent, frame.name, frame.line)] = index
                if frame.sort == FUNCTION:
                    self.functions[frame.name].append(Function(path, index))
                else:
                    self.classes[frame.name].append(Class(path, index))
            for parameter in frame.parameters:
                names[index].setdefault(parameter.name, []).append(Binding(parameter=parameter))
        for found in file.imports:
            if found.bound:
                self._add(frames, names, found.frame, found.bound, Binding(imported=found))
        for ref in file.refs:
            if len(ref.path) != 1:
                continue
            if ref.use == "define":
                index = defined[(ref.frame, ref.path[0], ref.line)]
                self._add(frames, names, ref.frame, ref.path[0], Binding(frame=index))
            elif ref.use in _BINDING_USES:
                self._add(frames, names, ref.frame, ref.path[0], Binding(ref=ref))

    def _add(
        self,
        frames: tuple[Frame, ...],
        names: list[dict[str, list[Binding]]],
        frame: int,
        name: str,
        binding: Binding,
    ) -> None:
        """Files a binding with the scope that owns it: `global` and `nonlocal` move it outwards, a walrus too."""
        if frames[frame].sort == ANONYMOUS and binding.ref is not None and binding.ref.use == "target":
            while frames[frame].sort == ANONYMOUS:
                frame = frames[frame].parent
        if name in frames[frame].globals:
            frame = 0
        elif name in frames[frame].nonlocals:
            frame = frames[frame].parent
            while frame > 0 and (frames[frame].sort != FUNCTION or name in frames[frame].nonlocals):
                frame = frames[frame].parent
        names[frame].setdefault(name, []).append(binding)


def _closure(start: Iterable[str], edges: Mapping[str, Iterable[str]]) -> set[str]:
    found = set(start)
    todo = list(found)
    while todo:
        for target in edges.get(todo.pop(), ()):
            if target not in found:
                found.add(target)
                todo.append(target)
    return found
