"""How a value travels as text, and its type comes back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Codec:
    """Templates over `{}`, the expression; `encoder` and `decoder` are the same as functions."""

    encode: str
    decode: str
    encoder: str
    decoder: str


_CODECS = {
    "str": Codec("{}", "{}", "str", "str"),
    "int": Codec("{}", "int({})", "int", "int"),
    "float": Codec("{}", "float({})", "float", "float"),
    "bool": Codec("dumps({})", "loads({})", "dumps", "loads"),
    "tuple": Codec("dumps({})", "tuple_of({})", "dumps", "tuple_of"),
    "json": Codec("dumps({})", "loads({})", "dumps", "loads"),
    "apart": Codec("dump_apart({})", "load_apart({})", "dump_apart", "load_apart"),
    "bytes": Codec("{}", "{}", "bytes", "bytes"),
    "buffer": Codec("{}.getvalue()", "buffer_of({})", "bytes_in", "buffer_of"),
    "parcel": Codec("parcel({})", "unparcel({})", "parcel", "unparcel"),
    "array": Codec("array_bytes({})", "array_of({})", "array_bytes", "array_of"),
}


MUTABLE = frozenset({"json", "model", "apart"})  # codecs of values that can be changed in place


def codec(name: str, model: str = "") -> Codec:
    """The codec of that name; `model` is the class of the values. Raises KeyError for an unknown one."""
    if name == "model":
        decoder = f"fields_of({model}).validate_json"
        return Codec("dump_model({})", f"{decoder}({{}})", "dump_model", decoder)
    return _CODECS[name]
