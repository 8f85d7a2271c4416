"""Local names whose last use a rewrite took away."""

from __future__ import annotations

from textwrap import dedent

import libcst
import pytest

from unstate.rewrite.draft import Draft
from unstate.rewrite.source import Source
from unstate.rewrite.unused import without_unused_locals

# name: (before, after the rewrite, without what is not used any more)
CASES = {
    "a plain name": (
        "def f():\n    s = state\n    return s.x\n",
        "def f():\n    s = state\n    return get('x')\n",
        "def f():\n    return get('x')\n",
    ),
    "a call may do more": (
        "def f():\n    s = state()\n    return s.x\n",
        "def f():\n    s = state()\n    return get('x')\n",
        "def f():\n    state()\n    return get('x')\n",
    ),
    "alone in a block": (
        "def f():\n    if a:\n        s = state\n    return s.x\n",
        "def f():\n    if a:\n        s = state\n    return get('x')\n",
        "def f():\n    if a:\n        pass\n    return get('x')\n",
    ),
    "a method": (
        "class A:\n    def f(self):\n        s = self.state\n        return s.x\n",
        "class A:\n    def f(self):\n        s = self.state\n        return get('x')\n",
        "class A:\n    def f(self):\n        return get('x')\n",
    ),
    "the second of one name": (
        "def f():\n    s = 1\ndef f():\n    s = state\n    return s.x\n",
        "def f():\n    s = 1\ndef f():\n    s = state\n    return get('x')\n",
        "def f():\n    s = 1\ndef f():\n    return get('x')\n",
    ),
}
# name: (before, after the rewrite), in which nothing may be taken out
KEPT = {
    "it never was used": ("def f():\n    s = state\n", "def f():\n    s = state\n"),
    "it still is": ("def f():\n    s = state\n    s.x\n    s.y\n", "def f():\n    s = state\n    s.y\n"),
    "within a function": (
        "def f():\n    s = state\n    def g():\n        return s.x\n    return s.y, g\n",
        "def f():\n    s = state\n    def g():\n        return s.x\n    return get('y'), g\n",
    ),
    "a global": (
        "def f():\n    global s\n    s = 1\n    return s\n",
        "def f():\n    global s\n    s = 1\n    return get()\n",
    ),
    "it is deleted": ("def f():\n    s = 1\n    a(s)\n    del s\n", "def f():\n    s = 1\n    get()\n    del s\n"),
    "it counts": ("def f():\n    s = 1\n    s += 1\n    a(s)\n", "def f():\n    s = 1\n    s += 1\n    get()\n"),
    "it is unpacked": ("def f():\n    s, t = a\n    b(s, t)\n", "def f():\n    s, t = a\n    b(t)\n"),
    "an attribute": ("def f():\n    s.x = 1\n    a(s)\n", "def f():\n    s.x = 1\n    get()\n"),
    "of the module": ("s = 1\ndef f():\n    return s\n", "s = 1\ndef f():\n    return get()\n"),
    "of a class": (
        "def f():\n    class A:\n        s = 1\n        t = s\n",
        "def f():\n    class A:\n        s = 1\n        t = 2\n",
    ),
    "of another function": (
        "def f():\n    s = 1\n    a(s)\ndef g():\n    s = 2\n",
        "def f():\n    a(1)\ndef g():\n    s = 2\n",
    ),
}


def without(before: str, after: str) -> str:
    return without_unused_locals(
        Draft(libcst.parse_module(dedent(after)), Source(dedent(before).encode(), "app.py"))
    ).text


@pytest.mark.parametrize("case", CASES)
def test_taken_out(case: str) -> None:
    before, after, wanted = CASES[case]
    assert without(before, after) == wanted


@pytest.mark.parametrize("case", KEPT)
def test_kept(case: str) -> None:
    before, after = KEPT[case]
    assert without(before, after) == after
