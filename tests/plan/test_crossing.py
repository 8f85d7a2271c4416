"""What a framework runs for one request, a hook or a dependency beside the handler, is one caller of a store."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from unstate.config import Config
from unstate.model import COMES_BETWEEN
from unstate.plan import plan
from unstate.scan import scan

FLASK = """
from functools import wraps
from flask import Flask, abort, request
app = Flask(__name__)
revoked: set[str] = set()
other: set[str] = set()

@app.post("/logout/<token>")
def logout(token: str):
    revoked.add(token)
    return {}
"""
FASTAPI = """
from typing import Annotated
from fastapi import APIRouter, Depends, FastAPI, HTTPException
app = FastAPI()
revoked: set[str] = set()

async def check(token: str) -> str:
    if token in revoked:
        raise HTTPException(401)
    return token
"""
LOGOUT = "revoked.add(token)\n    return {}\n"


def races(root: Path, **files: str) -> list[str]:
    for name, text in files.items():
        (root / f"{name}.py").write_text(dedent(text).lstrip())
    groups = plan(root, scan(root, Config()), Config()).groups
    (found,) = [group for group in groups if group.finding.store.name == "revoked"]
    return [text for text in found.races if text.endswith(COMES_BETWEEN)]


@pytest.mark.parametrize(
    "app",
    [
        FLASK + "@app.before_request\ndef check():\n    if request.args['token'] in revoked:\n        abort(401)\n",
        FLASK
        + "def check():\n    if request.args['token'] in revoked:\n        abort(401)\napp.before_request(check)\n",
        FLASK + "from keys import keys\n@keys.token_in_blocklist_loader\ndef check(head, body):\n"
        "    return body['jti'] in revoked\n",
        FLASK.replace('@app.post("/logout/<token>")', '@app.post("/logout/<token>")\n@guarded').replace(
            "@app.post",
            "def guarded(view):\n    @wraps(view)\n    def inner(token):\n        if token in revoked:\n"
            "            abort(401)\n        return view(token)\n    return inner\n\n@app.post",
            1,
        ),
        FASTAPI + f"@app.post('/logout')\nasync def logout(token: str = Depends(check)):\n    {LOGOUT}",
        FASTAPI + f"@app.post('/logout')\nasync def logout(token: Annotated[str, Depends(check)]):\n    {LOGOUT}",
        FASTAPI
        + "Token = Annotated[str, Depends(check)]\n"
        + f"@app.post('/logout')\nasync def logout(token: Token):\n    {LOGOUT}",
        FASTAPI + "router = APIRouter(dependencies=[Depends(check)])\n"
        f"@router.post('/logout')\nasync def logout(token: str):\n    {LOGOUT}app.include_router(router)\n",
        FASTAPI + "@app.middleware('http')\nasync def checked(request, call_next):\n"
        "    await check(request.query_params['t'])\n"
        f"    return await call_next(request)\n@app.post('/logout')\nasync def logout(token: str):\n    {LOGOUT}",
    ],
    ids=[
        *("hook", "hook handed over", "loader", "decorator", "dependency", "annotated", "type", "router", "middleware"),
    ],
)
def test_a_hook_and_a_handler_are_one_caller(tmp_path: Path, app: str) -> None:
    assert len(races(tmp_path, app=app)) == 1


@pytest.mark.parametrize(
    "app",
    [
        # two handlers: two requests, as before
        FLASK + "@app.get('/check/<token>')\ndef check(token: str):\n    return {'in': token in revoked}\n",
        # hooks that touch another store, or nothing
        FLASK + "@app.before_request\ndef check():\n    if request.args['token'] in other:\n        abort(401)\n",
        FLASK + "@app.after_request\ndef done(answer):\n    return answer\n",
        # a hook that reads, and nobody but start-up who writes
        FLASK.replace('@app.post("/logout/<token>")\n', "").replace(
            "def logout(token: str)", "def fill(token: str = 'x')"
        )
        + "@app.before_request\ndef check():\n    revoked.add(request.args['token'])\n",
        # a dependency of another handler
        FASTAPI + "@app.get('/me')\nasync def me(token: str = Depends(check)):\n    return token\n"
        f"@app.post('/logout')\nasync def logout(token: str):\n    {LOGOUT}",
        # a decorator that registers, called as a function of the module's own name
        FLASK + "def post(token: str):\n    return token in revoked\n@app.get('/in/<token>')\ndef inside(token: str):\n"
        "    return {'in': post(token)}\n",
    ],
    ids=["two handlers", "another store", "no store", "writes alone", "another's dependency", "a route's name"],
)
def test_who_does_not_meet_in_one_request(tmp_path: Path, app: str) -> None:
    assert races(tmp_path, app=app) == []


def test_over_files(tmp_path: Path) -> None:
    (text,) = races(
        tmp_path,
        store="revoked: set[str] = set()\n",
        app="""
            from flask import Flask, abort, request
            from views import views
            from store import revoked
            app = Flask(__name__)
            app.register_blueprint(views)
            def guard():
                if request.args["token"] in revoked:
                    abort(401)
            app.before_request(guard)
            """,
        views="""
            from flask import Blueprint
            from store import revoked
            views = Blueprint("views", __name__)
            @views.post("/logout/<token>")
            def logout(token: str):
                revoked.add(token)
                return {}
            """,
    )
    assert text.startswith("app.py, line 7, which runs with each request, and views.py, line 6: ")


@pytest.mark.parametrize("seen, left", [("seen", "left"), ("left", "seen"), ("a", "z"), ("z", "a")])
def test_what_calls_lead_to_is_known_whatever_the_names(tmp_path: Path, seen: str, left: str) -> None:
    app = f"""
    from flask import Flask
    app = Flask(__name__)
    revoked: set[str] = set()

    def {seen}(token: str) -> bool:
        return token in revoked

    def {left}(token: str) -> None:
        {seen}(token)
        revoked.add(token)

    @app.post("/<token>")
    def logout(token: str):
        {left}(token)
        {left}(token + "!")
        return {{}}
    """
    assert f"app.py, lines 14 and 15: {COMES_BETWEEN}" in races(tmp_path, app=app)
