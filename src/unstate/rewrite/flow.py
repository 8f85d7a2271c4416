"""Where a value goes that was read from a store. A copy from Redis is no part of the store any more: a change to it
would be lost without a word. So every use of a mutable value is followed, into the functions that get it and to the
callers that are given it, until it is known to end in a mere reading, or in a change that can be written back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TypeAlias

import libcst as cst

from unstate.model import Accessor
from unstate.rewrite import accessors, callees, stale
from unstate.rewrite import flowwords as words
from unstate.rewrite.instances import instances
from unstate.rewrite.places import (
    bindings_of,
    called,
    called_name,
    calm,
    holds_plain,
    is_new_container,
    is_plain_annotation,
    is_plain_name,
    is_plain_parameter,
    iterated_name,
    kept_names,
    names_in,
    parameter_of,
    registers,
    root_name,
    root_of,
)
from unstate.rewrite.trace import Change, Trace
from unstate.rewrite.tree import Tree

Elsewhere: TypeAlias = "Callable[[str], Sequence[Flow] | None]"


class Flow(Tree):
    """Follows values from one module through its service."""

    def __init__(
        self,
        module: cst.Module,
        exported: frozenset[str],
        elsewhere: Elsewhere = lambda _: (),
        local_modules: frozenset[str] = frozenset(),
    ) -> None:
        """`elsewhere`: the flows of the other files that have a word, None where they are too many to read;
        `local_modules`: the top-level names of the service's own modules."""
        super().__init__(module, local_modules)
        self.exported = exported
        self.elsewhere = elsewhere

    def follow(self, node: cst.CSTNode, trace: Trace) -> str | None:
        """Why a value may be changed where that cannot be written back, or go where nobody can tell; None if not."""
        trace.start = node
        return self._changed(node, trace)

    def follow_stored(self, value: cst.BaseExpression, trace: Trace) -> str | None:
        """The same for a value that is put into a store here, from then on."""
        function = self.function(value)
        if function is None:
            return None
        names = {name.value for name in kept_names(value) if not is_plain_name(function, name.value)}
        here = self._order[id(value)]
        if isinstance(value, cst.Name):
            trace.root, trace.function = value.value, function
        try:
            return _first(
                self._loaded(name, trace)
                for name in self._names_below(function, names)
                if self._order[id(name)] > here and not self._below(name, value) and self.may_run_after(name, value)
            )
        finally:
            trace.root = ""

    # -- one use of a value ------------------------------------------------------------------------------------------

    def _changed(self, node: cst.CSTNode, trace: Trace) -> str | None:
        key = (id(node), f"{trace.root} {trace.foreign}")
        if key in trace.following:
            return None
        trace.following.add(key)
        return self._use(node, trace)

    def _use(self, node: cst.CSTNode, trace: Trace) -> str | None:
        parent = self._parents[id(node)]
        match parent:
            case cst.Subscript(value=value) if value is node:
                return self._changed(parent, trace)  # written to, or read as a part that may be changed itself
            case cst.Attribute(value=value) if value is node:
                return self._attribute(parent, trace)
            case cst.Call(func=func) if func is node:
                return "it is called"
            case cst.Arg():
                return self._argument(parent, trace)
            case cst.Assign(targets=targets, value=value) if value is node:
                return _first(self._named(target.target, parent, node, trace) for target in targets)
            case cst.AnnAssign(target=cst.Name(), annotation=annotation) if is_plain_annotation(annotation):
                return None
            case cst.AnnAssign(target=target, value=value) if value is node:
                return self._named(target, parent, node, trace)
            case cst.NamedExpr(target=target, value=value) if value is node:
                return _first([self._named(target, parent, node, trace), self._changed(parent, trace)])
            case cst.For(target=target, iter=iterated) | cst.CompFor(target=target, iter=iterated) if iterated is node:
                return self._named(target, parent, node, trace)
            case cst.Return():
                return self._returned(parent, trace)
            case cst.Lambda() if self._orders(parent):
                return None
            case cst.Yield() | cst.Lambda() | cst.WithItem() | cst.From():
                return "it is handed on"
            case cst.BinaryOperation(left=left, right=right) if isinstance(left, _NUMBER) or isinstance(right, _NUMBER):
                return None  # a number comes of it
            case cst.BinaryOperation(operator=cst.Divide() | cst.FloorDivide()):
                return None  # a number, or a path
            case cst.AssignTarget() | cst.Del():
                return self._change(node, trace, "it is written to")
            case cst.AugAssign(target=target) if target is node:
                return self._change(node, trace, "it is changed in place")
        if isinstance(parent, words.READING):
            return None
        if isinstance(parent, words.PASSING):
            return self._changed(parent, trace)
        if isinstance(parent, cst.BaseSmallStatement | cst.BaseCompoundStatement):
            return None
        return self._changed(parent, trace) if isinstance(parent, cst.BaseExpression) else None

    def _orders(self, function: cst.Lambda) -> bool:
        """Whether what a lambda gives is only compared: `sorted(x, key=lambda ...)`."""
        argument = self._parents[id(function)]
        if not isinstance(argument, cst.Arg) or argument.keyword is None or argument.keyword.value != "key":
            return False
        return called(self._parents[id(argument)]) in ("sorted", "max", "min", "sort")

    def _change(self, node: cst.CSTNode, trace: Trace, reason: str) -> str | None:
        """A change in place: one that can be written back is noted, any other is a reason."""
        statement = node
        while not isinstance(statement, cst.SimpleStatementLine):
            if isinstance(statement, cst.BaseComp | cst.Lambda | cst.BaseCompoundStatement | cst.Module):
                return reason
            statement = self._parents[id(statement)]
        if not trace.root and self._stands_in(trace.start, node, statement):
            trace.changes.append(Change(statement, "", self._first_step(trace.start), lifted=True))
            return None
        if not trace.root or trace.function is None or self.function(node) is not trace.function:
            return reason
        trace.changes.append(Change(statement, trace.root, trace.step))
        return None

    def _attribute(self, parent: cst.Attribute, trace: Trace) -> str | None:
        call = self._parents[id(parent)]
        if not (isinstance(call, cst.Call) and call.func is parent):
            plain = parent.attr.value in trace.plain and not self._is_stored(parent)
            return None if plain else self._changed(parent, trace)
        method = parent.attr.value
        if trace.opaque:
            return None if method in words.OPAQUE_READS else f"`.{method}()` may change it"
        if method in words.CHANGES:
            reason = self._change(parent, trace, f"`.{method}()` changes it in place")
            return reason or (self._changed(call, trace) if method == "setdefault" else None)
        if method in words.READS:
            return self._changed(call, trace) if method in words.KEEPING else None
        methods = callees.callees(self, call, method, None, "")
        if not methods:
            return None if trace.foreign else f"`.{method}()` may change it"
        reason, changes = self._into(methods, 0, "", trace, receiver=True)
        passed_back = trace.passed_back
        for change in changes if reason is None else ():
            trace.step = trace.step or change.step  # which field of it the method changes
            reason = reason or self._change(parent, trace, f"`.{method}()` changes it in place")
            trace.step = None
        return reason or (self._changed(call, trace) if passed_back else None)

    def _argument(self, argument: cst.Arg, trace: Trace) -> str | None:
        call = self._parents[id(argument)]
        if not isinstance(call, cst.Call):
            return None
        name = called(call)
        if trace.opaque and not self._is_own(call, argument):
            reads = name in words.OPAQUE_READERS or self.module.code_for_node(call.func) == "Image.open"
            return None if reads else f"it is handed to `{name}`, which may change it"
        if name == "setattr" and argument is call.args[0]:
            return self._change(argument, trace, "`setattr` changes it in place")
        if name in words.CONSUMERS or root_name(call.func) in words.LOGGERS | words.BUILTIN_TYPES:
            return self._changed(call, trace) if name in words.COPIES else None
        if name in words.COPIES or (name == "get" and argument is not call.args[0]):
            return self._changed(call, trace)
        if argument.star == "**":
            return None  # a new dict of the fields
        method = isinstance(call.func, cst.Attribute)
        if method and name in words.ASKING:
            return None
        reason = f"it is handed to `{name}`, which may change it"
        imported = self._imports.get(root_name(call.func))
        if imported in words.PURE_MODULES:
            return None
        if name in words.RUNNERS or name in words.STARTERS:
            return self._deferred(call, argument, trace) or (self._changed(call, trace) if trace.passed_back else None)
        filling = name in words.FILLS or name == "update"
        if filling and isinstance(call.func, cst.Attribute) and self._is_in_store(call.func.value, trace):
            return None
        if name in words.FILLS and isinstance(call.func, cst.Attribute):
            kept = self._kept_in(call.func.value, trace)
            return reason if kept is _ELSEWHERE else kept
        if name in words.HOLDERS or argument.star:
            return reason
        keyword = "" if argument.keyword is None else argument.keyword.value
        if callees.makes_model(self, name):
            return None if keyword and callees.takes_plain(self, name, keyword) else self._changed(call, trace)
        place = len([arg for arg in call.args[: call.args.index(argument)] if arg.keyword is None])
        functions = callees.callees(self, call, name, place, keyword)
        if functions:
            found, changes = self._into(functions, place, keyword, trace)
            if found is None and changes:
                found = self._change(argument, trace, f"`{name}` changes it")
            return found or (self._changed(call, trace) if trace.passed_back else None)
        library = callees.library(self, call.func)
        if library in words.PURE_MODULES:
            return None
        if library:
            trace.notes.append(f"`{name}` of {library} is handed a value of it: a change made there is not kept")
            return self._of_library(call, trace)
        return None if trace.foreign else reason

    def _is_own(self, call: cst.Call, argument: cst.Arg) -> bool:
        """Whether a function of the service is called, by its name."""
        place = len([arg for arg in call.args[: call.args.index(argument)] if arg.keyword is None])
        keyword = "" if argument.keyword is None else argument.keyword.value
        return isinstance(call.func, cst.Name) and bool(callees.callees(self, call, call.func.value, place, keyword))

    def _deferred(self, call: cst.Call, argument: cst.Arg, trace: Trace) -> str | None:
        """A value that a function is handed by whoever runs it, at once or later."""
        found = callees.deferred(call, argument)
        if found is None:
            return f"it is handed to `{called(call)}`, which may change it"
        function, places = found
        name, back = called_name(function), False
        own = callees.functions(self, name) if isinstance(function, cst.Name | cst.Attribute) else []
        if not own:
            library = callees.library(self, function)
            trace.notes.append(f"`{name}` of {library} is handed a value of it: a change made there is not kept")
            return None if library else f"it is handed to `{name}`, which may change it"
        for place in places:
            reason, changes = self._into(own, place, "", trace)
            if reason is not None or changes:
                return reason or f"`{name}`, which runs on its own, changes it"
            back |= trace.passed_back
        trace.passed_back = back
        if not isinstance(self._parents[id(call)], cst.Await):
            trace.notes.append(f"`{name}` may run later, and sees the entry as it was when it was handed over")
        return None

    def _kept_in(self, container: cst.BaseExpression, trace: Trace) -> str | None:
        """What becomes of a value in a container of the function's own; _ELSEWHERE for any other container."""
        while isinstance(container, cst.Subscript | cst.Attribute):
            container = container.value
        function = self.function(container)
        if not isinstance(container, cst.Name) or function is None:
            return _ELSEWHERE
        bound = bindings_of(function, container.value)
        if not bound or not all(is_new_container(each) or self._is_new_record(each) for each in bound):
            return _ELSEWHERE
        trace.copies.add((id(function), container.value))
        return self._names(function, {container.value}, trace)

    def _is_in_store(self, place: cst.BaseExpression, trace: Trace) -> bool:
        """Whether what is put into a place is put into the value's own store, or one that moves with it: it is a copy
        there, from then on."""
        if self._is_place_of(place, trace.store):
            trace.notes.append("what is put into another entry is a copy: the two are no longer one object")
            return True
        partner = next((each for each in sorted(trace.partners) if self._is_place_of(place, each)), "")
        if partner:
            trace.notes.append(f"what is put into `{partner}` is a copy: the two are no longer one object")
        return bool(partner)

    def _is_place_of(self, place: cst.BaseExpression, store: str) -> bool:
        """Whether a place is a store, or an entry of it, by the last part of its name."""
        known = False
        while not known:
            match place:
                case cst.Name(value=name):
                    function = self.function(place)
                    known = name == store and (function is None or not bindings_of(function, name))
                case cst.Attribute(attr=cst.Name(value=name)):
                    known = name == store
                case cst.Subscript():
                    known = self.module.code_for_node(place).replace('"', "'").endswith(store or " ")
            if not isinstance(place, cst.Subscript):
                break
            place = place.value
        return known

    def _is_new_record(self, value: cst.CSTNode | None) -> bool:
        return isinstance(value, cst.Call) and callees.makes_model(self, called(value))

    def _of_library(self, call: cst.CSTNode, trace: Trace) -> str | None:
        """What a library makes of a value is its own: methods that the service does not define are the library's."""
        before, trace.foreign = trace.foreign, True
        try:
            return self._changed(call, trace)
        finally:
            trace.foreign = before

    def _into(
        self,
        functions: Sequence[tuple[Flow, cst.FunctionDef]],
        place: int,
        keyword: str,
        trace: Trace,
        *,
        receiver: bool = False,
    ) -> tuple[str | None, list[Change]]:
        """What functions do with an argument: why it cannot be told, and the changes that they make in it."""
        changes: list[Change] = []
        trace.held = True
        trace.passed_back = False
        for flow, function in functions:
            shift = 0 if receiver or not flow.is_method(function) else 1
            name = parameter_of(function, place + shift, keyword)
            if name is None:
                return f"it is handed to `{function.name.value}`, which may change it", changes
            if is_plain_parameter(function, name):
                continue
            if (id(function), name) in trace.following:  # looked at before, or being looked at
                known, back = trace.effects.get((id(function), name), ((), True))
                changes.extend(known)
                trace.passed_back |= back
                continue
            trace.following.add((id(function), name))
            flow._note_stale({name}, function.params, function, trace)
            inner = Trace(
                root=name,
                function=function,
                entered=True,
                following=trace.following,
                effects=trace.effects,
                notes=trace.notes,
                plain=trace.plain,
                changers=trace.changers,
                store=trace.store,
                partners=trace.partners,
                foreign=trace.foreign,
            )
            reason = flow._names(function, {name}, inner)
            if reason is not None:
                return f"it is handed to `{function.name.value}`, and there {reason}", changes
            changes.extend(inner.changes)
            trace.passed_back |= inner.given_back
            trace.effects[id(function), name] = tuple(inner.changes), inner.given_back
        return None, changes

    # -- names -------------------------------------------------------------------------------------------------------

    def _named(self, target: cst.BaseExpression, at: cst.CSTNode, value: cst.CSTNode, trace: Trace) -> str | None:
        """Every use of the names that the value, or parts of it, are bound to."""
        trace.held = True
        if isinstance(target, cst.Subscript) and self._is_in_store(target, trace):
            return None
        if trace.root and isinstance(target, cst.Subscript | cst.Attribute) and root_of(target) == trace.root:
            return None  # a part of it is put into it
        if isinstance(target, cst.Subscript | cst.Attribute):
            return self._kept_in(target.value, trace)
        if not isinstance(target, cst.Name | cst.Tuple | cst.List):
            return _ELSEWHERE
        function = self.function(at)
        if function is None and not isinstance(at, cst.CompFor):
            return "it is kept in a global"
        if isinstance(at, cst.For | cst.CompFor) and function and holds_plain(function, iterated_name(at.iter)):
            return None
        names = names_in(target)
        direct = value is trace.start and not trace.root and function is not None
        if direct and isinstance(at, cst.For) and isinstance(target, cst.Tuple) and len(target.elements) == 2:
            second = target.elements[1].value
            names = names_in(second)
            target = second
        bound = bindings_of(function, target.value) if isinstance(target, cst.Name) and function is not None else ()
        if isinstance(target, cst.Name) and bound and all(is_new_container(each) for each in bound):
            trace.copies.add((id(function), target.value))
        scope: cst.CSTNode = function if function is not None else self._parents[id(at)]
        if isinstance(at, cst.CompFor):
            scope = self._comprehension(at)
        if not (direct and isinstance(target, cst.Name)) or isinstance(at, cst.CompFor):
            if function is not None and not all(map(is_new_container, bound or [None])):
                self._note_stale(names, at, function, trace)
            return self._names(scope, names, trace)
        trace.root, trace.function = target.value, function
        try:
            trace.loops.extend(self._polling(at, function, target.value))
            return self._names(scope, names, trace)
        finally:
            trace.root = ""

    def _comprehension(self, at: cst.CSTNode) -> cst.CSTNode:
        """The comprehension that a `for` in it belongs to."""
        node = at
        while isinstance(node, cst.CompFor):
            node = self._parents[id(node)]
        return node

    def _names(self, scope: cst.CSTNode, names: Collection[str], trace: Trace) -> str | None:
        return _first(self._loaded(name, trace) for name in self._names_below(scope, names))

    def _polling(self, at: cst.CSTNode, function: cst.FunctionDef | None, name: str) -> Iterator[cst.While]:
        """The loops, behind where a name is bound, that read it and give others the time to change what it holds."""
        for loop in self._loops:
            inside = function is not None and self._below(loop, function) and not self._below(at, loop)
            if inside and self._names_below(loop, {name}) and not (calm(loop.body) and calm(loop.test)):
                yield loop

    def _note_stale(self, names: Collection[str], at: cst.CSTNode, function: cst.FunctionDef, trace: Trace) -> None:
        """Parts of an entry that are held under a name while a function changes the entry: they do not see it."""
        for name in sorted(names) if trace.changers else ():
            for call in stale.changing_calls(self, trace.changers, function, at):
                if any(not self._is_weighed(use) for use in stale.uses_behind(self, function, name, call)):
                    trace.notes.append(
                        f"`{name}` is the entry as it was, or a part of it: it misses what `{called(call)}` changes"
                    )
                    break

    def _is_weighed(self, use: cst.Name) -> bool:
        """Whether a name is only compared, tested or written out where it stands."""
        parent = self._parents[id(use)]
        kinds = cst.Comparison | cst.ComparisonTarget | cst.FormattedStringExpression | cst.UnaryOperation | cst.If
        return isinstance(parent, kinds | cst.BooleanOperation)

    def _loaded(self, name: cst.Name, trace: Trace) -> str | None:
        """One use of a name; its own binding is none."""
        parent = self._parents[id(name)]
        if trace.root == name.value:
            method = isinstance(parent, cst.Attribute) and isinstance(self._parents[id(parent)], cst.Call)
            trace.step = None if method or not isinstance(parent, cst.Attribute | cst.Subscript) else parent
        if trace.copies and (id(self.function(name)), name.value) in trace.copies and self._changes_only(name, parent):
            return None
        match parent:
            case cst.AssignTarget(target=target) | cst.AnnAssign(target=target) if target is name:
                return None
            case cst.For(target=target) | cst.CompFor(target=target) | cst.NamedExpr(target=target) if target is name:
                return None
            case cst.Param() | cst.Element() if isinstance(parent, cst.Param) or self._is_target(parent):
                return None
            case cst.Attribute(attr=attr) if attr is name:
                return None
            case cst.Arg(keyword=keyword) if keyword is name:
                return None
            case cst.NameItem() | cst.ImportAlias():
                return None
            case cst.AugAssign(target=target, value=value) if target is name:
                if isinstance(value, cst.BaseNumber | cst.BaseString):
                    return None  # such a value is no container, so that the name is bound to a new one
                return self._change(name, trace, "it is changed in place")
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Subscript())], value=value) if value is name:
                return None  # put back whole
        return self._changed(name, trace)

    def _changes_only(self, name: cst.Name, parent: cst.CSTNode) -> bool:
        """Whether a use changes the container itself, none of its parts: `d["k"] = v`, `d.append(v)`."""
        around = self._parents[id(parent)]
        match parent:
            case cst.Subscript(value=value) if value is name:
                written = isinstance(around, cst.AssignTarget | cst.Del)
                return written or (isinstance(around, cst.AugAssign) and around.target is parent)
            case cst.Attribute(value=value, attr=cst.Name(value=method)) if value is name:
                plain = isinstance(around, cst.Call) and isinstance(self._parents[id(around)], cst.Expr)
                return plain and method in words.CHANGES
        return False

    # -- what is returned --------------------------------------------------------------------------------------------

    def _returned(self, node: cst.CSTNode, trace: Trace) -> str | None:
        """A value returned from a handler is only written out; one from a helper goes where the helper is called."""
        function = self.function(node)
        if function is None:
            return None
        name = function.name.value
        if is_plain_annotation(function.returns):
            return None
        if trace.entered and function is trace.function:
            trace.given_back = True
            return None
        own = [each for each in function.decorators if called_name(each.decorator) not in _PLAIN_DECORATORS]
        if own and not all(registers(decorator) for decorator in own):
            return f"a decorator of `{name}` gets it"
        if own and name not in self.exported and not self._is_named(function):
            return None  # a framework calls it, and writes the value out
        method = self.is_method(function)
        if method and name in words.VERBS and self._is_view(function):
            return None
        if not method and not isinstance(self._parents[id(function)], cst.Module):
            return f"`{name}` hands it out"
        if name in trace.accessors:
            return None
        others = self.elsewhere(name) if name not in words.COMMON_METHODS and not name.startswith("__") else None
        if others is not None and (accessor := self._accessor(node, function, method, trace)) is not None:
            trace.given.add(accessor)
        if others is None:
            return self._returned_by_method(function, name, trace) if method else f"`{name}` hands it out"
        root, trace.root = trace.root, ""
        try:
            owner = self.owner_of(function)
            return _first(flow._uses_of(name, method, owner, trace) for flow in (self, *others))
        finally:
            trace.root = root

    def _returned_by_method(self, function: cst.FunctionDef, name: str, trace: Trace) -> str | None:
        """A value that a method returns whose name alone does not tell who calls it."""
        where = None if name.startswith("__") else instances(self, self.owner_of(function))
        if where is None:
            return f"`{name}` hands it out"
        root, trace.root = trace.root, ""
        try:
            reason = _first(flow._called_use(use, trace) for flow, use in where.uses(name))
        finally:
            trace.root = root
        return reason and f"`{name}` hands it out, and there {reason}"

    def _accessor(self, node: cst.CSTNode, function: cst.FunctionDef, method: bool, trace: Trace) -> Accessor | None:
        """How a function gives out what is found under its argument: the value itself, and nothing else of the kind."""
        if not isinstance(node, cst.Return):
            return None
        direct = node.value is trace.start or (isinstance(node.value, cst.Name) and node.value.value == trace.root)
        names = [each.name.value for each in (*function.params.posonly_params, *function.params.params)]
        alike = [flow.owner_of(each) for flow, each in callees.functions(self, function.name.value)]
        if alike.count(self.owner_of(function)) != 1:
            return None  # one of several of that name
        key = trace.key.value if isinstance(trace.key, cst.Name) else ""
        known = key in names and len(bindings_of(function, key)) == 1
        if not direct or not (known or trace.says_key):
            return None
        return Accessor(
            name=function.name.value,
            parameter=key if known else "",
            place=names.index(key) - method if known else 0,
            owner=self.owner_of(function),
        )

    def _uses_of(self, name: str, method: bool, owner: str, trace: Trace) -> str | None:
        """Where this module calls a function, and what it does with what it is given."""
        if name in self._renamed:
            return f"`{name}` is imported under another name"
        uses: list[cst.CSTNode] = []
        for node in self._uses.get(name, ()):
            around = self._parents[id(node)]
            if isinstance(around, cst.Attribute) and around.attr is node:
                if not method or not accessors.is_of_other(self, around, owner):
                    uses.append(around)
            elif not method and not self.is_no_use(node):
                uses.append(node)
        reason = _first(self._called_use(use, trace) for use in uses)
        return reason and f"`{name}` hands it out, and there {reason}"

    def _is_view(self, function: cst.FunctionDef) -> bool:
        """Whether a method belongs to a class whose methods a framework calls, and writes out what they give."""
        owner = self._parents[id(self._parents[id(function)])]
        return isinstance(owner, cst.ClassDef) and any(called_name(b.value) in words.VIEWS for b in owner.bases)

    def _is_named(self, function: cst.FunctionDef) -> bool:
        name = function.name.value
        return any(use is not function.name for use in self._uses[name])

    def _called_use(self, use: cst.CSTNode, trace: Trace) -> str | None:
        parent = self._parents[id(use)]
        match parent:
            case cst.Call(func=func) if func is use:
                awaited = self._parents[id(parent)]
                return self._changed(awaited if isinstance(awaited, cst.Await) else parent, trace)
            case cst.Arg(keyword=keyword) if keyword is use:
                return None
            case cst.Arg() if called(self._parents[id(parent)]) in ("Depends", "Security"):
                return self._injected(parent, trace)
            case cst.Param() | cst.AssignTarget() | cst.Attribute(value=cst.Name()) if isinstance(use, cst.Name):
                return None  # another thing of that name
        return "it is handed on by its name"

    def _injected(self, argument: cst.CSTNode, trace: Trace) -> str | None:
        """`s = Depends(f)`: the framework calls `f`, and hands what it gives to the parameter."""
        node = argument
        while not isinstance(node, cst.Param | cst.BaseStatement | cst.Module):
            node = self._parents[id(node)]
        function = self.function(node)
        if not isinstance(node, cst.Param) or function is None:
            return "it is handed out"
        return self._names(function, {node.name.value}, trace)


_NUMBER = cst.BaseNumber
_ELSEWHERE = words.KEPT_ELSEWHERE
_PLAIN_DECORATORS = frozenset({"staticmethod", "classmethod"})


def _first(reasons: Iterable[str | None]) -> str | None:
    return next((reason for reason in reasons if reason is not None), None)
