"""Generated files: templates from the project's own `templates/` first, then those that ship with unstate."""

from __future__ import annotations

import symtable
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateSyntaxError, UndefinedError
from jinja2 import TemplateError as JinjaError

from unstate import resources


class TemplateError(Exception):
    """A template that cannot be filled. Its text names the template, the line and what is wrong."""


def fill(root: Path | None, name: str, **values: Any) -> str:
    """The text of a template. Raises TemplateError."""
    folders = tuple(str(folder) for folder in resources.search_path("templates", root))
    environment = _environment(folders, autoescape=name.endswith(".html.j2"))  # all else is Python or plain text
    try:
        return environment.get_template(name).render(**values)
    except TemplateSyntaxError as error:
        raise TemplateError(f"{error.filename or name}:{error.lineno}: {error.message}") from None
    except UndefinedError as error:
        raise TemplateError(f"{_file(environment, name)}:{_line(error)}: {error.message}") from None
    except JinjaError as error:
        raise TemplateError(f"{_file(environment, name)}: {error.message or error}") from None
    except Exception as error:  # whatever an expression of a template may raise
        raise TemplateError(f"{_file(environment, name)}:{_line(error)}: {error}") from None


def check_compose(root: Path, name: str, text: str) -> None:
    """Raise TemplateError where a template gave no YAML, or none of services."""
    import yaml

    file = _found(root, name)
    try:
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise TemplateError(f"{file}: what it gives is not YAML: line {line}: {error.problem}") from None
    except yaml.YAMLError as error:
        raise TemplateError(f"{file}: what it gives is not YAML: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("services"), dict):
        raise TemplateError(f"{file}: what it gives has no services, which an overlay of compose is made of")


@lru_cache(maxsize=8)  # compiling a template costs more than filling it many times
def _environment(folders: tuple[str, ...], *, autoescape: bool) -> Environment:
    return Environment(
        loader=FileSystemLoader(folders),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=autoescape,
    )


def check_module(root: Path, name: str, source: bytes, names: Collection[str]) -> None:
    """Raise TemplateError where a template gave no Python module, or one without the `names` that the app imports."""
    file = _found(root, name)
    try:
        there = symtable.symtable(source.decode(), name, "exec")
    except SyntaxError as error:
        raise TemplateError(f"{file}: what it gives is not Python: line {error.lineno}: {error.msg}") from None
    missing = set(names) - {
        symbol.get_name()
        for symbol in there.get_symbols()
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()
    }
    if missing:
        raise TemplateError(f"{file}: what it gives does not define {', '.join(sorted(missing))}, which the app needs")


def _found(root: Path, name: str) -> Path:
    """The template of that name that counts."""
    return next(path for folder in resources.search_path("templates", root) if (path := folder / name).is_file())


def _file(environment: Environment, name: str) -> str:
    return environment.get_template(name).filename or name


def _line(error: BaseException) -> int:
    """The template's line: jinja2 puts it into the traceback as a frame of its own."""
    trace = error.__traceback__
    line = 1
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_name == "top-level template code" or code.co_filename.endswith(".j2"):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
