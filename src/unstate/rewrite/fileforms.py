"""What each call on a file becomes: the helper of the generated module, and what it is given."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import libcst as cst

from unstate.model import Op

_PRINT = cst.Module([])
_TIGHT = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
MODES = frozenset("r rb rt br w wb wt wt bw x xb xt a ab at".split())
_MODULES = frozenset("os path shutil glob aiofiles ospath osp flask responses aios staticfiles".split())


@dataclass(frozen=True, slots=True)
class Form:
    """The helper that takes a call's place, with its arguments from the rewritten call."""

    helper: str
    arguments: Callable[[cst.Call], Sequence[cst.Arg]]
    remote: bool = True  # has a twin to await in asynchronous code
    handed: bool = False  # takes the place of the function that the call is given first, and runs


@dataclass(frozen=True, slots=True)
class Copy:
    """The call works on a local copy: the argument in that place, with the mode of `local_file`."""

    index: int
    mode: str


@dataclass(frozen=True, slots=True)
class Folder:
    """The call makes a folder, or removes an empty one: S3 has none, so it goes."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The call opens the file; the first of `arguments` is the path."""

    mode: str
    arguments: Callable[[cst.Call], Sequence[cst.Arg]]
    by_aiofiles: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """The call needs no change: it is given an open file."""


Chosen = Form | Copy | Folder | Opened | Left | str  # a text is the reason why there is none


def code(node: cst.CSTNode) -> str:
    """The source of a node."""
    return _PRINT.code_for_node(node)


def last_name(node: cst.Call) -> str:
    """What is called, by its last name."""
    match node.func:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name
    return ""


def choose(
    node: cst.Call, ops: frozenset[Op], operands: frozenset[int], imports: str, *, elsewhere: bool = False
) -> Chosen:
    """The form for a call that does `ops` to files of the location.

    `operands` says which of its arguments are paths, by index; -1 is what a method is called on. `imports` is the
    source of the file's imports. `elsewhere`: the files may as well be others, on local disk.
    """
    name = last_name(node)
    if elsewhere and name in _TWO_ENDS:
        return _anywhere(node, name)
    if elsewhere and name == "copytree":
        return _copied_tree(node, ops, imports, elsewhere=True)
    if elsewhere and name in ("StaticFiles", "BackgroundTask", "add_task"):
        return f"`{name}` is given a folder that may be this one or another"
    owner = node.func.value if isinstance(node.func, cst.Attribute) else None
    module = code(owner) if owner is not None else ""
    if any(arg.star for arg in node.args):
        return f"`{name}` is given unpacked arguments"
    if -1 in operands:
        if name == "open":
            return _opened(node, -1, by_aiofiles=False)
        return _METHODS[name](node, ops) if name in _METHODS else f"`{name}` is no method of a path that has a form"
    if name == "open" and module in ("", "io", "aiofiles", "anyio", "codecs"):
        return _opened(node, 0, by_aiofiles=module in ("aiofiles", "anyio"))
    if name in _FUNCTIONS and (owner is None or module.rpartition(".")[2] in _MODULES):
        return _FUNCTIONS[name](node, ops, imports)
    if name in ("BackgroundTask", "add_task"):
        return _background(node)
    if name in _RUNNERS:
        return _run(node, ops, imports)
    return _copied(node, ops, operands)


def _first(node: cst.Call) -> Sequence[cst.Arg]:
    return [_plain(node.args[0])]


def _plain(arg: cst.Arg) -> cst.Arg:
    """A positional argument without a comma of its own."""
    return cst.Arg(arg.value)


def bare(node: cst.BaseExpression) -> cst.BaseExpression:
    """An expression without parentheses around it, where it stands on one line: an argument needs none."""
    return node if "\n" in code(node) else node.with_changes(lpar=[], rpar=[])


def _owner(node: cst.Call) -> cst.Arg:
    assert isinstance(node.func, cst.Attribute)
    return cst.Arg(bare(node.func.value))


