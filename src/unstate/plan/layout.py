"""One layout, one codec and one way to write keys a store: chosen once, from all operations and all values seen."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any

from unstate.catalogue.cells import CELL
from unstate.catalogue.seeds import SEEDS
from unstate.catalogue.table import OPAQUE
from unstate.model import Finding, Kind, Layout, Op, Scope, Shape, Store
from unstate.plan.expiry import CACHES, EXPIRING

_CONTAINERS = {
    "dict": "dict",
    "collections.OrderedDict": "dict",
    "collections.defaultdict": "defaultdict",
    "collections.Counter": "counter",
    "collections.deque": "deque",
    "list": "list",
    "set": "set",
    "int": "scalar",
    "float": "scalar",
    "str": "scalar",
    "bool": "scalar",
    "NoneType": "scalar",
    **dict.fromkeys(CACHES - EXPIRING, "dict"),
    **dict.fromkeys(EXPIRING, "cache"),
}
_PIECES = {"list[bytes]": "chunks", "dict[int, bytes]": "parts"}
_OPEN = frozenset({"", "list", "dict", "list[]"})  # what an empty list or dict says of its type
_STAGED = frozenset(_PIECES.values())
_FACTORIES = {
    "int": "defaultdict",
    "lambda: 0": "defaultdict",
    "list": "defaultdict list",
    "lambda: []": "defaultdict list",
    "dict": "defaultdict dict",
    "lambda: {}": "defaultdict dict",
}
_NAMES = ("scalar", "scalar optional", CELL)  # one value each
_WITHOUT_KEYS = ("list", "deque", "deque bounded", "set", *_NAMES)
_OF_A_CELL = frozenset({Op.DEFINE, Op.IMPORT, Op.GETITEM, Op.SETITEM, Op.AUGITEM})
_WHOLE = frozenset({Op.LEN, Op.BOOL, Op.ITER, Op.CLEAR, Op.REBIND})
_CODECS = {
    Shape.STR: "str",
    Shape.INT: "int",
    Shape.FLOAT: "float",
    Shape.BOOL: "bool",
    Shape.BYTES: "bytes",
    Shape.BUFFER: "buffer",
    Shape.ARRAY: "array",
    Shape.RECORD: "json",
    Shape.LIST: "json",
    Shape.UNKNOWN: "json",
}
_TUPLE_OF_PLAIN = re.compile(r"[Tt]uple\[(str|int)(, (str|int))*\]")
_TUPLE = re.compile(r"[Tt]uple(\[(\w+\.)?(str|int|float|bool|None|Any|Literal\[.*\]|\.\.\.|[ ,|()])*\])?")
_TUPLE_OF_VALUES = re.compile(r"[Tt]uple\[(str|int|float|bool)(, (str|int|float|bool|\.\.\.))*\]")
_TYPES = {
    **{name: name for name in ("str", "int", "float", "bool", "bytes")},
    **dict.fromkeys(("BytesIO", "io.BytesIO"), "buffer"),
    **dict.fromkeys(("np.ndarray", "numpy.ndarray"), "array"),
}
_OF_BYTES = {"buffer": "buffers", "array": "arrays"}
TEXT_CODECS = ("str", "int", "float", "bool", "json")


@dataclass(frozen=True, slots=True)
class Choice:
    """How a store is held. `proven_*`: the code shows the type; else it is taken for granted and said so."""

    container: str
    layout: Layout
    codec: str
    key_type: str
    proven_key: bool
    proven_value: bool
    model: str = ""  # the class of the values, for codec "model"


def container_of(store: Store) -> str | None:
    """What the store is made of in the catalogue's words, None for what it does not know."""
    container = _CONTAINERS.get(store.constructor)
    if container == "dict" and (pieces := _pieces(store)):
        return pieces
    if container == "deque" and bound(store):
        return "deque bounded"
    if container == "list" and _is_cell(store):
        return CELL
    if container == "scalar" and store.constructor == "NoneType":
        return "scalar optional"
    if container == "defaultdict":
        return _FACTORIES.get(_argument(store.definition, 0))
    return container


def _pieces(store: Store) -> str:
    """ "chunks" or "parts" for a dict of uploads that come in pieces, as its type declares; "" for any other."""
    known = {text.replace("List", "list").replace("Dict", "dict") for text in store.value_types}
    return next((container for full, container in _PIECES.items() if full in known and known <= {full, *_OPEN}), "")


