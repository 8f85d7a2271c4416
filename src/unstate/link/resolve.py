"""Follows paths to what they mean: through imports, instances, annotations, returns and the app object.

Nothing is executed and nothing is guessed: where a step cannot be followed the value is None. `trace` also names every
slot that a path passes, which is how sites find their stores.
"""

from __future__ import annotations

import builtins

from unstate.facts.values import CLASS, FUNCTION, PART, Hint, Import, Path, Ref
from unstate.link import containers, frameworks, nested, typing
from unstate.link.annotations import element_annotation, outermost
from unstate.link.arguments import argument
from unstate.link.attributes import Attributes
from unstate.link.nested import Parts
from unstate.link.program import Binding, Program
from unstate.link.values import (
    App,
    Bound,
    Class,
    Element,
    External,
    Function,
    Instance,
    Made,
    Module,
    Slot,
    Typed,
    Value,
)

_CALLS_READ = 12  # call sites that are looked at for what a parameter is
_BUILTINS = frozenset(dir(builtins))
_DEPTH = 12  # of nested resolutions: deeper ones are given up
_TRACED = 20_000  # answers that are kept at a time: most are asked for again soon, or never
_CONTAINERS = frozenset(
    (
        "dict Dict list List set Set tuple Tuple deque Deque defaultdict DefaultDict OrderedDict Counter"
        " Mapping MutableMapping Sequence Iterable Iterator AsyncIterator Generator AsyncGenerator frozenset"
        " FrozenSet Queue Callable"
    ).split()
)


