"""Which functions a request, a message or a task can reach, and by which way.

Searched backwards from a function that writes, so that the cost grows with the stores found and not with the project.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from unstate.facts.values import CLASS, DYNAMIC, FUNCTION, LAMBDA, MAIN, Path, Ref
from unstate.link import frameworks
from unstate.link.program import Program
from unstate.link.resolve import Resolver
from unstate.link.values import App, Class, External, Function, Instance, Made, Slot, Value

_MANY = 6  # functions of one name: more are not told apart when the receiver is unknown
_STARTUP_NAMES = frozenset(
    {"lifespan", "on_startup", "on_shutdown", "startup", "shutdown", "main", "create_app", "make_app"}
)
# Methods that plug-ins and set-up code call while modules are imported, where nobody else is seen to call them.
_SETTING_UP = re.compile(r"(un)?register(_\w+)?|populate|autodiscover|set_?up(_\w+)?|configure(_\w+)?|install(_\w+)?")
# Methods that an operator calls, so that no name leads to them.
_IMPLICIT = frozenset(
    "__call__ __getitem__ __setitem__ __delitem__ __contains__ __enter__ __aenter__ __exit__ __aexit__ __iter__".split()
)
# Methods of a resource that its framework calls by the request's method: `on_post`, `on_post_collection`.
_RESPONDER = re.compile(r"on_(get|post|put|delete|patch|head|websocket)(_\w+)?")
# Parameters that are functions or classes: by what everybody calls them, and by their annotation.
_CODE = frozenset("f fn func function cls klass callback handler view method wrapped coro target endpoint".split())
_CALLABLE = re.compile(r"\b(Callable|[Tt]ype)\b")
_SPAWNERS = re.compile(
    r"task|spawn|soon|future|background|schedule|threadsafe"
)  # of what runs a coroutine beside requests
_HANDING = frozenset({"alias", "return", "iterate", "read"})  # uses of a function's name that give it to others
_STARTUP_CALLEES = frozenset(
    {"add_event_handler", "add_command", "register", "set_defaults", "run", "run_sync", "run_until_complete"}
    | {"add_signal_handler"}
)


# Whether what a call's name means is, or may be, what is wanted: the meaning, the wanted one, whether the name is an
# attribute, and how many functions have it.
_Meant = Callable[[Value, Function | Class, bool, int], bool]


@dataclass(frozen=True, slots=True)
class Step:
    """One function on a way from an entry point."""

    function: Function
    line: int  # of the definition for the entry point, of the call for later ones


class Reach:
    """Answers whether a function is reachable, with the way."""

    def __init__(self, program: Program, resolver: Resolver) -> None:
        self.program = program
        self.resolver = resolver
        self.bare = not program.web  # no framework at all: its functions are what others call
        self._calls = program.calls
        self._ways: dict[Function, tuple[Function, ...] | None] = {}
        self._entries: dict[Function, str] = {}
        self._running: dict[Function, bool] = {}
        self._starting: dict[Function, bool] = {}
        self._dispatching: dict[Class, list[Function]] = {}
        self._callers: dict[Function, list[Function]] = {}
        self._at_start: dict[str, tuple[Value, ...]] = {}
        self._handed: dict[str, dict[Value, list[tuple[str, Ref]]]] = {}
        self._called: dict[str, dict[tuple[Value, bool], list[tuple[int, Function]]]] = {}

    def way(self, path: str, frame: int) -> tuple[Function, ...] | None:
        """Functions from an entry point to the one at or around a frame; None where no request gets there."""
        index = self.program.function_around(path, frame)
        if index == 0:
            return None
        return self._search(Function(path, index))

    def _search(self, target: Function) -> tuple[Function, ...] | None:
        if target in self._ways:
            return self._ways[target]
        came: dict[Function, Function | None] = {target: None}
        queue = [target]
        for function in queue:
            known = self._ways.get(function)
            if self.entry(function) == "request" or known:
                return self._found(target, function, known or (function,), came)
            for caller in self.callers(function):
                if caller not in came and self._ways.get(caller, ()) is not None:
                    came[caller] = function
                    queue.append(caller)
        for function in queue:
            if self._is_open(function):
                return self._found(target, function, (function,), came)
        for function in queue:
            self._ways[function] = None
        return None

    def _found(
        self,
        target: Function,
        start: Function,
        way: tuple[Function, ...],
        came: dict[Function, Function | None],
    ) -> tuple[Function, ...]:
        step = came[start]
        while step is not None:
            way = (*way, step)
            step = came[step]
        self._ways[target] = way
        return way

    def _is_open(self, function: Function) -> bool:
        """Whether a method without a known caller may be called through a receiver that could not be followed."""
        frame = self.program.frame(function)
        owner = self.program.facts[function.path].frames[frame.parent]
        name = frame.name
        if function.path not in self.program.connected:
            return False
        if owner.sort != CLASS or name in _STARTUP_NAMES or self.entry(function) == "startup":
            return False
        if name.startswith("__") and name.endswith("__"):
            return name in _IMPLICIT and not self._is_script(function.path)
        if self.callers(function):
            return False
        if _SETTING_UP.fullmatch(name):
            return False
        if not name.startswith("_") and self._has_module_instance(Class(function.path, frame.parent)):
            return True
        for path, ref in self._calls.get(name, ()):
            around = self.program.function_around(path, ref.frame)
            if ref.use == "define" or name == ref.path[0] or not around:
                continue
            receiver = self.resolver.resolve(path, ref.frame, ref.path[: ref.path.index(name) + 1])
            caller = Function(path, around)
            if receiver is None and self.runs(caller) and (self.entry(caller) == "request" or not self.starts(caller)):
                return True
        return False

    def _has_module_instance(self, of: Class) -> bool:
        """Whether a module makes an object of the class for others to import."""
        name = self.program.frame(of).name
        return any(
            ref.frame == 0
            and ref.use == "alias"
            and ref.path[-2:] == (name, "()")
            and not ref.flags & MAIN
            and self.program.is_imported(path)
            and self.resolver.resolve(path, 0, ref.path) == Instance(of)
            for path, ref in self._calls.get(name, ())
        )

    def are_twins(self, one: Class, other: Class) -> bool:
        """Whether two classes can stand for each other: the smaller one's public methods, two or more, are shared."""
        mine, theirs = self.program.public_methods(one), self.program.public_methods(other)
        shared = mine & theirs
        if one.path == other.path and shared and (mine <= theirs or theirs <= mine):
            return True
        return len(shared) >= 2 and 2 * len(shared) >= max(len(mine), len(theirs))

    @cached_property
    def shared(self) -> list[Class]:
        """The classes whose names say that they work over a service that processes share."""
        return [
            each for name, found in self.program.classes.items() if frameworks.SHARED.search(name) for each in found
        ]

    def _is_script(self, path: str) -> bool:
        return any(ref.flags & MAIN for ref in self.program.facts[path].refs)

    def entry(self, function: Function) -> str:
        """ "request", "startup" or ""."""
        known = self._entries.get(function)
        if known is None:
            known = self._entries[function] = self._entry(function)
        return known

    def _entry(self, function: Function) -> str:
        frame = self.program.frame(function)
        for path in frame.decorators:
            sort = frameworks.decorated_entry(path, frame.decorator_words)
            if sort and self._is_foreign(function, path):
                return "startup" if self._is_command(function, path) else sort
        names = [parameter.name for parameter in frame.parameters]
        if (
            frame.name == "application"
            or names[-2:] == ["environ", "start_response"]
            or names[-3:] == ["scope", "receive", "send"]
        ):
            return "request"
        owner = self.program.facts[function.path].frames[frame.parent]
        if owner.sort == CLASS:
            return self._method_entry(Class(function.path, frame.parent), frame.name, owner)
        if self.bare:
            return "" if frame.name in ("main", "__init__") else "request"
        return self._value_entry(function)

    def _is_foreign(self, function: Function, decorator: Path) -> bool:
        """Whether a decorator of one name comes from elsewhere: the project's own `task` registers nothing.

        One with a route among its arguments does.
        """
        frame = self.program.frame(function)
        if len(decorator) > 2 or (len(decorator) == 2 and decorator[1] != "()"):
            return True
        if any(word.startswith("/") for word in frame.decorator_words):
            return True
        value = self.resolver.resolve(function.path, frame.parent, decorator[:1])
        return not isinstance(value, Function)

    def _is_command(self, function: Function, decorator: Path) -> bool:
        """Whether a decorator belongs to a library for command lines, whatever its group is called."""
        root = self.resolver.resolve(function.path, self.program.frame(function).parent, decorator[:1])
        if isinstance(root, Slot):
            root = self.resolver.settle(root)[1]
        if isinstance(root, Function) and root != function:
            return any(self._is_command(root, each) for each in self.program.frame(root).decorators)
        dotted = root.name if isinstance(root, External) else root.maker if isinstance(root, Made) else ""
        return dotted.partition(".")[0] in frameworks.COMMAND_LIBRARIES

    def _method_entry(self, owner: Class, name: str, frame: object) -> str:
        bases = self.resolver.external_bases(owner)
        if any(name in frameworks.command_methods(base) for base in bases):
            return "startup"
        public = not name.startswith("_") or name in ("__call__",)
        if public and any(frameworks.handler_base(base) for base in bases) and name not in ("as_view", "initialize"):
            return "request"
        if _RESPONDER.fullmatch(name):
            return "request"
        if self._is_exposed(owner, name):
            return "request"
        if name in ("do_GET", "do_POST", "do_PUT", "do_DELETE", "do_HEAD"):
            return "request"
        if self.bare and public:
            return "request"
        return self._value_entry(self.program.method(owner, name))

    def _is_exposed(self, owner: Class, name: str) -> bool:
        """Whether a mark says that requests may call a method: `index.exposed = True`."""
        method = self.program.method(owner, name)
        return method is not None and (method, "exposed") in self.resolver.function_attributes

    def _value_entry(self, function: Function | None) -> str:
        """An entry point where the function itself is handed to somebody who may call it later.

        It counts where that is done by the web program: at the level of one of its modules, or by a function that runs.
        """
        if function is None:
            return ""
        name = self.program.frame(function).name
        if name in _STARTUP_NAMES or not (self.bare or function.path in self.program.connected):
            return ""
        if self._decorates(function):
            return ""
        for path, ref in self._handed_on(name).get(function, ()):
            around = self.program.function_around(path, ref.frame)
            if not around or self.bare or self.runs(Function(path, around)):
                return "request"
        return ""

    def _decorates(self, function: Function) -> bool:
        """Whether a function gives back the code that it gets: a decorator, which runs at import."""
        frame = self.program.frame(function)
        code = {each.name for each in frame.parameters if each.name in _CODE or _CALLABLE.search(each.annotation)}
        return any(
            ref.use == "return" and len(ref.path) == 1 and ref.path[0] in code
            for ref in self.program.refs_in(function.path, function.frame)
        )

    def _handed_on(self, name: str) -> dict[Value, list[tuple[str, Ref]]]:
        """References that hand what they mean on, or a call of it to what runs coroutines beside requests."""
        known = self._handed.get(name)
        if known is not None:
            return known
        found: dict[Value, list[tuple[str, Ref]]] = defaultdict(list)
        for path, ref in self._calls.get(name, ()):
            if ref.flags & MAIN:
                continue
            if ref.path[-1] == name:
                later = ref.use == "pass" and not self._starts_up(ref) and not self._waited_for(path, ref)
                handed = later or ref.use in _HANDING
                steps = ref.path
            else:
                spawned = ref.use == "pass" and bool(ref.callee) and _SPAWNERS.search(ref.callee[-1]) is not None
                handed = spawned and ref.path[-2:] == (name, "()")
                steps = ref.path[:-1]
                if ref.flags & LAMBDA and ref.path[-2:] == (name, "()"):  # of a function that others call later
                    handed = handed or not self.program.function_around(path, ref.frame)
            if handed:
                found[self.resolver.resolve(path, ref.frame, steps)].append((path, ref))
        self._handed[name] = found
        return found

    def _waited_for(self, path: str, ref: Ref) -> bool:
        """Whether a function is handed to a thread whose result is waited for at once: that is a call of it."""
        waits = (*ref.callee, "()", "result")
        return bool(ref.callee) and any(
            other.line == ref.line and other.path[: len(waits)] == waits
            for other in self.program.refs_in(path, ref.frame)
        )

    def runs(self, function: Function) -> bool:
        """Whether the web program runs a function, at start-up or later: a module with a framework leads to it."""
        known = self._running.get(function)
        if known is None:
            self._running[function] = False  # for functions that call each other
            found = {function}
            queue = [function]
            known = False
            for caller in queue:
                in_web = caller.path in self.program.web_programs
                if in_web or self._running.get(caller) or self.entry(caller) == "request":
                    known = True
                    break
                for further in self.callers(caller):
                    if further not in found:
                        found.add(further)
                        queue.append(further)
            self._running[function] = known
        return known

    def starts(self, function: Function) -> bool:
        """Whether a function is known to run while the program starts: a module, a hook or a factory leads to it."""
        known = self._starting.get(function)
        if known is None:
            found = {function}
            queue = [function]
            known = False
            for caller in queue:
                if self._starting.get(caller) or self._is_started(caller):
                    known = True
                    break
                fresh = [further for further in self._known_callers(caller) if further not in found]
                found.update(fresh)
                queue += fresh
            self._starting[function] = known
        return known

    def _is_started(self, function: Function) -> bool:
        """Whether a module calls a function, hands it to what calls it at the start, or calls it by such a name."""
        frame = self.program.frame(function)
        if frame.name in _STARTUP_NAMES or self.entry(function) == "startup" or self._makes_app(function):
            return True
        owner = self.program.facts[function.path].frames[frame.parent]
        wanted: list[tuple[str, Function | Class]] = [(frame.name, function)]
        if owner.sort == CLASS and frame.name == "__init__":
            wanted.append((owner.name, Class(function.path, frame.parent)))
        return any(self._is(value, meant) for name, meant in wanted for value in self._called_at_start(name))

    def _called_at_start(self, name: str) -> tuple[Value, ...]:
        """What a name means wherever a module calls it, or hands it to what calls it at the start."""
        known = self._at_start.get(name)
        if known is None:
            found: dict[Value, None] = {}
            for path, ref in self._calls.get(name, ()):
                index = ref.path.index(name)
                is_called = ref.path[index + 1 : index + 2] == ("()",)
                called = is_called and not self.program.function_around(path, ref.frame)
                handed = ref.use == "pass" and index == len(ref.path) - 1 and self._starts_up(ref)
                if ref.use == "define" or not (called or handed):
                    continue
                value = self.resolver.resolve(path, ref.frame, ref.path[: index + 1])
                if isinstance(value, Slot):
                    value = self.resolver.held(value) or value
                found[value] = None
            known = self._at_start[name] = tuple(found)
        return known

    def _makes_app(self, function: Function) -> bool:
        """Whether a function makes the application: a factory, which the server calls by its name."""
        return any(
            ref.path[-1] == "()" and self.resolver.resolve(function.path, ref.frame, ref.path) == App()
            for ref in self.program.refs_in(function.path, function.frame)
        )

    @staticmethod
    def _starts_up(ref: Ref) -> bool:
        if ref.position in (
            "lifespan",
            "on_startup",
            "on_shutdown",
            "key",
            "default_factory",
            "func",
            "type",
            "factory",
        ):
            return True
        callee = ref.callee
        return bool(callee) and (
            callee[-1] in _STARTUP_CALLEES or callee[-2:-1] == ("on_startup",) or callee[0] in ("atexit", "signal")
        )

    def callers(self, function: Function) -> list[Function]:
        """Functions that call or may call this one."""
        known = self._callers.get(function)
        if known is None:
            known = self._callers[function] = self._find_callers(function, self._may_be)
        return known

    def _known_callers(self, function: Function) -> list[Function]:
        """Functions that call this one, no guess by the name of a method among them."""
        return self._find_callers(function, lambda value, wanted, *_: self._is(value, wanted))

    def _find_callers(self, function: Function, is_meant: _Meant) -> list[Function]:
        frame = self.program.frame(function)
        owner = self.program.facts[function.path].frames[frame.parent]
        name = frame.name
        found: list[Function] = []
        if owner.sort == CLASS and name in (
            "__init__",
            "__new__",
            "__post_init__",
            "__enter__",
            "__call__",
            "__getitem__",
        ):
            found += self._callers_of(owner.name, Class(function.path, frame.parent), is_meant)
        if not (name.startswith("__") and name.endswith("__")):
            found += self._callers_of(name, function, is_meant)
        if frame.parent > 0 and owner.sort == FUNCTION and frame.decorators:
            found.append(Function(function.path, frame.parent))
        if owner.sort == CLASS:
            found += self._dispatchers(Class(function.path, frame.parent))
        return found

    def _dispatchers(self, owner: Class) -> list[Function]:
        """Methods that call others of their class by computed names, `getattr(self, f"on_{event}")`."""
        known = self._dispatching.get(owner)
        if known is None:
            known = self._dispatching[owner] = [
                Function(owner.path, frame)
                for ref in self.program.facts[owner.path].refs
                if ref.path[:2] == ("getattr", "()")
                and len(ref.arguments[0]) >= 2
                and ref.arguments[0][0].hint == ("self",)
                and ref.flags & DYNAMIC
                and self.program.class_around(owner.path, ref.frame) == owner.frame
                and (frame := self.program.function_around(owner.path, ref.frame))
            ]
        return known

    def _callers_of(self, name: str, wanted: Function | Class, is_meant: _Meant) -> list[Function]:
        namesakes = len(self.program.functions.get(name, ()))
        found: list[tuple[int, Function]] = []
        for (value, is_attribute), calls in self._calls_of(name).items():
            if is_meant(value, wanted, is_attribute, namesakes):
                found += calls
        return list(dict.fromkeys(caller for _, caller in sorted(found, key=itemgetter(0))))

    def _calls_of(self, name: str) -> dict[tuple[Value, bool], list[tuple[int, Function]]]:
        """Calls of a name, by what it means there and whether it is an attribute: their order, and who calls."""
        known = self._called.get(name)
        if known is not None:
            return known
        found: dict[tuple[Value, bool], list[tuple[int, Function]]] = defaultdict(list)
        for order, (path, ref) in enumerate(self._calls.get(name, ())):
            caller = self.program.function_around(path, ref.frame)
            if ref.use == "define" or not caller:
                continue
            index = ref.path.index(name)
            values = self.resolver.trace(path, ref.frame, ref.path[: index + 1])
            value: Value = values[-1] if len(values) == index + 1 else None
            if isinstance(value, Slot):
                value = self.resolver.held(value) or value
            found[value, index > 0].append((order, Function(path, caller)))
        self._called[name] = found
        return found

    def _may_be(self, value: Value, wanted: Function | Class, is_attribute: bool, namesakes: int) -> bool:
        """Whether a call means the wanted function, or may mean it as a method of what could not be followed."""
        if self._is(value, wanted):
            return True
        if isinstance(wanted, Class) or value is not None:
            return False
        owner = self.program.facts[wanted.path].frames[self.program.frame(wanted).parent]
        return is_attribute and owner.sort == CLASS and namesakes <= _MANY

    def _is(self, value: Value, wanted: Function | Class) -> bool:
        """Whether what is called is the wanted function, or one that it overrides or that overrides it."""
        if value == wanted:
            return True
        if isinstance(wanted, Class):
            return isinstance(value, Instance) and value.of == wanted
        if isinstance(value, Function):
            frame = self.program.frame(wanted)
            owner = self.program.facts[wanted.path].frames[frame.parent]
            other = self.program.frame(value)
            parent = self.program.facts[value.path].frames[other.parent]
            if parent.sort != CLASS or owner.sort != CLASS or other.name != frame.name:
                return False
            mine, theirs = Class(wanted.path, frame.parent), Class(value.path, other.parent)
            related = theirs in self.resolver.lineage(mine) or mine in self.resolver.lineage(theirs)
            return related or self.are_twins(mine, theirs)
        return False
