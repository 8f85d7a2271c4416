"""Why a candidate is no state: the first reason that holds, "" where none does."""

from __future__ import annotations

import re
from collections.abc import Callable

from unstate.classify import memos
from unstate.classify.contents import Contents
from unstate.classify.subject import Subject
from unstate.facts.values import BRANCH, COMPREHENSION, FUNCTION, MAIN
from unstate.link import containers
from unstate.link.candidates import Touch
from unstate.link.values import Function, Made
from unstate.model import Kind, Op
from unstate.project import is_aside

# Bases whose instances are rows: what is set on them is written to a database.
_STORED = frozenset("Model Base DeclarativeBase SQLModel Document EmbeddedDocument".split())
# Bases whose class attributes describe fields, not shared values.
_DECLARATIVE = frozenset(
    (
        "BaseModel Model Base DeclarativeBase SQLModel Enum IntEnum StrEnum TypedDict NamedTuple BaseSettings"
        " Schema Serializer ModelSerializer Form ModelForm Document EmbeddedDocument HasTraits Configurable"
        " Struct FilterSet ModelAdmin AppConfig Protocol FlaskForm Migration Resource ObjectType Exception"
        " Meta TestCase"
    ).split()
)


def why(subject: Subject, contents: Contents) -> str:
    """The reason for silence."""
    if contents.handle is Kind.SCHEDULER and subject.started is not None:
        return ""
    for reason in _REASONS:
        if reason(subject):
            return (reason.__doc__ or reason.__name__).strip()
    if contents.code:
        return "The values are functions or classes."
    if contents.handle is None and memos.is_memo(subject):
        return "A memo of what every process can work out for itself."
    return ""


def _never_written(subject: Subject) -> bool:
    """No request writes it."""
    return not subject.live_writes


def _never_filled(subject: Subject) -> bool:
    """Nothing is ever put in."""
    return not any(touch.op in containers.FILLS or touch.op is Op.CALL for touch in subject.live_writes)


def _only_for_script(subject: Subject) -> bool:
    """Defined under `if __name__ == "__main__"`."""
    return bool(subject.candidate.definition.flags & MAIN)


def _declares_a_field(subject: Subject) -> bool:
    """The class describes fields: a model, a dataclass, a form."""
    owner = subject.owner
    if owner is None:
        return False
    frame = subject.program.frame(owner)
    bases = {base.rpartition(".")[2] for base in subject.resolver.external_bases(owner)}
    if not bases.isdisjoint(_STORED):
        return True
    if not subject.defined_in_class_body():
        return False
    if any(path[-1] in ("dataclass", "define", "attrs", "s") or "dataclass" in path for path in frame.decorators):
        # A factory makes a value for each object: it is state where an object of the class lives on.
        made = subject.has_factory() and subject.lifetimes.is_long(owner)
        return not (made or _on_named_object(subject))
    return not bases.isdisjoint(_DECLARATIVE) and not ("BaseModel" in bases and _on_named_object(subject))


def _on_named_object(subject: Subject) -> bool:
    """Whether a request changes it on an object that a module keeps under a name, no entry of one: `state.n += 1`."""
    return any(_is_named_object(subject, touch) for touch in subject.live_writes)


def _is_named_object(subject: Subject, touch: Touch) -> bool:
    steps = touch.ref.path[: len(touch.ref.path) - len(touch.rest) - 1]
    if not steps or not all(step.isidentifier() for step in steps):
        return False
    found = subject.program.lookup(touch.path, touch.ref.frame, steps[0])
    return found is not None and found[0] == 0


def _short_lived(subject: Subject) -> bool:
    """Its object lives no longer than a request."""
    slot = subject.candidate.slot
    if slot.sort == "class" and (
        not subject.defined_in_class_body()
        or _rebound_on_self(subject)
        or _only_replaced(subject)
        or subject.is_rebound_on_objects()
    ):
        return subject.owner is None or not subject.lifetimes.is_long(subject.owner)
    if slot.sort == "local":
        return not _outlives_call(subject)
    return False


