"""The rules: complete, documented, and read without being run."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from unstate.codemods import Codemod, CodemodError, load, read
from unstate.config import Config
from unstate.model import Kind
from unstate.scan import scan

RULES = load()
SECTIONS = ["What it finds", "Why is this bad?", "Example", "Use instead", "Fix safety", "References"]
GOOD = '''"""## What it finds
Carts.
"""
from unstate.codemods import Codemod
from unstate.model import Kind

CODEMOD = Codemod(code="SHOP1", name="cart-in-process", kinds=(Kind.SESSION,), summary="Carts " "in a dict.", ttl="1h")
'''


def test_every_kind_of_store_has_exactly_one_rule() -> None:
    kinds = [kind for rule in RULES.values() for kind in rule.kinds]
    assert sorted(kinds) == sorted(Kind)


def test_codes_and_names_are_unique_and_files_are_named_after_them() -> None:
    assert len({rule.name for rule in RULES.values()}) == len(RULES)
    for code, rule in RULES.items():
        assert Path(rule.path).stem == f"{code.lower()}_{rule.name.replace('-', '_')}"


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_is_documented_in_full(rule: Codemod) -> None:
    assert re.findall(r"^## (.+)$", rule.documentation, re.MULTILINE) == SECTIONS
    assert rule.summary.endswith(".")
    references = rule.documentation.partition("## References\n")[2]
    assert references.startswith("- ")


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.kinds], ids=lambda rule: rule.code)
def test_a_rule_about_stores_says_what_a_second_process_breaks(rule: Codemod) -> None:
    assert rule.breaks.endswith(".")
    assert rule.breaks.count(". ") == 0, "one sentence"


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES.values() if rule.code[:3] in ("US4", "US5")], ids=lambda r: r.code
)
def test_a_rule_without_a_patch_says_what_moves_instead(rule: Codemod) -> None:
    assert rule.instead
    assert "Never patched" in rule.documentation or rule.kinds == (Kind.LOCK,)


@pytest.mark.parametrize("rule", [r for r in RULES.values() if r.code not in ("US001", "US003")], ids=lambda r: r.code)
def test_the_code_in_the_documentation_is_python(rule: Codemod) -> None:
    blocks = re.findall(r"```python\n(.*?)```", rule.documentation, re.DOTALL)
    assert blocks
    for block in blocks:
        ast.parse(block)


def code(rule: Codemod, heading: str) -> str | None:
    section = rule.documentation.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    block = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    return block and block[1]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_finds_its_own_example_and_nothing_else(rule: Codemod, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(code(rule, "Example") or "")
    found = scan(tmp_path, Config())
    assert [*(each.rule for each in found.findings), *(each.rule for each in found.diagnostics)] == [rule.code]


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if code(rule, "Use instead")], ids=lambda r: r.code)
def test_a_rule_is_content_with_what_it_asks_for(rule: Codemod, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(code(rule, "Use instead") or "")
    found = scan(tmp_path, Config())
    assert (found.findings, found.diagnostics) == ((), ())


def test_default_expiries() -> None:
    assert {rule.code: rule.ttl_seconds for rule in RULES.values() if rule.ttl_seconds} == {
        "US101": 86400,
        "US102": 600,
    }


def test_a_project_brings_its_own_and_replaces_shipped_ones(tmp_path: Path) -> None:
    folder = tmp_path / "codemods"
    folder.mkdir()
    (folder / "cart.py").write_text(GOOD)
    (folder / "ours.py").write_text(GOOD.replace("SHOP1", "US101").replace('ttl="1h"', 'ttl="none"'))
    rules = load(tmp_path)
    assert (rules["SHOP1"].summary, rules["SHOP1"].ttl_seconds) == ("Carts in a dict.", 3600)
    assert (rules["US101"].name, rules["US101"].ttl_seconds) == ("cart-in-process", None)
    assert len(rules) == len(RULES) + 1
    assert list(rules) == sorted(rules)


def test_files_that_are_no_codemods_of_ours_are_passed_by(tmp_path: Path) -> None:
    folder = tmp_path / "codemods"
    folder.mkdir()
    (folder / "rename.py").write_text("from libcst.codemod import CodemodCommand\nraise SystemExit('was run')\n")
    (folder / "old.py").write_text("print 'python 2'\n")
    assert load(tmp_path) == RULES


def test_a_codemod_file_is_not_run(tmp_path: Path) -> None:
    file = tmp_path / "cart.py"
    file.write_text(GOOD + f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    assert read(file) is not None
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('name="cart-in-process",', "name=", 7, "syntax error"),
        ("CODEMOD =", "CODEMODS =", 1, "no `CODEMOD = Codemod(...)`"),
        ('code="SHOP1"', 'code="SH" + "OP1"', 7, "is no text, no Kind"),
        ("Kind.SESSION", "Kind.SESSIONS", 7, "`Kind.SESSIONS` is no text"),
        ('ttl="1h"', 'ttl="one hour"', 7, '"one hour" is no duration'),
        ('ttl="1h"', 'colour="red"', 7, "`colour`"),
        ('code="SHOP1", ', "", 7, "missing required field `code`"),
        ('code="SHOP1"', '"SHOP1"', 7, "named arguments only"),
        ('ttl="1h"', 'path="x"', 7, "Codemod takes no path here"),
        ('"""## What it finds\nCarts.\n"""', "# carts", 1, "docstring is missing"),
    ],
)
def test_a_broken_codemod_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    file = tmp_path / "codemods" / "cart.py"
    file.parent.mkdir()
    file.write_text(GOOD.replace(old, new))
    with pytest.raises(CodemodError) as caught:
        load(tmp_path)
    assert str(caught.value).startswith(f"{file}:{line}: ")
    assert words in str(caught.value)


def test_one_code_twice_in_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "codemods"
    folder.mkdir()
    for name in ("a.py", "b.py"):
        (folder / name).write_text(GOOD)
    with pytest.raises(CodemodError, match=r"SHOP1 is also the code of .*a\.py"):
        load(tmp_path)
