"""Which references are worth keeping: plain reads of locals and calls of builtins say nothing of stores."""

from __future__ import annotations

import builtins
from collections.abc import Iterable

from unstate.facts.values import FUNCTION, Frame, Import, Ref

_BINDING = frozenset({"target", "augment", "loop", "bind", "define"})
_IDLE = frozenset({"read", "truth", "discard", "contains", "length", "iterate", "enter", "delete"})
# Builtins whose calls are looked at.
_TELLING = frozenset("super getattr setattr delattr globals locals vars print open object type next exec eval".split())
_BUILTINS = frozenset(dir(builtins)) - _TELLING


def needed(refs: Iterable[Ref], frames: tuple[Frame, ...], imports: Iterable[Import]) -> list[Ref]:
    """The references that a linker may ask for, in order.

    Left out: a local name of one function that is only read there, and what starts at a builtin.
    """
    refs = list(refs)
    bound: set[tuple[int, str]] = {
        (index, parameter.name)
        for index, frame in enumerate(frames)
        for parameter in frame.parameters
        if parameter.default[:1] != ("=",)  # a default outlives the call
    }
    everywhere = {parameter.name for frame in frames for parameter in frame.parameters}
    everywhere |= {found.bound for found in imports}
    seen: dict[str, int] = {}  # the frame that alone uses a name, -1 for several
    for ref in refs:
        name = ref.path[0]
        if len(ref.path) == 1 and ref.use in _BINDING:
            everywhere.add(name)
            frame = frames[ref.frame]
            if frame.sort == FUNCTION and name not in frame.globals and name not in frame.nonlocals:
                bound.add((ref.frame, name))
        if seen.setdefault(name, ref.frame) != ref.frame:
            seen[name] = -1
    builtin = _BUILTINS - everywhere
    return [
        ref
        for ref in refs
        if ref.path[0] not in builtin
        and not (
            len(ref.path) == 1
            and ref.use in _IDLE
            and seen[ref.path[0]] == ref.frame
            and (ref.frame, ref.path[0]) in bound
        )
    ]