def sent(node: cst.Call) -> Sequence[cst.Arg]:
    """What an upload that writes itself is made of: `upload.save(path)` is the upload and its path."""
    return [_owner(node), _plain(node.args[0])]


def keyword(node: cst.Call, name: str) -> cst.BaseExpression | None:
    """The value of a keyword argument."""
    return next((arg.value for arg in node.args if arg.keyword is not None and arg.keyword.value == name), None)


def _positional(node: cst.Call) -> int:
    return sum(arg.keyword is None for arg in node.args)


def _simple(helper: str) -> Callable[[cst.Call, frozenset[Op], str], Chosen]:
    def form(node: cst.Call, ops: frozenset[Op], imports: str) -> Chosen:
        if len(node.args) != 1 or node.args[0].keyword is not None:
            return f"`{code(node.func)}` is called with more than the path"
        return Form(helper, _first)

    return form


def _removed(node: cst.Call, ops: frozenset[Op], imports: str) -> Chosen:
    ignore = keyword(node, "ignore_errors")
    if len(node.args) == 1 and node.args[0].keyword is None:
        return Form("remove_tree", _first)
    if _positional(node) == 1 and len(node.args) == 2 and ignore is not None:
        return Form("remove_tree", lambda call: [_plain(call.args[0]), cst.Arg(call.args[1].value)])
    return "`rmtree` is called with more than the path"


# What the code makes first, so that it is there, need not be there in S3.
LENIENT = Form("remove_tree", lambda call: [_plain(call.args[0]), cst.Arg(cst.Name("True"))])


def _moved(node: cst.Call, ops: frozenset[Op], imports: str) -> Chosen:
    helper = _BOTH_ENDS.get((last_name(node) in ("copy", "copy2", "copyfile"), ops))
    if helper is None or len(node.args) != 2 or _positional(node) != 2:
        return f"`{code(node.func)}` takes a file out of the folder, or is called in another way than with two paths"
    return Form(helper, lambda call: [_plain(call.args[0]), _plain(call.args[1])])


_BOTH_ENDS = {
    (False, frozenset({Op.RENAME, Op.WRITE})): "move_file",
    (False, frozenset({Op.WRITE})): "store_moved_file",
    (True, frozenset({Op.READ, Op.WRITE})): "copy_file",
    (True, frozenset({Op.WRITE})): "store_file",
    (True, frozenset({Op.READ})): "fetch_file",
}


_TWO_ENDS = frozenset("rename replace move copy copy2 copyfile".split())


def _anywhere(node: cst.Call, name: str) -> Chosen:
    """A file is copied or moved, and each end may be in the folder or not."""
    helper = "copy_any_file" if name.startswith("copy") else "move_any_file"
    count = len(node.args)
    if _positional(node) != count or count not in (1, 2):
        return f"`{code(node.func)}` is called in another way than with two paths"
    if count == 1:
        return Form(helper, lambda call: [_owner(call), _plain(call.args[0])])
    return Form(helper, lambda call: [_plain(call.args[0]), _plain(call.args[1]), cst.Arg(call.func)])


_TREES = {
    frozenset({Op.READ, Op.WRITE}): "copy_tree",
    frozenset({Op.WRITE}): "store_tree",
    frozenset({Op.READ}): "fetch_tree",
}


def _copied_tree(node: cst.Call, ops: frozenset[Op], imports: str, *, elsewhere: bool = False) -> Chosen:
    helper = "copy_any_tree" if elsewhere else _TREES.get(ops)
    words = [arg.keyword.value for arg in node.args if arg.keyword is not None]
    if helper is None or _positional(node) != 2 or words not in ([], ["dirs_exist_ok"]):
        return "`copytree` is called in another way than with two folders and `dirs_exist_ok`"
    return Form(helper, lambda call: [*map(_plain, call.args)])


def _walked(node: cst.Call, ops: frozenset[Op], imports: str) -> Chosen:
    if len(node.args) != 1:
        return "`walk` is called with more than the folder"
    return Form("walk_folder", _first)


