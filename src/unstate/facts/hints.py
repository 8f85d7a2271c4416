"""What a value is known to be from its expression alone."""

from __future__ import annotations

import ast
from typing import Any

from unstate.facts.values import Argument, Hint, Path

_UNKNOWN: Hint = ()
_CALLS = {
    **{name: name for name in "str int float bool bytes bytearray list set frozenset tuple dict repr".split()},
    "repr": "str",
    "len": "int",
    "round": "float",
    "abs": "float",
    "sorted": "list",
    "id": "int",
    "hash": "int",
    "ord": "int",
    "chr": "str",
    "hex": "str",
}
_DOTTED = {
    **dict.fromkeys(
        ("secrets.token_hex", "secrets.token_urlsafe", "uuid.uuid4().hex", "json.dumps", "time.strftime"), "str"
    ),
    **dict.fromkeys(("secrets.token_bytes", "os.urandom", "pickle.dumps", "base64.b64decode"), "bytes"),
    **dict.fromkeys(("time.time", "time.monotonic", "time.perf_counter", "random.random"), "float"),
    **dict.fromkeys(("time.time_ns", "random.randint", "secrets.randbelow"), "int"),
}
_STRING_METHODS = frozenset(
    (
        "strip lstrip rstrip lower upper title format join replace decode hexdigest isoformat strftime"
        " capitalize casefold zfill removeprefix removesuffix getvalue_text"
    ).split()
)
_HEX = frozenset({"hex", "hexdigest"})


def global_name(node: Any) -> str:
    """ "x" for `globals()["x"]`, "" for anything else."""
    if (
        type(node) is ast.Subscript
        and type(node.value) is ast.Call
        and type(node.value.func) is ast.Name
        and node.value.func.id == "globals"
        and type(node.slice) is ast.Constant
        and type(node.slice.value) is str
        and node.slice.value.isidentifier()
    ):
        return node.slice.value
    return ""


def path_of(node: Any) -> Path:
    """The path of an expression, () where it has none."""
    steps: list[str] = []
    while True:
        kind = type(node)
        if kind is ast.Name:
            steps.append(node.id)
            steps.reverse()
            return tuple(steps)
        if kind is ast.Subscript and (name := global_name(node)):
            steps.append(name)
            steps.reverse()
            return tuple(steps)
        if kind is ast.Attribute:
            steps.append(node.attr)
            node = node.value
        elif kind is ast.Call:
            owner = instance_of_type(node)
            steps.append("()" if owner is None else "__class__")
            node = node.func if owner is None else owner
        elif kind is ast.Subscript:
            steps.append(subscript_step(node.slice))
            node = node.value
        elif kind is ast.Await:
            node = node.value
        else:
            return ()


def instance_of_type(call: ast.Call) -> ast.Name | None:
    """The `x` of `type(x)`, which gives the class of one object; None for any other call."""
    is_type = type(call.func) is ast.Name and call.func.id == "type" and len(call.args) == 1 and not call.keywords
    return call.args[0] if is_type and type(call.args[0]) is ast.Name else None


def subscript_step(node: Any) -> str:
    """`['key']` for a constant string or a name that is one by its looks (`app[CACHE_KEY]`), `[]` for anything else."""
    if type(node) is ast.Constant and type(node.value) is str:
        return f"[{node.value!r}]"
    name = node.id if type(node) is ast.Name else node.attr if type(node) is ast.Attribute else ""
    return f"[{name!r}]" if name.isupper() or name.lower().endswith("_key") else "[]"


def arguments(call: ast.Call) -> tuple[Argument, ...]:
    """The arguments of a call with what each is known to be."""
    if not call.args and not call.keywords:
        return ()
    found = [
        Argument("*", hint(node.value)) if type(node) is ast.Starred else Argument("", hint(node)) for node in call.args
    ]
    found += [Argument(keyword.arg or "**", hint(keyword.value)) for keyword in call.keywords]
    return tuple(found)


def hint(node: Any) -> Hint:
    """The type of an expression where that is plain, else the path to follow, else ()."""
    kind = type(node)
    if kind is ast.Constant:
        return ("=", "None" if node.value is None else type(node.value).__name__)
    if kind in (ast.Name, ast.Attribute, ast.Subscript):
        path = path_of(node)
        return ("=", "str") if path[-1:] == ("hex",) else path
    if kind is ast.Call:
        return _call(node)
    if kind is ast.JoinedStr:
        return ("=", "str")
    if kind is ast.Dict:
        return ("=", _mapping(node))
    if kind is ast.List:
        return ("=", _sequence("list", node.elts))
    if kind is ast.Tuple:
        return ("=", _tuple(node))
    if kind is ast.Set:
        return ("=", _sequence("set", node.elts))
    if kind is ast.ListComp:
        return ("=", _of("list", hint(node.elt)))
    if kind is ast.SetComp:
        return ("=", _of("set", hint(node.elt)))
    if kind is ast.DictComp:
        return ("=", "dict")
    if kind is ast.Await:
        return hint(node.value)
    if kind is ast.BinOp:
        return _arithmetic(node)
    if kind is ast.Compare or (kind is ast.UnaryOp and type(node.op) is ast.Not):
        return ("=", "bool")
    if kind is ast.UnaryOp:
        return hint(node.operand)
    if kind is ast.IfExp:
        return _either(hint(node.body), hint(node.orelse))
    if kind is ast.BoolOp:
        return _either(*[hint(value) for value in node.values])
    if kind is ast.NamedExpr:
        return hint(node.value)
    if kind is ast.Lambda:
        return ("=", "Callable")
    return _UNKNOWN


