"""Decisions outlive a new plan, and files that are not what they should be say where."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from unstate.changes import decisions, documents
from unstate.changes.decisions import Choice, Decisions, Standing, select, standing
from unstate.changes.documents import DocumentError
from unstate.model import Finding, Group, Kind, Plan, Scope, Shape, Span, Store, Verdict


def group(
    name: str, verdict: Verdict = Verdict.REVIEW, needs: tuple[str, ...] = (), conflicts: tuple[str, ...] = ()
) -> Group:
    span = Span(line=1, column=0, end_line=1, end_column=2)
    store = Store(
        service=".",
        module="app",
        name=name,
        path="app.py",
        span=span,
        scope=Scope.MODULE,
        constructor="dict",
        definition="{}",
    )
    finding = Finding(id=name, rule="US101", kind=Kind.SESSION, shape=Shape.STR, store=store)
    return Group(id=name, finding=finding, verdict=verdict, needs=needs, conflicts=conflicts)


# --- what accepting comes to


def test_what_a_group_needs_comes_along_and_is_named() -> None:
    plan = Plan(groups=(group("c"), group("b", needs=("c",)), group("a", needs=("b",))))
    selection = select(plan, ["a"])
    assert selection.accepted == ("c", "b", "a")
    assert selection.brought == {"c": "b", "b": "a"}
    assert not selection.refused


def test_what_was_asked_for_is_not_said_to_be_brought() -> None:
    plan = Plan(groups=(group("a", needs=("b",)), group("b")))
    assert select(plan, ["a", "b"]).brought == {}
    assert select(plan, ["b", "a"]) == select(plan, ["a", "b"])


def test_needs_in_a_circle() -> None:
    plan = Plan(groups=(group("a", needs=("b",)), group("b", needs=("a",)), group("c")))
    assert select(plan, ["a"]).accepted == ("a", "b")


@pytest.mark.parametrize(
    ("groups", "reason"),
    [
        ((group("a", needs=("b",)), group("b", Verdict.MANUAL)), "a needs b, which has no patch."),
        (
            (group("a", needs=("b",)), group("b", needs=("c",)), group("c", Verdict.MANUAL)),
            "b needs c, which has no patch.",
        ),
        ((group("a", needs=("gone",)),), "a needs gone, which is not in this plan."),
        ((group("a", Verdict.MANUAL),), "a has no patch."),
        ((group("b"),), "a is not in this plan."),
    ],
)
def test_what_cannot_be_taken_says_why(groups: tuple[Group, ...], reason: str) -> None:
    selection = select(Plan(groups=groups), ["a"])
    assert selection.accepted == ()
    assert selection.refused == {"a": reason}


def test_a_rejected_group_is_not_brought_along() -> None:
    plan = Plan(groups=(group("a", needs=("b",)), group("b"), group("c")))
    selection = select(plan, ["a", "c"], rejected=["b"])
    assert selection.accepted == ("c",)
    assert selection.refused == {"a": "a needs b, which was rejected."}


def test_of_two_that_exclude_each_other_the_first_is_taken() -> None:
    for left, right in [(("b",), ()), ((), ("a",)), (("b",), ("a",))]:
        plan = Plan(groups=(group("a", conflicts=left), group("b", conflicts=right)))
        for wanted in (["a", "b"], ["b", "a"]):
            selection = select(plan, wanted)
            assert selection.accepted == ("a",)
            assert selection.refused == {"b": "b cannot be taken together with a."}


def test_a_group_whose_needs_exclude_each_other() -> None:
    plan = Plan(groups=(group("a", needs=("b", "c")), group("b", conflicts=("c",)), group("c")))
    assert select(plan, ["a"]).accepted == ()


# --- where a group stands


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice(id="a"), Standing.OPEN),
        (Choice(id="a", answers={"ttl": "7d"}, seen="1"), Standing.OPEN),
        (Choice(id="a", accept=True, seen="1"), Standing.ACCEPTED),
        (Choice(id="a", accept=False, seen="1"), Standing.REJECTED),
        (Choice(id="a", accept=True, seen="2"), Standing.LOOK_AGAIN),
        (Choice(id="a", accept=False, seen="2"), Standing.LOOK_AGAIN),
        (Choice(id="a", accept=True), Standing.ACCEPTED),
    ],
)
def test_standing(choice: Choice, expected: Standing) -> None:
    assert standing(group("a"), choice, "1") is expected
    assert standing(group("a", Verdict.MANUAL), choice, "1") is Standing.MANUAL


# --- files


def test_decisions_come_back_as_they_went(tmp_path: Path) -> None:
    made = (
        Decisions()
        .with_choice(Choice(id="b", accept=False))
        .with_choice(Choice(id="a", accept=True, answers={"ttl": "7d"}))
    )
    made = made.with_choice(Choice(id="b", accept=True, seen="x"))
    decisions.save(tmp_path / "d.json", made)
    assert decisions.load(tmp_path / "d.json") == made
    assert [choice.id for choice in made.groups] == ["a", "b"]
    assert made.accepted() == ("a", "b")
    assert made.answers() == {"a": {"ttl": "7d"}}
    assert made.of("b").seen == "x"
    assert made.of("c") == Choice(id="c")
    assert made.unknown(Plan(groups=(group("a"),))) == ("b",)
    assert [path.name for path in tmp_path.iterdir()] == ["d.json"]


def test_a_plan_comes_back_as_it_went(tmp_path: Path) -> None:
    plan = Plan(groups=(group("a", needs=("b",)), group("b")), base=(("app.py", "0" * 64),))
    documents.save(tmp_path / "plan.json", plan)
    assert documents.load(tmp_path / "plan.json", Plan, "unstate.plan/1") == plan


WHOLE = {"schema": "unstate.decisions/1", "groups": [{"id": "a", "accept": True, "answers": {"ttl": "7d"}}]}


def changed(*groups: object) -> bytes:
    return json.dumps({**WHOLE, "groups": groups}).encode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", ":1: not JSON: Input data was truncated."),
        (b'{"schema": "unstate.decisions/1",\n "groups": [}', ":2: not JSON: "),
        (b"\xff\xfe", ":1: not JSON"),
        (b"[]", '$.schema: nothing says what this is, where "unstate.decisions/1" was wanted.'),
        (b"{}", "$.schema: nothing says what this is"),
        (b'{"schema": "unstate.plan/1", "groups": []}', "$.schema: this is unstate.plan/1, where"),
        (
            json.dumps({**WHOLE, "more": 1}).encode(),
            "$: Object contains unknown field `more`; known: schema, groups.",
        ),
        (
            changed({"id": "a", "acept": True}),
            '$.groups[0]: Object contains unknown field `acept`; did you mean "accept"?.',
        ),
        (changed({"accept": True}), "$.groups[0]: Object missing required field `id`."),
        (changed({"id": "a", "accept": "yes"}), "$.groups[0].accept: Expected `bool | null`, got `str`."),
        (changed({"id": "a", "answers": {"ttl": 7}}), "$.groups[0].answers[...]: Expected `str`, got `int`."),
        (changed({"id": "a"}, {"id": "a"}), "$.groups[1].id: a was decided twice."),
    ],
)
def test_a_bad_file_says_where(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "decisions.json"
    path.write_bytes(content)
    with pytest.raises(DocumentError) as caught:
        decisions.load(path)
    assert str(caught.value).startswith(str(path))
    assert said in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="No such file"):
        decisions.load(tmp_path / "none.json")
    with pytest.raises(DocumentError, match="cannot be written"):
        decisions.save(tmp_path / "no" / "folder.json", Decisions())


def test_a_value_that_is_not_known(tmp_path: Path) -> None:
    document = msgspec.to_builtins(Plan(groups=(group("a"),)))
    document["groups"][0]["verdict"] = "exacct"
    (tmp_path / "plan.json").write_text(json.dumps(document))
    with pytest.raises(DocumentError) as caught:
        documents.load(tmp_path / "plan.json", Plan, "unstate.plan/1")
    assert str(caught.value).endswith(
        "plan.json: $.groups[0].verdict: Invalid enum value 'exacct'; known: exact, review, manual."
    )


def test_an_old_plan_with_a_key_we_no_longer_know(tmp_path: Path) -> None:
    document = msgspec.to_builtins(Plan(groups=(group("a"),)))
    document["groups"][0]["finding"]["store"]["colour"] = "red"
    (tmp_path / "plan.json").write_text(json.dumps(document))
    with pytest.raises(
        DocumentError, match=r"\$\.groups\[0\]\.finding\.store: Object contains unknown field `colour`; known: "
    ):
        documents.load(tmp_path / "plan.json", Plan, "unstate.plan/1")
