"""Whether a path may be another than those that are known, because somebody passes one that cannot be followed."""

from __future__ import annotations

import ast
from typing import Any

from unstate.facts.values import FUNCTION
from unstate.link.arguments import hint_of
from unstate.link.foldermap import Map
from unstate.link.places import parse
from unstate.link.values import Function

_DEPTH = 5  # of names that are made of names


class Partial:
    """Answers are kept: one object serves one program."""

    def __init__(self, names: Map) -> None:
        self.map = names
        self.program = names.program
        self._known: dict[tuple[str, int, str], bool] = {}

    def is_partial(self, path: str, frame: int, node: Any, depth: int = _DEPTH) -> bool:
        """Whether an expression may give places that are not known, beside those that are."""
        names = {each.id for each in ast.walk(node) if type(each) is ast.Name}
        return depth > 0 and any(self._of_name(path, frame, name, depth - 1) for name in sorted(names))

    def _of_name(self, path: str, frame: int, name: str, depth: int) -> bool:
        key = path, frame, name
        if key not in self._known:
            self._known[key] = False  # while it is being looked at
            self._known[key] = self._is_partly_known(path, frame, name, depth)
        return self._known[key]

    def _is_partly_known(self, path: str, frame: int, name: str, depth: int) -> bool:
        found = self.program.lookup(path, frame, name)
        if found is None or not found[0]:
            return False
        for binding in found[1]:
            if binding.parameter is not None:
                if self._has_unknown_caller(path, found[0], name, depth):
                    return True
            elif binding.ref is not None and binding.ref.source and binding.ref.source != name:
                made = parse(binding.ref.source)
                if made is not None and self.is_partial(path, binding.ref.frame, made, depth):
                    return True
        return False

    def _is_hint_partial(self, path: str, frame: int, hint: tuple[str, ...], depth: int) -> bool:
        if not self.map.steps(path, frame, hint, {}):
            return True
        return depth > 0 and self._of_name(path, frame, hint[0], depth - 1)

    def _has_unknown_caller(self, path: str, frame: int, name: str, depth: int) -> bool:
        """Whether something is passed for a parameter that gives no place."""
        target = self.program.facts[path].frames[frame]
        names = [each.name for each in target.parameters]
        if target.sort != FUNCTION or name in ("self", "cls") or name not in names:
            return False
        position = names.index(name) - (names[0] in ("self", "cls"))
        for caller, ref, index in self.map.callers(Function(path, frame)):
            call = self.map.called_at(caller, ref, index)
            if call is None:
                hint = hint_of(ref, index, position, name)
                if hint[:1] not in ((), ("=",)) and self._is_hint_partial(caller, ref.frame, hint, depth):
                    return True
                continue
            given = _argument_of(parse(call.source), position, name)
            if given is None or type(given) is ast.Constant:
                continue
            if not self.map.places(caller, ref.frame, given) or self.is_partial(caller, ref.frame, given, depth):
                return True
        return False


def _argument_of(call: Any, position: int, keyword: str) -> Any:
    """What a call passes for a parameter, None where nothing."""
    if type(call) is not ast.Call:
        return None
    named = next((each.value for each in call.keywords if each.arg == keyword), None)
    return named if named is not None else call.args[position] if position < len(call.args) else None