def element(node: Any) -> Hint:
    """One element of an iterated expression, as a path that ends in `[]`."""
    path = path_of(node)
    return (*path, "[]") if path else _UNKNOWN


def annotation(node: Any) -> str:
    """An annotation as text; a quoted one without its quotes."""
    if type(node) is ast.Constant and type(node.value) is str:
        return node.value
    if type(node) is ast.Name:
        return str(node.id)
    return ast.unparse(node)


def is_computed_name(call: Any) -> bool:
    """Whether the second argument of a `getattr` or `setattr` call is anything but a constant."""
    return type(call) is ast.Call and len(call.args) > 1 and type(call.args[1]) is not ast.Constant


def is_main_guard(node: Any) -> bool:
    """Whether a test is `__name__ == "__main__"`."""
    return (
        type(node) is ast.Compare
        and type(node.left) is ast.Name
        and node.left.id == "__name__"
        and type(node.comparators[0]) is ast.Constant
        and node.comparators[0].value == "__main__"
    )


def _call(node: ast.Call) -> Hint:
    path = path_of(node)
    if len(path) == 2 and path[0] in _CALLS:
        return ("=", _CALLS[path[0]])
    if path:
        dotted = ".".join(path[:-1]).replace(".()", "()")
        known = _DOTTED.get(dotted)
        if known:
            return ("=", known)
        if (len(path) > 2 and path[-2] in _HEX) or any(
            keyword.arg == "as_text" and type(keyword.value) is ast.Constant and keyword.value.value is True
            for keyword in node.keywords
        ):
            return ("=", "str")
    if type(node.func) is ast.Attribute and node.func.attr in _STRING_METHODS:
        if node.func.attr in ("replace",) and not path:
            return ("=", "str") if type(node.func.value) in (ast.Constant, ast.JoinedStr) else _UNKNOWN
        if node.func.attr != "replace":
            return ("=", "str")
    return path


def _either(*hints: Hint) -> Hint:
    """The one type that every branch has, or the first path; None gives way to the other branch."""
    known = [found for found in hints if found and found != ("=", "None")]
    if not known:
        return hints[0] if hints else _UNKNOWN
    if all(found == known[0] for found in known):
        return known[0]
    paths = [found for found in known if found[0] != "="]
    made = [found for found in paths if found[-1] == "()"]
    return (made or paths or [_UNKNOWN])[0]


def _arithmetic(node: ast.BinOp) -> Hint:
    left, right = hint(node.left), hint(node.right)
    if type(node.op) is ast.Mod and left == ("=", "str"):
        return left
    numbers = {("=", "int"), ("=", "float")}
    if left in numbers and right in numbers:
        return ("=", "float") if ("=", "float") in (left, right) or type(node.op) is ast.Div else ("=", "int")
    if left == right:
        return left
    for one, other in ((left, right), (right, left)):
        if one in (("=", "str"), ("=", "bytes")) and type(node.op) is ast.Add:
            return one
        if one in numbers and (not other or other[0] != "="):
            return _number_with(one, node)
    return _UNKNOWN


def _number_with(number: Hint, node: ast.BinOp) -> Hint:
    """The type of `unknown + 1`: a number as far as the constant tells, except where `*` may repeat a sequence."""
    return _UNKNOWN if type(node.op) in (ast.Mult, ast.Div, ast.Mod) else number


def _type(found: Hint) -> str:
    return found[1] if found[:1] == ("=",) else ""


def _of(outer: str, inner: Hint) -> str:
    return f"{outer}[{_type(inner)}]" if _type(inner) else outer


def _sequence(outer: str, nodes: list[Any]) -> str:
    types = {_type(hint(node)) for node in nodes}
    return f"{outer}[{types.pop()}]" if len(types) == 1 and "" not in types else outer


def _tuple(node: ast.Tuple) -> str:
    types = [_type(hint(item)) for item in node.elts]
    return f"tuple[{', '.join(types)}]" if types and all(types) else "tuple"


def _mapping(node: ast.Dict) -> str:
    if not node.keys:
        return "dict"
    keys = {_type(hint(key)) if key is not None else "" for key in node.keys}
    values = {_type(hint(value)) for value in node.values}
    if len(keys) == 1 and "" not in keys:
        value = values.pop() if len(values) == 1 and "" not in values else "Any"
        return f"dict[{keys.pop()}, {value}]"
    return "dict"
