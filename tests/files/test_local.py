"""Folders that nobody told of stay on local disk, and whatever is done there is done as before: also making them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from unstate.changes.apply import apply
from unstate.config import Config
from unstate.model import Backing, Verdict
from unstate.plan import plan
from unstate.render import render
from unstate.render.backing import backing_services
from unstate.scan import scan

APP = '''
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from flask import Flask, request, send_file

app = Flask(__name__)


class Folders:
    """Everything that the app keeps, below a folder that a caller hands in."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.pictures = root / "pictures"


def start(root: Path) -> Folders:
    root.mkdir(parents=True, exist_ok=True)
    return Folders(root)


folders = start(Path("data"))


@contextmanager
def lent_folder():
    """A folder for the length of a request."""
    folder = folders.root / ".scratch" / uuid4().hex
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@app.post("/albums/<album>/<name>")
def put(album, name):
    folder = folders.root / "pictures" / album
    {make}
    with lent_folder() as scratch:
        received = scratch / "received"
        received.write_bytes(request.get_data())
        shutil.copyfile(received, folder / name)
    return "", 204


@app.get("/albums/<album>/<name>")
def get(album, name):
    return send_file(folders.root / "pictures" / album / name)


@app.get("/files")
def file():
    """By the path that was given out, from anywhere below the folder."""
    return send_file(folders.root / request.args["path"])


@app.delete("/albums/<album>")
def remove(album):
    folder = folders.root / "pictures" / album
    for path in folder.iterdir():
        path.unlink()
    os.rmdir(folder)
    return "", 204
'''
MAKING = {
    "path": "folder.mkdir(parents=True, exist_ok=True)",
    "path, by place": "folder.mkdir(0o700, True, exist_ok=True)",
    "os": "os.makedirs(folder, exist_ok=True)",
    "os, with a mode": "os.makedirs(folder, 0o750, exist_ok=True)",
    "guarded": "if not folder.exists():\n        # the first of this album\n        os.makedirs(folder)",
    "guarded, and more": 'if not folder.exists():\n        folder.mkdir(parents=True)\n        print("new")',
    "tried": "try:\n        os.makedirs(folder)\n    except FileExistsError:\n        pass",
}
# A test sets the folder, as its fixtures do; the bucket is nowhere.
STEPS = """

import os
import sys
from pathlib import Path
import app

os.umask(0o022)
app.folders.root = Path("elsewhere").absolute()
client = app.app.test_client()
client.post("/albums/a/one.png", data=b"1")
client.post("/albums/b/two.png", data=b"22")
client.post("/albums/b/two.png", data=b"333")
print(client.get("/albums/b/two.png").data, client.get("/files", query_string={"path": "pictures/a/one.png"}).data)
client.delete("/albums/a")
for path in sorted(Path("elsewhere").rglob("*")):
    print(path, oct(path.stat().st_mode), path.is_file() and path.read_bytes())
"""


def migrated(folder: Path, text: str) -> str:
    (folder / "app.py").write_text(text)
    made = plan(folder, scan(folder, Config()), Config())
    assert [(group.verdict, group.refusals) for group in made.groups] == [(Verdict.REVIEW, ())]
    apply(folder, render(folder, made, [group.id for group in made.groups]))
    return (folder / "app.py").read_text()


def ran(folder: Path, text: str) -> str:
    nowhere = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "UPLOAD_"))}
    done = subprocess.run([sys.executable, "-c", text], cwd=folder, env=nowhere, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("make", MAKING.values(), ids=list(MAKING))
def test_a_folder_that_stays_is_made_as_before(make: str, tmp_path: Path) -> None:
    for name in ("before", "after"):
        (tmp_path / name).mkdir()
    text = APP.replace("{make}", make)
    (tmp_path / "before" / "app.py").write_text(text)
    after = migrated(tmp_path / "after", text)
    assert ("make_folder(" in after, "remove_folder(" in after) == (True, True)
    assert ran(tmp_path / "after", STEPS) == ran(tmp_path / "before", STEPS)


# The folder is made for what stays on local disk below it, and its own files are none of that.
HOLDS = """
from pathlib import Path
from backing_services import make_folder, remove_folder, stored_folder

data = stored_folder(Path("data [1]"), "scratch/*", "*.db")
for name in ("data [1]", "data [1]/scratch", "data [1]/pictures", "data [1]/pictures/a", "other"):
    make_folder(Path(name), exist_ok=True)
    print(name, Path(name).exists())
remove_folder("data [1]/pictures")
remove_folder("other")
print(Path("other").exists())
make_folder("data [1]")
"""


def test_a_stored_folder_is_made_for_what_stays_in_it(tmp_path: Path) -> None:
    module = Backing(service=".", path="backing_services.py", module="backing_services")
    change = backing_services(tmp_path, module, ("make_folder", "remove_folder", "stored_folder"), ()).change
    assert change.after is not None
    (tmp_path / change.path).write_bytes(change.after)
    done = subprocess.run([sys.executable, "-c", HOLDS], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "data [1] True",
        "data [1]/scratch True",
        "data [1]/pictures False",
        "data [1]/pictures/a False",
        "other True",
        "False",
    ]
    assert done.stderr.splitlines()[-1] == "FileExistsError: [Errno 17] File exists: 'data [1]'"