def bound(store: Store) -> str:
    """How many entries a deque keeps, as its definition writes it; "" for one without a bound."""
    size = _argument(store.definition, 1, "maxlen") if _CONTAINERS.get(store.constructor) == "deque" else ""
    return "" if size == "None" else size


def _is_cell(store: Store) -> bool:
    """`[0]`: a list of one literal, of which only a part is ever read or set."""
    match _literal(store.definition):
        case [int() | float() | str() | bool() | None]:
            return all(site.op in _OF_A_CELL for site in store.sites)
    return False


def start_of(store: Store, container: str) -> str:
    """The literal that a store without keys starts with; "" where it is empty at first."""
    if container == CELL:
        return repr(_literal(store.definition)[0])
    return store.definition if container in _NAMES else ""


def _literal(definition: str) -> Any:
    """The value of a literal; Ellipsis for anything else."""
    try:
        return ast.literal_eval(definition.strip())
    except (ValueError, SyntaxError):
        return ...


def _readable(size: str, store: Store) -> bool:
    """Whether an expression of the definition means the same at each site: a number, or a name of the one module."""
    one_module = store.scope is Scope.MODULE and all(site.path == store.path for site in store.sites)
    return size.isdigit() or (size.isidentifier() and one_module)


def _argument(definition: str, place: int, keyword: str = "") -> str:
    """An argument of the call that a definition is (or that a factory in it makes), by place or keyword."""
    try:
        tree = ast.parse(definition.strip(), mode="eval")
    except SyntaxError:
        return ""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in calls:
        if any(each.arg == "default_factory" for each in call.keywords):
            continue
        named = [each.value for each in call.keywords if keyword and each.arg == keyword]
        given = [*named, *call.args[place : place + 1]]
        return ast.unparse(given[0]) if given else ""
    return ""


def choose(
    finding: Finding, *, expires: bool, codec: str | None = None, model: str = "", ordered: bool = False
) -> Choice | str:
    """The layout of a store, or the reason why it has none.

    `codec`: a person's answer, if there is one; `model`: the class whose fields its values travel by; `ordered`: the
    order of its entries is made use of.
    """
    store = finding.store
    container = container_of(store)
    if ordered:
        container = "ordered"
    if container is None:
        return f"`{store.name}` is made by `{store.constructor or store.definition}`, which the catalogue does not know"
    if finding.shape is Shape.UNKNOWN and _holds_stores(store):
        return f"`{store.name}` holds several things by their names: each is a store of its own"
    if not _starts_empty(store, container) and not is_seeded(store, container):
        return (
            f"`{store.name}` starts with entries ({_short(store.definition)}), which a backing service would not have"
        )
    if container in _NAMES and _literal(store.definition) is ...:
        return f"`{store.name}` starts as `{_short(store.definition)}`, which no other process may know"
    size = bound(store)
    if size and not _readable(size, store):
        return f"`{store.name}` keeps its last `{size}` entries, a number that not every use of it can read"
    if finding.shape is Shape.OBJECT:
        return f"`{store.name}` holds objects that cannot be written as data"
    if reason := _unfit_keys(store):
        return reason
    if container in _STAGED:
        codec = "bytes"
    chosen = codec or ("model" if model else "tuple" if holds_tuples(store) else _CODECS.get(finding.shape))
    if chosen is None:
        return f"no codec is declared for what `{store.name}` holds ({finding.shape})"
    if chosen in OPAQUE and container != "dict":
        return f"`{store.name}` holds {_OF_BYTES[chosen]}, which become objects of S3 where they have keys, in a dict"
    if chosen == "bool" and set(store.value_types) - {"bool", "None"}:
        chosen = "json"  # something else may be there too
    if container == "scalar optional" and chosen == "json":
        container = "scalar"  # JSON has a None of its own
    if (
        container in ("scalar", CELL)
        and chosen != "json"
        and "None" in {*store.value_types, store.definition.strip(" []")}
    ):
        chosen = "json"
    return Choice(
        container=container,
        layout=_layout(finding, container, chosen, expires=expires),
        codec=chosen,
        key_type=_key_type(store),
        proven_key=container in _WITHOUT_KEYS or _shows_keys(store),
        proven_value=container in _STAGED or _proven_value(store, chosen),
        model=model,
    )


def expires_by_key(finding: Finding) -> bool:
    """Whether entries of the store can have an expiry of their own: those of a dict in Redis."""
    text = finding.shape not in (Shape.BUFFER, Shape.ARRAY) and (
        finding.shape is not Shape.BYTES or finding.kind not in (Kind.UPLOAD, Kind.FILE_STORE)
    )
    container = container_of(finding.store) or ""
    return container in ("dict", "cache") and text and not is_seeded(finding.store, container)


