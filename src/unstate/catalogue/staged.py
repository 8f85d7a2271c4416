"""dict of lists of bytes ("chunks"), and of bytes by number ("parts"): uploads that come in pieces.

An empty object under the entry's key says that the upload has begun; each piece is an object below it, named by its
number. Who takes the pieces claims them by an object that only one request can make, so an upload ends once.
"""

from __future__ import annotations

from unstate.catalogue.table import BYTES, EARLY, Table
from unstate.model import COMES_BETWEEN, Layout

BY_NUMBER = "parts come in the order of their numbers; before, in the order in which they arrived"

_chunks = Table("chunks", Layout.S3, container="chunks", codecs=BYTES)
_parts = Table("parts", Layout.S3, container="parts", codecs=BYTES)


RULES = (
    _chunks("begin", "x[k] = []", "start_upload(OBJECT)", difference=COMES_BETWEEN),
    _chunks("if_absent", "if k not in x:\n    x[k] = []", "begin_upload(OBJECT)"),
    _chunks("append.pure", "x[k].append(v)", "append_part(OBJECT, k, v)", "pure v", "discarded"),
    _chunks("append", "x[k].append(v)", "append_part(OBJECT, k, v)", "discarded", difference=EARLY),
    _chunks("len", "len(x[k])", "len(part_numbers(OBJECT, k))"),
    _chunks("join", 'b"".join(x[k])', 'b"".join(read_parts(OBJECT, k).values())'),
    _chunks("contains", "k in x", "object_exists(OBJECT)"),
    _chunks("not_contains", "k not in x", "not object_exists(OBJECT)"),
    _chunks("pop", "x.pop(k)", "list(found(take_parts(OBJECT), k).values())"),
    _chunks("delitem", "del x[k]", "if take_parts(OBJECT) is None:\n    raise KeyError(k)"),
    _chunks("pop.discarded", "x.pop(k, None)", "take_parts(OBJECT)", "discarded"),
    _chunks(
        "pop_reads",
        "x.pop(k)",
        "list(read_parts(OBJECT, k).values())",
        wrong=True,
        note="the upload goes on, and can be completed again",
    ),
    _parts("begin", "x[k] = {}", "start_upload(OBJECT)", difference=COMES_BETWEEN),
    _parts("if_absent", "if k not in x:\n    x[k] = {}", "begin_upload(OBJECT)"),
    _parts("setitem", "x[k][n] = v", "write_part(OBJECT, k, n, v)"),
    _parts("getitem", "x[k][n]", "found(read_part(OBJECT, k, n), n)"),
    _parts("has", "n in x[k]", "n in part_numbers(OBJECT, k)"),
    _parts("has_not", "n not in x[k]", "n not in part_numbers(OBJECT, k)"),
    _parts("sorted", "sorted(x[k])", "part_numbers(OBJECT, k)"),
    _parts("len", "len(x[k])", "len(part_numbers(OBJECT, k))"),
    _parts("contains", "k in x", "object_exists(OBJECT)"),
    _parts("not_contains", "k not in x", "not object_exists(OBJECT)"),
    _parts("pop", "x.pop(k)", "found(take_parts(OBJECT), k)", difference=BY_NUMBER),
    _parts("delitem", "del x[k]", "if take_parts(OBJECT) is None:\n    raise KeyError(k)"),
    _parts("pop.discarded", "x.pop(k, None)", "take_parts(OBJECT)", "discarded"),
    _parts("del_ignores_missing", "del x[k]", "take_parts(OBJECT)", wrong=True, note="no KeyError"),
)
