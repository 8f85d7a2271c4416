"""One finding planned: its layout chosen, its questions put, its patch tried on every file it touches."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import msgspec

from unstate.codemods import Codemod
from unstate.config import Config
from unstate.model import Accessor, Backing, Finding, Group, Layout, Refusal, Shape, Store, Verdict
from unstate.plan import alive, storages
from unstate.plan.backing import astray
from unstate.plan.bindings import binding
from unstate.plan.blobs import blob_in, left_behind, waits_for_bytes
from unstate.plan.changers import with_callers
from unstate.plan.coroutines import made_from
from unstate.plan.crossing import crossed
from unstate.plan.decide import Settled, lifetime, settle
from unstate.plan.effects import blocked_loops, local_clocks, lost_imports, told_late
from unstate.plan.expiry import EXPIRING, bound, class_of, own_seconds
from unstate.plan.fileraces import races
from unstate.plan.folders import COPYING, planned, sent_on, untold
from unstate.plan.layout import Choice, choose, container_of, expires_by_key, holds_tuples
from unstate.plan.localkeys import local_keys
from unstate.plan.localwork import marks_own_work
from unstate.plan.mentions import Mentions
from unstate.plan.models import model_of
from unstate.plan.nodata import no_data
from unstate.plan.origins import made_by_the_app
from unstate.plan.selfkeys import key_field
from unstate.plan.sources import Sources
from unstate.plan.steady import is_steady, uses_order
from unstate.plan.storages import STORAGE, CannotSetError
from unstate.plan.strangers import unlinked_readers
from unstate.plan.typed import type_of, unwritten, without_codec
from unstate.plan.white_box import looking_inside
from unstate.rewrite import FOLDER, Rewritten

# The first boto3 that writes on a condition.
REDIS, S3, PYDANTIC = "redis>=5", "boto3>=1.36", "pydantic>=2"
_TYPED = frozenset({Shape.LIST, Shape.SET, Shape.RECORD, Shape.UNKNOWN})
_ROUNDS = 3  # functions that hand out what another one hands out
_UNKNOWN_EXPIRY = "how long its entries live is not a number in the code: `{}`"
_ADVICE_TTL = "answer its decision `ttl`, as in `--ttl NAME=10m`"
_ADVICE_MODEL = "keep what is data in a dataclass or pydantic model of its own, each field with its type"
_ADVICE_CODEC = "annotate what the store holds, as in `x: dict[str, str] = {}`"


class Planner:
    """Plans findings of one root."""

    def __init__(
        self, config: Config, codemods: Mapping[str, Codemod], sources: Sources, backing: Mapping[str, Backing]
    ) -> None:
        self.config = config
        self.codemods = codemods
        self.sources = sources
        self.backing = backing
        self._mentions: dict[str, Mentions] = {}

    def group(self, finding: Finding, prefix: str, answers: Mapping[str, str], needs: tuple[str, ...] = ()) -> Group:
        """The change group of a finding; `manual` with refusals where there is no sound patch.

        `needs`: ids of groups that move with it.
        """
        if finding.limit is Verdict.MANUAL:
            return _manual(finding, [_refusal(finding, reason) for reason in finding.reasons])
        if finding.store.constructor in (FOLDER, STORAGE):
            return self._folder(finding, answers)
        if reason := astray(finding.store, self.backing[finding.store.service]):
            return _manual(finding, [_refusal(finding, reason)])
        refused = (
            alive.refusals(finding.store, self.sources)
            or marks_own_work(finding.store, self.sources)
            or unlinked_readers(finding.store, self.sources)
        )
        if refused:
            return _manual(finding, refused)
        finding = alive.with_endings(finding, self.sources)
        codemod = self.codemods.get(finding.rule)
        own = self._own_seconds(finding.store)
        model, reason = self._model(finding)
        if reason:
            return _manual(finding, [_refusal(finding, reason, _ADVICE_MODEL)])
        ordered = uses_order(finding.store, self.sources)
        settled = settle(
            finding,
            codemod,
            self.config,
            prefix,
            answers,
            by_key=expires_by_key(finding) and not ordered,
            by_type=bool(model),
            own_seconds=own,
        )
        if finding.store.constructor in EXPIRING and own is None and "ttl" not in answers:
            return _manual(finding, [_refusal(finding, _UNKNOWN_EXPIRY.format(finding.store.definition), _ADVICE_TTL)])
        choice = choose(
            finding, expires=settled.ttl_seconds is not None, codec=settled.codec, model=model, ordered=ordered
        )
        if isinstance(choice, str):
            return _manual(finding, [_refusal(finding, choice)])
        blob = blob_in(finding.store, self.sources) if choice.codec == "json" else None
        if choice.codec in ("json", "tuple") and (odd := no_data(finding.store, self.sources)) is not None:
            return _manual(finding, [odd])
        ways = [(choice, settled)] if blob is None else _with_bytes(choice, settled)
        refusals: list[Refusal] = []
        for choice, settled in ways:
            group, outcomes, refusals = self._tried(finding, choice, settled, needs)
            if not refusals:
                break
        if refusals:
            return _manual(finding, [*([blob] if blob is not None else []), *refusals])
        if choice.codec != "apart":  # whose bytes are fetched by a client that blocks
            group, outcomes = self._awaiting(group, outcomes)
        from_rules = {text for outcome in outcomes for text in outcome.differences.get(group.id, ())}
        lost = lost_imports(finding.store, outcomes, self.sources)
        blocked = blocked_loops(finding.store, outcomes, group.id, self.sources)
        differences = (
            *_from_types(finding, choice),
            *_from_expiry(group, own),
            *left_behind(group),
            *_from_bound(finding.store),
            *_from_start(finding.store),
            *sorted(from_rules | set(crossed(finding.store, self._mentions_in(finding.store.service)))),
            *lost,
            *looking_inside(finding.store, self.sources),
            *alive.differences(finding.store, self.sources, expires=group.ttl_seconds is not None),
            *local_clocks(finding.store, self.sources),
            *local_keys(finding.store, self.sources),
            *(
                f"`{name.rpartition(':')[2]}` becomes asynchronous, and every call of it awaits it"
                for name in group.awaited
            ),
            *blocked,
        )
        exact = not differences and finding.limit is Verdict.EXACT
        return msgspec.structs.replace(
            group,
            verdict=Verdict.EXACT if exact else Verdict.REVIEW,
            differences=(*differences, *(finding.reasons if finding.limit is Verdict.REVIEW else ())),
        )

    def _tried(
        self, finding: Finding, choice: Choice, settled: Settled, needs: tuple[str, ...]
    ) -> tuple[Group, list[Rewritten], list[Refusal]]:
        """A group with what becomes of its files, and why they cannot become that."""
        group = msgspec.structs.replace(self._group(finding, choice, settled), needs=needs)
        group, outcomes = self._handing_out(group, [self._try(group, path) for path in group.files])
        group, outcomes = self._meanwhile(group, outcomes)
        refusals = [each for outcome in outcomes for each in outcome.refusals.get(group.id, ())]
        if choice.codec == "apart" and any(name.startswith("async_") for each in outcomes for name in each.names):
            refusals = [waits_for_bytes(finding.store)]
        return group, outcomes, refusals

    def _model(self, finding: Finding) -> tuple[str, str]:
        """(class or type by which values travel, why they cannot); neither where JSON or text is enough."""
        if finding.shape is Shape.MODEL:
            return model_of(finding.store, self.sources)
        if finding.shape in _TYPED and (kind := without_codec(finding.store, self.sources)):
            return "", f"`{finding.store.name}` holds `{kind}`, which is no JSON and has no codec"
        if holds_tuples(finding.store):
            return "", ""  # by a codec of their own
        container = container_of(finding.store)
        tuples = any(text.startswith(("tuple[", "Tuple[")) for text in finding.store.value_types)
        if finding.shape in _TYPED and (container == "dict" or (container == "scalar optional" and tuples)):
            return type_of(finding.store, self.sources)
        if finding.shape in _TYPED and (kind := unwritten(finding.store)):
            return "", f"`{finding.store.name}` holds `{kind}`, which is no JSON"
        return "", ""

    def _handing_out(self, group: Group, outcomes: list[Rewritten]) -> tuple[Group, list[Rewritten]]:
        """The group with the callers of functions that hand out entries, where these change what they are given."""
        wider, tried = group, outcomes
        for _ in range(_ROUNDS):
            found = {each for outcome in tried for each in outcome.accessors.get(group.id, ())}
            if not any(outcome.refusals for outcome in tried) or _told(found, wider.accessors):
                break
            known = {*wider.accessors, *found}
            by_entry = {(each.name, each.owner) for each in known if not each.parameter}
            known = {each for each in known if not each.parameter or (each.name, each.owner) not in by_entry}
            accessors = tuple(sorted(known, key=lambda each: (each.name, each.owner)))
            callers = [self.sources.files_with(group.finding.store.service, each.name) for each in accessors]
            if any(files is None for files in callers):
                return group, outcomes
            files = {*group.files, *(path for files in callers for path in files or ())}
            wider = msgspec.structs.replace(group, accessors=accessors, files=tuple(sorted(files)))
            tried = [self._try(wider, path) for path in wider.files]
        if any(outcome.refusals for outcome in tried):
            return group, outcomes if wider is group else tried
        changed = [each for each in tried if each.after != self.sources.read(each.path)]
        return msgspec.structs.replace(wider, files=tuple(each.path for each in changed)), changed

    def _meanwhile(self, group: Group, outcomes: list[Rewritten]) -> tuple[Group, list[Rewritten]]:
        """The group with those functions told that change entries in place, behind which held ones are read again."""
        changing = {name for each in outcomes for name in each.changing.get(group.id, ()) if name}
        if any(outcome.refusals for outcome in outcomes) or not changing:
            return group, outcomes
        changers = with_callers(changing, group.finding.store.service, self.sources)
        wider = msgspec.structs.replace(group, changers=tuple(sorted(changers)))
        tried = [self._try(wider, each.path) if group.id in each.held else each for each in outcomes]
        again = any(one is not other and one.after != other.after for one, other in zip(outcomes, tried, strict=True))
        return (wider if again else group), tried

    def _mentions_in(self, service: str) -> Mentions:
        if service not in self._mentions:
            self._mentions[service] = Mentions(self.sources, service)
        return self._mentions[service]

    def _awaiting(self, group: Group, outcomes: list[Rewritten]) -> tuple[Group, list[Rewritten]]:
        """The group with synchronous functions made asynchronous where all that call them are."""
        service = group.finding.store.service
        blocking = {(each.path, name) for each in outcomes for name in each.blocking.get(group.id, ()) if name}
        if not blocking or not self.sources.mentions(service, b"async def"):
            return group, outcomes
        awaited, files = made_from(self._mentions_in(service), blocking)
        wider = msgspec.structs.replace(
            group, awaited=tuple(sorted(awaited)), files=tuple(sorted({*group.files, *files}))
        )
        tried = [self._try(wider, path) for path in wider.files] if awaited else []
        if not awaited or any(outcome.refusals for outcome in tried):
            return group, outcomes
        return wider, tried

    def _group(self, finding: Finding, choice: Choice, settled: Settled) -> Group:
        files = tuple(sorted({site.path for site in finding.store.sites}))
        service = finding.store.service
        trees = {path: self.sources.source(path, service).tree for path in files}
        return Group(
            id=finding.id,
            finding=finding,
            verdict=Verdict.REVIEW,
            layout=choice.layout,
            container=choice.container,
            codec=choice.codec,
            model=choice.model,
            key_type=choice.key_type,
            safe_keys=choice.layout is Layout.S3 and made_by_the_app(finding.store, trees),
            prefix=settled.prefix,
            steady=choice.container == "list" and is_steady(finding.store, self.sources),
            key_field=key_field(finding.store, self.sources) if finding.shape is Shape.MODEL else "",
            ttl_seconds=settled.ttl_seconds if choice.layout is Layout.STRING else None,
            decisions=settled.decisions,
            answers=settled.answers,
            files=files,
            requires=_requires(choice),
        )

    def _folder(self, finding: Finding, answers: Mapping[str, str]) -> Group:
        """The group of a folder on local disk, all of whose sites are known."""
        group = planned(finding, answers, (S3,))
        if finding.store.constructor == STORAGE:
            try:
                group = storages.stored(group, self.sources)
            except CannotSetError as error:
                refusal = Refusal(path=error.path or finding.store.path, line=error.line, reason=str(error))
                return _manual(finding, [refusal])
        generated = self.sources.root / self.backing[finding.store.service].path
        early = untold(group, generated.read_text(encoding="utf-8") if generated.is_file() else "")
        if early is not None:
            return _manual(finding, [early])
        outcomes = [self._try(group, path) for path in group.files]
        refusals = [each for outcome in outcomes for each in outcome.refusals.get(group.id, ())]
        if refusals:
            return _manual(finding, refusals)
        blocked = blocked_loops(finding.store, outcomes, group.id, self.sources)
        texts = {text for outcome in outcomes for text in outcome.differences.get(group.id, ())}
        rules = {rule for outcome in outcomes for rule in outcome.rules.get(group.id, ())}
        stored = storages.differences(group, rules, self.sources) if group.settings else ()
        return msgspec.structs.replace(
            group,
            differences=(
                *COPYING,
                *stored,
                *sent_on(group),
                *sorted(texts),
                *races(finding.store, self._mentions_in(finding.store.service)),
                *finding.reasons,
                *told_late(finding.store, self.sources),
                *looking_inside(finding.store, self.sources),
                *blocked,
            ),
        )

    def _own_seconds(self, store: Store) -> int | None:
        """After how long the store's own code lets an entry go."""
        if store.constructor not in EXPIRING:
            return None
        owner = class_of(store)
        makers = self.sources.files_with(store.service, owner) if owner else ()
        if makers is None:
            return None
        trees = [self.sources.source(path, store.service).tree for path in makers if path != store.path]
        return own_seconds(store, self.sources.source(store.path, store.service).tree, trees)

    def _try(self, group: Group, path: str) -> Rewritten:
        service = group.finding.store.service
        return self.sources.rewritten(path, service, [binding(group)], self.backing[service].module)