def _layout(finding: Finding, container: str, codec: str, *, expires: bool) -> Layout:
    match container:
        case "scalar" | "cell":
            return Layout.COUNTER if codec == "int" else Layout.STRING
        case "scalar optional":
            return Layout.STRING
        case "chunks" | "parts":
            return Layout.S3
        case "list" | "deque" | "deque bounded":
            return Layout.LIST
        case "set":
            return Layout.SET
        case "ordered" | "counter" | "defaultdict" | "defaultdict list" | "defaultdict dict":
            return Layout.HASH
    if codec in OPAQUE:
        return Layout.S3
    if codec == "bytes":
        return Layout.S3 if finding.kind in (Kind.UPLOAD, Kind.FILE_STORE) else Layout.STRING
    if container == "cache":
        return Layout.STRING
    whole = any(site.op in _WHOLE for site in finding.store.sites) or is_seeded(finding.store, container)
    return Layout.HASH if whole and not expires else Layout.STRING


def _key_type(store: Store) -> str:
    known = set(store.key_types)
    if known == {"int", ""}:  # numbers by their text would be sorted as text
        return "int"
    if any(map(_is_tuple, known)):
        return "tuple" if all(not each or _is_tuple(each) for each in known) else ""
    return known.pop() if known in ({"str"}, {"int"}) else ""


def holds_tuples(store: Store) -> bool:
    """Whether its values are tuples of text and numbers, as far as each site says."""
    return bool(store.value_types) and all(
        each == "tuple" or _TUPLE_OF_VALUES.fullmatch(each) for each in store.value_types
    )


def _shows_keys(store: Store) -> bool:
    """Whether each site shows that the keys are of one type, whose text tells them apart."""
    known = set(store.key_types)
    return known in ({"str"}, {"int"}) or any(
        known <= {each, "tuple"} for each in known if _TUPLE_OF_PLAIN.fullmatch(each)
    )


def _unfit_keys(store: Store) -> str:
    """Why keys of several parts cannot be told by a text; "" where they can, or there are none."""
    tuples = [each for each in store.key_types if _is_tuple(each)]
    if not tuples:
        return ""
    if any(each and not _is_tuple(each) for each in store.key_types):
        return f"`{store.name}` has keys of several parts and keys of one: no text tells both apart"
    odd = next((each for each in tuples if not _TUPLE.fullmatch(each)), "")
    return f"`{store.name}` has keys of type `{odd}`, which no text gives back" if odd else ""


def _is_tuple(key_type: str) -> bool:
    return key_type.partition("[")[0].lower() in ("tuple", "typing.tuple")


def _proven_value(store: Store, codec: str) -> bool:
    if codec == "tuple":
        return "tuple" not in store.value_types
    seen = [each for each in store.value_types if each != "None" or codec in ("bytes", "json")]
    return bool(seen) and all(_TYPES.get(each) == codec for each in seen)


def _starts_empty(store: Store, container: str) -> bool:
    if container in _NAMES:
        return True
    text = "".join(store.definition.split())
    return (
        text in ("", "{}", "[]", "dict()", "list()", "set()")
        or text.endswith("()")
        or store.constructor in CACHES
        or "default_factory" in text
        or _only_limits(text)
    )


def is_seeded(store: Store, container: str) -> bool:
    """Whether a store starts with entries that its definition writes out."""
    if container not in SEEDS or _starts_empty(store, container):
        return False
    try:
        value = ast.parse(store.definition.strip(), mode="eval").body
    except SyntaxError:
        return False
    match value:
        case ast.Call(func=ast.Name(id="dict" | "list" | "set"), args=[only], keywords=[]):
            return isinstance(only, ast.Dict | ast.List | ast.Tuple | ast.Set)
        case ast.Call(func=ast.Name(id="dict"), args=[]):
            return True
    return isinstance(value, ast.Dict | ast.List | ast.Set) and store.constructor in SEEDS


def _holds_stores(store: Store) -> bool:
    """`{"files": {}, "count": 0}`: a dict whose entries are empty at first."""
    value = _literal(store.definition)
    return isinstance(value, dict) and any(isinstance(each, dict | list) and not each for each in value.values())


def _only_limits(text: str) -> bool:
    """`deque(maxlen=5)`, `defaultdict(int)`: arguments that are no entries."""
    return (
        text.split("(")[0].split(".")[-1] in ("deque", "defaultdict", "Counter") and "[" not in text and "{" not in text
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 40 else line[:37] + "..."
