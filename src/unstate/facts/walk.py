"""One stack walk over a file's syntax tree: scopes, imports, and every path with what happens to it.

Written by hand because this is where a scan spends its time: a NodeVisitor costs several times as much. Entries of the
stack are `(node, up, frame, flags)`, where `up` is a linked list of the nodes around it, `(parent, parent's up)`.

Another kind of fact over the same walk (file operations, say) is a module beside this one with a function over the
finished `FileFacts`: paths, arguments and type hints are kept for calls of imported names too, so that
`shutil.copy(upload.path, target)` can be read from `refs` without a walk of its own.
"""

from __future__ import annotations

import ast
from typing import Any

from unstate.facts import files, hints, nested
from unstate.facts.uses import Up, is_part, use_of
from unstate.facts.values import (
    ANONYMOUS,
    AWAITED,
    BRANCH,
    BY_NAME,
    CLASS,
    COMPREHENSION,
    DYNAMIC,
    FUNCTION,
    HANDLER,
    LAMBDA,
    LOCK,
    LOOP,
    MAIN,
    MODULE,
    PART,
    TRY,
    TYPE_CHECKING,
    UNPACKED,
    Argument,
    Expression,
    Frame,
    Hint,
    Import,
    Parameter,
    Ref,
)

Span = tuple[int, int, int, int]

_PATHS = frozenset({ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.Await})
_LEAVES = frozenset({ast.Constant, ast.Pass, ast.Break, ast.Continue, ast.Load, ast.Store, ast.Del})
_COMPREHENSIONS = frozenset({ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp})
_LONGEST_SOURCE = 400


class _Open:
    """A frame that is being filled."""

    __slots__ = ("asynchronous", "declared", "fields", "generator", "index", "nonlocals", "parent", "qualname", "sort")

    def __init__(self, sort: str, index: int, parent: _Open | None, qualname: str, fields: dict[str, Any]) -> None:
        self.sort = sort
        self.index = index
        self.parent = parent
        self.qualname = qualname
        self.fields = fields
        self.asynchronous = False
        self.declared: list[str] = []
        self.nonlocals: list[str] = []
        self.generator = False


