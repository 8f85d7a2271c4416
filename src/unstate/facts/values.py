"""What is read from one file: small, serialisable, independent of every other file, so that it can be cached.

A *path* is how an expression reaches a value: a root name and the steps from it. Steps are `name` (an attribute),
`['key']` (a subscript by a constant string), `[]` (any other subscript), `()` (a call). `await` is no step.
`request.app["rooms"].get(k)` is `("request", "app", "['rooms']", "get", "()")`.

A *type hint* (`Hint`) is what a value is known to be from its expression alone: `("=", "str")` for a type, a path where
the value must be followed, `()` where nothing is known.
"""

from __future__ import annotations

import msgspec

Path = tuple[str, ...]
Hint = tuple[str, ...]

# Where an expression stands (bits of Ref.flags).
LOOP, LOCK, TRY, LAMBDA, COMPREHENSION, MAIN, TYPE_CHECKING, BRANCH, DYNAMIC = 1, 2, 4, 8, 16, 32, 64, 128, 256
HANDLER = 512  # within an `except` block
AWAITED = 1024  # the value of a reference is awaited on its way
UNPACKED = 2048  # a target beside others: `a, b = {}, {}`
BY_NAME = 4096  # bound by `setattr(holder, "name", value)`, or reached by `globals()["name"]`
PART = 8192  # returned as a part of a new tuple, list, set or dict

MODULE, FUNCTION, CLASS, ANONYMOUS = "module", "function", "class", "anonymous"


class Fact(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Base of everything that facts hold."""


class Argument(Fact, frozen=True):
    """One argument of a call: `name` is "" for a positional one, "*" and "**" for unpacked ones."""

    name: str
    hint: Hint


class Parameter(Fact, frozen=True):
    """One parameter of a function: annotation as written, and what its default is."""

    name: str
    annotation: str = ""
    default: Hint = ()
    default_source: str = ""
    span: tuple[int, int, int, int] = (0, 0, 0, 0)


class Frame(Fact, frozen=True):
    """A scope: the module (always the first), a function, a class, or a lambda or comprehension."""

    sort: str
    name: str
    qualname: str
    line: int
    parent: int  # index of the enclosing frame, -1 for the module
    asynchronous: bool = False
    decorators: tuple[Path, ...] = ()
    decorator_words: tuple[str, ...] = ()  # constant strings among the decorators' arguments
    parameters: tuple[Parameter, ...] = ()
    annotation: str = ""  # of what is returned
    bases: tuple[Path, ...] = ()
    flags: int = 0  # where the definition itself stands
    end_line: int = 0
    globals: tuple[str, ...] = ()  # declared `global` here
    nonlocals: tuple[str, ...] = ()
    generator: bool = False


class Import(Fact, frozen=True):
    """One name bound by an import statement. `name` is "" for `import m`, "*" for a star import."""

    frame: int
    module: str  # without the leading dots
    name: str
    bound: str
    level: int
    span: tuple[int, int, int, int]
    flags: int = 0


class Ref(Fact, frozen=True):
    """One maximal path in the file and what happens to the value it reaches.

    `use` is one of target, augment, delete, declare, iterate, contains, length, truth, pass, return, alias, read,
    discard, enter (a `with` item), loop (target of a `for`), bind (bound without a value that is known).
    """

    frame: int
    path: Path
    use: str
    ends: tuple[int, ...]  # line and column after the root, after the first step, ...
    line: int
    column: int
    arguments: tuple[tuple[Argument, ...], ...] = ()  # one entry for each `()` and `[]` step, in order
    value: Hint = ()  # what is assigned, or for `loop` what is iterated
    annotation: str = ""
    source: str = ""  # source of the assigned value, shortened; only where it may define a store
    statement: tuple[int, int, int, int] = (0, 0, 0, 0)  # of the binding statement, for targets
    callee: Path = ()  # for `pass`: what it is handed to
    position: str = ""  # for `pass`: index or keyword of the argument
    flags: int = 0


class Suppression(Fact, frozen=True):
    """`# unstate: ignore[RULE] why`: no rules means every rule."""

    line: int
    rules: tuple[str, ...]
    why: str


class Expression(Fact, frozen=True):
    """One call that touches files or hands a path on, one value that a function returns, or what a loop goes over."""

    frame: int
    sort: str  # "call", "return", "loop"
    name: str  # last name of what is called, or the loop's variable
    source: str
    span: tuple[int, int, int, int]
    flags: int = 0


class FileFacts(Fact, frozen=True):
    """One file. `frames[0]` is the module."""

    path: str
    frames: tuple[Frame, ...]
    imports: tuple[Import, ...]
    refs: tuple[Ref, ...]
    suppressions: tuple[Suppression, ...] = ()
    lines: int = 0
    expressions: tuple[Expression, ...] = ()  # in order of place
    is_python2: bool = False  # lines are the file's, columns may not be
    entries: tuple[Ref, ...] = ()  # of dicts of the module that may hold stores, as what binds each entry
