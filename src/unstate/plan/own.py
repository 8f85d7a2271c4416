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
from unstate.plan.clients import Application, clients
from unstate.plan.names import Module, assigned, blocks, dotted, imported, needs_nothing, runs_as_a_script
from unstate.plan.sources import Sources
from unstate.project import is_aside, is_generated

# A file without any of these has nothing that is looked for; most are never parsed for it.
_GATE = re.compile(
    rb"^[ \t]*(?:from|import)[ \t].*redis|\bboto3\b|\b(?:FastAPI|Starlette|Flask|Application)\("
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
_SETTINGS = {"pydantic_settings.BaseSettings", "pydantic_settings.main.BaseSettings", "pydantic.BaseSettings"}


@dataclass(frozen=True, slots=True)
class Own:
    """What was found, and what was found and is not used."""

    settings: Settings
    clients: tuple[Client, ...]
    app: App | None
    notes: tuple[str, ...]


def find(
    service: str,
    base: PurePosixPath,
    others: Collection[str],
    sources: Sources,
    *,
    tied: bool = True,
    wanted: Collection[str] = ("redis", "s3"),
) -> Own:
    """What the app of a service has. `base`: the folder that it imports from; `others`: the roots of all services;
    `wanted`: which clients its state needs.

    Where the clients are not to be `tied` to the application object, it is not looked for.
    """
    files = list(_files(service, base, others, sources))
    notes: list[str] = []
    apps = [app for file in files for app in _apps(file)]
    app = apps[0] if tied and len(apps) == 1 else None
    found, said = clients(files, _application(files, apps), (each.framework for each in apps))
    notes += [note for kind, note in said if kind.removeprefix("async_") in wanted]
    return Own(settings=_settings(files, apps, app, notes), clients=found, app=app, notes=tuple(notes))


def _files(service: str, base: PurePosixPath, others: Collection[str], sources: Sources) -> Iterator[Module]:
    below = [PurePosixPath(other) for other in others if other != service and _is_below(other, service)]
    for path in sources.python_files(service):
        place = PurePosixPath(path)
        if is_aside(path) or not place.is_relative_to(base) or any(place.is_relative_to(each) for each in below):
            continue
        content = sources.read(path)
        if is_generated(content) or not _GATE.search(content):
            continue
        try:
            tree = sources.source(path, service).tree
        except (SyntaxError, ValueError):
            continue
        parts = place.relative_to(base).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if module and all(part.isidentifier() for part in module.split(".")):
            yield Module(path, module, tree, imported(tree))


def _is_below(path: str, folder: str) -> bool:
    return PurePosixPath(path).is_relative_to(PurePosixPath(folder))


# the application object


def _apps(file: Module) -> Iterator[App]:
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


def _application(files: list[Module], apps: list[App]) -> Application | None:
    """How the one application object is imported."""
    if len(apps) != 1:
        return None
    file = next(each for each in files if each.path == apps[0].path)
    at_top = any(app_made(statement, file.names) for statement in file.tree.body)
    why = "" if at_top else "its application is made by a function"
    if at_top and runs_as_a_script(file.tree):
        why = "the module of its application is run as a script too, and would be run twice"
    return Application(apps[0].name, file.module, why)


# settings


_READ = "Settings are read from the environment, because"


def _settings(files: list[Module], apps: list[App], app: App | None, notes: list[str]) -> Settings:
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


def _from_pydantic(found: list[tuple[Module, ast.ClassDef]], files: list[Module], notes: list[str]) -> Settings:
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


def _instance(name: str, file: Module, files: list[Module]) -> tuple[str, str] | None:
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


def _instances(name: str, made_in: Module, file: Module) -> Iterator[tuple[str, str]]:
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


def _from_flask(files: list[Module], app: App | None) -> Settings:
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


def _binds(tree: ast.Module, name: str) -> bool:
    pairs = [assigned(statement) for statement in tree.body]
    return any(pair is not None and isinstance(pair[0], ast.Name) and pair[0].id == name for pair in pairs)
