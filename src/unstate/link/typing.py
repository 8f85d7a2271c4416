"""Types of values that come from outside the project: requests, uploads, clocks, standard functions."""

from __future__ import annotations

from unstate.link.values import Made, Typed, Value

_TEXT = Typed("str")
_BYTES = Typed("bytes")

# Functions whose result is a live handle, named after them where it has no better name.
HANDLE_MAKERS = frozenset(
    (
        "create_task ensure_future run_coroutine_threadsafe create_subprocess_exec create_subprocess_shell"
        " socket create_connection open_connection start_server connect submit from_url"
    ).split()
)

# (last part of what made the object, step) -> type. The step of a call is its method's name.
_METHODS: dict[tuple[str, str], Value] = {
    **{(name, "read"): _BYTES for name in ("UploadFile", "FileStorage", "BufferedReader", "BytesIO", "FileUpload")},
    **{(name, "getvalue"): _BYTES for name in ("BytesIO",)},
    **{(name, "filename"): _TEXT for name in ("UploadFile", "FileStorage")},
    **{(name, "content_type"): _TEXT for name in ("UploadFile", "FileStorage")},
    ("FileStorage", "stream"): Made("io.BufferedReader"),
    ("UploadFile", "file"): Made("io.BufferedReader"),
    **{("Request", name): _BYTES for name in ("body", "get_data", "data")},
    **{("datetime", name): _TEXT for name in ("isoformat", "strftime")},
    ("uuid4", "hex"): _TEXT,
    ("Path", "name"): _TEXT,
    ("Path", "read_bytes"): _BYTES,
    ("Path", "read_text"): _TEXT,
}
_EXTERNAL = {
    **dict.fromkeys(("flask.request.data", "flask.request.get_data", "quart.request.get_data"), "bytes"),
    **dict.fromkeys(("flask.request.stream.read", "bottle.request.body.read"), "bytes"),
    **dict.fromkeys(
        (f"{f}.request.{part}" for f in ("flask", "quart") for part in ("remote_addr", "path", "method")), "str"
    ),
    **dict.fromkeys(("flask.request.sid", "uuid.uuid4.hex", "os.getcwd", "os.path.join", "secure_filename"), "str"),
    **dict.fromkeys(("secrets.token_hex", "secrets.token_urlsafe", "time.ctime", "json.dumps"), "str"),
    **dict.fromkeys(("time.time", "time.monotonic", "time.perf_counter", "builtins.round"), "float"),
    **dict.fromkeys(("time.time_ns", "time.monotonic_ns", "builtins.len", "random.randint"), "int"),
    **dict.fromkeys((f"builtins.{name}" for name in ("int",)), "int"),
    **dict.fromkeys((f"builtins.{name}" for name in ("str", "repr", "chr", "hex", "input")), "str"),
    **dict.fromkeys(
        ("builtins.bytes", "os.urandom", "secrets.token_bytes", "pickle.dumps", "base64.b64decode"), "bytes"
    ),
    "builtins.float": "float",
    "builtins.bool": "bool",
    "builtins.dict": "dict",
    "builtins.list": "list",
    "builtins.set": "set",
    "builtins.sorted": "list",
    "builtins.open": "file",
}
_ENTRIES = {
    **{
        f"{f}.request.{part}": "str"
        for f in ("flask", "quart")
        for part in ("form", "args", "headers", "cookies", "values")
    },
    **{f"{f}.request.files": "werkzeug.datastructures.FileStorage" for f in ("flask", "quart")},
    "os.environ": "str",
}


def call_of(maker: str) -> str:
    """The annotation of what a call of an external function gives, "" where it is an instance of `maker`."""
    return _EXTERNAL.get(maker, "")


def made_step(maker: str, step: str) -> Value:
    """A step from an object that `maker` made."""
    found = _METHODS.get((maker.rpartition(".")[2], step))
    if found is not None:
        return found
    if step == "()":
        return None
    return None


def entry_of(name: str) -> Value:
    """One entry of an external mapping."""
    found = _ENTRIES.get(name)
    if found is None:
        return None
    return Made(found) if "." in found else Typed(found)


def step(value: Typed, step: str) -> Value:
    """A step from a value of a known type: a call keeps what its method gave."""
    if step == "()":
        return value if value in (_TEXT, _BYTES) else None
    if value == _TEXT and step in ("strip", "lower", "upper", "replace", "title", "format", "join", "removeprefix"):
        return _TEXT
    if value == _TEXT and step == "encode":
        return _BYTES
    if value == _BYTES and step in ("decode", "hex"):
        return _TEXT
    return None
