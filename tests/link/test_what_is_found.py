"""Every form that state takes in a process is found, and what differs from it by little is not."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from unstate.config import Config
from unstate.model import Kind, Scope, Verdict
from unstate.scan import scan

HEAD = """
from __future__ import annotations
from flask import Flask, current_app, g, request, session
app = Flask(__name__)
"""


def found(root: Path, source: str, head: str = HEAD) -> dict[str, Scope]:
    (root / "app.py").write_text(head + dedent(source))
    return {each.store.name: each.store.scope for each in scan(root, Config()).findings}


PLACES: dict[str, tuple[str, str, Scope]] = {
    "module global": (
        """
        seen = {}
        @app.post("/x")
        def view():
            seen[request.form["k"]] = "v"
        """,
        "seen",
        Scope.MODULE,
    ),
    "set of messages that a handler logs as well": (
        """
        import logging
        seen = set()
        @app.post("/x")
        def view():
            if request.form["k"] in seen:
                return ""
            seen.add(request.form["k"])
            logging.info("paid %s", request.form["k"])
        """,
        "seen",
        Scope.MODULE,
    ),
    "class attribute": (
        """
        class Service:
            seen = {}
            def put(self, key):
                self.seen[key] = "v"
        @app.post("/x")
        def view():
            Service().put("k")
        """,
        "Service.seen",
        Scope.CLASS,
    ),
    "class attribute through the class": (
        """
        class Service:
            seen = {}
            @classmethod
            def put(cls, key):
                cls.seen[key] = "v"
        @app.post("/x")
        def view():
            Service.put("k")
        """,
        "Service.seen",
        Scope.CLASS,
    ),
    "instance of a module": (
        """
        class Service:
            def __init__(self):
                self.seen = {}
            def put(self, key):
                self.seen[key] = "v"
        service = Service()
        @app.post("/x")
        def view():
            service.put("k")
        """,
        "Service.seen",
        Scope.INSTANCE,
    ),
    "singleton by __new__": (
        """
        class Service:
            _instance = None
            def __new__(cls):
                if cls._instance is None:
                    cls._instance = super().__new__(cls)
                    cls._instance.seen = {}
                return cls._instance
            def put(self, key):
                self.seen[key] = "v"
        @app.post("/x")
        def view():
            Service().put("k")
        """,
        "Service.seen",
        Scope.INSTANCE,
    ),
    "singleton made on first use": (
        """
        class Service:
            def __init__(self):
                self.seen = {}
            def put(self, key):
                self.seen[key] = "v"
        _service = None
        def get_service():
            global _service
            if _service is None:
                _service = Service()
            return _service
        @app.post("/x")
        def view():
            get_service().put("k")
        """,
        "Service.seen",
        Scope.INSTANCE,
    ),
    "singleton by lru_cache": (
        """
        from functools import lru_cache
        class Service:
            def __init__(self):
                self.seen = {}
            def put(self, key):
                self.seen[key] = "v"
        @lru_cache
        def get_service() -> Service:
            return Service()
        @app.post("/x")
        def view():
            get_service().put("k")
        """,
        "Service.seen",
        Scope.INSTANCE,
    ),
    "set under if": (
        """
        class Service:
            def __init__(self, remember=True):
                if remember:
                    self.seen = {}
            def put(self, key):
                self.seen[key] = "v"
        service = Service()
        @app.post("/x")
        def view():
            service.put("k")
        """,
        "Service.seen",
        Scope.INSTANCE,
    ),
    "set behind hasattr": (
        """
        class Service:
            def put(self, key):
                if not hasattr(self, "seen"):
                    self.seen = {}
                self.seen[key] = "v"
        service = Service()
        @app.post("/x")
        def view():
            service.put("k")
        """,
        "Service.seen",
        Scope.INSTANCE,
    ),
    "extension with init_app": (
        """
        class Extension:
            def init_app(self, app):
                self.seen = {}
            def put(self, key):
                self.seen[key] = "v"
        extension = Extension()
        extension.init_app(app)
        @app.post("/x")
        def view():
            extension.put("k")
        """,
        "Extension.seen",
        Scope.INSTANCE,
    ),
    "service of a factory": (
        """
        class Service:
            def __init__(self):
                self.seen = {}
            def put(self, key):
                self.seen[key] = "v"
        def create_app():
            app = Flask(__name__)
            service = Service()
            @app.post("/x")
            def view():
                service.put("k")
            return app
        """,
        "Service.seen",
        Scope.INSTANCE,
    ),
    "service within a service": (
        """
        class Inner:
            def __init__(self):
                self.seen = {}
            def put(self, key):
                self.seen[key] = "v"
        class Outer:
            def __init__(self, inner):
                self.inner = inner
        outer = Outer(Inner())
        @app.post("/x")
        def view():
            outer.inner.put("k")
        """,
        "Inner.seen",
        Scope.INSTANCE,
    ),
    "app.config": (
        """
        app.config["SEEN"] = {}
        @app.post("/x")
        def view():
            current_app.config["SEEN"]["k"] = "v"
        """,
        "app.config['SEEN']",
        Scope.APP,
    ),
    "app.extensions": (
        """
        app.extensions["seen"] = {}
        @app.post("/x")
        def view():
            current_app.extensions["seen"]["k"] = "v"
        """,
        "app.extensions['seen']",
        Scope.APP,
    ),
    "attribute of the app": (
        """
        app.seen = {}
        @app.post("/x")
        def view():
            app.seen["k"] = "v"
        """,
        "app.seen",
        Scope.APP,
    ),
    "closure": (
        """
        def create_app():
            app = Flask(__name__)
            seen = {}
            @app.post("/x")
            def view():
                seen["k"] = "v"
            return app
        """,
        "create_app.seen",
        Scope.CLOSURE,
    ),
    "nonlocal": (
        """
        def create_app():
            app = Flask(__name__)
            hits = 0
            @app.post("/x")
            def view():
                nonlocal hits
                hits += 1
                return str(hits)
            return app
        """,
        "create_app.hits",
        Scope.CLOSURE,
    ),
    "default argument": (
        """
        @app.post("/x")
        def view(key="k", seen={}):
            seen[key] = "v"
        """,
        "view.seen",
        Scope.DEFAULT,
    ),
    "function attribute": (
        """
        def put(key):
            put.seen[key] = "v"
        put.seen = {}
        @app.post("/x")
        def view():
            put("k")
        """,
        "put.seen",
        Scope.FUNCTION,
    ),
    "global without a binding": (
        """
        @app.post("/x")
        def view():
            global banner
            banner = request.form["text"]
        @app.get("/x")
        def show():
            return banner
        """,
        "banner",
        Scope.MODULE,
    ),
    "one-element cell": (
        """
        hits = [0]
        @app.post("/x")
        def view():
            hits[0] += 1
            return str(hits[0])
        """,
        "hits",
        Scope.MODULE,
    ),
    "dict as a struct": (
        """
        state = {"count": 0, "last": None}
        @app.post("/x")
        def view():
            state["count"] += 1
            state["last"] = request.form["k"]
        @app.get("/x")
        def show():
            return state
        """,
        "state",
        Scope.MODULE,
    ),
    "several in one statement": (
        """
        games, players = {}, {}
        @app.post("/x")
        def view():
            games["k"] = "v"
        """,
        "games",
        Scope.MODULE,
    ),
    "chained assignment": (
        """
        games = rooms = {}
        @app.post("/x")
        def view():
            rooms["k"] = "v"
        """,
        "rooms",
        Scope.MODULE,
    ),
    "under if at module level": (
        """
        import os
        if os.environ.get("KEEP"):
            seen = {}
        else:
            seen = dict()
        @app.post("/x")
        def view():
            seen["k"] = "v"
        """,
        "seen",
        Scope.MODULE,
    ),
    "made by a function": (
        """
        def load() -> dict[str, str]:
            return {}
        seen = load()
        @app.post("/x")
        def view():
            seen["k"] = "v"
        """,
        "seen",
        Scope.MODULE,
    ),
    "written by a for": (
        """
        current = None
        @app.post("/x")
        def view():
            global current
            for current in request.form:
                pass
        @app.get("/x")
        def show():
            return current
        """,
        "current",
        Scope.MODULE,
    ),
    "written by setdefault": (
        """
        seen = {}
        @app.post("/x")
        def view():
            seen.setdefault("k", []).append("v")
        """,
        "seen",
        Scope.MODULE,
    ),
    "written by |=": (
        """
        seen = set()
        @app.post("/x")
        def view():
            global seen
            seen |= {request.form["k"]}
        """,
        "seen",
        Scope.MODULE,
    ),
    "written by a name for an entry": (
        """
        users = {"a": {"n": 0}}
        @app.post("/x")
        def view():
            user = users[request.form["k"]]
            user["n"] = 1
        """,
        "users",
        Scope.MODULE,
    ),
    "written by the class of an object": (
        """
        class Service:
            seen = {}
            def put(self, key):
                self.__class__.seen[key] = "v"
        @app.post("/x")
        def view():
            Service().put("k")
        """,
        "Service.seen",
        Scope.CLASS,
    ),
    "written by heapq": (
        """
        import heapq
        waiting = []
        @app.post("/x")
        def view():
            heapq.heappush(waiting, request.form["k"])
        """,
        "waiting",
        Scope.MODULE,
    ),
    "field of a model that a module keeps": (
        """
        from pydantic import BaseModel
        class State(BaseModel):
            jobs: dict = {}
        state = State()
        @app.post("/x")
        def view():
            state.jobs["k"] = "v"
        """,
        "State.jobs",
        Scope.CLASS,
    ),
    "written in a loop over its entries": (
        """
        users = [{"n": 0}]
        @app.post("/x")
        def view():
            for user in users:
                user["n"] = 1
        """,
        "users",
        Scope.MODULE,
    ),
    "written by setattr": (
        """
        class State:
            pass
        state = State()
        state.seen = {}
        @app.post("/x")
        def view():
            state.seen["k"] = "v"
        """,
        "State.seen",
        Scope.INSTANCE,
    ),
}


@pytest.mark.parametrize(("source", "name", "scope"), PLACES.values(), ids=PLACES)
def test_where_state_lives(tmp_path: Path, source: str, name: str, scope: Scope) -> None:
    assert found(tmp_path, source) == {name: scope}


MAKERS = {
    "dict()": ("", "dict()", 'x["k"] = "v"'),
    "list": ("", "[]", 'x.append("v")'),
    "set": ("", "set()", 'x.add("v")'),
    "deque": ("from collections import deque", "deque(maxlen=9)", 'x.append("v")'),
    "defaultdict": ("from collections import defaultdict", "defaultdict(list)", 'x["k"].append("v")'),
    "Counter": ("from collections import Counter", "Counter()", 'x["k"] += 1'),
    "by operator": ("import operator", "{}", 'operator.setitem(x, request.form["k"], 1)'),
    "OrderedDict": ("import collections", "collections.OrderedDict()", 'x["k"] = "v"'),
    "WeakValueDictionary": ("import weakref", "weakref.WeakValueDictionary()", 'x["k"] = object()'),
    "TTLCache": ("from cachetools import TTLCache", "TTLCache(99, 60)", 'x["k"] = "v"'),
    "LRUCache": ("import cachetools", "cachetools.LRUCache(99)", 'x["k"] = "v"'),
    "ExpiringDict": ("from expiringdict import ExpiringDict", "ExpiringDict(99, 60)", 'x["k"] = "v"'),
    "subclass of dict": ("class Rooms(dict):\n    pass", "Rooms()", 'x["k"] = "v"'),
    "subclass of UserDict": (
        "from collections import UserDict\nclass Rooms(UserDict):\n    pass",
        "Rooms()",
        'x["k"] = "v"',
    ),
    "itertools.count": ("import itertools", "itertools.count(1)", "return str(next(x))"),
    "number": ("", "0", "global x; x += 1; return str(x)"),
    "None": ("", "None", 'global x; x = request.form["k"]; return "ok"'),
    "text": ("", '""', 'global x; x = request.form["k"]; return "ok"'),
    "flag": ("", "False", "global x; x = True; return str(x)"),
    "comprehension": ("", "{n: [] for n in range(9)}", 'x[1].append("v")'),
    "nested": ("", '{"a": {}, "b": {}}', 'x["a"]["k"] = "v"'),
    "copy of another": ("BASE = {}", "dict(BASE)", 'x["k"] = "v"'),
}


@pytest.mark.parametrize(("imports", "maker", "write"), MAKERS.values(), ids=MAKERS)
def test_what_state_is_made_of(tmp_path: Path, imports: str, maker: str, write: str) -> None:
    source = (
        f"{HEAD}{imports}\nx = {maker}\n"
        f"@app.post('/x')\ndef view():\n    {write}\n"
        "@app.get('/x')\ndef show():\n    return repr(x)\n"
    )
    assert set(found(tmp_path, "", source)) == {"x"}


HANDLES = {
    "socket": ("", "dict[str, WebSocket]", 'x["k"] = socket', Kind.CONNECTION_REGISTRY),
    "task": ("import asyncio", "dict", 'x["k"] = asyncio.create_task(work())', Kind.CONNECTION_REGISTRY),
    "lock": ("import asyncio", "dict", 'x.setdefault("k", asyncio.Lock())', Kind.LOCK),
    "queue": ("import asyncio", "dict[str, asyncio.Queue]", 'x["k"] = asyncio.Queue()', Kind.QUEUE),
    "client": ("import httpx", "dict", 'x["k"] = httpx.AsyncClient()', Kind.CONNECTION_REGISTRY),
    "thread": ("import threading", "dict", 'x["k"] = threading.Thread(target=print)', Kind.CONNECTION_REGISTRY),
    "process": ("import subprocess", "dict", 'x["k"] = subprocess.Popen(["ls"])', Kind.CONNECTION_REGISTRY),
    "model": ("import torch", "dict", 'x["k"] = torch.nn.Linear(1, 1)', Kind.CONNECTION_REGISTRY),
}


@pytest.mark.parametrize(("imports", "declared", "write", "kind"), HANDLES.values(), ids=HANDLES)
def test_live_handles_are_named_and_never_moved(
    tmp_path: Path, imports: str, declared: str, write: str, kind: Kind
) -> None:
    source = (
        f"from fastapi import FastAPI, WebSocket\n{imports}\napp = FastAPI()\nx: {declared} = {{}}\n"
        "async def work():\n    pass\n"
        f"@app.websocket('/x')\nasync def view(socket: WebSocket):\n    {write}\n"
    )
    (tmp_path / "app.py").write_text(source)
    findings = scan(tmp_path, Config()).findings
    assert [(each.store.name, each.kind, each.limit) for each in findings] == [("x", kind, Verdict.MANUAL)]
    assert findings[0].reasons


ASKING = {
    "lru_cache over a database": (
        """
        import sqlite3
        from functools import lru_cache
        @lru_cache
        def load(user):
            return sqlite3.connect("x").execute("select 1", (user,)).fetchone()
        @app.get("/x")
        def view():
            return str(load("u"))
        """,
        {"load"},
    ),
    "cached over a service": (
        """
        import requests
        from cachetools import TTLCache, cached
        @cached(TTLCache(9, 60))
        def load(user):
            return requests.get("http://x/" + user).text
        @app.get("/x")
        def view():
            return load("u")
        """,
        {"load"},
    ),
    "lru_cache over arithmetic": (
        """
        from functools import lru_cache
        @lru_cache
        def work(n):
            return n ** n
        @app.get("/x")
        def view():
            return str(work(3))
        """,
        set(),
    ),
}


@pytest.mark.parametrize(("source", "names"), ASKING.values(), ids=ASKING)
def test_kept_answers(tmp_path: Path, source: str, names: set[str]) -> None:
    stores = {name for name in found(tmp_path, source) if not name.endswith("x")}
    assert stores == names


# Attributes of the application of each framework, written by a handler and through what the request reaches.
APPS = {
    "app.state": (
        """
        from fastapi import FastAPI, Request
        app = FastAPI()
        app.state.seen = {}
        @app.post("/x")
        async def view(request: Request):
            request.app.state.seen["k"] = "v"
        """,
        "app.state.seen",
    ),
    "app.state of a lifespan": (
        """
        from contextlib import asynccontextmanager
        from fastapi import FastAPI
        @asynccontextmanager
        async def lifespan(app: FastAPI):
            app.state.seen = {}
            yield
        app = FastAPI(lifespan=lifespan)
        @app.post("/x")
        async def view():
            app.state.seen["k"] = "v"
        """,
        "app.state.seen",
    ),
    "service of app.state": (
        """
        from fastapi import FastAPI, Request
        class Service:
            def __init__(self):
                self.seen = {}
        app = FastAPI()
        app.state.service = Service()
        @app.post("/x")
        async def view(request: Request):
            request.app.state.service.seen["k"] = "v"
        """,
        "Service.seen",
    ),
    "injected service": (
        """
        from fastapi import Depends, FastAPI
        class Service:
            def __init__(self):
                self.seen = {}
        service = Service()
        def get_service() -> Service:
            return service
        app = FastAPI()
        @app.post("/x")
        async def view(injected: Service = Depends(get_service)):
            injected.seen["k"] = "v"
        """,
        "Service.seen",
    ),
    "aiohttp": (
        """
        from aiohttp import web
        async def view(request):
            request.app["seen"]["k"] = "v"
        app = web.Application()
        app["seen"] = {}
        app.router.add_post("/x", view)
        """,
        "app['seen']",
    ),
    "aiohttp with a typed key": (
        """
        from aiohttp import web
        SEEN_KEY = web.AppKey("seen", dict)
        async def view(request):
            request.app[SEEN_KEY]["k"] = "v"
        app = web.Application()
        app[SEEN_KEY] = {}
        app.router.add_post("/x", view)
        """,
        "app['SEEN_KEY']",
    ),
    "Sanic": (
        """
        from sanic import Sanic
        app = Sanic("app")
        app.ctx.seen = {}
        @app.post("/x")
        async def view(request):
            request.app.ctx.seen["k"] = "v"
        """,
        "app.ctx.seen",
    ),
    "Tornado": (
        """
        import tornado.web
        class Things(tornado.web.RequestHandler):
            def post(self):
                self.application.seen["k"] = "v"
        app = tornado.web.Application([("/x", Things)])
        app.seen = {}
        """,
        "app.seen",
    ),
    "Tornado subclass": (
        """
        import tornado.web
        class Things(tornado.web.RequestHandler):
            def post(self):
                self.application.seen["k"] = "v"
        class Site(tornado.web.Application):
            def __init__(self):
                self.seen = {}
                super().__init__([("/x", Things)])
        """,
        "Site.seen",
    ),
}


@pytest.mark.parametrize(("source", "name"), APPS.values(), ids=APPS)
def test_attributes_of_the_application(tmp_path: Path, source: str, name: str) -> None:
    assert set(found(tmp_path, source, "")) == {name}


OWN = {
    "request.state": """
        from fastapi import FastAPI, Request
        app = FastAPI()
        @app.post("/x")
        async def view(request: Request):
            request.state.seen = {}
            request.state.seen["k"] = "v"
        """,
    "request.ctx": """
        from sanic import Sanic
        app = Sanic("app")
        @app.post("/x")
        async def view(request):
            request.ctx.seen = {}
            request.ctx.seen["k"] = "v"
        """,
    "aiohttp request": """
        from aiohttp import web
        async def view(request):
            request["seen"] = {}
            request["seen"]["k"] = "v"
        app = web.Application()
        app.router.add_post("/x", view)
        """,
    "injected for each request": """
        from fastapi import Depends, FastAPI
        class Service:
            def __init__(self):
                self.seen = {}
        def get_service() -> Service:
            return Service()
        app = FastAPI()
        @app.post("/x")
        async def view(injected: Service = Depends(get_service)):
            injected.seen["k"] = "v"
        """,
    "injected class": """
        from fastapi import Depends, FastAPI
        class Service:
            def __init__(self):
                self.seen = {}
        app = FastAPI()
        @app.post("/x")
        async def view(injected: Service = Depends(Service)):
            injected.seen["k"] = "v"
        """,
    "configured once": """
        from fastapi import FastAPI
        app = FastAPI()
        app.state.options = {}
        app.state.options["k"] = "v"
        @app.get("/x")
        async def view():
            return app.state.options["k"]
        """,
}


@pytest.mark.parametrize("source", OWN.values(), ids=OWN)
def test_what_a_request_has_for_itself(tmp_path: Path, source: str) -> None:
    assert found(tmp_path, source, "") == {}
