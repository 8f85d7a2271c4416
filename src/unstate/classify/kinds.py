"""What a store is for and what it holds: by types and operations first, by names last."""

from __future__ import annotations

import re

from unstate.classify.subject import Subject
from unstate.link import containers
from unstate.link.typenames import declared_types
from unstate.model import Kind, Op, Shape

_NAMES: tuple[tuple[Kind, str], ...] = (
    (Kind.RATE_LIMIT, r"rate|limit|attempt|fail|flood|throttl|bans?(_|$)|banned|block|bucket"),
    (Kind.LOCK, r"locks?$|mutex|semaphore"),
    (Kind.UPLOAD, r"upload|chunk|blob|file|attachment|image|video|audio|photo|document"),
    (Kind.TOKEN, r"otp|nonce|states?(_dict)?$|csrf|codes?(_|$)|verif|reset|invite|one_?time|magic"),
    (Kind.SESSION, r"sess|token|login|logged|user|sid|online|player|client|auth|presence"),
    (Kind.CONVERSATION, r"conv|chat|histor|messag|thread|dialog|memor|transcript"),
    (Kind.JOB_STATUS, r"job|task|status|progress|running|result|pending|queue|run|process|worker|cancel"),
    (Kind.CACHE, r"cache|memo|last_|snapshot"),
    (Kind.COUNTER, r"count|cnt|total|hits|metric|stat|seq|index|number|next_id"),
    (Kind.SETTING, r"config|setting|option|mode|enabled|flag"),
)
_BYTES_NAMES = re.compile(r"file_?data|content|chunk|blob|bytes|raw|payload|binary|^data$|^file$")
_TEXT_NAMES = re.compile(r"(^|_)(id|uid|sid|name|token|email|username|user|key|url|path|code|ip|status)$")
_HANDLES: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (Kind.LOCK, re.compile(r"(^|\.)(R?Lock|Condition|(Bounded)?Semaphore|Event)\b")),
    (Kind.QUEUE, re.compile(r"(^|\.)(\w*Queue)\b")),
    (
        Kind.CONNECTION_REGISTRY,
        re.compile(
            r"(^|[.\[ ])(WebSocket\w*|Task|Thread|Process|Popen|Future|socket|StreamWriter|StreamReader|Timer|create_task"
            r"|ensure_future|Connection|Session|AsyncClient|Client\w*|Subprocess|submit|create_subprocess_exec|Redis|Engine)\b"
        ),
    ),
)


def kind(subject: Subject) -> Kind:
    """The kind of a store."""
    handle = handle_kind(subject)
    if handle is not None:
        return handle
    shaped = shape(subject, None)
    if shaped is Shape.BYTES:
        return Kind.UPLOAD
    name = subject.bare_name
    counted = _counts(subject)
    if counted and shaped is Shape.INT:
        return Kind.RATE_LIMIT if _begins(dict(_NAMES)[Kind.RATE_LIMIT], name) else Kind.COUNTER
    for found, pattern in _NAMES:
        if _begins(pattern, name):
            if found is Kind.UPLOAD and shaped not in (Shape.BYTES, Shape.UNKNOWN, Shape.FILE):
                continue
            if found is Kind.LOCK:
                continue
            return found
    if counted:
        return Kind.COUNTER
    return Kind.RECORD


def _begins(pattern: str, name: str) -> bool:
    """Whether a word of the name begins so: `ban` is in `ban_list`, not in `urban`."""
    return re.search(rf"(?:^|_)(?:{pattern})", name) is not None


def handle_kind(subject: Subject) -> Kind | None:
    """The kind of a registry of live handles, None where the values are data as far as one can see."""
    texts = [touch.value_type for touch in (*subject.candidate.touches, *subject.candidate.others) if touch.value_type]
    _, declared = declared_types(subject.candidate.annotation)
    if declared:
        texts.append(declared)
    for found, pattern in _HANDLES:
        if any(pattern.search(text) for text in texts):
            return found
    return None


def shape(subject: Subject, known: Kind | None) -> Shape:
    """What one entry holds."""
    types = {touch.value_type for touch in subject.candidate.touches if touch.value and touch.value_type}
    _, declared = declared_types(subject.candidate.annotation)
    if declared and declared.rpartition(".")[2] not in ("Any", "object"):
        types = {declared}
    types.discard("None")
    shapes = {_shape_of(subject, text) for text in types}
    if len(shapes) == 1:
        return shapes.pop()
    if not shapes:
        return _by_name(subject)
    return Shape.UNKNOWN


def _shape_of(subject: Subject, text: str) -> Shape:
    head = text.partition("[")[0].rpartition(".")[2]
    plain = {"str": Shape.STR, "int": Shape.INT, "float": Shape.FLOAT, "bool": Shape.BOOL, "bytes": Shape.BYTES}
    if head in plain:
        return plain[head]
    if head == "bytearray":
        return Shape.BYTES
    if head in ("dict", "Dict", "Mapping", "MutableMapping", "defaultdict"):
        return Shape.RECORD
    if head in ("list", "List", "deque", "tuple", "Tuple"):
        return Shape.LIST
    if head in ("set", "Set", "frozenset"):
        return Shape.SET
    return Shape.OBJECT


def _by_name(subject: Subject) -> Shape:
    """The last resort: what the written value is called."""
    shapes = set()
    for touch in subject.candidate.touches:
        if touch.op in containers.FILLS and touch.value:
            word = next((step for step in reversed(touch.value) if step.isidentifier()), "").lower()
            if _BYTES_NAMES.search(word):
                shapes.add(Shape.BYTES)
            elif _TEXT_NAMES.search(word):
                shapes.add(Shape.STR)
            else:
                shapes.add(Shape.UNKNOWN)
    return shapes.pop() if len(shapes) == 1 else Shape.UNKNOWN


def _counts(subject: Subject) -> bool:
    return any(touch.op in (Op.AUGITEM, Op.REBIND) and touch.ref.use == "augment" for touch in subject.live_writes)