def _globbed(node: cst.Call, ops: frozenset[Op], imports: str) -> Chosen:
    recursive = keyword(node, "recursive")
    if _positional(node) != 1 or len(node.args) != 1 + (recursive is not None):
        return "`glob` is called with more than a pattern"
    return Form("glob_files", lambda call: [*map(_plain, call.args)])


def _sent(helper: str, leading: int, known: frozenset[str]) -> Callable[[cst.Call, frozenset[Op], str], Chosen]:
    """Functions that serve a file: the same arguments, for the helper of the same signature."""

    def form(node: cst.Call, ops: frozenset[Op], imports: str) -> Chosen:
        if node.args and _is_open(node.args[0].value):
            return Left()
        words = [arg.keyword.value for arg in node.args if arg.keyword is not None]
        strange = next((word for word in words if word not in known), None)
        if strange is not None or _positional(node) < leading:
            return f"`{last_name(node)}` is given `{strange or 'its path by keyword'}`, which is not known"
        if helper == "StoredFileResponse" and not any(name in imports for name in ("fastapi", "starlette")):
            return "this `FileResponse` is of a framework for which there is no form yet"
        if helper != "StoredFileResponse" and "flask" not in imports:
            return f"this `{last_name(node)}` is of a framework for which there is no form yet"
        return Form(helper, lambda call: call.args, remote=False)

    return form


def _is_open(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Call) and last_name(node) == "open"


# What serves a file, where clients fetch it from S3 itself.
PRESIGNED = {
    "send_stored_file": "redirect_to_file",
    "send_stored_file_from": "redirect_to_file_from",
    "StoredFileResponse": "RedirectToFile",
    "StoredFiles": "RedirectToFiles",
}
_SEND = frozenset("mimetype as_attachment download_name conditional etag last_modified max_age".split())
_RESPONSE = frozenset("status_code headers media_type background filename method content_disposition_type".split())


def _mounted(node: cst.Call, ops: frozenset[Op], imports: str) -> Chosen:
    words = [arg.keyword.value if arg.keyword is not None else "" for arg in node.args]
    if words != ["directory"] or not any(name in imports for name in ("fastapi", "starlette")):
        return "`StaticFiles` is called with more than `directory`"
    return Form("StoredFiles", lambda call: call.args, remote=False)


_MAKING = {
    ("makedirs", False): ("mode", "exist_ok"),
    ("mkdir", False): ("mode",),
    ("rmdir", False): (),
    ("mkdir", True): ("mode", "parents", "exist_ok"),
    ("rmdir", True): (),
}


def on_disk(node: cst.Call, *, method: bool) -> Form | str:
    """The form for a call that makes or removes a folder, where it may as well be one on local disk.

    `method`: it is called on the path.
    """
    name = last_name(node)
    words = _MAKING.get((name, method))
    rest = node.args if method else node.args[1:]
    given = [arg.keyword.value if arg.keyword is not None else "" for arg in rest]
    by_place = given.count("")
    if (
        words is None
        or (not method and (not node.args or node.args[0].keyword is not None))
        or by_place > len(words)
        or not set(given[by_place:]) <= set(words[by_place:])
    ):
        return f"`{code(node.func)}` is called in a way that is not known"

    def arguments(call: cst.Call) -> Sequence[cst.Arg]:
        more = call.args if method else call.args[1:]
        return [
            _owner(call) if method else _plain(call.args[0]),
            *([named("parents", cst.Name("True"))] if name == "makedirs" else []),
            *(
                named(word or words[place], arg.value)
                for place, (word, arg) in enumerate(zip(given, more, strict=True))
            ),
        ]

    return Form("remove_folder" if name == "rmdir" else "make_folder", arguments, remote=False)


def _made(node: cst.Call, ops: frozenset[Op], imports: str) -> Chosen:
    return Folder()


