"""Rewriting the operations on the files of a location, within the same walk that rewrites stores in memory."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence

import libcst as cst

from unstate.model import Op, Refusal, Site
from unstate.rewrite import djangofiles, fileforms
from unstate.rewrite.binding import Binding, Rewritten
from unstate.rewrite.fileforms import Copy, Folder, Form, Left, Opened, code, separated
from unstate.rewrite.names import Names
from unstate.rewrite.parentheses import OurParen
from unstate.rewrite.source import Source

FOLDER = "folder"  # what the container of a location is called
Node = cst.CSTNode
Change = Callable[[Node], Node | cst.RemovalSentinel]
_BLOCKS = (cst.IndentedBlock, cst.Module)
_WRITING = frozenset("open_file save_upload write_file write_text_file local_file".split())
_LISTING = frozenset("folders list_folder folder_paths is_folder file_exists glob_folder glob_files".split())
_HOLDERS = (cst.SimpleStatementLine, cst.BaseCompoundStatement, cst.Lambda, cst.BaseComp)
_FILES = re.compile(r"\.files\b")
WHEN_CLOSED = (
    "a file is there for others once it is closed, and not at all where writing it failed; a write over a file that is"
    " there replaces it as a whole"
)
FOLDERS = "folders are not made: one that is empty is not there, names come in alphabetical order"
WIPES = (
    "the folder is emptied no more when the app starts or ends: with two processes that would delete the files of the"
    " other; where old files are to go, set a lifecycle rule on the bucket"
)
COPIES = "`{}` is given a local copy of the file while it runs"


class FileEdits:
    """What becomes of the nodes that work on files of some locations."""

    def __init__(self, source: Source, bindings: Sequence[Binding], names: Names, outcome: Rewritten) -> None:
        self.source = source
        self.names = names
        self.outcome = outcome
        self._within: set[int] = set()
        self._changes: dict[int, Change] = {}
        self._wraps: dict[int, list[tuple[str, str, cst.BaseExpression, str]]] = defaultdict(list)
        self._locals: dict[int, set[str]] = defaultdict(set)  # names of copies, by function
        self._in_copies: dict[int, cst.BaseExpression] = {}  # how a path is written where a copy is lent
        self._done: set[int] = set()
        self._expressions: dict[tuple[int, int, int, int], list[tuple[Node, ...]]] = {}
        if any(binding.in_file(source.path) for binding in bindings):
            self._expressions = _expressions(source)
            self._imports = "\n".join(line for line in source.module.code.splitlines() if "import" in line)
        for binding in bindings:
            self._plan(binding)

    def within(self, node: Node) -> bool:
        """Whether something changes in `node`."""
        return id(node) in self._within

    def left(self, original: Node, updated: Node) -> Node | cst.RemovalSentinel:
        """What a node becomes once its parts are done."""
        if id(original) in self._changes:
            self._done.add(id(original))
            return self._changes[id(original)](updated)
        return updated

    def finish(self, bindings: Sequence[Binding]) -> None:
        """Refuse where another store's change took a place that was to be changed."""
        nested = any(
            each is not path and id(each) in self._changes
            for wraps in self._wraps.values()
            for _, _, path, _ in wraps
            for each in _walk(path)
        )
        if set(self._changes) - self._done or nested:
            for binding in bindings:
                self._refuse(binding, 1, "two changes take the same place")

    # -- planning ------------------------------------------------------------------------------------------------

    def _plan(self, binding: Binding) -> None:
        by_place: dict[tuple[int, int, int, int], set[Op]] = defaultdict(set)
        for site in binding.in_file(self.source.path):
            by_place[_place(site)].add(site.op)
        self._paths = {
            id(chain[-1]) for place, ops in by_place.items() if Op.PATH in ops for chain in self._at(place, call=False)
        }
        for place, ops in sorted(by_place.items()):
            if Op.STORED in ops:
                self._stored(binding, place)
        folders: list[tuple[Node, ...]] = []
        for place, ops in sorted(by_place.items()):
            called = frozenset(ops - {Op.PATH, Op.PASS, Op.STORED})
            if Op.PASS in ops:
                self._pass(binding, place)
            if not called:
                continue
            chain = next(iter(self._at(place, call=True)), None)
            if chain is None:
                self._refuse(binding, place[0], "a use of its files stands here and could not be located")
                continue
            if called in ({Op.CALL}, {Op.CLEAR}):
                folders.append(chain)
            else:
                self._operation(binding, chain, called)
        for chain in folders:
            self._drop_folder(binding, chain)

    def _at(self, place: tuple[int, int, int, int], *, call: bool) -> list[tuple[Node, ...]]:
        return [chain for chain in self._expressions.get(place, ()) if not call or isinstance(chain[-1], cst.Call)][:1]

    def _chain(self, node: cst.BaseExpression) -> tuple[Node, ...]:
        """An expression with the nodes around it."""
        at = self.source.positions[node]
        place = at.start.line, at.start.column, at.end.line, at.end.column
        return next(chain for chain in self._expressions[place] if chain[-1] is node)

    def _operation(self, binding: Binding, chain: tuple[Node, ...], ops: frozenset[Op]) -> None:
        node = chain[-1]
        assert isinstance(node, cst.Call)
        operands = frozenset(index for index, value in _operands(node) if id(value) in self._paths)
        if not operands and ops == {Op.WRITE}:
            return  # a storage of the framework writes, to a name
        edit = djangofiles.served(node, ops, presigned=binding.presigned)
        if edit is not None:
            self._edit(binding, chain, edit)
            return
        chosen = fileforms.choose(node, ops, operands, self._imports)
        if isinstance(chosen, Copy) and _is_upload(node, chain):
            chosen = Form("save_upload", lambda call: [cst.Arg(call.func.value), cst.Arg(call.args[0].value)])  # type: ignore[attr-defined]
        match chosen:
            case str():
                self._refuse(binding, self._line(node), chosen)
            case Form():
                self._form(binding, chain, node, chosen)
            case Copy():
                self._copy(binding, self._chain(dict(_operands(node))[chosen.index]), chosen.mode, code(node.func))
            case Opened():
                self._open(binding, chain, node, chosen)
            case Folder():
                self._drop_folder(binding, chain)
            case Left():
                pass

    def _stored(self, binding: Binding, place: tuple[int, int, int, int]) -> None:
        """A use of Django's storage, or of the local path of a file in it."""
        chain = next(iter(self._at(place, call=False)), None)
        if chain is None:
            self._refuse(binding, place[0], "a use of Django's storage stands here and could not be located")
            return
        node = chain[-1]
        assert isinstance(node, cst.BaseExpression)
        edit = djangofiles.stored(node, presigned=binding.presigned)
        self._edit(binding, chain, edit)
        if isinstance(edit, djangofiles.Edit):
            self._in_copies[id(node)] = edit.change(node, self.names.use(edit.helper))

    def _edit(self, binding: Binding, chain: tuple[Node, ...], edit: djangofiles.Edit | str) -> None:
        if isinstance(edit, str):
            self._refuse(binding, self._line(chain[-1]), edit)
            return
        self._note(binding, edit.helper)
        self._change(chain, lambda new: edit.change(new, self.names.use(edit.helper)))  # type: ignore[arg-type]

    def _form(self, binding: Binding, chain: tuple[Node, ...], node: cst.Call, form: Form) -> None:
        if form.helper == "remove_file" and fileforms.last_name(node) in ("BackgroundTask", "add_task"):
            name = self.names.use(form.helper)
            self._change(chain, lambda new: new.with_deep_changes(new.args[0], value=cst.Name(name)))  # type: ignore[attr-defined]
            return
        helper = form.helper
        how = _how(chain)
        awaited = len(chain) > 1 and isinstance(chain[-2], cst.Await)
        if helper in ("remove_tree",) and fileforms.last_name(node) in ("BackgroundTask", "add_task"):
            self._refuse(binding, self._line(node), "a task of the background removes a folder")
            return
        asynchronous = form.remote and (how == "async" or awaited)
        if form.remote and how in ("lambda", "generator"):
            self._refuse(binding, self._line(node), f"`await` cannot stand in this {how}")
            return
        if how == "sync":
            self.outcome.blocking.setdefault(binding.id, set()).add(_function(chain))
        self._note(binding, helper)

        def change(new: Node) -> Node:
            assert isinstance(new, cst.Call)
            name = self.names.use(f"async_{helper}" if asynchronous else helper)
            call = new.with_changes(func=cst.Name(name), args=separated(form.arguments(new)))
            if asynchronous and not awaited:
                return cst.Await(call, lpar=[OurParen()], rpar=[cst.RightParen()])
            return call

        self._change(chain, change)

    def _open(self, binding: Binding, chain: tuple[Node, ...], node: cst.Call, opened: Opened) -> None:
        self._note(binding, "open_file")
        item = next((each for each in reversed(chain[:-1]) if isinstance(each, cst.WithItem)), None)
        entered = item is not None and item.item is node
        block = next((each for each in reversed(chain) if isinstance(each, cst.With)), None)
        how = _how(chain)
        if how in ("lambda", "generator"):
            self._refuse(binding, self._line(node), f"a file is opened in a {how} of asynchronous code")
            return
        if opened.by_aiofiles:
            if not entered or block is None or block.asynchronous is None:
                self._refuse(binding, self._line(node), "`aiofiles.open` is not entered by `async with`")
                return
            self._call(chain, "aio_open_file", opened)
            return
        if how == "async":
            if not entered or block is None or len(block.items) != 1:
                self._refuse(
                    binding, self._line(node), "a file is opened in asynchronous code without a `with` of its own"
                )
                return
            self._call(chain, "async_open_file", opened)
            header = chain[: chain.index(block) + 1]
            self._change(
                header,
                lambda new: new.with_changes(asynchronous=cst.Asynchronous(cst.SimpleWhitespace(" "))),
            )
            return
        if not opened.mode.startswith("r") and "r" not in opened.mode and not entered and not _is_closed(chain):
            self._refuse(binding, self._line(node), "a file that is written is not closed here, and so never stored")
            return
        if how == "sync":
            self.outcome.blocking.setdefault(binding.id, set()).add(_function(chain))
        self._call(chain, "open_file", opened)

    def _call(self, chain: tuple[Node, ...], helper: str, opened: Opened) -> None:
        name = self.names.use(helper)

        def change(new: Node) -> Node:
            assert isinstance(new, cst.Call)
            return new.with_changes(func=cst.Name(name), args=separated(opened.arguments(new)))

        self._change(chain, change)

    def _pass(self, binding: Binding, place: tuple[int, int, int, int]) -> None:
        chain = next(iter(self._at(place, call=False)), None)
        if chain is None:
            self._refuse(binding, place[0], "a path is handed on here and could not be located")
            return
        call = next((each for each in reversed(chain[:-1]) if isinstance(each, cst.Call)), None)
        self._copy(binding, chain, "r+", code(call.func) if call is not None else "")

    def _copy(self, binding: Binding, chain: tuple[Node, ...], mode: str, called: str) -> None:
        """The statement goes into a `with` that lends a local copy."""
        node = chain[-1]
        assert isinstance(node, cst.BaseExpression)
        position = next(
            (
                index
                for index in range(len(chain) - 1, -1, -1)
                if isinstance(
                    chain[index], cst.SimpleStatementLine | cst.BaseCompoundStatement | cst.Lambda | cst.BaseComp
                )
            ),
            0,
        )
        statement = chain[position]
        plain = isinstance(statement, cst.SimpleStatementLine) or (
            isinstance(statement, cst.With) and isinstance(chain[position + 1], cst.WithItem)
        )
        if not plain or _waits(statement):
            self._refuse(
                binding, self._line(node), f"`{called}` needs a local copy of the file, for which is no room here"
            )
            return
        how = _how(chain)
        if how == "sync":
            self.outcome.blocking.setdefault(binding.id, set()).add(_function(chain))
        self._note(binding, "local_file")
        self.outcome.differences.setdefault(binding.id, set()).add(COPIES.format(called))
        given = self._in_copies.get(id(node), node)
        text = code(given)
        there = {path: local for local, _, path, _ in self._named(statement)}
        local = there.get(text)
        if local is None:
            local = self._fresh("local", chain)
            helper = self.names.use("async_local_file" if how == "async" else "local_file")
            self._wraps[id(statement)].append((local, helper, given, "" if mode == "r+" else mode))
        self._change(chain, lambda new: cst.Name(local))
        if len(self._wraps[id(statement)]) == 1 and local not in there.values():
            wraps = self._wraps[id(statement)]
            self._change(chain[: position + 1], lambda new: _wrapped(new, wraps, asynchronous=how == "async"))

    def _named(self, statement: Node) -> list[tuple[str, str, str, str]]:
        return [(local, helper, code(path), str(mode)) for local, helper, path, mode in self._wraps[id(statement)]]

    def _fresh(self, wanted: str, chain: tuple[Node, ...]) -> str:
        """A name that neither the file nor another copy in the same function has."""
        function = next((id(each) for each in reversed(chain) if isinstance(each, cst.FunctionDef)), 0)
        used = self._locals[function]
        name, n = self.names.fresh(wanted), 2
        while name in used or name in self.names.taken:
            name, n = f"{wanted}_{n}", n + 1
        used.add(name)
        return name

    def _drop_folder(self, binding: Binding, chain: tuple[Node, ...]) -> None:
        """Take the making of a folder out, with the test that guards it."""
        node, line = chain[-1], self._line(chain[-1])
        assert isinstance(node, cst.Call)
        expression = chain[:-1]
        if expression and isinstance(expression[-1], cst.Await):
            expression = expression[:-1]
        match expression:
            case [*_, cst.SimpleStatementLine(body=[_]) as statement, cst.Expr()]:
                pass
            case _:
                self._refuse(binding, line, "a folder is made here together with something else")
                return
        position = expression.index(statement)
        around = expression[position - 1]
        guard = expression[position - 2] if position > 1 else None
        wipes = fileforms.last_name(node) == "rmtree"
        tolerant = (
            wipes
            or fileforms.last_name(node) == "rmdir"
            or _how(chain) == "module"
            or _is_true(fileforms.keyword(node, "exist_ok"))
            or any(isinstance(each, cst.Try) for each in chain)
        )
        if wipes:
            self.outcome.differences.setdefault(binding.id, set()).add(WIPES)
        if isinstance(guard, cst.If) and self._is_test(guard, wipes=wipes):
            if len(guard.body.body) == 1 and guard.orelse is None and not isinstance(expression[position - 3], cst.If):
                self._forget(guard)
                self._change(expression[: position - 1], lambda new: cst.RemoveFromParent())
                return
        elif not tolerant:
            self._refuse(binding, line, "a folder is made here that must not be there already, which nobody can tell")
            return
        self._note(binding, "folders")
        if isinstance(around, _BLOCKS) and len(around.body) == 1 and not isinstance(around, cst.Module):
            self._change(
                expression[: position + 1],
                lambda new: new.with_changes(body=[cst.Pass()]),
            )
            return
        self._change(expression[: position + 1], lambda new: cst.RemoveFromParent())

    def _is_test(self, guard: cst.If, *, wipes: bool) -> bool:
        """Whether an `if` only asks whether the folder is there, or is not."""
        match guard.test:
            case cst.Call() as call if wipes:
                return id(call) in self._changes
            case cst.UnaryOperation(operator=cst.Not(), expression=cst.Call() as call):
                return id(call) in self._changes
        return False

    def _forget(self, node: Node) -> None:
        """Changes in a node that goes as a whole are not made."""
        for each in _walk(node):
            self._changes.pop(id(each), None)

    # -- bookkeeping ---------------------------------------------------------------------------------------------

    def _change(self, chain: Sequence[Node], change: Change) -> None:
        node = chain[-1]
        before = self._changes.get(id(node))
        self._changes[id(node)] = change if before is None else lambda new: change(before(new))  # type: ignore[arg-type]
        self._within.update(id(each) for each in chain)

    def _note(self, binding: Binding, helper: str) -> None:
        differences = self.outcome.differences.setdefault(binding.id, set())
        if helper in _WRITING:
            differences.add(WHEN_CLOSED)
        if helper in (
            "folders",
            "list_folder",
            "folder_paths",
            "is_folder",
            "file_exists",
            "glob_folder",
            "glob_files",
        ):
            differences.add(FOLDERS)
        self.outcome.rules.setdefault(binding.id, set()).add(f"files.{helper}")

    def _refuse(self, binding: Binding, line: int, reason: str) -> None:
        refusals = self.outcome.refusals.setdefault(binding.id, [])
        if all(refusal.line != line for refusal in refusals):
            refusals.append(Refusal(path=self.outcome.path, line=line, reason=reason))

    def _line(self, node: Node) -> int:
        return self.source.positions[node].start.line


