"""A module's tree, indexed: what stands around a node, where a name is used, what is imported and defined."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import libcst as cst

from unstate.rewrite.places import bound_as, called_name, in_order, parts, root_name, waits


class Tree:
    """The nodes of one module, with the ways from each to those around it."""

    def __init__(self, module: cst.Module, local_modules: frozenset[str] = frozenset()) -> None:
        """`local_modules`: the top-level names of the service's own modules."""
        self.module = module
        self.memo: dict[tuple[str, object], object] = {}  # what was found out about parts of the tree
        self._local_modules = local_modules
        self._parents: dict[int, cst.CSTNode] = {}
        self._order: dict[int, int] = {}
        self._functions: dict[str, list[cst.FunctionDef | cst.ClassDef]] = {}
        self._imports: dict[str, str] = {}  # local name -> top-level module, "." for a relative one
        self._end: dict[int, int] = {}  # the number of the last node below a node
        self._uses: dict[str, list[cst.Name]] = {}  # in their order
        self._loops: list[cst.While] = []
        self._renamed: dict[str, set[str]] = {}  # names that are imported under other ones
        self.nodes: Sequence[cst.CSTNode] = in_order(module)  # each before those below it
        for number, parent in enumerate(self.nodes):
            self._order[id(parent)] = self._end[id(parent)] = number
            for child in parts(parent):
                self._parents[id(child)] = parent
            self._note(parent)
        for node in reversed(self.nodes[1:]):
            around = id(self._parents[id(node)])
            self._end[around] = max(self._end[around], self._end[id(node)])

    def _note(self, node: cst.CSTNode) -> None:
        match node:
            case cst.Name(value=name):
                self._uses.setdefault(name, []).append(node)
            case cst.While():
                self._loops.append(node)
            case cst.FunctionDef() | cst.ClassDef():
                self._functions.setdefault(node.name.value, []).append(node)
            case cst.ImportFrom(names=[*aliases]):
                top = "." if node.relative or node.module is None else root_name(node.module)
                self._imports.update((bound_as(alias), top) for alias in aliases)
                for alias in aliases:
                    if alias.asname is not None:
                        self._renamed.setdefault(alias.evaluated_name, set()).add(bound_as(alias))
            case cst.Import(names=aliases):
                self._imports.update((bound_as(alias), root_name(alias.name)) for alias in aliases)

    def _below(self, node: cst.CSTNode, around: cst.CSTNode) -> bool:
        return self._order[id(around)] <= self._order[id(node)] <= self._end[id(around)]

    def _names_below(self, scope: cst.CSTNode, names: Collection[str]) -> list[cst.Name]:
        """The uses of names in a scope, in their order."""
        found = [use for name in names for use in self._uses.get(name, ()) if self._below(use, scope)]
        return sorted(found, key=lambda use: self._order[id(use)])

    def uses(self, name: str) -> Sequence[cst.Name]:
        """Where a name or attribute of that name stands in the module."""
        return self._uses.get(name, ())

    def defined(self, name: str) -> Sequence[cst.FunctionDef | cst.ClassDef]:
        """The functions and classes of the module that are called so."""
        return self._functions.get(name, ())

    def imported_from(self, name: str) -> str:
        """The library that the module imports a name from; "" for a name of the service, or none that is imported."""
        imported = self._imports.get(name, "")
        return "" if imported == "." or imported in self._local_modules else imported

    def names_of(self, name: str) -> Sequence[str]:
        """What a function is called in the module: by its own name, and those that it is imported under."""
        return (name, *sorted(self._renamed.get(name, ())))

    def is_renamed(self, name: str) -> bool:
        """Whether the module imports a name under another one."""
        return name in self._renamed

    def is_own(self, name: str) -> bool:
        """Whether a name is a function of the module, or of another one of the service."""
        imported = self._imports.get(name)
        return name in self._functions if imported is None else imported == "." or imported in self._local_modules

    def is_behind(self, node: cst.CSTNode, other: cst.CSTNode) -> bool:
        """Whether a node begins behind the end of another."""
        return self._order[id(node)] > self._end[id(other)]

    def stands_in(self, node: cst.CSTNode, around: cst.CSTNode) -> bool:
        """Whether a node is another, or a part of it."""
        return self._below(node, around)

    def is_read(self, name: cst.Name) -> bool:
        """Whether a name is read where it stands."""
        parent = self._parents[id(name)]
        if isinstance(parent, cst.Attribute) and parent.attr is name:
            return False
        if isinstance(parent, cst.Arg) and parent.keyword is name:
            return False
        return not self._is_stored(name) and not isinstance(parent, cst.Param | cst.NameItem | cst.ImportAlias)

    def has(self, node: cst.CSTNode) -> bool:
        """Whether a node is one of the module, and not one that was made for it."""
        return id(node) in self._order

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The node around a node."""
        return self._parents.get(id(node))

    def may_run_after(self, node: cst.CSTNode, other: cst.CSTNode) -> bool:
        """Whether a node that stands behind another of its function may run after it: not where the other's block
        returns before its end. A function within may run at any time, and a `try` goes on
        elsewhere."""
        function = self.function(other)
        if self.function(node) is not function:
            return True
        inner, ended = other, False
        for block in reversed(self.around(other)[:-1]):
            if block is function:
                break
            if isinstance(block, cst.Try | cst.TryStar) or (isinstance(block, cst.With) and _swallows(block)):
                return True
            if isinstance(block, cst.IndentedBlock) and not ended and not self._below(node, block):
                rest = block.body[[*map(id, block.body)].index(id(inner)) :]
                ended = any(isinstance(each, cst.SimpleStatementLine) and returns(each) for each in rest)
            inner = block
        return not ended

    def around(self, node: cst.CSTNode) -> tuple[cst.CSTNode, ...]:
        """The nodes around a node, the module first, the node itself last."""
        found = [node]
        while (parent := self._parents.get(id(found[-1]))) is not None:
            found.append(parent)
        return tuple(reversed(found))

    def function(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        """The innermost function around a node."""
        current: cst.CSTNode | None = node
        while current is not None and not isinstance(current, cst.FunctionDef):
            current = self._parents.get(id(current))
        return current

    def qualified(self, node: cst.CSTNode) -> str:
        """The innermost function around a node, after its class where it is a method; "" outside of functions."""
        function = self.function(node)
        if function is None:
            return ""
        owner = self.owner_of(function)
        return f"{owner}.{function.name.value}" if owner else function.name.value

    def owner_of(self, function: cst.FunctionDef) -> str:
        """The class whose method a function is, "" for any other function."""
        owner = self._parents.get(id(self._parents[id(function)]))
        return owner.name.value if isinstance(owner, cst.ClassDef) else ""

    def is_method(self, function: cst.FunctionDef) -> bool:
        """Whether a function gets the object or class that it is called on."""
        body = self._parents[id(function)]
        static = any(called_name(each.decorator) == "staticmethod" for each in function.decorators)
        return isinstance(self._parents.get(id(body)), cst.ClassDef) and not static

    def _is_stored(self, node: cst.CSTNode) -> bool:
        """Whether what stands here is bound, changed or deleted, not read."""
        around = self._parents[id(node)]
        match around:
            case cst.AugAssign(target=target) | cst.AnnAssign(target=target) | cst.NamedExpr(target=target):
                return target is node
            case cst.For(target=target) | cst.CompFor(target=target):
                return target is node
            case cst.Element():
                return self._is_target(around)
        return isinstance(around, cst.AssignTarget | cst.Del | cst.AsName)

    def _is_target(self, element: cst.CSTNode) -> bool:
        node = element
        while isinstance(node, cst.Element | cst.Tuple | cst.List):
            node = self._parents[id(node)]
        return isinstance(node, cst.AssignTarget | cst.For | cst.CompFor)

    def is_no_use(self, name: cst.CSTNode) -> bool:
        """Whether a name is another's attribute, an import or a definition."""
        return isinstance(self._parents[id(name)], cst.Attribute | cst.ImportAlias | cst.FunctionDef)

    def _stands_in(self, start: cst.CSTNode | None, node: cst.CSTNode, statement: cst.CSTNode) -> bool:
        """Whether what is changed at a node is reached from what was read by subscripts and attributes alone, in a
        statement that does nothing before that could look at it."""
        if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1 or waits(statement):
            return False
        if not isinstance(statement.body[0], cst.Assign | cst.AugAssign | cst.Expr | cst.Del):
            return False
        top = node
        while isinstance(top, cst.BaseExpression):  # not in a part of the statement that may not run
            around = self._parents[id(top)]
            whole = isinstance(around, cst.Call) and around.func is top
            if (
                isinstance(around, cst.BaseExpression)
                and not whole
                and not isinstance(around, cst.Subscript | cst.Attribute)
            ):
                return False
            top = around
        if not isinstance(top, cst.AssignTarget | cst.BaseSmallStatement):
            return False
        while node is not start:
            if not isinstance(node, cst.Subscript | cst.Attribute):
                return False
            node = node.value
        return True

    def _first_step(self, start: cst.CSTNode | None) -> cst.CSTNode | None:
        """The part of a value that is stepped into where it is read."""
        around = None if start is None else self._parents[id(start)]
        method = isinstance(around, cst.Attribute) and isinstance(self._parents[id(around)], cst.Call)
        return None if method or not isinstance(around, cst.Subscript | cst.Attribute) else around


def returns(line: cst.SimpleStatementLine) -> bool:
    """Whether a line leaves the function by a `return`."""
    return any(isinstance(each, cst.Return) for each in line.body)


def _swallows(block: cst.With) -> bool:
    """Whether a `with` goes on behind it after an exception."""
    return any(isinstance(each.item, cst.Call) and called_name(each.item.func) == "suppress" for each in block.items)
