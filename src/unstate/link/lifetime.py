"""Which objects outlive a request: classes whose instances a module, the app or another such object keeps."""

from __future__ import annotations

from collections import defaultdict

from unstate.facts.values import CLASS, MAIN, Ref
from unstate.link import frameworks
from unstate.link.program import Program
from unstate.link.reach import Reach
from unstate.link.resolve import Resolver
from unstate.link.values import Class, Function, Slot

# Class decorators of containers for dependency injection, which make one instance and keep it.
_KEEPING = frozenset("singleton Singleton service component injectable provider".split())


class Lifetimes:
    """Answers whether instances of a class live as long as the process."""

    def __init__(self, program: Program, resolver: Resolver, reach: Reach) -> None:
        self.program = program
        self.resolver = resolver
        self.reach = reach
        self._known: dict[Class, bool] = {}
        self._children: dict[Class, list[Class]] = defaultdict(list)
        for classes in program.classes.values():
            for found in classes:
                for base in resolver.bases(found):
                    self._children[base].append(found)

    def is_long(self, of: Class) -> bool:
        """Whether at least one instance is kept for as long as the process lives."""
        if of not in self._known:
            self._known[of] = False  # for classes that hold each other
            self._known[of] = self._is_long(of)
        return self._known[of]

    def _is_long(self, of: Class) -> bool:
        bases = self.resolver.external_bases(of)
        if any(frameworks.made_per_request(base) for base in bases):
            return False
        if any(frameworks.makes_app(base) or frameworks.handler_base(base) for base in bases):
            return True
        if any(self.is_long(child) for child in self._children[of]):
            return True
        if self._is_singleton(of):
            return True
        if any(step in _KEEPING for path in self.program.frame(of).decorators for step in path):
            return True
        name = self.program.frame(of).name
        return any(self._keeps(of, path, ref) for path, ref in self.program.calls.get(name, ()))

    def _is_singleton(self, of: Class) -> bool:
        """A class whose `__new__` keeps the instance it made on the class."""
        maker = self.program.method(of, "__new__")
        return maker is not None and any(
            ref.frame == maker.frame for writes in self.resolver.attributes.get(of, {}).values() for _, ref in writes
        )

    def _keeps(self, of: Class, path: str, ref: Ref) -> bool:
        """Whether this mention of the class makes an instance that is kept."""
        index = ref.path.index(self.program.frame(of).name)
        if ref.use == "define" or not (self.reach.bare or path in self.program.connected):
            return False
        values = self.resolver.trace(path, ref.frame, ref.path[: index + 1])
        if len(values) <= index or values[index] != of:
            return False
        called = ref.path[index + 1 : index + 2] == ("()",)
        function = self.program.function_around(path, ref.frame)
        if not called:
            # the class handed on as a value: somebody else makes the instance
            handed = ref.path[-1] == ref.path[index] and ref.use in ("pass", "alias")
            return handed and not self._is_type_use(ref)
        if function == 0:
            return True
        if ref.use == "alias" or ref.use == "pass" or ref.use == "return":
            return self._kept_in_function(path, ref, function)
        return self.reach.way(path, ref.frame) is None

    @staticmethod
    def _is_type_use(ref: Ref) -> bool:
        return ref.callee[-1:] in (("isinstance",), ("issubclass",), ("cast",), ("TypeVar",)) or ref.position in (
            "response_model",
            "model",
        )

    def _kept_in_function(self, path: str, ref: Ref, function: int) -> bool:
        """An instance made inside a function: kept if it goes to a slot that lives on, or if the function runs once."""
        target = self._target(path, ref)
        if target is not None:
            value = None
            values = self.resolver.trace(path, target.frame, target.path)
            value = values[-1] if len(values) == len(target.path) else None
            if isinstance(value, Slot):
                if value.sort in ("module", "app", "function"):
                    return True
                if value.sort == "class":
                    owner = Class(value.path, value.frame)
                    return len(target.path) > 1 and (
                        target.path[0] in ("cls",) or self._is_class_level(value) or self.is_long(owner)
                    )
            if target.path[-1:] == ("[]",) or target.path[-1].startswith("["):
                return False
        return self.reach.way(path, ref.frame) is None

    def _is_class_level(self, slot: Slot) -> bool:
        return bool(self.program.names[slot.path][slot.frame].get(slot.name))

    def _target(self, path: str, ref: Ref) -> Ref | None:
        """The target of the assignment whose value the reference is."""
        for other in self.program.facts[path].refs:
            if other.use == "target" and other.frame == ref.frame:
                line, column, end_line, end_column = other.statement
                if (line, column) <= (ref.line, ref.column) <= (end_line, end_column):
                    return other
        return None

    def keeps_function(self, function: Function) -> bool:
        """Whether a function that owns a closure variable runs once, at start-up, and not for every request."""
        return self.reach.way(function.path, function.frame) is None

    def in_class(self, path: str, frame: int) -> bool:
        """Whether a frame is a class body."""
        return self.program.facts[path].frames[frame].sort == CLASS
