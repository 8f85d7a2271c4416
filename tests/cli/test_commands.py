"""The command line itself: help, usage errors, and the commands that need no scan."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
import typer
from running import Run

from unstate import __version__
from unstate.cli import COMMANDS, main


def test_help_names_every_command(run: Run) -> None:
    result = run("--help")
    assert result.code == 0
    for name, (_, help_line) in COMMANDS.items():
        assert f"  {name} " in result.out
        assert help_line in result.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_entry_of_the_table_leads_to_a_command(name: str) -> None:
    module, _, attribute = COMMANDS[name][0].partition(":")
    target = getattr(import_module(module), attribute)
    assert isinstance(target, typer.Typer) or target.__doc__


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_of_its_own(run: Run, name: str) -> None:
    result = run(name, "--help")
    assert result.code == 0
    assert f"unstate {name}" in result.out


def test_help_imports_neither_a_command_nor_a_heavy_package() -> None:
    code = "import sys; sys.argv = ['unstate', '--help']\nimport atexit\n"
    code += "atexit.register(lambda: print(*sorted(sys.modules), sep='\\n'))\nfrom unstate.cli import main; main()"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split())
    assert "typer" in loaded
    assert not loaded & {"rich", "libcst", "jinja2", "msgspec", "bowler", "unstate.model", "unstate.config"}
    assert not {name for name in loaded if name.startswith("unstate.cli.")}


def test_version(run: Run) -> None:
    assert run("--version").out == f"unstate {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["scna"], "Did you mean 'scan'?"),
        (["scan"], "Missing argument"),
        (["scan", ".", "--nope"], "No such option"),
        (["scan", ".", "--output-format", "jsn"], 'unknown output format "jsn"; did you mean "json"?'),
        (["scan", ".", "--baseline", "none.json"], "none.json: No such file"),
        (["scan", ".", "--select", "US9"], 'no rule begins with "US9"'),
        (["migrate", ".", "--write", "--check"], "exclude each other"),
        (["migrate", ".", "--accept", "manual"], "manual"),
        (["migrate", ".", "--ttl", "sesion=1h"], 'did you mean "session"?'),
        (["migrate", ".", "--ttl", "session"], 'as in "session=12h"'),
        (["migrate", ".", "--ttl", "session=1"], '"1" is no duration'),
        (["migrate", ".", "--decisions", "none.toml"], "none.toml: No such file"),
        (["migrate", ".", "..", "--output", "p"], "--output takes the diff of one PATH"),
        (["explain", "US999"], 'no rule "US999"'),
        (["config", "show", "nowhere"], "nowhere: no such file or folder"),
        (["undo", "nowhere"], "nowhere: no such file or folder"),
        (["undo"], "nothing to take back"),
    ],
)
def test_a_wrong_command_line_answers_2_on_stderr(run: Run, arguments: list[str], words: str) -> None:
    result = run(*arguments)
    assert result.code == 2
    assert words in result.err
    assert result.out == ""
    assert "Traceback" not in result.err


def test_an_error_of_our_own_answers_2_and_never_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(COMMANDS, "undo", ("unstate.cli.no_such_module:undo", ""))
    monkeypatch.setattr(sys, "argv", ["unstate", "undo"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "no_such_module" in capsys.readouterr().err


def test_no_arguments_show_the_help(run: Run) -> None:
    result = run()
    assert "Commands:" in result.out + result.err


def test_explain_prints_the_page_of_a_rule(run: Run) -> None:
    by_code, by_name = run("explain", "us101"), run("explain", "session-in-process")
    assert by_code.out == by_name.out
    assert by_code.out.startswith("# session-in-process (US101)\n")
    assert "## Use instead" in by_code.out
    assert "user[0]" not in by_code.out


def test_explain_alone_lists_the_rules(run: Run) -> None:
    lines = run("explain").out.splitlines()
    assert [line.split()[0] for line in lines] == sorted(line.split()[0] for line in lines)
    assert any(line.startswith("US101  session-in-process ") for line in lines)


def test_explain_knows_the_rules_of_a_project(run: Run, tmp_path: Path) -> None:
    (tmp_path / "codemods").mkdir()
    (tmp_path / "codemods" / "own.py").write_text(
        '"""## What it finds\nOurs.\n"""\nfrom unstate.codemods import Codemod\n'
        'CODEMOD = Codemod(code="SHOP1", name="cart-in-process", summary="Carts.")\n'
    )
    assert run("explain", "SHOP1").out.startswith("# cart-in-process (SHOP1)\n\nCarts.\n")


def test_config_show_is_toml_that_gives_the_same_settings(run: Run, tmp_path: Path) -> None:
    text = '[tool.unstate]\nignore = ["US107"]\nttl = { session = "12h" }\n'
    (tmp_path / "pyproject.toml").write_text(text)
    shown = run("config", "show")
    assert shown.code == 0
    assert f"# from {tmp_path / 'pyproject.toml'}" in shown.out
    table = tomllib.loads(shown.out)["tool"]["unstate"]
    assert table["ignore"] == ["US107"]
    assert table["ttl"] == {"session": "12h"}
    (tmp_path / "pyproject.toml").write_text(shown.out)
    assert run("config", "show").out == shown.out


def test_config_show_names_the_line_of_a_mistake(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.unstate]\nexclud = []\n")
    result = run("config", "show")
    assert result.code == 2
    assert f'{tmp_path / "pyproject.toml"}:2: unknown key "exclud"; did you mean "exclude"?' in result.err
