"""Classes whose objects travel by their declared fields: what is declared must be all that there is, and be data."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass

from unstate.model import Op, Store
from unstate.plan.sources import Sources

PLAIN = frozenset(
    "str int float bool None Any dict list set frozenset tuple Dict List Set FrozenSet Tuple Optional Union Literal "
    "Sequence Mapping Annotated datetime date time timedelta UUID Decimal".split()
)
_MODULES = frozenset({"datetime", "typing", "uuid", "decimal", "t"})  # `datetime.datetime`, `typing.Any`
_ENUMS = frozenset({"Enum", "IntEnum", "StrEnum"})
_VALIDATING = re.compile(r"validator|serializer|computed_field")


@dataclass(frozen=True, slots=True)
class Found:
    """A class of the service, and the file that defines it."""

    node: ast.ClassDef
    path: str


def model_of(store: Store, sources: Sources) -> tuple[str, str]:
    """(the class's name, "") of the objects that a store holds, or ("", why they cannot travel by their fields)."""
    names = {text.rpartition(".")[2] for text in store.value_types if text not in ("", "None", "NoneType")}
    if len(names) != 1:
        return "", f"`{store.name}` holds objects of more than one class, or of none that can be told"
    name = names.pop()
    reason = _why_not(name, store.service, sources, set(), store.path)
    if reason is None:
        uses = {site.path for site in store.sites if site.op not in (Op.IMPORT, Op.GLOBAL)}
        missing = next(
            (path for path in sorted(uses) if name not in bound_names(sources.source(path, store.service).tree)), ""
        )
        reason = f"`{name}` is no name of {missing}, which uses the store" if missing else None
    return (name, "") if reason is None else ("", f"`{store.name}` holds `{name}`: {reason}")


def _why_not(name: str, service: str, sources: Sources, seen: set[str], near: str) -> str | None:
    """Why objects of a class cannot travel by their fields; `near`: the file that uses it, whose own one is meant."""
    if name in seen:
        return None
    seen.add(name)
    found = list(_classes(name, service, sources))
    found = [each for each in found if each.path == near] or found
    if len(found) != 1:
        return f"the service has {len(found) or 'no'} classes of that name"
    here = found[0]
    bases = [_last(base) for base in here.node.bases]
    if _ENUMS & set(bases):
        return None
    decorated = [each for each in here.node.decorator_list if _last(each) == "dataclass"]
    local = [base for base in bases if base not in ("BaseModel", "Generic", "object")]
    if not decorated and "BaseModel" not in bases and not local:
        return "it is neither a dataclass nor a pydantic model"
    for base in local:
        if (reason := _why_not(base, service, sources, seen, here.path)) is not None:
            return f"its base `{base}` {reason}"
    if sources.subclassed(service, name):
        return "it has subclasses, whose own fields would be lost"
    return _fields(here, service, sources, seen)


def _fields(here: Found, service: str, sources: Sources, seen: set[str]) -> str | None:
    names = set()
    bound = bound_names(sources.source(here.path, service).tree)
    for statement in here.node.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                if _last(annotation) == "ClassVar":
                    continue
                names.add(name)
                text = "" if value is None else ast.unparse(value)
                if re.search(r"\b(init=False|alias\w*=|PrivateAttr|exclude=)", text):
                    return f"its field `{name}` is not written out, or under another name"
                for part in parts_of(annotation):
                    reason = None if part in PLAIN else why_not_part(part, service, sources, seen, here.path)
                    if reason is not None:
                        return f"its field `{name}` holds `{part}`: {reason}"
                    if part not in bound and part not in dir(builtins) and part not in PLAIN:
                        return f"`{part}` of its field `{name}` is not imported where it runs"
            case ast.FunctionDef(name="__post_init__", body=body) if all(
                _only_checks(each) or _only_fills(each, service, sources) for each in body
            ):
                continue
            case ast.FunctionDef(name="__post_init__" | "__init__" | "model_post_init"):
                return f"its `{statement.name}` would run again"
            case ast.FunctionDef(decorator_list=decorators) if any(_VALIDATING.search(_last(d)) for d in decorators):
                return f"its `{statement.name}` would run again"
    for node in ast.walk(here.node):
        match node:
            case ast.Attribute(value=ast.Name(id="self"), attr=attribute, ctx=ast.Store()) if attribute not in names:
                return f"its methods set `{attribute}`, which is no field"
    return None


def _only_checks(statement: ast.stmt) -> bool:
    """Whether a statement only makes sure of something: what held when the object was made holds of its copy."""
    match statement:
        case ast.Assert() | ast.Pass() | ast.Expr(value=ast.Constant()):
            return True
        case ast.If(body=body, orelse=[]):
            return all(isinstance(each, ast.Raise) for each in body)
    return False


def _only_fills(statement: ast.stmt, service: str, sources: Sources) -> bool:
    """Whether a statement only gives a field a value that has none, `if self.f is None: self.f = []`, and nobody takes
    it away again: then there is nothing to fill in a copy."""
    match statement:
        case ast.If(
            test=ast.Compare(
                left=ast.Attribute(value=ast.Name(id="self"), attr=field),
                ops=[ast.Is()],
                comparators=[ast.Constant(value=None)],
            ),
            body=[ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=filled)])],
            orelse=[],
        ) if field == filled:
            taken = re.compile(rf"\.{field}\s*(?::[^=\n]+)?=\s*None\b|\bsetattr\(".encode())
            return not any(taken.search(sources.read(path)) for path in sources.python_files(service))
    return False