def _rebound_on_self(subject: Subject) -> bool:
    """A class attribute that `__init__` replaces belongs to the instance."""
    return any(
        touch.op is Op.REBIND
        and len(touch.ref.path) == 2
        and touch.ref.path[0] == "self"
        and subject.program.facts[touch.path].frames[touch.function].name == "__init__"
        for touch in subject.candidate.touches
    )


def _only_replaced(subject: Subject) -> bool:
    """A class attribute that objects replace with their own, and of which the class's own is changed by nobody."""
    return all(
        touch.op is Op.REBIND and touch.ref.path[0] == "self" and len(touch.ref.path) == 2
        for touch in subject.live_writes
    )


def _kept_alive(subject: Subject) -> bool:
    """A set that only keeps background tasks from being collected: each is taken out as it ends."""
    if subject.candidate.flavour != containers.SET:
        return False
    given = [touch for touch in subject.used if touch.rest in (("discard",), ("remove",))]
    return any(touch.ref.callee[-1:] == ("add_done_callback",) for touch in given) and all(
        touch.op in (Op.DEFINE, Op.IMPORT, Op.ADD, Op.REMOVE, Op.LEN, Op.ITER, Op.CLEAR, Op.BOOL) or touch in given
        for touch in subject.used
        if subject.reached(touch)
    )


def _result_of_a_call(subject: Subject) -> bool:
    """What a call's own helpers collect while it runs, for the call itself to read."""
    slot = subject.candidate.slot
    if slot.sort != "local" or subject.candidate.definition.use == "default":
        return False
    owner = Function(slot.path, slot.frame)
    own = [touch for touch in subject.candidate.touches if touch.function == slot.frame and touch.op is not Op.DEFINE]
    if not own or subject.reach.entry(owner) == "startup" or _is_called_at_start(subject, owner):
        return False
    inner = {touch.function for touch in subject.candidate.touches} - {slot.frame}
    return all(_helps(subject, owner, helper) for helper in inner)


def _helps(subject: Subject, owner: Function, helper: int) -> bool:
    """Whether a function is called by the one around it, or handed to a thread or to what calls it back meanwhile."""
    frames = subject.program.facts[owner.path].frames
    frame = frames[helper]
    if frame.parent != owner.frame or frame.decorators:
        return False
    mentions = [ref for ref in subject.program.facts[owner.path].refs if ref.path[0] == frame.name]
    return all(
        ref.use == "define"
        or ref.path[1:2] == ("()",)
        or (ref.use == "pass" and len(ref.path) == 1 and ref.callee[-1:] and ref.callee[-1] in _MEANWHILE)
        for ref in mentions
        if (found := subject.program.lookup(owner.path, ref.frame, frame.name)) is None or found[0] == owner.frame
    )


# What runs a function beside the one that hands it over, or calls it back while that goes on.
_MEANWHILE = frozenset(
    (
        "Thread Process submit run_in_executor to_thread run_in_threadpool start_new_thread map starmap apply_async"
        " on once add_listener create_task ensure_future gather run"
    ).split()
)


def _is_called_at_start(subject: Subject, function: Function) -> bool:
    """Whether a module calls a function, itself or as the program that it is."""
    name = subject.program.frame(function).name
    return name == "main" or any(
        "()" in ref.path and not subject.program.function_around(path, ref.frame)
        for path, ref in subject.program.calls.get(name, ())
    )


def _outlives_call(subject: Subject) -> bool:
    slot = subject.candidate.slot
    if subject.candidate.definition.use == "default":
        return not any(touch.op is Op.REBIND for touch in subject.candidate.touches)
    if subject.candidate.definition.flags & COMPREHENSION:
        return False
    if subject.reach.way(slot.path, slot.frame) is not None or _runs_within(subject):
        return False
    return any(touch.function != slot.frame for touch in subject.live_writes)


