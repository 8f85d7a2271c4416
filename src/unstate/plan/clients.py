"""The clients that an app has already: which of them the generated module can use as they are.

One is taken up where it is the only one of its kind and a request can reach it by importing. Where that is not sure, or
where it does not fit (its replies are bytes and text is needed, it belongs to another event loop), a note says so.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from unstate.model import Client, Framework
from unstate.plan.names import Module, assigned, blocks, dotted, needs_nothing, runs_as_a_script

Kind = Literal["redis", "async_redis", "s3"]
Replies = Literal["", "text", "bytes"]
KINDS: tuple[Kind, ...] = ("redis", "async_redis", "s3")

_CLASSES = ("Redis", "StrictRedis", "Redis.from_url", "StrictRedis.from_url", "from_url")
_CLIENTS: dict[str, Kind] = {
    **dict.fromkeys((f"{module}.{name}" for module in ("redis", "redis.client") for name in _CLASSES), "redis"),
    **dict.fromkeys(
        (f"{module}.{name}" for module in ("redis.asyncio", "redis.asyncio.client") for name in _CLASSES),
        "async_redis",
    ),
    "flask_redis.FlaskRedis": "redis",
}
_TYPES = {"redis.Redis": "redis", "redis.client.Redis": "redis", "redis.asyncio.Redis": "async_redis"}
_SESSIONS = {"boto3", "boto3.Session", "boto3.session.Session"}
_POOLS = re.compile(r"redis\.(?:asyncio\.)?(?:connection\.)?(?:Blocking)?ConnectionPool(?:\.from_url)?")
_NO_RETRY = re.compile(r"(\w+\.)*Retry\((\w+\.)*NoBackoff\(\), (retries=)?0\)")
_CACHED = {"functools.cache", "functools.lru_cache"}
_CALLED = {"redis": "Redis client", "async_redis": "asynchronous Redis client", "s3": "S3 client"}
_ONE_LOOP = {Framework.FASTAPI, Framework.STARLETTE, Framework.AIOHTTP}
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Application:
    """The app's one application object, where it can be imported: `module`, `name`; `why_not` says why it cannot."""

    name: str
    module: str
    why_not: str


@dataclass(frozen=True, slots=True)
class _Held:
    """A client where it was found. `why_not`: why it cannot be reached; `unfit`: why it is not used itself."""

    path: str  # of the file that makes it
    module: str
    name: str
    replies: Replies = ""
    why_not: str = ""
    unfit: str = ""
    retries: bool = False


def clients(
    modules: Sequence[Module], application: Application | None, frameworks: Iterable[Framework]
) -> tuple[tuple[Client, ...], tuple[tuple[Kind, str], ...]]:
    """The clients of an app, and (kind, note) of what was found and is used, or is not.

    `frameworks`: of every application object of the service.
    """
    running = list(frameworks)
    one_loop = bool(running) and _ONE_LOOP.issuperset(running)
    found: list[Client] = []
    notes: list[tuple[Kind, str]] = []
    for kind in KINDS:
        ranked: list[list[_Held]] = [[], [], [], []]
        for module in modules:
            for rank, held in _held(module, kind, application):
                ranked[rank].append(held)
        chosen = next((each for each in ranked if each), [])
        of_replies = {each.replies: each for each in chosen}
        if (
            len(of_replies) < len(chosen)
            or any(each.why_not for each in chosen)
            or (len(chosen) > 1 and "" in of_replies)
        ):
            why = chosen[0].why_not if len(chosen) == 1 else "it has several"
            notes.append((kind, f"The app's own {_CALLED[kind]} is not used, because {why}: {_places(chosen)}."))
            continue
        for held in chosen:
            if kind == "async_redis" and not one_loop:
                held = replace(held, unfit="it belongs to one event loop, and the app may run several")
            client, note = _taken(kind, held, alone=len(chosen) == 1)
            found.append(client)
            notes.append((kind, note))
    return tuple(found), tuple(notes)


def _places(held: Iterable[_Held]) -> str:
    return ", ".join(f"{each.path} ({each.name})" for each in held)


def _taken(kind: Kind, held: _Held, *, alone: bool) -> tuple[Client, str]:
    unfit = held.unfit or ("" if kind == "s3" or held.replies else "it cannot be told whether its replies are text")
    client = Client(
        kind=kind,
        module=held.module,
        name=held.name,
        replies=held.replies,
        itself=not unfit,
        retries=held.retries and not unfit and kind != "s3",
    )
    place = _places([held])
    if unfit:
        return client, (
            f"The app's own {_CALLED[kind]} is not used itself, because {unfit}: {place}. "
            "The generated one connects as it does."
        )
    if kind == "s3":
        return client, f"The app's own {_CALLED[kind]} is used: {place}."
    other = "bytes" if held.replies == "text" else "text"
    note = f"The app's own {_CALLED[kind]} is used where replies are {held.replies}: {place}."
    return client, f"{note} Where they are {other}, a second one connects as it does." if alone else note


