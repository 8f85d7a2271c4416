"""Children and folders at the end of the interpreter, where the guard can no longer be told of them."""

from __future__ import annotations

import subprocess
import sys

LATE = """
from unstate.children import Folder
class Holder:
    def __init__(self):
        self.folder = Folder("test")
    def __del__(self):
        self.folder.cleanup()
import unstate.children as children
holder = Holder()
children._GUARD._process.stdin.close()  # as the interpreter does, in an order of its own
"""


def test_what_is_given_up_after_the_guards_pipe_is_closed_says_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
