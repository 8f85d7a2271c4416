"""Live handles: objects that mean something to this process only, by type and by what is called on them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from unstate.link.program import Program
from unstate.link.resolve import Resolver
from unstate.link.values import Class, Instance, Made, Slot, Typed, Value
from unstate.model import Kind

_DEPTH = 3  # of attributes that are looked into: an object that holds an object that holds a socket

# Types by the last part of their name, most telling first.
_TYPES: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (Kind.LOCK, re.compile(r"R?Lock|Condition|(Bounded)?Semaphore|\w*RWLock|CapacityLimiter")),
    (Kind.SCHEDULER, re.compile(r"\w*Scheduler")),
    (Kind.QUEUE, re.compile(r"\w*Queue|\w*ObjectStream|\w*Channel")),
    (
        Kind.CONNECTION_REGISTRY,
        re.compile(
            r"Web[Ss]ocket\w*|\w*Task|\w*Thread|\w*Process|\w*Popen|\w*Future|[Ss]ocket|\w*StreamWriter|\w*StreamReader"
            r"|\w*Timer|TimerHandle|\w*Connection|\w*Consumer|create_task|ensure_future|run_coroutine_threadsafe|submit"
            r"|\w*Client|\w*ClientSession|create_subprocess_\w+|Redis|Engine|Event|\w*Executor|\w*Transport|\w*Cursor"
            r"|\w*Generator|Greenlet|Server|\w*Loop|TextIOWrapper|BufferedWriter|\w*Logger|\w*Pool|from_url|spawn|connect"
            r"|\w*Subprocess|sessionmaker|\w*Browser|\w*Driver|Page|\w*Handler|\w*Response"
        ),
    ),
)
# Project classes are no handles by their names: what they hold decides.
_WORD = re.compile(r"[A-Za-z_][\w.]*")
# Types of other libraries whose values are data and can be written down.
_DATA = frozenset(
    (
        "datetime date time timedelta timezone Decimal Fraction UUID uuid1 uuid3 uuid4 uuid5 Path PurePath PosixPath"
        " PurePosixPath Namespace SimpleNamespace ObjectId Counter OrderedDict defaultdict deque DataFrame Series"
        " ndarray"
        " IPv4Address IPv6Address ip_address ip_network IPv4Network IPv6Network Address BytesIO StringIO Any object"
        " Version URL MultiDict Struct BaseModel Request UploadFile FileStorage Message Field PrivateAttr"
    ).split()
)
_CALLABLES = frozenset({"Callable", "Coroutine", "Awaitable", "Type", "type", "FunctionType", "MethodType", "partial"})
# Methods that only handles have, called on an entry of a store.
METHODS = frozenset(
    (
        "send_json send_text send_bytes send_str write_message cancel terminate kill put_nowait get_nowait is_alive"
        " acquire release set_result add_done_callback start_polling aclose wait_closed drain communicate poll"
    ).split()
)


class Handles:
    """Answers which kind of live handle a value is, if any."""

    def __init__(self, program: Program, resolver: Resolver) -> None:
        self.program = program
        self.resolver = resolver
        self._classes: dict[Class, Kind | None] = {}

    def of(self, value: Value) -> Kind | None:
        """The kind of handle that a value is or holds, None where it is data as far as one can see."""
        if isinstance(value, Instance):
            return self.of_class(value.of)
        if isinstance(value, Made):
            return self.of_maker(value.maker)
        return self.of_annotation("", 0, value.annotation) if isinstance(value, Typed) else None

    def of_maker(self, maker: str) -> Kind | None:
        """By the dotted name of a class or function of another library."""
        last = maker.rpartition(".")[2]
        if maker.startswith(("builtins.", "typing.")) or last in _DATA:
            return None
        for kind, pattern in _TYPES:
            if pattern.fullmatch(last):
                return kind
        if last[:1].isupper() and "." in maker:
            return Kind.CONNECTION_REGISTRY  # an object of another library, of which nothing says that it is data
        return None

    def of_annotation(self, path: str, frame: int, annotation: str) -> Kind | None:
        """By an annotation, the types within its brackets included; names are followed where `path` is given."""
        for match in _WORD.finditer(annotation):
            value = self.resolver.resolve(path, frame, tuple(match[0].split("."))) if path else None
            found = self.of_class(value) if isinstance(value, Class) else _by_name(match[0])
            if found is not None:
                return found
        return None

    def of_class(self, of: Class, depth: int = 0) -> Kind | None:
        """A class of the project: a handle by its bases, or because its instances hold one."""
        if of in self._classes:
            return self._classes[of]
        self._classes[of] = None
        found = self._of_class(of, depth)
        if depth == 0 or found is not None:
            self._classes[of] = found
        else:
            del self._classes[of]
        return found

    def _of_class(self, of: Class, depth: int) -> Kind | None:
        for base in self.resolver.external_bases(of):
            if _by_name(base.rpartition(".")[2]) is not None:
                return Kind.CONNECTION_REGISTRY
        if depth >= _DEPTH:
            return None
        for known in self.resolver.lineage(of):
            for path, frame, annotation, value in self._held_by(known):
                if annotation and self._annotated(path, frame, annotation, depth):
                    return Kind.CONNECTION_REGISTRY
                if isinstance(value, Instance):
                    if value.of != of and self.of_class(value.of, depth + 1) is not None:
                        return Kind.CONNECTION_REGISTRY
                elif isinstance(value, Made) and _by_name(value.maker.rpartition(".")[2]) is not None:
                    return Kind.CONNECTION_REGISTRY
        return None

    def _annotated(self, path: str, frame: int, annotation: str, depth: int) -> bool:
        for match in _WORD.finditer(annotation):
            value = self.resolver.resolve(path, frame, tuple(match[0].split(".")))
            if isinstance(value, Class):
                if self.of_class(value, depth + 1) is not None:
                    return True
            elif _by_name(match[0]) is not None:
                return True
        return False

    def _held_by(self, of: Class) -> Iterable[tuple[str, int, str, Value]]:
        """Annotations and values of everything that the class binds on itself or its instances."""
        for name, writes in self.resolver.attributes.get(of, {}).items():
            if name.lower().endswith(("logger", "log")):
                continue
            for path, ref in writes:
                yield path, ref.frame, ref.annotation, self._value(path, ref.frame, ref.value)
        for bindings in self.program.names[of.path][of.frame].values():
            for binding in bindings:
                if binding.ref is not None and binding.ref.annotation:
                    yield of.path, of.frame, binding.ref.annotation, None

    def _value(self, path: str, frame: int, hint: tuple[str, ...]) -> Value:
        value = self.resolver.of_hint(path, frame, hint)
        return self.resolver.settle(value)[1] if isinstance(value, Slot) else value


def is_callable(annotation: str) -> bool:
    """Whether an annotation says that the values are code: functions or classes."""
    heads = [match[0].rpartition(".")[2] for match in _WORD.finditer(annotation)]
    return any(head in _CALLABLES for head in heads)


def _by_name(name: str) -> Kind | None:
    last = name.rpartition(".")[2]
    if last in _DATA:
        return None
    return next((kind for kind, pattern in _TYPES if pattern.fullmatch(last)), None)
