"""What only looks like state stays silent, and what differs from it by the one thing that makes it state does not."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from unstate.config import Config
from unstate.scan import scan

HEAD = """
from flask import Flask, current_app, g, request, session
app = Flask(__name__)
"""

# Each look-alike, and the change (old, new) that makes state of it.
LOOK_ALIKES: dict[str, tuple[str, str, str]] = {
    "field of a form": (
        """
        from wtforms import Form, FormField
        class Times(FormField):
            def __init__(self, kind):
                super().__init__(kind)
                self.top_errors = []
            def validate(self, form):
                self.top_errors.append("none is given")
                return False
        class Settings(Form):
            times = Times(Form)
        @app.post("/x")
        def view():
            form = Settings(request.form)
            return str(form.times.validate(form))
        """,
        "from wtforms import Form, FormField",
        "class FormField:\n    def __init__(self, kind): self.kind = kind\nclass Form:\n    pass",
    ),
    "constant": (
        """
        COLOURS = {"red": 1}
        @app.get("/x")
        def view():
            return str(COLOURS["red"])
        """,
        'return str(COLOURS["red"])',
        'COLOURS["red"] = 2; return ""',
    ),
    "table filled at import": (
        """
        TABLE = {}
        for n in range(9):
            TABLE[n] = n * n
        @app.get("/x")
        def view():
            return str(TABLE[1])
        """,
        "return str(TABLE[1])",
        'TABLE[1] = 2; return ""',
    ),
    "table filled by a call at import": (
        """
        TABLE = {}
        def fill():
            TABLE["k"] = "v"
        fill()
        @app.get("/x")
        def view():
            return TABLE["k"]
        """,
        'return TABLE["k"]',
        'fill(); return TABLE["k"]',
    ),
    "local that a thread of its own function fills": (
        """
        import threading
        class Plugin:
            def work(self):
                box = {}
                def inner():
                    box["found"] = request.form["k"]
                thread = threading.Thread(target=inner)
                thread.start()
                thread.join()
                return box["found"]
        """,
        "threading.Thread(target=inner)",
        'app.add_url_rule("/i", view_func=inner)',
    ),
    "what this process has done for itself": (
        """
        models_loaded = False
        def load():
            global models_loaded
            if not models_loaded:
                models_loaded = True
        def again():
            global models_loaded
            models_loaded = False
        @app.get("/x")
        def view():
            load()
            return str(models_loaded)
        @app.post("/x")
        def reload():
            again()
            return ""
        """,
        "models_loaded",
        "models_paused",
    ),
    "registry of a decorator": (
        """
        HANDLERS = {}
        def handles(name):
            def register(function):
                HANDLERS[name] = function
                return function
            return register
        @handles("a")
        def first():
            return "1"
        @app.get("/x")
        def view():
            return HANDLERS["a"]()
        """,
        'return HANDLERS["a"]()',
        'HANDLERS["a"] = request.form["k"]; return ""',
    ),
    "registry of a service's decorator": (
        """
        class Registry:
            def __init__(self):
                self.handlers = {}
            def put(self, name, function):
                self.handlers[name] = function
            def handles(self, name):
                def register(function):
                    self.put(name, function)
                    return function
                return register
        registry = Registry()
        @registry.handles("a")
        def first():
            return "1"
        @app.get("/x")
        def view():
            return registry.handlers["a"]()
        """,
        'return registry.handlers["a"]()',
        'registry.put("a", request.form["k"]); return ""',
    ),
    "registry of classes": (
        """
        KINDS = []
        class Base:
            def __init_subclass__(cls):
                KINDS.append(cls)
        class One(Base):
            pass
        @app.get("/x")
        def view():
            return str(len(KINDS))
        """,
        "return str(len(KINDS))",
        'KINDS.append(request.form["k"]); return ""',
    ),
    "local": (
        """
        seen = {}
        @app.post("/x")
        def view():
            seen = {}
            seen["k"] = "v"
            return seen
        """,
        "    seen = {}\n    seen",
        "    seen",
    ),
    "parameter": (
        """
        seen = {}
        def put(seen):
            seen["k"] = "v"
        @app.post("/x")
        def view():
            put({})
            return ""
        """,
        "put({})",
        "put(seen)",
    ),
    "comprehension variable": (
        """
        seen = {"a": {}}
        @app.post("/x")
        def view():
            return [seen.update(a=1) for seen in [{}]]
        """,
        "return [seen.update(a=1) for seen in [{}]]",
        "return [seen.update(a=1) for other in [{}]]",
    ),
    "request-scoped object": (
        """
        class Basket:
            def __init__(self):
                self.items = []
            def put(self, item):
                self.items.append(item)
        @app.post("/x")
        def view():
            basket = Basket()
            basket.put("k")
            return str(basket.items)
        """,
        '@app.post("/x")\ndef view():\n    basket = Basket()',
        'basket = Basket()\n@app.post("/x")\ndef view():',
    ),
    "flask.g": (
        """
        app.seen = {}
        @app.post("/x")
        def view():
            g.seen = {}
            g.seen["k"] = "v"
            return ""
        """,
        "g.seen = {}\n    g.seen",
        "app.seen",
    ),
    "cookie session": (
        """
        kept = {}
        @app.post("/x")
        def view():
            session["seen"] = {}
            session["seen"]["k"] = "v"
            return ""
        """,
        'session["seen"] = {}\n    session',
        'kept["seen"] = {}\n    kept',
    ),
    "pure memo": (
        """
        _known = {}
        def parsed(text):
            if text not in _known:
                _known[text] = text.split(",")
            return _known[text]
        @app.get("/x")
        def view():
            return str(parsed("a,b"))
        """,
        'return str(parsed("a,b"))',
        '_known["a,b"] = request.form["k"]; return str(parsed("a,b"))',
    ),
    "memo, and a count of calls": (
        """
        _known = {}
        def parsed(text):
            if text not in _known:
                _known[text] = text.split(",")
            return _known[text]
        @app.get("/x")
        def view():
            return str(parsed("a,b"))
        """,
        'if text not in _known:\n        _known[text] = text.split(",")',
        "_known[text] = _known.get(text, 0) + 1",
    ),
    "memo, and numbers in the order of asking": (
        """
        _known = {}
        def parsed(text):
            if text not in _known:
                _known[text] = text.split(",")
            return _known[text]
        @app.get("/x")
        def view():
            return str(parsed("a,b"))
        """,
        'text.split(",")',
        "len(_known)",
    ),
    "table that a text is made from": (
        """
        NAMES = ["a", "b"]
        def spelled(numbers):
            text = ""
            for number in numbers:
                text += NAMES[number]
            return text
        @app.get("/x")
        def view():
            return spelled([1])
        """,
        "text += NAMES[number]",
        "NAMES[number] += text",
    ),
    "table whose entries go into new records": (
        """
        NAMES = {1: "local", 2: "remote"}
        def looked_up(key):
            return {"scope": NAMES.get(key)}
        @app.get("/x")
        def view():
            row = looked_up(1)
            row["seen"] = True
            return row
        """,
        'return {"scope": NAMES.get(key)}',
        "return NAMES.get(key)",
    ),
    "registry of a decorator without parameters": (
        """
        KINDS = {}
        def known(cls):
            if cls.__name__ in KINDS:
                raise KeyError(cls)
            KINDS[cls.__name__] = cls
            return cls
        @known
        class First:
            pass
        @app.get("/x")
        def view():
            return str(KINDS["First"]())
        """,
        'return str(KINDS["First"]())',
        'KINDS["First"] = request.form["k"]; return ""',
    ),
    "registry of classes that are called": (
        """
        class First:
            @classmethod
            def update(cls, values):
                return values
        KINDS = {"first": First}
        def kind(name):
            return KINDS.get(name)
        @app.post("/x")
        def view():
            found = kind("first")
            found.update(request.form)
            return ""
        """,
        'KINDS = {"first": First}',
        'KINDS = {"first": {}}',
    ),
    "result of a thread": (
        """
        import threading
        def fetched(url):
            found = [None]
            def work():
                found[0] = url.upper()
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
            return found[0]
        """,
        "thread = threading.Thread(target=work)",
        'app.add_url_rule("/y", view_func=work); thread = threading.Thread()',
    ),
    "what a page told while it was looked at": (
        """
        async def looked_at(page):
            lines = []
            def told(line):
                lines.append(line)
            page.on("console", told)
            await page.wait()
            return {"lines": lines}
        """,
        'page.on("console", told)',
        'app.add_url_rule("/y", view_func=told)',
    ),
    "set up once": (
        """
        _ready = False
        def set_up():
            global _ready
            if _ready:
                return
            _ready = True
        @app.get("/x")
        def view():
            set_up()
            return ""
        """,
        "set_up()\n    return",
        "global _ready; _ready = False\n    set_up()\n    return",
    ),
    "number of a request in the log": (
        """
        import logging
        count = {"id": 0}
        def request_id():
            count["id"] += 1
            return count["id"]
        @app.get("/x")
        def view():
            number = request_id()
            logging.info("begun %s", number)
            return ""
        """,
        'return ""',
        "return {number: number}",
    ),
    "copies that are asked for anew": (
        """
        from time import monotonic
        class Users:
            def __init__(self, db):
                self.db = db
                self.titles = {}
            def profile(self, name):
                now = monotonic()
                row = self.db.find_one(name)
                self.titles[name] = (now + 60, row.title)
                return row
            def all_titles(self, names):
                now = monotonic()
                known = {}
                for name in names:
                    kept = self.titles.get(name)
                    if kept is not None and kept[0] > now:
                        known[name] = kept[1]
                        continue
                    row = self.db.find_one(name)
                    known[name] = row.title
                    self.titles[name] = (now + 60, row.title)
                return known
        users = Users(connect())
        @app.get("/x")
        def view():
            return users.all_titles([users.profile("a").name])
        """,
        "row = self.db.find_one(name)\n            known",
        "row = self.db.insert_one(name)\n            known",
    ),
    "memo that a watcher clears": (
        """
        class Listings:
            def __init__(self):
                self.known = {}
            def listing(self, root):
                try:
                    return self.known[root]
                except KeyError:
                    found = list(walked(root))
                    self.known[root] = found
                    return found
            def forget(self, root):
                self.known.pop(root, None)
        def walked(root):
            return root
        class Watch:
            def __init__(self, listings: Listings):
                self.listings = listings
            def dispatch(self, event):
                self.listings.forget(event.src_path)
        listings = Listings()
        watch = Watch(listings)
        @app.get("/x")
        def view():
            listings.forget("b")
            return str(listings.listing("a"))
        """,
        "def dispatch(self, event)",
        "def heard(self, event)",
    ),
    "memo of a method": (
        """
        class Parser:
            def __init__(self):
                self._known = {}
            def work(self, text):
                return text.split(",")
            def parsed(self, text):
                known = self._known.get(text)
                if known is None:
                    known = self.work(text)
                    self._known[text] = known
                return known
        parser = Parser()
        @app.get("/x")
        def view():
            return str(parser.parsed("a,b"))
        """,
        "known = self.work(text)",
        "known = self.fetch(text)\n            self._known['n'] = text",
    ),
    "a copy that is filled": (
        """
        class Query:
            def __init__(self):
                self.parts = []
            def but(self, part):
                new = self.__class__()
                new.parts = list(self.parts)
                new.parts.append(part)
                return new
        base = Query()
        @app.get("/x")
        def view():
            return str(base.but("k"))
        """,
        "new = self.__class__()",
        "new = self",
    ),
    "an object of its own": (
        """
        class Basket:
            def __init__(self):
                self.items = []
        empty = Basket()
        @app.post("/x")
        def view():
            basket = Basket()
            basket.items.append("k")
            return str(empty.items)
        """,
        "basket = Basket()",
        "basket = empty",
    ),
    "scalar of the class body": (
        """
        class Basket:
            open = True
            def close(self):
                self.open = False
        @app.post("/x")
        def view():
            basket = Basket()
            basket.open = False
            return ""
        """,
        "basket.open = False",
        "Basket.open = False",
    ),
    "tasks kept alive": (
        """
        import asyncio
        tasks = set()
        async def work():
            pass
        @app.post("/x")
        async def view():
            task = asyncio.create_task(work())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            return ""
        """,
        'return ""',
        "return str(list(tasks)[0].get_name() in tasks)",
    ),
    "memo that others ask for": (
        """
        _version = None
        def version():
            global _version
            if _version is None:
                found = "1".strip()
                _version = found
            return _version
        def shown():
            return version()
        @app.get("/x")
        def view():
            return shown()
        """,
        "return shown()",
        'global _version; _version = request.form["v"]; return shown()',
    ),
    "settings made on first use": (
        """
        class Settings:
            debug = False
        _settings = None
        def settings():
            global _settings
            if _settings is None:
                _settings = Settings()
            return _settings
        @app.get("/x")
        def view():
            return str(settings().debug)
        """,
        "return str(settings().debug)",
        'global _settings; _settings = request.form["s"]; return str(settings())',
    ),
    "client made on first use": (
        """
        import httpx
        _client = None
        def client():
            global _client
            if _client is None:
                _client = httpx.Client()
            return _client
        @app.get("/x")
        def view():
            return client().get("http://x").text
        """,
        'return client().get("http://x").text',
        'global _client; _client = request.form["c"]; return str(client())',
    ),
    "model loaded on first use": (
        """
        import joblib
        model, scaler = None, None
        def load():
            global model, scaler
            model = joblib.load("m")
            scaler = joblib.load("s")
        @app.get("/x")
        def view():
            if model is None:
                load()
            return model.predict(1)
        """,
        'model = joblib.load("m")',
        'model = request.form["m"]',
    ),
    "flag of a signal": (
        """
        import signal
        stopping = False
        def stop(number, frame):
            global stopping
            stopping = True
        signal.signal(signal.SIGTERM, stop)
        @app.get("/x")
        def view():
            return str(stopping)
        """,
        "return str(stopping)",
        "stop(1, None); return str(stopping)",
    ),
    "dataclass made for each request": (
        """
        from dataclasses import dataclass, field
        @dataclass
        class Basket:
            items: list = field(default_factory=list)
        @app.post("/x")
        def view():
            basket = Basket()
            basket.items.append("k")
            return ""
        """,
        '@app.post("/x")\ndef view():\n    basket = Basket()',
        'basket = Basket()\n@app.post("/x")\ndef view():',
    ),
    "said once": (
        """
        import logging
        seen = set()
        def warn(text):
            if text not in seen:
                seen.add(text)
                logging.warning(text)
        @app.get("/x")
        def view():
            warn("old")
            return ""
        """,
        "logging.warning(text)",
        "pass",
    ),
    "under the main guard": (
        """
        @app.get("/x")
        def view():
            return ""
        if __name__ == "__main__":
            seen = {}
            def put():
                seen["k"] = "v"
            put()
        """,
        'return ""',
        'globals_ = kept["k"] = "v"; return ""\nkept = {}',
    ),
    "default that is never changed": (
        """
        @app.get("/x")
        def view(options={}):
            return options.get("k", "")
        """,
        'return options.get("k", "")',
        'options["k"] = "v"; return ""',
    ),
    "only ever emptied": (
        """
        waiting = []
        @app.get("/x")
        def view():
            waiting.clear()
            return ""
        """,
        "waiting.clear()",
        'waiting.append("k")',
    ),
    "pydantic field": (
        """
        from pydantic import BaseModel
        class Basket(BaseModel):
            items: list = []
        @app.post("/x")
        def view():
            basket = Basket()
            basket.items.append("k")
            return ""
        """,
        "class Basket(BaseModel)",
        "class Basket",
    ),
    "marshmallow schema": (
        """
        from marshmallow import Schema
        class Basket(Schema):
            items = []
            def load(self):
                self.items.append("k")
        @app.post("/x")
        def view():
            Basket().load()
            return ""
        """,
        "class Basket(Schema)",
        "class Basket",
    ),
    "table that is filled when it is found empty": (
        """
        UNITS = {"m": 1.0, "ft": 0.3048}
        BY_SIZE = []
        def by_size():
            if BY_SIZE:
                return BY_SIZE
            for name, size in UNITS.items():
                BY_SIZE.append((size, name))
            return BY_SIZE
        @app.get("/x")
        def view():
            return str(by_size())
        """,
        "BY_SIZE.append((size, name))",
        "BY_SIZE.append((size, random.random()))",
    ),
    "table that a function gives when none is there": (
        """
        NAMES = []
        def names_of_files():
            return sorted(path.name for path in FOLDER.iterdir())
        @app.get("/x/<name>")
        def view(name):
            global NAMES
            if not NAMES:
                NAMES = names_of_files()
            return str(name in NAMES)
        """,
        "return sorted(path.name for path in FOLDER.iterdir())",
        "return requests.get(URL).json()",
    ),
    "table that is filled when there is none, and goes on from there": (
        """
        PANELS = None
        EXTRA = [len]
        def panels(_group=None):
            global PANELS
            if PANELS is None:
                PANELS = ["a"]
                for extra in EXTRA:
                    PANELS.append(extra("b"))
            return PANELS
        @app.get("/x")
        def view():
            return str(panels())
        """,
        "    return PANELS",
        '    PANELS.append("c")\n    return PANELS',
    ),
    "table that is filled again and again": (
        """
        TICKS = []
        def ticks():
            if TICKS:
                return TICKS
            TICKS.append(len(TICKS))
            return TICKS
        @app.get("/x")
        def view():
            return str(ticks())
        """,
        "        return TICKS",
        "        print(TICKS)",
    ),
    "attributes that every view replaces": (
        """
        from flask.views import View
        class Inspect(View):
            fields = []
            def setup(self):
                self.fields = list(request.args)
            def dispatch_request(self):
                self.setup()
                return str(self.fields)
        """,
        "self.fields = list(request.args)",
        "self.fields.extend(request.args)",
    ),
    "registry that plug-ins fill": (
        """
        class Registry:
            def __init__(self):
                self.found = {}
            def register_link(self, name, value):
                self.found[name] = value
            def get(self, name):
                return self.found[name]
        registry = Registry()
        @app.get("/x/<name>")
        def view(name):
            return registry.get(name)
        """,
        "return registry.get(name)",
        'registry.register_link(name, "x"); return registry.get(name)',
    ),
    "attribute that a class only declares": (
        """
        class Result(dict):
            engines: list[str]
        @app.post("/x")
        def view():
            result = Result()
            result.engines.append(request.form["engine"])
            return str(result.engines)
        """,
        "engines: list[str]",
        "engines: list[str] = []",
    ),
    "object of what no request was seen to reach": (
        """
        from project.routes import versioned
        class Search:
            def __init__(self):
                self.filters = []
            def add(self, value):
                self.filters.append(value)
        @versioned(1)
        def found(request):
            search = Search()
            return str(search.filters)
        @app.post("/x")
        def view():
            search = Search()
            search.add(request.form["k"])
            return str(search.filters)
        """,
        "@versioned(1)",
        "SEARCH = Search()",
    ),
}


def stores(root: Path, source: str) -> set[str]:
    (root / "app.py").write_text(HEAD + source)
    return {found.store.name for found in scan(root, Config()).findings}


@pytest.mark.parametrize(("source", "old", "new"), LOOK_ALIKES.values(), ids=LOOK_ALIKES)
def test_a_look_alike_is_silent(tmp_path: Path, source: str, old: str, new: str) -> None:
    assert stores(tmp_path, dedent(source)) == set()


@pytest.mark.parametrize(("source", "old", "new"), LOOK_ALIKES.values(), ids=LOOK_ALIKES)
def test_the_one_thing_that_makes_it_state(tmp_path: Path, source: str, old: str, new: str) -> None:
    source = dedent(source)
    assert old in source
    assert len(stores(tmp_path, source.replace(old, new))) == 1


SILENT = {
    "row that a query is told to read": """
        from pydantic import BaseModel
        class Payment(BaseModel):
            status: str = "open"
            notes: list = []
        def payment(key):
            return (None or database).fetchone("select * from payments", Payment)
        payment("first")
        @app.post("/x/<key>")
        def view(key):
            found: Payment = payment(key)
            found.notes.append(request.form["note"])
            return found.status
        """,
    "ORM columns": """
        from sqlalchemy.orm import DeclarativeBase
        class Base(DeclarativeBase):
            pass
        class User(Base):
            tags = []
        @app.post("/x")
        def view():
            User().tags.append("k")
            return ""
        """,
    "django model": """
        from django.db import models
        class User(models.Model):
            choices = []
            def put(self):
                self.total = 0
                self.total += 1
        @app.post("/x")
        def view():
            User().put()
            return ""
        """,
    "DRF serializer": """
        from rest_framework import serializers
        class UserSerializer(serializers.ModelSerializer):
            seen = {}
            def validate(self, data):
                self.seen = data
                return data
        """,
    "handler made for each request": """
        import tornado.web
        class Things(tornado.web.RequestHandler):
            def initialize(self):
                self.seen = {}
            def post(self):
                self.seen["k"] = "v"
        """,
    "pool": """
        from concurrent.futures import ThreadPoolExecutor
        pool = ThreadPoolExecutor(4)
        @app.post("/x")
        def view():
            pool.submit(print)
            return ""
        """,
    "lock by itself": """
        import threading
        lock = threading.Lock()
        @app.post("/x")
        def view():
            with lock:
                return "x"
        """,
    "lock around a log": """
        import threading
        lock = threading.Lock()
        @app.post("/x")
        def view():
            with lock, open("/var/log/app.log", "a") as log:
                log.write("x")
            return ""
        """,
    "scheduler without jobs": """
        from apscheduler.schedulers.background import BackgroundScheduler
        scheduler = BackgroundScheduler()
        scheduler.start()
        """,
    "scheduler that is never started": """
        from apscheduler.schedulers.background import BackgroundScheduler
        scheduler = BackgroundScheduler()
        scheduler.add_job(print)
        """,
    "scheduler of a worker's own program": """
        from apscheduler.schedulers.blocking import BlockingScheduler
        scheduler = BlockingScheduler()
        if __name__ == "__main__":
            scheduler.add_job(print)
            scheduler.start()
        """,
    "enum": """
        from enum import Enum
        class Colour(Enum):
            known = []
            def put(self):
                self.known.append("k")
        @app.post("/x")
        def view():
            Colour.known.put()
            return ""
        """,
    "logger": """
        import logging
        logger = None
        @app.post("/x")
        def view():
            global logger
            if logger is None:
                logger = logging.getLogger("x")
            return ""
        """,
    "time of a chore": """
        import time
        _last_cleanup = 0.0
        @app.get("/x")
        def view():
            global _last_cleanup
            if time.time() - _last_cleanup > 60:
                _last_cleanup = time.time()
            return ""
        """,
    "temporary file of one request": """
        import os
        import tempfile
        @app.post("/x")
        def view():
            handle, path = tempfile.mkstemp()
            request.files["f"].save(path)
            size = os.path.getsize(path)
            os.remove(path)
            return str(size)
        """,
    "log file": """
        @app.post("/x")
        def view():
            with open("logs/app.log", "a") as log:
                log.write("x")
            return ""
        """,
    "in-memory buffer": """
        import io
        @app.post("/x")
        def view():
            buffer = io.BytesIO()
            buffer.write(request.data)
            return buffer.getvalue()
        """,
}


@pytest.mark.parametrize("source", SILENT.values(), ids=SILENT)
def test_silence(tmp_path: Path, source: str) -> None:
    assert stores(tmp_path, dedent(source)) == set()


ASIDE = ["tests/app.py", "test_app.py", "conftest.py", "node_modules/x/app.py", "venv/lib/app.py", "vendor/app.py"]
STATE = HEAD + "seen = {}\n@app.post('/x')\ndef view():\n    seen['k'] = 'v'\n"


@pytest.mark.parametrize("path", ASIDE)
def test_files_that_no_service_runs(tmp_path: Path, path: str) -> None:
    (tmp_path / "web.py").write_text(HEAD)
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(STATE)
    assert scan(tmp_path, Config()).findings == ()


def test_a_framework_that_was_copied_into_the_project(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    credits = "__version__ = '1'\n__license__ = 'MIT'\n"
    (tmp_path / "web" / "bottle.py").write_text(credits + STATE)
    (tmp_path / "web" / "__init__.py").write_text("")
    (tmp_path / "app.py").write_text(HEAD + "from web import bottle\n")
    assert scan(tmp_path, Config()).findings == ()
    (tmp_path / "web" / "bottle.py").write_text(STATE)
    assert [found.store.name for found in scan(tmp_path, Config()).findings] == ["seen"]


def test_a_script_beside_the_service(tmp_path: Path) -> None:
    (tmp_path / "web.py").write_text(HEAD)
    (tmp_path / "tool.py").write_text("seen = {}\ndef put():\n    seen['k'] = 'v'\nput()\n")
    assert scan(tmp_path, Config()).findings == ()


def test_a_switch_that_is_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        HEAD
        + dedent("""
        import os
        class MemoryStore:
            def __init__(self):
                self.items = {}
            def put(self, key, value):
                self.items[key] = value
            def take(self, key):
                return self.items.pop(key, None)
        class RedisStore:
            def __init__(self):
                self.client = None
            def put(self, key, value):
                self.client.set(key, value)
            def take(self, key):
                return self.client.getdel(key)
        store = RedisStore() if os.environ.get("REDIS_URL") else MemoryStore()
        @app.post("/x")
        def view():
            store.put("k", "v")
            return ""
        """)
    )
    findings = scan(tmp_path, Config()).findings
    assert [found.store.name for found in findings] == ["MemoryStore.items"]
    assert any("RedisStore does the same over a shared service already" in reason for reason in findings[0].reasons)
