"""Helpers over files that were on local disk: their code stands in templates/backing_files.py.j2."""

from __future__ import annotations

from unstate.catalogue.helper import Helper

_ANY = ("from typing import Any",)
_OS = ("import os", *_ANY)
_ERRNO = ("import errno", *_OS)
_IO = ("import io", *_ANY)
_CLIENT = ("from botocore.exceptions import ClientError",)
_CONFIG = ("from boto3.s3.transfer import TransferConfig",)
_ASYNC = ("import asyncio", "from collections.abc import AsyncIterator", "from contextlib import asynccontextmanager")
_ITERATOR = ("from collections.abc import Iterator",)
_STARLETTE = ("from starlette.datastructures import Headers", "from starlette.responses import FileResponse")
# What helpers need beside their own, where they look at a path to tell whether it is for them.
_LOCAL = (*_OS, "import fnmatch", "import glob", "import shutil", "from pathlib import Path")
_UNQUOTE = ("from urllib.parse import unquote", *_ANY)
_S3 = ("s3", "upload_bucket", "file_key")


def _remote(name: str, *needs: str, imports: tuple[str, ...] = _ANY) -> Helper:
    return Helper(name, (*_S3, *needs), imports, remote=True)


FILES = (
    Helper("file_key", (), ("import re", *_OS)),
    Helper("stored_folder", ("file_key", "is_stored"), _LOCAL),
    Helper("is_stored", ("stored_folder",)),
    Helper("make_folder", ("stored_folder",), _LOCAL),
    Helper("remove_folder", ("stored_folder",), _LOCAL),
    Helper("missing_file", (), _ERRNO),
    Helper("content_type", (), ("import mimetypes", *_OS)),
    Helper("StoredFile", (*_S3, "missing_file"), ("from datetime import datetime", "import io", *_ERRNO)),
    Helper("PARTS", (), _CONFIG),
    Helper("upload_local", ("s3", "upload_bucket", "PARTS")),
    Helper(
        "open_file",
        (*_S3, "StoredFile", "content_type", "upload_local"),
        (*_IO, *_ERRNO, "import tempfile", "import shutil", *_CLIENT),
    ),
    Helper("async_open_file", ("open_file", "fetch_file"), (*_ASYNC, *_OS, "import tempfile")),
    Helper("aio_open_file", ("async_open_file",), (*_ASYNC, *_ANY, "import aiofiles.threadpool")),
    Helper(
        "local_file",
        ("file_key", "content_type", "upload_local", "fetch_file"),
        ("from contextlib import contextmanager", *_ITERATOR, *_OS, "import tempfile"),
    ),
    Helper("async_local_file", ("local_file",), (*_ASYNC, *_ANY)),
    _remote("save_upload", "content_type", "PARTS"),
    _remote("store_file", "content_type", "upload_local", imports=_OS),
    _remote("store_moved_file", "store_file", imports=_OS),
    _remote("fetch_file", "StoredFile", imports=("import shutil", *_ANY)),
    _remote("read_file", "missing_file"),
    _remote("write_file", "content_type"),
    _remote("read_text_file", "read_file", imports=_IO),
    _remote("write_text_file", "write_file", imports=_IO),
    _remote("stat_file", "missing_file", imports=(*_OS, *_CLIENT)),
    _remote("file_size", "stat_file"),
    _remote("file_time", "stat_file"),
    _remote("is_file", "stat_file"),
    _remote("is_folder", "keys_below"),
    _remote("file_exists", "is_file", "is_folder"),
    Helper("keys_below", _S3, (*_ITERATOR, *_ANY)),
    _remote("list_folder", "keys_below", imports=_UNQUOTE),
    _remote("folder_paths", "list_folder", imports=("from pathlib import Path",)),
    Helper("paths_below", ("keys_below",), (*_UNQUOTE, "import fnmatch", "from collections.abc import Sequence")),
    _remote("glob_folder", "paths_below", imports=("from pathlib import Path",)),
    _remote("glob_files", "paths_below", imports=_OS),
    _remote("walk_folder", "paths_below", imports=_OS),
    _remote("touch_file", "is_file", "content_type", imports=_ERRNO),
    _remote("remove_file", "stat_file"),
    _remote("remove_tree", "keys_below", "missing_file", imports=_ERRNO),
    _remote("copy_file", "stat_file", imports=("import shutil", *_ANY)),
    _remote("move_file", "copy_file", "stat_file"),
    _remote("copy_tree", "keys_below", "is_folder", imports=_ERRNO),
    _remote("store_tree", "upload_local", "content_type", "missing_file", "is_folder", imports=_ERRNO),
    _remote("fetch_tree", "keys_below", "fetch_file", imports=(*_UNQUOTE, *_OS)),
    _remote("copy_any_tree", "copy_tree", "store_tree", "fetch_tree", "stored_folder", imports=_LOCAL),
    _remote("copy_any_file", "is_folder", "copy_file", "store_file", "fetch_file", "stored_folder", imports=_LOCAL),
    _remote("move_any_file", "copy_any_file", "remove_file", imports=_LOCAL),
    Helper("send_stored_file", ("StoredFile",), (*_IO, *_OS, "import flask")),
    Helper(
        "send_stored_file_from",
        ("send_stored_file", "is_file"),
        (*_OS, "import flask", "from werkzeug.security import safe_join", "from werkzeug.exceptions import NotFound"),
    ),
    Helper(
        "StoredFileResponse",
        ("StoredFile",),
        ("import asyncio", "import re", *_OS, *_STARLETTE, "from starlette.responses import PlainTextResponse"),
    ),
    Helper(
        "StoredFiles",
        ("StoredFileResponse", "is_file", "stat_file"),
        (
            *_OS,
            *_STARLETTE,
            "from starlette.responses import Response",
            "from starlette.staticfiles import NotModifiedResponse",
            "from starlette.staticfiles import StaticFiles",
        ),
    ),
    Helper("signed_url", _S3),
    Helper("redirect_to_file", ("signed_url", "stat_file"), (*_IO, *_OS, "import flask")),
    Helper(
        "redirect_to_file_from",
        ("redirect_to_file", "is_file"),
        (*_OS, "import flask", "from werkzeug.security import safe_join", "from werkzeug.exceptions import NotFound"),
    ),
    Helper(
        "RedirectToFile",
        ("signed_url", "is_file"),
        (
            "import asyncio",
            *_ANY,
            "from starlette.responses import FileResponse",
            "from starlette.responses import RedirectResponse",
        ),
    ),
    Helper("RedirectToFiles", ("RedirectToFile", "StoredFiles"), (*_ANY, "from starlette.responses import Response")),
)