def _held(module: Module, kind: Kind, application: Application | None) -> Iterator[tuple[int, _Held]]:
    """The clients that a file makes, by rank: globals, attributes of the application, functions that give one,
    attributes of other objects."""
    script = "its module is run as a script too, and would be run twice" if runs_as_a_script(module.tree) else ""
    bound: set[str] = set()
    functions = [node for node in module.tree.body if isinstance(node, ast.FunctionDef)]
    givers = [node for node in functions if _gives(node, kind, module)]
    for around, body in blocks(module.tree):
        if any(node in givers for node in around):
            continue  # what a function makes to give it is reached through the function
        for statement in body:
            pair = assigned(statement)
            suffix = _made(pair[1], kind, module) if pair else None
            if pair is None or suffix is None:
                continue
            held = _made_here(pair[1], ast.unparse(pair[0]) + suffix, kind, module)
            if isinstance(pair[0], ast.Name) and (len(around) == 1 or _is_global(pair[0].id, around)):
                why = script or _not_reached(around, module) or ("it is made anew" if pair[0].id in bound else "")
                bound.add(pair[0].id)
                yield 0, replace(held, why_not=why)
            elif reached := _on_application(pair[0], around, application):
                yield 1, replace(held, module=reached.module, name=reached.name + suffix, why_not=reached.why_not)
            elif _is_kept(pair[0], around):
                yield 3, replace(held, why_not="it is held by an object of a class")
    for function in givers:
        why = "" if needs_nothing(function) else "it takes arguments"
        yield 2, replace(_given(function, kind, module), why_not=script or why)


def _made(value: ast.expr, kind: Kind, module: Module) -> str | None:
    """How a client of that kind is reached from what an expression makes ("" for itself); None for anything else."""
    value = value.value if isinstance(value, ast.Await) else value
    if not isinstance(value, ast.Call):
        return None
    called = dotted(value.func, module.names)
    if kind != "s3":
        return "" if _CLIENTS.get(called) == kind else None
    session, method = called.rpartition(".")[0], getattr(value.func, "attr", "")
    if method not in ("client", "resource") or not (session in _SESSIONS or _is_of_session(value.func, module)):
        return None
    first = [*value.args[:1], *(word.value for word in value.keywords if word.arg == "service_name")]
    if not any(isinstance(each, ast.Constant) and each.value == "s3" for each in first):
        return None
    return "" if method == "client" else ".meta.client"


def _is_of_session(func: ast.expr, module: Module) -> bool:
    """Whether a method is one of a boto3 session: of `boto3.Session()`, or of a global that is one."""
    owner = func.value if isinstance(func, ast.Attribute) else None
    if isinstance(owner, ast.Name):
        owner = _value_of(owner.id, module)
    return isinstance(owner, ast.Call) and dotted(owner.func, module.names) in _SESSIONS


def _value_of(name: str, module: Module) -> ast.expr | None:
    """What a global of a module is bound to, where it is bound once."""
    pairs = [pair for pair in map(assigned, module.tree.body) if pair]
    values = [value for target, value in pairs if isinstance(target, ast.Name) and target.id == name]
    return values[0] if len(values) == 1 else None


def _made_here(value: ast.expr, name: str, kind: Kind, module: Module) -> _Held:
    call = value.value if isinstance(value, ast.Await) else value
    assert isinstance(call, ast.Call)
    retries = not any(word.arg == "retry" and _NO_RETRY.fullmatch(ast.unparse(word.value)) for word in call.keywords)
    replies: Replies = "" if kind == "s3" else _replies(call, module)
    return _Held(module.path, module.module, name, replies=replies, retries=retries)


def _replies(call: ast.Call, module: Module) -> Replies:
    """Whether a client gives text or bytes; "" where its settings do not show it."""
    settings = {word.arg: word.value for word in call.keywords}
    pool = settings.get("connection_pool")
    if isinstance(pool, ast.Name):
        pool = _value_of(pool.id, module)
    if pool is not None:
        made = isinstance(pool, ast.Call) and _POOLS.fullmatch(dotted(pool.func, module.names))
        return _replies(pool, module) if isinstance(pool, ast.Call) and made else ""
    encoding = settings.get("encoding", ast.Constant("utf-8"))
    usual = isinstance(encoding, ast.Constant) and str(encoding.value).lower() in ("utf-8", "utf8")
    texts = [each.value for each in ast.walk(call) if isinstance(each, ast.Constant)]
    if not usual or None in settings or any("decode_responses" in str(text) for text in texts):
        return ""  # `**options`, or a part of the address
    match settings.get("decode_responses", ast.Constant(False)):
        case ast.Constant(value=bool(decoded)):
            return "text" if decoded else "bytes"
    return ""