def _runs_within(subject: Subject) -> bool:
    """Whether the inner functions that use a local are only called, or run beside it, by the function that it is of."""
    slot = subject.candidate.slot
    frames = subject.program.facts[slot.path].frames
    inner = set()
    for touch in subject.used:
        frame = touch.function
        while frame not in (0, slot.frame) and frames[frame].parent != slot.frame:
            frame = frames[frame].parent
        inner |= {frame} - {slot.frame}
    mentions = subject.program.refs_in(slot.path, slot.frame)
    for frame in inner:
        own = [ref for ref in mentions if ref.path[0] == frames[frame].name and ref.use != "define"]
        if not own or frames[frame].decorators:
            return False
        if any(ref.path[1:2] != ("()",) and not _SPAWNING.intersection(ref.callee[-1:]) for ref in own):
            return False
    return bool(inner)


_SPAWNING = frozenset(
    (
        "Thread Process Timer submit run_in_executor to_thread create_task ensure_future run gather map"
        " start_new_thread wait_for run_sync spawn call_soon run_coroutine_threadsafe run_until_complete"
    ).split()
)


def _lazy_singleton(subject: Subject) -> bool:
    """A name for an object that is made on first use, or set at start-up."""
    named = subject.candidate.constructor in containers.NAMESPACES
    if subject.candidate.flavour != containers.SCALAR and not named:
        return False
    if any(touch.op is Op.CALL for touch in subject.live_writes):
        return False
    binds = [touch for touch in subject.live_writes if named or touch.op is Op.REBIND]
    return all(touch.ref.use == "target" and _makes_object(subject, touch) for touch in binds)


def _set_up_once(subject: Subject) -> bool:
    """A flag that says that something was set up: tested and set by one function, never taken back."""
    if subject.candidate.constructor != "bool":
        return False
    binds = [touch for touch in subject.live_writes if touch.op is Op.REBIND]
    if {touch.ref.source for touch in binds} not in ({"True"}, {"False"}):
        return False
    return all(_is_guarded(subject, touch) for touch in binds)


def _is_guarded(subject: Subject, touch: Touch) -> bool:
    """Whether a function sets the flag that it tests, on its own account: it is no handler of a request."""
    function = Function(touch.path, touch.function)
    if subject.reach.entry(function) == "request" or touch.ref.use != "target":
        return False
    frame = subject.program.frame(function)
    return frame.name == "__init__" or any(
        other.op in (Op.READ, Op.BOOL) and (other.path, other.function) == (touch.path, touch.function)
        for other in subject.used
    )


def _field_of_an_object(subject: Subject) -> bool:
    """A number or text that an object sets on itself."""
    if subject.candidate.flavour != containers.SCALAR or subject.candidate.slot.sort != "class":
        return False
    if _counts_for_requests(subject):
        return False
    return all(
        touch.op is not Op.REBIND or (touch.ref.path[0] == "self" and len(touch.ref.path) == 2)
        for touch in subject.live_writes
    )


def _counts_for_requests(subject: Subject) -> bool:
    """Whether requests add to a number of a long-lived object, and one of them reads what it has come to."""
    if subject.candidate.constructor not in ("int", "float") or _MEASURED.search(subject.bare_name):
        return False
    counted = any(touch.ref.use == "augment" for touch in subject.live_writes)
    return counted and any(touch.op is Op.READ and subject.reached(touch) for touch in subject.used)


_MEASURED = re.compile(r"hit|miss|evict|flight|active|calls|retries|depth")  # what goes on in this process


def _done_by_this_process(subject: Subject) -> bool:
    """A mark of what this process has done for itself: set up, started, loaded."""
    if subject.candidate.flavour != containers.SCALAR or subject.candidate.constructor != "bool":
        return False
    binds = [touch for touch in subject.live_writes if touch.op is Op.REBIND]
    constant = all((touch.value or touch.ref.value) == ("=", "bool") for touch in binds)
    return constant and _DONE.search(subject.bare_name) is not None


_DONE = re.compile(
    r"(^|_)(initiali[sz]ed|inited|loaded|installed|patched|configured|warmed(_up)?)$"
    r"|(loop|server|thread|worker|scheduler|monitor|service|process|app|listener)_(started|running|ready)$"
)


def _diagnoses(subject: Subject) -> bool:
    """Measurements of this process: profiles, timings, traces."""
    return re.search(r"profiler|profiling|debug|tracing|benchmark|timings", subject.bare_name) is not None