_FUNCTIONS: dict[str, Callable[[cst.Call, frozenset[Op], str], Chosen]] = {
    "exists": _simple("file_exists"),
    "lexists": _simple("file_exists"),
    "isfile": _simple("is_file"),
    "isdir": _simple("is_folder"),
    "getsize": _simple("file_size"),
    "getmtime": _simple("file_time"),
    "getctime": _simple("file_time"),
    "stat": _simple("stat_file"),
    "listdir": _simple("list_folder"),
    "remove": _simple("remove_file"),
    "unlink": _simple("remove_file"),
    "rmtree": _removed,
    **dict.fromkeys(("rename", "replace", "move", "copy", "copy2", "copyfile"), _moved),
    "glob": _globbed,
    "walk": _walked,
    "copytree": _copied_tree,
    "send_file": _sent("send_stored_file", 1, _SEND),
    "send_from_directory": _sent("send_stored_file_from", 2, _SEND),
    "FileResponse": _sent("StoredFileResponse", 0, _RESPONSE | {"path"}),
    "StaticFiles": _mounted,
    "makedirs": _made,
    "rmdir": _made,
    "mkdir": _made,
}


def _method(helper: str, *words: str) -> Callable[[cst.Call, frozenset[Op]], Chosen]:
    """A method of a path: the path, then the method's arguments, those of the names `words` by place."""

    def form(node: cst.Call, ops: frozenset[Op]) -> Chosen:
        by_name = [arg.keyword.value for arg in node.args if arg.keyword is not None]
        count = _positional(node)
        if by_name != list(words[count : count + len(by_name)]) or count > len(words):
            return f"`{last_name(node)}` is called in a way that is not known"
        return Form(helper, lambda call: [_owner(call), *(_plain(arg) for arg in call.args)])

    return form


def _globbed_below(node: cst.Call, ops: frozenset[Op]) -> Chosen:
    if len(node.args) != 1 or node.args[0].keyword is not None:
        return "`glob` is called with more than a pattern"
    pattern = node.args[0].value
    if isinstance(pattern, cst.SimpleString) and str(pattern.evaluated_value).rstrip("/").endswith("**"):
        return "what `glob` finds by a pattern that ends in `**` depends on the version of Python"
    recursive = [cst.Arg(cst.Name("True"))] if last_name(node) == "rglob" else []
    return Form("glob_folder", lambda call: [_owner(call), _plain(call.args[0]), *recursive])


def _touched(node: cst.Call, ops: frozenset[Op]) -> Chosen:
    words = [arg.keyword.value if arg.keyword is not None else "" for arg in node.args]
    if words not in ([], ["exist_ok"]):
        return "`touch` is called with a mode"
    return Form("touch_file", lambda call: [_owner(call), *(_plain(arg) for arg in call.args)])


def _renamed(node: cst.Call, ops: frozenset[Op]) -> Chosen:
    helper = _BOTH_ENDS.get((False, ops))
    if helper is None or len(node.args) != 1:
        return f"`{last_name(node)}` takes a file out of the folder"
    return Form(helper, lambda call: [_owner(call), _plain(call.args[0])])


def _made_below(node: cst.Call, ops: frozenset[Op]) -> Chosen:
    return Folder()


_METHODS: dict[str, Callable[[cst.Call, frozenset[Op]], Chosen]] = {
    "exists": _method("file_exists"),
    "is_file": _method("is_file"),
    "is_dir": _method("is_folder"),
    "stat": _method("stat_file"),
    "read_bytes": _method("read_file"),
    "read_text": _method("read_text_file", "encoding", "errors"),
    "write_bytes": _method("write_file", "data"),
    "write_text": _method("write_text_file", "data", "encoding", "errors", "newline"),
    "unlink": _method("remove_file", "missing_ok"),
    "touch": _touched,
    "iterdir": _method("folder_paths"),
    "glob": _globbed_below,
    "rglob": _globbed_below,
    "rename": _renamed,
    "replace": _renamed,
    "mkdir": _made_below,
    "rmdir": _made_below,
}


