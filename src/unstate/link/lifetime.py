"""Which objects outlive a request: classes whose instances a module, the app or another such object keeps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from unstate.facts.values import BRANCH, LOOP, MAIN, Ref
from unstate.link import frameworks
from unstate.link.program import Program
from unstate.link.reach import Reach
from unstate.link.resolve import Resolver
from unstate.link.values import Class, Function, Slot
from unstate.project import is_aside

# Class decorators of containers for dependency injection, which make one instance and keep it.
_KEEPING = frozenset("singleton Singleton service component injectable provider".split())


_RUNNING = frozenset("run serve serve_forever start listen main launch".split())
_CACHING = frozenset({"lru_cache", "cache", "cached", "singleton", "cached_property"})
_INTO_CONTAINERS = (("append",), ("add",), ("setdefault",), ("insert",), ("put",), ("put_nowait",), ("appendleft",))
# What takes a class to describe or to check with it, or to make an instance for every request.
_TYPE_USES = frozenset(
    (
        "isinstance issubclass cast TypeVar Depends Factory add_resource add_route add_url_rule Route path re_path url"
        " register relationship field Field type hasattr getattr List Optional Mock patch fields get_type_hints"
        " super TypeAdapter parse_obj_as select query join filter exists Table View as_view create_model convert decode"
    ).split()
)
# Bases of classes whose objects are rows or messages.
_VALUES = frozenset("BaseModel SQLModel TypedDict NamedTuple Struct Document DeclarativeBase".split())


class Lifetimes:
    """Answers whether instances of a class live as long as the process."""

    def __init__(self, program: Program, resolver: Resolver, reach: Reach) -> None:
        self.program = program
        self.resolver = resolver
        self.reach = reach
        self._known: dict[Class, bool] = {}
        self._results: dict[Function, bool] = {}
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
        if self.is_singleton(of):
            return True
        if any(step in _KEEPING for path in self.program.frame(of).decorators for step in path):
            return True
        name = self.program.frame(of).name
        return any(self._keeps(of, path, ref) for path, ref in self.program.calls.get(name, ()))

    def another(self, of: Class) -> str:
        """The place, as "path:line", that makes one more object of a class than the one that lives on; "" for none."""
        if self.is_singleton(of):
            return ""
        kept: list[str] = []
        for path, ref in self._makings(of):
            place = f"{path}:{ref.line}"
            function = self.program.function_around(path, ref.frame)
            if not function or self._is_kept(path, ref):
                if not ref.flags & BRANCH:  # of several branches one is taken
                    kept.append(place)
            elif self.reach.way(path, function) is not None:
                return place
        return kept[1] if len(kept) > 1 else next(self._handed_out(of), "") if kept else ""

    def _handed_out(self, of: Class) -> Iterator[str]:
        """The places, as "path:line", that give the class another name or hand it back: who has it makes more."""
        for path, ref, rest in self._mentions(of):
            if rest or _is_type_use(ref):
                continue
            if ref.use == "return" or (ref.use == "alias" and not self._names_a_type(path, ref)):
                yield f"{path}:{ref.line}"

    def _names_a_type(self, path: str, ref: Ref) -> bool:
        """Whether a class is assigned to a global that nobody calls: `Alias = Server`, to be written in hints."""
        target = None if self.program.function_around(path, ref.frame) else self._target(path, ref, 0)
        if target is None or len(target.path) > 1:
            return False
        call = (target.path[0], "()")
        return not any(
            call in pairwise(other.path)
            for facts in self.program.facts.values()
            for other in facts.refs
            if target.path[0] in other.path
        )

    def _makings(self, of: Class) -> Iterator[tuple[str, Ref]]:
        """The expressions that make an object of a class, or of one derived from it, tests left out."""
        return ((path, ref) for path, ref, rest in self._mentions(of) if rest[:1] == ("()",))

    def _mentions(self, of: Class) -> Iterator[tuple[str, Ref, tuple[str, ...]]]:
        """Where a class is named, or one derived from it, tests left out: with what is done to it there."""
        waiting, seen = [of], {of}
        while waiting:
            made = waiting.pop()
            fresh = [child for child in self._children[made] if child not in seen]
            seen.update(fresh)
            waiting += fresh
            name = self.program.frame(made).name
            for path, ref in self.program.calls.get(name, ()):
                index = ref.path.index(name)
                if is_aside(path) or ref.use == "define":
                    continue
                values = self.resolver.trace(path, ref.frame, ref.path[: index + 1])
                if len(values) > index and values[index] == made:
                    yield path, ref, ref.path[index + 1 :]

    def is_singleton(self, of: Class) -> bool:
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
        rest = ref.path[index + 1 :]
        if rest == ("()",):
            return self._is_kept(path, ref)
        if rest[:1] == ("()",):  # Server(...).run()
            return rest[2:] == ("()",) and rest[1] in _RUNNING and self._at_start(path, ref)
        if rest or ref.use != "pass" or _is_type_use(ref) or self._is_data(of):
            return False
        # the class handed on as a value: somebody else makes the instance
        function = self.program.function_around(path, ref.frame)
        return self._at_start(path, ref) or (function > 0 and self._keeps_results(Function(path, function)))

    def _is_data(self, of: Class) -> bool:
        """Whether objects of a class are values that come and go, as rows do: who is handed the class reads such."""
        bases = {base.rpartition(".")[2] for base in self.resolver.external_bases(of)}
        return not bases.isdisjoint(_VALUES) or any("dataclass" in path for path in self.program.frame(of).decorators)

    def _is_kept(self, path: str, ref: Ref) -> bool:
        """Whether what an expression makes goes to a place that lives on."""
        function = self.program.function_around(path, ref.frame)
        if not function:  # under `if __name__ == "__main__"` only where the file is the program
            own = not ref.flags & MAIN or not self.program.is_imported(path)
            return own and ref.use in ("alias", "pass", "iterate", "read")
        if ref.use == "return":
            return self._keeps_results(Function(path, function))
        if ref.use == "pass":
            return ref.callee[-1:] not in _INTO_CONTAINERS and self._at_start(path, ref)
        if ref.use != "alias":
            return False
        target = self._target(path, ref, function)
        if target is None:
            return self._at_start(path, ref)
        if target.path[-1].startswith("["):
            values = self.resolver.trace(path, target.frame, target.path)
            return len(values) == len(target.path) and isinstance(values[-1], Slot)  # app["manager"] = Manager()
        return self._is_kept_at(path, target) or (len(target.path) == 1 and self._local_is_kept(path, target))

    def _is_kept_at(self, path: str, target: Ref) -> bool:
        """Whether an assignment goes to a module, the app, a class, or an object that is kept itself."""
        values = self.resolver.trace(path, target.frame, target.path)
        slot = values[-1] if len(values) == len(target.path) else None
        if not isinstance(slot, Slot):
            return False
        if slot.sort in ("module", "app", "function"):
            return True
        if slot.sort != "class":
            return False
        holder = values[-2] if len(values) > 1 else None
        return isinstance(holder, Class) or self.is_long(Class(slot.path, slot.frame))

    def _local_is_kept(self, path: str, target: Ref) -> bool:
        """Whether a local name lives on: its function runs at start, or hands it to a place that does."""
        if self._at_start(path, target):
            return True
        function = self.program.function_around(path, target.frame)
        for ref in self.program.refs_in(path, function):
            if ref.path != target.path:
                continue
            if ref.use == "return" and self._keeps_results(Function(path, function)):
                return True
            if ref.use == "alias":
                further = self._target(path, ref, function)
                if further is not None and len(further.path) > 1 and not further.path[-1].startswith("["):
                    return self._is_kept_at(path, further)
        return False

    def _at_start(self, path: str, ref: Ref) -> bool:
        """Whether an expression runs once, while the web program starts: not in a loop, and in no request."""
        function = self.program.function_around(path, ref.frame)
        if not function:
            return True
        if ref.flags & LOOP or self.reach.way(path, function) is not None:
            return False
        return self.reach.starts(Function(path, function))

    def _keeps_results(self, function: Function) -> bool:
        """Whether what a function gives back is kept: by a cache around it, or by who calls it."""
        if function in self._results:
            return self._results[function]
        self._results[function] = False
        frame = self.program.frame(function)
        if any(step in _CACHING for path in frame.decorators for step in path):
            self._results[function] = True
            return True
        for path, ref in self.program.calls.get(frame.name, ()):
            if ref.path[-2:] != (frame.name, "()") or ref.use not in ("alias", "return"):
                continue
            if self.resolver.resolve(path, ref.frame, ref.path[:-1]) == function and self._result_is_kept(path, ref):
                self._results[function] = True
                return True
        return False

    def _result_is_kept(self, path: str, ref: Ref) -> bool:
        """Whether a call's result goes to a module, the app or a long-lived object, at once or through its caller."""
        function = self.program.function_around(path, ref.frame)
        if not function:
            return ref.use == "alias"
        if ref.use == "return":
            return self._keeps_results(Function(path, function))
        target = self._target(path, ref, function)
        return target is not None and not target.path[-1].startswith("[") and self._is_kept_at(path, target)

    def _target(self, path: str, ref: Ref, function: int) -> Ref | None:
        """The target of the assignment whose value the reference is."""
        for other in self.program.refs_in(path, function):
            if other.use == "target":
                line, column, end_line, end_column = other.statement
                if (line, column) <= (ref.line, ref.column) <= (end_line, end_column):
                    return other
        return None


def _is_type_use(ref: Ref) -> bool:
    return (bool(ref.callee) and not _TYPE_USES.isdisjoint(ref.callee)) or ref.position in _TYPE_POSITIONS


_TYPE_POSITIONS = frozenset("response_model model cls schema serializer_class form_class base metaclass spec".split())
