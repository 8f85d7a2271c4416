"""One store as several services see it: what each does with it counts."""

from __future__ import annotations

from msgspec.structs import replace

from unstate.model import Finding, Shape, Site, Verdict

_ORDER = (Verdict.EXACT, Verdict.REVIEW, Verdict.MANUAL)
_DIFFERENT = "{path}:{line}: services keep different things in it ({one}, {other})"


def joined(one: Finding, other: Finding) -> Finding:
    """The finding of a store that stands in code that services share. Both have the same id."""
    sites: dict[tuple[str, int, int, str], Site] = {}
    for site in (*one.store.sites, *other.store.sites):
        key = (site.path, site.span.line, site.span.column, site.op)
        known = sites.get(key)
        if known is None:
            sites[key] = site
        elif site.reachable and not known.reachable:
            sites[key] = replace(known, reachable=True)
    store = replace(
        one.store,
        key_types=tuple(dict.fromkeys((*one.store.key_types, *other.store.key_types))),
        value_types=tuple(dict.fromkeys((*one.store.value_types, *other.store.value_types))),
        sites=tuple(sites[key] for key in sorted(sites)),
    )
    limit = max(one.limit, other.limit, key=_ORDER.index)
    reasons = tuple(dict.fromkeys((*one.reasons, *other.reasons)))
    if one.shape != other.shape and Shape.UNKNOWN not in (one.shape, other.shape):
        limit = Verdict.MANUAL
        place = {"path": store.path, "line": store.span.line}
        reasons += (_DIFFERENT.format(**place, one=one.shape, other=other.shape),)
    return replace(
        one,
        store=store,
        limit=limit,
        shape=other.shape if one.shape is Shape.UNKNOWN else one.shape,
        evidence=tuple(dict.fromkeys((*one.evidence, *other.evidence))),
        reasons=reasons,
    )
