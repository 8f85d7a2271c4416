"""What a file does with files on disk: calls that touch them, and expressions that form their paths.

Kept as source text, which the linker parses where it needs to: most of it is never looked at. Assigned values are no
facts of their own, because `Ref.source` has them already.
"""

from __future__ import annotations

import ast
import re
from typing import Any

# A file without any of these words touches no file and forms no path.
_WORDS = (
    b"open(",
    b".save(",
    b"Path(",
    b"pathlib",
    b"path.join",
    b"import join",
    b"safe_join",
    b"write_",
    b"shutil",
    b"tempfile",
    b"unlink",
    b"os.remove",
    b"listdir",
    b"glob(",
    b"exists(",
    b"send_file",
    b"send_from_directory",
    b"FileResponse",
    b"static",
    b"Static",
    b"MEDIA_ROOT",
    b"FileField",
    b"ImageField",
    b"FileSystemStorage",
    b"default_storage",
    b"sqlite3",
    b".to_",
    b"_dir",
    b"_DIR",
    b"folder",
    b"FOLDER",
    b"_path",
    b"_PATH",
)

# Calls that touch a file or a folder, by the last name of what is called. What they do is the linker's business.
TOUCHING = frozenset(
    (
        "open fdopen write_text write_bytes read_text read_bytes unlink remove rmtree rmdir removedirs exists"
        " is_file is_dir isfile isdir lexists stat getsize getmtime getctime listdir scandir walk iterdir glob"
        " iglob rglob rename replace move copy copy2 copyfile copytree copyfileobj make_archive unpack_archive"
        " touch mkdir makedirs ZipFile TarFile GzipFile save savefig export imwrite imsave imread write_to_file"
        " extractall to_csv to_excel to_parquet to_json to_pickle to_feather to_hdf read_csv read_excel"
        " read_parquet read_pickle read_json dump load savez connect send_file send_from_directory FileResponse"
        " static_file StaticFiles add_static static serve BackgroundTask add_task to_thread run_in_threadpool"
        " run_sync submit run_in_executor delay file download_file upload_file FileField ImageField FileSystemStorage"
        " delete NamedTemporaryFile mkstemp mkdtemp TemporaryDirectory upload_fileobj download_fileobj"
    ).split()
)
# Calls whose result is a path.
_FORMING = frozenset(
    (
        "join safe_join joinpath Path PurePath PosixPath abspath realpath normpath expanduser resolve absolute"
        " as_posix fspath str with_suffix with_name dirname get getenv format"
    ).split()
)
_NO_PATHS = frozenset({ast.Compare, ast.UnaryOp, ast.Lambda})
_FILE_NAME = re.compile(r"[\w.~-]+(/[\w.-]+)+/?|[\w-]+\.(json|jsonl|csv|tsv|db|sqlite3?|pkl|pickle|ya?ml|txt|xlsx?)")
LONGEST = 2000  # characters of source: longer calls carry data, and are none of ours


def may_touch(source: bytes) -> bool:
    """Whether a file is worth looking at."""
    return any(word in source for word in _WORDS)


def is_touching(node: ast.Call) -> str:
    """The last name of what a call calls, if the call touches files or hands a path on; else ""."""
    function = node.func
    named = function.id if isinstance(function, ast.Name) else ""
    name = function.attr if isinstance(function, ast.Attribute) else named
    if name in TOUCHING:
        return name
    if not name:
        return ""
    for argument in node.args:
        if _forms(argument):
            return name
    for keyword in node.keywords:
        if _forms(keyword.value):
            return name
    return ""


def may_be_path(node: Any) -> bool:
    """Whether a value that is handed out can be a path or hold one."""
    return type(node) not in _NO_PATHS


def _forms(node: Any) -> bool:
    kind = type(node)
    if kind is ast.BinOp:
        return type(node.op) is ast.Div or (type(node.op) is ast.Add and (_forms(node.left) or _forms(node.right)))
    if kind is ast.JoinedStr:
        return any(type(part) is ast.Constant and "/" in str(part.value) for part in node.values)
    if kind is ast.Constant:
        return type(node.value) is str and _FILE_NAME.fullmatch(node.value) is not None
    if kind is ast.Call:
        function = node.func
        inner = function.attr if type(function) is ast.Attribute else getattr(function, "id", "")
        return inner in _FORMING and bool(node.args or type(function) is ast.Attribute)
    return False