def _opened(node: cst.Call, place: int, *, by_aiofiles: bool) -> Chosen:
    """`open(path, mode, ...)`, or `path.open(mode, ...)` where `place` is -1."""
    given = node.args[place + 1 :]
    if place == 0 and (not node.args or node.args[0].keyword is not None):
        return "`open` is given its path by keyword"
    mode = keyword(node, "mode")
    if mode is None and given and given[0].keyword is None:
        mode = given[0].value
    written = "r" if mode is None else mode.evaluated_value if isinstance(mode, cst.SimpleString) else ""
    if not isinstance(written, str) or written not in MODES:
        return "the file is opened in a mode that has no form"
    words = {arg.keyword.value for arg in given if arg.keyword is not None}
    if not words <= {"mode", "encoding", "errors", "newline", "buffering"}:
        return "`open` is given arguments that have no form"

    def arguments(call: cst.Call) -> Sequence[cst.Arg]:
        return call.args if place == 0 else [_owner(call), *call.args]

    return Opened(written, arguments, by_aiofiles=by_aiofiles)


def _background(node: cst.Call) -> Chosen:
    if len(node.args) != 2 or code(node.args[0].value) not in ("os.remove", "os.unlink", "shutil.rmtree"):
        return "a task of the background works on the file in a way that is not known"
    helper = "remove_tree" if code(node.args[0].value) == "shutil.rmtree" else "remove_file"
    return Form(helper, lambda call: [], remote=False, handed=True)


_RUNNERS = frozenset({"to_thread", "run_in_threadpool", "run_sync"})


def _run(node: cst.Call, ops: frozenset[Op], imports: str) -> Chosen:
    """`asyncio.to_thread(os.remove, path)`: what runs in a thread may block."""
    inner = cst.Call(node.args[0].value, [_plain(arg) for arg in node.args[1:]])
    known = _FUNCTIONS.get(last_name(inner))
    chosen = known(inner, ops, imports) if known is not None and len(inner.args) == 1 else None
    if not isinstance(chosen, Form) or not chosen.remote:
        return f"what `{code(node.func)}` runs has no form"
    return Form(chosen.helper, lambda call: [], remote=False, handed=True)


# Calls that give an open file, which what is written to has to go through before the copy is sent back.
OPENING = frozenset("open ZipFile TarFile GzipFile".split())
# Calls whose object comes back to the path later.
LAZY = frozenset("DocxTemplate VideoFileClip AudioFileClip".split())
# Methods that write the whole file anew.
_ANEW = frozenset(
    "save savefig export imwrite imsave to_csv to_excel to_parquet to_json to_pickle to_feather to_hdf".split()
)
_HOLDING = frozenset("Popen connect Thread Process submit delay apply_async mkdtemp scandir Observer".split())


def _copied(node: cst.Call, ops: frozenset[Op], operands: frozenset[int]) -> Chosen:
    """Whatever needs a real path while it is called gets a local copy."""
    name = last_name(node)
    if name in _HOLDING or not ops <= {Op.READ, Op.WRITE, Op.OPEN}:
        return f"there is no form for what `{code(node.func)}` does with the file"
    if len(operands) != 1:
        return f"`{code(node.func)}` works on two files of the folder at once"
    index = next(iter(operands))
    if ops == {Op.WRITE}:
        return Copy(index, "w" if name in _ANEW and keyword(node, "mode") is None else "r+")
    return Copy(index, "r" if ops == {Op.READ} else "r+")


def named(word: str, value: cst.BaseExpression) -> cst.Arg:
    """A keyword argument."""
    return cst.Arg(value, cst.Name(word), equal=_TIGHT)


def text(value: str) -> cst.Arg:
    """A positional argument that is a text."""
    return cst.Arg(cst.SimpleString(json.dumps(value, ensure_ascii=False)))


def separated(args: Sequence[cst.Arg]) -> list[cst.Arg]:
    """Arguments with commas between them and none at the end, unless the author set them over several lines."""
    if any("\n" in code(arg) for arg in args):
        return list(args)
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    return [
        arg.with_changes(comma=comma if number < len(args) - 1 else cst.MaybeSentinel.DEFAULT)
        for number, arg in enumerate(args)
    ]