def _requires(choice: Choice) -> tuple[str, ...]:
    if choice.layout is Layout.S3:
        return (S3,)
    if choice.codec == "apart":
        return (REDIS, S3)
    return (REDIS, PYDANTIC) if choice.model else (REDIS,)


def _with_bytes(choice: Choice, settled: Settled) -> list[tuple[Choice, Settled]]:
    """How records that hold bytes may be held: each as one object where nobody lists or changes them and they stay,
    else in Redis with their bytes apart."""
    apart = replace(choice, codec="apart", model="", proven_value=False)
    if choice.container != "dict" or settled.ttl_seconds is not None:
        return [(apart, settled)]  # no object of S3 expires by itself
    whole = replace(choice, codec="parcel", layout=Layout.S3, model="", proven_value=False)
    forever = replace(settled, decisions=tuple(each for each in settled.decisions if each.name != "ttl"))
    return [(whole, forever), (apart, settled)]


def _told(found: Collection[Accessor], known: Collection[Accessor]) -> bool:
    """Whether all accessors that were found are known, by their key or by the entry alone."""
    return all(each in known or msgspec.structs.replace(each, parameter="", place=0) in known for each in found)


def _manual(finding: Finding, refusals: Sequence[Refusal]) -> Group:
    return Group(id=finding.id, finding=finding, verdict=Verdict.MANUAL, refusals=tuple(refusals))


