"""The shapes of stores that the proofs cover: how one is defined, what goes into it, and how its state is read back."""

from __future__ import annotations

import copy
import io
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from pydantic import BaseModel

from unstate.model import Layout


class Profile(BaseModel):
    """A model as apps keep them."""

    name: str
    visits: int = 0
    tags: list[str] = []


def _text(alphabet: str | None = None) -> SearchStrategy[str]:
    return st.text(st.characters(exclude_categories=["Cs"]) if alphabet is None else alphabet, max_size=4)


FEW = st.sampled_from(["a", "b", "a:b", ""])  # so that operations meet in the same entries
TEXT_KEYS = FEW | FEW | FEW | st.sampled_from(["*", "ü", "[x]", "k\\", "%61", "a/b", "..", "x\n"]) | _text()
PARTS = TEXT_KEYS | st.integers(-1, 1)
KEYS: Mapping[str, SearchStrategy[Any]] = {
    "int": st.integers(-2, 2),
    "tuple": st.tuples(FEW) | st.tuples(PARTS, PARTS),
}
TEXTS = st.sampled_from(["", "0", "x", "None"]) | _text()
INTS = st.integers(-3, 3) | st.integers(-(2**52), 2**52)
FLOATS = st.sampled_from([0.1, 0.2, 0.7, 1e-7, 1.5, -0.0]) | st.floats(allow_nan=False, allow_infinity=False, width=32)
LEAVES = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | FLOATS | TEXTS
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2), max_leaves=4
)
FIELDS = st.sampled_from(["f", "g"])
RECORDS = st.dictionaries(FIELDS, st.integers(-3, 3) | st.lists(INTS, max_size=2) | TEXTS, max_size=2)
MODELS = st.builds(Profile, name=TEXTS, visits=INTS, tags=st.lists(TEXTS, max_size=2))

# A server of S3 takes its time: few values have bytes, and some look like what stands for them.
CONTENTS = st.sampled_from([b"", b"x", b"\xff\x00"])
APART = CONTENTS | st.lists(CONTENTS, max_size=1) | st.dictionaries(st.just("$bytes"), TEXTS | CONTENTS, max_size=1)

VALUES: Mapping[str, SearchStrategy[Any]] = {
    "str": TEXTS,
    "int": INTS,
    "float": FLOATS,
    "bool": st.booleans(),
    "tuple": st.tuples(INTS, FLOATS) | st.tuples(TEXTS),
    "members": st.tuples(TEXTS, st.integers(-3, 3)),
    "bytes": st.sampled_from([b"", b"\xff\x00", b"x"]) | st.binary(max_size=4),
    "apart": RECORDS | RECORDS | st.dictionaries(FIELDS | st.just("$bytes"), APART, max_size=2),
    "parcel": st.dictionaries(FIELDS | TEXTS, JSON | st.binary(max_size=4), max_size=3),
    "buffer": st.builds(io.BytesIO, st.binary(max_size=4)),
    "array": st.lists(st.integers(-3, 3)).map(numpy.array) | FLOATS.map(numpy.float32).map(numpy.atleast_2d),
    "json": JSON,
    "records": RECORDS,
    "lists": st.lists(LEAVES, max_size=2),
    "model": MODELS,
}


def _record(raw: bytes) -> dict[str, Any]:
    """A record from its line of JSON and the bytes behind it."""
    line, _, rest = raw.partition(b"\n")
    source, fields = io.BytesIO(rest), json.loads(line)
    return {name: source.read(size[0]) if size else value for name, value, *size in fields}


@cache
def _read_apart(raw: bytes) -> Any:
    """A record with its bytes from S3: read once, as what lies under a hash never changes; the rules read it anew."""
    return sys.modules["proof_services"].load_apart(raw.decode())


DECODERS: Mapping[str, Callable[[bytes], Any]] = {
    "str": bytes.decode,
    "int": int,
    "float": float,
    "bool": json.loads,
    "bytes": bytes,
    "buffer": io.BytesIO,
    "apart": lambda raw: copy.deepcopy(_read_apart(raw)),
    "parcel": _record,
    "array": lambda raw: numpy.load(io.BytesIO(raw), allow_pickle=False),
    "tuple": lambda raw: tuple(json.loads(raw)),
    "json": json.loads,
    "model": Profile.model_validate_json,
}


@dataclass(frozen=True)
class Shape:
    """One kind of store: `values` names what is put into it, where the codec alone does not say."""

    layout: Layout
    container: str
    codec: str
    key_type: str = "str"
    definition: str = "{}"
    values: str = ""
    size: str = ""
    expires: bool = False  # an hour of the proof's own time passes with each step; an entry lives for three
    more: Mapping[str, SearchStrategy[Any]] = field(default_factory=dict, hash=False, compare=False)

    @property
    def name(self) -> str:
        """For messages and test ids."""
        key = "" if self.key_type == "str" else f"-{self.key_type}-keys"
        return f"{self.layout}-{self.container}-{self.values or self.codec}{key}-{self.definition}"

    def letters(self) -> dict[str, SearchStrategy[Any]]:
        """What the metavariables of a pattern stand for."""
        keys = KEYS.get(self.key_type, TEXT_KEYS)
        values = VALUES[self.values or self.codec]
        return {
            "k": keys,
            "k2": keys,
            "v": values,
            "w": values,
            "n": st.integers(-5, 5),
            "d": values,
            "f": FIELDS,
            "o": st.dictionaries(keys, values, max_size=3),
            "i": st.integers(-4, 4),
            "j": st.integers(-4, 4),
            **self.more,
        }

    def decode(self, raw: bytes) -> Any:
        """A value back from what the backing service holds."""
        return DECODERS[self.codec](raw)

    def key(self, raw: bytes) -> Any:
        """A key back from its text."""
        if self.key_type == "tuple":
            return tuple(json.loads(raw))
        return int(raw) if self.key_type == "int" else raw.decode()


