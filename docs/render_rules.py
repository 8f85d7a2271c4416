"""Writes docs/rules/ from the codemod files: `python docs/render_rules.py`."""

from __future__ import annotations

from pathlib import Path

from unstate.codemods import load

FOLDER = Path(__file__).parent / "rules"


def pages() -> dict[str, str]:
    """File name -> text: one page a rule, and README.md, which lists them."""
    rules = load().values()
    table = "".join(f"| [{rule.code}]({rule.code}.md) | {rule.name} | {rule.summary} |\n" for rule in rules)
    index = (
        "# Rules\n\n"
        "US1xx: stores in memory. US2xx: uploads and files. US4xx: coordination. US5xx: identity. US0xx: what unstate\n"
        "has to say about its own work. Each page is the docstring of the rule's file in `codemods/`, and what\n"
        "`unstate explain` prints.\n\n"
        f"| code | name | what was found |\n|---|---|---|\n{table}"
    )
    return {"README.md": index, **{f"{rule.code}.md": rule.markdown() for rule in rules}}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for stale in FOLDER.glob("*.md"):
        stale.unlink()
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
