"""When two runs are the same: what differs by itself is left out, and no more than that."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unstate.verify.answers import Answer, Run
from unstate.verify.mask import Mask, is_time


def run(*bodies: Any) -> Run:
    return Run(tuple(Answer("GET /", 200, "application/json", json.dumps(body).encode()) for body in bodies))


def page(*texts: str) -> Run:
    return Run(tuple(Answer("GET /", 200, "text/html; charset=utf-8", text.encode()) for text in texts))


def token() -> str:
    return secrets.token_urlsafe(16)


def logged_in(user: str = "ann") -> Run:
    mine = token()
    return run({"token": mine}, {"user": user, "token": mine, "at": time.time()})


def test_new_tokens_are_no_difference() -> None:
    assert Mask(logged_in(), logged_in()).difference(logged_in()) is None


def test_a_token_that_does_not_come_back_is_a_difference() -> None:
    mask = Mask(logged_in(), logged_in())
    found = mask.difference(run({"token": token()}, {"user": "ann", "token": token(), "at": 1.0}))
    assert found is not None
    assert (found.step, found.field) == (2, "body.token")
    assert "gave before" in found.note


def test_the_same_token_twice_where_there_were_two_is_a_difference() -> None:
    mask = Mask(run({"id": token()}, {"id": token()}), run({"id": token()}, {"id": token()}))
    same = token()
    assert mask.difference(run({"id": token()}, {"id": token()})) is None
    assert mask.difference(run({"id": same}, {"id": same})) is not None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"n": 2, "s": "a", "l": [1]}, "body.n"),
        ({"n": "1", "s": "a", "l": [1]}, "body.n"),
        ({"n": 1.5, "s": "a", "l": [1]}, "body.n"),
        ({"n": True, "s": "a", "l": [1]}, "body.n"),
        ({"n": 1, "s": None, "l": [1]}, "body.s"),
        ({"n": 1, "s": "a", "l": [1, 2]}, "body.l"),
        ({"n": 1, "s": "a", "l": []}, "body.l"),
        ({"n": 1, "s": "a"}, "body"),
        ({"n": 1, "s": "a", "l": [1], "x": 0}, "body"),
    ],
)
def test_what_the_original_gives_twice_alike_is_compared_as_it_is(body: Any, field: str) -> None:
    original = {"n": 1, "s": "a", "l": [1]}
    found = Mask(run(original), run(original)).difference(run(body))
    assert found is not None
    assert found.field == field


def test_only_the_tokens_of_a_page_that_differ_are_left_out() -> None:
    mask = Mask(page(f"<b>Hello ann</b> <i>{token()}</i>"), page(f"<b>Hello ann</b> <i>{token()}</i>"))
    assert mask.difference(page(f"<b>Hello ann</b> <i>{token()}</i>")) is None
    assert mask.difference(page(f"<b>Hello bob</b> <i>{token()}</i>")) is not None
    assert mask.difference(page("something else")) is not None


def test_a_run_that_stops_or_goes_on_differs() -> None:
    mask = Mask(run(1, 2), run(1, 2))
    assert mask.difference(Run(run(1).answers, "the scenario stopped")) is not None
    assert mask.difference(run(1, 2, 3)) is not None
    assert mask.difference(Run(run(1, 2).answers)) is None


def test_what_seldom_differs_is_learnt_from_another_run() -> None:
    mask = Mask(run({"coin": 1, "user": "ann"}), run({"coin": 1, "user": "ann"}))
    assert mask.difference(run({"coin": 0, "user": "ann"})) is not None
    mask.widen(run({"coin": 2, "user": "ann"}))
    assert mask.difference(run({"coin": 0, "user": "ann"})) is None
    assert mask.difference(run({"coin": 0, "user": "bob"})) is not None


def test_a_status_that_differs_by_itself_is_said() -> None:
    odd = Run((Answer("GET /", 503),))
    assert "status" in Mask(Run((Answer("GET /", 200),)), odd).notes[0]
    many = Mask(Run((Answer("GET /", 200),) * 5), Run((Answer("GET /", 503),) * 5)).notes
    assert many == [
        "the status of step 1 (GET /), 2 (GET /), 3 (GET /) and 2 more differs by itself in one process",
        *many[1:],
    ]


def test_where_users_share_a_list_nothing_beside_it_is_compared() -> None:
    shared = Mask(
        run({"ids": [1], "last": 7}, {"n": 1, "user": "ann"}), run({"ids": [1, 2], "last": 7}, {"n": 2, "user": "ann"})
    )
    assert shared.difference(run({"ids": [3], "last": 8}, {"n": 1, "user": "ann"})) is not None
    loose = shared.without_changing_forms()
    assert loose.difference(run({"ids": [3], "last": 8}, {"n": 3, "user": "ann"})) is None
    assert loose.difference(run({"ids": [3], "last": 8}, {"n": 3, "user": "bob"})) is not None


def test_binary_bodies_are_compared_byte_by_byte() -> None:
    def image(body: bytes) -> Run:
        return Run((Answer("GET /i", 200, "image/png", body),))

    mask = Mask(image(b"\x00\xff"), image(b"\x00\xff"))
    assert mask.difference(image(b"\x00\xff")) is None
    assert mask.difference(image(b"\x00\xfe")) is not None


def test_what_looks_like_now() -> None:
    assert is_time(time.time())
    assert is_time(int(time.time() * 1000))
    assert is_time("2026-01-02T03:04:05Z")
    for value in (0, 1, 3.5, True, "12:30", "ann", None, "x" * 100 + "12:30:45"):
        assert not is_time(value)


SCALARS = st.none() | st.booleans() | st.integers(-100, 100) | st.text("ab<>-. ", max_size=12)
BODIES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner)
)


@given(st.lists(BODIES, max_size=4), st.lists(BODIES, max_size=4))
def test_both_runs_of_the_original_always_pass_their_own_mask(one: list[Any], two: list[Any]) -> None:
    two = (two + one)[: len(one)]
    mask = Mask(run(*one), run(*two))
    assert mask.difference(run(*one)) is None
    assert mask.difference(run(*two)) is None


@given(st.lists(BODIES, min_size=1, max_size=4), st.lists(BODIES, min_size=1, max_size=4))
def test_without_noise_any_other_value_is_found(one: list[Any], two: list[Any]) -> None:
    mask = Mask(run(*one), run(*one))
    assert (mask.difference(run(*two)) is None) == (json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True))
