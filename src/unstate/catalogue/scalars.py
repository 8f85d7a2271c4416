"""An integer under `global`: one Redis string, counted up and down by the server."""

from __future__ import annotations

from unstate.catalogue.table import INT, Table
from unstate.model import Layout

_rule = Table("counter", Layout.COUNTER, "scalar", INT)
AGAIN = "never read again: two callers would see one number"

RULES = (
    _rule("read", "x", "int(redis_client.get(NAME) or ZERO)", note="the text '0' is true"),
    _rule("assign", "x = v", "redis_client.set(NAME, v)"),
    *(
        rule
        for begins, when in (("", ("starts at 0",)), (".from", ()))
        for name, sign, inverse, command, amount in (
            ("increment", "+", "-", "incrby", "n"),
            ("decrement", "-", "+", "decrby", "-n"),
        )
        for form in (
            f"increment_from(redis_client, NAME, ZERO, {amount})" if begins else f"redis_client.{command}(NAME, n)",
        )
        for rule in (
            _rule(f"{name}{begins}", f"x {sign}= n", form, *when, gives="x"),
            _rule(f"{name}.plain{begins}", f"x = x {sign} n", form, *when, gives="x"),
            _rule(f"{name}.return{begins}", f"x {sign}= n\nreturn x", f"return {form}", *when, note=AGAIN),
            _rule(f"{name}.assigned{begins}", f"x {sign}= n\nt = x", f"t = {form}", *when, note=AGAIN),
            _rule(f"read_{name}{begins}", f"t = x\nx {sign}= n", f"t = {form} {inverse} n", *when, "apart t n"),
        )
    ),
    _rule("get_plus_set", "x += n", "redis_client.set(NAME, n)", wrong=True, note="forgets the count"),
    _rule("read_text", "x", "redis_client.get(NAME) or ZERO", wrong=True, note="'3' is no 3"),
    _rule("after", "t = x\nx += n", "t = redis_client.incrby(NAME, n)", wrong=True, note="the number afterwards"),
    _rule("zero_start", "x", "int(redis_client.get(NAME) or 0)", wrong=True, note="it may start at another number"),
)