class Walk:
    """Fills `frames`, `imports` and `refs` from one module."""

    def __init__(self, tree: ast.Module, text: str, touches_files: bool = False) -> None:
        self.text = text
        self.touches_files = touches_files
        self.expressions: list[Expression] = []
        self.lines: list[str] | None = None
        self.open: list[_Open] = []
        self.imports: list[Import] = []
        self.refs: list[Ref] = []
        self.entries: list[Ref] = []
        self.stack: list[tuple[ast.AST, Up, _Open, int]] = []
        module = self._frame(MODULE, None, "", "", {"line": 1, "end_line": text.count("\n") + 1})
        for statement in tree.body:
            self.stack.append((statement, (tree, None), module, 0))
        self._run()

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The scopes, each with the names it declares as another scope's."""
        return tuple(
            Frame(
                sort=frame.sort,
                qualname=frame.qualname,
                parent=frame.parent.index if frame.parent else -1,
                globals=tuple(frame.declared),
                nonlocals=tuple(frame.nonlocals),
                generator=frame.generator,
                **frame.fields,
            )
            for frame in self.open
        )

    def _run(self) -> None:
        stack = self.stack
        pop = stack.pop
        push = stack.append
        special = self._SPECIAL
        fields = _child_fields
        while stack:
            node, up, frame, flags = pop()
            kind = type(node)
            if kind in _PATHS:
                self._path(node, up, frame, flags)
                continue
            if kind in _LEAVES:
                continue
            handler = special.get(kind)
            if handler is not None:
                handler(self, node, up, frame, flags)
                continue
            here = (node, up)
            for name in fields(kind):
                child = getattr(node, name)
                if child.__class__ is list:
                    for item in child:
                        if item is not None and item.__class__ is not str:
                            push((item, here, frame, flags))
                elif child is not None:
                    push((child, here, frame, flags))

    # Paths

    def _path(self, node: Any, up: Up, frame: _Open, flags: int) -> None:
        push = self.stack.append
        steps: list[str] = []
        nodes: list[Any] = []
        arguments: list[tuple[Argument, ...]] = []
        top = node
        begin: Any = None  # where the source of the path begins, if not at its root
        while True:
            kind = type(node)
            if kind is ast.Attribute:
                steps.append(node.attr)
                nodes.append(node)
                node = node.value
            elif kind is ast.Name:
                break
            elif kind is ast.Call:
                here = (node, up)
                owner = hints.instance_of_type(node)
                if owner is not None:  # `type(self).x` is `self.__class__.x`
                    steps.append("__class__")
                    nodes.append(node)
                    begin = begin or node
                    node = owner
                    continue
                if type(node.func) is ast.Name and node.func.id == "setattr":
                    self._set_by_name(node, up, frame, flags)
                if self.touches_files and (touching := files.is_touching(node)):
                    self._expression("call", touching, node, frame, flags)
                for argument in node.args:
                    if type(argument) not in _LEAVES:
                        push((argument, here, frame, flags))
                for keyword in node.keywords:
                    if type(keyword.value) not in _LEAVES:
                        push((keyword.value, (keyword, here), frame, flags))
                steps.append("()")
                nodes.append(node)
                arguments.append(hints.arguments(node))
                node = node.func
            elif kind is ast.Subscript and (name := hints.global_name(node)):
                begin = begin or node
                flags |= BY_NAME
                if type(node.ctx) is not ast.Load:
                    frame.declared.append(name)
                node = ast.copy_location(ast.Name(name, node.ctx), node)
                break
            elif kind is ast.Subscript:
                steps.append(hints.subscript_step(node.slice))
                nodes.append(node)
                arguments.append((Argument("", hints.hint(node.slice)),))
                if type(node.slice) not in _LEAVES:
                    push((node.slice, (node, up), frame, flags))
                node = node.value
            elif kind is ast.Await:
                flags |= AWAITED
                node = node.value
            else:
                if kind not in _LEAVES:
                    push((node, (top, up), frame, flags))
                return
        ends = [node.end_lineno, node.end_col_offset]
        for step in reversed(nodes):
            ends.append(step.end_lineno)
            ends.append(step.end_col_offset)
        steps.append(node.id)
        steps.reverse()
        arguments.reverse()
        use, holder, callee, position = use_of(top, up)
        if (
            nodes
            and steps[0] in ("getattr", "setattr")
            and type(node) is ast.Name
            and hints.is_computed_name(nodes[-1])
        ):
            flags |= DYNAMIC
        if use == "return" and is_part(up):
            flags |= PART
        value: Hint = ()
        annotation = source = ""
        statement: Span = (0, 0, 0, 0)
        if use == "target" and holder is not None:
            assigned = getattr(holder, "value", None)
            if assigned is not None:
                value = hints.hint(assigned)
                if flags & COMPREHENSION == 0:
                    source = self._source(assigned)
            if type(holder) is ast.AnnAssign:
                annotation = hints.annotation(holder.annotation)
            statement = _span(holder)
            if not nodes and not frame.index and type(assigned) is ast.Dict:
                self.entries += nested.entries(node, holder, self._source)
        elif use == "unpack" and holder is not None:
            whole, part = holder
            use, flags = "target", flags | UNPACKED
            value, source, statement = hints.hint(part), self._source(part), _span(whole)
        elif use == "augment" and holder is not None:
            value = hints.hint(holder.value)
            statement = _span(holder)
        elif use in ("loop", "enter as") and holder is not None:
            if use == "loop":
                value = hints.element(holder.iter)
            else:
                value, use = hints.hint(holder.context_expr), "bind"
        self.refs.append(
            Ref(
                frame.index,
                tuple(steps),
                use,
                tuple(ends),
                (begin or node).lineno,
                (begin or node).col_offset,
                tuple(arguments),
                value,
                annotation,
                source,
                statement,
                callee,
                position,
                flags,
            )
        )

    def _set_by_name(self, call: ast.Call, up: Up, frame: _Open, flags: int) -> None:
        """`setattr(holder, "name", value)` is `holder.name = value`."""
        if len(call.args) != 3 or type(call.args[1]) is not ast.Constant or type(call.args[1].value) is not str:
            return
        target = ast.copy_location(ast.Attribute(call.args[0], call.args[1].value, ast.Store()), call)
        holder = ast.copy_location(ast.Assign([target], call.args[2]), call)
        self.stack.append((target, (holder, up), frame, flags | BY_NAME))

    # Scopes

    def _frame(self, sort: str, parent: _Open | None, name: str, separator: str, fields: dict[str, Any]) -> _Open:
        qualname = name
        if parent is not None and parent.qualname:
            qualname = f"{parent.qualname}{separator}{name}" if name else parent.qualname
        frame = _Open(sort, len(self.open), parent, qualname, {"name": name, **fields})
        self.open.append(frame)
        return frame

    def _function(self, node: Any, up: Up, frame: _Open, flags: int) -> None:
        here = (node, up)
        push = self.stack.append
        for decorator in node.decorator_list:
            push((decorator, here, frame, flags))
        self._bound(node.name, node, frame, flags, "define")
        separator = ".<locals>." if frame.sort == FUNCTION else "."
        parameters = self._parameters(node.args, here, frame, flags)
        paths, words = _decorators(node.decorator_list)
        inner = self._frame(
            FUNCTION,
            frame,
            node.name,
            separator,
            {
                "line": node.lineno,
                "end_line": node.end_lineno,
                "asynchronous": type(node) is ast.AsyncFunctionDef,
                "decorators": paths,
                "decorator_words": words,
                "parameters": parameters,
                "annotation": hints.annotation(node.returns) if node.returns is not None else "",
                "flags": flags,
            },
        )
        inside = flags & (MAIN | TYPE_CHECKING)
        for statement in node.body:
            push((statement, here, inner, inside))

    def _parameters(self, node: ast.arguments, here: Up, frame: _Open, flags: int) -> tuple[Parameter, ...]:
        ordinary = [*node.posonlyargs, *node.args]
        defaults: list[ast.expr | None] = [None] * (len(ordinary) - len(node.defaults)) + [*node.defaults]
        pairs = [*zip(ordinary, defaults, strict=True)]
        if node.vararg:
            pairs.append((node.vararg, None))
        pairs += zip(node.kwonlyargs, node.kw_defaults, strict=True)
        if node.kwarg:
            pairs.append((node.kwarg, None))
        result = []
        for argument, default in pairs:
            if default is not None and type(default) not in _LEAVES:
                self.stack.append((default, (argument, here), frame, flags))
            result.append(
                Parameter(
                    argument.arg,
                    hints.annotation(argument.annotation) if argument.annotation is not None else "",
                    hints.hint(default) if default is not None else (),
                    self._source(default) if default is not None else "",
                    _span(argument),
                )
            )
        return tuple(result)

    def _class(self, node: ast.ClassDef, up: Up, frame: _Open, flags: int) -> None:
        here = (node, up)
        push = self.stack.append
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            push((part, here, frame, flags))
        self._bound(node.name, node, frame, flags, "define")
        paths, words = _decorators(node.decorator_list)
        inner = self._frame(
            CLASS,
            frame,
            node.name,
            ".<locals>." if frame.sort == FUNCTION else ".",
            {
                "line": node.lineno,
                "end_line": node.end_lineno,
                "decorators": paths,
                "decorator_words": words,
                "bases": tuple(path for base in node.bases if (path := hints.path_of(base))),
                "flags": flags,
            },
        )
        for statement in node.body:
            push((statement, here, inner, flags & (MAIN | TYPE_CHECKING)))

    def _lambda(self, node: ast.Lambda, up: Up, frame: _Open, flags: int) -> None:
        here = (node, up)
        parameters = self._parameters(node.args, here, frame, flags)
        inner = self._frame(
            ANONYMOUS, frame, "", "", {"line": node.lineno, "end_line": node.end_lineno, "parameters": parameters}
        )
        self.stack.append((node.body, here, inner, flags | LAMBDA))

    def _comprehension(self, node: Any, up: Up, frame: _Open, flags: int) -> None:
        here = (node, up)
        push = self.stack.append
        inner = self._frame(ANONYMOUS, frame, "", "", {"line": node.lineno, "end_line": node.end_lineno})
        inside = flags | COMPREHENSION | LOOP
        for index, generator in enumerate(node.generators):
            up_generator = (generator, here)
            push((generator.iter, up_generator, frame if index == 0 else inner, flags if index == 0 else inside))
            push((generator.target, up_generator, inner, inside))
            for test in generator.ifs:
                push((test, up_generator, inner, inside))
        for part in (node.key, node.value) if type(node) is ast.DictComp else (node.elt,):
            push((part, here, inner, inside))

    # Statements that change where things stand

    def _loop(self, node: Any, up: Up, frame: _Open, flags: int) -> None:
        here = (node, up)
        push = self.stack.append
        if type(node) is ast.While:
            push((node.test, here, frame, flags | LOOP))
        else:
            push((node.iter, here, frame, flags))
            push((node.target, here, frame, flags))
            if self.touches_files and type(node.target) is ast.Name and files.may_be_path(node.iter):
                self._expression("loop", node.target.id, node.iter, frame, flags)
        for statement in node.body:
            push((statement, here, frame, flags | LOOP))
        for statement in node.orelse:
            push((statement, here, frame, flags))

    def _with(self, node: Any, up: Up, frame: _Open, flags: int) -> None:
        here = (node, up)
        inside = flags
        for item in node.items:
            path = hints.path_of(item.context_expr)
            if any("lock" in step.lower() or "mutex" in step.lower() or step == "sem" for step in path):
                inside |= LOCK
            self.stack.append((item, here, frame, flags))
        for statement in node.body:
            self.stack.append((statement, here, frame, inside))

    def _try(self, node: Any, up: Up, frame: _Open, flags: int) -> None:
        here = (node, up)
        for statement in node.body:
            self.stack.append((statement, here, frame, flags | TRY))
        for handler in node.handlers:
            if handler.name:
                self._bound(handler.name, handler, frame, flags, "bind")
            if handler.type is not None:
                self.stack.append((handler.type, here, frame, flags))
            for statement in handler.body:
                self.stack.append((statement, here, frame, flags | BRANCH | HANDLER))
        for statement in (*node.orelse, *node.finalbody):
            self.stack.append((statement, here, frame, flags))

    def _if(self, node: ast.If, up: Up, frame: _Open, flags: int) -> None:
        here = (node, up)
        self.stack.append((node.test, here, frame, flags))
        inside = flags | BRANCH
        if frame.sort == MODULE:
            if hints.is_main_guard(node.test):
                inside |= MAIN
            elif hints.path_of(node.test)[-1:] == ("TYPE_CHECKING",):
                inside |= TYPE_CHECKING
        for statement in node.body:
            self.stack.append((statement, here, frame, inside))
        for statement in node.orelse:
            self.stack.append((statement, here, frame, flags | BRANCH))

    def _declare(self, node: Any, up: Up, frame: _Open, flags: int) -> None:
        owner = frame
        (owner.declared if type(node) is ast.Global else owner.nonlocals).extend(node.names)
        for name, (line, column) in self._names_in(node):
            end = column + len(name.encode())
            self.refs.append(
                Ref(frame.index, (name,), "declare", (line, end), line, column, statement=_span(node), flags=flags)
            )

    def _import(self, node: ast.Import, up: Up, frame: _Open, flags: int) -> None:
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            self.imports.append(
                Import(frame.index, alias.name if alias.asname else bound, "", bound, 0, _span(alias), flags)
            )
            if not alias.asname and "." in alias.name:  # `import a.b` binds a and loads a.b
                self.imports.append(Import(frame.index, alias.name, "", "", 0, _span(alias), flags))

    def _import_from(self, node: ast.ImportFrom, up: Up, frame: _Open, flags: int) -> None:
        for alias in node.names:
            bound = "" if alias.name == "*" else alias.asname or alias.name
            self.imports.append(
                Import(frame.index, node.module or "", alias.name, bound, node.level, _span(alias), flags)
            )

    def _yield(self, node: Any, up: Up, frame: _Open, flags: int) -> None:
        owner: _Open | None = frame
        while owner is not None and owner.sort == ANONYMOUS:
            owner = owner.parent
        if owner is not None:
            owner.generator = True
            self._handed_out(node.value, owner, flags)
        if node.value is not None:
            self.stack.append((node.value, (node, up), frame, flags))

    def _return(self, node: ast.Return, up: Up, frame: _Open, flags: int) -> None:
        if node.value is not None:
            self._handed_out(node.value, frame, flags)
            self.stack.append((node.value, (node, up), frame, flags))

    def _handed_out(self, value: ast.expr | None, frame: _Open, flags: int) -> None:
        if self.touches_files and value is not None and files.may_be_path(value):
            self._expression("return", "", value, frame, flags)

    def _expression(self, sort: str, name: str, node: ast.expr, frame: _Open, flags: int) -> None:
        source = self._source(node, files.LONGEST)
        if len(source) <= files.LONGEST:
            self.expressions.append(Expression(frame.index, sort, name, source, _span(node), flags))

    def _match_capture(self, node: Any, up: Up, frame: _Open, flags: int) -> None:
        name = node.rest if type(node) is ast.MatchMapping else node.name
        if name:
            self._bound(name, node, frame, flags, "bind")
        for field in ("pattern", "keys", "patterns"):
            child = getattr(node, field, None)
            for item in child if isinstance(child, list) else [child]:
                if item is not None:
                    self.stack.append((item, (node, up), frame, flags))

    def _bound(self, name: str, node: Any, frame: _Open, flags: int, use: str) -> None:
        end = (node.lineno, node.col_offset + len(name.encode()))
        self.refs.append(
            Ref(frame.index, (name,), use, end, node.lineno, node.col_offset, statement=_span(node), flags=flags)
        )

    # Source text

    def _source(self, node: ast.expr, longest: int = _LONGEST_SOURCE) -> str:
        """The source of an expression, shortened; columns are bytes here."""
        lines = self._split()
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        if first == last:
            found = lines[first].encode()[node.col_offset : node.end_col_offset].decode()
        else:
            found = "\n".join(
                [
                    lines[first].encode()[node.col_offset :].decode(),
                    *lines[first + 1 : last],
                    lines[last].encode()[: node.end_col_offset].decode(),
                ]
            )
        return found if len(found) <= longest else found[:longest] + " ..."

    def _split(self) -> list[str]:
        """Lines as the parser counts them: a form feed or U+2028 ends none."""
        if self.lines is None:
            self.lines = self.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        return self.lines

    def _names_in(self, node: Any) -> list[tuple[str, tuple[int, int]]]:
        """Each name of a `global` or `nonlocal` statement with its place, which the tree does not keep."""
        lines = self._split()
        places = []
        line, column = node.lineno, node.col_offset + len("global" if type(node) is ast.Global else "nonlocal")
        for name in node.names:
            wanted = name.encode()
            while True:
                found = lines[line - 1].encode().find(wanted, column)
                if found >= 0:
                    break
                line, column = line + 1, 0
            places.append((name, (line, found)))
            column = found + len(wanted)
        return places

    _SPECIAL: dict[type, Any] = {
        ast.FunctionDef: _function,
        ast.AsyncFunctionDef: _function,
        ast.ClassDef: _class,
        ast.Lambda: _lambda,
        **dict.fromkeys(_COMPREHENSIONS, _comprehension),
        ast.For: _loop,
        ast.AsyncFor: _loop,
        ast.While: _loop,
        ast.With: _with,
        ast.AsyncWith: _with,
        ast.Try: _try,
        **({ast.TryStar: _try} if hasattr(ast, "TryStar") else {}),
        ast.If: _if,
        ast.Global: _declare,
        ast.Nonlocal: _declare,
        ast.Import: _import,
        ast.ImportFrom: _import_from,
        ast.Return: _return,
        ast.Yield: _yield,
        ast.YieldFrom: _yield,
        ast.MatchAs: _match_capture,
        ast.MatchStar: _match_capture,
        ast.MatchMapping: _match_capture,
    }


_FIELDS: dict[type, tuple[str, ...]] = {}
_TEXT_FIELDS = frozenset(
    {"ctx", "op", "ops", "type_comment", "kind", "id", "attr", "arg", "name", "names", "module", "level", "is_async"}
    | {"annotation", "returns", "type_params", "conversion", "lineno", "col_offset"}
)


def _child_fields(kind: type) -> tuple[str, ...]:
    known = _FIELDS.get(kind)
    if known is None:
        fields: tuple[str, ...] = getattr(kind, "_fields", ())
        known = _FIELDS[kind] = tuple(field for field in fields if field not in _TEXT_FIELDS)
    return known


def _decorators(nodes: list[ast.expr]) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    words = [
        argument.value
        for node in nodes
        if isinstance(node, ast.Call)
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]
    return tuple(path for node in nodes if (path := hints.path_of(node))), tuple(words)


def _span(node: Any) -> Span:
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset
