"""Serves one app on a free loopback port: run as a script, by the interpreter that has the app's dependencies.

Its one argument is a JSON object, see `main`; `nursery.py` does the same in processes that it forks. It needs the
standard library alone (an ASGI app needs uvicorn, an aiohttp or Tornado app its own framework). A module without a web
app is served too: `POST /FUNCTION` calls it.
"""

from __future__ import annotations

import ast
import asyncio
import base64
import builtins
import dataclasses
import importlib
import importlib.util
import inspect
import io
import json
import os
import re
import select
import signal
import socket
import socketserver
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

SNAPSHOT = "/.unstate/snapshot"  # the state probe's own address


def encode(value: object) -> Any:
    """A value as JSON that tells bytes, tuples, sets and raised exceptions apart; what has no form becomes its type."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case bytes() | bytearray():
            return {"$bytes": base64.b64encode(value).decode()}
        case BaseException():
            return {"$raised": type(value).__name__, "message": str(value)}
        case list():
            return [encode(item) for item in value]
        case tuple():
            return {"$tuple": [encode(item) for item in value]}
        case set() | frozenset():
            return {"$set": sorted((encode(item) for item in value), key=repr)}
        case Mapping():
            if all(isinstance(key, str) and not key.startswith("$") for key in value):
                return {key: encode(item) for key, item in value.items()}
            return {"$dict": [[encode(key), encode(item)] for key, item in value.items()]}
        case Iterator():
            return [encode(item) for item in value]
    if dataclasses.is_dataclass(value):
        return {"$object": type(value).__name__, "fields": {k: encode(v) for k, v in vars(value).items()}}
    return {"$object": type(value).__name__}


def decode(value: Any) -> Any:
    """The inverse of `encode` for everything that has a form; an object stays its description."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"$bytes": text}:
            return base64.b64decode(text)
        case {"$tuple": items}:
            return tuple(decode(item) for item in items)
        case {"$set": items}:
            return {decode(item) for item in items}
        case {"$dict": pairs}:
            return {decode(key): decode(item) for key, item in pairs}
    return {key: decode(item) for key, item in value.items()}


class BootError(Exception):
    """The app cannot be served. The message is for a person."""


def resolve(reference: str) -> object:
    """What `module:attribute` or `module:factory("literal", key=1)` names."""
    module_name, _, attribute = reference.strip().partition(":")
    attribute, factory, arguments = attribute.partition("(")
    attribute = attribute.strip()
    if not attribute:
        raise BootError(f"{reference!r} is no import string: write MODULE:ATTRIBUTE, like app:app or app:create_app()")
    positional, named = _literals(reference, f"f({arguments}") if factory else ([], {})
    target: Any = importlib.import_module(module_name)
    for part in attribute.split("."):
        try:
            target = getattr(target, part)
        except AttributeError:
            names = [name for name, value in vars(target).items() if callable(value) and name[0] != "_"]
            raise BootError(f"{module_name} has no {part!r}; it has {', '.join(names) or 'nothing to call'}") from None
    return target(*positional, **named) if factory else target


def _literals(reference: str, call: str) -> tuple[list[Any], dict[str, Any]]:
    """The arguments that an import string gives its factory, as gunicorn takes them: literals alone."""
    try:
        tree = ast.parse(call.strip(), mode="eval").body
        if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
            raise ValueError
        positional = [ast.literal_eval(each) for each in tree.args]
        return positional, {str(each.arg): ast.literal_eval(each.value) for each in tree.keywords if each.arg}
    except (SyntaxError, ValueError):
        raise BootError(f"{reference!r}: a factory is called with literals, like app:create_app('test')") from None


def django_application(manage: Path) -> object:
    """The WSGI application of the Django project that this manage.py belongs to."""
    settings = re.search(r"DJANGO_SETTINGS_MODULE[\"'],\s*[\"']([\w.]+)", manage.read_text(encoding="utf-8"))
    if settings:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", settings[1])
    from django.core.wsgi import get_wsgi_application  # type: ignore[import-not-found,import-untyped,unused-ignore]

    application: object = get_wsgi_application()
    return application


def made_by(app: object, package: str) -> bool:
    """Whether the app's class comes from this package."""
    return any(kind.__module__.split(".")[0] == package for kind in type(app).__mro__)


def is_asgi(app: Any) -> bool:
    """Whether the app is called as `await app(scope, receive, send)`, and not as `app(environ, start_response)`."""
    if inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__):
        return True
    try:
        return len(inspect.signature(app).parameters) == 3
    except (TypeError, ValueError):
        return False


