"""The libcst transformer: every operation on an accepted store becomes its backing-service form, or a refusal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import libcst as cst

from unstate.catalogue.rule import Rule
from unstate.catalogue.seeds import SEEDS
from unstate.catalogue.table import ENTRIES, OPAQUE, without_order
from unstate.model import ENDING, Accessor, Refusal, Verdict
from unstate.project import is_aside
from unstate.rewrite import accessors, callees, forms, guards, handed
from unstate.rewrite.binding import Binding, Rewritten
from unstate.rewrite.codecs import MUTABLE
from unstate.rewrite.files import FileEdits
from unstate.rewrite.fitting import expression_rules, statement_rules
from unstate.rewrite.flow import Flow
from unstate.rewrite.flowwords import OPAQUE_FIELDS
from unstate.rewrite.functions import Functions
from unstate.rewrite.insert import Place, surrounded
from unstate.rewrite.lines import counted, without_blank_head, without_entries, without_names
from unstate.rewrite.marks import mark_consumed, mark_implied, mark_targets, named, repeated, with_comments
from unstate.rewrite.match import (
    Bound,
    Environment,
    Pattern,
    Statement,
    flatten,
    match_expression,
    match_statements,
    pure,
    same,
)
from unstate.rewrite.names import Names
from unstate.rewrite.optional import may_be_none
from unstate.rewrite.places import called
from unstate.rewrite.quotes import Requote
from unstate.rewrite.references import References
from unstate.rewrite.regions import Regions, answers, writes
from unstate.rewrite.removed import Removed
from unstate.rewrite.saves import Reload, Save, Saves, left_behind, lost, read_again, undone
from unstate.rewrite.snapshots import WHOLE, Snapshots
from unstate.rewrite.source import Source
from unstate.rewrite.trace import Trace
from unstate.rewrite.unfit import unfit
from unstate.rewrite.visiting import as_expression, visit


@dataclass(slots=True)
class _Found:
    """A rule that fits at a node, with what its metavariables stand for."""

    rule: Rule
    binding: Binding
    environment: Environment


@dataclass(slots=True)
class Transformer(cst.CSTTransformer):
    """Rewrites one module. Read `outcome` afterwards: where it has a refusal, the tree is not to be used."""

    references: References
    names: Names
    outcome: Rewritten
    source: Source
    files: FileEdits
    awaited: frozenset[str] = frozenset()  # functions that become asynchronous
    planned: Mapping[int, Sequence[Save]] = field(default_factory=dict)  # by the statement that they follow
    reloads: Mapping[int, Sequence[Reload]] = field(default_factory=dict)  # by the statement that they stand at
    saves: Saves = field(init=False)
    _saved: set[int] = field(default_factory=set)
    _counting: dict[int, cst.BaseExpression] = field(default_factory=dict)  # loops over lists, by what counts places
    _lifts: dict[int, Save] = field(default_factory=dict)  # by what is read
    _lifted: dict[int, cst.BaseExpression] = field(default_factory=dict)  # what it became
    _expressions: dict[int, _Found] = field(default_factory=dict)
    _statements: dict[int, tuple[_Found, Sequence[cst.CSTNode]]] = field(default_factory=dict)
    _replies: dict[int, str] = field(default_factory=dict)  # reads that the reply of the command before answers
    _replied: dict[int, str] = field(default_factory=dict)  # statements whose reply is kept under that name
    _snapshots: Snapshots = field(init=False)
    _regions: Regions = field(default_factory=Regions)
    _removed: Removed = field(init=False)
    _targets: set[int] = field(default_factory=set)  # nodes that are written to, not read
    _consumed: set[int] = field(default_factory=set)  # expressions that are read to their end where they stand
    _discarded: set[int] = field(default_factory=set)  # expressions whose value nobody uses
    _implied: dict[int, str] = field(default_factory=dict)  # expressions on which Python itself calls `iter`, `bool`
    _functions: Functions = field(init=False)

    def __post_init__(self) -> None:
        cst.CSTTransformer.__init__(self)
        self.saves = Saves(self.source.flow, self.names.fresh)
        counting = (save for saves in self.planned.values() for save in saves if save.loop is not None)
        self._counting = {id(save.loop): save.key for save in counting}
        self._functions = Functions(self.awaited, self.source.flow.around)
        self._snapshots = Snapshots(self.references, self.source.flow)
        self._removed = Removed(self.references)
        lifted = (save for saves in self.planned.values() for save in saves if save.lifted is not None)
        self._lifts = {id(save.lifted): save for save in lifted}

    # -- finding what to rewrite, from the outside in ------------------------------------------------------------

    def on_visit(self, node: cst.CSTNode) -> bool:
        if not self.references.within(node):
            return self.files.within(node)
        if id(node) in self._statements or node in self._removed or id(node) in self._replies:
            return False
        if self.references.entry_of(node) is not None:
            return False
        self._functions.enter(node)
        mark_targets(node, self._targets)
        mark_implied(node, self._implied)
        mark_consumed(node, self._consumed)
        if isinstance(node, cst.Expr):
            self._discarded.add(id(node.value))
        if isinstance(node, cst.Module | cst.BaseSuite):
            self._plan_body(node.body)
        elif isinstance(node, cst.BaseExpression) and (id(node) not in self._targets or self._is_stepped_into(node)):
            found = self._expression_rule(node)
            if found is not None:
                self._expressions[id(node)] = found
                return False
        return True

    def _is_stepped_into(self, node: cst.BaseExpression) -> bool:
        """`x[k]` in `x[k]["f"] = v`: it is read, and a part of it is written to."""
        around = self.source.flow.parent(node)
        inner = isinstance(around, cst.Subscript | cst.Attribute) and around.value is node
        return inner and all(each.codec in MUTABLE for each in self.references.bindings_within(node))

    def _plan_body(self, body: Sequence[cst.CSTNode]) -> None:
        """Longest match first: a run of statements that one command replaces is taken before its parts."""
        position = 0
        while position < len(body):
            taken = 0
            defined = self.references.defined_by(body[position])
            if defined is not None and not (defined.seeded and self._seed(body[position], defined)):
                self._removed.take_definition(body, position)
            elif defined is not None:
                pass
            elif self._is_ending(body[position]):
                self._removed.take_definition(body, position)
            elif self.references.imported_by(body[position]):
                self._removed.take_import(body, position)
            elif self.references.within(body[position]):
                taken = self._take_run(body, position)
                if not taken:
                    self._snapshots.take(body[position])
            position += max(taken, 1)

    def _is_ending(self, node: cst.CSTNode) -> bool:
        """Whether a statement empties a store because the process ends, which is no reason any more."""
        match node:
            case cst.SimpleStatementLine(body=[cst.Expr(value=cst.Call(func=cst.Attribute(value=store)))]):
                pass
            case cst.SimpleStatementLine(body=[cst.Assign(targets=[cst.AssignTarget(target=store)])]):
                pass
            case _:
                return False
        binding, line = self.references.binding_at(store), self.references.line(node)
        if binding is None or not any(
            site.line == line and ENDING in site.contexts for site in binding.in_file(self.outcome.path)
        ):
            return False
        text = f"{self.outcome.path}, line {line}: is not emptied any more when one process ends, as the others go on"
        self.outcome.differences.setdefault(binding.id, set()).add(text)
        return True

    def _seed(self, node: cst.CSTNode, binding: Binding) -> bool:
        """Keep the entries of a definition, as what fills the store."""
        match node:
            case cst.SimpleStatementLine(body=[cst.Assign(value=value)]):
                pass
            case cst.SimpleStatementLine(body=[cst.AnnAssign(value=cst.BaseExpression() as value)]):
                pass
            case _:
                return False
        self._statements[id(node)] = (_Found(SEEDS[binding.container], binding, {"o": value}), [node])
        return True

    def _take_run(self, body: Sequence[cst.CSTNode], position: int) -> int:
        rest = body[position:]
        for binding in self.references.bindings_within(rest[0]):
            for rule, pattern in statement_rules(binding):
                count = len(pattern.statements)
                run = rest[:count]
                flat = flatten(run)
                if len(flat) != len(run):  # `a; b` on one line: only whole lines are replaced
                    continue
                matched = match_statements(pattern, flat, self.references.test(binding))
                if matched is None or not self._allowed(rule, pattern, binding, matched[0], discarded=True):
                    continue
                self._statements[id(run[0])] = (_Found(rule, binding, matched[0]), run)
                self._removed.take(run[1:])
                self._keep_reply(rule, binding, matched[0], run[0], body[position + count : position + count + 1])
                return count
        return 0

    def _keep_reply(
        self,
        rule: Rule,
        binding: Binding,
        environment: Environment,
        first: cst.CSTNode,
        following: Sequence[cst.CSTNode],
    ) -> None:
        """`x += 1; use(x)` uses the reply of the command that added, else two callers may use one number."""
        read = answers(rule)
        if read is None or not following or not forms.is_expression(rule.form):
            return
        place: cst.CSTNode | None = following[0]
        if isinstance(place, cst.BaseCompoundStatement):
            place = place.test if isinstance(place, cst.If) else None
        if place is None or _waits(place):
            return
        pattern = Pattern(read, ())
        reads = []
        for node in self.references.nodes_within(place):
            if isinstance(node, cst.BaseExpression):
                found = match_expression(pattern, node, self.references.test(binding))
                if found is not None and all(
                    same(as_expression(found[k]), as_expression(environment[k])) for k in found if k != "x"
                ):
                    reads.append(node)
        if reads and len(reads) == self.references.count(place, binding):
            name = self.names.fresh("count")
            self._replied[id(first)] = name
            self._replies.update((id(node), name) for node in reads)

    def _expression_rule(self, node: cst.BaseExpression) -> _Found | None:
        for binding in self.references.bindings_within(node):
            if self._snapshots.covers(node, binding):
                continue
            for rule, pattern in expression_rules(binding):
                environment = self._match(pattern, node, binding)
                if environment is None or (pattern.is_view and not self._is_read_at_once(node, binding)):
                    continue
                if self._allowed(rule, pattern, binding, environment, discarded=id(node) in self._discarded):
                    return _Found(rule, binding, environment)
        return None

    def _match(self, pattern: Pattern, node: cst.BaseExpression, binding: Binding) -> Environment | None:
        """Match a node as it stands, or as the call that Python makes on it: `for k in x` calls iter, `if x` bool."""
        if self.references.binding_at(node) is binding:
            implied = self._implied.get(id(node))
            if implied is not None and pattern.calls(implied):
                return {"x": node}
            if pattern.calls(handed.COPIES.get(binding.container, "")) and self._is_handed_out(node, binding):
                return {"x": node}
        return match_expression(pattern, node, self.references.test(binding))

    def _is_read_at_once(self, node: cst.BaseExpression, binding: Binding) -> bool:
        """Whether what stands for a view need not be one. A list of keys or pairs is no set, as their view is."""
        if id(node) in self._consumed:
            return True
        return called(node) == "values" and self._is_handed_out(node, binding)

    def _is_handed_out(self, node: cst.BaseExpression, binding: Binding) -> bool:
        if not handed.is_handed_out(self.source.flow, node):
            return False
        if text := handed.difference(self.source.flow, node, binding):
            self.outcome.differences.setdefault(binding.id, set()).add(text)
        return True

    def _allowed(
        self, rule: Rule, pattern: Pattern, binding: Binding, environment: Environment, *, discarded: bool
    ) -> bool:
        place = guards.Place(binding, discarded, self._functions.of(as_expression(environment["x"])).how == "async")
        if guards.failed(rule.when, environment, place) is not None:
            return False
        letters = repeated(rule.pattern, rule.form)
        if self._functions.here.how != "module":
            letters -= named(rule.pattern, rule.form)
        return all(pure(environment[letter]) for letter in letters if letter in environment)

    # -- putting the forms in, from the inside out ---------------------------------------------------------------

    # libcst declares a return type for the kinds of nodes one by one; this is asked for every kind.
    def on_leave(  # type: ignore[override]
        self, original_node: cst.CSTNode, updated_node: cst.CSTNode
    ) -> cst.CSTNode | cst.RemovalSentinel | cst.FlattenSentinel[cst.CSTNode]:
        left = self._left(original_node, updated_node)
        if self._snapshots.before(original_node):
            left = self._with_snapshots(original_node, left)
        if self.files.within(original_node) and isinstance(left, cst.CSTNode):
            return self.files.left(original_node, left)
        return left

    def _left(
        self, original_node: cst.CSTNode, updated_node: cst.CSTNode
    ) -> cst.CSTNode | cst.RemovalSentinel | cst.FlattenSentinel[cst.CSTNode]:
        if not self.references.within(original_node):
            return self._removed.with_lines(original_node, updated_node)
        taken = id(original_node) in self._statements or original_node in self._removed
        self._functions.leave(original_node, entered=not taken)
        if id(original_node) in self.planned or id(original_node) in self.reloads:
            return self._with_saves(original_node, self._replaced(original_node, updated_node))
        lift = self._lifts.get(id(original_node))
        if lift is not None:
            replaced = self._replaced(original_node, updated_node)
            assert isinstance(replaced, cst.BaseExpression)
            self._lifted[id(original_node)] = replaced
            return cst.Name(self.names.fresh(lift.name))
        return self._replaced(original_node, updated_node)

    def _with_saves(
        self, original: cst.CSTNode, left: cst.CSTNode | cst.RemovalSentinel | cst.FlattenSentinel[cst.CSTNode]
    ) -> cst.FlattenSentinel[cst.CSTNode]:
        """A statement with the calls around it that write changed entries back, and read them again."""
        saves, reloads = self.planned.get(id(original), ()), self.reloads.get(id(original), ())
        asynchronous = self._functions.here.how == "async"
        self._saved.add(id(original))
        if not asynchronous:
            for store in {each.binding.id for each in saves} | {each.binding.id for each in reloads}:
                self.outcome.blocking.setdefault(store, set()).add(self._functions.here.name)
        place = Place(self.names, self._lifted, asynchronous=asynchronous, within=self._functions.here)
        return surrounded(left, saves, reloads, place)

    def _replaced(
        self, original_node: cst.CSTNode, updated_node: cst.CSTNode
    ) -> cst.CSTNode | cst.RemovalSentinel | cst.FlattenSentinel[cst.CSTNode]:
        if original_node in self._removed:
            return cst.RemoveFromParent()
        if isinstance(original_node, cst.IndentedBlock) and original_node.body[0] in self._removed:
            return without_blank_head(cst.ensure_type(updated_node, cst.IndentedBlock))
        if id(original_node) in self._statements:
            return self._replaced_statements(original_node)
        if id(original_node) in self._replies:
            return cst.Name(self._replies[id(original_node)])
        if id(original_node) in self._expressions:
            return self._replaced_expression(original_node)
        if isinstance(updated_node, cst.For) and id(original_node) in self._counting:
            return counted(updated_node, self._counting[id(original_node)])
        if isinstance(original_node, cst.FormattedString):
            return updated_node.visit(Requote())
        if isinstance(original_node, cst.Global | cst.Nonlocal):
            gone = {binding.name for binding in self.references.bindings_within(original_node)}
            return without_names(cst.ensure_type(updated_node, type(original_node)), gone)
        if isinstance(original_node, cst.Dict) and isinstance(updated_node, cst.Dict):
            kept = [self.references.entry_of(each) is None for each in original_node.elements]
            return without_entries(updated_node, kept)
        if isinstance(original_node, cst.ImportFrom):
            return self._removed.without_stores(original_node, updated_node)
        if id(original_node) in self._snapshots.names:
            return cst.Name(self.names.fresh(self._snapshots.names[id(original_node)]))
        binding = self.references.binding_at(original_node)
        if binding is not None and not isinstance(original_node, cst.ImportAlias):
            self._refuse(original_node, binding)
        return self._removed.with_lines(original_node, updated_node)

    def _check_value(self, node: cst.CSTNode, found: _Found) -> None:
        """Refuse where a mutable value is changed after it was read, or after it was stored, in a way that cannot be
        written back: the store has a copy."""
        binding = found.binding
        if binding.codec not in MUTABLE | ENTRIES:
            return
        if "v" in found.environment and writes(found.rule):
            value = found.environment["t" if ".named" in found.rule.id else "v"]
            assert isinstance(value, cst.BaseExpression)
            self._follow(node, value, found, stored=True)
        if "DEC" in found.rule.form and "pop" not in found.rule.pattern:
            for read in self._reads(node, binding):
                self._follow(node, read, found, stored=False)

    def _reads(self, node: cst.CSTNode, binding: Binding) -> Sequence[cst.BaseExpression]:
        """The expressions of a replaced statement, or that expression itself, whose value is one of the store's."""
        if isinstance(node, cst.BaseExpression):
            return [node]
        run = self._statements[id(node)][1]
        found: list[cst.BaseExpression] = []
        for reference in (each for part in run for each in self.references.nodes_within(part)):
            if self.references.binding_at(reference) is binding:
                read = self.source.flow.parent(reference)
                if isinstance(read, cst.Attribute):
                    read = self.source.flow.parent(read)
                if isinstance(read, cst.Subscript | cst.Call) and not self._is_written(read):
                    found.append(read)
        return found

    def _is_written(self, node: cst.CSTNode) -> bool:
        around = self.source.flow.parent(node)
        return isinstance(around, cst.AssignTarget | cst.Del | cst.Expr) or (
            isinstance(around, cst.AugAssign) and around.target is node
        )

    def _follow(self, node: cst.CSTNode, value: cst.BaseExpression, found: _Found, *, stored: bool) -> None:
        key = found.environment.get("k")
        self._follow_value(
            node, value, key if isinstance(key, cst.BaseExpression) else None, found.binding, stored=stored
        )

    def _follow_value(
        self,
        node: cst.CSTNode,
        value: cst.BaseExpression,
        key: cst.BaseExpression | None,
        binding: Binding,
        *,
        stored: bool,
        accessor: Accessor | None = None,
    ) -> None:
        flow = self.source.flow
        trace = Trace(
            key=key,
            accessors=frozenset(each.name for each in binding.accessors),
            plain=_plain_fields(flow, binding),
            opaque=binding.codec in OPAQUE,
            changers=binding.changers,
            says_key=bool(binding.key_field),
            store=binding.name.rpartition(".")[2],
            partners=binding.partners,
        )
        reason = flow.follow_stored(value, trace) if stored else flow.follow(value, trace)
        unsure = accessor is not None and (reason or trace.changes)
        if accessor is not None and unsure and not accessors.is_called_on_owner(flow, accessor, value):
            reason = f"it cannot be told whether `{accessor.name}` is the function that hands it out"
        if reason is None and trace.changes and binding.codec in ENTRIES:
            reason = "it is changed in place"
        elif reason is None:
            reason = self.saves.add(binding, value, key, trace, stored=stored)
        if reason is not None:
            self.outcome.accessors.setdefault(binding.id, set()).update(trace.given)
            self._refuse_change(node, binding, reason)
        if trace.held or stored:
            self.outcome.held.add(binding.id)
        for note in trace.notes:
            text = f"{self.outcome.path}:{self.references.line(node)}: {note}"
            self.outcome.differences.setdefault(binding.id, set()).add(text)

    def follow_accessors(self, bindings: Sequence[Binding]) -> None:
        """Look at what callers do with the entries that functions hand out to them."""
        for binding in bindings:
            for accessor in binding.accessors:
                reason = accessors.handed_on(self.source.flow, accessor)
                if reason is not None:
                    self._refuse_change(self.source.module, binding, reason)
                for call, key in accessors.calls_of(self.source.flow, accessor):
                    self._follow_value(call, call, key, binding, stored=False, accessor=accessor)

    def _refuse_change(self, node: cst.CSTNode, binding: Binding, reason: str) -> None:
        self._refuse(
            node,
            binding,
            f"the value of `{binding.name}` is used here in a way that may change it: {reason}",
            "write the changed value back with an assignment to the entry",
        )

    def _with_snapshots(self, original: cst.CSTNode, left: Any) -> cst.FlattenSentinel[cst.CSTNode]:
        """A statement, and before it the readings of whole stores that it looks at."""
        nodes: list[Any] = list(left.nodes) if isinstance(left, cst.FlattenSentinel) else [left]
        new: list[cst.CSTNode] = []
        for snapshot in self._snapshots.before(original):
            rule = next(each for each, _ in expression_rules(snapshot.binding) if each.pattern == WHOLE)
            if not snapshot.ordered:
                rule = without_order(rule)
            found = _Found(rule, snapshot.binding, {})
            asynchronous = self._asynchronous(snapshot.reference, found)
            self._note(snapshot.reference, found)
            form = f"{self.names.fresh(snapshot.name)} = {rule.form}"
            here = self._functions.here
            new += forms.statements(form, {}, snapshot.binding, self.names, asynchronous=asynchronous, within=here)
        lead = getattr(nodes[0], "leading_lines", ())
        new[0] = new[0].with_changes(leading_lines=lead)
        return cst.FlattenSentinel([*new, nodes[0].with_changes(leading_lines=()), *nodes[1:]])

    def _replaced_expression(self, node: cst.CSTNode) -> cst.BaseExpression:
        found = self._expressions[id(node)]
        self._check_value(node, found)
        asynchronous = self._asynchronous(node, found)
        self._note(node, found)
        return forms.expression(
            found.rule.form,
            self._visited(found.environment),
            found.binding,
            self.names,
            asynchronous=asynchronous,
            tested=self._implied.get(id(node)) == "bool",
            optional=self._may_have_no_key(node, found),
        )

    def _replaced_statements(self, node: cst.CSTNode) -> cst.FlattenSentinel[cst.CSTNode]:
        found, run = self._statements[id(node)]
        self._check_value(node, found)
        asynchronous = self._asynchronous(node, found)
        self._note(node, found)
        form = found.rule.form
        if id(node) in self._replied:
            form = f"{self._replied[id(node)]} = {form}"
        filled = self._visited(found.environment)
        here = self._functions.here
        optional = self._may_have_no_key(node, found)
        new = forms.statements(
            form, filled, found.binding, self.names, asynchronous=asynchronous, within=here, optional=optional
        )
        return cst.FlattenSentinel(with_comments(new, run))

    def _may_have_no_key(self, node: cst.CSTNode, found: _Found) -> bool:
        """Whether the key may be None where it is the field of a hash: told, as its text may be a key as well."""
        if "FIELD" not in found.rule.form or not may_be_none(self.source.flow, found.environment.get("k")):
            return False
        text = f"{self.outcome.path}, line {self.references.line(node)}: a key that is None is taken as the text `None`"
        self.outcome.differences.setdefault(found.binding.id, set()).add(f"{text}, which finds the entry of that name")
        return True

    def _visited(self, environment: Environment) -> Environment:
        """What the metavariables stand for may hold operations on stores itself."""
        return {letter: self._visited_one(bound) for letter, bound in environment.items() if letter != "x"}

    def _visited_one(self, bound: Bound) -> Bound:
        if isinstance(bound, tuple):
            return tuple(cast("Statement", visit(statement, self)) for statement in bound)  # none of them goes
        visited = visit(bound, self)
        assert isinstance(visited, cst.BaseExpression)
        return visited

    def _asynchronous(self, node: cst.CSTNode, found: _Found) -> bool:
        """Whether the form must be awaited here; a refusal where it must and cannot."""
        how = self._functions.of(node).how
        if how in ("lambda", "generator") and self._functions.in_coroutine:
            self._refuse(
                node,
                found.binding,
                f"`await` cannot stand in this {how}",
                "use a list comprehension or a named async function",
            )
        return how == "async"

    def _note(self, node: cst.CSTNode, found: _Found) -> None:
        function = self._functions.of(node)
        if function.how == "sync":
            self.outcome.blocking.setdefault(found.binding.id, set()).add(function.name)
        if "mutate" in found.rule.form:
            self.outcome.changing.setdefault(found.binding.id, set()).add(self.source.flow.qualified(node))
        self._regions.note(found.binding.id, self._functions.here.number, self.references.line(node), found.rule)
        self.outcome.rules.setdefault(found.binding.id, set()).add(found.rule.id)
        if found.rule.verdict is not Verdict.EXACT:
            self.outcome.differences.setdefault(found.binding.id, set()).add(found.rule.difference)
        if sum(not pure(bound) for letter, bound in found.environment.items() if letter != "x") > 1:
            self.outcome.differences.setdefault(found.binding.id, set()).add(_ORDER)

    def _refuse(self, node: cst.CSTNode, binding: Binding, reason: str = "", advice: str = "") -> None:
        refusals = self.outcome.refusals.setdefault(binding.id, [])
        line = self.references.line(node)
        if all(refusal.line != line for refusal in refusals):
            if not reason:
                reason, advice = unfit(self.source.path_to(node), binding.name)
            refusals.append(Refusal(path=self.outcome.path, line=line, reason=reason, advice=advice))

    def finish(self, bindings: Sequence[Binding]) -> None:
        """Add what is known only when the whole file was seen."""
        for binding in bindings:
            steps = self._regions.differences(binding.id, self.outcome.path)
            if steps and not is_aside(self.outcome.path):  # nobody else is there while tests run
                self.outcome.differences.setdefault(binding.id, set()).update(steps)
        for alias, reason in self.saves.refusals():
            self._refuse_change(alias.node, alias.binding, reason)
        for binding_id, function in self.saves.changing():
            self.outcome.changing.setdefault(binding_id, set()).add(function)
        for reload in (each for reloads in self.reloads.values() for each in reloads):
            line = self.source.line(reload.statement)
            text = read_again(self.outcome.path, line, reload)
            self.outcome.differences.setdefault(reload.binding.id, set()).add(text)
        for alias, missed in self.saves.missed():
            line = self.source.line(alias.node)
            text = left_behind(self.outcome.path, line, missed)
            self.outcome.differences.setdefault(alias.binding.id, set()).add(text)
        written: dict[str, list[int]] = {}
        for save in (each for saves in self.planned.values() for each in saves):
            line = self.source.line(save.statement)
            written.setdefault(save.binding.id, []).append(line)
            if save.shared:
                self.outcome.differences.setdefault(save.binding.id, set()).add(undone(self.outcome.path, line))
        for binding_id, lines in written.items():
            self.outcome.differences.setdefault(binding_id, set()).add(lost(self.outcome.path, lines))
        for statement, of in (
            *((saves[0].statement, saves[0].binding) for saves in self.planned.values()),
            *((reloads[0].statement, reloads[0].binding) for reloads in self.reloads.values()),
        ):
            if id(statement) not in self._saved:
                self._refuse_change(statement, of, "it is changed in a statement that is replaced")


def _plain_fields(flow: Flow, binding: Binding) -> frozenset[str]:
    """The attributes of a value that nobody can change in place."""
    if binding.codec in OPAQUE:
        return OPAQUE_FIELDS
    return callees.plain_fields(flow, binding.model) if binding.model else frozenset()


_ORDER = "the key and the value are evaluated in another order than before; both have side effects"


def _waits(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Await | cst.Yield) or any(_waits(child) for child in node.children)
