"""What a store starts with, put into the backing service once for all processes: the first of them does it.

In a form, `o` is the definition's value. A mark beside the store says that it was done, so that entries which were
taken out since do not come back.
"""

from __future__ import annotations

from unstate.catalogue.rule import ANY, Rule
from unstate.model import Layout, Verdict

ONCE = "what it starts with is written once, by the first process: an entry that is deleted stays so after a restart"
_FORMS = {
    "dict": (
        Layout.HASH,
        'seed(redis_client, NAME, "HSET", '
        "[_part for _key, _value in o.items() for _part in (FIELD(_key), ENC(_value))])",
    ),
    "list": (Layout.LIST, 'seed(redis_client, NAME, "RPUSH", [ENC(_each) for _each in o])'),
    "set": (Layout.SET, 'seed(redis_client, NAME, "SADD", [ENC(_each) for _each in o])'),
}
SEEDS = {
    container: Rule(
        id=f"{layout}.seed",
        pattern="x = o",
        form=form,
        layout=layout,
        container=container,
        codecs=ANY,
        verdict=Verdict.REVIEW,
        difference=ONCE,
    )
    for container, (layout, form) in _FORMS.items()
}