def _several(codec: str) -> dict[str, SearchStrategy[Any]]:
    """For stores without keys `o` is a run of values."""
    return {"o": st.lists(VALUES[codec], max_size=3)}


def _members(codec: str) -> dict[str, SearchStrategy[Any]]:
    return {"o": st.sets(VALUES[codec], max_size=3)}


def _counted(key_type: str) -> dict[str, SearchStrategy[Any]]:
    """What a Counter adds up: elements, or counts by element."""
    keys: SearchStrategy[Any] = st.integers(-2, 2) if key_type == "int" else TEXT_KEYS
    return {"o": st.lists(keys, max_size=4) | st.dictionaries(keys, st.integers(-3, 3), max_size=3)}


CACHE = "TTLCache(1000, 3 * HOUR - 1, timer=clock)"
_DICTS = ("str", "int", "float", "bool", "json")
SHAPES = (
    *(Shape(Layout.STRING, "dict", codec) for codec in (*_DICTS, "bytes")),
    Shape(Layout.STRING, "dict", "str", key_type="int"),
    *(Shape(layout, "dict", "tuple") for layout in (Layout.STRING, Layout.HASH)),
    *(Shape(layout, "dict", "int", key_type="tuple") for layout in (Layout.STRING, Layout.HASH)),
    *(Shape(layout, "dict", "model") for layout in (Layout.STRING, Layout.HASH)),
    *(Shape(Layout.STRING, "cache", codec, definition=CACHE, expires=True) for codec in ("str", "int")),
    Shape(Layout.STRING, "cache", "json", definition=CACHE, expires=True, values="records"),
    *(Shape(Layout.HASH, "dict", codec) for codec in _DICTS),
    Shape(Layout.HASH, "dict", "int", key_type="int"),
    *(
        Shape(layout, "dict", "json", values=kind)
        for layout in (Layout.STRING, Layout.HASH)
        for kind in ("records", "lists")
    ),
    *(
        Shape(Layout.LIST, "list", codec, definition="[]", more=_several(codec))
        for codec in ("str", "int", "tuple", "json")
    ),
    *(Shape(Layout.SET, "set", codec, definition="set()", more=_members(codec)) for codec in ("str", "int")),
    Shape(Layout.SET, "set", "tuple", definition="set()", values="members", more=_members("members")),
    Shape(Layout.LIST, "deque", "json", definition="deque()", more=_several("json")),
    *(
        Shape(Layout.LIST, "deque bounded", "str", definition=f"deque(maxlen={size})", size=size, more=_several("str"))
        for size in ("2", "0")
    ),
    Shape(Layout.HASH, "counter", "int", definition="Counter()", more=_counted("str")),
    Shape(Layout.HASH, "defaultdict", "int", definition="defaultdict(int)"),
    Shape(Layout.HASH, "defaultdict list", "json", definition="defaultdict(list)", values="lists"),
    Shape(Layout.HASH, "defaultdict dict", "json", definition="defaultdict(dict)", values="records"),
    Shape(Layout.COUNTER, "scalar", "int", definition="0"),
    Shape(Layout.COUNTER, "scalar", "int", definition="7"),
    *(Shape(Layout.HASH, "ordered", codec, definition="OrderedDict()") for codec in ("str", "int")),
    Shape(Layout.HASH, "ordered", "json", definition="OrderedDict()", values="records"),
    *(Shape(Layout.COUNTER, "cell", "int", definition=f"[{start}]") for start in ("0", "7")),
    *(
        Shape(Layout.STRING, "scalar", codec, definition=start)
        for codec, start in (
            ("str", "'idle'"),
            ("float", "0.5"),
            ("bool", "False"),
            ("json", "None"),
            ("json", "'new'"),
        )
    ),
    Shape(Layout.STRING, "cell", "str", definition="['idle']"),
    *(
        Shape(Layout.STRING, "scalar optional", codec, definition="None", more={"v": st.none() | VALUES[codec]})
        for codec in ("str", "int")
    ),
    Shape(Layout.S3, "dict", "bytes"),
    *(Shape(layout, "dict", "apart") for layout in (Layout.STRING, Layout.HASH)),
    Shape(Layout.STRING, "cache", "apart", definition=CACHE, expires=True),
    *(Shape(Layout.S3, "dict", codec) for codec in ("buffer", "array", "parcel")),
    Shape(Layout.S3, "chunks", "bytes"),
    Shape(Layout.S3, "parts", "bytes"),
)