def _filled_by_decorators(subject: Subject) -> bool:
    """A registry that decorators fill while modules are imported."""
    fills = [touch for touch in subject.live_writes if touch.op in containers.FILLS]
    return bool(fills) and all(_in_decorator(subject, touch) for touch in fills)


def _loaded_from_files(subject: Subject) -> bool:
    """A registry of what ships with the code: only functions that walk folders or parse files fill it."""
    fills = [touch for touch in subject.writes if touch.op in _PUTS and not is_aside(touch.path)]
    return any(touch.function for touch in fills) and all(_in_loader(subject, touch) for touch in fills)


_PUTS = containers.FILLS - {Op.NESTED_WRITE, Op.AUGITEM}
_LOADS = frozenset(
    (
        "safe_load import_module exec_module spec_from_file_location iter_modules walk_packages glob rglob walk iterdir"
        " ElementTree parseXmlFile entry_points iter_entry_points find_spec"
    ).split()
)


def _in_loader(subject: Subject, touch: Touch) -> bool:
    """Whether a function walks or parses what ships with the code, or is a part of one that does."""
    if not touch.function:
        return True
    function = Function(touch.path, touch.function)
    around = [function, *(caller for caller in subject.reach.callers(function) if caller.path == touch.path)]
    return any(
        not _LOADS.isdisjoint(ref.path) for place in around for ref in subject.program.refs_in(place.path, place.frame)
    )


def _in_decorator(subject: Subject, touch: Touch) -> bool:
    """Whether a function gives back the function or class that it got, after filing it."""
    function = Function(touch.path, touch.function)
    frames = subject.program.facts[touch.path].frames
    frame = frames[touch.function]
    is_inner = frame.parent > 0 and frames[frame.parent].sort == FUNCTION and not frame.decorators
    if not is_inner and (subject.reach.entry(function) == "request" or subject.reach.callers(function)):
        return False  # a handler, or what one calls, answers with what it was given
    names = {parameter.name for parameter in frame.parameters}
    return any(
        ref.use == "return" and len(ref.path) == 1 and ref.path[0] in names and _files(touch, ref.path[0])
        for ref in subject.program.refs_in(touch.path, touch.function)
    )


def _files(touch: Touch, name: str) -> bool:
    hints = [argument.hint for arguments in touch.ref.arguments for argument in arguments]
    return any(hint[:1] == (name,) for hint in [touch.value, touch.ref.value, *hints])


def _makes_object(subject: Subject, touch: Touch) -> bool:
    hint = touch.ref.value
    if hint[:1] == ("=",):
        return hint[1] == "None"
    made = touch.value_type
    if made in containers.IMMUTABLE or made.partition("[")[0] in ("dict", "list", "set"):
        return False
    if hint[-1:] == ("()",):
        return bool(touch.ref.flags & BRANCH) or bool(made) or _loads_object(subject, touch)
    return False


# Libraries whose calls give data: what they load anew may differ from what other processes have.
_DATA = frozenset("json orjson ujson yaml toml tomllib tomli pickle csv pandas os".split())


def _loads_object(subject: Subject, touch: Touch) -> bool:
    """Whether a helper without parameters makes an object of another library: the same one in every process."""
    made = subject.resolver.of_hint(touch.path, touch.ref.frame, touch.ref.value)
    function = Function(touch.path, touch.function)
    return (
        isinstance(made, Made)
        and made.maker.partition(".")[0] not in _DATA
        and not subject.program.frame(function).parameters
        and subject.reach.entry(function) != "request"
        and not memos.asks(subject.program, touch.path, touch.function)
    )


_REASONS: tuple[Callable[[Subject], bool], ...] = (
    _only_for_script,
    _declares_a_field,
    _never_written,
    _never_filled,
    _short_lived,
    _result_of_a_call,
    _lazy_singleton,
    _set_up_once,
    _field_of_an_object,
    _filled_by_decorators,
    _loaded_from_files,
    memos.is_filled_once,
    memos.is_said_once,
    memos.is_last_answer,
    _done_by_this_process,
    _diagnoses,
    _kept_alive,
    memos.is_own_clock,
    memos.is_log_mark,
    memos.is_expiring_copy,
)
