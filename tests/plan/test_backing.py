"""Where the generated module goes."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from unstate.config import Config
from unstate.model import Verdict
from unstate.plan import plan
from unstate.plan.backing import CLIENTS
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


SHOP = """
    from flask import Flask
    app = Flask(__name__)
    carts: dict[str, str] = {}

    @app.post("/<key>")
    def post(key: str):
        carts[key] = "x"
        return carts[key]
"""


@pytest.mark.parametrize("other", ["tests/test_shop.py", "dev/code-generation/docs.py"])
def test_what_uses_the_package_from_beside_it_leaves_the_module_within(other: str, tmp_path: Path) -> None:
    test = "from shop.app import carts\n\ndef test_post():\n    carts.clear()\n    assert 'x' not in carts\n"
    for name, source in {"shop/__init__.py": "", "shop/app.py": dedent(SHOP), other: test}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source)
    made = plan(tmp_path, scan(tmp_path, Config()), Config())
    assert [(each.path, each.module) for each in made.backing] == [
        ("shop/backing_services.py", "shop.backing_services")
    ]
    assert other in made.groups[0].files


def test_a_module_of_two_packages_is_beside_both(tmp_path: Path) -> None:
    other = "from shop.app import carts\n\ndef empty():\n    carts.clear()\n"
    for name, source in {"shop/__init__.py": "", "shop/app.py": dedent(SHOP), "jobs/empty.py": other}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source)
    made = plan(tmp_path, scan(tmp_path, Config()), Config())
    assert [each.path for each in made.backing] == ["backing_services.py"]


def test_a_script_that_imports_from_elsewhere_gets_no_import_that_fails(tmp_path: Path) -> None:
    handler = """
        from flask import Flask
        app = Flask(__name__)
        {name}: dict[str, str] = {{}}

        @app.post("/<key>")
        def post(key: str):
            {name}[key] = "x"
            return {name}[key]
    """
    for path, name in (("shop/app.py", "carts"), ("shop/more.py", "orders"), ("examples/some-demo/demo.py", "tokens")):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(dedent(handler.format(name=name)))
    (tmp_path / "shop/__init__.py").write_text("")
    made = plan(tmp_path, scan(tmp_path, Config()), Config())
    by_name = {group.finding.store.name: group for group in made.groups}
    if by_name["tokens"].finding.store.service == ".":
        assert [each.reason for each in by_name["tokens"].refusals if "imports from" in each.reason]
    assert by_name["carts"].verdict is not Verdict.MANUAL
    assert {each.path for each in made.backing if each.service == "."} == {"shop/backing_services.py"}


@pytest.mark.parametrize(
    ("retry", "verdict"),
    [
        ("", Verdict.REVIEW),
        (", retry=Retry(ExponentialBackoff(), 3)", Verdict.REVIEW),
        (", retry=Retry(NoBackoff(), 3)", Verdict.REVIEW),
        (", retry=Retry(NoBackoff(), 0)", Verdict.EXACT),
    ],
)
def test_a_client_that_sends_again_makes_no_exact_store(retry: str, verdict: Verdict, tmp_path: Path) -> None:
    source = f"""
        import redis
        from redis.backoff import ExponentialBackoff, NoBackoff
        from redis.retry import Retry
        from flask import Flask
        app = Flask(__name__)
        client = redis.Redis.from_url("redis://localhost", decode_responses=True{retry})
        votes: dict[str, int] = {{}}

        @app.post("/<key>")
        def vote(key: str):
            votes[key] = votes.get(key, 0) + 1
            return ""
    """
    (tmp_path / "app.py").write_text(dedent(source))
    made = plan(tmp_path, scan(tmp_path, Config()), Config())
    assert [client.itself for client in made.backing[0].clients] == [True]
    (group,) = made.groups
    assert group.verdict is verdict
    assert any("whose reply was lost" in each for each in group.differences) is (verdict is Verdict.REVIEW)


ON_THE_APP = {
    "nothing": ("", True),
    "its own attribute": ("app.state.async_redis_client = None\n", False),
    "one that it may have": ("def has(request):\n    return hasattr(request.app.state, 's3')\n", False),
    "one of a longer name": ("app.state.s3_bucket = 'x'\n", True),
}


@pytest.mark.parametrize("name", ON_THE_APP)
def test_a_name_that_the_app_uses_on_its_state_is_left_to_it(tmp_path: Path, name: str) -> None:
    text, free = ON_THE_APP[name]
    assert (free_of(tmp_path, {"app.py": FASTAPI + text}) == CLIENTS) is free


@pytest.mark.parametrize(("asked", "free"), [("aiohttp", CLIENTS), ("aiohttp>=3.8", CLIENTS), ("aiohttp==3.8.6", ())])
def test_an_old_aiohttp_has_no_typed_keys(tmp_path: Path, asked: str, free: tuple[str, ...]) -> None:
    assert free_of(tmp_path, {"app.py": AIOHTTP, "requirements.txt": asked + "\n"}) == free


FASTAPI = """
from fastapi import FastAPI
app = FastAPI()
notes: dict[str, str] = {}

@app.put("/{name}")
async def put(name: str) -> None:
    notes[name] = "x"

"""
AIOHTTP = """
from aiohttp import web
app = web.Application()
notes: dict[str, str] = {}

async def put(request: web.Request) -> web.Response:
    notes[request.match_info["name"]] = "x"
    return web.Response()

app.router.add_put("/{name}", put)
"""


def free_of(root: Path, files: dict[str, str]) -> tuple[str, ...]:
    """The clients that can stand on the application of an app of these files."""
    for name, text in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    app = plan(root, scan(root, Config()), Config()).backing[0].app
    assert app is not None
    return app.free
