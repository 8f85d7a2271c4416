"""From a change group to what the rewriter needs of it."""

from __future__ import annotations

from unstate.model import Group, Shape
from unstate.plan.layout import bound, is_seeded, start_of
from unstate.rewrite import Binding
from unstate.rewrite.both import MARK


def binding(group: Group) -> Binding:
    """The binding of a planned group. Raises ValueError for a group without a patch."""
    if group.layout is None:
        raise ValueError(f"{group.id} has no patch")
    store = group.finding.store
    return Binding(
        id=group.id,
        name=store.name,
        layout=group.layout,
        container=group.container,
        codec=group.codec,
        key_type=group.key_type,
        prefix=f"{MARK}{store.module}:{group.prefix}" if group.switch else group.prefix,
        sites=store.sites,
        ttl=ttl_constant(group.prefix) if group.ttl_seconds is not None else "",
        safe_keys=group.safe_keys,
        accessors=group.accessors,
        changers=frozenset(group.changers),
        partners=frozenset(each.rpartition(":")[2].rpartition(".")[2] for each in group.needs),
        steady=group.steady,
        key_field=group.key_field,
        awaited=frozenset(group.awaited),
        model=group.model,
        presigned=dict(group.answers).get("serving") == "presigned",
        size=bound(store),
        holds_records=group.finding.shape is Shape.RECORD,
        seeded=is_seeded(store, group.container),
        zero=start_of(store, group.container),
    )


def ttl_constant(prefix: str) -> str:
    """The name of the constant that holds a store's expiry."""
    return "".join(c if c.isalnum() else "_" for c in prefix).upper() + "_TTL"
