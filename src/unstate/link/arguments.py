"""What a call hands over, as its reference says."""

from __future__ import annotations

from unstate.facts.values import Hint, Ref


def argument(ref: Ref, name: str, position: int, keyword: str) -> Hint:
    """The argument that a call of `name` within a path hands over in a place."""
    index = ref.path.index(name)
    if ref.path[index + 1 : index + 2] != ("()",):
        return ()
    before = sum(1 for step in ref.path[1 : index + 1] if step == "()" or step.startswith("["))
    positional = 0
    for each in ref.arguments[before]:
        if each.name == keyword or (not each.name and positional == position):
            return each.hint
        if each.name in ("*", "**"):
            return ()
        positional += not each.name
    return ()


def hint_of(ref: Ref, index: int, position: int, keyword: str) -> Hint:
    """What is known of the argument that a call passes for a parameter, () where nothing is."""
    before = sum(1 for step in ref.path[1 : index + 1] if step == "()" or step.startswith("["))
    arguments = ref.arguments[before] if before < len(ref.arguments) else ()
    ordinary = [argument.hint for argument in arguments if not argument.name]
    hint: Hint = next((argument.hint for argument in arguments if argument.name == keyword), ())
    return hint or (ordinary[position] if position < len(ordinary) else ())
