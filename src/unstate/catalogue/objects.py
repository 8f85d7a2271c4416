"""dict of bytes, of objects that are made of bytes, of records that hold bytes: one S3 object an entry."""

from __future__ import annotations

from unstate.catalogue.table import BYTES, CLEARING, ENTRIES, Table
from unstate.model import TAKEN_TWICE, Layout

LISTING = "entries come in the order of their keys, and a listing sees no one moment of them"
_GET = 's3.get_object(Bucket=BUCKET, Key=OBJECT)["Body"].read()'


_rule = Table("s3", Layout.S3, codecs=BYTES)
_any = Table("s3", Layout.S3, codecs=BYTES | ENTRIES)  # without the value
_entry = Table("s3.entry", Layout.S3, codecs=ENTRIES)


RULES = (
    _rule("setitem", "x[k] = v", "s3.put_object(Bucket=BUCKET, Key=OBJECT, Body=v)", "synchronous"),
    _rule("setitem.asynchronous", "x[k] = v", "write_object(OBJECT, v)", "asynchronous"),
    _rule(
        "get.assigned",
        "t = x.get(k)",
        f"try:\n    t = {_GET}\nexcept s3.exceptions.NoSuchKey:\n    t = None",
        "synchronous",
    ),
    _rule(
        "get.returned",
        "return x.get(k)",
        f"try:\n    return {_GET}\nexcept s3.exceptions.NoSuchKey:\n    return None",
        "synchronous",
    ),
    _rule("get", "x.get(k)", "read_object(OBJECT)"),
    _rule("get.none", "x.get(k, None)", "read_object(OBJECT)"),
    _rule("get.default", "x.get(k, d)", "read_object(OBJECT, d)", note="the default is made first, as ever"),
    _rule("getitem", "x[k]", "found(read_object(OBJECT), k)"),
    _any("contains", "k in x", "object_exists(OBJECT)"),
    _any("not_contains", "k not in x", "not object_exists(OBJECT)"),
    _any("delitem", "del x[k]", "if not delete_object(OBJECT):\n    raise KeyError(k)", difference=TAKEN_TWICE),
    _rule("pop", "x.pop(k)", "found(take_object(OBJECT), k)", difference=TAKEN_TWICE),
    _rule("pop.none", "x.pop(k, None)", "take_object(OBJECT)", difference=TAKEN_TWICE),
    _any("pop.discarded", "x.pop(k, None)", "delete_object(OBJECT)", "discarded"),
    _rule("pop.default", "x.pop(k, d)", "take_object(OBJECT, d)", "pure d", difference=TAKEN_TWICE),
    _any("if_present_del", "if k in x:\n    del x[k]", "delete_object(OBJECT)"),
    _any("len", "len(x)", "len(object_names(NAME))", difference=LISTING),
    _any("bool", "bool(x)", "bool(object_names(NAME))", difference=LISTING),
    _any("list", "list(x)", "[UNKEY(_name) for _name in object_names(NAME)]", difference=LISTING),
    _any("iter", "iter(x)", "[UNKEY(_name) for _name in object_names(NAME)]", difference=LISTING),
    _any("keys", "x.keys()", "[UNKEY(_name) for _name in object_names(NAME)]", difference=LISTING),
    _any("sorted", "sorted(x)", "sorted(UNKEY(_name) for _name in object_names(NAME))", difference=LISTING),
    _any("clear", "x.clear()", "delete_objects(NAME)", "discarded", difference=CLEARING),
    _entry("setitem", "x[k] = v", "s3.put_object(Bucket=BUCKET, Key=OBJECT, Body=ENC(v))", "synchronous"),
    _entry("setitem.asynchronous", "x[k] = v", "write_object(OBJECT, ENC(v))", "asynchronous"),
    _entry("get", "x.get(k)", "optional(read_object(OBJECT), DEC)"),
    _entry("get.none", "x.get(k, None)", "optional(read_object(OBJECT), DEC)"),
    _entry("get.default", "x.get(k, d)", "optional(read_object(OBJECT), DEC, d)", "pure d"),
    _entry("getitem", "x[k]", "DEC(found(read_object(OBJECT), k))"),
    _entry("pop", "x.pop(k)", "DEC(found(take_object(OBJECT), k))", difference=TAKEN_TWICE),
    _entry("pop.none", "x.pop(k, None)", "optional(take_object(OBJECT), DEC)", difference=TAKEN_TWICE),
    _entry("getitem_none", "x[k]", "optional(read_object(OBJECT), DEC)", wrong=True, note="no KeyError"),
    _rule("del_ignores_missing", "del x[k]", "delete_object(OBJECT)", wrong=True, note="no KeyError"),
    _rule("getitem_none", "x[k]", "read_object(OBJECT)", wrong=True, note="no KeyError"),
    _rule("pop_keeps", "x.pop(k, None)", "read_object(OBJECT)", wrong=True, note="the entry stays"),
)
