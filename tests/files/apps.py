"""An app that does to a folder all that there is a form for, and what the whole pipeline makes of it."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path

from unstate.changes.apply import apply
from unstate.config import load
from unstate.model import Verdict
from unstate.plan import plan
from unstate.render import render
from unstate.scan import scan

APP = """
import bz2
import glob
import os
import shutil
from pathlib import Path

import aiofiles
from fastapi import FastAPI

FOLDER = "files/here"
HERE = Path(FOLDER)
app = FastAPI()
os.makedirs(FOLDER, exist_ok=True)


@app.post("/write")
{define} write(name: str, data: bytes):
    path = os.path.join(FOLDER, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data[:2])
        file.write(data[2:])
    return os.path.getsize(path)


@app.post("/fail")
{define} fail(name: str, data: bytes):
    with open(os.path.join(FOLDER, name), "xb") as file:
        file.write(data)


@app.post("/text")
{define} write_text(name: str, text: str):
    with open(f"{{FOLDER}}/{{name}}", "w", encoding="utf-8") as file:
        file.write(text)


@app.post("/append")
{define} append(name: str, data: bytes):
    with open(HERE / name, "ab") as file:
        file.write(data)


@app.post("/path")
{define} write_path(name: str, text: str):
    return (HERE / name).write_text(text, encoding="utf-8")


@app.post("/bytes")
{define} write_bytes(name: str, data: bytes):
    return (HERE / name).write_bytes(data)


@app.post("/zip")
{define} write_zip(name: str, data: bytes):
    with bz2.open(os.path.join(FOLDER, name), "wb") as file:
        file.write(data)


@app.get("/unzip")
{define} read_zip(name: str):
    with bz2.open(os.path.join(FOLDER, name), "rb") as file:
        return file.read()


@app.get("/read")
{define} read(name: str):
    with open(os.path.join(FOLDER, name), "rb") as file:
        return file.read()


@app.get("/parts")
{define} read_parts(name: str, start: int):
    with open(os.path.join(FOLDER, name), "rb") as file:
        file.seek(start)
        some = file.read(3)
        file.seek(-min(2, len(some)), os.SEEK_CUR)
        return some, file.tell(), file.read(), file.read()


@app.get("/lines")
{define} read_lines(name: str):
    with open(HERE / name, encoding="utf-8", errors="replace") as file:
        return [line for line in file]


@app.get("/all")
{define} read_all(name: str):
    return (HERE / name).read_bytes(), (HERE / name).read_text("utf-8", "replace")


@app.get("/exists")
{define} exists(name: str):
    path = os.path.join(FOLDER, name)
    found = HERE / name
    return os.path.exists(path), os.path.isfile(path), os.path.isdir(path), found.is_file(), found.exists()


@app.get("/stat")
{define} stat(name: str):
    return os.stat(os.path.join(FOLDER, name)).st_size, (HERE / name).stat().st_size


@app.get("/list")
{define} names():
    found = [path.name for path in HERE.iterdir()]
    return sorted(os.listdir(FOLDER)), sorted(found)


@app.get("/glob")
{define} globbed():
    below = [path.name for path in HERE.glob("*/*.txt")]
    return sorted(glob.glob(os.path.join(FOLDER, "*.txt"))), sorted(below)


@app.post("/touch")
{define} touch(name: str, again: bool):
    (HERE / name).touch(exist_ok=again)
    return (HERE / name).stat().st_size


@app.delete("/remove")
{define} remove(name: str):
    os.remove(os.path.join(FOLDER, name))


@app.delete("/unlink")
{define} unlink(name: str):
    (HERE / name).unlink(missing_ok=True)


@app.delete("/tree")
{define} remove_tree():
    shutil.rmtree(HERE / "sub")


@app.post("/rename")
{define} rename(name: str, to: str):
    os.rename(os.path.join(FOLDER, name), os.path.join(FOLDER, to))


@app.post("/replace")
{define} replace(name: str, to: str):
    return str((HERE / name).replace(HERE / to))


@app.get("/walk")
{define} walked():
    found = [(folder, sorted(folders), sorted(files)) for folder, folders, files in os.walk(FOLDER)]
    below = [path.name for path in HERE.rglob("*.txt")]
    return sorted(found), sorted(below), sorted(glob.glob(FOLDER + "/**/c*", recursive=True))


@app.post("/copytree")
{define} copy_tree(to: str):
    return shutil.copytree(os.path.join(FOLDER, "sub"), os.path.join(FOLDER, to), dirs_exist_ok=to == "sub 2")


@app.post("/copy")
{define} copy(name: str, to: str):
    shutil.copyfile(os.path.join(FOLDER, name), os.path.join(FOLDER, to))


@app.post("/aio")
async def aio(name: str, text: str):
    async with aiofiles.open(os.path.join(FOLDER, name), "w", encoding="utf-8") as file:
        await file.write(text)
    async with aiofiles.open(os.path.join(FOLDER, name), "rb") as file:
        return await file.read()
"""


# Some of the names lie in a folder that stays where it is: each operation has to look at the path.
ELSEWHERE = """
LOCAL = tempfile.mkdtemp()


def where(name: str) -> Path:
    return Path(LOCAL if name.startswith(("b", "n", "1")) else FOLDER)


"""


def beside_local_ones(text: str) -> str:
    """The app over a folder that moves, and one that stays."""
    head, mark, rest = text.partition('@app.post("/write")')
    rest = rest.replace("os.path.join(FOLDER, name)", "os.path.join(where(name), name)")
    rest = rest.replace("os.path.join(FOLDER, to)", "os.path.join(where(to), to)")
    rest = rest.replace("HERE / name", "where(name) / name").replace("HERE / to", "where(to) / to")
    rest = rest.replace("{{FOLDER}}/", "{{where(name)}}/").replace("{FOLDER}/", "{where(name)}/")
    return "import tempfile\n" + head + ELSEWHERE + mark + rest


def pair(folder: Path, *, asynchronous: bool, elsewhere: bool = False) -> tuple[types.ModuleType, types.ModuleType]:
    """The app as it was and as it became, each imported from a folder of its own."""
    text = APP.format(define="async def" if asynchronous else "def")
    text = beside_local_ones(text) if elsewhere else text
    for name in ("before", "after"):
        (folder / name).mkdir()
        (folder / name / "app.py").write_text(text)
    root = folder / "after"
    made = plan(root, scan(root, load(root)), load(root))
    assert [group.refusals for group in made.groups] == [()]
    apply(root, render(root, made, [group.id for group in made.groups if group.verdict is not Verdict.MANUAL]))
    return _imported(folder / "before"), _imported(root)


def _imported(folder: Path) -> types.ModuleType:
    sys.modules.pop("backing_services", None)
    sys.path.insert(0, str(folder))
    try:
        spec = importlib.util.spec_from_file_location("app", folder / "app.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(folder))
