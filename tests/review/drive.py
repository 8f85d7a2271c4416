"""A program around a review, as the command line has one: decisions in a file, answers from stdin, how it ended."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from bench import BENCH

from unstate.changes import decisions
from unstate.review import Review, review
from unstate.review.lines import Lines

path = Path(sys.argv[1])
before = decisions.load(path) if path.exists() else decisions.Decisions()
state = Review(BENCH, before)
lines = Lines(sys.stdin.fileno(), patience=float(os.environ.get("PATIENCE", "10")))
ending = review(
    state,
    lines,
    sys.stdout.buffer,
    lambda made: decisions.save(path, made),
    colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR"),
)
print(f"ENDED {ending.value}: {' '.join(state.selection().accepted)}")
