"""What a catalogue rule is: a Python pattern over metavariables and the backing-service form that equals it.

Patterns and forms are Python source. In a pattern

    x           the store (a dict, list, set, ... or a plain name that is rebound)
    k, k2       keys
    v, w        values; their static type is the store's value type
    n           an integer
    d           a default; any expression
    f           a field name of a record
    o           another container or iterable
    t           a plain local name (target of an assignment)
    i, j        list positions and slice bounds
    b           statements: stands alone on a line and matches one or more statements that do not touch the store

Every other name, attribute, operator and literal stands for itself. A pattern that is one expression matches that
expression anywhere; one that is a statement, or several, matches that run of statements in a body.

In a form the same letters stand for what the pattern bound. Capitals are macros, expanded for the store at hand:

    KEY             the Redis key of `k`: f"session:{k}"; KEY(k2) that of another key
    FIELD           `k` as the field of a hash (its text); FIELD(k2) likewise
    UNKEY(e)        the key in its own type, from the text `e` without its prefix; UNFIELD(e) from a field of a hash
    NAME            the Redis key of the store as a whole: "session"
    PREFIX          the prefix of its keys: "session:"
    ENC(e), DEC(e)  the codec of the value applied; bare ENC and DEC are the codec's functions
    ZERO            the codec's value of a store that does not exist yet: the definition's literal
    SIZE            how many entries a bounded deque keeps
    **EX            ex=SESSION_TTL where the store has an expiry, else nothing
    BUCKET, OBJECT  the bucket, and the S3 key of `k`

`redis_client` and `redis_bytes` (no decoding of replies) are the clients, `s3` the S3 client; every other lower-case
name is a helper of the generated backing-services module (templates/backing_services.py.j2) or a builtin. A name that
starts with an underscore is a temporary: it is renamed where it would meet another name.

Forms are written for synchronous code. The asynchronous form follows from it: `redis_client.m(...)` becomes
`await async_redis_client.m(...)`, a helper that talks to a backing service becomes `await async_<helper>(...)`.
"""

from __future__ import annotations

from dataclasses import dataclass

from unstate.model import Layout, Verdict

ANY = frozenset({"str", "int", "float", "bool", "tuple", "json", "apart", "model"})  # codecs that travel as text


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the catalogue."""

    id: str  # "string.getitem": layout, then the operation
    pattern: str
    form: str
    layout: Layout
    container: str = "dict"  # what the store is made of: see plan/layout.py
    codecs: frozenset[str] = ANY
    verdict: Verdict = Verdict.EXACT
    difference: str = ""  # what differs, a sentence; required where the verdict is `review`
    when: tuple[
        str, ...
    ] = ()  # "pure d": no side effects and no store in it; "constant n"; "zero d"; "unordered": see guards.py
    gives: str = ""  # the pattern of a read that the form's value answers: "x[k]" for a form that adds to it
    wrong: bool = False  # a known wrong form, kept as a counterexample that the proof must find; never applied
    note: str = ""  # why the form is right, or where the trap is
