"""What a store is for and what it holds: by types and operations first, by names last."""

from __future__ import annotations

import re

from unstate.classify.contents import TYPED, Contents
from unstate.classify.subject import Subject
from unstate.link import containers
from unstate.link.annotations import outermost
from unstate.link.candidates import Touch
from unstate.link.values import Class
from unstate.model import Kind, Op, Shape

_NAMES: tuple[tuple[Kind, str], ...] = (
    (Kind.RATE_LIMIT, r"rate|limit|attempt|fail|flood|throttl|bans?(_|$)|banned|block|bucket"),
    (Kind.LOCK, r"locks?$|mutex|semaphore"),
    (Kind.UPLOAD, r"upload|chunk|blob|file|attachment|image|video|audio|photo|document"),
    (Kind.TOKEN, r"otp|nonce|oauth_?states?|csrf|codes?(_|$)|verif|reset|invite|one_?time|magic"),
    (Kind.SESSION, r"sess|token|login|logged|user|sid|online|player|client|auth|presence"),
    (Kind.CONVERSATION, r"conv|chat|histor|messag|thread|dialog|memor|transcript"),
    (Kind.JOB_STATUS, r"job|task|status|progress|running|result|pending|queue|run|process|worker|cancel"),
    (Kind.CACHE, r"cache|memo|last_|snapshot"),
    (Kind.COUNTER, r"count|cnt|total|hits|metric|stat|seq|index|number|next_id"),
    (Kind.SETTING, r"config|setting|option|mode|enabled|flag"),
)
_OF_A_LOGIN = re.compile(r"_*((auth|login|sso|oidc|pkce)_)?states?(_dict)?")  # and not of a run, a game, a room
_BYTES_NAMES = re.compile(r"file_?data|content|chunk|blob|bytes|raw|payload|binary|^data$|^file$")
_TEXT_NAMES = re.compile(r"(^|_)(id|uid|sid|name|token|email|username|user|key|url|path|code|ip|status)$")


def kind(subject: Subject, contents: Contents) -> Kind:
    """The kind of a store."""
    handle = contents.handle
    if handle is not None:
        return handle
    shaped = shape(subject, contents)
    if shaped in (Shape.BYTES, Shape.BUFFER):
        return Kind.UPLOAD
    name = subject.bare_name
    counted = _counts(subject)
    if counted and shaped is Shape.INT:
        return Kind.RATE_LIMIT if _begins(dict(_NAMES)[Kind.RATE_LIMIT], name) else Kind.COUNTER
    for found, pattern in _NAMES:
        if _begins(pattern, name):
            if found is Kind.UPLOAD and shaped not in _OF_FILES:
                continue
            if found is Kind.LOCK:
                continue
            return found
        if found is Kind.TOKEN and _OF_A_LOGIN.fullmatch(name) and shaped is not Shape.MODEL:
            return found
    if counted:
        return Kind.COUNTER
    return Kind.SETTING if _is_one_value(subject) else Kind.RECORD


def _begins(pattern: str, name: str) -> bool:
    """Whether a word of the name begins so: `ban` is in `ban_list`, not in `urban`."""
    return re.search(rf"(?:^|_)(?:{pattern})", name) is not None


def shape(subject: Subject, contents: Contents) -> Shape:
    """What one entry holds."""
    types = {touch.value_type for touch in subject.candidate.typed if touch.value and touch.value_type}
    declared = contents.declared if outermost(contents.declared).rpartition(".")[2] not in ("Any", "object") else ""
    is_entry = subject.candidate.flavour != containers.SCALAR
    if not is_entry:
        types.add(subject.candidate.constructor)
    elif "None" in types or _NONE.search(declared):
        return Shape.UNKNOWN  # JSON tells None apart, text does not
    types = {declared} if declared else types - {"None", "NoneType"}
    shapes = {_shape_of(subject, contents, text) for text in types}
    if not shapes:
        return Shape.OBJECT if contents.foreign else _by_name(subject)
    found = shapes.pop() if len(shapes) == 1 else Shape.UNKNOWN
    shown = declared or not is_entry or _may_be_text(subject)
    return found if found is not Shape.STR or shown else Shape.UNKNOWN


def _may_be_text(subject: Subject) -> bool:
    """Whether what is put in with a type that is not known is called as text is."""
    return all(
        touch.value_type or not touch.value or _TEXT_NAMES.search(_called(touch))
        for touch in subject.candidate.touches
        if touch.op in containers.FILLS
    )


