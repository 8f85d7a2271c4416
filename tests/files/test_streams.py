"""Large files in little memory, and an S3 that fails in the middle: an error to the caller, and no half object."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest

from unstate.model import Backing
from unstate.render.backing import backing_services

from .conftest import BUCKET

MODULE = "backing_services"


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """The folder of a generated module with the helpers for files."""
    names = {"open_file", "local_file", "read_file", "write_file", "save_upload"}
    names |= {"store_new", "start_upload", "append_part", "take_parts"}
    change = backing_services(tmp_path, Backing(service=".", path=f"{MODULE}.py", module=MODULE), names, ()).change
    assert change.after is not None
    (tmp_path / f"{MODULE}.py").write_bytes(change.after)
    return tmp_path


def run(folder: Path, text: str, **variables: str) -> str:
    """What a program prints that imports the module."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


LARGE = """
    import hashlib, io, re
    from backing_services import open_file, save_upload, store_new

    SIZE, PART = 300, bytes(range(256)) * 4096
    sums = [hashlib.md5(), hashlib.md5()]
    with open_file("uploads/large.bin", "wb") as file:
        for number in range(SIZE):
            file.write(PART)
            sums[0].update(PART)
    with open_file("uploads/large.bin", "rb") as file:
        while part := file.read(100_000):
            sums[1].update(part)
    assert sums[0].digest() == sums[1].digest()

    class Upload(io.RawIOBase):
        mimetype, left = "application/octet-stream", SIZE

        @property
        def stream(self):
            return self

        def read(self, size=-1):
            wanted = min(size, self.left * len(PART)) // len(PART)
            self.left -= wanted
            return PART * wanted

    save_upload(Upload(), "uploads/other.bin")
    with open_file("uploads/other.bin", "rb") as file:
        assert file.seek(0, 2) == SIZE * len(PART)
        file.seek(-10, 2)
        assert file.read() == PART[-10:]
    store_new("uploads/third.bin", (PART for _ in range(SIZE)), "application/octet-stream")
    with open_file("uploads/third.bin", "rb") as file:
        assert file.seek(0, 2) == SIZE * len(PART)
    # The peak of this process alone: ru_maxrss counts the parent's too.
    print(int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024)
"""


def test_300_megabytes_pass_in_less_than_100(module: Path, environment: dict[str, str]) -> None:
    assert int(run(module, LARGE)) < 100


class Cutting:
    """A proxy that ends a connection once so many bytes went one way, or lets nothing more through."""

    def __init__(self, target: str, *, up: int | None, down: int | None, stalls: bool) -> None:
        self.stalled = threading.Event() if stalls else None
        parts = urlsplit(target)
        self.address = (parts.hostname or "", parts.port or 80)
        self.limits = {"up": up, "down": down}
        self.server = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.server.accept()
                other = socket.create_connection(self.address)
                for way, source, sink in (("up", client, other), ("down", other, client)):
                    threading.Thread(target=self._pump, args=(way, source, sink, (client, other)), daemon=True).start()

    def _pump(self, way: str, source: socket.socket, sink: socket.socket, both: tuple[socket.socket, ...]) -> None:
        left = self.limits[way]
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if left is not None:
                    data, left = data[:left], left - len(data)
                sink.sendall(data)
                if left is not None and left <= 0:
                    if self.stalled is not None:
                        self.stalled.wait()
                    break
        for each in both:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def cutting(target: str, *, up: int | None = None, down: int | None = None, stalls: bool = False) -> Iterator[str]:
    proxy = Cutting(target, up=up, down=down, stalls=stalls)
    try:
        yield proxy.endpoint
    finally:
        proxy.server.close()
        if proxy.stalled is not None:
            proxy.stalled.set()


WRITES = {
    "open": "with open_file(PATH, 'wb') as file: file.write(CONTENT)",
    "bytes": "write_file(PATH, CONTENT)",
    "parts": "with open_file(PATH, 'wb') as file: file.write(CONTENT * 10)",
    "upload": "Upload.stream.seek(0); save_upload(Upload, PATH)",
    "copy": "with local_file(PATH) as local: open(local, 'wb').write(CONTENT)",
}


