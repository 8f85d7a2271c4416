"""What a call hands over, as its reference says."""

from __future__ import annotations

from unstate.facts.values import Hint, Ref


def argument(ref: Ref, name: str, position: int, keyword: str) -> Hint:
    """The argument that a call of `name` within a path hands over in a place, () where it is not called there."""
    index = ref.path.index(name)
    return hint_of(ref, index, position, keyword) if ref.path[index + 1 : index + 2] == ("()",) else ()


def hint_of(ref: Ref, index: int, position: int, keyword: str) -> Hint:
    """What is known of the argument that the call behind a step hands over for a parameter, () where nothing is."""
    before = sum(1 for step in ref.path[1 : index + 1] if step == "()" or step.startswith("["))
    positional = 0
    for each in ref.arguments[before] if before < len(ref.arguments) else ():
        if each.name == keyword or (not each.name and positional == position):
            return each.hint
        if each.name == "*":  # how many it stands for cannot be told
            return ()
        positional += not each.name
    return ()
