"""A pytest plugin that records what an app's own tests ask of it, as a scenario for `unstate verify`.

    pytest -p unstate.verify.recorder --unstate-record flows.har

It listens where the test clients of Flask (and all of werkzeug), Starlette, FastAPI and Django, and httpx's ASGI
transport, hand a request to the app. The tests run as they always do.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import functools
import io
import json
import warnings
from collections.abc import Callable, Iterable, Mapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any

import pytest


class Recording:
    """The requests so far, and the file they go to."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._entries: list[dict[str, Any]] = []
        self._clients: list[object] = []
        self._undo: list[tuple[Any, str, Any]] = []

    def add(
        self,
        client: object,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
        body: bytes,
        status: int,
        answer_headers: Iterable[tuple[str, str]],
        answer: bytes,
    ) -> None:
        """One exchange. A client is a user of its own: it has its own cookies."""
        if not any(client is known for known in self._clients):
            self._clients.append(client)
        user = next(number for number, known in enumerate(self._clients, 1) if known is client)
        sent, got = list(headers), list(answer_headers)
        cookies = next((value for name, value in sent if name.lower() == "cookie"), "")
        kind = next((value for name, value in got if name.lower() == "content-type"), "")
        request: dict[str, Any] = {
            "method": method,
            "url": f"http://localhost{target}",
            "headers": [{"name": name, "value": value} for name, value in sent],
            "cookies": _cookies(cookies),
        }
        if body:
            request["postData"] = _content(body)
        self._entries.append(
            {
                "startedDateTime": datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds"),
                "_user": f"client {user}",
                "request": request,
                "response": {
                    "status": status,
                    "headers": [{"name": name, "value": value} for name, value in got],
                    "cookies": [],
                    "content": {"mimeType": kind, **_content(answer)},
                },
            }
        )

    def write(self) -> int:
        """Write the file; the number of requests in it."""
        log = {"version": "1.2", "creator": {"name": "unstate", "version": "1"}, "entries": self._entries}
        self.file.write_text(json.dumps({"log": log}, indent=1), encoding="utf-8")
        return len(self._entries)

    def wrap(self, owner: Any, name: str, wrapper: Callable[[Any], Any]) -> None:
        """Put `wrapper(original)` in the place of a method."""
        original = getattr(owner, name)
        self._undo.append((owner, name, original))
        setattr(owner, name, functools.wraps(original)(wrapper(original)))

    def close(self) -> None:
        """Take the wrappers away."""
        while self._undo:
            owner, name, original = self._undo.pop()
            setattr(owner, name, original)


def _content(body: bytes) -> dict[str, str]:
    try:
        return {"text": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(body).decode(), "encoding": "base64"}


def _cookies(header: str) -> list[dict[str, str]]:
    try:
        return [{"name": name, "value": morsel.value} for name, morsel in SimpleCookie(header).items()]
    except CookieError:
        return []


def _environ_headers(environ: Mapping[str, Any]) -> list[tuple[str, str]]:
    headers = [(key[5:].replace("_", "-").title(), str(value)) for key, value in environ.items() if key[:5] == "HTTP_"]
    kind = environ.get("CONTENT_TYPE")
    return [*headers, ("Content-Type", str(kind))] if kind else headers


def _target(environ: Mapping[str, Any]) -> str:
    from urllib.parse import quote

    path = quote((environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"]).encode("latin-1"))
    return path + (f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else "")


def _taken(environ: dict[str, Any], wrapped: Callable[[bytes], Any] = io.BytesIO) -> bytes:
    """The body of a WSGI request, put back for the app."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body: bytes = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = wrapped(body)
    return body


def _listen_werkzeug(recording: Recording) -> None:
    from werkzeug.test import Client

    def wrapper(original: Any) -> Any:
        def run_wsgi_app(self: Any, environ: dict[str, Any], buffered: bool = False) -> Any:
            body, headers, target = _taken(environ), _environ_headers(environ), _target(environ)
            iterable, status, answer_headers = original(self, environ, buffered)
            answer = b"".join(iterable)
            getattr(iterable, "close", lambda: None)()
            code = int(str(status).split(" ", 1)[0])
            recording.add(self, environ["REQUEST_METHOD"], target, headers, body, code, answer_headers, answer)
            return [answer], status, answer_headers

        return run_wsgi_app

    recording.wrap(Client, "run_wsgi_app", wrapper)


def _listen_starlette(recording: Recording) -> None:
    from starlette import testclient

    def wrapper(original: Any) -> Any:
        def handle_request(self: Any, request: Any) -> Any:
            body = request.read()
            response = original(self, request)
            if response.status_code != 101:
                _add_httpx(recording, self, request, body, response, response.read())
            return response

        return handle_request

    recording.wrap(testclient._TestClientTransport, "handle_request", wrapper)


def _listen_httpx(recording: Recording) -> None:
    import httpx

    def wrapper(original: Any) -> Any:
        async def handle_async_request(self: Any, request: Any) -> Any:
            body = await request.aread()
            response = await original(self, request)
            _add_httpx(recording, self, request, body, response, await response.aread())
            return response

        return handle_async_request

    recording.wrap(httpx.ASGITransport, "handle_async_request", wrapper)


def _add_httpx(recording: Recording, client: object, request: Any, body: bytes, response: Any, answer: bytes) -> None:
    recording.add(
        client,
        request.method,
        request.url.raw_path.decode(),
        request.headers.multi_items(),
        body,
        response.status_code,
        response.headers.multi_items(),
        answer,
    )


def _listen_django(recording: Recording) -> None:
    from django.test.client import ClientHandler, FakePayload  # type: ignore[import-untyped,unused-ignore]

    def wrapper(original: Any) -> Any:
        def call(self: Any, environ: dict[str, Any]) -> Any:
            body = _taken(environ, FakePayload)
            response = original(self, environ)
            content = b"".join(response.streaming_content) if response.streaming else response.content
            if response.streaming:
                response.streaming_content = [content]
            cookies = [("Set-Cookie", morsel.OutputString()) for morsel in response.cookies.values()]
            recording.add(
                self,
                environ["REQUEST_METHOD"],
                _target(environ),
                _environ_headers(environ),
                body,
                response.status_code,
                [*response.items(), *cookies],
                content,
            )
            return response

        return call

    recording.wrap(ClientHandler, "__call__", wrapper)


KEY: pytest.StashKey[Recording] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option that turns recording on."""
    parser.addoption("--unstate-record", metavar="FILE", help="write the tests' requests to FILE, a HAR scenario")


def pytest_configure(config: pytest.Config) -> None:
    """Listen to the test clients that are installed."""
    file = config.getoption("--unstate-record")
    if not file:
        return
    recording = config.stash[KEY] = Recording(Path(file))
    for listen in (_listen_werkzeug, _listen_starlette, _listen_httpx, _listen_django):
        # That framework, or what its client needs, may not be here; what it warns of is for those who import it.
        with contextlib.suppress(ImportError, RuntimeError, Warning), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            listen(recording)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Write what was heard."""
    recording = config.stash.get(KEY, None)
    if recording is not None:
        recording.close()
        number = recording.write()
        print(f"unstate: {number} requests recorded in {recording.file}")