@pytest.mark.parametrize("how", WRITES)
def test_a_write_that_is_cut_fails_and_leaves_what_was_there(
    how: str, module: Path, environment: dict[str, str]
) -> None:
    target = environment["AWS_ENDPOINT_URL_S3"]
    s3 = boto3.client("s3", endpoint_url=target)
    s3.put_object(Bucket=BUCKET, Key="uploads/there.bin", Body=b"as it was")
    s3.delete_object(Bucket=BUCKET, Key="uploads/new.bin")
    program = f"""
        import io
        from backing_services import local_file, open_file, save_upload, write_file
        class Upload:
            mimetype, stream = "text/plain", io.BytesIO(bytes(1_500_000))
        CONTENT = bytes(1_500_000)
        for PATH in ("uploads/there.bin", "uploads/new.bin"):
            try:
                {WRITES[how]}
            except Exception as error:
                print(type(error).__name__)
    """
    with cutting(target, up=400_000) as endpoint:
        assert len(run(module, program, AWS_ENDPOINT_URL_S3=endpoint, AWS_MAX_ATTEMPTS="1").split()) == 2
    assert s3.get_object(Bucket=BUCKET, Key="uploads/there.bin")["Body"].read() == b"as it was"
    assert "uploads/new.bin" not in [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]


@pytest.mark.parametrize("count", [1, 10])
def test_a_new_file_that_is_cut_is_not_there(count: int, module: Path, environment: dict[str, str]) -> None:
    target = environment["AWS_ENDPOINT_URL_S3"]
    program = f"""
        from backing_services import store_new
        try:
            store_new("uploads/once.bin", [bytes(1_500_000)] * {count}, "text/plain")
        except Exception as error:
            print("failed", type(error).__name__)
    """
    with cutting(target, up=400_000) as endpoint:
        assert run(module, program, AWS_ENDPOINT_URL_S3=endpoint).startswith("failed")
    s3 = boto3.client("s3", endpoint_url=target)
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix="uploads/once.bin")


def test_a_chunk_that_is_cut_is_no_part_of_the_upload(module: Path, environment: dict[str, str]) -> None:
    begun = 'from backing_services import *\nstart_upload("staged/film"); append_part("staged/film", "film", b"one ")'
    run(module, begun)
    program = """
        from backing_services import append_part
        try:
            append_part("staged/film", "film", bytes(1_500_000))
        except Exception as error:
            print("failed", type(error).__name__)
    """
    with cutting(environment["AWS_ENDPOINT_URL_S3"], up=400_000) as endpoint:
        assert run(module, program, AWS_ENDPOINT_URL_S3=endpoint).startswith("failed")
    ended = """
        from backing_services import append_part, take_parts
        append_part("staged/film", "film", b"two")
        print(take_parts("staged/film"))
    """
    assert run(module, ended) == "{0: b'one ', 1: b'two'}"


class Refusing(BaseHTTPRequestHandler):
    """An S3 that answers every request with an error of its own."""

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is said."""


for method in ("GET", "PUT", "POST", "HEAD", "DELETE"):
    setattr(Refusing, f"do_{method}", Refusing.answer)


@pytest.mark.parametrize(
    "how",
    [
        "write_file(PATH, b'content')",
        "with open_file(PATH, 'wb') as file: file.write(b'content')",
        "with open_file(PATH, 'xb') as file: file.write(b'content')",
        "read_file(PATH)",
        "open_file(PATH)",
        "store_new(PATH, [b'content'], 'text/plain')",
        "start_upload(PATH)",
        "append_part(PATH, PATH, b'content')",
        "take_parts(PATH)",
    ],
)
def test_an_error_of_the_server_is_one_of_the_app(how: str, module: Path, environment: dict[str, str]) -> None:
    program = f"""
        from backing_services import *
        PATH = "uploads/refused.bin"
        try:
            {how}
        except Exception as error:
            print(type(error).__name__)
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        said = run(module, program, AWS_ENDPOINT_URL_S3=f"http://127.0.0.1:{server.server_port}")
        assert said in ("ClientError", "S3UploadFailedError")
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("how", ["open_file(PATH, 'rb').read()", "read_file(PATH)", "local_file(PATH).__enter__()"])
def test_a_read_that_is_cut_is_an_error_and_never_a_part(how: str, module: Path, environment: dict[str, str]) -> None:
    target = environment["AWS_ENDPOINT_URL_S3"]
    boto3.client("s3", endpoint_url=target).put_object(Bucket=BUCKET, Key="uploads/large.bin", Body=bytes(3_000_000))
    program = f"""
        from backing_services import local_file, open_file, read_file
        PATH = "uploads/large.bin"
        try:
            {how}
        except Exception as error:
            print("failed", type(error).__name__)
    """
    with cutting(target, down=1_000_000) as endpoint:
        assert run(module, program, AWS_ENDPOINT_URL_S3=endpoint).startswith("failed")


