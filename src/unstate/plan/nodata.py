"""Values that JSON refuses, as what makes them shows: times, exceptions, objects of a class."""

from __future__ import annotations

import ast
import re

from unstate.model import Refusal, Store
from unstate.plan.alive import Use, put_in, uses_of
from unstate.plan.sources import Sources

_TIMES = re.compile(r"(datetime|date|timezone)\.(now|utcnow|today)|(datetime\.)?(datetime|date|time|timedelta)")
_OTHERS = re.compile(r"uuid\d|object|bytes|bytearray|memoryview|complex|set|frozenset|open")
_PLAIN = re.compile(r"OrderedDict|Counter|[A-Z0-9_]+")  # by their names no objects: a dict, a constant that is called
_ADVICE = "put in its text or its fields, as in `{}`"


def no_data(store: Store, sources: Sources) -> Refusal | None:
    """The first value that is put in and is no JSON, None where there is none to be seen."""
    for use in uses_of(store, sources):
        for value in put_in(use):
            found = _no_data(value, use, store, sources)
            if found is not None:
                shown, advice = found
                reason = f"`{shown}` is put into `{store.name}` here, which is no JSON"
                return Refusal(path=use.site.path, line=use.site.line, reason=reason, advice=_ADVICE.format(advice))
    return None


def _no_data(
    value: ast.expr, use: Use, store: Store, sources: Sources, *, followed: bool = False
) -> tuple[str, str] | None:
    """(what is no JSON, how its text is made), None where nothing shows that."""
    match value:
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            pass
        case ast.Dict(values=parts):
            pass
        case ast.Call(func=ast.Name() | ast.Attribute()):
            return _made(value, store, sources)
        case ast.Name(id=name) if use.function is not None:
            return None if followed else _named(name, use, store, sources)
        case _:
            return None
    found = (_no_data(each, use, store, sources, followed=followed) for each in parts)
    return next((each for each in found if each is not None), None)


def _made(call: ast.Call, store: Store, sources: Sources) -> tuple[str, str] | None:
    text = ast.unparse(call.func)
    last = text.rpartition(".")[2]
    if _TIMES.fullmatch(text) or text.endswith(("datetime.now", "datetime.utcnow")):
        return f"{text}()", f"{text}(...).isoformat()"
    if _OTHERS.fullmatch(last) and text in (last, f"uuid.{last}"):
        return f"{text}()", f"str({text}())"
    if not last[:1].isupper() or _PLAIN.fullmatch(last) or _is_dict(last, store, sources):
        return None
    return f"{text}()", "x.model_dump()"


def _named(name: str, use: Use, store: Store, sources: Sources) -> tuple[str, str] | None:
    """What a local name is bound to, where all that binds it is seen."""
    assert use.function is not None
    bound: list[tuple[str, str] | None] = []
    stored = 0
    for node in ast.walk(use.function):
        match node:
            case ast.ExceptHandler(name=caught) if caught == name:
                bound.append((name, f"str({name})"))
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                bound.append(_no_data(value, use, store, sources, followed=True))
                stored -= 1
            case ast.Name(id=other, ctx=ast.Store()) if other == name:
                stored += 1
            case ast.arg(arg=parameter) if parameter == name:
                return None
    return bound[0] if bound and all(bound) and not stored else None


def _is_dict(name: str, store: Store, sources: Sources) -> bool:
    """Whether the service has a class of that name which is a dict."""
    pattern = re.compile(rf"class\s+{name}\([^)]*(TypedDict|dict|Dict)\b".encode())
    typed = re.compile(rf"\b{name}\s*=\s*(TypedDict|NewType)\(".encode())
    return any(
        pattern.search(content) or typed.search(content)
        for path in sources.files_with(store.service, name) or ()
        for content in [sources.read(path)]
    )
