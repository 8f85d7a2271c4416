"""Files that the running Python cannot parse: older ones are read for their stores, none is passed over in silence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from unstate import facts
from unstate.config import Config
from unstate.facts import python2
from unstate.facts.values import FileFacts
from unstate.model import Diagnostic
from unstate.scan import scan

SERVICE = dedent(
    """\
    import sys
    from flask import Flask, request

    app = Flask(__name__)
    sessions = {}


    @app.route("/login", methods=["POST"])
    def login():
        print >>sys.stderr, "login", request.form["user"]
        sessions[request.form["token"]] = request.form["user"]
        return "ok"


    @app.route("/who")
    def who():
        print "asked"
        return sessions.get(request.args["token"], "nobody")
    """
)


def test_the_stores_of_a_python_2_service_are_found_and_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(SERVICE)
    result = scan(tmp_path, Config())
    assert [(found.store.name, found.store.span.line) for found in result.findings] == [("sessions", 5)]
    assert [(found.path, found.rule) for found in result.diagnostics] == [("app.py", "US003")]


@pytest.mark.parametrize(
    "line",
    [
        'print "a"',
        "print",
        'print >>f, "a", b',
        'print "a",',
        'exec "a = 1"',
        'exec "a = 1" in scope',
        'raise ValueError, "a"',
        'raise ValueError, "a", tb',
        "x = 0777",
        "x = 0777L",
        "x = 10L",
        "x = 1 <> 2",
        "x = `y`",
        'x = ur"a"',
        'print "a"; x = {}.has_key(1)',
    ],
)
def test_what_only_python_2_reads_is_read_line_by_line(line: str) -> None:
    source = f"before = {{}}\n{line}\n\n\nafter = {{}}\nprint 1\n"
    read = facts.read("a.py", source.encode())
    assert isinstance(read, FileFacts)
    assert read.is_python2
    assert read.lines == source.count("\n") + 1
    assert {ref.path[0]: ref.line for ref in read.refs if ref.path[0] in ("before", "after")} == {
        "before": 1,
        "after": 5,
    }


def test_a_caught_exception_of_python_2_is_read() -> None:
    read = facts.read("a.py", b"try:\n    pass\nexcept (IOError, OSError), e:\n    print e\nafter = {}\n")
    assert isinstance(read, FileFacts)
    assert [ref.line for ref in read.refs if ref.path == ("after",)] == [5]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (b"x = {}\ny = (\n", 2),
        (b"x = 1\nclass A\n    pass\n", 2),
        (b'x = """\n', 1),
        (b"# coding: no-such-coding\nx = 1\n", 1),
        (b"\xff\xfex\x00", 1),
        (b"x = 1\n\x00\n", 1),
        (b"x = '\xe9'\n", 1),
        (b"if x:\n\ty = 1\n        z = 2\n", 3),
    ],
)
def test_a_file_that_no_python_reads_is_a_diagnostic_with_its_line(source: bytes, line: int) -> None:
    read = facts.read("a.py", source)
    assert isinstance(read, Diagnostic)
    assert (read.path, read.rule, read.line) == ("a.py", "US001", line)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python reads it")
def test_a_file_for_a_newer_python_is_told_with_its_line_and_this_python() -> None:
    read = facts.read("a.py", b"import os\n\ndef first[T](items: list[T]) -> T:\n    return items[0]\n")
    assert isinstance(read, Diagnostic)
    assert (read.rule, read.line) == ("US001", 3)
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in read.message


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="this Python reads it")
def test_a_newer_file_whose_text_has_marks_of_python_2_is_no_python_2() -> None:
    read = facts.read("a.py", b'"""Ask `x <> y` of it."""\nname = "a"\nquery = t"select {name}"\n')
    assert isinstance(read, Diagnostic)
    assert (read.rule, read.line) == ("US001", 3)


def test_python_2_that_its_own_parser_cannot_read_is_told() -> None:
    read = facts.read("a.py", b'print "a"\nx = (\n')
    assert isinstance(read, Diagnostic)
    assert read.rule == "US003"


@pytest.mark.parametrize("source", [b"a" + b".b" * 50_000, b"-" * 50_000 + b"1", b"a" + b"+a" * 50_000])
def test_code_nested_too_deeply_is_a_diagnostic(source: bytes) -> None:
    read = facts.read("a.py", source)
    assert isinstance(read, Diagnostic)
    assert "nested too deeply" in read.message


def test_a_file_of_fifty_thousand_lines_is_read() -> None:
    source = "state = {}\n" + "".join(f"def f{n}(a):\n    state[a] = {n}\n" for n in range(25_000))
    read = facts.read("a.py", source.encode())
    assert isinstance(read, FileFacts)
    assert read.lines == 50_002


def test_a_python_2_parser_that_cannot_be_loaded_is_a_diagnostic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fissix.refactor", None)
    read = facts.read("a.py", b'print "a"\n')
    assert isinstance(read, Diagnostic)
    assert read.rule == "US003"
    assert "cannot be loaded" in read.message


def test_python_3_never_loads_the_parser_of_python_2() -> None:
    code = "import sys; from unstate import facts; facts.read('a.py', b'x = {}'); print('fissix' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    "text", ["x = {}\n", "print(a)\n", "print (a)\n", "raise A(b)\n", "x = 0o777\n", "except_, b = 1, 2\n", "x = 0.5\n"]
)
def test_python_3_has_no_marks_of_python_2(text: str) -> None:
    assert not python2.looks_like(text)