@pytest.fixture
def impatient(module: Path) -> Path:
    """The module with settings of one who does not wait long, and tries once."""
    file = module / f"{MODULE}.py"
    text = file.read_text()
    for setting, shorter in (("connect_timeout=2", "0.3"), ("read_timeout=30", "0.3"), ('total_max_attempts": 3', "1")):
        name, sign, _ = setting.rpartition("=") if "=" in setting else setting.rpartition(" ")
        assert setting in text
        text = text.replace(setting, f"{name}{sign}{shorter}")
    file.write_text(text)
    return module


@pytest.mark.parametrize("how", ["bytes", "parts", "copy"])
def test_a_write_that_goes_no_further_fails_and_leaves_what_was_there(
    how: str, impatient: Path, environment: dict[str, str]
) -> None:
    target = environment["AWS_ENDPOINT_URL_S3"]
    s3 = boto3.client("s3", endpoint_url=target)
    s3.put_object(Bucket=BUCKET, Key="uploads/slow.bin", Body=b"as it was")
    program = f"""
        import io
        from backing_services import local_file, open_file, save_upload, write_file
        class Upload:
            mimetype, stream = "text/plain", io.BytesIO(bytes(1_500_000))
        CONTENT, PATH = bytes(1_500_000), "uploads/slow.bin"
        try:
            {WRITES[how]}
        except Exception as error:
            print("failed", type(error).__name__)
    """
    with cutting(target, up=400_000, stalls=True) as endpoint:
        assert run(impatient, program, AWS_ENDPOINT_URL_S3=endpoint).startswith("failed")
    assert s3.get_object(Bucket=BUCKET, Key="uploads/slow.bin")["Body"].read() == b"as it was"


@pytest.mark.parametrize("how", ["open_file(PATH, 'rb').read()", "read_file(PATH)"])
def test_a_read_that_goes_no_further_is_an_error_and_never_a_part(
    how: str, impatient: Path, environment: dict[str, str]
) -> None:
    target = environment["AWS_ENDPOINT_URL_S3"]
    boto3.client("s3", endpoint_url=target).put_object(Bucket=BUCKET, Key="uploads/large.bin", Body=bytes(3_000_000))
    program = f"""
        from backing_services import open_file, read_file
        PATH = "uploads/large.bin"
        try:
            {how}
        except Exception as error:
            print("failed", type(error).__name__)
    """
    with cutting(target, down=1_000_000, stalls=True) as endpoint:
        assert run(impatient, program, AWS_ENDPOINT_URL_S3=endpoint).startswith("failed")


def test_an_error_before_the_end_of_a_file_stores_nothing(module: Path, environment: dict[str, str]) -> None:
    program = """
        from backing_services import open_file
        for mode in ("wb", "xb", "ab"):
            try:
                with open_file("uploads/broken.bin", mode) as file:
                    file.write(b"half")
                    raise ValueError("the rest did not come")
            except ValueError:
                print("failed")
        try:
            open_file("uploads/broken.bin", "rb")
        except FileNotFoundError:
            print("nothing")
    """
    assert run(module, program).split() == ["failed"] * 3 + ["nothing"]
