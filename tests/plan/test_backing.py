"""Where the generated module goes."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from unstate.config import Config
from unstate.plan import plan
from unstate.scan import scan


def test_an_attribute_that_another_file_defines_misplaces_no_module(tmp_path: Path) -> None:
    files = {
        "shop/__init__.py": "",
        "shop/base.py": "class Base:\n    def put(self, key, value):\n        self.entries[key] = value\n",
        "shop/app.py": """
            from flask import Flask
            from shop.base import Base
            app = Flask(__name__)
            base = Base()
            base.entries = {}

            @app.post("/<key>")
            def post(key: str):
                base.put(key, "x")
                return base.entries[key]
        """,
    }
    for name, source in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(dedent(source))
    made = plan(tmp_path, scan(tmp_path, Config()), Config())
    assert [group.finding.store.name for group in made.groups] == ["Base.entries"]
    assert [(each.path, each.module) for each in made.backing] == [
        ("shop/backing_services.py", "shop.backing_services")
    ]
