"""Helpers over Django's files: their code stands in templates/backing_django.py.j2."""

from __future__ import annotations

from unstate.catalogue.helper import Helper

_ANY = ("from typing import Any",)
_SETTINGS = ("from django.conf import settings", "from django.utils._os import safe_join as safe_path")
_VIEW = (
    *_SETTINGS,
    "from django import http",
    "from django.http.response import HttpResponseBase",
    "import posixpath",
)
_STATIC = ("from django.conf.urls.static import static", *_ANY)

DJANGO = (
    Helper(
        "store_new",
        ("s3", "upload_bucket", "file_key"),
        (
            "from botocore.exceptions import ClientError",
            "from collections.abc import Iterable",
            "from contextlib import suppress",
            "import errno",
            "import os",
            *_ANY,
        ),
    ),
    Helper(
        "MediaStorage",
        ("s3", "upload_bucket", "file_key", "open_file", "content_type", "store_new"),
        (
            *_SETTINGS,
            *_ANY,
            "from django.core.files.base import File",
            "from django.utils.encoding import filepath_to_uri",
            "from storages.backends.s3 import S3Storage",
            "from urllib.parse import unquote",
            "from urllib.parse import urljoin",
        ),
    ),
    Helper("FolderStorage", ("MediaStorage",), _ANY),
    Helper("PresignedStorage", ("MediaStorage",), _ANY),
    Helper("stored_path", ("MediaStorage",), (*_SETTINGS, *_ANY)),
    Helper(
        "serve_stored",
        ("StoredFile",),
        (
            *_VIEW,
            "from django.utils.http import http_date",
            "from django.views.static import was_modified_since",
            "import io",
            "import mimetypes",
        ),
    ),
    Helper("stored_static", ("serve_stored",), _STATIC),
    Helper(
        "redirect_to_stored",
        ("is_file", "PresignedStorage"),
        _VIEW,
    ),
    Helper("presigned_static", ("redirect_to_stored",), _STATIC),
)
