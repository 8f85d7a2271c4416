"""What a scenario speaks to: `http`, whose requests go where the phase sends them and whose answers are recorded."""

from __future__ import annotations

import functools
import json as json_module
import time
from collections.abc import Callable, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from unstate.verify.answers import Answer
from unstate.verify.machines import Machine
from unstate.verify.serve import encode

SECONDS = 30.0  # for one answer
OUTPUT = 8  # lines of a process that failed


class Raised:
    """What a called function raised: `type` is the exception's name."""

    def __init__(self, kind: str, message: str) -> None:
        self.type = kind
        self.message = message

    def __repr__(self) -> str:
        return f"Raised({self.type!r}, {self.message!r})"


Route = Callable[[int, httpx.Request], Answer]
"""Where a phase sends a request: the answer to the request of this step (from 0)."""


@functools.cache
def _connections() -> httpx.Client:
    """One client for all requests, without cookies and without connections kept for a process that may be dead."""
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(trust_env=False, verify=False, timeout=SECONDS, limits=limits, cookies=_no_cookies())


def _no_cookies() -> CookieJar:
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


def send(machine: Machine, request: httpx.Request) -> Answer:
    """One request to one process. The app sees the same host and scheme whichever process it is."""
    url = request.url.copy_with(scheme="http", host="127.0.0.1", port=machine.port)
    request = httpx.Request(request.method, url, headers=request.headers, content=request.content)
    name = f"{request.method} {request.url.raw_path.decode()}"
    try:
        response = _connections().send(request)
    except httpx.HTTPError as error:
        reason = f"no answer: {type(error).__name__} {error}".strip()
        failure = reason.replace(str(machine.port), "PORT")
        return Answer(name, 0, process=machine.label, failure=failure, output=machine.child.output(OUTPUT))
    headers = {key.lower(): value for key, value in response.headers.multi_items()}
    kind, cookies = response.headers.get("content-type", ""), tuple(response.headers.get_list("set-cookie"))
    output = machine.child.output(OUTPUT) if response.is_server_error else ""
    return Answer(name, response.status_code, kind, response.content, headers, cookies, machine.label, output=output)


class Http:
    """A client with cookies. `session()` gives another user: own cookies, same record."""

    def __init__(self, route: Route, record: list[Answer] | None = None) -> None:
        self._route = route
        self._record = [] if record is None else record
        policy = DefaultCookiePolicy(secure_protocols=("http", "https", "ws", "wss"))
        self._client = httpx.Client(
            base_url="http://127.0.0.1",
            headers={"Host": "localhost", "Connection": "close", "User-Agent": "unstate-verify"},
            cookies=CookieJar(policy),
            trust_env=False,
            verify=False,
        )

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The answers so far."""
        return tuple(self._record)

    @property
    def cookies(self) -> httpx.Cookies:
        """The cookies that the next request will carry."""
        return self._client.cookies

    def session(self) -> Http:
        """Another user of the app: own cookies, requests in the same order of steps."""
        return Http(self._route, self._record)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        data: Mapping[str, Any] | None = None,
        content: bytes | str | None = None,
        files: Any = None,
    ) -> Answer:
        """One request, recorded as one step. Redirects are answers; none is followed."""
        answer = self._send(
            self._client.build_request(
                method, path, params=params, headers=headers, json=json, data=data, content=content, files=files
            )
        )
        self._record.append(answer)
        return answer

    def _send(self, request: httpx.Request) -> Answer:
        request.read()
        answer = self._route(len(self._record), request)
        response = httpx.Response(
            answer.status or 500, headers=[("set-cookie", cookie) for cookie in answer.cookies], request=request
        )
        self._client.cookies.extract_cookies(response)
        return answer

    def get(self, path: str, **options: Any) -> Answer:
        """A GET request; see `request`."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Answer:
        """A POST request; see `request`."""
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> Answer:
        """A PUT request; see `request`."""
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> Answer:
        """A PATCH request; see `request`."""
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        """A DELETE request; see `request`."""
        return self.request("DELETE", path, **options)

    def poll(self, path: str, until: Callable[[Answer], bool], *, seconds: float = 10, **options: Any) -> Answer:
        """GET until `until(answer)` holds, as one step with the last answer: for work that goes on by itself."""
        end = time.monotonic() + seconds
        while True:
            answer = self._send(self._client.build_request("GET", path, **options))
            if until(answer) or time.monotonic() > end:
                self._record.append(answer)
                return answer
            time.sleep(0.02)

    def call(self, function: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call a function of a served module: its result, or `Raised`. Names: `f`, `object.method`, `module:f`."""
        body = json_module.dumps(
            {"args": [encode(a) for a in args], "kwargs": {k: encode(v) for k, v in kwargs.items()}}
        )
        answer = self.request("POST", f"/{function}", content=body, headers={"Content-Type": "application/json"})
        value = answer.value if answer.body else None
        return Raised(value["$raised"], value["message"]) if isinstance(value, dict) and "$raised" in value else value
