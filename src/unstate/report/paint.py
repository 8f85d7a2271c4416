"""Colour for a terminal, and only there. Text is never read as markup: a style is laid around it."""

from __future__ import annotations

from unstate.model import Verdict

VERDICT = {Verdict.EXACT: "green", Verdict.REVIEW: "yellow", Verdict.MANUAL: "red"}


class Paint:
    """`paint(text, "bold green")`: the text with the style around it, or just the text."""

    def __init__(self, colour: bool) -> None:
        self.colour = colour

    def __call__(self, text: str, style: str) -> str:
        if not self.colour or not text:
            return text
        from rich.color import ColorSystem
        from rich.style import Style

        return Style.parse(style).render(text, color_system=ColorSystem.STANDARD)

    def verdict(self, verdict: Verdict) -> str:
        """A verdict in its colour."""
        return self(verdict.value, VERDICT[verdict])

    def diff(self, text: str) -> str:
        """A diff, line by line, as git colours it."""
        return "".join(self._line(line) for line in text.splitlines(keepends=True)) if self.colour else text

    def _line(self, line: str) -> str:
        body = line.rstrip("\n")
        return self(body, _style(body)) + line[len(body) :]


def _style(line: str) -> str:
    if line.startswith(("diff ", "index ", "--- ", "+++ ", "new file", "deleted file")):
        return "bold"
    return {"@": "cyan", "-": "red", "+": "green"}.get(line[:1], "")