def _is_global(name: str, around: tuple[ast.AST, ...]) -> bool:
    functions = [node for node in around if isinstance(node, _FUNCTION)]
    if not functions:
        return not any(isinstance(node, ast.ClassDef) for node in around)
    return any(isinstance(node, ast.Global) and name in node.names for node in ast.walk(functions[-1]))


def _not_reached(around: tuple[ast.AST, ...], module: Module) -> str:
    """Why a global that is bound there need not be: under a condition, or in a function that nobody calls."""
    inner = around[1:]
    if not inner:
        return ""
    plain = all(isinstance(node, (*_FUNCTION, ast.With, ast.AsyncWith)) for node in inner)
    functions = [node for node in inner if isinstance(node, _FUNCTION)]
    if plain and len(functions) == 1 and (functions[0].decorator_list or _is_named(functions[0].name, module)):
        return ""  # at start-up, as those that decorate or call it do
    return "it is made in a function or under a condition"


def _is_named(name: str, module: Module) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(module.tree))


def _on_application(
    target: ast.expr, around: tuple[ast.AST, ...], application: Application | None
) -> Application | None:
    """How an attribute or an item of the application is reached: `app.state.redis`, `app["redis"]`."""
    text = ast.unparse(target).replace("'", '"')
    found = re.fullmatch(r'(\w+)((?:\.\w+)+|\["\w+"\])', text)
    if application is None or not found or isinstance(target, ast.Name):
        return None
    parameters = {
        each.arg for node in around if isinstance(node, _FUNCTION) for each in (*node.args.posonlyargs, *node.args.args)
    }
    if found[1] == application.name or found[1] in parameters & {"app", "application", "_app"}:
        return replace(application, name=application.name + found[2])
    return None


def _is_kept(target: ast.expr, around: tuple[ast.AST, ...]) -> bool:
    """Whether a class or its objects keep what is assigned: `self.redis = ...`."""
    inside = [node for node in around if isinstance(node, (*_FUNCTION, ast.ClassDef))]
    return isinstance(target, ast.Attribute) or (bool(inside) and isinstance(inside[-1], ast.ClassDef))


def _gives(function: ast.FunctionDef, kind: Kind, module: Module) -> bool:
    """Whether a function gives a client: by its type, made anew, or made once and kept in a global."""
    if _TYPES.get(dotted(function.returns, module.names)) == kind:
        return True
    returned, made = _returns(function), _kept(function, kind, module)
    return bool(returned) and all(
        bool(made.get(value.id)) if isinstance(value, ast.Name) else _made(value, kind, module) is not None
        for value in returned
    )


def _returns(function: ast.FunctionDef) -> list[ast.expr]:
    return [node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value is not None]


def _kept(function: ast.FunctionDef, kind: Kind, module: Module) -> dict[str, list[ast.expr]]:
    """The globals that a function binds to clients and to nothing else, with what it binds them to."""
    nodes = list(ast.walk(function))
    kept = {name for node in nodes if isinstance(node, ast.Global) for name in node.names}
    values: dict[str, list[ast.expr]] = {}
    for pair in (assigned(node) for node in nodes if isinstance(node, ast.stmt)):
        if pair and isinstance(pair[0], ast.Name) and pair[0].id in kept:
            values.setdefault(pair[0].id, []).append(pair[1])
    return {
        name: given for name, given in values.items() if all(_made(each, kind, module) is not None for each in given)
    }


def _given(function: ast.FunctionDef, kind: Kind, module: Module) -> _Held:
    """The client that a function gives: the same one at every call, or not used itself."""
    name = f"{function.name}()"
    kept, returned = _kept(function, kind, module), _returns(function)
    cached = any(
        dotted(each.func if isinstance(each, ast.Call) else each, module.names) in _CACHED
        for each in function.decorator_list
    )
    values: list[ast.expr] = []
    same = cached
    if returned and all(isinstance(value, ast.Name) for value in returned):
        names = {value.id for value in returned if isinstance(value, ast.Name)}
        globals_ = [value for each in names if (value := _value_of(each, module)) is not None]
        values = [value for each in names for value in kept.get(each, ())] or globals_
        same = cached or names <= kept.keys() or len(globals_) == len(names)
    elif returned:
        values = returned
    if len(values) != 1 or (suffix := _made(values[0], kind, module)) is None:
        return _Held(module.path, module.module, name, unfit="it cannot be told how it is made")
    held = _made_here(values[0], name + suffix, kind, module)
    return held if same else replace(held, unfit="each call makes a new one")