def _place(site: Site) -> tuple[int, int, int, int]:
    return site.span.line, site.span.column, site.span.end_line, site.span.end_column


def _expressions(source: Source) -> dict[tuple[int, int, int, int], list[tuple[Node, ...]]]:
    """Every expression by its place, each with the nodes around it, the module first."""
    found: dict[tuple[int, int, int, int], list[tuple[Node, ...]]] = {}
    waiting: list[tuple[Node, tuple[Node, ...]]] = [(source.module, ())]
    while waiting:
        node, around = waiting.pop()
        here = (*around, node)
        if isinstance(node, cst.BaseExpression) and (at := source.positions.get(node)) is not None:
            found.setdefault((at.start.line, at.start.column, at.end.line, at.end.column), []).append(here)
        waiting.extend((child, here) for child in node.children)
    return found


def _walk(node: Node) -> Sequence[Node]:
    found = [node]
    for each in found:
        found.extend(each.children)
    return found


def _operands(node: cst.Call) -> list[tuple[int, cst.BaseExpression]]:
    found = [(index, arg.value) for index, arg in enumerate(node.args)]
    return [(-1, node.func.value), *found] if isinstance(node.func, cst.Attribute) else found


def _how(chain: Sequence[Node]) -> str:
    """What decides whether `await` may stand: "async", "sync", "lambda", "generator", "module"."""
    for position in range(len(chain) - 1, -1, -1):
        match chain[position]:
            case cst.FunctionDef(asynchronous=asynchronous) if isinstance(chain[position + 1], cst.IndentedBlock):
                return "sync" if asynchronous is None else "async"
            case cst.Lambda() if _is_asynchronous(chain):
                return "lambda"
            case cst.GeneratorExp() if _is_asynchronous(chain):
                return "generator"
    return "module"