class Resolver:
    """Answers what a path means at a place. Answers are kept, so one resolver serves one program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._bases: dict[Class, tuple[Class, ...]] = {}
        self._external_bases: dict[Class, tuple[str, ...]] = {}
        self._resolved: dict[tuple[str, int, Path], Value] = {}
        self._active: set[tuple[str, int, Path]] = set()
        self._defined: dict[tuple[str, int, str], Binding | None] = {}
        self._meant: dict[tuple[str, int, str], Value] = {}
        self._traced: dict[tuple[str, int, Path], list[Value]] = {}
        self._held: dict[Slot, Value] = {}
        self._holding: set[Slot] = set()
        self._importing: set[tuple[str, str]] = set()  # names on the way, for modules that import each other
        self._return_refs: dict[str, dict[int, list[Ref]]] = {}
        self._lineages: dict[Class, list[Class]] = {}
        self._heirs: dict[str, dict[Class, list[Class]]] = {}  # by attribute, by base
        self._application: Value = None
        self.parts: Parts = {}  # none while they are looked for
        self._bound_by = Attributes(program)
        self.attributes = self._bound_by.of_classes
        self.app_attributes = self._bound_by.of_app
        self.function_attributes = self._bound_by.of_functions
        self._bound_by.collect(self)
        self.parts, bound = nested.parts(program, self)
        if self.parts:
            self._bound_by.of_modules.update((part, bound[part]) for part in self.parts.values())
            self.forget()

    def forget(self) -> None:
        """Answers that were given before all attributes were known are asked for anew."""
        self._resolved.clear()
        self._traced.clear()
        self._held.clear()
        self._application = None

    # Paths

    def resolve(self, path: str, frame: int, steps: Path) -> Value:
        """What the steps reach, as seen from a frame of a file."""
        if not steps:
            return None
        key = (path, frame, steps)
        if key in self._resolved:
            return self._resolved[key]
        if key in self._active or len(self._active) > _DEPTH:
            return None
        self._active.add(key)
        try:
            passed = self.trace(path, frame, steps)
            value = passed[-1] if len(passed) == len(steps) else None
        finally:
            self._active.discard(key)
        if len(self._active) == 0 or value is not None:
            self._resolved[key] = value
        return value

    def trace(self, path: str, frame: int, steps: Path) -> list[Value]:
        """The value after the root, after the first step, and so on, as far as they are known."""
        if self._active or self._holding or self._importing:  # what is open may cut an answer short
            return self._trace(path, frame, steps)
        key = (path, frame, steps)
        known = self._traced.get(key)
        if known is None:
            if len(self._traced) > _TRACED:
                self._traced.clear()
            known = self._traced[key] = self._trace(path, frame, steps)
        return known

    def _trace(self, path: str, frame: int, steps: Path) -> list[Value]:
        value = self._root(path, frame, steps[0])
        if value is None and frameworks.names_app(steps[:1]):
            value = App()
        values = [value]
        for index in range(1, len(steps)):
            value = self._step(path, frame, value, steps, index)
            values.append(value)
            if value is None and not any(
                frameworks.names_app(steps[: later + 1]) for later in range(index, len(steps))
            ):
                break
        return values

    def of_hint(self, path: str, frame: int, hint: Hint) -> Value:
        """What a type hint means: a path is followed."""
        if not hint:
            return None
        if hint[0] == "=":
            return Typed(hint[1])
        return self.resolve(path, frame, hint)

    def _root(self, path: str, frame: int, name: str) -> Value:
        found = self.program.lookup(path, frame, name)
        if found is None:
            for star in self.program.stars[path]:
                value = self._imported(path, star, name)
                if value is not None:
                    return value
            return External(f"builtins.{name}") if name in _BUILTINS else None
        scope, bindings = found
        frames = self.program.facts[path].frames
        owner = self.self_class(path, scope, name)
        if owner is not None:
            return owner
        if frames[scope].sort == CLASS:
            return (
                Slot("class", path, scope, name)
                if bindings and bindings[0].frame < 0
                else self._bound(path, scope, bindings)
            )
        key = (path, scope, name)
        if key in self._meant:
            return self._meant[key]
        defining = self._defining(path, scope, name, bindings)
        if defining is None:
            meant: Value = Slot("module" if scope == 0 else "local", path, scope, name)
        else:
            meant = self._binding(path, scope, defining)
        if not self._importing:
            self._meant[key] = meant
        return meant

    def _defining(self, path: str, scope: int, name: str, bindings: list[Binding]) -> Binding | None:
        """The first binding by an import or a definition; looked for once, as a name may be bound ever so often."""
        key = (path, scope, name)
        if key not in self._defined:
            self._defined[key] = next((each for each in bindings if each.frame >= 0 or each.imported is not None), None)
        return self._defined[key]

    def self_class(self, path: str, scope: int, name: str) -> Value:
        """`self` and `cls`, by their position in a method."""
        frames = self.program.facts[path].frames
        frame = frames[scope]
        if frame.sort != FUNCTION or not frame.parameters or frame.parameters[0].name != name:
            return None
        if frames[frame.parent].sort != CLASS or ("staticmethod",) in frame.decorators:
            return None
        owner = Class(path, frame.parent)
        if ("classmethod",) in frame.decorators or name in ("cls", "klass", "mcs", "mcls") or frame.name == "__new__":
            return owner
        return Instance(owner)

    def _bound(self, path: str, scope: int, bindings: list[Binding]) -> Value:
        for binding in bindings:
            value = self._binding(path, scope, binding)
            if value is not None:
                return value
        return None

    def _binding(self, path: str, scope: int, binding: Binding) -> Value:
        if binding.frame >= 0:
            sort = self.program.facts[path].frames[binding.frame].sort
            return Class(path, binding.frame) if sort == CLASS else Function(path, binding.frame)
        if binding.imported is not None:
            return self._imported(path, binding.imported, binding.imported.name)
        return None

    def _imported(self, path: str, found: Import, name: str) -> Value:
        modules = self.program.modules
        if found.level:
            target = modules.relative(path, found.level, found.module)
        else:
            target = modules.absolute(path, found.module)
            if target == path and "." not in found.module:  # `from flask import x` in flask.py means the distribution
                target = None
        if target is None:
            if found.level or found.name == "*":
                return None
            return External(f"{found.module}.{name}" if name else found.module)
        if not name:
            return Module(target)
        return self.member(Module(target), name)

    def member(self, module: Module, name: str) -> Value:
        """What a module's attribute is: its own name, or a submodule."""
        file = module.path
        if file in self.program.names and (file, name) not in self._importing:
            self._importing.add((file, name))
            try:
                value = self._own_member(file, name)
            finally:
                self._importing.discard((file, name))
            if value is not None:
                return value
        if not file.endswith(("/", "__init__.py")):
            return None
        inner = self.program.modules.relative(file if not file.endswith("/") else f"{file}__init__.py", 1, name)
        return Module(inner) if inner is not None else None

    def _own_member(self, file: str, name: str) -> Value:
        if name in self.program.names[file][0] or self.program.stars[file]:
            value = self._root(file, 0, name)
            if not (isinstance(value, External) and value.name.startswith("builtins.")):
                return value
        return None

    def _step(self, path: str, frame: int, value: Value, steps: Path, index: int) -> Value:
        step = steps[index]
        if isinstance(value, Slot):
            if (value, step) in self.parts:
                return self.parts[value, step]
            slot, held = self.settle(value)
            if held is None or isinstance(held, Typed) or (isinstance(held, Made) and held.maker in containers.MAKERS):
                return self._of_container(slot, held, step)
            value = held
        if isinstance(value, App) or (not isinstance(value, Instance) and frameworks.names_app(steps[:index])):
            if step in frameworks.WAY_STATIONS:
                return App()
            attribute = self._app_attribute(steps, index)
            if attribute is not None:
                return attribute
        if isinstance(value, Module) and step.isidentifier():
            return self.member(value, step)
        if isinstance(value, External):
            if value.name == "builtins.object" and step == "__new__":
                return self._inherited(path, frame, step)
            if step == "()":
                return App() if frameworks.makes_app(value.name) else Made(value.name)
            if frameworks.names_app((step,)):
                return App()
            return External(f"{value.name}.{step}") if step.isidentifier() else typing.entry_of(value.name)
        if isinstance(value, Class):
            if step == "()":
                return Instance(value)
            if step == "__new__":
                return value
            return self.class_member(value, step) if step.isidentifier() else None
        if isinstance(value, Function):
            if step == "()":
                return self.returned(value)
            if step.isidentifier() and (value, step) in self.function_attributes:
                return Slot("function", value.path, value.frame, step)
            return None
        if isinstance(value, Instance) and step.isidentifier():
            if step == "__class__":
                return value.of
            found = self.class_member(value.of, step)
            if isinstance(found, Function) and self._is_property(found):
                return self.returned(found)
            if found is None and step in ("application", "app"):
                return self._the_application()
            return found
        if value == Made("builtins.super"):
            return self._inherited(path, frame, step)
        if isinstance(value, Made):
            return self._made_member(value, step)
        if isinstance(value, Bound):
            return self._entry(value.of) if step == "()" else None
        if isinstance(value, Typed):
            return typing.step(value, step)
        if step in ("app", "application", "current_app"):
            return App()
        return None

    def _of_container(self, slot: Slot, held: Value, step: str) -> Value:
        """A step from a slot whose content is no object of the project: an entry, or a method that gives one."""
        if step.startswith("["):
            return self._entry(slot)
        if step in ("get", "pop", "setdefault"):
            return Bound(slot)
        if step in ("app", "application"):
            return self._the_application()
        if isinstance(held, Made):
            return self._made_member(held, step)
        return typing.step(held, step) if isinstance(held, Typed) else None

    def _inherited(self, path: str, frame: int, step: str) -> Value:
        """A step from `super()`: a member of a base, or for `__new__` what gives an instance of the class itself."""
        around = self.program.class_around(path, frame)
        if around is None:
            return None
        owner = Class(path, around)
        if step == "__new__":
            return owner
        for base in self.bases(owner):
            found = self.class_member(base, step)
            if found is not None:
                return found
        return None

    def _made_member(self, value: Made, step: str) -> Value:
        if step in ("app", "application") and step.isidentifier():
            return self._the_application()
        return typing.made_step(value.maker, step)

    def _the_application(self) -> Value:
        """The project's own application class where there is one, else the framework's object."""
        if self._application is None:
            own = [
                found
                for classes in self.program.classes.values()
                for found in classes
                if any(frameworks.makes_app(name) for name in self.external_bases(found))
            ]
            self._application = Instance(own[0]) if len(own) == 1 else App()
        return self._application

    def _app_attribute(self, steps: Path, index: int) -> Value:
        """The slot that `app.state.x`, `app["x"]`, `app.config["x"]`, `app.x` is, if something binds it."""
        name = frameworks.app_attribute(steps, index)
        if name is None:
            return None
        return Slot("app", "", 0, name) if name in self.app_attributes else None

    # Holders

    def held(self, slot: Slot) -> Value:
        """What a slot holds, judged by annotation first, then by what is assigned."""
        if slot in self._held:
            return self._held[slot]
        if slot in self._holding or len(self._holding) > _DEPTH:
            return None
        self._holding.add(slot)
        try:
            value = self._what_is_held(slot)
        finally:
            self._holding.discard(slot)
        if value is not None or not self._holding:
            self._held[slot] = value
        return value

    def settle(self, slot: Slot) -> tuple[Slot, Value]:
        """The last of the slots that stand for one another, and what it holds, which is no slot."""
        seen = {slot}
        held = self.held(slot)
        while isinstance(held, Slot) and held not in seen:
            slot = held
            seen.add(slot)
            held = self.held(slot)
        return slot, None if isinstance(held, Slot) else held

    def _what_is_held(self, slot: Slot) -> Value:
        typed: Value = None
        for path, frame, annotation, hint in self.assignments(slot):
            if annotation:
                value = self.annotated(path, frame, annotation)
                if value is not None and not isinstance(value, Typed | External | Made):
                    return value
                typed = typed or value
            value = self.of_hint(path, frame, hint)
            if isinstance(value, Slot) and value.sort == "local" and value != slot:
                value = self.held(value)
            if value is None or value == slot or isinstance(value, Typed):
                typed = typed or value
                continue
            return value
        return None if typed == slot else typed

    def assignments(self, slot: Slot) -> list[tuple[str, int, str, Hint]]:
        """Everything that gives a slot its value: file, frame, annotation, hint."""
        found: list[tuple[str, int, str, Hint]] = []
        if slot.sort in ("module", "local"):
            for binding in self.program.names[slot.path][slot.frame].get(slot.name, ()):
                if binding.ref is not None:
                    found.append((slot.path, binding.ref.frame, binding.ref.annotation, binding.ref.value))
                elif binding.parameter is not None:
                    parent = self.program.facts[slot.path].frames[slot.frame].parent
                    default = binding.parameter.default
                    if default[-2:-1] and default[-2] in frameworks.FILLED_IN:
                        default = ()
                    found.append((slot.path, parent, binding.parameter.annotation, default))
                    head = outermost(binding.parameter.annotation).rpartition(".")[2]
                    if not head or head in _CONTAINERS:  # which container it is, only who calls can say
                        found += self._handed_over(slot)
        for path, ref in self.writes(slot):
            found.append((path, ref.frame, ref.annotation, ref.value))
        return found

    def writes(self, slot: Slot) -> list[tuple[str, Ref]]:
        """The attribute targets that bind a class, app or function attribute."""
        if slot.sort == "class":
            owner = Class(slot.path, slot.frame)
            body = [
                (slot.path, binding.ref)
                for binding in self.program.names[slot.path][slot.frame].get(slot.name, ())
                if binding.ref is not None
            ]
            inherited = [
                write for child in self._heirs_with(owner, slot.name) for write in self.attributes[child][slot.name]
            ]
            return [*body, *self.attributes.get(owner, {}).get(slot.name, ()), *inherited]
        if slot.sort == "app":
            return self.app_attributes.get(slot.name, [])
        if slot.sort == "function":
            return self.function_attributes.get((Function(slot.path, slot.frame), slot.name), [])
        if slot.sort == "module":
            return self._bound_by.of_modules.get(slot, [])
        return []

    def _heirs_with(self, owner: Class, name: str) -> list[Class]:
        """Subclasses that bind an attribute of this name."""
        if self._bound_by.binders is None:  # while they are collected
            binders = [child for child, names in self.attributes.items() if name in names]
            return [child for child in binders if owner in self.lineage(child)[1:]]
        if name not in self._heirs:
            heirs: dict[Class, list[Class]] = {}
            for child in self._bound_by.binders.get(name, ()):
                for base in self.lineage(child)[1:]:
                    heirs.setdefault(base, []).append(child)
            self._heirs[name] = heirs
        return self._heirs[name].get(owner, [])

    def _handed_over(self, slot: Slot) -> list[tuple[str, int, str, Hint]]:
        """What callers pass for a parameter that has no annotation."""
        frames = self.program.facts[slot.path].frames
        frame = frames[slot.frame]
        if frame.sort != FUNCTION:
            return []
        names = [parameter.name for parameter in frame.parameters]
        position = names.index(slot.name)
        owner = frames[frame.parent]
        wanted: Class | Function = Function(slot.path, slot.frame)
        name = frame.name
        if owner.sort == CLASS:
            position -= ("staticmethod",) not in frame.decorators
            if name == "__init__":
                wanted, name = Class(slot.path, frame.parent), owner.name
        found: list[tuple[str, int, str, Hint]] = []
        for path, ref in self.program.calls.get(name, ())[:_CALLS_READ]:
            hint = argument(ref, name, position, slot.name)
            if hint and hint != ("=", "None") and self._calls(path, ref, name, wanted):
                found.append((path, ref.frame, "", hint))
        return found

    def _calls(self, path: str, ref: Ref, name: str, wanted: Class | Function) -> bool:
        """Whether a reference calls the wanted function or class, or a base's constructor on behalf of a subclass."""
        index = ref.path.index(name)
        callee = self.resolve(path, ref.frame, ref.path[: index + 1])
        if callee == wanted:
            return True
        if isinstance(callee, Class) and isinstance(wanted, Class):
            return wanted in self.lineage(callee) and self.program.method(callee, "__init__") is None
        return False

    def _entry(self, slot: Slot) -> Value:
        """What one entry of a container is, by the container's annotation; Element where that says nothing."""
        for path, frame, annotation, _ in self.assignments(slot):
            inner = element_annotation(annotation)
            if inner:
                value = self.annotated(path, frame, inner)
                if isinstance(value, Instance):
                    return value
        return Element(slot)

    def returned(self, function: Function) -> Value:
        """What a call of a function gives."""
        frame = self.program.frame(function)
        if frame.annotation:
            annotation = frame.annotation
            if frame.generator:
                annotation = element_annotation(annotation) or annotation
            value = self.annotated(function.path, frame.parent, annotation)
            if value is not None and not isinstance(value, Typed):
                return value
        typed = value if frame.annotation else None
        for ref in self._returns(function):
            value = self.resolve(function.path, ref.frame, ref.path)
            if isinstance(value, Slot) and value.sort == "local":
                value = self.held(value)
            if value is not None and not isinstance(value, Typed | External):
                return value
        return typed

    def _returns(self, function: Function) -> list[Ref]:
        frames = self.program.facts[function.path].frames
        frame = frames[function.frame]
        key = function.path
        if key not in self._return_refs:
            index: dict[int, list[Ref]] = {}
            for ref in self.program.facts[key].refs:
                if ref.use == "return" and frames[ref.frame].sort == FUNCTION and not ref.flags & PART:
                    index.setdefault(ref.frame, []).append(ref)
            self._return_refs[key] = index
        return self._return_refs[key].get(function.frame, []) if frame else []

    # Annotations

    def annotated(self, path: str, frame: int, annotation: str) -> Value:
        """What a value of an annotation is: an instance of a class of the project where one is named outermost."""
        head = outermost(annotation)
        if not head:
            return None
        if head.rpartition(".")[2] in _CONTAINERS:
            return Typed(annotation)
        value = self.resolve(path, frame, tuple(head.split(".")))
        if isinstance(value, Class):
            return Instance(value)
        if isinstance(value, External):
            return App() if frameworks.makes_app(value.name) else Made(value.name)
        return Typed(annotation)

    # Classes

    def lineage(self, of: Class) -> list[Class]:
        """A class and its bases in the project, nearest first."""
        if of not in self._lineages:
            found = [of]
            for known in found:
                found += [base for base in self.bases(known) if base not in found]
            if self._bound_by.binders is None:  # bases may not be known yet
                return found
            self._lineages[of] = found
        return self._lineages[of]

    def bases(self, of: Class) -> tuple[Class, ...]:
        """The direct bases that are classes of the project."""
        if of not in self._bases:
            self._bases[of] = ()
            frame = self.program.frame(of)
            values = [self.resolve(of.path, frame.parent, base) for base in frame.bases]
            plain = [self.resolve(of.path, frame.parent, base[:-1]) for base in frame.bases if base[-1] == "[]"]
            self._bases[of] = tuple(value for value in [*values, *plain] if isinstance(value, Class) and value != of)
        return self._bases[of]

    def external_bases(self, of: Class) -> tuple[str, ...]:
        """Dotted names of all bases that are not the project's, through the whole lineage."""
        if of not in self._external_bases:
            self._external_bases[of] = ()
            names = []
            for known in self.lineage(of):
                frame = self.program.frame(known)
                for base in frame.bases:
                    path = base[:-1] if base[-1] == "[]" else base
                    value = self.resolve(known.path, frame.parent, path)
                    if isinstance(value, External):
                        names.append(value.name.removeprefix("builtins."))
                    elif value is None:
                        names.append(".".join(path))
            self._external_bases[of] = tuple(names)
        return self._external_bases[of]

    def class_member(self, of: Class, name: str) -> Value:
        """A method, nested class or attribute slot of a class; the topmost class that binds an attribute owns it."""
        owner: Class | None = None
        for known in self.lineage(of):
            bindings = self.program.names[known.path][known.frame].get(name)
            if bindings and owner is None:
                value = self._bound(known.path, known.frame, bindings)
                if value is not None:
                    return value
            if bindings or name in self.attributes.get(known, ()):
                owner = known
        return Slot("class", owner.path, owner.frame, name) if owner is not None else None

    def _is_property(self, function: Function) -> bool:
        return any(path[-1] in ("property", "cached_property") for path in self.program.frame(function).decorators)