class _Requests(WSGIRequestHandler):
    """Takes the whole body before the app runs: an answer that leaves a body unread would reset the connection."""

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        self.rfile = io.BytesIO(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        return True

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the check shows answers itself."""


class _ThreadedWSGIServer(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = False
    block_on_close = True
    request_queue_size = 128


def serve_wsgi(app: Any, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM, with a thread for each request; requests under way are finished."""
    ServerHandler.http_version = "1.1"
    server = _ThreadedWSGIServer(listener.getsockname()[:2], _Requests, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.server_name, server.server_port = "localhost", listener.getsockname()[1]
    server.setup_environ()
    server.set_app(app)
    _run(server, ready)


def _run(server: socketserver.TCPServer, ready: Callable[[], None]) -> None:
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    ready()
    server.serve_forever(poll_interval=0.05)
    while select.select([server.fileno()], [], [], 0.02)[0]:  # who has connected already is still answered
        server.handle_request()
    server.server_close()


def serve_asgi(app: Any, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve with uvicorn until SIGTERM; ready once the app's lifespan has begun."""
    try:
        import uvicorn
    except ImportError:
        raise BootError("an ASGI app needs uvicorn in its environment: pip install uvicorn") from None

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                ready()

    Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])


def serve_aiohttp(app: Any, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve an `aiohttp.web.Application` until SIGTERM."""
    from aiohttp import web  # type: ignore[import-not-found,unused-ignore]

    web.run_app(app, sock=listener, print=lambda *_: ready(), access_log=None)


def serve_tornado(app: Any, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve a `tornado.web.Application` until SIGTERM."""
    from tornado.httpserver import HTTPServer  # type: ignore[import-not-found,import-untyped,unused-ignore]

    async def run() -> None:
        listener.setblocking(False)
        server = HTTPServer(app)
        server.add_sockets([listener])
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        ready()
        await stop.wait()
        server.stop()
        await server.close_all_connections()

    asyncio.run(run())


def serve_module(module: ModuleType, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve the functions of a module: the path names one, the body carries its arguments, the answer its result.

    Coroutine functions run on one event loop that lives as long as the process, as they would in a server.
    """
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    def call(name: str, body: Any) -> object:
        target: Any = module
        if ":" in name:
            other, _, name = name.partition(":")
            target = importlib.import_module(other)
        for part in name.split("."):
            target = getattr(target, part)
        result = target(*decode(body["args"]), **decode(body["kwargs"]))
        return asyncio.run_coroutine_threadsafe(result, loop).result() if inspect.isawaitable(result) else result  # type: ignore[arg-type]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                status, result = 200, encode(call(self.path[1:], body))
            except Exception as error:
                traceback.print_exc()
                status, result = 500, encode(error)
            self._answer(status, result)

        def do_GET(self) -> None:
            self._answer(200, snapshots())

        def _answer(self, status: int, result: object) -> None:
            content = json.dumps(result).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the check shows answers itself."""

    server = ThreadingHTTPServer(listener.getsockname()[:2], Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    _run(server, ready)


_take_snapshot: Callable[[], dict[str, str]] = dict


def snapshots() -> dict[str, str]:
    """The state probe's view of this process; empty unless the probe was asked for."""
    return _take_snapshot()


def probed_wsgi(app: Any) -> Any:
    """The app, with the state probe's address answered before it."""

    def answer(environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"] != SNAPSHOT:
            return app(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(snapshots()).encode()]

    return answer


def probed_asgi(app: Any) -> Any:
    """The app, with the state probe's address answered before it."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != SNAPSHOT:
            await app(scope, receive, send)
            return
        head = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": json.dumps(snapshots()).encode()})

    return answer


def check_origin(copy: Path, origin: Path) -> None:
    """Refuse an app that is imported from where it was copied from: the check would run the same code everywhere."""
    for name, module in list(sys.modules.items()):
        file = Path(getattr(module, "__file__", None) or os.devnull)
        inside = file.is_relative_to(origin) and not file.is_relative_to(copy)
        if inside and "site-packages" not in file.parts:
            raise BootError(
                f"{name} was imported from {file}, and not from the copy that this process was given: it is installed "
                "in editable mode, or PYTHONPATH names it; name the folder it is imported from with --path"
            )


def main(spec: Mapping[str, Any]) -> None:
    """Serve what `spec` describes.

    Its keys: `app` ("module:attribute", "manage.py") or `module`; `paths`, put before `sys.path`; `origin`, the folder
    that the working copy was made from; `provides`, names to put into `builtins`, each an import string; `ready`, a
    file descriptor that gets the port once the app can answer; `probe`, a file with the state probe, or "".
    """
    copy = Path.cwd()
    sys.path[:1] = spec["paths"]
    sys.argv = [spec["app"] or spec["module"]]
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)

    def ready() -> None:
        check_origin(copy, Path(spec["origin"]))
        os.write(spec["ready"], f"{listener.getsockname()[1]}\n".encode())
        os.close(spec["ready"])

    for name, reference in spec["provides"].items():
        setattr(builtins, name, resolve(reference))
    if spec["probe"]:
        global _take_snapshot
        found = importlib.util.spec_from_file_location("unstate_probe", spec["probe"])
        assert found is not None and found.loader is not None
        probe = importlib.util.module_from_spec(found)
        found.loader.exec_module(probe)
        _take_snapshot = probe.probe(copy)
    if spec["module"]:
        serve_module(importlib.import_module(spec["module"]), listener, ready)
        return
    app = django_application(copy / "manage.py") if spec["app"] == "manage.py" else resolve(spec["app"])
    if made_by(app, "aiohttp"):
        serve_aiohttp(app, listener, ready)
    elif made_by(app, "tornado"):
        serve_tornado(app, listener, ready)
    elif not callable(app):
        raise BootError(f"{spec['app']} is a {type(app).__name__}, neither an app nor a factory()")
    elif is_asgi(app):
        serve_asgi(probed_asgi(app) if spec["probe"] else app, listener, ready)
    else:
        serve_wsgi(probed_wsgi(app) if spec["probe"] else app, listener, ready)


def run(spec: Mapping[str, Any]) -> None:
    """`main`, for a process that does nothing else: what keeps the app from being served is its last output."""
    try:
        main(spec)
    except BootError as error:
        print(error, file=sys.stderr)
        sys.exit(3)


if __name__ == "__main__":
    run(json.loads(sys.argv[1]))
