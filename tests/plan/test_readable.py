"""What a patch looks like to who maintains the file: names, imports and parentheses as a person writes them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from unstate.config import Config
from unstate.model import Plan, Verdict
from unstate.plan import plan
from unstate.render import render
from unstate.scan import scan

HEAD = "from flask import Flask, request\n\napp = Flask(__name__)\n"


def migrated(root: Path, files: dict[str, str]) -> tuple[Plan, dict[str, str]]:
    """The plan for an app of these files, and the files with all that may be written."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(dedent(text))
    made = plan(root, scan(root, Config()), Config())
    taken = [group.id for group in made.groups if group.verdict is not Verdict.MANUAL]
    changed = {change.path: (change.after or b"").decode() for change in render(root, made, taken)}
    return made, {name: changed.get(name, dedent(text)) for name, text in files.items()}


def test_two_changes_in_one_function_have_two_names_and_types_where_the_function_has(tmp_path: Path) -> None:
    text = """
    from flask import Flask

    app = Flask(__name__)
    jobs: dict[str, dict[str, str]] = {}

    @app.post("/<key>")
    def make(key: str) -> str:
        jobs[key] = {"state": "new"}
        return key

    @app.put("/<key>")
    def change_both(key: str, more: dict[str, str]) -> str:
        jobs[key]["state"] = "done"
        print("between")
        jobs[key]["who"] = "me"
        jobs[key].update(more)
        return key
    """
    _, files = migrated(tmp_path, {"app.py": text})
    assert files["app.py"].count("    def change(value: Any) -> None:\n") == 1
    assert files["app.py"].count("    def change_2(value: Any) -> None:\n") == 1
    assert "key, lambda value: value.update(more))" in files["app.py"]
    assert "from typing import Any\n" in files["app.py"]


@pytest.mark.parametrize(
    ("imports", "expected"),
    [
        (
            "import os\nfrom app.a import f\nfrom shop.b import g\n",
            "import os\nfrom app.a import f\nfrom shop.b import g\nfrom backing_services import redis_client\n",
        ),
        (
            "import os\nfrom flask import Flask\n",
            "import os\nfrom flask import Flask\nfrom backing_services import redis_client\n",
        ),
        (
            "import os\n\nfrom flask import Flask\n\nfrom .b import g\n",
            "import os\n\nfrom flask import Flask\n\nfrom .b import g\nfrom backing_services import redis_client\n",
        ),
        (
            "import os\nfrom flask import Flask\nimport a\n",
            "import os\nfrom flask import Flask\nimport a\nfrom backing_services import redis_client\n",
        ),
        (
            "import os\n\n# ours\nfrom flask import Flask\n",
            "import os\n\n# ours\nfrom flask import Flask\nfrom backing_services import redis_client\n",
        ),
    ],
)
def test_our_import_stands_behind_the_others(imports: str, expected: str) -> None:
    import libcst

    from unstate.rewrite.imports import with_import
    from unstate.rewrite.names import Names

    module = libcst.parse_module(imports + "\nx = 1\n")
    names = Names(frozenset(), {"redis_client"})
    assert with_import(module, "backing_services", names).code == expected + "\nx = 1\n"


def test_an_await_that_goes_over_lines_has_no_parentheses_of_its_own(tmp_path: Path) -> None:
    text = """
    from fastapi import FastAPI

    app = FastAPI()
    jobs: dict[str, str] = {}

    @app.post("/{key}")
    async def make(key: str) -> str:
        jobs[key] = "".join(
            letter for letter in key
        )
        return key
    """
    _, files = migrated(tmp_path, {"app.py": text})
    assert '    await async_redis_client.set(f"jobs:{key}", "".join(\n' in files["app.py"]


def test_a_store_of_a_name_that_another_has_is_called_after_its_class(tmp_path: Path) -> None:
    text = """
    from flask import Flask

    app = Flask(__name__)

    class Local:
        def __init__(self) -> None:
            self.names: dict[str, str] = {}

    class Remote:
        def __init__(self) -> None:
            self.names: dict[str, str] = {}

    here = Local()
    there = Remote()

    @app.post("/<key>")
    def make(key: str) -> str:
        here.names[key] = key
        there.names[key] = key
        return here.names[key] + there.names[key]
    """
    made, _ = migrated(tmp_path, {"app.py": text})
    assert [group.prefix for group in made.groups] == ["names", "remote_names"]


