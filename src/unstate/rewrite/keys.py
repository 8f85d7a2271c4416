"""Keys: a Python key as text that no other key of the app can equal, and back."""

from __future__ import annotations

import libcst as cst

from unstate.rewrite.binding import Binding
from unstate.rewrite.names import Names
from unstate.rewrite.parentheses import OurParen

SEPARATOR = ":"
OBJECT_SEPARATOR = "/"
TUPLE = "tuple"  # the key type of keys of several parts


def redis_key(binding: Binding, key: cst.BaseExpression, names: Names) -> cst.BaseExpression:
    """`f"session:{k}"`: injective for text without further escaping, as no prefix holds the separator."""
    return _joined(binding.prefix + SEPARATOR, _flat(binding, key, names), binding)


def field(binding: Binding, key: cst.BaseExpression, names: Names, *, optional: bool = False) -> cst.BaseExpression:
    """The key as a field of the store's hash: its text alone. `optional`: it may be None, which the client refuses."""
    if binding.key_type == "int":
        return _formatted([_placeholder(key, "d")])
    if optional and binding.key_type != TUPLE:
        return cst.Call(cst.Name("str"), [cst.Arg(key)])
    return _flat(binding, key, names)


def object_key(binding: Binding, key: cst.BaseExpression, names: Names) -> cst.BaseExpression:
    """The S3 key: as it is where the app itself makes the keys, else escaped by a helper."""
    if (binding.safe_keys and binding.key_type != TUPLE) or binding.key_type == "int":
        return _joined(binding.prefix + OBJECT_SEPARATOR, key, binding)
    prefix = cst.SimpleString(f'"{binding.prefix}"')
    return cst.Call(cst.Name(names.use("object_key")), [cst.Arg(prefix), cst.Arg(_flat(binding, key, names))])


def decoded(binding: Binding, text: cst.BaseExpression, names: Names) -> cst.BaseExpression:
    """The key's own type back from its text."""
    if binding.key_type == TUPLE:
        return cst.Call(cst.Name(names.use("tuple_of")), [cst.Arg(text)])
    return cst.Call(cst.Name("int"), [cst.Arg(text)]) if binding.key_type == "int" else text


def _flat(binding: Binding, key: cst.BaseExpression, names: Names) -> cst.BaseExpression:
    """A key of several parts as one text, which tells the parts apart: a JSON array."""
    if binding.key_type != TUPLE:
        return key
    return cst.Call(cst.Name(names.use("dumps")), [cst.Arg(key)])


def separator(binding: Binding) -> str:
    """What stands between the prefix and the key."""
    return OBJECT_SEPARATOR if binding.layout == "s3" else SEPARATOR


def _joined(prefix: str, key: cst.BaseExpression, binding: Binding) -> cst.BaseExpression:
    bare = key.with_changes(lpar=[], rpar=[])
    if isinstance(bare, cst.SimpleString) and isinstance(bare.evaluated_value, str) and bare.prefix == "":
        return cst.SimpleString(bare.quote + prefix + bare.raw_value + bare.quote)
    if isinstance(bare, cst.FormattedString) and bare.prefix.lower() == "f":
        return bare.with_changes(parts=[cst.FormattedStringText(prefix), *bare.parts])
    conversion = "d" if binding.key_type == "int" else ""
    if _fits_in_a_placeholder(bare):
        return _formatted([cst.FormattedStringText(prefix), _placeholder(bare, conversion)])
    text = cst.Call(cst.Name("str"), [cst.Arg(bare)]) if binding.key_type not in ("str", TUPLE) else key
    return cst.BinaryOperation(
        cst.SimpleString(f'"{prefix}"'),
        cst.Add(),
        text,
        lpar=[OurParen()],
        rpar=[cst.RightParen()],
    )


def _formatted(parts: list[cst.BaseFormattedStringContent]) -> cst.FormattedString:
    return cst.FormattedString(parts, start='f"', end='"')


def _placeholder(key: cst.BaseExpression, conversion: str) -> cst.FormattedStringExpression:
    spec = [cst.FormattedStringText(conversion)] if conversion else None
    return cst.FormattedStringExpression(key.with_changes(lpar=[], rpar=[]), format_spec=spec)


def _fits_in_a_placeholder(key: cst.BaseExpression) -> bool:
    """Before Python 3.12 a placeholder takes no quotes of its own string, no backslash, no comment, no line break."""
    if isinstance(key, cst.Dict | cst.Set | cst.Lambda | cst.NamedExpr | cst.Await | cst.GeneratorExp):
        return False
    code = cst.Module([]).code_for_node(key)
    return not any(character in code for character in "\"'\\#\n{}!:=")
