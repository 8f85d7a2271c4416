"""What a reference to a store does."""

from __future__ import annotations

from itertools import pairwise

from unstate.facts.values import Path, Ref
from unstate.link import containers
from unstate.link.candidates import Candidate
from unstate.model import Op


def operation(candidate: Candidate, ref: Ref, rest: Path, through: str = "") -> Op:
    """What a reference does, by the steps after the store and by what happens to the value they reach."""
    scalar = candidate.constructor in containers.IMMUTABLE
    if ref.use == "declare":
        return Op.GLOBAL
    if not rest:
        if ref.use == "pass" and ref.position in ("0", "") and containers.is_mutator(ref.callee):
            return Op.CALL
        if ref.use == "target":
            defines = (ref is candidate.definition and bool(candidate.constructor)) or (
                not through and ref.frame == candidate.definition.frame == 0
            )
            return Op.DEFINE if defines else Op.REBIND
        if ref.use in ("augment", "delete", "bind", "loop"):
            return Op.REBIND
        if scalar:
            return Op.READ
        return {
            "iterate": Op.ITER,
            "contains": Op.CONTAINS,
            "length": Op.LEN,
            "truth": Op.BOOL,
            "pass": Op.PASS,
            "return": Op.RETURN,
            "alias": Op.ALIAS,
            "enter": Op.CALL,
        }.get(ref.use, Op.READ)
    if scalar:
        return Op.READ
    if rest[0].startswith("[") or candidate.constructor in containers.NAMESPACES:
        if len(rest) == 1:
            return {"target": Op.SETITEM, "augment": Op.AUGITEM, "delete": Op.DELITEM, "bind": Op.SETITEM}.get(
                ref.use, Op.GETITEM
            )
        return Op.NESTED_WRITE if changes_nested(rest[1:], ref.use) else Op.GETITEM
    if len(rest) >= 2 and rest[1] == "()":
        op = containers.METHODS.get(rest[0], Op.CALL)
        if op is Op.GET and len(rest) > 2 and changes_nested(rest[2:], ref.use):
            return Op.NESTED_WRITE
        return op
    return Op.CALL


def changes_nested(steps: Path, use: str) -> bool:
    if use in ("target", "augment", "delete"):
        return True
    return any(step in containers.MUTATORS and later == "()" for step, later in pairwise(steps))


def changes(ref: Ref) -> bool:
    """Whether a reference through another name changes what the name stands for."""
    if len(ref.path) == 1:  # `item |= data` changes what item is; `n += 1` gives the name another number
        return ref.use == "augment" and ref.value[1:2] not in (("int",), ("float",), ("str",), ("bytes",), ("bool",))
    return changes_nested(ref.path[1:], ref.use)


def shares(rest: Path) -> bool:
    """Whether the steps from a store reach the same object that the store holds, no copy."""
    if not rest:
        return True
    if rest[0].startswith("["):
        return "()" not in rest
    if rest[0] in ("get", "setdefault", "values", "items") and rest[1:2] == ("()",):
        return "()" not in rest[2:]
    return False
