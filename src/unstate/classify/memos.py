"""Containers that only remember: memos, marks that something was said once, clocks of this process's own chores."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from itertools import pairwise

from unstate.classify.subject import Subject
from unstate.facts.hints import path_of
from unstate.facts.values import AWAITED, BRANCH, Ref
from unstate.link import containers
from unstate.link.candidates import Touch
from unstate.link.places import parse
from unstate.link.program import Program
from unstate.link.values import Function, Instance, Slot, Typed
from unstate.model import Op

_GIVEN = re.compile(r"[\w.()\[\]'\"]*")  # a name, or a part of what it stands for
_WORD = re.compile(r"[A-Za-z_]\w*")
_TIDYING = frozenset(
    {Op.DEFINE, Op.GLOBAL, Op.IMPORT, Op.LEN, Op.CLEAR, Op.DELITEM, Op.POP, Op.REMOVE, Op.ITER, Op.REBIND}
)
_FRESH = frozenset("dict list set int float bool".split())
_NUMBERS = frozenset("int float bool".split())
_READS = frozenset({Op.GET, Op.GETITEM, Op.CONTAINS, Op.ALIAS})
_SAID = re.compile(r"warn|logged|_log$|reported|seen|notified|once|announced|complained|printed")
_LOGGING = frozenset("debug info warning warn error exception critical log print".split())
# Calls that ask somebody else: what they answer may change, so that a memo of it is a cache.
_ASKING = frozenset(
    (
        "execute executemany fetchone fetchall find_one aggregate urlopen scalars scalar completions invoke ainvoke"
        " generate_content embed_documents embed_query"
    ).split()
)
# Names on the way to a call that asks: `requests.get(...)`, `User.objects.filter(...)`, `db.query(...)`.
_DATABASES = frozenset("requests httpx objects query session openai".split())
_LOCAL = frozenset("read_file to_thread run_in_executor read open exists stat sleep acquire gather readline".split())
_FILE_STATE = frozenset("getmtime st_mtime getsize stat lstat st_size mtime st_mtime_ns".split())
_WATCHING = frozenset(
    "dispatch on_any_event on_created on_deleted on_modified on_moved on_closed".split()
)  # of watchdog
_CLOCKS = frozenset({("time", "time", "()"), ("time", "monotonic", "()"), ("time", "()"), ("monotonic", "()")})


def is_memo(subject: Subject) -> bool:
    """Whether one function looks an answer up, works it out and keeps it, and nothing else changes it.

    Working it out asks nobody: no awaiting, no database, no network. A memo of such answers is right in every process.
    """
    writers = {(touch.path, touch.function) for touch in subject.live_writes if touch.op in containers.FILLS}
    if not writers or subject.candidate.flavour not in (containers.DICT, containers.SCALAR):
        return False
    if any(touch.op in (Op.RETURN, Op.PASS) and not touch.rest for touch in subject.used):
        return False
    if any((touch.path, touch.function) not in writers and touch.op not in _TIDYING for touch in subject.used):
        return False
    if any(touch.ref.use == "augment" and not touch.through for touch in subject.writes):
        return False
    removed = {(touch.path, touch.function) for touch in subject.live_writes} - writers
    if removed and any(
        subject.reached_by_request_alone(place) and not _is_called_by_watcher(subject, place) for place in removed
    ):
        return False
    for path, function in writers:
        reads = [touch for touch in subject.candidate.touches if (touch.path, touch.function) == (path, function)]
        looked_up = [touch.ref.line for touch in reads if touch.op in _READS]
        kept = [touch.ref.line for touch in reads if touch.op in containers.FILLS]
        if not looked_up or (kept and min(looked_up) > min(kept)):
            return False  # a memo is asked before it is filled
        if _watches_file(subject, path, function):
            continue
        if asks(subject.program, path, function) and not _expires(subject, path, function):
            return False
        fills = [touch for touch in subject.live_writes if (touch.path, touch.function) == (path, function)]
        answers = [_is_answer(subject, touch) for touch in fills if touch.op in containers.FILLS]
        if False in answers or True not in answers:
            return False
    return True


# Calls whose answers differ from process to process.
_VARYING = frozenset(
    (
        "uuid1 uuid4 token_hex token_urlsafe token_bytes random randint randrange choice choices shuffle urandom time"
        " monotonic now utcnow today getpid gethostname request"
    ).split()
)
# Calls that read what somebody may have changed since.
_READING = frozenset("open read_text read_bytes load loads".split())
_TABLES = frozenset({containers.DICT, containers.LIST, containers.SET, containers.SCALAR})


def is_filled_once(subject: Subject) -> bool:
    """A table that one function fills when it finds it empty, from what every process has, and nobody changes."""
    candidate = subject.candidate
    writers = {(touch.path, touch.function) for touch in subject.live_writes}
    if candidate.flavour not in _TABLES or candidate.slot.sort != "module" or len(writers) != 1:
        return False
    ((path, function),) = writers
    fills = [touch for touch in subject.live_writes if touch.op in containers.FILLS and touch.ref.use != "augment"]
    own = [touch for touch in subject.used if (touch.path, touch.function) in writers and touch.op is not Op.GLOBAL]
    if len(fills) != len(subject.live_writes) or not _is_filled_when_empty(own, fills):
        return False
    made = _called_by(subject, path, function)
    if all(_is_whole_answer(subject, touch) for touch in fills):
        places = [place for place in made if subject.program.frame(place).name in {_called(touch) for touch in fills}]
    else:
        owner = Function(path, function)
        places = [] if _uses_arguments(subject, owner) or subject.reach.entry(owner) == "request" else [owner, *made]
    return bool(places) and not any(
        asks(subject.program, place.path, place.frame) or _varies(subject.program, place) for place in places
    )


def _is_filled_when_empty(own: list[Touch], fills: list[Touch]) -> bool:
    """Whether a function asks first if the table is there, and fills it under that condition, or gives it back."""
    first = min(own, key=lambda touch: (touch.ref.line, touch.ref.column))
    begun = min(touch.ref.line for touch in fills)
    if first.op not in (Op.BOOL, Op.READ) or first.ref.line >= begun:
        return False
    given_back = [touch for touch in own if touch.ref.use == "return" and touch.ref.line < begun]
    return any(touch.ref.flags & BRANCH for touch in given_back) or all(touch.ref.flags & BRANCH for touch in fills)


def _uses_arguments(subject: Subject, function: Function) -> bool:
    given = {each.name for each in subject.program.frame(function).parameters}
    return any(ref.path[0] in given for ref in subject.program.refs_in(function.path, function.frame))


def _called(touch: Touch) -> str:
    return (touch.value or touch.ref.value)[-2]


def _is_whole_answer(subject: Subject, touch: Touch) -> bool:
    """Whether a table is bound as a whole to what a function without arguments gives back."""
    hint = touch.value or touch.ref.value
    return touch.op is Op.REBIND and len(hint) > 1 and hint[-1] == "()" and touch.ref.source.rstrip().endswith("()")


def _called_by(subject: Subject, path: str, function: int) -> list[Function]:
    """Functions of the project that a function calls."""
    found = []
    for ref in subject.program.refs_in(path, function):
        if "()" in ref.path:
            value = subject.resolver.resolve(path, ref.frame, ref.path[: ref.path.index("()")])
            if isinstance(value, Function):
                found.append(value)
    return found


def _varies(program: Program, function: Function) -> bool:
    return any(
        not _VARYING.isdisjoint(ref.path) or ("()" in ref.path and not _READING.isdisjoint(ref.path))
        for ref in program.refs_in(function.path, function.frame)
    )


def _is_called_by_watcher(subject: Subject, place: tuple[str, int]) -> bool:
    """Whether what watches files forgets an answer: every process watches them for itself."""
    here = Function(*place)
    return any(subject.program.frame(caller).name in _WATCHING for caller in (here, *subject.reach.callers(here)))


def _is_answer(subject: Subject, touch: Touch) -> bool | None:
    """Whether a stored value was worked out and is what the function gives back; None where it may go with one that is.

    A new record, a mark, a count or an argument is no answer.
    """
    returns = [ref for ref in subject.program.refs_in(touch.path, touch.function) if ref.use == "return"]
    parameters = {found.name for found in subject.program.facts[touch.path].frames[touch.function].parameters}
    if touch.value[:1] and touch.value[0] in parameters - {"self", "cls"}:
        handler = subject.reach.entry(Function(touch.path, touch.function)) == "request"
        if handler or ("()" not in touch.value and _GIVEN.fullmatch(touch.ref.source.strip())):
            return False  # what the caller gave is kept, not what was worked out
    if subject.candidate.slot.name.rpartition(".")[2] in _WORD.findall(touch.ref.source):
        return False  # it goes on from what was kept: a count, a number in the order of asking
    given_back = set(_WORD.findall(touch.ref.source)) & {ref.path[0] for ref in returns} - parameters
    if (
        touch.op is Op.SETDEFAULT
        and touch.value == ("=", "dict")
        and any(_beside(other, touch) and other.op in containers.FILLS and other.through for other in subject.used)
    ):
        return None  # the dict that answers of one sort go to
    value = subject.resolver.of_hint(touch.path, touch.ref.frame, touch.value)
    value = subject.resolver.settle(value)[1] if isinstance(value, Slot) else value
    if isinstance(value, Instance):
        return False
    if given_back:
        return True
    if any(other.ref.use == "return" and other.rest and _beside(other, touch) for other in subject.used):
        return not (isinstance(value, Typed) and _is_fresh(subject, touch, value.annotation.partition("[")[0]))
    return None if touch.value[:2] == ("=", "tuple") else False


def _is_fresh(subject: Subject, touch: Touch, made: str) -> bool:
    """Whether a value of that type is a new record, a mark or a count, and nothing that was worked out."""
    names = set(_WORD.findall(touch.ref.source)) - _FRESH - {"True", "False", "None"}
    counts = subject.bare_name in names or is_clock(subject, touch)
    return made in _FRESH and (made not in _NUMBERS or not names or counts)


def _beside(one: Touch, other: Touch) -> bool:
    return (one.path, one.function) == (other.path, other.function)


def asks(program: Program, path: str, function: int) -> bool:
    """Whether a function asks a database, a service or a model."""
    for ref in program.refs_in(path, function):
        if "()" in ref.path and not _DATABASES.isdisjoint(ref.path):
            return True
        for step, later in pairwise(ref.path):
            if later == "()" and (step in _ASKING or (ref.flags & AWAITED and _LOCAL.isdisjoint(ref.path))):
                return True
    return False


def _watches_file(subject: Subject, path: str, function: int) -> bool:
    """Whether a function compares what it kept with the state of a file: right in every process that sees the file."""
    return any(not _FILE_STATE.isdisjoint(ref.path) for ref in subject.program.refs_in(path, function))


def _expires(subject: Subject, path: str, function: int) -> bool:
    """Whether a function looks at a clock, so that what it keeps is out of date for no longer than it says."""
    return any(ref.path[: len(clock)] == clock for ref in subject.program.refs_in(path, function) for clock in _CLOCKS)


def is_expiring_copy(subject: Subject) -> bool:
    """Whether it keeps for a while what a database or a service says: who reads it asks anew once that is over.

    Every function that fills it asks for what it puts in, and puts in when that ends; who reads it fills it, too.
    """
    fills = [touch for touch in subject.live_writes if touch.op in containers.FILLS]
    fillers = {(touch.path, touch.function) for touch in fills}
    readers = {(touch.path, touch.function) for touch in subject.used if touch.op in _READS}
    if not readers or not readers <= fillers or subject.candidate.flavour != containers.DICT:
        return False
    if any(touch.op in (Op.RETURN, Op.PASS) and not touch.rest for touch in subject.used):
        return False
    for touch in fills:
        if touch.op is not Op.SETITEM or touch.through or not _says_when(subject, touch):
            return False
    return all(asks(subject.program, *place) and not _makes_anew(subject, *place) for place in fillers)


def _says_when(subject: Subject, touch: Touch) -> bool:
    """Whether a stored tuple begins with a time: `(now + 60, answer)`."""
    node = parse(touch.ref.source)
    first = node.elts[0] if isinstance(node, ast.Tuple) and len(node.elts) == 2 else None
    if not isinstance(first, ast.BinOp) or not isinstance(first.op, ast.Add):
        return False
    hints = [path_of(side) for side in (first.left, first.right)]
    return any(hint and is_clock(subject, replace(touch, value=hint)) for hint in hints)


def _makes_anew(subject: Subject, path: str, function: int) -> bool:
    """Whether a function makes tokens or codes, or writes to the database: nothing that others could ask for."""
    return any(
        step in _MAKING or "random" in step or "uuid" in step or "token" in step
        for ref in subject.program.refs_in(path, function)
        if "()" in ref.path
        for step in ref.path
    )


_MAKING = frozenset(
    (
        "secrets urandom randint randrange choice choices insert insert_one insert_many update_one update_many commit"
        " add delete delete_one save create"
    ).split()
)


def is_said_once(subject: Subject) -> bool:
    """Whether it marks what was logged already: every function that writes it writes a log as well.

    A handler that logs what it does with a message that it has not seen yet marks more than that.
    """
    if not _SAID.search(subject.bare_name):
        return False
    writers = {(touch.path, touch.function) for touch in subject.live_writes}
    named_log = subject.bare_name.endswith(("_log", "logged")) or "warn" in subject.bare_name
    return bool(writers) and all(
        named_log or (_logs(subject, path, function) and subject.reach.entry(Function(path, function)) != "request")
        for path, function in writers
    )


def _logs(subject: Subject, path: str, function: int) -> bool:
    return any(
        ref.path[-1] == "()" and ref.path[-2] in _LOGGING
        for ref in subject.program.refs_in(path, function)
        if len(ref.path) >= 2
    )


def is_log_mark(subject: Subject) -> bool:
    """Whether it numbers requests for the lines of a log: one function counts, and who calls it writes the number."""
    used = [each for each in subject.used if each.op not in (Op.DEFINE, Op.GLOBAL, Op.IMPORT) and not each.through]
    places = {(touch.path, touch.function) for touch in used}
    if len(places) != 1 or not any(touch.ref.use == "augment" for touch in used):
        return False
    counter = Function(*places.pop())
    name = subject.program.frame(counter).name
    if (
        not counter.frame
        or not _MARKING.search(f"{name} {subject.bare_name}")
        or not any(touch.ref.use == "return" for touch in used)
    ):
        return False
    calls = subject.program.calls.get(name, ())
    return all(_is_only_written(subject, path, ref) for path, ref in calls if ref.use != "define")


_MARKING = re.compile(r"request_?id|req_?id|trace_?id|correlation|log_?id|span_?id")


def _is_only_written(subject: Subject, path: str, call: Ref) -> bool:
    """Whether a number goes into a local name that is put into texts, or handed to a log, and nowhere else."""
    target = next(
        (
            ref
            for ref in subject.program.refs_in(path, call.frame)
            if ref.use == "target" and ref.value == call.path and len(ref.path) == 1 and ref.line == call.line
        ),
        None,
    )
    if target is None:
        return False
    scope = subject.program.lookup(path, target.frame, target.path[0])
    return all(
        ref is target or ref.use == "read" or (ref.use == "pass" and ref.callee[-1:] and ref.callee[-1] in _LOGGING)
        for ref in subject.program.facts[path].refs
        if ref.path[0] == target.path[0] and subject.program.lookup(path, ref.frame, ref.path[0]) == scope
    )


def is_own_clock(subject: Subject) -> bool:
    """Whether a scalar or a one-element cell keeps when this process last did a chore of its own."""
    definition = subject.candidate.definition.source.replace(" ", "")
    cell = subject.candidate.flavour == containers.SCALAR or re.fullmatch(r"\[[\w.()-]*\]", definition) is not None
    fills = [touch for touch in subject.live_writes if touch.op in containers.FILLS]
    return cell and bool(fills) and all(is_clock(subject, touch) for touch in fills)


def is_clock(subject: Subject, touch: Touch) -> bool:
    """Whether a touch stores what a clock says now."""
    value = touch.value or touch.ref.value
    if value[:1] != ("=",) and len(value) == 1:  # a local: now = time.time()
        found = subject.program.lookup(touch.path, touch.ref.frame, value[0])
        hints = [binding.ref.value for binding in found[1] if binding.ref is not None] if found else []
        return bool(hints) and all(_reads_clock(hint) for hint in hints)
    return _reads_clock(value)


def _reads_clock(hint: tuple[str, ...]) -> bool:
    return (
        hint in _CLOCKS or hint == ("=", "float") or hint[-2:] in (("now", "()"), ("utcnow", "()"), ("monotonic", "()"))
    )


def is_last_answer(subject: Subject) -> bool:
    """Whether a name holds the last answer of one helper, or what it was worked out from, for that helper alone."""
    if subject.candidate.flavour != containers.SCALAR:
        return False
    touches = [touch for touch in subject.used if touch.op not in (Op.DEFINE, Op.GLOBAL, Op.IMPORT)]
    places = {(touch.path, touch.function) for touch in touches}
    if len(places) != 1 or any(touch.ref.use == "augment" for touch in touches):
        return False
    (path, function) = places.pop()
    reads = [touch for touch in touches if touch.op is Op.READ]
    return bool(reads) and subject.reach.entry(Function(path, function)) != "request"
