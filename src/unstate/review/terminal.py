"""A review at a terminal, in the manner of `git add -p`: the story of a group, its diff, one key and Enter.

Answers are saved as they are given, so that however a review ends the next one goes on from there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from typing import BinaryIO

from unstate.changes.decisions import Decisions, Standing
from unstate.model import Decision, FileChange, Group, Verdict
from unstate.report import words
from unstate.report.paint import Paint
from unstate.report.text import diff_text, story
from unstate.report.words import count, visible
from unstate.review.lines import Lines
from unstate.review.state import UNDECIDED, Review

HELP = """\
y - take this change
n - leave this change
a - take this and all later undecided changes
d - leave this and all later undecided changes
e - answer the questions of this change, and see it anew
j - leave this undecided, go to the next undecided change
k - leave this undecided, go to the previous undecided change
g - go to a change by its number (g3), or list them
/ - go to the next change that matches a regular expression (/sessions)
p - show this change again, with generated files in full
u - take the last answer back
w - write the changes taken so far
q - quit; answers are kept, nothing is written
? - this help
"""


class Ending(StrEnum):
    """How a review ended."""

    WRITE = "write"  # the accepted groups are to be written
    QUIT = "quit"  # answers are kept, nothing is to be written
    EMPTY = "empty"  # there was nothing to decide


def review(
    state: Review,
    lines: Lines,
    stream: BinaryIO,
    save: Callable[[Decisions], None],
    *,
    colour: bool = False,
    width: Callable[[], int | None] = lambda: None,
) -> Ending:
    """Lead a person through a review. `save` is called after each answer; `width` says at how many columns to wrap.

    The end of the input, Ctrl-C, and a pipe that says nothing for a while all count as q.
    """
    return _Session(state, lines, stream, save, Paint(colour), width).run()


class _Session:
    def __init__(
        self,
        state: Review,
        lines: Lines,
        stream: BinaryIO,
        save: Callable[[Decisions], None],
        paint: Paint,
        width: Callable[[], int | None],
    ) -> None:
        self.state = state
        self.lines = lines
        self.stream = stream
        self.save = save
        self.paint = paint
        self.width = width
        self.looking = False  # the person went to a change on purpose
        self.shown: tuple[int, Group] | None = None  # position and group
        self.commands: dict[str, Callable[[str], Ending | None]] = {
            "y": self.take,
            "n": self.leave,
            "a": self.take_later,
            "d": self.leave_later,
            "e": self.edit,
            "j": lambda _: self.step(1),
            "k": lambda _: self.step(-1),
            "g": self.go,
            "/": self.search,
            "p": lambda _: self.show(full=True),
            "u": self.undo,
            "w": lambda _: Ending.WRITE,
            "q": self.quit,
            "?": lambda _: self.say(HELP),
        }

    def run(self) -> Ending:
        if not self.state.groups:
            self.say(f"Nothing to decide.\n{self.left()}")
            return Ending.EMPTY
        self.greet()
        try:
            return self.loop()
        except KeyboardInterrupt:
            self.say("\n")
            return self.quit("")

    def loop(self) -> Ending:
        while True:
            if not self.done and self.shown != (self.state.position, self.state.current):
                self.show()
            line = self.ask(self.prompt())
            if line is None:
                self.say("\n")
                return self.quit("")
            key, rest = line.strip()[:1].lower(), line.strip()[1:].strip()
            command = self.commands.get(key)
            if command is None:
                self.say(HELP if key else "")
                continue
            before = self.state.decisions
            ending = command(rest)
            if self.state.decisions != before:
                self.save(self.state.decisions)
            if ending is not None:
                return ending

    @property
    def done(self) -> bool:
        """Everything is decided, and the person is not looking at one of the changes again."""
        return not self.looking and not self.state.with_standing(*UNDECIDED)

    # --- what is said

    def say(self, text: str) -> None:
        self.stream.write(text.encode("utf-8", "backslashreplace"))
        self.stream.flush()

    def tell(self, text: str) -> None:
        self.say(f"{visible(text)}\n")

    def ask(self, prompt: str) -> str | None:
        self.say(prompt)
        return self.lines.read()

    def prompt(self) -> str:
        keys = "y,n,a,d,e,j,k,g,/,p,u,w,q,?" if self.state.current.decisions else "y,n,a,d,j,k,g,/,p,u,w,q,?"
        if self.done:
            question = f"All decided: {self.tally()}. Write? [w,g,p,u,q,?]"
        else:
            question = f"({self.state.position + 1}/{len(self.state.groups)}) Take this change? [{keys}]"
        return f"{self.paint(question, 'bold blue')} "

    def tally(self) -> str:
        accepted = len(self.state.selection().accepted)
        return f"{accepted} taken, {len(self.state.with_standing(Standing.REJECTED))} left"

    def greet(self) -> None:
        again, still = (self.state.with_standing(each) for each in (Standing.LOOK_AGAIN, Standing.OPEN))
        total = len(self.state.groups)
        self.say(f"{count(total, 'change')} to decide on. {self.left()}\n")
        if len(still) < total:
            self.say(f"{total - len(still) - len(again)} decided before")
            self.say(f"; {len(again)} to look at again, because the diff has changed since.\n" if again else ".\n")
        if self.state.standing(self.state.current) not in UNDECIDED:
            self.state.move(1)

    def left(self) -> str:
        manual = sum(group.verdict is Verdict.MANUAL for group in self.state.plan.groups)
        return (
            f"{count(manual, 'store')} {'has' if manual == 1 else 'have'} no patch; unstate scan says why."
            if manual
            else ""
        )

    def show(self, *, full: bool = False) -> None:
        group = self.state.current
        self.shown = (self.state.position, group)
        self.say("\n")
        place = self.state.position + 1, len(self.state.groups)
        for line in story(group, self.paint, *place, width=self.width()):
            self.say(f"{line}\n")
        said = {
            Standing.LOOK_AGAIN: "Look again: the diff has changed since you decided.",
            Standing.ACCEPTED: "You took this change.",
            Standing.REJECTED: "You left this change.",
        }.get(self.state.standing(group), "")
        if said:
            self.say(self.paint(f"  {said}\n", "bold"))
        self.say("\n")
        for change in self.state.changes(group):
            if full or change.path in group.files or change.before is not None:
                self.say(self.paint.diff(diff_text(change)))
            else:
                self.say(self.generated(change))

    def generated(self, change: FileChange) -> str:
        lines = (change.after or b"").count(b"\n")
        return f"{visible(change.path)}: new, {count(lines, 'line')}, the same for all changes (p shows it)\n"

    # --- what a key does

    def take(self, _: str) -> None:
        for message in self.state.accept(self.state.current):
            self.tell(message)
        if self.state.standing(self.state.current) is Standing.ACCEPTED:
            self.advance()

    def leave(self, _: str) -> None:
        for message in self.state.reject(self.state.current):
            self.tell(message)
        self.advance()

    def take_later(self, _: str) -> None:
        with self.state.one_step():
            for group in self.state.later():
                if self.state.standing(group) in UNDECIDED:  # else taken along with one before
                    for message in self.state.accept(group):
                        self.tell(message)
        self.advance()

    def leave_later(self, _: str) -> None:
        with self.state.one_step():
            for group in self.state.later():
                for message in self.state.reject(group):
                    self.tell(message)
        self.advance()

    def advance(self) -> None:
        self.looking = False
        self.state.move(1)

    def edit(self, _: str) -> None:
        group = self.state.current
        if not group.decisions:
            self.say("This change has no questions.\n")
            return
        while answers := self.answers(group):
            try:
                self.state.answer(group, answers)
            except ValueError as error:
                self.tell(f"Not taken: {error}")
            else:
                self.shown = None
                return

    def answers(self, group: Group) -> dict[str, str]:
        """The questions of a change, one after the other; what is answered anew."""
        given = {}
        for decision in group.decisions:
            answer = self.answer(group, decision)
            if answer is None:
                break
            if answer != words.answer(group, decision):
                given[decision.name] = answer
        return given

    def answer(self, group: Group, decision: Decision) -> str | None:
        """One question; the answer, or None to leave the rest as they are."""
        current = words.answer(group, decision)
        self.tell(words.question(decision))
        if decision.why:
            self.tell(f"  {decision.why}")
        while True:
            line = self.ask(f"  {visible(decision.name)} [{visible(current)}]: ")
            if line is None or not line.strip():
                return None if line is None else current
            if not decision.choices or line.strip() in decision.choices:
                return line.strip()
            self.tell(f"  One of {', '.join(decision.choices)}; Enter keeps {current}.")

    def step(self, step: int) -> None:
        self.looking = False
        if not self.state.move(step):
            self.say("No other undecided change.\n")

    def go(self, rest: str) -> None:
        groups = self.state.groups
        if not rest:
            for number, group in enumerate(groups, 1):
                mark = {Standing.ACCEPTED: "+", Standing.REJECTED: "-", Standing.LOOK_AGAIN: "!"}
                sign = mark.get(self.state.standing(group), " ")
                self.say(
                    f"{sign}{number:3}: {visible(group.finding.store.name)}  {visible(words.place(group.finding))}\n"
                )
            rest = (self.ask("Go to which? ") or "").strip()
        if rest.isdecimal() and 1 <= int(rest) <= len(groups):
            self.state.position = int(rest) - 1
            self.look()
        elif rest:
            self.tell(f"No change {rest}: there are {len(groups)}.")

    def search(self, rest: str) -> None:
        rest = rest or (self.ask("Search for which regular expression? ") or "").strip()
        if not rest:
            return
        try:
            found = self.state.search(re.compile(rest))
        except re.error as error:
            self.tell(f"{rest} is no regular expression: {error}")
            return
        if found:
            self.look()
        else:
            self.tell(f"No change matches {rest}")

    def look(self) -> None:
        self.looking = True
        self.show()

    def undo(self, _: str) -> None:
        self.looking = False
        self.shown = None
        if not self.state.undo():
            self.say("Nothing to take back.\n")

    def quit(self, _: str) -> Ending:
        decided = len(self.state.groups) - len(self.state.with_standing(*UNDECIDED))
        self.say(
            f"{decided} of {count(len(self.state.groups), 'change')} decided. Nothing was written; answers are kept.\n"
        )
        return Ending.QUIT