_NONE = re.compile(r"\bNone\b|\bOptional\b")
_PLAIN = {"str": Shape.STR, "int": Shape.INT, "float": Shape.FLOAT, "bool": Shape.BOOL, "bytes": Shape.BYTES}
_SHAPES = {
    **_PLAIN,
    "bytearray": Shape.BYTES,
    **dict.fromkeys(("dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "OrderedDict"), Shape.RECORD),
    **dict.fromkeys(("list", "List", "deque", "Deque", "tuple", "Tuple", "Sequence"), Shape.LIST),
    **dict.fromkeys(("set", "Set", "frozenset", "FrozenSet"), Shape.SET),
}
_OPAQUE = {
    **dict.fromkeys(("BytesIO", "io.BytesIO"), Shape.BUFFER),
    **dict.fromkeys(("np.ndarray", "numpy.ndarray", "ndarray", "NDArray", "npt.NDArray"), Shape.ARRAY),
}
_OF_FILES = frozenset({Shape.BYTES, Shape.BUFFER, Shape.ARRAY, Shape.UNKNOWN, Shape.OBJECT, Shape.FILE})
# Classes of the standard library whose objects JSON does not hold.
_NO_JSON = frozenset("Path PurePath PosixPath Pattern Match Fraction complex range memoryview Random".split())


def _shape_of(subject: Subject, contents: Contents, text: str) -> Shape:
    head = outermost(text).rpartition(".")[2]
    if outermost(text) in _OPAQUE:
        return _OPAQUE[outermost(text)]
    if "|" in text.replace("| None", "").replace("None |", ""):
        return Shape.UNKNOWN
    known = _SHAPES.get(head)
    if known is not None:
        return known
    for found in contents.classes:
        if subject.program.frame(found).name == head:
            return Shape.MODEL if is_model(subject, found) else Shape.OBJECT
    if head in _NO_JSON:
        return Shape.OBJECT
    made = head in {maker.rpartition(".")[2] for maker in contents.makers if not TYPED.fullmatch(maker)}
    return Shape.OBJECT if made or (text == contents.declared and contents.foreign) else Shape.UNKNOWN


def is_model(subject: Subject, of: Class) -> bool:
    """Whether a class is a record with declared fields: a dataclass, a pydantic model, a named tuple."""
    frame = subject.program.frame(of)
    decorated = any(step in ("dataclass", "define", "frozen", "attrs") for path in frame.decorators for step in path)
    bases = {base.rpartition(".")[2] for base in subject.resolver.external_bases(of)}
    return decorated or not bases.isdisjoint({"BaseModel", "NamedTuple", "Struct", "TypedDict", "SQLModel"})


def _called(touch: Touch) -> str:
    """What the written value is called."""
    return next((step for step in reversed(touch.value) if step.isidentifier()), "").lower()


def _by_name(subject: Subject) -> Shape:
    """The last resort: what the written value is called."""
    shapes = set()
    for touch in subject.candidate.touches:
        if touch.op in containers.FILLS and touch.value:
            word = _called(touch)
            if _BYTES_NAMES.search(word):
                shapes.add(Shape.BYTES)
            elif _TEXT_NAMES.search(word):
                shapes.add(Shape.STR)
            else:
                shapes.add(Shape.UNKNOWN)
    return shapes.pop() if len(shapes) == 1 else Shape.UNKNOWN


_NUMBERS = frozenset({("=", "int"), ("=", "float")})


def _counts(subject: Subject) -> bool:
    """Whether a number is added to what was there: `x[k] += n`, or `x[k] = x.get(k, 0) + n`."""
    if any(touch.op in (Op.AUGITEM, Op.REBIND) and touch.ref.use == "augment" for touch in subject.live_writes):
        return True
    read = {
        (touch.path, touch.ref.line)
        for touch in subject.candidate.touches
        if touch.op in (Op.GET, Op.GETITEM) and len(touch.rest) == (2 if touch.op is Op.GET else 1)
    }
    return any(
        touch.op is Op.SETITEM and touch.value in _NUMBERS and (touch.path, touch.ref.line) in read
        for touch in subject.live_writes
    )


def _is_one_value(subject: Subject) -> bool:
    """Whether requests put one value in another's place, without a key: what is set, all see."""
    return subject.candidate.flavour == containers.SCALAR and subject.candidate.slot.sort in ("module", "class", "app")
