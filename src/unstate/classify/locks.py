"""Locks of one process around files that several processes write."""

from __future__ import annotations

import re
from collections.abc import Iterator

from unstate.classify import purpose
from unstate.classify.filejudge import WRITES, Judge
from unstate.classify.limits import HANDLES
from unstate.facts.values import LOCK, Ref
from unstate.link.files import Operation
from unstate.link.program import Program
from unstate.link.resolve import Resolver
from unstate.link.stores import contexts
from unstate.link.values import Class, Function, Made, Slot
from unstate.model import Finding, Kind, Op, Scope, Shape, Site, Span, Store, Verdict

_MAKERS = re.compile(r"(threading|asyncio|anyio|trio|gevent\.lock)\.(R?Lock|(Bounded)?Semaphore|Condition)")
_SCOPES = {"module": Scope.MODULE, "class": Scope.INSTANCE, "app": Scope.APP}


class Locks:
    """Finds the locks under which a request writes a file."""

    def __init__(self, program: Program, resolver: Resolver, judge: Judge) -> None:
        self.program = program
        self.resolver = resolver
        self.judge = judge

    def findings(self) -> list[Finding]:
        """One finding for each lock."""
        guarded: dict[Slot, list[tuple[Ref, Operation]]] = {}
        for write in self.judge.lasting:
            if write.op in WRITES and write.call.flags & LOCK and self._is_shared(write) and self.judge.happens(write):
                for slot, ref in self._held_at(write):
                    guarded.setdefault(slot, []).append((ref, write))
        return [finding for slot, uses in guarded.items() for finding in self._finding(slot, uses)]

    def _is_shared(self, write: Operation) -> bool:
        return any(
            self.judge.anchored(place) and not purpose.of_no_user(place, self.judge.map) for place in write.places
        )

    def _held_at(self, write: Operation) -> Iterator[tuple[Slot, Ref]]:
        """Locks that live on and that the function enters before it writes, each with the reference to it."""
        for ref in self.program.refs_in(write.path, write.function):
            before = (ref.line, ref.column) < write.call.span[:2]
            if not before or not (ref.use == "enter" or ref.path[-2:] == ("acquire", "()")):
                continue
            steps = ref.path if ref.use == "enter" else ref.path[:-2]
            value = self.resolver.resolve(write.path, ref.frame, steps)
            if not isinstance(value, Slot):
                continue
            slot, held = self.resolver.settle(value)
            if slot.sort in _SCOPES and isinstance(held, Made) and _MAKERS.fullmatch(held.maker):
                yield slot, ref

    def _finding(self, slot: Slot, uses: list[tuple[Ref, Operation]]) -> Iterator[Finding]:
        defined = self._definition(slot)
        if defined is None:
            return
        path, definition = defined
        module = self.program.module_name(path)
        name = slot.name
        if slot.sort == "class":
            name = f"{self.program.facts[slot.path].frames[slot.frame].qualname}.{name}"
        line, column, end_line, end_column = definition.statement
        first = min((write for _, write in uses), key=lambda write: (write.path, write.call.span))
        steps = self.judge.reach.way(first.path, first.function) or ()
        yield Finding(
            id=f"US402:.:{module}:{name}",
            rule="US402",
            kind=Kind.LOCK,
            shape=Shape.OBJECT,
            store=Store(
                service=".",
                module=module,
                name=name,
                path=path,
                span=Span(line=line, column=column, end_line=end_line, end_column=end_column),
                scope=_SCOPES[slot.sort],
                constructor=".".join(definition.value[:-1]),
                definition=definition.source,
                sites=(self._site(path, definition, Op.DEFINE), *self._uses(uses)),
            ),
            limit=Verdict.MANUAL,
            evidence=(
                f"{path}:{line}: {name} = {definition.source}",
                f"held while a file is written by {self._way(steps, first)}",
                "It keeps the threads of this process apart; another process writes the same file meanwhile.",
            ),
            reasons=(f"{path}:{line}: {name} {HANDLES[Kind.LOCK]}",),
        )

    def _uses(self, uses: list[tuple[Ref, Operation]]) -> tuple[Site, ...]:
        sites = {self._site(write.path, ref, Op.CALL): None for ref, write in uses}
        return tuple(sorted(sites, key=lambda site: (site.path, site.line, site.span.column)))

    def _way(self, steps: tuple[Function, ...], write: Operation) -> str:
        names = [
            f"{self.program.frame(step).qualname} ({step.path}:{self.program.frame(step).line})" for step in steps[:-1]
        ]
        last = self.program.facts[write.path].frames[write.function]
        return " -> ".join((*names, f"{last.qualname} ({write.path}:{write.call.span[0]})"))

    def _definition(self, slot: Slot) -> tuple[str, Ref] | None:
        """The assignment that makes the lock."""
        if slot.sort == "app":
            found = self.resolver.app_attributes.get(slot.name, [])
        else:
            bindings = self.program.names[slot.path][slot.frame].get(slot.name, ())
            found = [(slot.path, binding.ref) for binding in bindings if binding.ref is not None]
            if slot.sort == "class":
                found += self.resolver.attributes.get(Class(slot.path, slot.frame), {}).get(slot.name, [])
        return next(((path, ref) for path, ref in found if ref.value[-1:] == ("()",)), None)

    def _site(self, path: str, ref: Ref, op: Op) -> Site:
        function = self.program.function_around(path, ref.frame)
        frame = self.program.facts[path].frames[function]
        return Site(
            path=path,
            span=Span(line=ref.line, column=ref.column, end_line=ref.ends[-2], end_column=ref.ends[-1]),
            op=op,
            function=frame.qualname if function else "",
            asynchronous=frame.asynchronous,
            reachable=op is not Op.DEFINE,
            contexts=contexts(ref.flags, not function),
        )
