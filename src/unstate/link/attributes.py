"""Who binds which attribute: of classes, of the app, of functions, and of modules from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unstate.facts.values import Ref
from unstate.link import frameworks
from unstate.link.program import Program
from unstate.link.values import App, Class, Function, Instance, Module, Slot, Value

if TYPE_CHECKING:
    from unstate.link.resolve import Resolver

Writes = list[tuple[str, Ref]]  # path of the file, and the reference that binds


class Attributes:
    """Filled once, by `collect`: what is bound through `self` first, since it is needed to follow all other paths."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.of_classes: dict[Class, dict[str, Writes]] = {}
        self.of_app: dict[str, Writes] = {}
        self.of_functions: dict[tuple[Function, str], Writes] = {}
        self.of_modules: dict[Slot, Writes] = {}  # `m.x = ` in another file
        self.binders: dict[str, list[Class]] | None = None  # by attribute; None while they are collected

    def collect(self, resolver: Resolver) -> None:
        """Look at every binding of an attribute in the program."""
        self._collect_others(resolver, self._collect_own(resolver))
        self.binders = {}
        for child, names in self.of_classes.items():
            for name in names:
                self.binders.setdefault(name, []).append(child)

    def _collect_own(self, resolver: Resolver) -> Writes:
        """`self.x = ` and `cls.x = `, which need no resolution; gives all other bindings of attributes."""
        others: Writes = []
        for path, file in self.program.facts.items():
            for ref in file.refs:
                if ref.use not in ("target", "augment") or len(ref.path) < 2 or ref.path[-1] in ("[]", "()"):
                    continue
                value: Value = None
                if len(ref.path) == 2:
                    found = self.program.lookup(path, ref.frame, ref.path[0])
                    value = resolver.self_class(path, found[0], ref.path[0]) if found is not None else None
                if isinstance(value, Instance):
                    value = value.of
                if isinstance(value, Class):
                    self.of_classes.setdefault(value, {}).setdefault(ref.path[1], []).append((path, ref))
                else:
                    others.append((path, ref))
        return others

    def _collect_others(self, resolver: Resolver, others: Writes) -> None:
        """`m.x = `, `C.x = `, `obj.x = `, `app.state.x = `, `f.x = `, for which the rest of the path is followed."""
        for path, ref in others:
            name = frameworks.app_attribute(ref.path, len(ref.path) - 1)
            if name is not None and (
                frameworks.names_app(frameworks.app_part(ref.path)) or _is_app(resolver, path, ref)
            ):
                self.of_app.setdefault(name, []).append((path, ref))
        resolver.forget()
        for path, ref in others:
            if not ref.path[-1].isidentifier():
                continue
            owner = resolver.resolve(path, ref.frame, ref.path[:-1])
            if isinstance(owner, Slot):
                owner = resolver.settle(owner)[1]
            name = ref.path[-1]
            if isinstance(owner, Instance):
                owner = owner.of
            if isinstance(owner, Class):
                if self._declares(resolver, owner, path, ref):
                    self.of_classes.setdefault(owner, {}).setdefault(name, []).append((path, ref))
            elif isinstance(owner, Function):
                self.of_functions.setdefault((owner, name), []).append((path, ref))
            elif isinstance(owner, Module) and not owner.path.endswith("/"):
                self.of_modules.setdefault(Slot("module", owner.path, 0, name), []).append((path, ref))
        resolver.forget()

    def _declares(self, resolver: Resolver, owner: Class, path: str, ref: Ref) -> bool:
        """Whether an attribute that is bound through an instance is the class's own.

        Bound by it, or by its code, or by a module for an object that it made.
        """
        if resolver.class_member(owner, ref.path[-1]) is not None or not ref.frame:
            return True
        around = self.program.class_around(path, ref.frame)
        return around is not None and Class(path, around) in resolver.lineage(owner)


def _is_app(resolver: Resolver, path: str, ref: Ref) -> bool:
    value = resolver.resolve(path, ref.frame, frameworks.app_part(ref.path))
    return isinstance(resolver.settle(value)[1] if isinstance(value, Slot) else value, App)
