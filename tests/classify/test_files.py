"""Which folders and files on disk are state, and which are not."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from unstate.config import Config
from unstate.model import Finding, Op, Scope, Verdict
from unstate.scan import scan


def stores(root: Path, files: dict[str, str]) -> list[Finding]:
    """The file stores of a tree that is written from `files`."""
    for name, source in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source))
    return [found for found in scan(root, Config()).findings if found.rule in ("US202", "US203")]


SAVE_AND_SERVE = """
import os
from flask import Flask, request, send_from_directory
from werkzeug.utils import secure_filename

app = Flask(__name__)
app.config["UPLOAD_FOLDER"] = "uploads"

@app.post("/files")
def upload():
    f = request.files["f"]
    name = secure_filename(f.filename)
    f.save(os.path.join(app.config["UPLOAD_FOLDER"], name))
    return name

@app.get("/files/<name>")
def show(name):
    return send_from_directory(app.config["UPLOAD_FOLDER"], name)
"""

FOUND: dict[str, tuple[dict[str, str], str, str]] = {
    "save and serve": ({"app.py": SAVE_AND_SERVE}, "US202", "app.config['UPLOAD_FOLDER']"),
    "settings object, path division, two files": (
        {
            "settings.py": """
            from pathlib import Path
            BASE_DIR = Path(__file__).resolve().parent
            UPLOAD_DIR = BASE_DIR / "data" / "uploads"
            """,
            "main.py": """
            import shutil
            from fastapi import FastAPI, UploadFile
            from fastapi.responses import FileResponse
            import settings
            from uuid import uuid4
            app = FastAPI()

            @app.post("/")
            async def put(file: UploadFile):
                name = f"{uuid4()}.bin"
                with open(settings.UPLOAD_DIR / name, "wb") as out:
                    shutil.copyfileobj(file.file, out)
                return {"id": name}

            @app.get("/{name}")
            async def get(name: str):
                return FileResponse(settings.UPLOAD_DIR / name)
            """,
        },
        "US202",
        "UPLOAD_DIR",
    ),
    "aiofiles and a helper that forms the path": (
        {
            "main.py": """
            import aiofiles, os
            from fastapi import FastAPI, UploadFile
            app = FastAPI()
            STORE = os.getenv("STORE", "./store")

            def path_for(key):
                return os.path.join(STORE, key[:2], key)

            @app.post("/{key}")
            async def put(key: str, file: UploadFile):
                async with aiofiles.open(path_for(key), "wb") as f:
                    await f.write(await file.read())

            @app.get("/{key}")
            async def get(key: str):
                async with aiofiles.open(path_for(key), "rb") as f:
                    return await f.read()
            """
        },
        "US202",
        "STORE",
    ),
    "a mounted folder is the reader": (
        {
            "main.py": """
            from fastapi import FastAPI
            from fastapi.staticfiles import StaticFiles
            app = FastAPI()
            app.mount("/outputs", StaticFiles(directory="outputs"), name="outputs")

            @app.post("/render")
            def render(name: str):
                path = f"outputs/{name}.png"
                draw().save(path)
                return {"url": f"/outputs/{name}.png"}
            """
        },
        "US202",
        "outputs",
    ),
    "a class that keeps files, its folder given to the constructor": (
        {
            "store.py": """
            import os
            class Blobs:
                def __init__(self, root):
                    self.root_dir = root
                def put(self, name, data):
                    with open(os.path.join(self.root_dir, name), "wb") as f:
                        f.write(data)
                def get(self, name):
                    with open(os.path.join(self.root_dir, name), "rb") as f:
                        return f.read()
                def delete(self, name):
                    os.remove(os.path.join(self.root_dir, name))
            """,
            "app.py": """
            from flask import Flask, request
            from store import Blobs
            app = Flask(__name__)
            BLOB_DIR = "/var/blobs"
            blobs = Blobs(BLOB_DIR)

            @app.post("/<name>")
            def put(name):
                blobs.put(name, request.data)
                return ""

            @app.get("/<name>")
            def get(name):
                return blobs.get(name)
            """,
        },
        "US202",
        "BLOB_DIR",
    ),
    "bottle saves into a folder": (
        {
            "app.py": """
            from bottle import route, request, static_file

            @route("/upload", method="POST")
            def upload():
                request.files.get("f").save("./uploads", overwrite=True)

            @route("/<name>")
            def download(name):
                return static_file(name, root="./uploads")
            """
        },
        "US202",
        "uploads",
    ),
    "json as a database": (
        {
            "app.py": """
            import json
            from flask import Flask, request
            app = Flask(__name__)
            DB_FILE = "users.json"

            def load():
                with open(DB_FILE) as f:
                    return json.load(f)

            @app.post("/users")
            def add():
                users = load()
                users.append(request.json)
                with open(DB_FILE, "w") as f:
                    json.dump(users, f)
                return ""

            @app.get("/users")
            def users():
                return load()
            """
        },
        "US203",
        "DB_FILE",
    ),
    "atomic replacement of a json file": (
        {
            "app.py": """
            import json, os
            from pathlib import Path
            from flask import Flask, request
            app = Flask(__name__)
            STATE_PATH = Path("data") / "state.json"

            @app.put("/")
            def put():
                tmp = STATE_PATH.with_suffix(".tmp")
                tmp.write_text(json.dumps(request.json))
                os.replace(tmp, STATE_PATH)
                return ""

            @app.get("/")
            def get():
                return json.loads(STATE_PATH.read_text())
            """
        },
        "US203",
        "STATE_PATH",
    ),
    "the reader is outside Python": (
        {
            "app.py": """
            import os, uuid
            from sanic import Sanic
            from sanic.response import json
            app = Sanic("media")
            MEDIA_DIR = "/usr/shared/downloads/"

            @app.post("/upload")
            async def upload(request):
                f = request.files.get("file")
                name = str(uuid.uuid4()) + f.name
                out = open(MEDIA_DIR + name, "wb")
                out.write(f.body)
                out.close()
                return json({"file": name})
            """
        },
        "US202",
        "MEDIA_DIR",
    ),
    "a path in a registry": (
        {
            "app.py": """
            import os
            from flask import Flask, request, send_file
            app = Flask(__name__)
            UPLOADS = "/data/uploads"
            files = {}

            @app.post("/")
            def upload():
                f = request.files["f"]
                path = os.path.join(UPLOADS, f.filename)
                f.save(path)
                files[f.filename] = {"path": path}
                return ""

            @app.get("/<key>")
            def download(key):
                return send_file(files[key]["path"])
            """
        },
        "US202",
        "UPLOADS",
    ),
    "Django's storage": (
        {
            "site/settings.py": "import os\nBASE_DIR = '/srv'\nMEDIA_ROOT = os.path.join(BASE_DIR, 'media')\n",
            "site/views.py": """
            from django.core.files.storage import FileSystemStorage
            from django.views import View

            class Upload(View):
                def post(self, request):
                    fs = FileSystemStorage()
                    name = fs.save(request.FILES["f"].name, request.FILES["f"])
                    return fs.url(name)
            """,
        },
        "US202",
        "MEDIA_ROOT",
    ),
    "a Django field": (
        {
            "site/settings.py": "MEDIA_ROOT = '/srv/media'\n",
            "site/models.py": """
            from django.db import models

            class Photo(models.Model):
                image = models.ImageField(upload_to="photos/")
            """,
        },
        "US202",
        "MEDIA_ROOT",
    ),
    "chunks put together later": (
        {
            "app.py": """
            from pathlib import Path
            from fastapi import FastAPI, UploadFile
            app = FastAPI()
            CHUNK_DIR = Path("/data/chunks")

            @app.post("/{upload}/{number}")
            async def chunk(upload: str, number: int, file: UploadFile):
                folder = CHUNK_DIR / upload
                folder.mkdir(exist_ok=True)
                (folder / f"{number:06d}.part").write_bytes(await file.read())

            @app.post("/{upload}/done")
            async def done(upload: str):
                parts = sorted((CHUNK_DIR / upload).glob("*.part"))
                return b"".join(part.read_bytes() for part in parts)
            """
        },
        "US202",
        "CHUNK_DIR",
    ),
    "a worker writes, a request reads": (
        {
            "app.py": """
            import threading
            from flask import Flask, send_file
            app = Flask(__name__)
            REPORTS = "/data/reports"

            def work(job):
                document().save(f"{REPORTS}/{job}.pdf")

            @app.post("/<job>")
            def start(job):
                threading.Thread(target=work, args=(job,)).start()
                return ""

            @app.get("/<job>")
            def report(job):
                return send_file(f"{REPORTS}/{job}.pdf")
            """
        },
        "US202",
        "REPORTS",
    ),
    "a script that runs again for each click": (
        {
            "app.py": """
            import os, glob
            import streamlit as st
            UPLOADS = "uploads"
            for f in st.file_uploader("f", accept_multiple_files=True):
                with open(os.path.join(UPLOADS, f.name), "wb") as out:
                    out.write(f.getbuffer())

            def read_all():
                return [open(p).read() for p in glob.glob(os.path.join(UPLOADS, "*.txt"))]

            if st.button("go"):
                st.write(read_all())
            """
        },
        "US202",
        "UPLOADS",
    ),
    "sqlite": (
        {
            "app.py": """
            import sqlite3
            from flask import Flask
            app = Flask(__name__)
            DATABASE = "app.db"

            def db():
                return sqlite3.connect(DATABASE)

            @app.get("/")
            def index():
                return str(db().execute("select 1").fetchall())
            """
        },
        "US203",
        "DATABASE",
    ),
    "pandas appends to a csv": (
        {
            "app.py": """
            import pandas as pd
            from flask import Flask, request
            app = Flask(__name__)
            VOTES = "data/votes.csv"

            @app.post("/vote")
            def vote():
                frame = pd.DataFrame([request.json])
                frame.to_csv(VOTES, mode="a")
                return ""

            @app.get("/result")
            def result():
                return pd.read_csv(VOTES).to_html()
            """
        },
        "US203",
        "VOTES",
    ),
    "picture under static, name in the database": (
        {
            "app.py": """
            import os, secrets
            from PIL import Image
            from flask import Flask
            app = Flask(__name__)
            def save_picture(form_picture):
                random_hex = secrets.token_hex(8)
                _, f_ext = os.path.splitext(form_picture.filename)
                picture_fn = random_hex + f_ext
                picture_path = os.path.join(app.root_path, 'static/profile_pics', picture_fn)
                i = Image.open(form_picture)
                i.thumbnail((125, 125))
                i.save(picture_path)
                return picture_fn
            @app.route("/account", methods=["POST"])
            def account():
                current_user.image_file = save_picture(form.picture.data)
                db.session.commit()
                return ""
            """,
        },
        "US202",
        "static/profile_pics",
    ),
    "tornado": (
        {
            "app.py": """
            import os, tornado.web, tornado.ioloop
            class Up(tornado.web.RequestHandler):
                def post(self):
                    f = self.request.files["f"][0]
                    with open(os.path.join(self.application.settings["upload_path"], f.filename), "wb") as o:
                        o.write(f.body)
                    self.write("ok")
            def make():
                return tornado.web.Application([(r"/up", Up)], upload_path="uploads")
            """,
        },
        "US202",
        "upload_path",
    ),
    "django view by hand": (
        {
            "site/settings.py": """
            from pathlib import Path
            BASE_DIR = Path(__file__).resolve().parent.parent
            MEDIA_ROOT = BASE_DIR / "media"
            """,
            "site/urls.py": """
            from django.urls import path
            from . import views
            urlpatterns = [path("up", views.up), path("down/<n>", views.down)]
            """,
            "site/views.py": """
            import os
            from django.conf import settings
            from django.http import HttpResponse, FileResponse
            def up(request):
                f = request.FILES["f"]
                with open(os.path.join(settings.MEDIA_ROOT, f.name), "wb+") as dest:
                    for chunk in f.chunks():
                        dest.write(chunk)
                return HttpResponse("ok")
            def down(request, n):
                return FileResponse(open(os.path.join(settings.MEDIA_ROOT, n), "rb"))
            """,
        },
        "US202",
        "MEDIA_ROOT",
    ),
    "temp file in a registry": (
        {
            "app.py": """
            import tempfile
            from flask import Flask, request, send_file
            app = Flask(__name__)
            files = {}
            @app.post("/<k>")
            def up(k):
                tmp = tempfile.NamedTemporaryFile(delete=False)
                request.files["f"].save(tmp.name)
                files[k] = tmp.name
                return k
            @app.get("/<k>")
            def get(k):
                return send_file(files[k])
            """,
        },
        "US202",
        "up.tmp",
    ),
    "folder by string sum": (
        {
            "app.py": """
            import os
            from flask import Flask, request, send_from_directory
            app = Flask(__name__)
            ROOT = os.path.dirname(os.path.abspath(__file__))
            @app.post("/")
            def up():
                target = os.path.join(ROOT, "images/")
                for f in request.files.getlist("file"):
                    destination = "/".join([target, f.filename])
                    f.save(destination)
                return ""
            @app.get("/<n>")
            def get(n):
                return send_from_directory("images", n)
            """,
        },
        "US202",
        "images",
    ),
    "celery writes, view reads": (
        {
            "tasks.py": """
            from celery import shared_task
            from pathlib import Path
            OUT = Path("/srv/out")
            @shared_task
            def make(job):
                (OUT / f"{job}.txt").write_text("x")
            """,
            "views.py": """
            from rest_framework.views import APIView
            from django.http import FileResponse
            from tasks import make, OUT
            class J(APIView):
                def post(self, request, job):
                    make.delay(job)
                def get(self, request, job):
                    return FileResponse((OUT / f"{job}.txt").open("rb"))
            """,
        },
        "US202",
        "OUT",
    ),
    "csv read at start, written by requests": (
        {
            "app.py": """
            import csv
            from flask import Flask, request
            app = Flask(__name__)
            FILE = "scores.csv"
            def load():
                with open(FILE) as f:
                    return list(csv.reader(f))
            SCORES = load()
            @app.post("/")
            def add():
                with open(FILE, "a") as f:
                    csv.writer(f).writerow([request.json["n"]])
                return ""
            """,
        },
        "US203",
        "FILE",
    ),
    "blueprint, config class, helper": (
        {
            "config.py": """
            import os
            class Config:
                UPLOAD_FOLDER = os.path.join(os.getcwd(), "uploads")
            """,
            "app.py": """
            from flask import Flask
            from views import bp
            def create_app():
                app = Flask(__name__)
                app.config.from_object("config.Config")
                app.register_blueprint(bp)
                return app
            """,
            "views.py": """
            import os, uuid
            from flask import Blueprint, current_app, request, send_file
            bp = Blueprint("b", __name__)
            def save_file(f):
                name = uuid.uuid4().hex + ".bin"
                f.save(os.path.join(current_app.config["UPLOAD_FOLDER"], name))
                return name
            @bp.route("/", methods=["POST"])
            def up():
                return save_file(request.files["f"])
            @bp.route("/<n>")
            def down(n):
                return send_file(os.path.join(current_app.config["UPLOAD_FOLDER"], n))
            """,
        },
        "US202",
        "Config.UPLOAD_FOLDER",
    ),
    "class attr folder with staticmethods": (
        {
            "svc.py": """
            import os, shutil
            class FileService:
                BASE = "/var/lib/app/files"
                @staticmethod
                def save(name, stream):
                    p = os.path.join(FileService.BASE, name)
                    with open(p, "wb") as f:
                        shutil.copyfileobj(stream, f)
                    return p
                @classmethod
                def read(cls, name):
                    return open(os.path.join(cls.BASE, name), "rb")
            """,
            "app.py": """
            from fastapi import FastAPI, UploadFile
            from fastapi.responses import StreamingResponse
            from svc import FileService
            app = FastAPI()
            @app.post("/")
            def up(file: UploadFile):
                FileService.save(file.filename, file.file)
            @app.get("/{n}")
            def get(n: str):
                return StreamingResponse(FileService.read(n))
            """,
        },
        "US202",
        "FileService.BASE",
    ),
    "sanic file": (
        {
            "app.py": """
            import aiofiles
            from sanic import Sanic
            from sanic.response import file, json
            app = Sanic("x")
            @app.post("/u/<n>")
            async def u(request, n):
                async with aiofiles.open(f"./files/{n}", "wb") as f:
                    await f.write(request.body)
                return json({})
            @app.get("/d/<n>")
            async def d(request, n):
                return await file(f"./files/{n}")
            """,
        },
        "US202",
        "files",
    ),
    "aiohttp": (
        {
            "app.py": """
            import os
            from aiohttp import web
            async def up(request):
                reader = await request.multipart()
                field = await reader.next()
                path = os.path.join(request.app["upload_dir"], field.filename)
                with open(path, "wb") as f:
                    while chunk := await field.read_chunk():
                        f.write(chunk)
                return web.Response(text="ok")
            async def down(request):
                return web.FileResponse(os.path.join(request.app["upload_dir"], request.match_info["n"]))
            def make():
                app = web.Application()
                app["upload_dir"] = "/data/up"
                app.router.add_post("/", up)
                app.router.add_get("/{n}", down)
                return app
            """,
        },
        "US202",
        "app['upload_dir']",
    ),
}


@pytest.mark.parametrize("case", FOUND)
def test_found(case: str, tmp_path: Path) -> None:
    files, rule, name = FOUND[case]
    found = stores(tmp_path, files)
    assert [(each.rule, each.store.name) for each in found] == [(rule, name)]
    assert found[0].limit in (Verdict.MANUAL, Verdict.REVIEW)
    assert found[0].store.scope is Scope.FOLDER
    assert {Op.WRITE, Op.APPEND} & {site.op for site in found[0].store.sites}
    assert len(found[0].evidence) == 3
    assert all(found[0].reasons)
    assert found[0].reasons or found[0].limit is Verdict.REVIEW


SILENT: dict[str, dict[str, str]] = {
    "a temporary file removed at the end": {
        "app.py": """
        import os, tempfile
        from flask import Flask, request
        app = Flask(__name__)

        @app.post("/")
        def convert():
            with tempfile.NamedTemporaryFile(delete=False, suffix=".wav") as t:
                request.files["f"].save(t.name)
            try:
                return run(t.name)
            finally:
                os.unlink(t.name)
        """
    },
    "saved in the upload folder, removed in the same request": {
        "app.py": """
        import os
        from flask import Flask, request
        app = Flask(__name__)
        UPLOAD_FOLDER = "uploads"

        @app.post("/")
        def convert():
            path = os.path.join(UPLOAD_FOLDER, request.files["f"].filename)
            request.files["f"].save(path)
            text = extract(path)
            os.remove(path)
            return text
        """
    },
    "saved, used and forgotten": {
        "app.py": """
        import os, uuid
        from flask import Flask, request, jsonify
        app = Flask(__name__)
        TMP_DIR = "tmp_files"

        @app.post("/")
        def convert():
            path = os.path.join(TMP_DIR, str(uuid.uuid4()))
            request.files["f"].save(path)
            result = model(path)
            return jsonify(result)
        """
    },
    "removed in the background after the answer": {
        "app.py": """
        import os, uuid
        from fastapi import FastAPI, BackgroundTasks
        from fastapi.responses import FileResponse
        from starlette.background import BackgroundTask
        app = FastAPI()

        @app.get("/")
        def report():
            path = f"reports/{uuid.uuid4()}.pdf"
            build().save(path)
            return FileResponse(path, background=BackgroundTask(os.remove, path))
        """
    },
    "a context manager lends the folder": {
        "tmp.py": """
        import shutil, uuid
        from contextlib import contextmanager
        from pathlib import Path
        ROOT_DIR = Path("/data/temp")

        @contextmanager
        def folder():
            path = ROOT_DIR / str(uuid.uuid4())
            path.mkdir()
            try:
                yield path
            finally:
                shutil.rmtree(path)
        """,
        "app.py": """
        from flask import Flask, request
        from tmp import folder
        app = Flask(__name__)

        @app.post("/")
        def convert():
            with folder() as where:
                target = where / "in.bin"
                request.files["f"].save(target)
                return read(target)

        def read(path):
            with open(path) as f:
                return f.read()
        """,
    },
    "logs": {
        "app.py": """
        from flask import Flask, request
        app = Flask(__name__)
        LOG_FILE = "logs/app.log"

        @app.post("/")
        def log():
            with open(LOG_FILE, "a") as f:
                f.write(request.data)
            return ""

        @app.get("/")
        def tail():
            return open(LOG_FILE).read()
        """
    },
    "a secret made at the first start": {
        "app.py": """
        import os, secrets
        from flask import Flask
        app = Flask(__name__)

        def secret():
            path = os.path.join("data", ".secret_key")
            if os.path.exists(path):
                return open(path).read()
            with open(path, "w") as f:
                f.write(secrets.token_hex())
            return open(path).read()

        @app.before_request
        def prepare():
            app.secret_key = secret()
        """
    },
    "served assets": {
        "app.py": """
        from fastapi import FastAPI
        from fastapi.staticfiles import StaticFiles
        from fastapi.responses import FileResponse
        app = FastAPI()
        app.mount("/static", StaticFiles(directory="static"))

        @app.get("/robots.txt")
        def robots():
            return FileResponse("static/robots.txt")
        """
    },
    "a table read at start": {
        "app.py": """
        import json
        from flask import Flask
        app = Flask(__name__)
        with open("data/countries.json") as f:
            COUNTRIES = json.load(f)

        @app.get("/")
        def index():
            return COUNTRIES
        """
    },
    "a command": {
        "app.py": """
        import click, json
        from flask import Flask
        app = Flask(__name__)

        @app.cli.command("export")
        @click.argument("target")
        def export(target):
            with open("export/all.json", "w") as f:
                json.dump({}, f)

        @app.get("/")
        def show():
            return open("export/all.json").read()
        """
    },
    "no web at all": {
        "tool.py": """
        import json
        CACHE_FILE = "cache.json"
        def save(data):
            with open(CACHE_FILE, "w") as f:
                json.dump(data, f)
        def load():
            with open(CACHE_FILE) as f:
                return json.load(f)
        """
    },
    "tests": {
        "app.py": "from flask import Flask\napp = Flask(__name__)\n",
        "tests/test_app.py": """
        import os
        from flask import Flask
        app = Flask(__name__)
        UPLOADS = "uploads"
        @app.post("/<n>")
        def put(n):
            open(os.path.join(UPLOADS, n), "w").write("")
        @app.get("/<n>")
        def get(n):
            return open(os.path.join(UPLOADS, n)).read()
        """,
    },
    "an archive in memory": {
        "app.py": """
        import io, zipfile
        from flask import Flask, send_file
        app = Flask(__name__)

        @app.get("/")
        def index():
            buffer = io.BytesIO()
            with zipfile.ZipFile(buffer, "w") as z:
                z.writestr("a", "b")
            buffer.seek(0)
            return send_file(buffer, download_name="a.zip")
        """
    },
    "made again when it is missing": {
        "app.py": """
        import os
        from flask import Flask, send_file
        app = Flask(__name__)
        THUMBS = "/data/thumbs"

        @app.get("/<name>")
        def thumb(name):
            path = os.path.join(THUMBS, name)
            if os.path.exists(path):
                return send_file(path)
            shrink(name).save(path)
            return send_file(path)
        """
    },
    "a copy of what S3 holds": {
        "app.py": """
        import os, boto3
        from flask import Flask
        app = Flask(__name__)
        CACHE_DIR = "/data/copies"
        s3 = boto3.client("s3")

        @app.get("/<key>")
        def get(key):
            path = os.path.join(CACHE_DIR, key)
            s3.download_file("bucket", key, path)
            return open(path).read()

        @app.get("/size/<key>")
        def size(key):
            return str(os.path.getsize(os.path.join(CACHE_DIR, key)))
        """
    },
    "models fetched once": {
        "app.py": """
        import os, requests
        from flask import Flask
        app = Flask(__name__)
        MODEL_DIR = "models"

        def fetch(name):
            with open(os.path.join(MODEL_DIR, name), "wb") as f:
                f.write(requests.get(name).content)

        @app.post("/<name>")
        def load(name):
            fetch(name)
            return ""

        @app.get("/<name>")
        def infer(name):
            return open(os.path.join(MODEL_DIR, name)).read()
        """
    },
    "other things have save and open too": {
        "app.py": """
        from flask import Flask, request
        app = Flask(__name__)

        @app.post("/")
        def index():
            user = load_user("name/first")
            user.save()
            form = Form(request.form)
            form.save(commit=False)
            door.open("key/hole")
            return cache.get("a/b")
        """
    },
    "under the main guard": {
        "app.py": """
        import os
        from flask import Flask
        app = Flask(__name__)

        @app.get("/")
        def index():
            return open("state/port.txt").read()

        if __name__ == "__main__":
            with open("state/port.txt", "w") as f:
                f.write("1")
            app.run()
        """
    },
    "after_this_request": {
        "app.py": """
        import os, uuid
        from flask import Flask, send_file, after_this_request
        app = Flask(__name__)
        @app.get("/")
        def index():
            path = os.path.join("downloads", f"{uuid.uuid4()}.mp4")
            download(path)
            with open(path, "ab") as f:
                f.write(b"x")
            @after_this_request
            def cleanup(response):
                os.remove(path)
                return response
            return send_file(path)
        """,
    },
    "helper saves, caller removes": {
        "app.py": """
        import os, uuid
        from flask import Flask, request
        app = Flask(__name__)
        UPLOADS = "uploads"
        def save_upload(f):
            path = os.path.join(UPLOADS, str(uuid.uuid4()))
            f.save(path)
            return path
        @app.post("/")
        def index():
            path = save_upload(request.files["f"])
            try:
                return transcribe(path)
            finally:
                os.remove(path)
        """,
    },
    "export of one request, name fixed": {
        "app.py": """
        from flask import Flask, send_file
        import pandas as pd
        app = Flask(__name__)
        @app.get("/export")
        def export():
            pd.DataFrame().to_excel("export.xlsx")
            return send_file("export.xlsx")
        """,
    },
    "background task cleans up": {
        "app.py": """
        import os, uuid
        from fastapi import FastAPI, BackgroundTasks
        from fastapi.responses import FileResponse
        app = FastAPI()
        def cleanup(p):
            os.remove(p)
        @app.get("/")
        def index(tasks: BackgroundTasks):
            path = f"/data/out/{uuid.uuid4()}.pdf"
            with open(path, "wb") as f:
                f.write(b"")
            tasks.add_task(cleanup, path)
            return FileResponse(path)
        """,
    },
    "config editor": {
        "app.py": """
        import yaml
        from flask import Flask, request
        app = Flask(__name__)
        CONFIG_FILE = "config.yaml"
        def load():
            with open(CONFIG_FILE) as f:
                return yaml.safe_load(f)
        @app.get("/")
        def index():
            return load()
        @app.post("/")
        def save():
            with open(CONFIG_FILE, "w") as f:
                yaml.dump(request.json, f)
            return ""
        """,
    },
    "debug dump nobody reads": {
        "app.py": """
        from flask import Flask, request
        app = Flask(__name__)
        @app.post("/")
        def index():
            with open("last_response.txt", "w") as f:
                f.write(request.data)
            return "ok"
        """,
    },
    "passes a temp path to a subprocess": {
        "app.py": """
        import subprocess, tempfile, os
        from flask import Flask, request
        app = Flask(__name__)
        @app.post("/")
        def index():
            fd, path = tempfile.mkstemp(suffix=".wav")
            os.close(fd)
            request.files["f"].save(path)
            out = subprocess.run(["ffmpeg", "-i", path], capture_output=True)
            os.unlink(path)
            return out.stdout
        """,
    },
    "streamlit temp": {
        "app.py": """
        import streamlit as st, os, tempfile
        f = st.file_uploader("x")
        if f:
            with tempfile.NamedTemporaryFile(delete=False) as t:
                t.write(f.read())
            st.write(run(t.name))
            os.unlink(t.name)
        """,
    },
    "list of assets": {
        "app.py": """
        import os
        from flask import Flask
        app = Flask(__name__)
        PLUGINS = os.path.join(os.path.dirname(__file__), "plugins")
        @app.get("/")
        def index():
            return [open(os.path.join(PLUGINS, p)).read() for p in os.listdir(PLUGINS)]
        """,
    },
    "in-memory sqlite": {
        "app.py": """
        import sqlite3
        from flask import Flask
        app = Flask(__name__)
        @app.get("/")
        def index():
            return str(sqlite3.connect(":memory:").execute("select 1").fetchall())
        """,
    },
    "socket connect and redis": {
        "app.py": """
        import socket, psycopg2
        from flask import Flask
        app = Flask(__name__)
        @app.get("/")
        def index():
            s = socket.socket(); s.connect(("a/b", 1)); psycopg2.connect("dbname/x")
            return ""
        """,
    },
}


@pytest.mark.parametrize("case", SILENT)
def test_silent(case: str, tmp_path: Path) -> None:
    assert [(found.rule, found.store.name) for found in stores(tmp_path, SILENT[case])] == []


def test_sites_and_evidence(tmp_path: Path) -> None:
    found = stores(tmp_path, {"app.py": SAVE_AND_SERVE})[0]
    assert [(site.line, site.op, site.function) for site in found.store.sites if site.op is not Op.PATH] == [
        (13, Op.WRITE, "upload"),
        (18, Op.SERVE, "show"),
    ]
    assert (found.store.path, found.store.span.line) == ("app.py", 7)
    assert found.evidence[1] == "written by upload (app.py:13)"


def test_ids_carry_no_lines(tmp_path: Path) -> None:
    one = stores(tmp_path, {"app.py": SAVE_AND_SERVE})[0].id
    two = stores(tmp_path, {"app.py": "# a comment\n" + SAVE_AND_SERVE})[0].id
    assert one == two == "US202:.:app:app.config['UPLOAD_FOLDER']"


def test_a_template_string_without_a_word_is_no_path(tmp_path: Path) -> None:
    source = SAVE_AND_SERVE.replace('app.config["UPLOAD_FOLDER"], name))', 'app.config["UPLOAD_FOLDER"], name + f""))')
    assert len(stores(tmp_path, {"app.py": source + '\nopen(f"", "w").write("x")\n'})) == 1


def test_an_object_that_is_a_path_itself_is_no_argument(tmp_path: Path) -> None:
    source = """
    import pathlib
    from flask import Flask, request
    app = Flask(__name__)

    class Report(pathlib.PosixPath):
        def keep(self, text):
            with open(self, "w") as file:
                file.write(text)

        def close(self):
            return self.keep("")

    def made():
        return Report("report.txt")

    @app.post("/report")
    def report():
        made().keep(request.get_data(as_text=True))
        return made().close()
    """
    assert stores(tmp_path, {"app.py": source}) == []


def test_paths_that_are_bound_in_circles_come_to_an_end(tmp_path: Path) -> None:
    """Names that are bound from each other many times over: every way through them would be far too many."""
    steps = "\n".join(
        f"def step{i}(path, name):\n"
        + "".join(f"    v{j} = step{(i + j) % 16}(path, name)\n" for j in range(8))
        + f"    return {' or '.join(['os.path.join(path, name)', *(f'v{j}' for j in range(8))])}\n"
        for i in range(16)
    )
    source = SAVE_AND_SERVE.replace("os.path.join(app.config", "step0(app.config") + "\n" + steps
    found = stores(tmp_path, {"app.py": source})
    assert [(each.rule, each.store.name) for each in found] == [("US202", "app.config['UPLOAD_FOLDER']")]


@pytest.mark.parametrize(
    ("folder", "told"),
    [("os.path.join(tempfile.gettempdir(), 'shared')", True), ("'/tmp/shared'", False), ("'/srv/shared'", False)],
)
def test_names_that_begin_with_the_machines_temporary_folder_are_told(folder: str, told: bool, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import os, tempfile\nfrom flask import Flask, request, send_file\napp = Flask(__name__)\n"
        f"SHARED = {folder}\n"
        "@app.put('/<name>')\ndef put(name):\n"
        "    with open(os.path.join(SHARED, name), 'wb') as file:\n"
        "        file.write(request.get_data())\n    return ''\n"
        "@app.get('/<name>')\ndef get(name):\n    return send_file(os.path.join(SHARED, name))\n"
    )
    (finding,) = scan(tmp_path, Config()).findings
    assert finding.limit is Verdict.REVIEW
    assert any("TMPDIR" in reason for reason in finding.reasons) is told


@pytest.mark.parametrize(
    ("opened", "told"),
    [
        ('Path(request.args["path"]).read_bytes()', True),
        ('(Path("uploads").parent / request.args["path"]).read_bytes()', True),
        ('(ROOT / request.args["path"]).read_bytes()', False),
        ('Path("static/logo.png").read_bytes()', False),
    ],
)
def test_what_is_opened_by_a_path_of_the_caller_is_told_where_a_folder_moves(
    opened: str, told: bool, tmp_path: Path
) -> None:
    app = f"""
        from pathlib import Path
        from flask import Flask, request
        app = Flask(__name__)
        ROOT = Path("uploads")
        @app.post("/put/<name>")
        def put(name):
            (ROOT / name).write_bytes(request.data)
            return ""
        @app.get("/get/<name>")
        def get(name):
            return (ROOT / name).read_bytes()
        @app.get("/read")
        def read():
            return {opened}
        """
    (tmp_path / "app.py").write_text(dedent(app))
    [finding] = scan(tmp_path, Config()).findings
    assert finding.limit is Verdict.REVIEW
    assert any("app.py:15" in reason for reason in finding.reasons) is told