def _is_asynchronous(chain: Sequence[Node]) -> bool:
    return any(isinstance(each, cst.FunctionDef) and each.asynchronous for each in chain)


def _function(chain: Sequence[Node]) -> str:
    return next(each.name.value for each in reversed(chain) if isinstance(each, cst.FunctionDef))


def _waits(node: Node) -> bool:
    """Whether a generator is left or entered in a statement: a copy must not be lent across that."""
    return any(isinstance(each, cst.Yield) for each in _walk(node))


def _is_true(node: cst.BaseExpression | None) -> bool:
    return isinstance(node, cst.Name) and node.value == "True"


def _is_closed(chain: Sequence[Node]) -> bool:
    """`f = open(...)` with `f.close()` in the same function."""
    match chain[-2]:
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))]):
            around = next((each for each in reversed(chain) if isinstance(each, cst.FunctionDef)), chain[0])
            return f"{name}.close()" in code(around)
    return False


def _is_upload(node: cst.Call, chain: Sequence[Node]) -> bool:
    """Whether `x.save(path)` saves what a client sent with a form: `x` comes from `request.files`, and nothing else."""
    if fileforms.last_name(node) != "save" or len(node.args) != 1 or not isinstance(node.func, cst.Attribute):
        return False
    upload = code(node.func.value)
    if _FILES.search(upload):
        return True
    around = next((each for each in reversed(chain) if isinstance(each, cst.FunctionDef)), None)
    if around is None or not upload.isidentifier():
        return False
    text = code(around)
    bound = re.findall(
        rf"^\s*{upload}\s*(?::[^=\n]+)?=(?!=)\s*(.*)$|\bfor\s+{upload}\s+in\s+(.*?):", text, re.MULTILINE
    )
    given = re.search(rf"\b{upload}\s*:\s*(\w+\.)*FileStorage\b", text)
    return bool(given) or (bool(bound) and all(_FILES.search(one or two) for one, two in bound))


def _wrapped(new: Node, wraps: Sequence[tuple[str, str, cst.BaseExpression, str]], *, asynchronous: bool) -> Node:
    """The statement within `with local_file(path) as local:`."""
    assert isinstance(new, cst.SimpleStatementLine | cst.With)
    items = [
        cst.WithItem(
            cst.Call(
                cst.Name(helper),
                separated([cst.Arg(path), *([fileforms.appended(cst.Arg(path), str(mode))] if mode else [])]),
            ),
            cst.AsName(cst.Name(local)),
        )
        for local, helper, path, mode in wraps
    ]
    body = new.with_changes(leading_lines=[])
    return cst.With(
        items,
        cst.IndentedBlock([body]),
        asynchronous=cst.Asynchronous(cst.SimpleWhitespace(" ")) if asynchronous else None,
        leading_lines=new.leading_lines,
    )
