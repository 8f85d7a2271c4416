"""Whether a program serves requests itself, or is a library for programs that do."""

from __future__ import annotations

import re

from unstate.link import frameworks
from unstate.link.program import Program
from unstate.link.resolve import Resolver
from unstate.link.values import Class, External
from unstate.project import is_aside

# What a web framework is asked for by who serves: an application, a server, a group of routes, or to run one.
_SERVING = re.compile(
    r"\w*(App|Application|API|Flask|Quart|Sanic|Bottle|Litestar|Starlette|Server|Celery|Broker|Bot|MCP|Blocks|Interface"
    r"|Dash|Chalice|Router|Blueprint|Configurator)|run|run_\w+|server?|make_server|builder|quickstart|wsgify"
)


# Classes of a framework whose subclasses answer requests or messages.
_ANSWERING = re.compile(r"\w*(RequestHandler|WebSocketHandler|Servicer|Consumer|HTTPEndpoint|Namespace|Cog)")


def loads(program: Program) -> bool:
    """Whether any file imports what is called like a web framework."""
    return bool(program.web) or any(
        not found.level and _is_of_framework(found.module)
        for path, file in program.facts.items()
        if not is_aside(path)
        for found in file.imports
    )


def serves(program: Program, resolver: Resolver) -> bool:
    """Whether any file makes an application or a server, or registers a route."""
    return any(
        _registers(program, resolver, path) or _makes(program, resolver, path) or _extends(program, resolver, path)
        for path in sorted(program.web_programs)
        if not is_aside(path) and not frameworks.is_example(path)
    )


def _registers(program: Program, resolver: Resolver, path: str) -> bool:
    if "urlpatterns" in program.names[path][0]:
        return True
    for frame in program.facts[path].frames:
        if any(word.startswith("/") for word in frame.decorator_words):
            return True
        for decorator in frame.decorators:
            if frameworks.decorated_entry(decorator, ()) == "request":
                root = resolver.resolve(path, frame.parent, decorator[:1])
                if isinstance(root, External) and _is_of_framework(root.name):
                    return True
    return False


def _makes(program: Program, resolver: Resolver, path: str) -> bool:
    for ref in program.facts[path].refs:
        if "()" not in ref.path:
            continue
        called = ref.path[: ref.path.index("()")]
        if _SERVING.fullmatch(called[-1]) is None:
            continue
        value = resolver.resolve(path, ref.frame, called)
        if isinstance(value, External) and _is_of_framework(value.name):
            return True
    return False


def _extends(program: Program, resolver: Resolver, path: str) -> bool:
    """Whether a class is a framework's application, server or handler with more to it."""
    return any(
        _is_of_framework(base)
        and (_SERVING.fullmatch(name := base.rpartition(".")[2]) or _ANSWERING.fullmatch(name)) is not None
        for index, frame in enumerate(program.facts[path].frames)
        if frame.bases
        for base in resolver.external_bases(Class(path, index))
    )


def _is_of_framework(dotted: str) -> bool:
    parts = dotted.split(".")
    return parts[0] in frameworks.WEB or not frameworks.WEB_MODULES.isdisjoint((parts[0], ".".join(parts[:2])))
