"""The script that copies files from local disk into the bucket, once."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from unstate.model import Backing, FileChange
from unstate.project import is_generated
from unstate.render.templates import fill

TEMPLATE = "copy_files.py.j2"
NAMES = frozenset({"PARTS", "StoredFile", "content_type", "file_key", "s3", "upload_bucket"})  # what it imports


def copy_script(root: Path, backing: Backing) -> FileChange:
    """The script, in the folder that the service imports from."""
    folder = PurePosixPath(backing.path).parents[backing.module.count(".")]
    name = "copy_files.py"
    while (root / folder / name).exists() and not is_generated((root / folder / name).read_bytes()):
        name = f"unstate_{name}"
    path = (folder / name).as_posix()
    before = (root / path).read_bytes() if (root / path).is_file() else None
    return FileChange(path=path, before=before, after=fill(root, TEMPLATE, script=name, backing=backing).encode())
