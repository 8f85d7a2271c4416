"""Stores of code that several services share: moved once, and in each service when it sets a variable."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

import msgspec

from unstate.model import Group, Verdict
from unstate.plan.bindings import binding
from unstate.plan.sources import Sources
from unstate.rewrite.both import NotBothError, both


def switch_variable(library: str) -> str:
    """The variable by which a service moves the state of a library, by the library's root: "PRICING_STATE_PREFIX"."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", PurePosixPath(library).stem).strip("_").upper()
    return f"{name or 'LIBRARY'}_STATE_PREFIX"


def switched(group: Group, backing_module: str, sources: Sources) -> Group:
    """The group of a store that services share: compatible where that can be, else moved in all of them at once."""
    if group.layout is None:
        return group
    candidate = msgspec.structs.replace(group, switch=switch_variable(group.finding.store.service))
    reason = _outside(group) or _not_both(candidate, backing_module, sources)
    if not reason:
        return candidate
    difference = f"it moves in every service that uses it at once, and none can be switched alone: {reason}"
    return msgspec.structs.replace(group, verdict=Verdict.REVIEW, differences=(*group.differences, difference))


def remarks(groups: Iterable[Group], path: str) -> dict[int, str]:
    """By line, what stands behind the definitions of switched stores in a file: they are found no more."""
    return {
        group.finding.store.span.line: f"unstate: ignore[{group.finding.rule}] {group.switch} moves it to Redis"
        for group in groups
        if group.switch and group.finding.store.path == path
    }


def _outside(group: Group) -> str:
    """Why a store cannot be switched, whatever its code is; "" where it can."""
    if "s3" in group.uses:
        return "its bytes move to S3"
    library = group.finding.store.service
    elsewhere = [path for path in group.files if path != library and not path.startswith(f"{library}/")]
    return f"{elsewhere[0]} uses it directly" if elsewhere else ""


def _not_both(group: Group, backing_module: str, sources: Sources) -> str:
    """Why the code of a store cannot have both forms, "" where it can."""
    for path in group.files:
        service = group.finding.store.service
        source = sources.source(path, service)
        outcome = sources.rewritten(path, service, [binding(group)], backing_module)
        try:
            both(source, outcome.after or b"", backing_module, outcome.names, remarks([group], path))
        except NotBothError as error:
            return f"{path}: {error}"
    return ""
