"""One value as it is followed through the code: where it changes, and who else is given it."""

from __future__ import annotations

from dataclasses import dataclass, field

import libcst as cst

from unstate.model import Accessor


@dataclass(frozen=True, slots=True)
class Change:
    """A statement that changes a value in place, through the local name that the value was bound to."""

    statement: cst.CSTNode  # the line
    name: str
    step: cst.CSTNode | None  # `s["n"]`, `s.n`: the part of it that changes; None where it is the whole
    lifted: bool = False  # the value has no name, and is changed where it is read


@dataclass(slots=True)
class Trace:
    """One value followed: `changes` can be written back, `notes` are worth a word to a person."""

    start: cst.CSTNode | None = None  # what was read
    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    root: str = ""  # the local name that it is bound to, whose changes can be written back
    function: cst.FunctionDef | None = None  # where that name lives
    entered: bool = False  # it is an argument of that function, which is followed for one call
    given_back: bool = False  # that function may return it
    passed_back: bool = False  # the call that was followed last may return it
    step: cst.CSTNode | None = None
    following: set[tuple[int, str]] = field(default_factory=set)
    # by function and parameter: what the function changes in it, and whether it may return it
    effects: dict[tuple[int, str], tuple[tuple[Change, ...], bool]] = field(default_factory=dict)
    copies: set[tuple[int, str]] = field(default_factory=set)  # names of new containers of its parts, by function
    key: cst.CSTNode | None = None  # under which the value was found
    says_key: bool = False  # the value says its key itself
    accessors: frozenset[str] = frozenset()  # functions whose callers are looked at elsewhere
    plain: frozenset[str] = frozenset()  # fields of it, and of what it holds, whose values nobody can change in place
    foreign: bool = False  # what is followed was made by a library
    changers: frozenset[str] = frozenset()  # functions that change entries
    opaque: bool = False  # it is made of bytes and changes by methods: only what is known to read it leaves it as it is
    store: str = ""  # the last part of the name of the store that it is of
    partners: frozenset[str] = frozenset()  # the same of stores that move with it, and keep copies
    held: bool = False  # it, or a part of it, has a name
    loops: list[cst.While] = field(default_factory=list)  # that go on with the name it was bound to before them
    given: set[Accessor] = field(default_factory=set)  # functions that give the value to who calls them with its key
