"""What the app has already: clients, a place for its settings, the object that its framework runs.

Everything here is taken up only where there is exactly one of it and a request can reach it by importing. Where that
is not sure, the generated module has its own, and a note says why.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from unstate.model import App, Client, Framework, Settings, SettingsStyle
from unstate.plan.names import assigned, blocks, dotted, imported, needs_nothing, runs_as_a_script
from unstate.plan.sources import MARK, Sources
from unstate.project import is_aside

# A file without any of these has nothing that is looked for; most are never parsed for it.
_GATE = re.compile(
    rb"^[ \t]*(?:from|import)[ \t].*redis|\bboto3\.client\(|\b(?:FastAPI|Starlette|Flask|Application)\("
    rb"|Settings\b|^INSTALLED_APPS\b|^class \w*Config\b|\.config\.from_",
    re.MULTILINE,
)
_MAKERS = {
    Framework.FASTAPI: {"fastapi.FastAPI", "fastapi.applications.FastAPI"},
    Framework.STARLETTE: {"starlette.applications.Starlette"},
    Framework.AIOHTTP: {"aiohttp.web.Application"},
    Framework.FLASK: {"flask.Flask", "flask.app.Flask"},
}
_FRAMEWORK = {name: framework for framework, names in _MAKERS.items() for name in names}
_SYNC = {"redis", "redis.client"}
_ASYNC = {"redis.asyncio", "redis.asyncio.client"}
_CLASSES = ("Redis", "StrictRedis", "Redis.from_url", "StrictRedis.from_url", "from_url")
_CLIENTS = {
    **{f"{module}.{name}": "redis" for module in _SYNC for name in _CLASSES},
    **{f"{module}.{name}": "async_redis" for module in _ASYNC for name in _CLASSES},
    "flask_redis.FlaskRedis": "redis",
    "boto3.client": "s3",
}
_TYPES = {"redis.Redis": "redis", "redis.client.Redis": "redis", "redis.asyncio.Redis": "async_redis"}
_SETTINGS = {"pydantic_settings.BaseSettings", "pydantic_settings.main.BaseSettings", "pydantic.BaseSettings"}
_CALLED = {"redis": "Redis client", "async_redis": "asynchronous Redis client", "s3": "S3 client"}


@dataclass(frozen=True, slots=True)
class Own:
    """What was found, and what was found and is not used."""

    settings: Settings
    clients: tuple[Client, ...]
    app: App | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    module: str  # as the service imports it
    tree: ast.Module
    names: dict[str, str]


def find(service: str, base: PurePosixPath, others: Collection[str], sources: Sources, *, tied: bool = True) -> Own:
    """What the app of a service has. `base`: the folder that it imports from; `others`: the roots of all services.

    Where the clients are not to be `tied` to the application object, it is not looked for.
    """
    files = list(_files(service, base, others, sources))
    notes: list[str] = []
    apps = [app for file in files for app in _apps(file)]
    app = apps[0] if tied and len(apps) == 1 else None
    clients = tuple(client for kind in ("redis", "async_redis", "s3") if (client := _client(kind, files, notes)))
    return Own(settings=_settings(files, apps, app, notes), clients=clients, app=app, notes=tuple(notes))


def _files(service: str, base: PurePosixPath, others: Collection[str], sources: Sources) -> Iterator[_File]:
    below = [PurePosixPath(other) for other in others if other != service and _is_below(other, service)]
    for path in sources.python_files(service):
        place = PurePosixPath(path)
        if is_aside(path) or not place.is_relative_to(base) or any(place.is_relative_to(each) for each in below):
            continue
        content = sources.read(path)
        if MARK in content[:400] or not _GATE.search(content):
            continue
        try:
            tree = sources.source(path, service).tree
        except (SyntaxError, ValueError):
            continue
        parts = place.relative_to(base).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if module and all(part.isidentifier() for part in module.split(".")):
            yield _File(path, module, tree, imported(tree))


def _is_below(path: str, folder: str) -> bool:
    return PurePosixPath(path).is_relative_to(PurePosixPath(folder))


# the application object


def _apps(file: _File) -> Iterator[App]:
    for _, body in blocks(file.tree):
        for statement in body:
            if made := app_made(statement, file.names):
                yield App(framework=made[0], path=file.path, name=made[1])


def app_made(statement: ast.stmt, names: dict[str, str]) -> tuple[Framework, str] | None:
    """The framework and the name of an application object that a statement makes: `app = FastAPI()`."""
    match assigned(statement):
        case ast.Name(id=name), ast.Call(func=func) if dotted(func, names) in _FRAMEWORK:
            return _FRAMEWORK[dotted(func, names)], name
    return None


# clients


def _client(kind: str, files: list[_File], notes: list[str]) -> Client | None:
    """The one client of a kind; None, with a note, where it cannot be told which, or how to reach it."""
    ranked: list[list[tuple[_File, str, str]]] = [[], [], []]
    for file in files:
        for rank, name, why_not in _clients_in(file, kind):
            ranked[rank].append((file, name, why_not))
    found = next((each for each in ranked if each), [])
    if not found:
        return None
    if len(found) == 1 and not found[0][2]:
        file, name, _ = found[0]
        return Client(kind=kind, module=file.module, name=name)  # type: ignore[arg-type]
    places = ", ".join(f"{file.path} ({name})" for file, name, _ in found)
    why = found[0][2] if len(found) == 1 else "it has several"
    notes.append(f"The app's own {_CALLED[kind]} is not used, because {why}: {places}.")
    return None


def _clients_in(file: _File, kind: str) -> Iterator[tuple[int, str, str]]:
    """(rank, how it is reached, why it cannot be) of the clients that a file makes: globals come before attributes of
    the application, those before functions that give one."""
    script = "its module is run as a script too, and would be run twice" if runs_as_a_script(file.tree) else ""
    bound: set[str] = set()
    givers = {
        id(node) for node in file.tree.body if isinstance(node, ast.FunctionDef) and _gives(node, kind, file.names)
    }
    for around, body in blocks(file.tree):
        if not givers.isdisjoint(map(id, around)):
            continue  # what a function makes to give it is reached through the function
        top = len(around) == 1
        for statement in body:
            pair = assigned(statement)
            if pair is None or _made(pair[1], file.names) != kind:
                continue
            reached = _reached(pair[0])
            if isinstance(pair[0], ast.Name) and (top or _is_global(pair[0].id, around)):
                why = script or ("" if top else "it is made in a function or under a condition")
                why = why or ("it is made anew" if pair[0].id in bound else "")
                bound.add(pair[0].id)
                yield 0, pair[0].id, why
            elif reached and _binds(file.tree, reached.partition(".")[0]):
                yield 1, reached, script
    for statement in file.tree.body:
        if isinstance(statement, ast.FunctionDef) and id(statement) in givers:
            yield 2, f"{statement.name}()", script or ("" if needs_nothing(statement) else "it takes arguments")


def _made(value: ast.expr, names: dict[str, str]) -> str:
    """The kind of client that an expression makes; "" for anything else."""
    if isinstance(value, ast.Await):
        value = value.value
    if not isinstance(value, ast.Call):
        return ""
    kind = _CLIENTS.get(dotted(value.func, names), "")
    if kind == "s3":
        first = [*value.args[:1], *(word.value for word in value.keywords if word.arg == "service_name")]
        return "s3" if any(isinstance(each, ast.Constant) and each.value == "s3" for each in first) else ""
    return kind


def _reached(target: ast.expr) -> str:
    """`app.state.redis` as text; "" where the path is no attribute of a name."""
    text = dotted(target, {})
    return text if re.fullmatch(r"(?:app|application)(?:\.\w+)+", text) else ""


def _is_global(name: str, around: tuple[ast.AST, ...]) -> bool:
    functions = [node for node in around if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    if not functions:
        return not any(isinstance(node, ast.ClassDef) for node in around)
    return any(isinstance(node, ast.Global) and name in node.names for node in ast.walk(functions[-1]))


def _binds(tree: ast.Module, name: str) -> bool:
    pairs = [assigned(statement) for statement in tree.body]
    return any(pair is not None and isinstance(pair[0], ast.Name) and pair[0].id == name for pair in pairs)


def _gives(function: ast.FunctionDef, kind: str, names: dict[str, str]) -> bool:
    """Whether a function gives a client: by its type, made anew, or made once and kept in a global."""
    if _TYPES.get(dotted(function.returns, names)) == kind:
        return True
    nodes = list(ast.walk(function))
    returned = [node.value for node in nodes if isinstance(node, ast.Return) and node.value is not None]
    kept = {name for node in nodes if isinstance(node, ast.Global) for name in node.names}
    made: dict[str, bool] = {}
    for pair in (assigned(node) for node in nodes if isinstance(node, ast.stmt)):
        if pair and isinstance(pair[0], ast.Name) and pair[0].id in kept:
            made[pair[0].id] = made.get(pair[0].id, True) and _made(pair[1], names) == kind
    return bool(returned) and all(
        made.get(value.id, False) if isinstance(value, ast.Name) else _made(value, names) == kind for value in returned
    )


# settings


_READ = "Settings are read from the environment, because"


def _settings(files: list[_File], apps: list[App], app: App | None, notes: list[str]) -> Settings:
    django = [file for file in files if _binds(file.tree, "INSTALLED_APPS")]
    classes = [(file, node) for file in files for node in file.tree.body if _is_settings(node, file.names)]
    if len(django) > 1:
        places = ", ".join(file.path for file in django)
        notes.append(f"{_READ} the app has several settings modules: {places}.")
        return Settings()
    if django and (classes or apps):
        notes.append(f"{_READ} the app is more than its Django project: {django[0].path}.")
        return Settings()
    if django:
        return Settings(style=SettingsStyle.DJANGO, path=django[0].path)
    if classes:
        return _from_pydantic([(file, node) for file, node in classes if isinstance(node, ast.ClassDef)], files, notes)
    return _from_flask(files, app)


def _is_settings(node: ast.stmt, names: dict[str, str]) -> bool:
    return isinstance(node, ast.ClassDef) and any(dotted(base, names) in _SETTINGS for base in node.bases)


def _from_pydantic(found: list[tuple[_File, ast.ClassDef]], files: list[_File], notes: list[str]) -> Settings:
    places = ", ".join(f"{file.path} ({node.name})" for file, node in found)
    file, node = found[0]
    instance = _instance(node.name, file, files)
    if len(found) > 1 or instance is None:
        why = "several settings classes" if len(found) > 1 else "no single instance of its settings class to import"
        notes.append(f"{_READ} the app has {why}: {places}.")
        return Settings()
    module, name = instance
    if any(isinstance(each, ast.keyword | ast.Name) and _says_prefix(each) for each in ast.walk(node)):
        notes.append(f"{_READ} the variables of the app's settings class have a prefix: {places}.")
        return Settings()
    targets = [each.target for each in node.body if isinstance(each, ast.AnnAssign)]
    fields = [target.id for target in targets if isinstance(target, ast.Name) and target.id != "model_config"]
    upper = bool(fields) and all(field.isupper() for field in fields)
    return Settings(
        style=SettingsStyle.PYDANTIC, path=file.path, holder=node.name, module=module, name=name, upper=upper
    )


def _instance(name: str, file: _File, files: list[_File]) -> tuple[str, str] | None:
    """The one instance of a settings class, a global before a function that gives it."""
    made = [each for other in files for each in _instances(name, file, other)]
    chosen = [each for each in made if not each[1].endswith("()")] or made
    return chosen[0] if len(chosen) == 1 else None


def _says_prefix(node: ast.AST) -> bool:
    match node:
        case ast.keyword(arg="env_prefix", value=ast.Constant(value=value)):
            return bool(value)
        case ast.Name(id="env_prefix"):
            return True
    return isinstance(node, ast.keyword) and node.arg == "env_prefix"


def _instances(name: str, made_in: _File, file: _File) -> Iterator[tuple[str, str]]:
    """(module, how it is called there) of the instances of a settings class that a file makes."""
    if runs_as_a_script(file.tree):
        return
    here = file is made_in
    for statement in file.tree.body:
        pair = assigned(statement)
        if pair and isinstance(pair[0], ast.Name) and _is_call_of(pair[1], name, here, file.names):
            yield file.module, pair[0].id
        elif isinstance(statement, ast.FunctionDef) and needs_nothing(statement):
            returned = [node.value for node in ast.walk(statement) if isinstance(node, ast.Return) and node.value]
            if returned and all(_is_call_of(value, name, here, file.names) for value in returned):
                yield file.module, f"{statement.name}()"


def _is_call_of(value: ast.expr, name: str, here: bool, names: dict[str, str]) -> bool:
    if not isinstance(value, ast.Call):
        return False
    called = dotted(value.func, names)
    return called == name if here else called.endswith(f".{name}")


def _from_flask(files: list[_File], app: App | None) -> Settings:
    """Keys of `app.config`, where the app fills it from somewhere: `app.config.from_object(Config)`."""
    if app is None or app.framework is not Framework.FLASK:
        return Settings()
    calls = [
        call
        for file in files
        for call in ast.walk(file.tree)
        if isinstance(call, ast.Call) and re.search(r"(?:^|\.)config\.from_\w+$", dotted(call.func, {}))
    ]
    if not calls:
        return Settings()
    classes = [
        (file.path, node.name)
        for file in files
        for node in file.tree.body
        if isinstance(node, ast.ClassDef) and not node.bases and node.name.endswith("Config") and _has_keys(node)
    ]
    path, holder = classes[0] if len(classes) == 1 else ("", "")
    return Settings(style=SettingsStyle.FLASK, path=path, holder=holder)


def _has_keys(node: ast.ClassDef) -> bool:
    pairs = [assigned(statement) for statement in node.body]
    return any(pair and isinstance(pair[0], ast.Name) and pair[0].id.isupper() for pair in pairs)