LONG = "a" * 40
FOLDED = {  # what is too long for 60 columns, and how it is folded
    f"x = f({LONG}, {LONG})\n": f"x = f(\n    {LONG},\n    {LONG},\n)\n",
    f"x = function_of_some_length({LONG})\n": f"x = function_of_some_length(\n    {LONG}\n)\n",
    f"if some_condition_that_is and redis_client.exists({LONG}):\n    pass\n": (
        f"if some_condition_that_is and redis_client.exists(\n    {LONG}\n):\n    pass\n"
    ),
    f"for k in [each for each in client.hkeys({LONG}) if each]:\n    pass\n": (
        f"for k in [\n    each\n    for each in client.hkeys({LONG})\n    if each\n]:\n    pass\n"
    ),
    f"if a:\n    x = g(first, *rest, **more, key={LONG})\n": (
        f"if a:\n    x = g(\n        first,\n        *rest,\n        **more,\n        key={LONG},\n    )\n"
    ),
    f"return_ = any({LONG} for a in function_of(1))\n": f"return_ = any(\n    {LONG} for a in function_of(1)\n)\n",
    f"x = f(g({LONG}, {LONG}), 1)['k']\n": (
        f"x = f(\n    g(\n        {LONG},\n        {LONG},\n    ),\n    1,\n)['k']\n"
    ),
    f"x = {{'a': {LONG}, 'b': {LONG}}}\n": f"x = {{\n    'a': {LONG},\n    'b': {LONG},\n}}\n",
    f"x = {LONG} + {LONG}\n": f"x = {LONG} + {LONG}\n",
    f"x = f(a)  # {LONG}{LONG}\n": f"x = f(a)  # {LONG}{LONG}\n",
    f"x = f(a, '''\n{LONG}{LONG}''')\n": f"x = f(a, '''\n{LONG}{LONG}''')\n",
}


@pytest.mark.parametrize("text", FOLDED)
def test_a_line_that_is_too_long_is_folded(text: str) -> None:
    import libcst

    from unstate.rewrite.draft import Draft
    from unstate.rewrite.folding import folded
    from unstate.rewrite.source import Source

    module = libcst.parse_module(text)
    assert folded(Draft(module, Source(b"", "app.py", width=60))).text == FOLDED[text]
    assert folded(Draft(module, Source(text.encode(), "app.py", width=60))).text == text  # it was there before


@pytest.mark.parametrize(
    ("settings", "folds"),
    [("", True), ("[tool.ruff]\nline-length = 120\n", False), ("[tool.black]\nline_length=79\n", True)],
)
def test_lines_are_as_long_as_the_project_says(settings: str, folds: bool, tmp_path: Path) -> None:
    text = """
    from flask import Flask

    app = Flask(__name__)
    jobs: dict[str, dict[str, str]] = {}

    @app.get("/<identifier>")
    def state_of(identifier: str) -> str:
        description_of_the_job = jobs.get(identifier, {"state": "unknown"})
        return description_of_the_job["state"]

    @app.post("/<identifier>")
    def make(identifier: str) -> str:
        jobs[identifier] = {"state": "new"}
        return identifier
    """
    _, files = migrated(tmp_path, {"app.py": text, "pyproject.toml": settings})
    assert ("description_of_the_job = optional(\n" in files["app.py"]) == folds


def test_what_could_not_reach_the_module_before_cannot_reach_it_after(tmp_path: Path) -> None:
    """A folder that is run by itself has another root than the rest, whose stores are gone in the second run."""
    app = """
    from flask import Flask
    from db import {0}

    app = Flask(__name__)

    @app.post("/<key>")
    def make(key: str) -> str:
        {0}[key] = key
        return {0}[key]
    """
    files = {
        f"{folder}/{name}": text
        for folder, store in (("one", "names"), ("two", "words"))
        for name, text in (("app.py", app.format(store)), ("db.py", f"{store}: dict[str, str] = {{}}\n"))
    }
    made, _ = migrated(tmp_path, files)
    moved = [group.id for group in made.groups if group.verdict is not Verdict.MANUAL]
    assert 0 < len(moved) < len(made.groups)
    for change in render(tmp_path, made, moved):
        (tmp_path / change.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / change.path).write_bytes(change.after or b"")
    again = plan(tmp_path, scan(tmp_path, Config()), Config())
    assert [group.id for group in again.groups if group.verdict is not Verdict.MANUAL] == []
