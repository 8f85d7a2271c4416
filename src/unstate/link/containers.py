"""What makes a store: containers by the dotted name of their constructor, and what their methods do."""

from __future__ import annotations

import re

from unstate.facts.values import Path
from unstate.model import Op

DICT, LIST, SET, SCALAR, HANDLE = "dict", "list", "set", "scalar", "handle"

# Objects whose attributes are entries: `state.users` is what `state["users"]` is to a dict.
NAMESPACES = frozenset({"types.SimpleNamespace", "argparse.Namespace"})

# Constructor -> what it behaves like.
MAKERS: dict[str, str] = {
    **dict.fromkeys(("dict", "collections.OrderedDict", "collections.defaultdict", "collections.Counter"), DICT),
    **dict.fromkeys(("collections.UserDict", "collections.ChainMap", "typing.OrderedDict"), DICT),
    **dict.fromkeys(("weakref.WeakValueDictionary", "weakref.WeakKeyDictionary"), DICT),
    **dict.fromkeys((f"cachetools.{name}Cache" for name in ("TTL", "LRU", "LFU", "FIFO", "RR", "TLRU", "MRU")), DICT),
    **dict.fromkeys(("cachetools.Cache", "cachetools.ttl.TTLCache", "expiringdict.ExpiringDict"), DICT),
    **dict.fromkeys(("multidict.MultiDict", "multidict.CIMultiDict", "werkzeug.datastructures.MultiDict"), DICT),
    **dict.fromkeys(("sortedcontainers.SortedDict", "sortedcollections.ValueSortedDict"), DICT),
    **dict.fromkeys(NAMESPACES, DICT),
    **dict.fromkeys(("list", "collections.deque", "collections.UserList", "sortedcontainers.SortedList"), LIST),
    **dict.fromkeys(("set", "weakref.WeakSet", "sortedcontainers.SortedSet"), SET),
    **dict.fromkeys(("itertools.count", "int", "float", "str", "bool", "NoneType", "bytes"), SCALAR),
}
# Queues and schedulers that a service keeps for itself are reported as such; locks and clients by themselves are not.
_HANDLE = re.compile(r"(asyncio|queue|multiprocessing|apscheduler\b.*|gevent\.queue|sched)\.(\w*Queue|\w*[Ss]cheduler)")


def is_handle(constructor: str) -> bool:
    """Whether a constructor makes a queue or a scheduler in memory."""
    return _HANDLE.fullmatch(constructor) is not None


IMMUTABLE = frozenset({"int", "float", "str", "bool", "NoneType", "bytes", "tuple", "frozenset"})

# Annotation heads that mean a container.
ANNOTATED = {
    **dict.fromkeys(
        "dict Dict MutableMapping Mapping OrderedDict DefaultDict defaultdict Counter WeakValueDictionary".split(),
        DICT,
    ),
    **dict.fromkeys(["list", "List", "MutableSequence", "deque", "Deque"], LIST),
    **dict.fromkeys(["set", "Set", "MutableSet", "WeakSet"], SET),
}

METHODS: dict[str, Op] = {
    "get": Op.GET,
    "pop": Op.POP,
    "setdefault": Op.SETDEFAULT,
    "update": Op.UPDATE,
    "add": Op.ADD,
    "append": Op.ADD,
    "appendleft": Op.ADD,
    "extend": Op.ADD,
    "extendleft": Op.ADD,
    "insert": Op.ADD,
    "remove": Op.REMOVE,
    "discard": Op.REMOVE,
    "popleft": Op.REMOVE,
    "popitem": Op.REMOVE,
    "clear": Op.CLEAR,
    "subtract": Op.UPDATE,
    "most_common": Op.ITER,
    "elements": Op.ITER,
    "total": Op.ITER,
    "keys": Op.ITER,
    "values": Op.ITER,
    "items": Op.ITER,
    "__contains__": Op.CONTAINS,
    "__getitem__": Op.GETITEM,
    "__setitem__": Op.SETITEM,
    "__delitem__": Op.DELITEM,
}
# Methods that change what they are called on, of containers and of what they hold.
MUTATORS = frozenset(
    (
        "pop setdefault update add append appendleft extend extendleft insert remove discard popleft popitem"
        " clear __setitem__ __delitem__ move_to_end sort reverse rotate subtract difference_update"
        " intersection_update symmetric_difference_update expire put put_nowait add_job"
    ).split()
)
WRITES = frozenset(
    {Op.SETITEM, Op.AUGITEM, Op.DELITEM, Op.POP, Op.SETDEFAULT, Op.UPDATE, Op.ADD, Op.REMOVE, Op.CLEAR, Op.REBIND}
    | {Op.NESTED_WRITE}
)
# Writes that put something in: a store that is only ever emptied holds nothing.
FILLS = frozenset({Op.SETITEM, Op.AUGITEM, Op.SETDEFAULT, Op.UPDATE, Op.ADD, Op.REBIND, Op.NESTED_WRITE})


# Functions of the standard library that change what they are handed first.
_MUTATORS = frozenset(
    (
        "next heappush heappop heapify heapreplace heappushpop insort insort_left insort_right shuffle setitem delitem"
    ).split()
)


def is_mutator(callee: Path) -> bool:
    """Whether a function changes its first argument: `next`, `heapq.heappush`, `insort`."""
    if not callee or (len(callee) > 1 and callee[0] not in ("heapq", "bisect", "random", "operator")):
        return False
    return callee[-1] in _MUTATORS


def constructor_of(type_text: str) -> str:
    """ "dict" for "dict[str, int]", "NoneType" for "None"."""
    head = type_text.partition("[")[0]
    return "NoneType" if head == "None" else head