def why_not_part(part: str, service: str, sources: Sources, seen: set[str], near: str) -> str | None:
    """Why values of a type, as an annotation names it, cannot travel by their fields."""
    if part in _MODULES:
        return None
    if (aliased := _alias(part, service, sources)) is not None:
        return None if all(each in PLAIN for each in aliased) else "which is no data"
    return _why_not(part, service, sources, seen, near)


def _alias(name: str, service: str, sources: Sources) -> list[str] | None:
    """The parts of `Name = str`, an alias of a type."""
    pattern = re.compile(rf"^{name}(?:\s*:\s*TypeAlias)?\s*=\s*([\w\[\], |.\"']+)$".encode(), re.MULTILINE)
    for path in sources.python_files(service):
        content = sources.read(path)
        if name.encode() in content and (match := pattern.search(content)) is not None:
            return list(parts_of(ast.parse(match[1].decode().strip(), mode="eval").body))
    return None


def parts_of(annotation: ast.expr) -> Iterator[str]:
    """The names in an annotation, strings read as annotations; what is literal is no name."""
    match annotation:
        case ast.Constant(value=str(text)):
            try:
                yield from parts_of(ast.parse(text, mode="eval").body)
            except SyntaxError:
                yield text
        case ast.Constant():
            return
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
        case ast.Subscript(value=value) if _last(value) == "Literal":
            return
        case ast.Call(func=func):
            yield ast.unparse(func)
        case _:
            for child in ast.iter_child_nodes(annotation):
                if isinstance(child, ast.expr):
                    yield from parts_of(child)


def _classes(name: str, service: str, sources: Sources) -> Iterator[Found]:
    pattern = re.compile(rf"^class\s+{name}\b".encode(), re.MULTILINE)
    for path in sources.python_files(service):
        if name.encode() in sources.read(path) and pattern.search(sources.read(path)):
            try:
                tree = sources.source(path, service).tree
            except (SyntaxError, ValueError):
                continue
            yield from (Found(node, path) for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)


def bound_names(tree: ast.Module) -> frozenset[str]:
    """What a module binds when it runs: not what stands under `if TYPE_CHECKING`."""
    found: set[str] = set()
    for node in tree.body:
        match node:
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                found.update((alias.asname or alias.name).partition(".")[0] for alias in aliases)
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.Assign(targets=targets):
                found.update(target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
    return frozenset(found)


def _last(node: ast.expr) -> str:
    match node:
        case ast.Call(func=func):
            return _last(func)
        case ast.Subscript(value=value):
            return _last(value)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""
