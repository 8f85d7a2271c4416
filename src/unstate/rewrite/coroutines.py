"""Functions that become asynchronous, and the calls of them, which become awaited."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import libcst as cst

from unstate.rewrite.parentheses import parenthesized


class Awaited(cst.CSTTransformer):
    """Makes the given functions asynchronous, and awaits every call of them.

    The plan has made sure that each mention of such a function is its definition, an import or a call where `await` may
    stand: "module:function" is called by its bare name or as `module.function`, "Class.method" on any object.
    """

    def __init__(self, functions: Collection[str]) -> None:
        super().__init__()
        self.functions = functions
        self._plain = {name: module for module, _, name in (each.partition(":") for each in functions) if name}
        self._methods = {each.rpartition(".")[2] for each in functions if ":" not in each}
        self._around: list[str] = []

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self._around.append(node.name.value)

    def leave_ClassDef(self, original_node: cst.ClassDef, updated_node: cst.ClassDef) -> cst.ClassDef:
        self._around.pop()
        return updated_node

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self._around.append("()")

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self._around.pop()
        if becomes_asynchronous(original_node.name.value, self._around, self.functions):
            return updated_node.with_changes(asynchronous=cst.Asynchronous())
        return updated_node

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        match original_node.func:
            case cst.Name(value=name):
                called = name in self._plain
            case cst.Attribute(value=receiver, attr=cst.Name(value=name)):
                last = receiver.attr if isinstance(receiver, cst.Attribute) else receiver
                of_module = isinstance(last, cst.Name) and last.value == self._plain.get(name)
                called = of_module or name in self._methods
            case _:
                called = False
        return parenthesized(cst.Await(updated_node)) if called else updated_node


def becomes_asynchronous(name: str, around: Sequence[str], functions: Collection[str]) -> bool:
    """Whether a function that stands within these classes ("()" for a function) is among the given ones."""
    if around:
        return f"{around[-1]}.{name}" in functions
    return any(each.endswith(f":{name}") for each in functions)
