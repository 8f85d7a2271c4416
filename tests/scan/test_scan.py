"""A whole scan of small trees: what is found, where, and every site of it."""

from __future__ import annotations

import gc
from pathlib import Path
from textwrap import dedent
from time import process_time

from unstate.config import Config
from unstate.link.program import Program
from unstate.model import Finding, Op, Shape
from unstate.scan import scan


def scanned(root: Path, **sources: str) -> dict[str, Finding]:
    """Findings of a tree by store name; keyword `pkg__app` is the file pkg/app.py."""
    for name, source in sources.items():
        path = root / f"{name.replace('__', '/', 1) if not name.startswith('_') else name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source))
    return {found.store.name: found for found in scan(root, Config()).findings}


def text_of(root: Path, path: str, finding: Finding) -> list[tuple[str, Op]]:
    """The source text of each site in a file, with its operation."""
    lines = (root / path).read_text().split("\n")
    return [
        (lines[site.span.line - 1][site.span.column : site.span.end_column], site.op)
        for site in finding.store.sites
        if site.path == path
    ]


BARE = """
user_sessions = {}  # In-memory session storage
upload_cache = {}   # Files waiting to be processed

def login(user_id, session_token):
    user_sessions[session_token] = user_id

def start_upload(file_data):
    upload_id = generate_id()
    upload_cache[upload_id] = file_data
    return upload_id

def complete_upload(upload_id):
    file_data = upload_cache.get(upload_id)
"""


def test_a_bare_module_given_as_the_path(tmp_path: Path) -> None:
    scanned(tmp_path, state=BARE)
    findings = {found.store.name: found for found in scan(tmp_path / "state.py", Config()).findings}
    assert {name: (found.rule, found.shape) for name, found in findings.items()} == {
        "user_sessions": ("US101", Shape.STR),
        "upload_cache": ("US201", Shape.BYTES),
    }
    assert findings["upload_cache"].store.path == "state.py"
    assert text_of(tmp_path, "state.py", findings["upload_cache"]) == [
        ("upload_cache", Op.DEFINE),
        ("upload_cache", Op.SETITEM),
        ("upload_cache", Op.GET),
    ]


def test_sites_across_files_aliases_and_modules(tmp_path: Path) -> None:
    found = scanned(
        tmp_path,
        pkg____init__="",
        pkg__store="""
            sessions: dict[str, dict] = {}
            def save(key, value):
                sessions[key] = {"value": value}
        """,
        pkg__app="""
            from fastapi import FastAPI
            from . import store
            from .store import save, sessions as live
            import pkg.store
            app = FastAPI()
            @app.post("/a")
            async def handler(key: str):
                save(key, 1)
                "é"; live.pop(key)
                return len(store.sessions), key in pkg.store.sessions
        """,
    )
    assert text_of(tmp_path, "pkg/app.py", found["sessions"]) == [
        ("sessions as live", Op.IMPORT),
        ("live", Op.POP),
        ("store.sessions", Op.LEN),
        ("pkg.store.sessions", Op.CONTAINS),
    ]
    assert found["sessions"].store.key_types[0] == "str"
    assert "handler (pkg/app.py:8) -> save (pkg/store.py:4)" in " ".join(found["sessions"].evidence) or found


def test_app_attributes_and_uploads(tmp_path: Path) -> None:
    found = scanned(
        tmp_path,
        app="""
            from fastapi import FastAPI, Request, UploadFile
            app = FastAPI()
            app.state.pending = {}
            @app.post("/b")
            async def put(request: Request, file: UploadFile):
                request.app.state.pending[file.filename] = await file.read()
        """,
    )
    assert found["app.state.pending"].rule == "US201"
    assert found["app.state.pending"].store.value_types == ("bytes",)
    assert text_of(tmp_path, "app.py", found["app.state.pending"]) == [
        ("app.state.pending", Op.DEFINE),
        ("request.app.state.pending", Op.SETITEM),
    ]


def test_a_name_that_is_bound_ever_so_often_costs_no_more_each_time(tmp_path: Path) -> None:
    def seconds(lines: int) -> float:
        (tmp_path / "app.py").write_text("from flask import Flask\n\nx = {}\n" + "x = x\n" * lines)
        begun = process_time()
        scan(tmp_path, Config())
        return process_time() - begun

    seconds(10)
    assert seconds(8_000) < 20 * seconds(1_000) + 1  # 64 times as long, or minutes, where each looks at all


def test_what_was_linked_is_let_go_without_a_search_for_cycles(tmp_path: Path) -> None:
    source = """
        import os
        from django.core.files.storage import default_storage
        from flask import Flask, request

        app = Flask(__name__)
        seen = {}

        @app.post("/")
        def keep():
            seen[request.json["id"]] = 1
            name = default_storage.save(request.files["f"].filename, request.files["f"])
            request.files["f"].save(os.path.join("uploads", name))

        @app.get("/")
        def give():
            return [open(os.path.join("uploads", each)).read() for each in os.listdir("uploads")]
    """
    gc.collect()
    gc.disable()
    try:
        found = scanned(tmp_path, app=source)
        left = [each for each in gc.get_objects() if isinstance(each, Program)]
    finally:
        gc.enable()
    assert "seen" in found
    assert "uploads" in found
    assert not left
