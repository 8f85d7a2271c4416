"""Django's own setting for files: which module it goes into, and what it becomes there."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from msgspec.structs import replace

from unstate.model import Group
from unstate.plan.names import assigned
from unstate.plan.sources import Sources
from unstate.plan.versions import newest

STORAGE = "storage"  # what a folder is made by that Django's storage keeps
LIBRARY = "django-storages>=1.14"
_LOCAL = "django.core.files.storage.FileSystemStorage"
_LOCALS = (_LOCAL, "django.core.files.storage.filesystem.FileSystemStorage")
_STATIC = "django.contrib.staticfiles.storage.StaticFilesStorage"
_SETTINGS = ("STORAGES", "DEFAULT_FILE_STORAGE")
_NEW, _SUPPORTED = (4, 2), (3, 2)  # the first Django with STORAGES; the first that django-storages works with
NEWER = "the project has to run on Django 4.2 or newer, which reads STORAGES"
SERVED = (
    "outside of DEBUG no file lies where a web server looks for those of MEDIA_ROOT: have it pass MEDIA_URL on to the"
    " app, with a route to `serve_stored`, or answer the decision `serving` with `presigned`"
)
LISTED = "a folder without files is not there: `listdir` of it gives nothing, and raises nothing"
PRESIGNED = "the URL of a file is one of S3 that is valid for an hour, and whoever has it can read the file"


class CannotSetError(Exception):
    """The settings cannot be changed. The message is for a person; `path` and `line` say where."""

    def __init__(self, path: str, line: int, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.line = line


def settings_module(service: str, sources: Sources) -> str:
    """The one module of a Django project that has its settings. Raises CannotSetError."""
    found = [path for path in sources.python_files(service) if b"INSTALLED_APPS" in sources.read(path)]
    trees = {path: sources.source(path, service).tree for path in found}
    homes = [path for path, tree in trees.items() if "INSTALLED_APPS" in dict(_bound(tree))]
    if len(homes) != 1:
        places = ", ".join(homes) or "none was found"
        raise CannotSetError(homes[0] if homes else "", 1, f"one settings module must name the storage: {places}")
    for path in sources.python_files(service):
        if path == homes[0] or not any(name.encode() in sources.read(path) for name in _SETTINGS):
            continue
        for name, value in _bound(sources.source(path, service).tree):
            if name in _SETTINGS:
                raise CannotSetError(path, value.lineno, f"{name} is set here, and not in {homes[0]}")
    return homes[0]


def with_storage(path: str, content: bytes, backend: str, version: tuple[int, int] | None) -> bytes:
    """The settings with `backend` as the storage of files. `version`: the Django that the project asks for, if it does.

    Raises CannotSetError.
    """
    tree = ast.parse(content)
    bound = dict(_bound(tree))
    for name in _SETTINGS:
        if name not in bound:
            continue
        node = bound[name] if name == _SETTINGS[1] else _backend(bound[name])
        nested = sum(name in dict(_assignments(each)) for each in ast.walk(tree) if isinstance(each, ast.stmt))
        if not isinstance(node, ast.Constant) or node.value not in _LOCALS or nested > 1:
            raise CannotSetError(
                path, bound[name].lineno, f"{name} is set here in a way that cannot be changed: name `{backend}` there"
            )
        return _replaced(content, node, backend)
    old = version is not None and version < _NEW
    if not old and "STATICFILES_STORAGE" in bound:
        line = bound["STATICFILES_STORAGE"].lineno
        raise CannotSetError(path, line, "STATICFILES_STORAGE cannot stand beside STORAGES: move it into that first")
    quote = "'" if content.count(b"'") > content.count(b'"') else '"'
    text = _old_setting(backend) if old else _new_setting(backend)
    return _inserted(content, tree, text.replace('"', quote))


def django_version(service: str, sources: Sources) -> tuple[tuple[int, int] | None, str]:
    """(major, minor) of the newest Django that the project's lists let in, and which says so; None where none does."""
    return newest("django", service, sources)


def stored(group: Group, sources: Sources) -> Group:
    """The group of files that Django's storage keeps, with its settings. Raises CannotSetError."""
    service = group.finding.store.service
    path = settings_module(service, sources)
    with_storage(path, sources.read(path), "", django_version(service, sources)[0])
    return replace(group, settings=path, files=tuple(sorted({*group.files, path})), requires=(*group.requires, LIBRARY))


def differences(group: Group, rules: Collection[str], sources: Sources) -> tuple[str, ...]:
    """What differs once Django keeps its files elsewhere. `rules`: what its patch uses."""
    version, said_by = django_version(group.finding.store.service, sources)
    found = [LISTED]
    if dict(group.answers).get("serving") == "presigned":
        found.append(PRESIGNED)
    elif "files.serve_stored" not in rules:
        found.append(SERVED)
    if version is None and b"STORAGES" not in sources.read(group.settings):
        found.append(NEWER)
    elif version is not None and version < _SUPPORTED:
        found.append(
            f"django-storages needs Django 3.2 or newer, and {said_by} says {version[0]}.{version[1]}: upgrade first"
        )
    return tuple(found)


def backend_of(group: Group, module: str) -> str:
    """The class of the generated module that Django is to use."""
    presigned = dict(group.answers).get("serving") == "presigned"
    return f"{module}.{'PresignedStorage' if presigned else 'MediaStorage'}"


def _bound(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for statement in tree.body:
        yield from _assignments(statement)


def _assignments(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    match assigned(statement):
        case ast.Name(id=name), ast.expr() as value:
            yield name, value


def _backend(node: ast.expr) -> ast.expr | None:
    return _entry(_entry(node, "default"), "BACKEND") if not _has_options(_entry(node, "default")) else None


def _has_options(node: ast.expr | None) -> bool:
    return _entry(node, "OPTIONS") is not None


def _entry(node: ast.expr | None, key: str) -> ast.expr | None:
    if not isinstance(node, ast.Dict):
        return None
    pairs = zip(node.keys, node.values, strict=True)
    return next((value for each, value in pairs if isinstance(each, ast.Constant) and each.value == key), None)


def _replaced(content: bytes, node: ast.Constant, backend: str) -> bytes:
    lines = content.splitlines(keepends=True)
    line = lines[node.lineno - 1]
    if node.lineno != node.end_lineno:
        raise CannotSetError("", node.lineno, "the storage is named over several lines")
    quote = line[node.col_offset : node.col_offset + 1]
    lines[node.lineno - 1] = line[: node.col_offset] + quote + backend.encode() + quote + line[node.end_col_offset :]
    return b"".join(lines)


def _old_setting(backend: str) -> str:
    return f'DEFAULT_FILE_STORAGE = "{backend}"'


def _new_setting(backend: str) -> str:
    return "\n".join(
        (
            "STORAGES = {",
            f'    "default": {{"BACKEND": "{backend}"}},',
            f'    "staticfiles": {{"BACKEND": "{_STATIC}"}},',
            "}",
        )
    )


def _inserted(content: bytes, tree: ast.Module, text: str) -> bytes:
    """The settings with new lines behind those about media, else at the end."""
    newline = b"\r\n" if b"\r\n" in content else b"\n"
    lines = content.splitlines(keepends=True)
    media = [each for each in tree.body if {"MEDIA_ROOT", "MEDIA_URL"} & dict(_assignments(each)).keys()]
    number = (media[-1].end_lineno or 0) if media else len(lines)
    if lines and not lines[-1].endswith(b"\n"):
        lines[-1] += newline
    added = [line.encode() + newline for line in text.split("\n")]
    return b"".join([*lines[:number], *([] if media else [newline]), *added, *lines[number:]])
