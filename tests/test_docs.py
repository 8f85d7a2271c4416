"""The documentation is true: its console sessions are run, its settings are loaded, its links lead somewhere.

In a `console` block a line that starts with `$ ` is run by bash, in a folder that holds `examples/`; what follows is
what a terminal shows. A line of `...` stands for any lines, `...` within a line for any text. The sessions of one page
share their folder, so one step can build on another.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from unstate.config import load

REPOSITORY = Path(__file__).parents[1]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
RULES = sorted((REPOSITORY / "docs" / "rules").glob("*.md"))


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


def steps(block: str) -> list[tuple[str, str]]:
    """Commands with the output that the page shows for them."""
    return re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)


def matches(shown: str, seen: str) -> bool:
    pattern = "".join(
        r"(?:.*\n)*" if line == "...\n" else re.escape(line).replace(re.escape("..."), ".*")
        for line in shown.splitlines(keepends=True)
    )
    return re.fullmatch(pattern, seen) is not None


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "console")], ids=lambda page: page.stem)
def test_the_sessions_on_a_page(page: Path, tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for block in blocks(page, "console"):
        assert steps(block)
        for command, shown in steps(block):
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=tmp_path,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env={**os.environ, "PATH": path},
            )
            assert matches(shown, done.stdout), f"$ {command}\n--- the page shows\n{shown}--- what came\n{done.stdout}"


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "toml")], ids=lambda page: page.stem)
def test_the_settings_on_a_page(page: Path, tmp_path: Path) -> None:
    for block in blocks(page, "toml"):
        tomllib.loads(block)
        (tmp_path / "pyproject.toml").write_text(block)
        load(tmp_path)


@pytest.mark.parametrize("page", [*PAGES, *RULES], ids=lambda page: page.stem)
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), target


def test_the_pages_of_the_rules_are_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("render_rules", REPOSITORY / "docs" / "render_rules.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    there = {path.name: path.read_text() for path in RULES}
    assert there == module.pages(), "run: python docs/render_rules.py"