def _refusal(finding: Finding, reason: str, advice: str = "") -> Refusal:
    placed = re.match(r"(?P<path>[^:\n]+):(?P<line>\d+): ", reason)  # as reasons of a finding begin
    if placed:
        return Refusal(path=placed["path"], line=int(placed["line"]), reason=reason[placed.end() :], advice=advice)
    return Refusal(path=finding.store.path, line=finding.store.span.line, reason=reason, advice=advice)


def _from_types(finding: Finding, choice: Choice) -> list[str]:
    """What was taken for granted of keys and values, because the code does not show it."""
    found = []
    if not choice.proven_key:
        found.append(_FIELDS if choice.layout is Layout.HASH and not choice.key_type else _KEYS[choice.key_type])
    if not choice.proven_value:
        by_type = choice.model in _PLAIN_TYPES or not choice.model.replace(".", "").isidentifier()
        known = (_TYPE if choice.model and by_type else _VALUES.get(choice.codec, "")).replace("{}", choice.model)
        found.append(known or f"values are taken as {choice.codec}: others come back as that")
    if choice.codec in _OPAQUE:
        found.append(_OPAQUE[choice.codec])
    return found


_OPAQUE = {
    "buffer": "who reads a buffer gets one of its own, at its beginning; before, all had the same one, which stood"
    " where the last of them had left it",
    "array": "who reads an array gets one of its own: a change that is made in it after it was stored is not seen",
}
_TEXT_KEYS = "keys are taken as text: a key that is no str (None, a number) is stored under its text"
_FIELDS = "keys are taken as text: a number is stored under its text, and the client refuses any other (None)"
_KEYS = {
    "": _TEXT_KEYS,
    "str": _TEXT_KEYS,
    "int": "keys are taken as whole numbers: any other key raises ValueError",
    "tuple": "keys are taken as tuples of text and numbers: one with any other part raises TypeError",
}
_PLAIN_TYPES = frozenset({"tuple", "deque", "set", "frozenset"})
_TYPE = "values travel as `{}`: one that holds another type does not come back"
_VALUES = {
    "str": "values are taken as text: a number comes back as text, and None is refused by the client",
    "buffer": "values are taken as `io.BytesIO`: others have no `getvalue`",
    "parcel": "a record with its bytes is one object: a tuple in it comes back as a list, and what is neither bytes nor"
    " JSON raises TypeError",
    "apart": "records are taken as JSON, and their bytes as objects of S3: a tuple comes back as a list; who reads a"
    " record fetches its bytes, and who writes it back stores them again",
    "array": "values are taken as arrays of numpy: one of Python's own objects raises ValueError",
    "bytes": "contents are taken as bytes: text comes back as bytes",
    "json": "values are taken as JSON: a tuple comes back as a list, and a value that is no JSON raises TypeError",
    "tuple": "values are taken as tuples of text and numbers: a tuple within one comes back as a list, and what is no"
    " JSON raises TypeError",
    "model": "values travel by the fields that `{}` declares: what is none, or holds another type, does not come back",
    "int": "values are taken as integers: one that is none raises ValueError when it is read",
}


def _from_bound(store: Store) -> list[str]:
    """What a bounded cache did that no backing service does."""
    size = bound(store)
    return [f"no entry is pushed out by newer ones; before, it kept `{size}` of them"] if size else []


def _from_start(store: Store) -> list[str]:
    """What a function of the app filled the store with, which nobody does any more."""
    made = re.fullmatch(r"([\w.]+)\(.*\)", store.definition.strip(), re.DOTALL)
    name = made[1] if made else ""
    if not made or name.rpartition(".")[2] in (store.constructor.rpartition(".")[2], "field", "ib"):
        return []
    return [
        f"it started with what `{name}` gives, which is not read any more: put that into the backing service once,"
        " before the first process starts"
    ]


def _from_expiry(group: Group, own: int | None) -> list[str]:
    if group.ttl_seconds is None or group.ttl_seconds == own:
        return []
    return [f"an entry is gone {lifetime(group.ttl_seconds)} after it was last set; before, it lived with the process"]
