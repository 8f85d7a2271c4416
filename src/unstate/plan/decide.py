"""Decisions: what the code cannot answer, with a default that the patch uses until a person says otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from unstate.codemods import Codemod
from unstate.config import Config, format_duration, parse_duration
from unstate.model import Decision, Finding, Shape
from unstate.plan.layout import TEXT_CODECS

_PREFIX = re.compile(r"[A-Za-z0-9_.-]+")


class AnswerError(ValueError):
    """A decision was answered with something that it does not take."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The decisions of one store, each with its default, and the answers in force."""

    decisions: tuple[Decision, ...]
    prefix: str
    ttl_seconds: int | None
    codec: str | None
    answers: tuple[tuple[str, str], ...]  # those that differ from the default


def settle(
    finding: Finding,
    codemod: Codemod | None,
    config: Config,
    prefix: str,
    answers: Mapping[str, str],
    *,
    by_key: bool,
    by_type: bool = False,
    own_seconds: int | None = None,
) -> Settled:
    """Put the questions for a store, and take the answers.

    `by_key`: its entries can expire one by one; `by_type`: its values travel by the type that they have;
    `own_seconds`: after the time that the code itself says.
    """
    members = finding.store.constructor == "set"  # told apart by their text
    decisions = [Decision(name="key_prefix", question="Under which prefix do its keys stand?", default=prefix)]
    if by_key:
        decisions.append(_ttl(finding, codemod, config, own_seconds))
    if finding.shape is Shape.UNKNOWN and not by_type:
        decisions.append(
            Decision(
                name="codec",
                question="What do its values hold?",
                default="str" if members else "json",
                choices=("str", "int") if members else TEXT_CODECS,
                why="the code does not show their type"
                + ("" if members else "; JSON keeps text, numbers, lists and dicts apart"),
            )
        )
    known = {decision.name: decision for decision in decisions}
    for name, answer in answers.items():
        check(finding, known, name, answer)
    taken = {name: answers.get(name, decision.default) for name, decision in known.items()}
    return Settled(
        decisions=tuple(decisions),
        prefix=taken["key_prefix"],
        ttl_seconds=parse_duration(taken.get("ttl", "none")),
        codec=taken.get("codec"),
        answers=tuple((name, taken[name]) for name in sorted(known) if taken[name] != known[name].default),
    )


def _ttl(finding: Finding, codemod: Codemod | None, config: Config, own_seconds: int | None) -> Decision:
    configured = config.at(finding.store.path).ttl.get(finding.kind)
    if own_seconds is not None:
        default, why = format_duration(own_seconds), f"as `{finding.store.definition}` says"
    elif configured is not None:
        default, why = configured, "as configured"
    elif codemod is not None and codemod.ttl:
        default, why = codemod.ttl, f"the usual lifetime for what a {finding.kind.replace('_', ' ')} holds"
    else:
        default, why = "none", "nothing in the code says that entries expire"
    return Decision(name="ttl", question="How long may an entry live after it was last set?", default=default, why=why)


def check(finding: Finding, known: Mapping[str, Decision], name: str, answer: str) -> None:
    """Raises AnswerError where a decision does not take an answer."""
    where = f"{finding.id}: decision {name}"
    if name not in known:
        asked = f"; it asks: {', '.join(known)}" if known else ""
        raise AnswerError(f"{where} is not asked for this store{asked}")
    choices = known[name].choices
    if choices and answer not in choices:
        raise AnswerError(f'{where} takes one of {", ".join(choices)}, not "{answer}"')
    if name == "ttl":
        try:
            parse_duration(answer)
        except ValueError as error:
            raise AnswerError(f"{where}: {error}") from None
    if name == "key_prefix" and not _PREFIX.fullmatch(answer):
        raise AnswerError(f'{where}: "{answer}" may hold letters, digits, "_", "-" and "." only')


def lifetime(seconds: int) -> str:
    """A duration in words: "24 hours"."""
    text = format_duration(seconds)
    unit = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}[text[-1]]
    return f"{text[:-1]} {unit}{'' if text[:-1] == '1' else 's'}"
