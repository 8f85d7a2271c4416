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
}


@pytest.mark.parametrize("case", FOUND)
def test_found(case: str, tmp_path: Path) -> None:
    files, rule, name = FOUND[case]
    found = stores(tmp_path, files)
    assert [(each.rule, each.store.name) for each in found] == [(rule, name)]
    assert found[0].limit is Verdict.MANUAL
    assert found[0].store.scope is Scope.FOLDER
    assert {Op.WRITE, Op.APPEND} & {site.op for site in found[0].store.sites}
    assert len(found[0].evidence) == 3
    assert all(found[0].reasons)


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
}


@pytest.mark.parametrize("case", SILENT)
def test_silent(case: str, tmp_path: Path) -> None:
    assert [(found.rule, found.store.name) for found in stores(tmp_path, SILENT[case])] == []


def test_sites_and_evidence(tmp_path: Path) -> None:
    found = stores(tmp_path, {"app.py": SAVE_AND_SERVE})[0]
    assert [(site.line, site.op, site.function) for site in found.store.sites] == [
        (13, Op.WRITE, "upload"),
        (18, Op.SERVE, "show"),
    ]
    assert (found.store.path, found.store.span.line) == ("app.py", 7)
    assert found.evidence[1] == "written by upload (app.py:13)"
    assert "app.py:18" in found.reasons[0]


def test_ids_carry_no_lines(tmp_path: Path) -> None:
    one = stores(tmp_path, {"app.py": SAVE_AND_SERVE})[0].id
    two = stores(tmp_path, {"app.py": "# a comment\n" + SAVE_AND_SERVE})[0].id
    assert one == two == "US202:.:app:app.config['UPLOAD_FOLDER']"
