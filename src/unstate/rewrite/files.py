"""Rewriting the operations on the files of a location, within the same walk that rewrites stores in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

import libcst as cst

from unstate.model import ELSEWHERE, WITHOUT, Op, Refusal
from unstate.rewrite import chains, djangofiles, fileforms
from unstate.rewrite.binding import Binding, Rewritten
from unstate.rewrite.fileforms import Copy, Folder, Form, Left, Opened, code, separated
from unstate.rewrite.names import Names
from unstate.rewrite.parentheses import OurParen
from unstate.rewrite.source import Chain, Place, Source
from unstate.rewrite.visiting import as_expression

FOLDER = "folder"  # what the container of a location is called
Node = cst.CSTNode
Change = Callable[[Node], Node | cst.RemovalSentinel]
Owners = tuple[Binding, ...]  # the locations that one site belongs to
_BLOCKS = (cst.IndentedBlock, cst.Module)
_WRITING = frozenset("open_file save_upload write_file write_text_file local_file".split())
_LISTING = frozenset(
    "folders make_folder list_folder folder_paths is_folder file_exists glob_folder glob_files walk_folder".split()
)
_HOLDERS = (cst.SimpleStatementLine, cst.BaseCompoundStatement, cst.Lambda, cst.BaseComp)
WHEN_CLOSED = (
    "a file is there for others once it is closed, and not at all where writing it failed; a write over a file that is"
    " there replaces it as a whole"
)
FOLDERS = "folders are not made: one that is empty is not there, names come in alphabetical order"
WIPES = (
    "the folder is emptied no more when the app starts or ends: with two processes that would delete the files of the"
    " other; where old files are to go, set a lifecycle rule on the bucket"
)
LOCAL = "`{}` in this folder stays on local disk: a database, or what a request makes and deletes"
TOLD = "operations whose path may lie in this folder or in another look at the path: other files stay on local disk"
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
        self._imports = "\n".join(line for line in source.printed.text.splitlines() if "import" in line)
        self._plan(bindings)

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
            for each in chains.walk(path)
        )
        if set(self._changes) - self._done or nested:
            for binding in bindings:
                self._refuse((binding,), 1, "two changes take the same place")

    # -- planning ------------------------------------------------------------------------------------------------

    def _plan(self, bindings: Sequence[Binding]) -> None:
        by_place: dict[Place, set[Op]] = defaultdict(set)
        owners: dict[Place, dict[str, Binding]] = defaultdict(dict)  # folders that meet share sites
        elsewhere: set[Place] = set()
        for binding in bindings:
            for site in binding.in_file(self.source.path):
                by_place[chains.place(site)].add(site.op)
                owners[chains.place(site)][binding.id] = binding
                if ELSEWHERE in site.contexts:
                    elsewhere.add(chains.place(site))
        self._paths = {
            id(chain[-1]) for place, ops in by_place.items() if Op.PATH in ops for chain in self._at(place, call=False)
        }
        for place, ops in sorted(by_place.items()):
            if Op.STORED in ops:
                self._stored(tuple(owners[place].values()), place)
        folders: list[tuple[Owners, Chain, bool]] = []
        for place, ops in sorted(by_place.items()):
            mine = tuple(owners[place].values())
            called = frozenset(ops - {Op.PATH, Op.PASS, Op.DEFINE, Op.STORED})
            if Op.PASS in ops:
                self._pass(mine, place)
            if Op.DEFINE in ops:
                self._define(mine, place)
            if not called:
                continue
            chain = next(iter(self._at(place, call=True)), None)
            if chain is None:
                self._refuse(mine, place[0], "a use of its files stands here and could not be located")
            elif called in ({Op.CALL}, {Op.CLEAR}):
                folders.append((mine, chain, Op.CLEAR in called))
            else:
                self._operation(mine, chain, called, elsewhere=place in elsewhere)
        for mine, chain, wipes in folders:
            self._drop_folder(mine, chain, wipes=wipes)

    def _at(self, place: Place, *, call: bool) -> list[Chain]:
        chains_there = self.source.expressions_at(place)
        return [chain for chain in chains_there if not call or isinstance(chain[-1], cst.Call)][:1]

    def _define(self, owners: Owners, place: Place) -> None:
        """The folder is told to the helpers where it gets its name, so that its files are known from all others."""
        chain = next(iter(self._at(place, call=False)), None)
        if chain is None:
            self._refuse(owners, place[0], "the folder gets its name here, and that could not be located")
            return

        local = {
            context.removeprefix(WITHOUT)
            for binding in owners
            for site in binding.in_file(self.source.path)
            if chains.place(site) == place and site.op is Op.DEFINE
            for context in site.contexts
        }
        for name in sorted(local):
            self._differ(owners, LOCAL.format(name))

        def change(new: Node) -> Node:
            assert isinstance(new, cst.BaseExpression)
            names = [fileforms.text(name) for name in sorted(local)]
            return cst.Call(
                cst.Name(self.names.use("stored_folder")), separated([cst.Arg(fileforms.bare(new)), *names])
            )

        self._change(chain, change)
        self._differ(owners, TOLD)

    def _chain(self, node: cst.BaseExpression) -> Chain:
        """An expression with the nodes around it."""
        return self.source.flow.around(node)

    def _operation(self, owners: Owners, chain: Chain, ops: frozenset[Op], *, elsewhere: bool) -> None:
        node = chain[-1]
        assert isinstance(node, cst.Call)
        operands = frozenset(index for index, value in chains.operands(node) if id(value) in self._paths)
        if not operands and ops == {Op.WRITE}:
            return  # a storage of the framework writes, to a name
        presigned = any(binding.presigned for binding in owners)
        edit = djangofiles.served(node, ops, presigned=presigned)
        if edit is not None:
            self._edit(owners, chain, edit)
            return
        chosen = fileforms.choose(node, ops, operands, self._imports, elsewhere=elsewhere)
        if isinstance(chosen, Copy) and chains.is_upload(node, chain):
            chosen = Form("save_upload", fileforms.sent)
        if presigned and isinstance(chosen, Form):
            chosen = replace(chosen, helper=fileforms.PRESIGNED.get(chosen.helper, chosen.helper))
        match chosen:
            case str():
                self._refuse(owners, self._line(node), chosen)
            case Form():
                if chosen.helper == "remove_tree" and chains.is_made(chain) and len(node.args) == 1:
                    chosen = fileforms.LENIENT
                self._form(owners, chain, node, chosen)
            case Copy():
                self._copy(owners, self._chain(dict(chains.operands(node))[chosen.index]), chosen.mode, code(node.func))
            case Opened():
                self._open(owners, chain, node, chosen)
            case Folder():
                self._drop_folder(owners, chain)
            case Left():
                pass

    def _stored(self, owners: Owners, place: Place) -> None:
        """A use of Django's storage, or of the local path of a file in it."""
        chain = next(iter(self._at(place, call=False)), None)
        if chain is None:
            self._refuse(owners, place[0], "a use of Django's storage stands here and could not be located")
            return
        node = chain[-1]
        assert isinstance(node, cst.BaseExpression)
        edit = djangofiles.stored(node, presigned=any(binding.presigned for binding in owners))
        self._edit(owners, chain, edit)
        if isinstance(edit, djangofiles.Edit):
            self._in_copies[id(node)] = edit.change(node, self.names.use(edit.helper))

    def _edit(self, owners: Owners, chain: Chain, edit: djangofiles.Edit | str) -> None:
        if isinstance(edit, str):
            self._refuse(owners, self._line(chain[-1]), edit)
            return
        self._note(owners, edit.helper)
        self._change(chain, lambda new: edit.change(as_expression(new), self.names.use(edit.helper)))

    def _form(self, owners: Owners, chain: Chain, node: cst.Call, form: Form) -> None:
        if form.handed:
            name = self.names.use(form.helper)
            self._note(owners, form.helper)
            self._change(
                chain,
                lambda new: new.with_deep_changes(cst.ensure_type(new, cst.Call).args[0], value=cst.Name(name)),
            )
            return
        helper = form.helper
        how = chains.how(chain)
        awaited = len(chain) > 1 and isinstance(chain[-2], cst.Await)
        asynchronous = form.remote and (how == "async" or awaited)
        if form.remote and how in ("lambda", "generator"):
            self._refuse(owners, self._line(node), f"`await` cannot stand in this {how}")
            return
        if helper == "walk_folder" and chains.is_pruned(chain):
            self._refuse(owners, self._line(node), "the loop tells `os.walk` which folders to go into")
            return
        if how == "sync":
            self._blocks(owners, chain)
        self._note(owners, helper)

        def change(new: Node) -> Node:
            assert isinstance(new, cst.Call)
            name = self.names.use(f"async_{helper}" if asynchronous else helper)
            call = new.with_changes(func=cst.Name(name), args=separated(form.arguments(new)))
            if asynchronous and not awaited:
                return cst.Await(call, lpar=[OurParen()], rpar=[cst.RightParen()])
            return call

        self._change(chain, change)

    def _open(self, owners: Owners, chain: Chain, node: cst.Call, opened: Opened) -> None:
        self._note(owners, "open_file")
        item = next((each for each in reversed(chain[:-1]) if isinstance(each, cst.WithItem)), None)
        entered = item is not None and item.item is node
        block = next((each for each in reversed(chain) if isinstance(each, cst.With)), None)
        how = chains.how(chain)
        if how in ("lambda", "generator"):
            self._refuse(owners, self._line(node), f"a file is opened in a {how} of asynchronous code")
            return
        if opened.by_aiofiles:
            if not entered or block is None or block.asynchronous is None:
                self._refuse(owners, self._line(node), "`aiofiles.open` is not entered by `async with`")
                return
            self._call(chain, "aio_open_file", opened)
            return
        if how == "async":
            if not entered or block is None or len(block.items) != 1:
                self._refuse(
                    owners, self._line(node), "a file is opened in asynchronous code without a `with` of its own"
                )
                return
            self._call(chain, "async_open_file", opened)
            header = chain[: chain.index(block) + 1]
            self._change(
                header,
                lambda new: new.with_changes(asynchronous=cst.Asynchronous(cst.SimpleWhitespace(" "))),
            )
            return
        if not opened.mode.startswith("r") and "r" not in opened.mode and not entered and not chains.is_closed(chain):
            self._refuse(owners, self._line(node), "a file that is written is not closed here, and so never stored")
            return
        if how == "sync":
            self._blocks(owners, chain)
        self._call(chain, "open_file", opened)

    def _call(self, chain: Chain, helper: str, opened: Opened) -> None:
        name = self.names.use(helper)

        def change(new: Node) -> Node:
            assert isinstance(new, cst.Call)
            return new.with_changes(func=cst.Name(name), args=separated(opened.arguments(new)))

        self._change(chain, change)

    def _pass(self, owners: Owners, place: Place) -> None:
        chain = next(iter(self._at(place, call=False)), None)
        if chain is None:
            self._refuse(owners, place[0], "a path is handed on here and could not be located")
            return
        call = next((each for each in reversed(chain[:-1]) if isinstance(each, cst.Call)), None)
        self._copy(owners, chain, "r+", code(call.func) if call is not None else "")

    def _copy(self, owners: Owners, chain: Chain, mode: str, called: str) -> None:
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
        if not plain or chains.waits(statement):
            self._refuse(
                owners, self._line(node), f"`{called}` needs a local copy of the file, for which is no room here"
            )
            return
        call = next((each for each in reversed(chain[:-1]) if isinstance(each, cst.Call)), None)
        outlives = call is not None and (
            (mode != "r" and fileforms.last_name(call) in fileforms.OPENING)
            or fileforms.last_name(call) in fileforms.LAZY
        )
        if outlives and not any(isinstance(each, cst.WithItem) and each.item is call for each in chain):
            self._refuse(
                owners, self._line(node), f"what `{called}` gives goes on with the file, and is not entered by `with`"
            )
            return
        how = chains.how(chain)
        if how == "sync":
            self._blocks(owners, chain)
        self._note(owners, "local_file")
        self._differ(owners, COPIES.format(called))
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

    def _fresh(self, wanted: str, chain: Chain) -> str:
        """A name that neither the file nor another copy in the same function has."""
        function = next((id(each) for each in reversed(chain) if isinstance(each, cst.FunctionDef)), 0)
        used = self._locals[function]
        name, n = self.names.fresh(wanted), 2
        while name in used or name in self.names.taken:
            name, n = f"{wanted}_{n}", n + 1
        used.add(name)
        return name

    def _drop_folder(self, owners: Owners, chain: Chain, *, wipes: bool = False) -> None:
        """Take the making of a folder out, with the test that guards it; where helpers look at paths, it goes on for
        folders that stay on local disk."""
        node, line = chain[-1], self._line(chain[-1])
        assert isinstance(node, cst.Call)
        expression = chain[:-1]
        if expression and isinstance(expression[-1], cst.Await):
            expression = expression[:-1]
        match expression:
            case [*_, cst.SimpleStatementLine(body=[_]) as statement, cst.Expr()]:
                pass
            case _:
                self._refuse(owners, line, "a folder is made here together with something else")
                return
        position = expression.index(statement)
        around = expression[position - 1]
        guard = expression[position - 2] if position > 1 else None
        tolerant = (
            wipes
            or fileforms.last_name(node) == "rmdir"
            or chains.how(chain) == "module"
            or chains.is_true(fileforms.keyword(node, "exist_ok"))
            or any(isinstance(each, cst.Try) for each in chain)
        )
        if wipes:
            self._differ(owners, WIPES)
        told = not wipes and any(site.op is Op.DEFINE for binding in owners for site in binding.sites)
        if isinstance(guard, cst.If) and self._is_test(guard, wipes=wipes):
            if len(guard.body.body) == 1 and guard.orelse is None and not isinstance(expression[position - 3], cst.If):
                self._forget(guard)
                if told:
                    self._make_folder(owners, expression[: position - 1], node)
                else:
                    self._change(expression[: position - 1], lambda new: cst.RemoveFromParent())
                return
        elif not tolerant:
            self._refuse(owners, line, "a folder is made here that must not be there already, which nobody can tell")
            return
        if told:
            self._make_folder(owners, expression[: position + 2], node)
            return
        self._note(owners, "folders")
        if isinstance(around, _BLOCKS) and len(around.body) == 1 and not isinstance(around, cst.Module):
            self._change(
                expression[: position + 1],
                lambda new: new.with_changes(body=[cst.Pass()]),
            )
            return
        self._change(expression[: position + 1], lambda new: cst.RemoveFromParent())

    def _make_folder(self, owners: Owners, chain: Chain, call: cst.Call) -> None:
        """The folder is made, or removed, where it is none of S3.

        The chain leads to the expression statement, or to a test whether the folder is there with nothing else in it.
        """
        owner = call.func.value if isinstance(call.func, cst.Attribute) else None
        form = fileforms.on_disk(call, method=id(owner) in self._paths)
        if isinstance(form, str):
            self._refuse(owners, self._line(call), form)
            return
        self._note(owners, form.helper)

        def change(new: Node) -> Node:
            line, expression = None, new
            if isinstance(new, cst.If):
                line = cst.ensure_type(new.body.body[0], cst.SimpleStatementLine)
                expression = line.body[0]
            made = cst.ensure_type(expression, cst.Expr).value
            made = cst.ensure_type(made.expression if isinstance(made, cst.Await) else made, cst.Call)
            arguments = [*form.arguments(made)]
            if line is not None and form.helper == "make_folder":
                arguments = [each for each in arguments if each.keyword is None or each.keyword.value != "exist_ok"]
                arguments.append(fileforms.named("exist_ok", cst.Name("True")))
            result = cst.Expr(cst.Call(cst.Name(self.names.use(form.helper)), separated(arguments)))
            if line is None:
                return result
            above = cst.ensure_type(new, cst.If).leading_lines
            return line.with_changes(body=[result], leading_lines=[*above, *line.leading_lines])

        self._change(chain, change)

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
        for each in chains.walk(node):
            self._changes.pop(id(each), None)

    # -- bookkeeping ---------------------------------------------------------------------------------------------

    def _change(self, chain: Chain, change: Change) -> None:
        node = chain[-1]
        before = self._changes.get(id(node))
        # A node that goes has no second change: it is taken out of the plan with all that stands in it.
        self._changes[id(node)] = change if before is None else lambda new: change(cast("Node", before(new)))
        self._within.update(id(each) for each in chain)

    def _note(self, owners: Owners, helper: str) -> None:
        if helper in _WRITING:
            self._differ(owners, WHEN_CLOSED)
        if helper in _LISTING:
            self._differ(owners, FOLDERS)
        for binding in owners:
            self.outcome.rules.setdefault(binding.id, set()).add(f"files.{helper}")

    def _differ(self, owners: Owners, text: str) -> None:
        for binding in owners:
            self.outcome.differences.setdefault(binding.id, set()).add(text)

    def _blocks(self, owners: Owners, chain: Chain) -> None:
        """A function talks to S3 where it stands, by the blocking client."""
        for binding in owners:
            self.outcome.blocking.setdefault(binding.id, set()).add(chains.function(chain))

    def _refuse(self, owners: Owners, line: int, reason: str) -> None:
        for binding in owners:
            refusals = self.outcome.refusals.setdefault(binding.id, [])
            if all(refusal.line != line for refusal in refusals):
                refusals.append(Refusal(path=self.outcome.path, line=line, reason=reason))

    def _line(self, node: Node) -> int:
        return self.source.line(node)


def _wrapped(new: Node, wraps: Sequence[tuple[str, str, cst.BaseExpression, str]], *, asynchronous: bool) -> Node:
    """The statement within `with local_file(path) as local:`."""
    assert isinstance(new, cst.SimpleStatementLine | cst.With)
    items = [
        cst.WithItem(
            cst.Call(
                cst.Name(helper),
                separated([cst.Arg(path), *([fileforms.text(mode)] if mode else [])]),
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
