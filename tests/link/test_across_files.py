"""A store is followed through every way in which one file reaches what another defines."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from unstate.config import Config
from unstate.scan import scan

STORE = """
seen = {}
class Service:
    def __init__(self):
        self.rooms = {}
service = Service()
"""
# The package `pkg` re-exports the store; `pkg/app.py` is the case.
FILES = {
    "pkg/__init__.py": "from .store import seen as shown\n",
    "pkg/store.py": STORE,
    "pkg/deep/__init__.py": "from pkg.store import *\n",
}
HEAD = """
from flask import Flask
app = Flask(__name__)
"""

WAYS: dict[str, tuple[str, str]] = {
    "absolute import": ('from pkg.store import seen\n@app.post("/x")\ndef view():\n    seen["k"] = 1', "seen"),
    "relative import": ('from .store import seen\n@app.post("/x")\ndef view():\n    seen["k"] = 1', "seen"),
    "alias": ('from pkg.store import seen as kept\n@app.post("/x")\ndef view():\n    kept["k"] = 1', "seen"),
    "re-export": ('from pkg import shown\n@app.post("/x")\ndef view():\n    shown["k"] = 1', "seen"),
    "module name": ('import pkg.store\n@app.post("/x")\ndef view():\n    pkg.store.seen["k"] = 1', "seen"),
    "module alias": ('import pkg.store as s\n@app.post("/x")\ndef view():\n    s.seen["k"] = 1', "seen"),
    "module from package": ('from pkg import store\n@app.post("/x")\ndef view():\n    store.seen["k"] = 1', "seen"),
    "relative module": ('from . import store\n@app.post("/x")\ndef view():\n    store.seen["k"] = 1', "seen"),
    "star import": ('from pkg.store import *\n@app.post("/x")\ndef view():\n    seen["k"] = 1', "seen"),
    "star of a star": ('from pkg.deep import seen\n@app.post("/x")\ndef view():\n    seen["k"] = 1', "seen"),
    "import in a function": (
        '@app.post("/x")\ndef view():\n    from pkg.store import seen\n    seen["k"] = 1',
        "seen",
    ),
    "rebound through the module": (
        'from pkg import store\n@app.post("/x")\ndef view():\n    store.seen = {"k": 1}',
        "seen",
    ),
    "instance of another module": (
        'from pkg.store import service\n@app.post("/x")\ndef view():\n    service.rooms["k"] = 1',
        "Service.rooms",
    ),
    "instance through its module": (
        'import pkg.store\n@app.post("/x")\ndef view():\n    pkg.store.service.rooms["k"] = 1',
        "Service.rooms",
    ),
    "handed to a constructor": (
        """
        from pkg.store import seen
        class Keeper:
            def __init__(self, where):
                self.where = where
            def keep(self, key):
                self.where[key] = 1
        keeper = Keeper(seen)
        @app.post("/x")
        def view():
            keeper.keep("k")
        """,
        "seen",
    ),
    "handed to a function": (
        """
        from pkg.store import seen
        def keep(where, key):
            where[key] = 1
        @app.post("/x")
        def view():
            keep(seen, "k")
        """,
        "seen",
    ),
    "handed to a function by keyword": (
        """
        from pkg.store import seen
        def keep(key: str, where: dict):
            put(where, key)
        def put(there, key):
            there[key] = 1
        @app.post("/x")
        def view():
            keep("k", where=seen)
        """,
        "seen",
    ),
    "handed to a typed constructor": (
        """
        from pkg.store import seen
        class Keeper:
            def __init__(self, where: dict[str, int]) -> None:
                self.where = where
            def keep(self, key):
                self.where[key] = 1
        keeper = Keeper(seen)
        @app.post("/x")
        def view():
            keeper.keep("k")
        """,
        "seen",
    ),
    "a second name": (
        'from pkg.store import seen\nkept = seen\n@app.post("/x")\ndef view():\n    kept["k"] = 1',
        "seen",
    ),
    "a local name": (
        'from pkg.store import seen\n@app.post("/x")\ndef view():\n    kept = seen\n    kept["k"] = 1',
        "seen",
    ),
    "given by a function": (
        'from pkg.store import seen\ndef kept():\n    return seen\n@app.post("/x")\ndef view():\n    kept()["k"] = 1',
        "seen",
    ),
    "an attribute for it": (
        'from pkg.store import seen\napp.seen = seen\n@app.post("/x")\ndef view():\n    app.seen["k"] = 1',
        "seen",
    ),
}


def stores(root: Path, source: str) -> set[tuple[str, str]]:
    for name, text in {**FILES, "pkg/app.py": HEAD + dedent(source)}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return {(found.store.path, found.store.name) for found in scan(root, Config()).findings}


@pytest.mark.parametrize(("source", "name"), WAYS.values(), ids=WAYS)
def test_a_write_from_another_file(tmp_path: Path, source: str, name: str) -> None:
    assert stores(tmp_path, source) == {("pkg/store.py", name)}


OTHERS = {
    "shadowed by a local": 'from pkg.store import seen\n@app.post("/x")\ndef view():\n    seen = {}\n    seen["k"] = 1',
    "shadowed by a parameter": 'from pkg.store import seen\n@app.post("/x")\ndef view(seen):\n    seen["k"] = 1',
    "shadowed by a loop": """
        from pkg.store import seen
        @app.post("/x")
        def view():
            for seen in [{}]:
                seen["k"] = 1
        """,
    "another library's": 'from elsewhere.store import seen\n@app.post("/x")\ndef view():\n    seen["k"] = 1',
    "only read": 'from pkg.store import seen\n@app.post("/x")\ndef view():\n    return seen["k"]',
    "written at import": 'from pkg.store import seen\nseen["k"] = 1',
    "a copy": 'from pkg.store import seen\n@app.post("/x")\ndef view():\n    kept = dict(seen)\n    kept["k"] = 1',
    "a copy by method": 'from pkg.store import seen\n@app.post("/x")\ndef view():\n    k = seen.copy()\n    k["k"] = 1',
    "handed to what reads": """
        from pkg.store import seen
        def look(where, key):
            return where.get(key)
        @app.post("/x")
        def view():
            return look(seen, "k")
        """,
    "handed to what changes a copy": """
        from pkg.store import seen
        def keep(where, key):
            where = dict(where)
            where[key] = 1
            return where
        @app.post("/x")
        def view():
            return keep(seen, "k")
        """,
    "an entry handed on": """
        from pkg.store import seen
        def shown(entry):
            return {"entry": entry}
        @app.post("/x")
        def view():
            return shown(seen["k"])
        """,
    "a namesake in the app": """
        from pkg import store
        @app.post("/x")
        def view():
            store = {"seen": {}}
            store["seen"]["k"] = 1
        """,
}


@pytest.mark.parametrize("source", OTHERS.values(), ids=OTHERS)
def test_what_only_looks_like_it(tmp_path: Path, source: str) -> None:
    assert stores(tmp_path, source) == set()
